//! Making keys for the gateway's directory.

use super::Vault;
use crate::defect::Defect;
use countersign_contract::Reason;
use countersign_contract::portable::{Enlist, Prekey, PublishKeys, SignedKey};
use libsignal_protocol::{
    GenericSignedPreKey as _, KeyPair, KyberPreKeyRecord, PreKeyRecord, SignedPreKeyRecord, Timestamp, kem,
};

impl Vault {
    /// Everything that enlistment publishes, with `count` one-time prekeys of each kind. `clock` is in milliseconds.
    ///
    /// # Errors
    /// `internal` if libsignal cannot sign.
    pub(crate) fn enlist(&mut self, count: u32, clock: u64) -> Result<Enlist, Reason> {
        let signed_prekey = self.new_signed_prekey(clock)?;
        let kyber_prekey = self.new_kyber_prekey(false, clock)?;
        let batch = self.new_batch(count, clock)?;
        Ok(Enlist {
            user: self.user,
            registration_id: self.identities.registration_id,
            identity_key: self.identity_key().into(),
            signed_prekey,
            kyber_prekey: Some(kyber_prekey),
            one_time_prekeys: batch.one_time_prekeys,
            one_time_kyber_prekeys: batch.one_time_kyber_prekeys,
        })
    }

    /// New keys of the kinds asked for. Older signed and last-resort prekeys stay, for messages that are under way.
    ///
    /// # Errors
    /// `internal` if libsignal cannot sign.
    pub(crate) fn rotate(&mut self, signed: bool, kyber: bool, count: u32, clock: u64) -> Result<PublishKeys, Reason> {
        if signed && self.defects.has(Defect::DropsOneTimePrekeysOnRotation) {
            self.one_time.keys.clear();
        }
        let mut keys = self.new_batch(count, clock)?;
        if signed {
            let old = self.signed.current;
            self.replaced.push((old, clock));
            keys.signed_prekey = Some(self.new_signed_prekey(clock)?);
            if self.defects.has(Defect::DeletesOldSignedPrekeyAtOnce) {
                self.signed.keys.remove(&old);
            }
        }
        if kyber {
            let old: Vec<u32> = self.kyber.keys.keys().copied().filter(|id| !self.kyber.one_time.contains(id)).collect();
            self.replaced.extend(old.iter().map(|id| (*id, clock)));
            let alone = !signed && self.defects.has(Defect::KeepsOldLastResortWithSignedOnly);
            if alone || self.defects.has(Defect::DeletesOldLastResortAtOnce) {
                self.kyber.keys.retain(|id, _| !old.contains(id));
            }
            keys.kyber_prekey = Some(self.new_kyber_prekey(false, clock)?);
        }
        Ok(keys)
    }

    fn new_batch(&mut self, count: u32, clock: u64) -> Result<PublishKeys, Reason> {
        self.ids.begin_batch(count, self.defects.as_ref());
        let mut batch = PublishKeys::default();
        for _ in 0..count {
            let id = self.ids.fresh();
            let pair = KeyPair::generate(&mut self.rng);
            self.one_time.keys.insert(id, PreKeyRecord::new(id.into(), &pair));
            batch.one_time_prekeys.push(Prekey { id, key: pair.public_key.serialize().into_vec().into() });
            batch.one_time_kyber_prekeys.push(self.new_kyber_prekey(true, clock)?);
        }
        Ok(batch)
    }

    fn new_signed_prekey(&mut self, clock: u64) -> Result<SignedKey, Reason> {
        let id = self.ids.fresh();
        let pair = KeyPair::generate(&mut self.rng);
        let key = pair.public_key.serialize();
        let signature = self.sign(&key)?;
        let record = SignedPreKeyRecord::new(id.into(), Timestamp::from_epoch_millis(clock), &pair, &signature);
        self.signed.keys.insert(id, record);
        self.signed.current = id;
        Ok(SignedKey { id, key: key.into_vec().into(), signature: signature.into() })
    }

    fn new_kyber_prekey(&mut self, one_time: bool, clock: u64) -> Result<SignedKey, Reason> {
        let id = self.ids.fresh();
        let pair = kem::KeyPair::generate(kem::KeyType::Kyber1024, &mut self.rng);
        let key = pair.public_key.serialize();
        let signature = self.sign(&key)?;
        let record = KyberPreKeyRecord::new(id.into(), Timestamp::from_epoch_millis(clock), &pair, &signature);
        self.kyber.keys.insert(id, record);
        if one_time {
            self.kyber.one_time.insert(id);
        }
        Ok(SignedKey { id, key: key.into_vec().into(), signature: signature.into() })
    }

    pub(crate) fn sign(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Reason> {
        let signature = self.identities.own.private_key().calculate_signature(bytes, &mut self.rng);
        signature.map(Vec::from).map_err(|_| Reason::Internal)
    }
}
