//! How often an instance gave a candidate the chance to do something wrong that a check would have seen.
//!
//! Some defects show only now and then: with one key in ten, or one message in ten. How likely a run is to meet them depends on how
//! many messages, sessions, keys and files it looked at. What is counted here was looked at to its end: it crossed the gateway, and its
//! receiver was shown it.

use crate::wire;
use countersign_contract::operations::EventList;
use countersign_contract::portable::{MessageType, Stanza};
use countersign_contract::seen::{UserContent, What};
use countersign_contract::{Operation, StanzaId};
use countersign_trace::{Blobs, Entry, Event, Input, Observation, Outcome};
use serde::Deserialize as _;
use std::collections::{BTreeMap, BTreeSet};

/// Chances of one kind each, in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Messages: between two users, sealed or in a group.
    pub messages: u64,
    /// Sessions that a first message set up, by their base keys.
    pub sessions: u64,
    /// Ratchet keys that messages came under.
    pub ratchet_keys: u64,
    /// Files.
    pub files: u64,
}

/// All chances of some instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chances {
    /// What came to the candidate, and was shown to its user.
    pub received: Counted,
    /// What the candidate sent, and a reference user read.
    pub sent: Counted,
}

impl Counted {
    fn add(&mut self, other: &Self) {
        self.messages = self.messages.saturating_add(other.messages);
        self.sessions = self.sessions.saturating_add(other.sessions);
        self.ratchet_keys = self.ratchet_keys.saturating_add(other.ratchet_keys);
        self.files = self.files.saturating_add(other.files);
    }
}

impl Chances {
    /// Adds those of another instance, whose keys are its own.
    pub fn add(&mut self, other: &Self) {
        self.received.add(&other.received);
        self.sent.add(&other.sent);
    }
}

/// The keys in a message that set it apart.
type Keys = (Option<Vec<u8>>, Option<Vec<u8>>);

/// What crossed the gateway in one direction, and what of it was looked at.
#[derive(Default)]
struct Crossing {
    on_wire: BTreeMap<StanzaId, Keys>,
    messages: BTreeSet<StanzaId>,
    files: BTreeSet<StanzaId>,
}

impl Crossing {
    fn note(&mut self, text: &[u8]) {
        let Some(stanza) = std::str::from_utf8(text).ok().and_then(|text| Stanza::from_gateway(text).ok()) else { return };
        let keys = match &stanza {
            Stanza::Message { r#type: MessageType::Prekey, body, .. } => wire::prekey(&body.0)
                .map_or((None, None), |outer| (Some(outer.base_key.to_vec()), Some(outer.message.ratchet_key.to_vec()))),
            Stanza::Message { r#type: MessageType::Normal, body, .. } => {
                (None, wire::signal(&body.0).map(|message| message.ratchet_key.to_vec()))
            }
            Stanza::SealedMessage { .. } | Stanza::GroupMessage { .. } => (None, None),
            _ => return,
        };
        // The first one that bears an id: what is played back later is no chance of its own.
        self.on_wire.entry(stanza.id()).or_insert(keys);
    }

    fn shown(&mut self, stanza: StanzaId, content: &UserContent) {
        if self.on_wire.contains_key(&stanza) {
            self.messages.insert(stanza);
            if matches!(content, UserContent::Media { .. }) {
                self.files.insert(stanza);
            }
        }
    }

    fn counted(&self) -> Counted {
        let keys = || self.messages.iter().filter_map(|id| self.on_wire.get(id));
        let sessions: BTreeSet<&Vec<u8>> = keys().filter_map(|(base, _)| base.as_ref()).collect();
        let ratchet_keys: BTreeSet<&Vec<u8>> = keys().filter_map(|(_, ratchet)| ratchet.as_ref()).collect();
        Counted {
            messages: self.messages.len() as u64,
            sessions: sessions.len() as u64,
            ratchet_keys: ratchet_keys.len() as u64,
            files: self.files.len() as u64,
        }
    }
}

/// The chances of one instance, from its trace. What is sent again under another stanza id, or whose bytes are not at hand, is left out.
#[must_use]
pub fn chances(trace: &[Entry], blobs: &Blobs) -> Chances {
    let (mut received, mut sent) = (Crossing::default(), Crossing::default());
    let mut looks = BTreeSet::new();
    for entry in trace {
        match &entry.event {
            Event::Call { call, op, .. } if *op == Operation::Events.as_str() => _ = looks.insert(*call),
            Event::Frame { text, .. } => text.bytes(blobs).into_iter().for_each(|text| received.note(text)),
            Event::Input(Input::ChatFrame { text, .. }) => text.bytes(blobs).into_iter().for_each(|text| sent.note(text)),
            Event::Input(Input::Returned { call, outcome: Outcome::Ok(answer) }) if looks.contains(call) => {
                let list = EventList::deserialize(answer).map_or_else(|_| Vec::new(), |list| list.events);
                for seen in list {
                    if let What::Message { message, content, .. } = &seen.what {
                        received.shown(*message, content);
                    }
                }
            }
            Event::Observed { observation: Observation::Shown { stanza, content, .. }, .. } => sent.shown(*stanza, content),
            _ => {}
        }
    }
    Chances { received: received.counted(), sent: sent.counted() }
}
