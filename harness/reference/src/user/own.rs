//! Our own stack, which can be told to misbehave.

use super::library::ParsedBundle;
use super::stack::{Made, Plain, PublicKeys, Speaker};
use super::store_name;
use crate::points;
use crate::refusal::Refusal;
use crate::stores::Known;
use crate::wire::Message;
use countersign_adversary::{Alteration, Bundle, Config, MessageSecret, Party, WireProfile};
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{KeyBundle, MOST_PREKEYS, MessageType, PublishKeys, SignedKey};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::IdentityKey;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

/// An installation on our own stack.
#[derive(Clone)]
pub(crate) struct Own {
    pub(super) party: Party,
    known: BTreeMap<String, Known>,
}

impl Own {
    /// Makes all keys of a new installation.
    pub(crate) fn new(profile: WireProfile, one_time: u32, kyber_too: bool, rng: &mut ChaCha20Rng) -> Self {
        let mut new = Self { party: Party::new(Config::new(profile), rng), known: BTreeMap::new() };
        new.add_one_time(one_time, kyber_too, rng);
        new
    }

    pub(super) const fn party(&self) -> &Party {
        &self.party
    }

    fn profile(&self) -> WireProfile {
        self.party.config().profile
    }
}

impl Speaker for Own {
    fn version(&self) -> Option<u8> {
        // A session may be one of another version on purpose; the stack itself refuses what is neither.
        None
    }

    fn identity(&self) -> Result<IdentityKey, Refusal> {
        points::curve(&self.party.identity_key(), "own identity key").map(IdentityKey::new)
    }

    fn public_keys(&self) -> PublicKeys {
        PublicKeys {
            registration_id: self.party.registration_id(),
            signed: self.party.signed_prekey(),
            last_resort: self.party.kyber_prekey(),
            one_time: self.party.one_time_prekeys(),
            one_time_kyber: self.party.one_time_kyber_prekeys(),
        }
    }

    fn add_one_time(&mut self, count: u32, kyber_too: bool, rng: &mut ChaCha20Rng) -> PublishKeys {
        let count = count.min(u32::try_from(MOST_PREKEYS).unwrap_or(u32::MAX));
        self.party.add_one_time(count, if kyber_too { count } else { 0 }, rng)
    }

    fn renew_signed(&mut self, rng: &mut ChaCha20Rng) -> SignedKey {
        self.party.renew_signed_prekey(rng)
    }

    fn renew_last_resort(&mut self, rng: &mut ChaCha20Rng) -> Option<SignedKey> {
        self.party.renew_kyber_prekey(rng)
    }

    fn sign(&self, bytes: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
        self.party.sign(bytes, rng).to_vec()
    }

    fn known(&self) -> &BTreeMap<String, Known> {
        &self.known
    }

    fn known_mut(&mut self) -> &mut BTreeMap<String, Known> {
        &mut self.known
    }

    fn session_identity(&self, peer: UserId) -> Option<Vec<u8>> {
        self.party.session_identity(&store_name(peer)).map(|key| key.to_vec())
    }

    fn reset_session(&mut self, peer: UserId) {
        self.party.reset_session(&store_name(peer));
    }

    fn needs_kyber(&self) -> bool {
        self.profile().has_kyber()
    }

    fn set_up(
        &mut self,
        bundle: &KeyBundle,
        parsed: &ParsedBundle,
        alterations: &[Alteration],
        _now_ms: u64,
        rng: &mut ChaCha20Rng,
    ) -> Result<(), Refusal> {
        let name = store_name(bundle.user);
        let keys = Bundle {
            registration_id: bundle.registration_id,
            identity_key: bundle.identity_key.clone(),
            signed_prekey: bundle.signed_prekey.clone(),
            one_time_prekey: bundle.one_time_prekey.clone(),
            kyber_prekey: bundle.kyber_prekey.clone(),
        };
        self.party.process_bundle(&name, &keys, alterations, rng)?;
        self.known.entry(name).or_insert(Known { trusted: parsed.identity, newest: parsed.identity });
        Ok(())
    }

    fn last_secrets(&self, peer: UserId) -> Vec<(MessageSecret, [u8; 32])> {
        self.party.last_secrets(&store_name(peer)).collect()
    }

    fn private_keys(&self) -> Option<ImportedKeys> {
        self.party.private_keys()
    }

    fn encrypt(
        &mut self,
        to: UserId,
        padded: &[u8],
        alterations: &[Alteration],
        _now_ms: u64,
        rng: &mut ChaCha20Rng,
    ) -> Result<Made, Refusal> {
        let name = store_name(to);
        let (kind, body) = self.party.encrypt(&name, padded, alterations, rng)?;
        let ratchet_key = self.party.ratchet_key(&name).map(|key| key.to_vec()).unwrap_or_default();
        Ok(Made { kind, ratchet_key, body })
    }

    fn open(
        &mut self,
        from: UserId,
        _message: &Message<'_>,
        kind: MessageType,
        body: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Plain, Refusal> {
        let name = store_name(from);
        let opening = self.party.open(&name, kind, body, rng)?;
        let opened = opening.opened.clone();
        let identity = IdentityKey::decode(&opened.identity).map_err(|error| Refusal::new(Reason::BadKey, error))?;
        self.party.keep(opening);
        let before = self.known.get(&name).copied();
        // A late message of a session under a former identity key must not bring that key back.
        let newest = before.filter(|_| !opened.starts_session).map_or(identity, |known| known.newest);
        self.known.entry(name).or_insert(Known { trusted: newest, newest }).newest = newest;
        Ok(Plain {
            padded: opened.plaintext,
            used_one_time_prekey: opened.used_one_time_prekey,
            identity_changed: before.is_some_and(|known| known.newest != newest),
        })
    }
}
