//! The state as a whole: copied, and written out as it is stored. See the contract's module `state`.
//!
//! What libsignal keeps, and what is therefore in here, of a user who does everything right: of each session the current state and up
//! to 40 archived ones; in each, up to 5 chains of the peer with the chain key of the *next* message, up to 2000 seeds of skipped
//! messages a chain, and the post-quantum ratchet's own chains, likewise with keys of skipped messages. Keys of messages that were
//! read are overwritten; an archived session stays readable until 40 newer ones push it out.

use super::super::written::Written;
use super::Vault;
use crate::defect::Defect;
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{GenericSignedPreKey as _, SignalMessage};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

impl Vault {
    /// A copy that goes its own way: with the same keys, and with randomness of its own.
    pub(crate) fn copy(&self) -> Self {
        Self { rng: StdRng::from_os_rng(), ..self.clone() }
    }

    /// Everything of it that is stored, in named parts.
    ///
    /// # Errors
    /// `internal` if libsignal cannot write a record.
    pub(crate) fn export(&self) -> Result<Vec<(String, Vec<u8>)>, Reason> {
        let internal = |_| Reason::Internal;
        let mut sessions = Written::default();
        for (peer, record) in &self.sessions.0 {
            sessions.text(peer).bytes(&record.serialize().map_err(internal)?);
        }
        let mut one_time = Written::default();
        for record in self.one_time.keys.values() {
            one_time.bytes(&record.serialize().map_err(internal)?);
        }
        let mut signed = Written::default();
        for record in self.signed.keys.values() {
            signed.bytes(&record.serialize().map_err(internal)?);
        }
        let mut kyber = Written::default();
        for record in self.kyber.keys.values() {
            kyber.bytes(&record.serialize().map_err(internal)?);
        }
        for (kyber_id, signed_id, base_key) in self.kyber.uses() {
            kyber.number(*kyber_id).number(*signed_id).bytes(base_key);
        }
        let mut received = Written::default();
        self.counters.write(&mut received);
        self.touched.iter().for_each(|(from, place)| _ = received.text(&from.to_string()).bytes(place));
        self.surroundings.keys().for_each(|(from, base_key)| _ = received.text(&from.to_string()).bytes(base_key));
        self.own.iter().for_each(|digest| _ = received.bytes(digest));
        let mut parts = vec![
            ("identity".to_owned(), self.identities.written()),
            ("sessions".to_owned(), sessions.0),
            ("one-time prekeys".to_owned(), one_time.0),
            ("signed prekeys".to_owned(), signed.0),
            ("Kyber prekeys".to_owned(), kyber.0),
            ("sender keys".to_owned(), self.groups.written()?),
            ("received".to_owned(), received.0),
        ];
        let mut kept = Written::default();
        for record in self.one_time.used.values() {
            kept.bytes(&record.serialize().map_err(internal)?);
        }
        for record in self.kyber.used.values() {
            kept.bytes(&record.serialize().map_err(internal)?);
        }
        for record in self.stale.values().flatten() {
            kept.bytes(&record.serialize().map_err(internal)?);
        }
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
    pub(super) fn note_before_checking(&mut self, from: UserId, message: &SignalMessage) {
        if self.defects.has(Defect::NotesBeforeChecking) {
            let ratchet_key = message.sender_ratchet_key().serialize();
            self.touched.insert(from, [&ratchet_key[..], &message.counter().to_be_bytes()].concat());
        }
    }

    /// Seeds that are kept and should not be, if the chain of a message is known and goes on to it: that of the message itself for the
    /// defect `logs-message-keys`, those of skipped messages that there is no room for in the session for `keeps-all-skipped-keys`.
    pub(super) fn seeds_to_keep(&self, from: UserId, message: &SignalMessage) -> Option<Vec<[u8; 32]>> {
        let (logs, keeps) = (self.defects.has(Defect::LogsMessageKeys), self.defects.has(Defect::KeepsAllSkippedKeys));
        if !logs && !keeps {
            return None;
        }
        let ratchet_key = message.sender_ratchet_key().serialize();
        let record = super::view::Record::of(self.sessions.0.get(&from.to_string())?)?;
        let chain = record.sessions().flat_map(|s| s.receiver_chains).find(|chain| chain.ratchet_key == *ratchet_key)?;
        let at = chain.chain_key?;
        let mut key: [u8; 32] = at.key.try_into().ok()?;
        let mut seeds = Vec::new();
        for _ in 0..message.counter().checked_sub(at.index)? {
            seeds.extend(super::super::classic::hmac(&key, &[&[1]]).ok().filter(|_| keeps));
            key = super::super::classic::hmac(&key, &[&[2]]).ok()?;
        }
        seeds.truncate(seeds.len().saturating_sub(super::open::MOST_SKIPPED));
        seeds.extend(super::super::classic::hmac(&key, &[&[1]]).ok().filter(|_| logs));
        Some(seeds)
    }
}
