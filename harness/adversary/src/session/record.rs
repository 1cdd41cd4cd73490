//! All sessions with one peer: the one that is sent in, and those before it.

use super::{MOST_ARCHIVED, Session};
use crate::curve::PublicKey;
use crate::refusal::Refusal;
use crate::wire::SignalMessage;
use countersign_contract::Reason;
use rand::{CryptoRng, Rng};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The sessions with one peer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) current: Option<Session>,
    /// Newest first. Still read in, never sent in.
    archived: VecDeque<Session>,
}

impl Record {
    /// Puts the current session aside. It is not announced any more if it becomes current again.
    pub(crate) fn archive(&mut self) {
        if let Some(mut session) = self.current.take() {
            session.pending = None;
            self.archived.truncate(MOST_ARCHIVED - 1);
            self.archived.push_front(session);
        }
    }

    /// Makes a session the current one.
    pub(crate) fn promote(&mut self, session: Session) {
        self.archive();
        self.current = Some(session);
    }

    /// Makes the session of a base key the current one, if there is such a session.
    pub(crate) fn promote_matching(&mut self, version: u8, base_key: &PublicKey) -> bool {
        let matches = |session: &Session| session.profile.version() == version && session.base_key == *base_key;
        if self.current.as_ref().is_some_and(matches) {
            return true;
        }
        let Some(session) = self.archived.iter().position(matches).and_then(|place| self.archived.remove(place)) else {
            return false;
        };
        self.promote(session);
        true
    }

    /// Whether there is a session of that message version.
    pub(crate) fn speaks(&self, version: u8) -> bool {
        self.current.iter().chain(&self.archived).any(|session| session.profile.version() == version)
    }

    /// Reads the message inside a prekey message, in the current session alone.
    pub(crate) fn decrypt_first<R: Rng + CryptoRng>(
        &mut self,
        message: &SignalMessage<'_>,
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        let Some(session) = &mut self.current else { return Err(Refusal::new(Reason::NoSession, "no session")) };
        let (opened, plaintext) = session.decrypt(message, rng)?;
        *session = opened;
        Ok(plaintext)
    }

    /// Reads a message in whichever session it belongs to, and makes that the current one.
    pub(crate) fn decrypt<R: Rng + CryptoRng>(&mut self, message: &SignalMessage<'_>, rng: &mut R) -> Result<Vec<u8>, Refusal> {
        let mut worst: Option<Refusal> = None;
        if let Some(session) = &mut self.current {
            match session.decrypt(message, rng) {
                Ok((opened, plaintext)) => {
                    *session = opened;
                    return Ok(plaintext);
                }
                Err(refusal) if refusal.reason == Reason::Duplicate => return Err(refusal),
                Err(refusal) => worst = Some(refusal),
            }
        }
        for place in 0..self.archived.len() {
            let Some(session) = self.archived.get(place) else { break };
            match session.decrypt(message, rng) {
                Ok((opened, plaintext)) => {
                    self.archived.remove(place);
                    self.promote(opened);
                    return Ok(plaintext);
                }
                Err(refusal) if refusal.reason == Reason::Duplicate => return Err(refusal),
                Err(refusal) if worst.is_none() || refusal.reason == Reason::TooOld => worst = Some(refusal),
                Err(_) => {}
            }
        }
        Err(worst.unwrap_or_else(|| Refusal::new(Reason::NoSession, "no session")))
    }
}
