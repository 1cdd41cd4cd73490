//! Enlisting with keys that somebody else made.

use super::super::imported::{identity, key_pair, signature};
use super::Vault;
use countersign_contract::Reason;
use countersign_contract::operations::{ImportedKeys, ImportedKyberPrekey};
use countersign_contract::portable::{Enlist, Prekey, SignedKey};
use libsignal_protocol::{GenericSignedPreKey as _, KyberPreKeyRecord, PreKeyRecord, SignedPreKeyRecord, Timestamp, kem};
use std::collections::{BTreeMap, BTreeSet};

impl Vault {
    /// Takes these keys in place of its own; see [`super::super::Vault::import`].
    pub(crate) fn import(&mut self, keys: &ImportedKeys, clock: u64) -> Result<Enlist, Reason> {
        let made = Timestamp::from_epoch_millis(clock);
        let identity = identity(keys.identity_private.as_ref())?;
        let last_resort = keys.kyber_prekey.as_ref().ok_or(Reason::Malformed)?;

        let signed = key_pair(keys.signed_prekey.private.as_ref())?;
        let signature = signature(keys.signed_prekey.signature.as_ref())?;
        let signed_record = SignedPreKeyRecord::new(keys.signed_prekey.id.into(), made, &signed, signature);
        let signed_prekey = SignedKey {
            id: keys.signed_prekey.id,
            key: signed.public_key.serialize().into_vec().into(),
            signature: keys.signed_prekey.signature.clone(),
        };

        let mut one_time = BTreeMap::new();
        let mut one_time_prekeys = Vec::new();
        for prekey in &keys.one_time_prekeys {
            let pair = key_pair(prekey.private.as_ref())?;
            one_time_prekeys.push(Prekey { id: prekey.id, key: pair.public_key.serialize().into_vec().into() });
            if one_time.insert(prekey.id, PreKeyRecord::new(prekey.id.into(), &pair)).is_some() {
                return Err(Reason::Malformed);
            }
        }

        let mut kyber = BTreeMap::from([(last_resort.id, kyber_record(last_resort, made)?)]);
        for prekey in &keys.one_time_kyber_prekeys {
            if kyber.insert(prekey.id, kyber_record(prekey, made)?).is_some() {
                return Err(Reason::Malformed);
            }
        }

        self.identities.own = identity;
        self.identities.registration_id = keys.registration_id;
        self.signed.keys = BTreeMap::from([(keys.signed_prekey.id, signed_record)]);
        self.signed.current = keys.signed_prekey.id;
        self.ids.start_after(kyber.keys().chain(one_time.keys()).copied().chain([keys.signed_prekey.id]));
        self.one_time.keys = one_time;
        self.kyber.keys = kyber;
        self.kyber.one_time = keys.one_time_kyber_prekeys.iter().map(|prekey| prekey.id).collect::<BTreeSet<_>>();
        Ok(Enlist {
            user: self.user,
            registration_id: keys.registration_id,
            identity_key: self.identity_key().into(),
            signed_prekey,
            kyber_prekey: Some(published(last_resort)),
            one_time_prekeys,
            one_time_kyber_prekeys: keys.one_time_kyber_prekeys.iter().map(published).collect(),
        })
    }
}

fn kyber_record(prekey: &ImportedKyberPrekey, made: Timestamp) -> Result<KyberPreKeyRecord, Reason> {
    let bad = |_| Reason::BadKey;
    let pair = kem::KeyPair::from_public_and_private(prekey.public.as_ref(), prekey.private.as_ref()).map_err(bad)?;
    if pair.public_key.key_type() != kem::KeyType::Kyber1024 {
        return Err(Reason::BadKey);
    }
    Ok(KyberPreKeyRecord::new(prekey.id.into(), made, &pair, signature(prekey.signature.as_ref())?))
}

fn published(prekey: &ImportedKyberPrekey) -> SignedKey {
    SignedKey { id: prekey.id, key: prekey.public.clone(), signature: prekey.signature.clone() }
}
