//! An index over one trace: who is who, what was called, sent, delivered, shown and observed, each with its position.
//!
//! It is built once and only read from then on. Positions are indexes into the trace; entry numbers are looked up from them, since
//! a trace from a record may number its entries as it likes.

mod build;
mod events;
mod keys;
mod messages;

pub(crate) use events::{Disorder, What, Witnessed};
pub(crate) use keys::{Handed, Publication};
pub(crate) use messages::{Sent, content_of, same};

use crate::wire;
use countersign_contract::portable::{MessageType, Stanza};
use countersign_contract::seen::UserContent;
use countersign_contract::{GroupId, Operation, Reason, StanzaId, UserId};
use countersign_scenarios::{Scenario, Side};
use countersign_trace::{Blobs, Body, Entry, Observation, event::Outcome};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A call of an operation, with what came of it.
pub(crate) struct Called<'a> {
    pub(crate) at: usize,
    pub(crate) op: &'a str,
    pub(crate) args: &'a Value,
    pub(crate) step: Option<usize>,
    /// Position of the return, and the outcome; `None` if it never came back.
    pub(crate) outcome: Option<(usize, &'a Outcome)>,
}

impl Called<'_> {
    /// An argument that is an id.
    pub(crate) fn user(&self, argument: &str) -> Option<UserId> {
        self.args.get(argument)?.as_str()?.parse().ok()
    }

    /// An argument that is the id of a stanza.
    pub(crate) fn stanza(&self, argument: &str) -> Option<StanzaId> {
        self.args.get(argument)?.as_str()?.parse().ok()
    }

    /// The answer, if it succeeded.
    pub(crate) fn ok(&self) -> Option<(usize, &Value)> {
        match self.outcome {
            Some((at, Outcome::Ok(value))) => Some((at, value)),
            _ => None,
        }
    }

    /// Which operation it is.
    pub(crate) fn operation(&self) -> Option<Operation> {
        Operation::from_name(self.op)
    }
}

/// A frame that came from the candidate.
pub(crate) struct FrameIn<'a> {
    pub(crate) at: usize,
    pub(crate) channel: u64,
    /// Whose token opened the channel.
    pub(crate) user: Option<UserId>,
    pub(crate) body: &'a Body,
    /// What it says, or why it is no stanza.
    pub(crate) stanza: Result<Stanza, String>,
}

/// A stanza that the gateway gave to a user of either side; answers to the user's own stanzas are left out.
pub(crate) struct Delivery {
    pub(crate) at: usize,
    pub(crate) user: UserId,
    /// The channel, for a candidate's user.
    pub(crate) channel: Option<u64>,
    pub(crate) stanza: Stanza,
}

/// A request of the candidate, with the gateway's answer.
pub(crate) struct Requested<'a> {
    pub(crate) at: usize,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Whose token it carried, or whom it enlists.
    pub(crate) user: Option<UserId>,
    pub(crate) body: &'a Body,
    /// Position, status, body, and whether it was bent.
    pub(crate) reply: Option<(usize, u16, &'a Body, bool)>,
}

impl Requested<'_> {
    /// Whether the gateway accepted it.
    pub(crate) fn accepted(&self) -> bool {
        self.reply.is_some_and(|(_, status, ..)| (200..300).contains(&status))
    }
}

