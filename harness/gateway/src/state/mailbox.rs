//! What waits for one user: every stanza from its acceptance until the client has acknowledged it.

use super::limits::{MOST_IN_MAILBOX, THIRTY_DAYS_MS};
use countersign_contract::StanzaId;
use countersign_contract::portable::Stanza;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

#[derive(Clone, Default)]
pub(crate) struct Mailbox {
    waiting: VecDeque<Waiting>,
    /// Ids that were given to the client before: acknowledging one of them again is no fault, since a copy may have been repeated.
    given: BTreeSet<StanzaId>,
}

#[derive(Clone)]
struct Waiting {
    stanza: Arc<Stanza>,
    since_ms: u64,
}

/// What an acknowledgement did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Acked {
    /// The stanza, with all copies of it, is out of the mailbox.
    Removed,
    /// It was acknowledged before.
    Again,
    /// This user was never given a stanza of that id.
    Unknown,
}

impl Mailbox {
    /// False if the mailbox is full and the stanza is not in it.
    pub(crate) fn put(&mut self, stanza: Arc<Stanza>, now_ms: u64) -> bool {
        let fits = self.waiting.len() < MOST_IN_MAILBOX;
        if fits {
            self.waiting.push_back(Waiting { stanza, since_ms: now_ms });
        }
        fits
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_IN_MAILBOX
    }

    /// All that waits, in order; from now on it counts as given.
    pub(crate) fn give_all(&mut self) -> Vec<Arc<Stanza>> {
        self.given.extend(self.waiting.iter().map(|w| w.stanza.id()));
        self.waiting.iter().map(|w| Arc::clone(&w.stanza)).collect()
    }

    /// Notes that the client is being given this stanza.
    pub(crate) fn given(&mut self, id: StanzaId) {
        self.given.insert(id);
    }

    /// Copies share one id, and so one acknowledgement: the client says that it is done with what has this id.
    pub(crate) fn ack(&mut self, id: StanzaId) -> Acked {
        if !self.given.contains(&id) {
            return Acked::Unknown;
        }
        let before = self.waiting.len();
        self.waiting.retain(|w| w.stanza.id() != id);
        if self.waiting.len() < before { Acked::Removed } else { Acked::Again }
    }

    /// Takes out what has waited for more than 30 days, and says what that was.
    pub(crate) fn expire(&mut self, now_ms: u64) -> Vec<StanzaId> {
        let (old, kept) =
            self.waiting.drain(..).partition::<VecDeque<_>, _>(|w| now_ms.saturating_sub(w.since_ms) > THIRTY_DAYS_MS);
        self.waiting = kept;
        old.iter().map(|w| w.stanza.id()).collect()
    }
}
