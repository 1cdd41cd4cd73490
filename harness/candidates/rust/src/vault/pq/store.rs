//! The stores that libsignal works on. They live in memory and never suspend.

use super::super::identities::Identities;
use crate::defect::{Defect, Defects};
use async_trait::async_trait;
use libsignal_protocol::{
    Direction, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, KyberPreKeyId, KyberPreKeyRecord,
    KyberPreKeyStore, PreKeyId, PreKeyRecord, PreKeyStore, ProtocolAddress, PublicKey, SessionRecord, SessionStore,
    SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Stored<T> = Result<T, SignalProtocolError>;

#[async_trait(?Send)]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Stored<IdentityKeyPair> {
        Ok(self.own)
    }

    async fn get_local_registration_id(&self) -> Stored<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(&mut self, address: &ProtocolAddress, identity: &IdentityKey) -> Stored<IdentityChange> {
        Ok(IdentityChange::from_changed(self.meet(address.name(), identity)))
    }

    /// What arrives is shown after a notice, whatever the key; what leaves goes to an accepted key only.
    async fn is_trusted_identity(&self, address: &ProtocolAddress, identity: &IdentityKey, direction: Direction) -> Stored<bool> {
        Ok(match direction {
            Direction::Receiving => true,
            Direction::Sending => self.may_send_to(address.name(), identity),
        })
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Stored<Option<IdentityKey>> {
        Ok(self.peer(address.name()).map(|peer| peer.latest))
    }
}

/// Sessions by the peer's name; there is one device each.
#[derive(Clone, Default)]
pub(crate) struct Sessions(pub(crate) BTreeMap<String, SessionRecord>);

#[async_trait(?Send)]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Stored<Option<SessionRecord>> {
        Ok(self.0.get(address.name()).cloned())
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: &SessionRecord) -> Stored<()> {
        self.0.insert(address.name().to_owned(), record.clone());
        Ok(())
    }
}

/// One-time EC prekeys.
#[derive(Clone)]
pub(crate) struct OneTimePrekeys {
    pub(crate) keys: BTreeMap<u32, PreKeyRecord>,
    /// Where defective clients keep what they should delete.
    pub(crate) used: BTreeMap<u32, PreKeyRecord>,
    pub(crate) defects: Arc<dyn Defects>,
}

#[async_trait(?Send)]
impl PreKeyStore for OneTimePrekeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Stored<PreKeyRecord> {
        self.keys.get(&id.into()).cloned().ok_or(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> Stored<()> {
        self.keys.insert(id.into(), record.clone());
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> Stored<()> {
        if self.defects.has(Defect::KeepsUsedOneTimePrekey) {
            return Ok(());
        }
        if let Some(record) = self.keys.remove(&id.into())
            && (self.defects.has(Defect::ReplaysFirstMessage) || self.defects.has(Defect::KeepsUsedPrekeysInStore))
        {
            self.used.insert(id.into(), record);
        }
        Ok(())
    }
}

/// Signed EC prekeys: the current one and those before it.
#[derive(Clone)]
pub(crate) struct SignedPrekeys {
    pub(crate) keys: BTreeMap<u32, SignedPreKeyRecord>,
    pub(crate) current: u32,
    pub(crate) defects: Arc<dyn Defects>,
}

#[async_trait(?Send)]
impl SignedPreKeyStore for SignedPrekeys {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Stored<SignedPreKeyRecord> {
        let found = self.keys.get(&id.into());
        let found = if found.is_none() && self.defects.has(Defect::FallsBackToCurrentSignedPrekey) {
            self.keys.get(&self.current)
        } else {
            found
        };
        found.cloned().ok_or(SignalProtocolError::InvalidSignedPreKeyId)
    }

    async fn save_signed_pre_key(&mut self, id: SignedPreKeyId, record: &SignedPreKeyRecord) -> Stored<()> {
        self.keys.insert(id.into(), record.clone());
        Ok(())
    }
}

/// Kyber prekeys, one-time and last-resort.
#[derive(Clone)]
pub(crate) struct KyberPrekeys {
    pub(crate) keys: BTreeMap<u32, KyberPreKeyRecord>,
    /// Which of them are for one use only.
    pub(crate) one_time: BTreeSet<u32>,
    /// Where defective clients keep what they should delete.
    pub(crate) used: BTreeMap<u32, KyberPreKeyRecord>,
    /// Uses of last-resort prekeys: Kyber prekey, signed prekey, base key. libsignal leaves it to the store to refuse a second
    /// use, by which a first message could be replayed once its session is forgotten.
    uses: BTreeSet<(u32, u32, Box<[u8]>)>,
    /// Set when such a second use was met, until somebody takes it.
    reused: bool,
    pub(crate) defects: Arc<dyn Defects>,
}

impl KyberPrekeys {
    pub(crate) fn new(defects: Arc<dyn Defects>) -> Self {
        let (keys, used) = (BTreeMap::new(), BTreeMap::new());
        Self { keys, one_time: BTreeSet::new(), used, uses: BTreeSet::new(), reused: false, defects }
    }

    /// Uses of last-resort prekeys: Kyber prekey, signed prekey, base key.
    pub(crate) fn uses(&self) -> impl Iterator<Item = &(u32, u32, Box<[u8]>)> {
        self.uses.iter()
    }

    /// Whether a second use of a last-resort prekey was met since this was last asked: refused, but for a defect.
    pub(crate) fn take_reused(&mut self) -> bool {
        std::mem::take(&mut self.reused)
    }
}

#[async_trait(?Send)]
impl KyberPreKeyStore for KyberPrekeys {
    async fn get_kyber_pre_key(&self, id: KyberPreKeyId) -> Stored<KyberPreKeyRecord> {
        self.keys.get(&id.into()).cloned().ok_or(SignalProtocolError::InvalidKyberPreKeyId)
    }

    async fn save_kyber_pre_key(&mut self, id: KyberPreKeyId, record: &KyberPreKeyRecord) -> Stored<()> {
        self.keys.insert(id.into(), record.clone());
        Ok(())
    }

    async fn mark_kyber_pre_key_used(&mut self, id: KyberPreKeyId, signed: SignedPreKeyId, base_key: &PublicKey) -> Stored<()> {
        let id = u32::from(id);
        if self.defects.has(Defect::KeepsUsedOneTimePrekey) {
            return Ok(());
        }
        if self.one_time.remove(&id) {
            if let Some(record) = self.keys.remove(&id)
                && (self.defects.has(Defect::ReplaysFirstMessage) || self.defects.has(Defect::KeepsUsedPrekeysInStore))
            {
                self.used.insert(id, record);
            }
            return Ok(());
        }
        if self.uses.insert((id, signed.into(), base_key.serialize())) || self.defects.has(Defect::ReplaysFirstMessage) {
            return Ok(());
        }
        self.reused = true;
        if self.defects.has(Defect::ForgetsLastResortUses) {
            return Ok(());
        }
        Err(SignalProtocolError::InvalidKyberPreKeyId)
    }
}
