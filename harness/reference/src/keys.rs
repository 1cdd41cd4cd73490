//! The keys of one installation of a user: made, published, renewed.

use crate::stores::{Identities, KyberPrekeys, OneTimePrekeys, SenderKeys, Sessions, SignedPrekeys};
use countersign_contract::Bytes;
use countersign_contract::portable::{MOST_PREKEYS, Prekey, PublishKeys, SignedKey};
use libsignal_protocol::{
    GenericSignedPreKey as _, IdentityKeyPair, KeyPair, KyberPreKeyRecord, PreKeyRecord, PrivateKey, SignedPreKeyRecord,
    Timestamp, kem,
};
use rand::Rng as _;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

/// Registration ids run from 1 to this.
const LARGEST_REGISTRATION_ID: u32 = 16_380;
/// Ids of prekeys start at random below this, so that two installations hardly ever share one, and stay within 24 bits.
const LARGEST_FIRST_ID: u32 = 0x7f_ffff;
/// Creation time in a prekey record. Nothing reads it, and there is no clock here.
const CREATED: Timestamp = Timestamp::from_epoch_millis(0);

/// All that an installation holds; a reinstallation replaces all of it.
#[derive(Clone)]
pub(crate) struct Installation {
    pub(crate) identities: Identities,
    pub(crate) sessions: Sessions,
    pub(crate) one_time: OneTimePrekeys,
    pub(crate) signed: SignedPrekeys,
    pub(crate) kyber: KyberPrekeys,
    /// The user's own for groups, and those of others.
    pub(crate) sender_keys: SenderKeys,
    /// What a full enlistment publishes.
    pub(crate) published: Published,
    next_one_time: u32,
    next_signed: u32,
    next_kyber: u32,
}

/// The public halves: the current signed prekeys, and the one-time ones whose private half is still there.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) signed: SignedKey,
    pub(crate) last_resort: SignedKey,
    pub(crate) one_time: BTreeMap<u32, Prekey>,
    pub(crate) one_time_kyber: BTreeMap<u32, SignedKey>,
}

impl Installation {
    /// Makes all keys of a new installation.
    pub(crate) fn new(one_time: u32, kyber_too: bool, rng: &mut ChaCha20Rng) -> Self {
        let own = IdentityKeyPair::generate(rng);
        let registration_id = rng.random_range(1..=LARGEST_REGISTRATION_ID);
        let none = SignedKey { id: 0, key: Bytes::default(), signature: Bytes::default() };
        let mut new = Self {
            identities: Identities { own, registration_id, known: BTreeMap::new() },
            sessions: Sessions::default(),
            one_time: OneTimePrekeys::default(),
            signed: SignedPrekeys::default(),
            kyber: KyberPrekeys::default(),
            sender_keys: SenderKeys::default(),
            published: Published {
                signed: none.clone(),
                last_resort: none,
                one_time: BTreeMap::new(),
                one_time_kyber: BTreeMap::new(),
            },
            next_one_time: rng.random_range(1..=LARGEST_FIRST_ID),
            next_signed: rng.random_range(1..=LARGEST_FIRST_ID),
            next_kyber: rng.random_range(1..=LARGEST_FIRST_ID),
        };
        new.renew_signed(rng);
        new.renew_last_resort(rng);
        new.add_one_time(one_time, kyber_too, rng);
        new
    }

    /// A new signed prekey; the former ones stay usable.
    pub(crate) fn renew_signed(&mut self, rng: &mut ChaCha20Rng) -> SignedKey {
        let id = take(&mut self.next_signed);
        let pair = KeyPair::generate(rng);
        let key = pair.public_key.serialize();
        let signature = sign(self.identities.own.private_key(), &key, rng);
        self.signed.0.insert(id, SignedPreKeyRecord::new(id.into(), CREATED, &pair, &signature));
        self.published.signed = SignedKey { id, key: Bytes(key.into_vec()), signature: Bytes(signature) };
        self.published.signed.clone()
    }

    /// A new last-resort Kyber prekey; the former ones stay usable.
    pub(crate) fn renew_last_resort(&mut self, rng: &mut ChaCha20Rng) -> SignedKey {
        let key = self.add_kyber(rng);
        self.kyber.last_resort.insert(key.id);
        self.published.last_resort = key.clone();
        key
    }

    /// Further one-time prekeys: no more than one request may publish.
    pub(crate) fn add_one_time(&mut self, count: u32, kyber_too: bool, rng: &mut ChaCha20Rng) -> PublishKeys {
        let count = count.min(u32::try_from(MOST_PREKEYS).unwrap_or(u32::MAX));
        let mut batch = PublishKeys::default();
        for _ in 0..count {
            let id = take(&mut self.next_one_time);
            let pair = KeyPair::generate(rng);
            self.one_time.0.insert(id, PreKeyRecord::new(id.into(), &pair));
            let public = Prekey { id, key: Bytes(pair.public_key.serialize().into_vec()) };
            self.published.one_time.insert(id, public.clone());
            batch.one_time_prekeys.push(public);
        }
        for _ in 0..if kyber_too { count } else { 0 } {
            let public = self.add_kyber(rng);
            self.published.one_time_kyber.insert(public.id, public.clone());
            batch.one_time_kyber_prekeys.push(public);
        }
        batch
    }

    fn add_kyber(&mut self, rng: &mut ChaCha20Rng) -> SignedKey {
        let id = take(&mut self.next_kyber);
        let pair = kem::KeyPair::generate(kem::KeyType::Kyber1024, rng);
        let key = pair.public_key.serialize();
        let signature = sign(self.identities.own.private_key(), &key, rng);
        // `KyberPreKeyRecord::generate` would ask the operating system for randomness and for the time.
        self.kyber.records.insert(id, KyberPreKeyRecord::new(id.into(), CREATED, &pair, &signature));
        SignedKey { id, key: Bytes(key.into_vec()), signature: Bytes(signature) }
    }

    /// Drops the public halves of one-time prekeys that were used.
    pub(crate) fn forget_used(&mut self) {
        self.published.one_time.retain(|id, _| self.one_time.0.contains_key(id));
        self.published.one_time_kyber.retain(|id, _| self.kyber.records.contains_key(id));
    }
}

fn take(next: &mut u32) -> u32 {
    let id = *next;
    *next = next.wrapping_add(1).max(1);
    id
}

/// An XEdDSA signature, 64 bytes. Signing cannot fail for the one key type there is; if a later version of the library adds a
/// failure, the signature is empty, and an empty signature is valid for nobody.
pub(crate) fn sign(key: &PrivateKey, bytes: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
    key.calculate_signature(bytes, rng).map(<[u8]>::into_vec).unwrap_or_default()
}
