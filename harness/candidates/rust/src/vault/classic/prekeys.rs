//! A user's prekeys: made, imported, published, backed up and deleted.

use super::super::identities::Identities;
use super::super::ids::Ids;
use super::super::imported::{identity, key_pair, signature};
use super::Vault;
use crate::defect::Defect;
use countersign_contract::Reason;
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{Enlist, Prekey, PublishKeys, SignedKey};
use libsignal_protocol::{IdentityKeyPair, KeyPair, PublicKey};
use std::collections::{BTreeMap, BTreeSet};

/// A week in milliseconds.
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// The prekeys that a user holds.
#[derive(Clone, Default)]
pub(super) struct Prekeys {
    pub(super) one_time: BTreeMap<u32, KeyPair>,
    /// Where defective clients keep what they should delete.
    pub(super) used: BTreeMap<u32, KeyPair>,
    /// The current signed prekey and those before it.
    pub(super) signed: BTreeMap<u32, KeyPair>,
    pub(super) current: u32,
    /// Signed prekeys and base keys of first messages that used no one-time prekey: X3DH leaves it to the receiver to know such a
    /// message again once its session is forgotten.
    pub(super) uses: BTreeSet<(u32, PublicKey)>,
    /// Signed prekeys that were replaced, and when: for the defect `forgets-prekeys-after-a-week`.
    replaced: Vec<(u32, u64)>,
}

impl Prekeys {
    /// A signed prekey by its id; one defect makes do with another.
    pub(super) fn signed(&self, id: u32, falls_back: bool) -> Option<KeyPair> {
        let fallback = || if falls_back { self.signed.get(&self.current) } else { None };
        self.signed.get(&id).or_else(fallback).copied()
    }
}

/// What a backup of the keys holds.
pub(crate) struct Backup {
    own: IdentityKeyPair,
    registration_id: u32,
    prekeys: Prekeys,
    ids: Ids,
}

impl Vault {
    /// Everything that enlistment publishes; see [`super::super::Vault::enlist`].
    pub(crate) fn enlist(&mut self, count: u32, _clock: u64) -> Result<Enlist, Reason> {
        let signed_prekey = self.new_signed_prekey()?;
        let one_time_prekeys = self.new_batch(count);
        Ok(self.enlistment(signed_prekey, one_time_prekeys))
    }

    /// Takes these keys in place of its own; see [`super::super::Vault::import`].
    pub(crate) fn import(&mut self, keys: &ImportedKeys, _clock: u64) -> Result<Enlist, Reason> {
        if keys.kyber_prekey.is_some() || !keys.one_time_kyber_prekeys.is_empty() {
            return Err(Reason::Malformed);
        }
        let own = identity(keys.identity_private.as_ref())?;
        let signed = key_pair(keys.signed_prekey.private.as_ref())?;
        signature(keys.signed_prekey.signature.as_ref())?;
        let mut one_time = BTreeMap::new();
        let mut one_time_prekeys = Vec::new();
        for prekey in &keys.one_time_prekeys {
            let pair = key_pair(prekey.private.as_ref())?;
            one_time_prekeys.push(Prekey { id: prekey.id, key: bytes_of(&pair).into() });
            if one_time.insert(prekey.id, pair).is_some() {
                return Err(Reason::Malformed);
            }
        }

        let id = keys.signed_prekey.id;
        (self.identities.own, self.identities.registration_id) = (own, keys.registration_id);
        self.ids.start_after(one_time.keys().copied().chain([id]));
        self.prekeys = Prekeys { one_time, signed: BTreeMap::from([(id, signed)]), current: id, ..Prekeys::default() };
        let signature = keys.signed_prekey.signature.clone();
        Ok(self.enlistment(SignedKey { id, key: bytes_of(&signed).into(), signature }, one_time_prekeys))
    }

    /// New keys of the kinds asked for. Older signed prekeys stay, for messages that are under way.
    pub(crate) fn rotate(&mut self, signed: bool, count: u32, clock: u64) -> Result<PublishKeys, Reason> {
        if signed && self.defects.has(Defect::DropsOneTimePrekeysOnRotation) {
            self.prekeys.one_time.clear();
        }
        let mut keys = PublishKeys { one_time_prekeys: self.new_batch(count), ..PublishKeys::default() };
        if signed {
            let old = self.prekeys.current;
            self.prekeys.replaced.push((old, clock));
            keys.signed_prekey = Some(self.new_signed_prekey()?);
            if self.defects.has(Defect::DeletesOldSignedPrekeyAtOnce) {
                self.prekeys.signed.remove(&old);
            }
        }
        Ok(keys)
    }

    /// Copies the keys as they are.
    pub(crate) fn back_up(&self) -> Backup {
        let Identities { own, registration_id, .. } = self.identities;
        Backup { own, registration_id, prekeys: self.prekeys.clone(), ids: self.ids.clone() }
    }

    /// Takes the keys of a backup in place of its own.
    pub(crate) fn restore(&mut self, backup: Backup) {
        (self.identities.own, self.identities.registration_id) = (backup.own, backup.registration_id);
        (self.prekeys, self.ids) = (backup.prekeys, backup.ids);
    }

    /// For the defect `refills-by-own-count`.
    pub(crate) fn one_time_prekeys_left(&self) -> usize {
        self.prekeys.one_time.len()
    }

    /// For the defect `loses-skipped-keys-on-return`.
    pub(crate) fn lose_skipped(&mut self) {
        self.counters.lose_skipped();
    }

    /// Deletes prekeys that were replaced a week ago.
    pub(crate) fn forget_replaced(&mut self, clock: u64) {
        for (id, at) in &self.prekeys.replaced {
            if clock.saturating_sub(*at) >= WEEK_MS {
                self.prekeys.signed.remove(id);
            }
        }
    }

    fn enlistment(&self, signed_prekey: SignedKey, one_time_prekeys: Vec<Prekey>) -> Enlist {
        Enlist {
            user: self.user,
            registration_id: self.identities.registration_id,
            identity_key: self.identity_key().into(),
            signed_prekey,
            kyber_prekey: None,
            one_time_prekeys,
            one_time_kyber_prekeys: Vec::new(),
        }
    }

    fn new_batch(&mut self, count: u32) -> Vec<Prekey> {
        self.ids.begin_batch(count, self.defects.as_ref());
        let mut batch = Vec::new();
        for _ in 0..count {
            let (id, pair) = (self.ids.fresh(), KeyPair::generate(&mut self.rng));
            self.prekeys.one_time.insert(id, pair);
            batch.push(Prekey { id, key: bytes_of(&pair).into() });
        }
        batch
    }

    pub(crate) fn sign(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Reason> {
        let signature = self.identities.own.private_key().calculate_signature(bytes, &mut self.rng);
        signature.map(Vec::from).map_err(|_| Reason::Internal)
    }

    fn new_signed_prekey(&mut self) -> Result<SignedKey, Reason> {
        let (id, pair) = (self.ids.fresh(), KeyPair::generate(&mut self.rng));
        let key = bytes_of(&pair);
        let signature = self.sign(&key)?;
        self.prekeys.signed.insert(id, pair);
        self.prekeys.current = id;
        Ok(SignedKey { id, key: key.into(), signature: signature.into() })
    }
}

fn bytes_of(pair: &KeyPair) -> Vec<u8> {
    pair.public_key.serialize().into_vec()
}
