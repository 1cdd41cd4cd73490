//! The cast at work.

use countersign_contract::conversation::Conversation;
use countersign_contract::{StanzaId, UserId};
use countersign_reference::ReferenceUser;
use countersign_scenarios::{Cast, Side};
use std::collections::{BTreeMap, BTreeSet};

/// One member of the cast.
pub(crate) struct Member {
    pub(crate) cast: Cast,
    pub(crate) user: UserId,
    /// The user that we play; `None` for one of the candidate.
    pub(crate) reference: Option<ReferenceUser>,
    /// Candidate: the last event that was fetched.
    pub(crate) cursor: u64,
    /// Candidate: the last stanza that went to its channel, and the last one that it settled through.
    pub(crate) delivered: Option<StanzaId>,
    pub(crate) settled: Option<StanzaId>,
    /// Reference: messages shown, so that none is shown twice.
    pub(crate) shown: Vec<StanzaId>,
    /// Reference: how often each message was asked for again.
    pub(crate) asked: BTreeMap<StanzaId, u32>,
    /// Reference: what it and each peer said to each other.
    pub(crate) talks: BTreeMap<UserId, Conversation>,
    /// Reference: whom it has blocked.
    pub(crate) blocked: BTreeSet<UserId>,
    /// Candidate: deleted, and not created again since: nothing is asked of it.
    pub(crate) deleted: bool,
}

/// All members, by their name in the scenario.
pub(crate) type Members = BTreeMap<String, Member>;

impl Member {
    pub(crate) fn new(cast: Cast, user: UserId, reference: Option<ReferenceUser>) -> Self {
        Self {
            cast,
            user,
            reference,
            cursor: 0,
            delivered: None,
            settled: None,
            shown: Vec::new(),
            asked: BTreeMap::new(),
            talks: BTreeMap::new(),
            blocked: BTreeSet::new(),
            deleted: false,
        }
    }

    pub(crate) fn is_candidate(&self) -> bool {
        self.cast.side == Side::Candidate
    }

    /// Whether stanzas went to it that it has not settled through.
    pub(crate) fn unsettled(&self) -> Option<StanzaId> {
        self.delivered.filter(|d| Some(*d) != self.settled)
    }
}
