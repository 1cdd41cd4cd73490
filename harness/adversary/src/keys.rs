//! A party's own prekeys: made, published, imported, used up.

use crate::curve::{KeyPair, PublicKey};
use crate::kem::KyberPair;
use crate::refusal::Refusal;
use countersign_contract::operations::{ImportedKeys, ImportedKyberPrekey, ImportedPrekey, ImportedSignedPrekey};
use countersign_contract::portable::{Prekey, SignedKey};
use countersign_contract::{Bytes, Reason};
use rand::{CryptoRng, Rng as _};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Registration ids run from 1 to this.
const LARGEST_REGISTRATION_ID: u32 = 16_380;
/// Ids of prekeys start at random below this, so that two installations hardly ever share one, and stay within 24 bits.
const LARGEST_FIRST_ID: u32 = 0x7f_ffff;

/// The identity and all prekeys of one installation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) identity: KeyPair,
    pub(crate) registration_id: u32,
    one_time: BTreeMap<u32, KeyPair>,
    signed: BTreeMap<u32, SignedPair<KeyPair>>,
    kyber: BTreeMap<u32, SignedPair<KyberPair>>,
    /// The signed prekey that is published; the former ones stay usable.
    current_signed: u32,
    /// The last-resort Kyber prekey that is published, where there is one.
    current_kyber: Option<u32>,
    last_resort: BTreeSet<u32>,
    /// Each use of a last-resort Kyber prekey: its id, that of the signed prekey, the base key.
    uses: BTreeSet<(u32, u32, PublicKey)>,
    next_one_time: u32,
    next_signed: u32,
    next_kyber: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SignedPair<P> {
    pair: P,
    signature: Bytes,
}

/// The prekeys that a message used, to be forgotten once it proved genuine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) one_time: Option<u32>,
    pub(crate) signed: u32,
    pub(crate) kyber: Option<u32>,
    pub(crate) base_key: PublicKey,
}

impl Keys {
    pub(crate) fn new<R: CryptoRng + ?Sized>(has_kyber: bool, rng: &mut R) -> Self {
        let identity = KeyPair::generate(rng);
        let registration_id = rng.random_range(1..=LARGEST_REGISTRATION_ID);
        let mut new = Self::empty(identity, registration_id);
        new.next_one_time = rng.random_range(1..=LARGEST_FIRST_ID);
        new.next_signed = rng.random_range(1..=LARGEST_FIRST_ID);
        new.next_kyber = rng.random_range(1..=LARGEST_FIRST_ID);
        new.renew_signed(rng);
        if has_kyber {
            new.renew_last_resort(rng);
        }
        new
    }

    fn empty(identity: KeyPair, registration_id: u32) -> Self {
        Self {
            identity,
            registration_id,
            one_time: BTreeMap::new(),
            signed: BTreeMap::new(),
            kyber: BTreeMap::new(),
            current_signed: 0,
            current_kyber: None,
            last_resort: BTreeSet::new(),
            uses: BTreeSet::new(),
            next_one_time: 1,
            next_signed: 1,
            next_kyber: 1,
        }
    }

    /// # Errors
    /// `bad-key` if a key is of the wrong length or a Kyber key's halves do not belong together. Signatures are taken as they are:
    /// a test may want a wrong one published.
    pub(crate) fn import<R: CryptoRng + ?Sized>(keys: &ImportedKeys, rng: &mut R) -> Result<Self, Refusal> {
        let identity = KeyPair::from_private(private(&keys.identity_private, "identity key")?);
        let mut new = Self::empty(identity, keys.registration_id);
        let ImportedSignedPrekey { id, private: key, signature } = &keys.signed_prekey;
        let pair = KeyPair::from_private(private(key, "signed prekey")?);
        new.signed.insert(*id, SignedPair { pair, signature: signature.clone() });
        new.current_signed = *id;
        new.current_kyber = keys.kyber_prekey.as_ref().map(|key| key.id);
        new.last_resort.extend(new.current_kyber);
        for key in keys.kyber_prekey.iter().chain(&keys.one_time_kyber_prekeys) {
            let pair = KyberPair::import(&key.private.0, &key.public.0, rng)?;
            new.kyber.insert(key.id, SignedPair { pair, signature: key.signature.clone() });
        }
        for key in &keys.one_time_prekeys {
            new.one_time.insert(key.id, KeyPair::from_private(private(&key.private, "one-time prekey")?));
        }
        new.next_one_time = after(new.one_time.keys());
        new.next_signed = after(new.signed.keys());
        new.next_kyber = after(new.kyber.keys());
        Ok(new)
    }

    /// All of them, as a candidate imports them.
    pub(crate) fn export(&self) -> Option<ImportedKeys> {
        let kyber = |id: &u32| {
            let SignedPair { pair, signature } = self.kyber.get(id)?;
            let (public, private) = (pair.public.clone(), pair.private_bytes());
            Some(ImportedKyberPrekey { id: *id, public, private, signature: signature.clone() })
        };
        let SignedPair { pair, signature } = self.signed.get(&self.current_signed)?;
        let one_time = |(id, pair): (&u32, &KeyPair)| ImportedPrekey { id: *id, private: Bytes(pair.private_bytes().to_vec()) };
        Some(ImportedKeys {
            registration_id: self.registration_id,
            identity_private: Bytes(self.identity.private_bytes().to_vec()),
            signed_prekey: ImportedSignedPrekey {
                id: self.current_signed,
                private: Bytes(pair.private_bytes().to_vec()),
                signature: signature.clone(),
            },
            kyber_prekey: self.current_kyber.as_ref().and_then(kyber),
            one_time_prekeys: self.one_time.iter().map(one_time).collect(),
            one_time_kyber_prekeys: self.kyber.keys().filter(|id| !self.last_resort.contains(id)).filter_map(kyber).collect(),
        })
    }

