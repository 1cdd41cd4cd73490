//! Encrypting to a peer.

use super::super::outcome::Readiness;
use super::{REMEMBERED, Vault, address, digest, reason_of, run, view};
use crate::defect::Defect;
use countersign_contract::portable::MessageType;
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{CiphertextMessage, SessionUsabilityRequirements, message_encrypt};
use prost::Message as _;
use std::time::SystemTime;

/// After how many writes of sessions the defect `loses-one-session-write` loses one.
const WRITES_BEFORE_LOSS: u32 = 90;

impl Vault {
    /// Whether a message can be encrypted to `to`. A session that was never answered for 30 days, or that belongs to a former
    /// identity of the peer, does not count.
    pub(crate) fn readiness(&self, to: UserId, now: SystemTime) -> Readiness {
        let name = to.to_string();
        let now = self.as_it_thinks(now);
        if !self.identities.is_accepted(&name) {
            return Readiness::Untrusted;
        }
        let (Some(record), Some(peer)) = (self.sessions.0.get(&name), self.identities.peer(&name)) else {
            return Readiness::NoSession;
        };
        let usable = record.has_usable_sender_chain(now, SessionUsabilityRequirements::NotStale).unwrap_or(false);
        let whose = record.remote_identity_key_bytes().ok().flatten();
        if usable && whose.as_deref() == Some(&*peer.latest.serialize()) { Readiness::Ready } else { Readiness::NoSession }
    }

    /// Encrypts a padded content.
    ///
    /// # Errors
    /// `no-session` or `untrusted-identity`.
    pub(crate) fn seal(&mut self, to: UserId, padded: &[u8], now: SystemTime) -> Result<(MessageType, Vec<u8>), Reason> {
        let to = address(to)?;
        let now = self.as_it_thinks(now);
        if self.defects.has(Defect::LosesOneSessionWrite) {
            self.lose_a_write(to.name());
        }
        let message = run(message_encrypt(padded, &to, &mut self.sessions, &mut self.identities, now, &mut self.rng))
            .map_err(|error| reason_of(&error).unwrap_or(Reason::Internal))?;
        self.writes += 1;
        let kind = match &message {
            CiphertextMessage::PreKeySignalMessage(_) => MessageType::Prekey,
            _ => MessageType::Normal,
        };
        let (kind, body) = self.set_up_once(kind, message.serialize().to_vec());
        if self.own.len() >= REMEMBERED {
            self.own.pop_first();
        }
        self.own.insert(digest(&body));
        Ok((kind, body))
    }

    /// The time, but for the defect `keeps-stale-session`: no session is old at the beginning of time.
    fn as_it_thinks(&self, now: SystemTime) -> SystemTime {
        if self.defects.has(Defect::KeepsStaleSession) { SystemTime::UNIX_EPOCH } else { now }
    }

    /// The defect `sets-up-once`: a second message of an unanswered session without what set it up.
    fn set_up_once(&mut self, kind: MessageType, body: Vec<u8>) -> (MessageType, Vec<u8>) {
        if kind == MessageType::Normal || !self.defects.has(Defect::SetsUpOnce) {
            return (kind, body);
        }
        match view::PrekeyMessage::decode(body.get(1..).unwrap_or_default()) {
            Ok(outer) if !self.set_up.insert(outer.base_key.clone()) => (MessageType::Normal, outer.message),
            _ => (kind, body),
        }
    }

    /// Comes back once with the session as it was before the last message was sent, as after a crash before the write.
    fn lose_a_write(&mut self, peer: &str) {
        let Some(current) = self.sessions.0.get(peer).cloned() else { return };
        let before_last = self.before_last.insert(peer.to_owned(), current);
        if self.writes >= WRITES_BEFORE_LOSS && !std::mem::replace(&mut self.lost, true) {
            self.sessions.0.extend(before_last.map(|record| (peer.to_owned(), record)));
        }
    }
}
