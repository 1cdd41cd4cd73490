//! A party's keys, as it publishes them.

use super::Party;
use crate::bundle::Bundle;
use crate::curve::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES};
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{Enlist, MOST_PREKEYS, Prekey, PublishKeys, SignedKey};
use countersign_contract::{Bytes, UserId};
use rand::CryptoRng;

impl Party {
    /// Registration id, 1 to 16380 unless it was imported.
    #[must_use]
    pub fn registration_id(&self) -> u32 {
        self.keys.registration_id
    }

    /// Identity key, 33 bytes.
    #[must_use]
    pub fn identity_key(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.keys.identity.public.serialized()
    }

    /// The signed prekey in use.
    #[must_use]
    pub fn signed_prekey(&self) -> SignedKey {
        let none = || SignedKey { id: 0, key: Bytes::default(), signature: Bytes::default() };
        self.keys.public_signed().unwrap_or_else(none)
    }

    /// The last-resort Kyber prekey in use; none in the profile v3.
    #[must_use]
    pub fn kyber_prekey(&self) -> Option<SignedKey> {
        self.keys.public_last_resort()
    }

    /// The one-time EC prekeys that are not used up.
    #[must_use]
    pub fn one_time_prekeys(&self) -> Vec<Prekey> {
        self.keys.public_one_time().collect()
    }

    /// The one-time Kyber prekeys that are not used up.
    #[must_use]
    pub fn one_time_kyber_prekeys(&self) -> Vec<SignedKey> {
        self.keys.public_one_time_kyber().collect()
    }

    /// The private halves of all of them, so that somebody else can enlist with these keys: a test user, whose keys protect nothing.
    #[must_use]
    pub fn private_keys(&self) -> Option<ImportedKeys> {
        self.keys.export()
    }

    /// What the party enlists with: its current signed prekeys and the one-time prekeys that are not used up, 100 of a kind at most.
    #[must_use]
    pub fn enlistment(&self, user: UserId) -> Enlist {
        Enlist {
            user,
            registration_id: self.registration_id(),
            identity_key: Bytes(self.identity_key().to_vec()),
            signed_prekey: self.signed_prekey(),
            kyber_prekey: self.kyber_prekey(),
            one_time_prekeys: self.keys.public_one_time().take(MOST_PREKEYS).collect(),
            one_time_kyber_prekeys: self.keys.public_one_time_kyber().take(MOST_PREKEYS).collect(),
        }
    }

    /// A bundle of the party's own, as a server would put it together; the prekeys handed out are up to the caller.
    #[must_use]
    pub fn bundle(&self, one_time: Option<Prekey>, one_time_kyber: Option<SignedKey>) -> Bundle {
        Bundle {
            registration_id: self.registration_id(),
            identity_key: Bytes(self.identity_key().to_vec()),
            signed_prekey: self.signed_prekey(),
            one_time_prekey: one_time,
            kyber_prekey: one_time_kyber.or_else(|| self.kyber_prekey()),
        }
    }

    /// A new signed prekey; the former ones stay usable.
    pub fn renew_signed_prekey<R: CryptoRng + ?Sized>(&mut self, rng: &mut R) -> SignedKey {
        self.keys.renew_signed(rng);
        self.signed_prekey()
    }

    /// A new last-resort Kyber prekey, where the profile has one; the former ones stay usable.
    pub fn renew_kyber_prekey<R: CryptoRng + ?Sized>(&mut self, rng: &mut R) -> Option<SignedKey> {
        if self.config.profile.has_kyber() {
            self.keys.renew_last_resort(rng);
        }
        self.kyber_prekey()
    }

    /// Further one-time prekeys: `count` EC ones, and `kyber` Kyber ones where the profile has those.
    pub fn add_one_time<R: CryptoRng + ?Sized>(&mut self, count: u32, kyber: u32, rng: &mut R) -> PublishKeys {
        let kyber = if self.config.profile.has_kyber() { kyber } else { 0 };
        PublishKeys {
            one_time_prekeys: (0..count).map(|_| self.keys.add_one_time(rng)).collect(),
            one_time_kyber_prekeys: (0..kyber).filter_map(|_| self.keys.add_one_time_kyber(rng)).collect(),
            ..PublishKeys::default()
        }
    }

    /// An XEdDSA signature by the identity key.
    pub fn sign<R: CryptoRng + ?Sized>(&self, message: &[u8], rng: &mut R) -> [u8; SIGNATURE_BYTES] {
        self.keys.identity.sign(message, rng)
    }
}