/// The index.
pub(crate) struct Seen<'a> {
    pub(crate) trace: &'a [Entry],
    pub(crate) blobs: &'a Blobs,
    pub(crate) scenario: &'a Scenario,
    /// Ids of stanzas by the names that the scenario uses.
    pub(crate) names: BTreeMap<&'a str, StanzaId>,
    pub(crate) users: BTreeMap<&'a str, UserId>,
    /// Positions of the entries of each step that was begun.
    pub(crate) steps: BTreeMap<usize, Range<usize>>,
    /// Steps that could not be carried out, and what was missing.
    pub(crate) skipped: BTreeMap<usize, (usize, &'a str)>,
    pub(crate) finished: Option<usize>,
    /// Where it was cut short, why, and whether the candidate did too much in it.
    pub(crate) aborted: Option<(usize, &'a str, bool)>,
    pub(crate) calls: Vec<Called<'a>>,
    /// Which of them is the first `send` of a stanza.
    pub(crate) sends: BTreeMap<StanzaId, usize>,
    pub(crate) requests: Vec<Requested<'a>>,
    pub(crate) frames: Vec<FrameIn<'a>>,
    /// Where each chat channel was opened, and whose it is; and where it was closed.
    pub(crate) channels: BTreeMap<u64, (usize, Option<UserId>)>,
    pub(crate) closed: BTreeMap<u64, usize>,
    /// Where the candidate's end of a channel said that it is closed: nothing that it sent there comes later.
    pub(crate) hung_up: BTreeMap<u64, usize>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) observed: Vec<(usize, Option<UserId>, &'a Observation)>,
    /// Stanzas of the candidate that the gateway refused, and why.
    pub(crate) refused: BTreeMap<StanzaId, Reason>,
    /// What was done to stanzas and answers, in words.
    pub(crate) disturbed: Vec<(usize, Option<StanzaId>, &'a str)>,
    /// What each user saw, in the order in which the user saw it.
    pub(crate) witnessed: BTreeMap<UserId, Vec<Witnessed>>,
    /// Where a candidate's list of events breaks its own order.
    pub(crate) disorder: Vec<Disorder>,
    /// Positions of the answers of `events`, by user.
    pub(crate) looks: BTreeMap<UserId, Vec<usize>>,
    /// Messages by the names that the scenario uses.
    pub(crate) messages: BTreeMap<String, Sent>,
    /// The same by id; resends and replays included.
    pub(crate) message_of_stanza: BTreeMap<StanzaId, String>,
    pub(crate) publications: Vec<Publication>,
    pub(crate) handed: Vec<Handed>,
    /// Largest lag of a timer of ours, in microseconds.
    pub(crate) lag_us: u64,
    /// Stanzas that our users sent, with their senders.
    pub(crate) reference_stanzas: Vec<(usize, UserId, Stanza)>,
    sent_by_reference: BTreeMap<StanzaId, &'a UserContent>,
    candidates: BTreeSet<UserId>,
}

impl<'a> Seen<'a> {
    /// Number of the entry at a position.
    pub(crate) fn n(&self, at: usize) -> u64 {
        self.trace.get(at).map_or(0, |entry| entry.n)
    }

    /// When the entry at a position happened, in microseconds since the instance began.
    pub(crate) fn time(&self, at: usize) -> u64 {
        self.trace.get(at).map_or(0, |entry| entry.at_us)
    }

    /// Position behind the last entry of a step.
    pub(crate) fn end_of(&self, step: usize) -> usize {
        self.steps.get(&step).map_or(0, |range| range.end)
    }

    /// Calls made in a step.
    pub(crate) fn calls_in(&self, step: usize) -> impl Iterator<Item = &Called<'a>> {
        self.calls.iter().filter(move |call| call.step == Some(step))
    }

    /// The `send` of a stanza.
    pub(crate) fn send_of(&self, stanza: StanzaId) -> Option<&Called<'a>> {
        self.calls.get(*self.sends.get(&stanza)?)
    }

    /// What reference users observed in a step.
    pub(crate) fn observed_in(&self, step: usize) -> impl Iterator<Item = (usize, Option<UserId>, &'a Observation)> + '_ {
        let range = self.steps.get(&step).cloned().unwrap_or(0..0);
        self.observed.iter().filter(move |(at, ..)| range.contains(at)).copied()
    }

    /// Whether the candidate plays this user.
    pub(crate) fn is_candidate(&self, user: UserId) -> bool {
        self.candidates.contains(&user)
    }

    /// Which side plays a member of the cast.
    pub(crate) fn side(&self, name: &str) -> Option<Side> {
        self.scenario.cast.get(name).map(|cast| cast.side)
    }

    /// The id of a member of the cast.
    pub(crate) fn user(&self, name: &str) -> Option<UserId> {
        self.users.get(name).copied()
    }

    /// The name of a user, or its id.
    pub(crate) fn name_of(&self, user: UserId) -> String {
        self.users.iter().find(|(_, id)| **id == user).map_or_else(|| user.to_string(), |(name, _)| (*name).to_owned())
    }

    /// Positions at which a stanza was given to a user.
    pub(crate) fn delivered(&self, user: UserId, stanza: StanzaId) -> impl Iterator<Item = usize> + '_ {
        self.deliveries.iter().filter(move |d| d.user == user && d.stanza.id() == stanza).map(|d| d.at)
    }

    /// What a user saw.
    pub(crate) fn sights(&self, user: UserId) -> &[Witnessed] {
        self.witnessed.get(&user).map_or(&[], Vec::as_slice)
    }

    /// Whether the user's events were asked for, and answered, at or behind a position.
    pub(crate) fn looked_after(&self, user: UserId, at: usize) -> bool {
        !self.is_candidate(user) || self.looks.get(&user).is_some_and(|looks| looks.iter().any(|look| *look >= at))
    }

    /// The candidate's group messages that can be read: where, to which group and for which version of its list, and what.
    pub(crate) fn group_messages_in(&self) -> impl Iterator<Item = (&FrameIn<'a>, (GroupId, u32), wire::SenderKey<'_>)> {
        self.frames.iter().filter_map(|frame| match &frame.stanza {
            Ok(Stanza::GroupMessage { group, version, body, .. }) => {
                Some((frame, (*group, version.unwrap_or(0)), wire::sender_key(&body.0)?))
            }
            _ => None,
        })
    }

    /// Everything that the candidate sends from one user to another, open or sealed.
    pub(crate) fn sent_in(&self) -> impl Iterator<Item = (&FrameIn<'a>, Outgoing)> {
        self.frames.iter().filter_map(|frame| Some((frame, frame.outgoing()?)))
    }

    /// Who sent a sealed message, which does not say so: by who handed it to the gateway, or by the message that it repeats.
    pub(crate) fn sender_of(&self, sealed: StanzaId) -> Option<UserId> {
        let is_it = |stanza: &Stanza| matches!(stanza, Stanza::SealedMessage { id, .. } if *id == sealed);
        let reference = self.reference_stanzas.iter().find(|(_, _, stanza)| is_it(stanza)).map(|(_, user, _)| *user);
        let candidate = || self.frames.iter().find(|frame| frame.stanza.as_ref().is_ok_and(is_it)).and_then(|frame| frame.user);
        let repeated = || self.messages.get(self.message_of_stanza.get(&sealed)?)?.from;
        reference.or_else(candidate).or_else(repeated)
    }

    /// The candidate's open message stanzas that can be read, with their senders.
    pub(crate) fn messages_in(&self) -> impl Iterator<Item = (&FrameIn<'a>, Message<'_>)> {
        self.frames.iter().filter_map(|frame| match &frame.stanza {
            Ok(Stanza::Message { to, r#type, body, .. }) => {
                Some((frame, Message { to: *to, prekey: *r#type == MessageType::Prekey, body: &body.0 }))
            }
            _ => None,
        })
    }
}

impl FrameIn<'_> {
    /// What it sends to one other user, if it does.
    pub(crate) fn outgoing(&self) -> Option<Outgoing> {
        match &self.stanza {
            Ok(Stanza::Message { id, to, .. }) => Some(Outgoing { id: *id, to: *to, sealed: false }),
            Ok(Stanza::SealedMessage { id, to, .. }) => Some(Outgoing { id: *id, to: *to, sealed: true }),
            _ => None,
        }
    }
}

/// A message from one user to another as the gateway sees it.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing {
    pub(crate) id: StanzaId,
    pub(crate) to: Option<UserId>,
    pub(crate) sealed: bool,
}

/// The parts of a message stanza from the candidate.
pub(crate) struct Message<'s> {
    pub(crate) to: Option<UserId>,
    /// Whether it says that it sets up a session.
    pub(crate) prekey: bool,
    pub(crate) body: &'s [u8],
}