    pub(crate) fn renew_signed<R: CryptoRng + ?Sized>(&mut self, rng: &mut R) {
        let id = take(&mut self.next_signed);
        let pair = KeyPair::generate(rng);
        let signature = Bytes(self.identity.sign(&pair.public.serialized(), rng).to_vec());
        self.signed.insert(id, SignedPair { pair, signature });
        self.current_signed = id;
    }

    pub(crate) fn renew_last_resort<R: CryptoRng + ?Sized>(&mut self, rng: &mut R) {
        let id = self.add_kyber(rng);
        self.last_resort.insert(id);
        self.current_kyber = Some(id);
    }

    pub(crate) fn add_one_time<R: CryptoRng + ?Sized>(&mut self, rng: &mut R) -> Prekey {
        let id = take(&mut self.next_one_time);
        let pair = KeyPair::generate(rng);
        self.one_time.insert(id, pair);
        Prekey { id, key: Bytes(pair.public.serialized().to_vec()) }
    }

    pub(crate) fn add_one_time_kyber<R: CryptoRng + ?Sized>(&mut self, rng: &mut R) -> Option<SignedKey> {
        let id = self.add_kyber(rng);
        self.public_kyber(id)
    }

    fn add_kyber<R: CryptoRng + ?Sized>(&mut self, rng: &mut R) -> u32 {
        let id = take(&mut self.next_kyber);
        let pair = KyberPair::generate(rng);
        let signature = Bytes(self.identity.sign(&pair.public.0, rng).to_vec());
        self.kyber.insert(id, SignedPair { pair, signature });
        id
    }

    /// The signed prekey in use. There always is one.
    pub(crate) fn public_signed(&self) -> Option<SignedKey> {
        let SignedPair { pair, signature } = self.signed.get(&self.current_signed)?;
        Some(SignedKey { id: self.current_signed, key: Bytes(pair.public.serialized().to_vec()), signature: signature.clone() })
    }

    pub(crate) fn public_last_resort(&self) -> Option<SignedKey> {
        self.public_kyber(self.current_kyber?)
    }

    fn public_kyber(&self, id: u32) -> Option<SignedKey> {
        let SignedPair { pair, signature } = self.kyber.get(&id)?;
        Some(SignedKey { id, key: pair.public.clone(), signature: signature.clone() })
    }

    pub(crate) fn public_one_time(&self) -> impl Iterator<Item = Prekey> + '_ {
        self.one_time.iter().map(|(id, pair)| Prekey { id: *id, key: Bytes(pair.public.serialized().to_vec()) })
    }

    pub(crate) fn public_one_time_kyber(&self) -> impl Iterator<Item = SignedKey> + '_ {
        self.kyber.keys().filter(|id| !self.last_resort.contains(id)).filter_map(|id| self.public_kyber(*id))
    }

    pub(crate) fn one_time(&self, id: u32) -> Result<&KeyPair, Refusal> {
        self.one_time.get(&id).ok_or_else(|| unknown("one-time prekey", id))
    }

    pub(crate) fn signed(&self, id: u32) -> Result<&KeyPair, Refusal> {
        self.signed.get(&id).map(|signed| &signed.pair).ok_or_else(|| unknown("signed prekey", id))
    }

    pub(crate) fn kyber(&self, id: u32) -> Result<&KyberPair, Refusal> {
        self.kyber.get(&id).map(|signed| &signed.pair).ok_or_else(|| unknown("Kyber prekey", id))
    }

    /// # Errors
    /// `duplicate` if a last-resort Kyber prekey was used before with the same signed prekey and base key: such a message is a
    /// repetition, even where the session that it made is forgotten.
    pub(crate) fn check_use(&self, used: &Used) -> Result<(), Refusal> {
        match used.kyber {
            Some(id) if self.uses.contains(&(id, used.signed, used.base_key)) => Err(Refusal::new(
                Reason::Duplicate,
                "the same last-resort Kyber prekey was used before with the same signed prekey and base key",
            )),
            _ => Ok(()),
        }
    }

    /// One-time prekeys are gone once used; of last-resort ones each use is remembered.
    pub(crate) fn mark_used(&mut self, used: &Used) {
        if let Some(id) = used.one_time {
            self.one_time.remove(&id);
        }
        if let Some(id) = used.kyber {
            if self.last_resort.contains(&id) {
                self.uses.insert((id, used.signed, used.base_key));
            } else {
                self.kyber.remove(&id);
            }
        }
    }
}

fn private(bytes: &Bytes, what: &str) -> Result<[u8; 32], Refusal> {
    let wrong = |_| Refusal::new(Reason::BadKey, format!("{what}: a private key of {} bytes in place of 32", bytes.0.len()));
    bytes.0[..].try_into().map_err(wrong)
}

fn unknown(what: &str, id: u32) -> Refusal {
    Refusal::new(Reason::UnknownPrekey, format!("no {what} {id}"))
}

fn take(next: &mut u32) -> u32 {
    let id = *next;
    *next = next.wrapping_add(1).max(1);
    id
}

fn after<'a>(ids: impl Iterator<Item = &'a u32>) -> u32 {
    ids.max().map_or(1, |id| id.wrapping_add(1).max(1))
}
