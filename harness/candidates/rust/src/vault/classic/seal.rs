//! Encrypting to a peer.

use super::super::counters::REMEMBERED;
use super::super::outcome::Readiness;
use super::message::{FirstMessage, Surroundings};
use super::{Vault, digest};
use crate::defect::Defect;
use countersign_contract::portable::MessageType;
use countersign_contract::{Reason, UserId};
use std::time::SystemTime;

/// After how many writes of sessions the defect `loses-one-session-write` loses one.
const WRITES_BEFORE_LOSS: u32 = 90;

impl Vault {
    /// Whether a message can be encrypted to `to`; see [`super::super::Vault::readiness`].
    pub(crate) fn readiness(&self, to: UserId, now: SystemTime) -> Readiness {
        let name = to.to_string();
        if !self.identities.is_accepted(&name) {
            return Readiness::Untrusted;
        }
        let session = self.sessions.get(&to).and_then(|record| record.current());
        let latest = self.identities.peer(&name).map(|peer| peer.latest);
        let fresh = |now| session.is_some_and(|session| Some(session.theirs) == latest && session.is_fresh(now));
        if fresh(self.as_it_thinks(now)) { Readiness::Ready } else { Readiness::NoSession }
    }

    /// Encrypts a padded content; see [`super::super::Vault::seal`].
    pub(crate) fn seal(&mut self, to: UserId, padded: &[u8], now: SystemTime) -> Result<(MessageType, Vec<u8>), Reason> {
        let now = self.as_it_thinks(now);
        if self.defects.has(Defect::LosesOneSessionWrite) {
            self.lose_a_write(to);
        }
        let session = self.sessions.get_mut(&to).and_then(|record| record.sessions.front_mut());
        let session = session.filter(|session| session.is_fresh(now)).ok_or(Reason::NoSession)?;
        if !self.identities.may_send_to(&to.to_string(), &session.theirs) {
            return Err(Reason::UntrustedIdentity);
        }
        let own = *self.identities.own.identity_key();
        let message = session.seal(&own, padded)?;
        let pending = session.pending.as_ref();
        // The defect leaves out how the session was set up once it has said so.
        let mut says_how = |base_key| !self.defects.has(Defect::SetsUpOnce) || self.set_up.insert(base_key);
        let (kind, body) = match pending.filter(|_| says_how(session.base_key)) {
            Some(pending) => {
                let surroundings = Surroundings {
                    identity: own,
                    registration_id: self.identities.registration_id,
                    prekeys: (pending.one_time_prekey, pending.signed_prekey),
                };
                (MessageType::Prekey, FirstMessage::write(&surroundings, session.base_key, message))
            }
            None => (MessageType::Normal, message),
        };
        self.writes += 1;
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

    /// Comes back once with the session as it was before the last message was sent, as after a crash before the write.
    fn lose_a_write(&mut self, peer: UserId) {
        let Some(current) = self.sessions.get(&peer).cloned() else { return };
        let before_last = self.before_last.insert(peer, current);
        if self.writes >= WRITES_BEFORE_LOSS && !std::mem::replace(&mut self.lost, true) {
            self.sessions.extend(before_last.map(|record| (peer, record)));
        }
    }
}
