//! A user's state and log: kept, put back, copied, written out. See the contract's module `state`.

use super::{State, User, repeats, retry};
use crate::defect::Defect;
use crate::vault::Vault;
use countersign_contract::operations::EventList;
use countersign_contract::portable::{GroupList, Stanza};
use countersign_contract::seen::{Seen, What};
use countersign_contract::state::{Part, Parts};
use countersign_contract::{Problem, Reason};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use tokio::sync::watch;

/// Most events in one answer.
const MOST_EVENTS: usize = 256;

/// State and log of a user as they were once.
pub(crate) struct Kept(State);

impl State {
    fn copy(&self) -> Self {
        Self {
            vault: self.vault.copy(),
            events: self.events.clone(),
            begun: self.begun.clone(),
            processed: self.processed.clone(),
            shown: self.shown.clone(),
            talks: self.talks.clone(),
            blocked: self.blocked.clone(),
            deleted: self.deleted.clone(),
            sent: self.sent.clone(),
            groups: self.groups.clone(),
            to_groups: self.to_groups.clone(),
            asked: self.asked.clone(),
            unsent: self.unsent.clone(),
            connections: self.connections,
            cache: self.cache.clone(),
            media_key: self.media_key,
            certificate: self.certificate.clone(),
            kept: repeats::Kept::default(),
            rotated: self.rotated,
            late: self.late.clone(),
            backup: None,
            queue: None,
        }
    }

    /// The same for a thief: keys, and nothing of what was shown or sent.
    fn bare_copy(&self) -> Self {
        Self {
            events: Vec::new(),
            begun: BTreeMap::new(),
            processed: BTreeSet::new(),
            shown: BTreeSet::new(),
            talks: BTreeMap::new(),
            sent: retry::Sent::default(),
            asked: retry::Asked::default(),
            unsent: Vec::new(),
            cache: BTreeMap::new(),
            ..self.copy()
        }
    }
}

impl User {
    /// Keeps state and log as they are now.
    pub(crate) fn keep(&self) -> Kept {
        Kept(self.state().copy())
    }

    /// Puts state and log back; the client is offline then.
    pub(crate) async fn put_back(&self, kept: &Kept) {
        self.disconnect().await;
        if self.has(Defect::RestoresNothing) {
            return;
        }
        let mut restored = kept.0.copy();
        let mut state = self.state();
        if let Some(backup) = state.backup.take()
            && let Some(instance) = self.instance.upgrade()
            && self.has(Defect::RestoresKeysOnly)
        {
            restored.vault = Vault::new(instance.suite, self.id, self.defects.clone());
            restored.vault.restore(backup);
            restored.shown.clear();
        }
        restored.backup = state.backup.take();
        *state = restored;
    }

    /// A copy for a thief, which has no connection and never gets one.
    pub(crate) fn detached(&self) -> Self {
        Self {
            id: self.id,
            instance: self.instance.clone(),
            defects: self.defects.clone(),
            gateway: self.gateway.clone(),
            token: String::new(),
            batch: self.batch,
            state: Mutex::new(self.state().bare_copy()),
            changed: watch::Sender::new(()),
            link: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
            detached: true,
        }
    }

    /// What a copy makes of a stanza; `original` is whose copy it is.
    pub(crate) async fn feed(&self, stanza: Stanza, original: &Self) -> EventList {
        if self.has(Defect::CloneAnswersNothing) {
            return EventList { events: Vec::new() };
        }
        let _turn = self.turn.lock().await;
        let before = self.state().events.len();
        let id = stanza.id();
        // What would be answered to the gateway is dropped: a copy sends nothing.
        match stanza {
            Stanza::Message { id, from: Some(from), r#type, body, .. } => {
                let _ = self.receive(id, from, r#type, body.as_ref()).await;
            }
            Stanza::SealedMessage { id, body, .. } => {
                let _ = self.receive_sealed(id, body.as_ref()).await;
            }
            Stanza::GroupMessage { id, group, from: Some(from), body, .. } => {
                let _ = self.receive_group(id, from, group, body.as_ref()).await;
            }
            Stanza::Group { group, version, members, .. } => self.take_group(&GroupList { group, version, members }),
            Stanza::Message { id, from: None, .. } | Stanza::GroupMessage { id, from: None, .. } => {
                self.see(What::Refused { stanza: id, reason: Reason::Malformed });
            }
            _ => {}
        }
        // Nobody waits for a copy: what defective clients show later is shown.
        let late = self.state().late.remove(&id);
        if let Some(what) = late {
            self.see(what);
        }
        if self.has(Defect::CloneIsNoCopy) {
            original.state().vault = self.state().vault.copy();
        }
        let state = self.state();
        let numbered = (1..).zip(&state.events).skip(before).take(MOST_EVENTS);
        EventList { events: numbered.map(|(seq, what)| Seen { seq, what: what.clone() }).collect() }
    }

    /// The stored bytes of the state.
    ///
    /// # Errors
    /// `too-large` over the contract's limit, `internal` if a record cannot be written.
    pub(crate) fn export(&self) -> Result<Parts, Problem> {
        if self.has(Defect::ExportsNothing) {
            return Ok(Parts::default());
        }
        let parts = self.state().vault.export().map_err(|reason| Problem::new(reason, "writing the state"))?;
        let parts: Vec<Part> = parts.into_iter().map(|(name, bytes)| Part { name, bytes: bytes.into() }).collect();
        Parts::try_from(parts).map_err(|bad| Problem::new(Reason::TooLarge, bad.to_string()))
    }
}
