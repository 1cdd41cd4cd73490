//! The state as a whole: copied, and written out as it is stored. See the contract's module `state`.
//!
//! As far as keys go, the Double Ratchet keeps what Signal's library does: of each session up to 5 chains of the peer, in each the chain
//! key of the next message and the seeds of up to 2000 skipped ones; and up to 40 former sessions with each peer.

use super::super::written::Written;
use super::Vault;
use super::message::Message;
use crate::defect::Defect;
use countersign_contract::{Reason, UserId};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

impl Vault {
    /// A copy that goes its own way: with the same keys, and with randomness of its own.
    pub(crate) fn copy(&self) -> Self {
        Self { rng: StdRng::from_os_rng(), ..self.clone() }
    }

    /// Everything of it that is stored, in named parts.
    pub(crate) fn export(&self) -> Result<Vec<(String, Vec<u8>)>, Reason> {
        let mut sessions = Written::default();
        for (peer, record) in &self.sessions {
            sessions.text(&peer.to_string());
            record.sessions.iter().for_each(|session| session.write(&mut sessions));
        }
        let (mut one_time, mut signed) = (Written::default(), Written::default());
        let pairs = |written: &mut Written, pairs: &std::collections::BTreeMap<u32, libsignal_protocol::KeyPair>| {
            for (id, pair) in pairs {
                written.number(*id).bytes(&pair.public_key.serialize()).bytes(&pair.private_key.serialize());
            }
        };
        pairs(&mut one_time, &self.prekeys.one_time);
        pairs(&mut signed, &self.prekeys.signed);
        for (id, base_key) in &self.prekeys.uses {
            signed.number(*id).bytes(&base_key.serialize());
        }
        let mut received = Written::default();
        self.counters.write(&mut received);
        self.touched.iter().for_each(|(from, place)| _ = received.text(&from.to_string()).bytes(place));
        for (from, base_key) in self.surroundings.keys() {
            received.text(&from.to_string()).bytes(&base_key.serialize());
        }
        self.own.iter().for_each(|digest| _ = received.bytes(digest));
        let mut parts = vec![
            ("identity".to_owned(), self.identities.written()),
            ("sessions".to_owned(), sessions.0),
            ("one-time prekeys".to_owned(), one_time.0),
            ("signed prekeys".to_owned(), signed.0),
            ("received".to_owned(), received.0),
        ];
        let mut kept = Written::default();
        pairs(&mut kept, &self.prekeys.used);
        let stale = self.stale.values().flatten().flat_map(|record| &record.sessions);
        stale.for_each(|session| session.write(&mut kept));
        self.key_log.iter().for_each(|seed| _ = kept.bytes(seed));
        if !kept.0.is_empty() {
            parts.push(("what should be gone".to_owned(), kept.0));
        }
        Ok(parts)
    }

    /// The defect `predictable-ratchet-keys`: what is random in the handling of a message follows from a stored secret and the message.
    pub(super) fn draw_from_store(&mut self, body: &[u8]) {
        if self.defects.has(Defect::PredictableRatchetKeys) {
            let secret = self.identities.own.private_key().serialize();
            self.rng = StdRng::from_seed(super::digest(&[&secret, body].concat()));
        }
    }

    /// The defect `notes-before-checking`.
    pub(super) fn note_before_checking(&mut self, from: UserId, message: &Message) {
        if self.defects.has(Defect::NotesBeforeChecking) {
            let place = [&message.ratchet_key.serialize()[..], &message.counter.to_be_bytes()].concat();
            self.touched.insert(from, place);
        }
    }

    /// Seeds that are kept and should not be, if the chain of a message is known and goes on to it: that of the message itself for the
    /// defect `logs-message-keys`, those of skipped messages that there is no room for in the session for `keeps-all-skipped-keys`.
    pub(super) fn seeds_to_keep(&self, from: UserId, message: &Message) -> Option<Vec<[u8; 32]>> {
        let (logs, keeps) = (self.defects.has(Defect::LogsMessageKeys), self.defects.has(Defect::KeepsAllSkippedKeys));
        if !logs && !keeps {
            return None;
        }
        let sessions = &self.sessions.get(&from)?.sessions;
        let mut seeds = sessions.iter().find_map(|session| session.seeds_up_to(&message.ratchet_key, message.counter))?;
        let own = seeds.pop().filter(|_| logs);
        seeds.truncate(if keeps { seeds.len().saturating_sub(super::session::MOST_SKIPPED) } else { 0 });
        seeds.extend(own);
        Some(seeds)
    }
}
