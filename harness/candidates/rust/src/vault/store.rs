//! The stores that libsignal works on. They live in memory and never suspend.

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

/// What is known of a peer's identity.
#[derive(Clone)]
pub(crate) struct Peer {
    /// The key that the user accepted last; the first one is accepted unseen.
    accepted: IdentityKey,
    /// The key that the peer uses.
    pub(crate) latest: IdentityKey,
    /// Keys that it used before: a late message under one of them does not change the identity back.
    former: Vec<IdentityKey>,
}

/// The user's own identity and those of the peers.
pub(crate) struct Identities {
    pub(crate) own: IdentityKeyPair,
    pub(crate) registration_id: u32,
    peers: BTreeMap<String, Peer>,
    /// Set when a peer's key changed, until somebody takes it.
    changed: bool,
    defects: Arc<dyn Defects>,
}

impl Identities {
    pub(crate) fn new(own: IdentityKeyPair, registration_id: u32, defects: Arc<dyn Defects>) -> Self {
        Self { own, registration_id, peers: BTreeMap::new(), changed: false, defects }
    }

    pub(crate) fn peer(&self, name: &str) -> Option<&Peer> {
        self.peers.get(name)
    }

    pub(crate) fn known(&self) -> impl Iterator<Item = &IdentityKey> {
        self.peers.values().map(|peer| &peer.latest)
    }

    /// Whether messages may be sent to the peer's latest key.
    pub(crate) fn is_accepted(&self, name: &str) -> bool {
        self.peers.get(name).is_none_or(|peer| peer.accepted == peer.latest)
    }

    /// The user accepts the peer's latest key. False if there is no such peer.
    pub(crate) fn accept(&mut self, name: &str) -> bool {
        self.peers.get_mut(name).map(|peer| peer.accepted = peer.latest).is_some()
    }

    /// Whether a peer's key changed since this was last asked, so that the user must be told.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Takes note of the key in a bundle. True if it is another one than before.
    pub(crate) fn learn(&mut self, name: &str, key: &IdentityKey) -> bool {
        let silent = self.defects.has(Defect::SilentIdentityChange);
        let Some(peer) = self.peers.get_mut(name) else {
            self.peers.insert(name.to_owned(), Peer { accepted: *key, latest: *key, former: Vec::new() });
            return false;
        };
        if peer.latest == *key {
            return false;
        }
        peer.former.push(std::mem::replace(&mut peer.latest, *key));
        if silent {
            peer.accepted = *key;
        } else {
            self.changed = true;
        }
        true
    }
}

#[async_trait(?Send)]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Stored<IdentityKeyPair> {
        Ok(self.own)
    }

    async fn get_local_registration_id(&self) -> Stored<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(&mut self, address: &ProtocolAddress, identity: &IdentityKey) -> Stored<IdentityChange> {
        if self.peers.get(address.name()).is_some_and(|peer| peer.former.contains(identity)) {
            return Ok(IdentityChange::NewOrUnchanged);
        }
        Ok(IdentityChange::from_changed(self.learn(address.name(), identity)))
    }

    /// What arrives is shown after a notice, whatever the key; what leaves goes to an accepted key only.
    async fn is_trusted_identity(&self, address: &ProtocolAddress, identity: &IdentityKey, direction: Direction) -> Stored<bool> {
        Ok(match direction {
            Direction::Receiving => true,
            Direction::Sending => {
                self.peers.get(address.name()).is_none_or(|peer| peer.latest == *identity && peer.accepted == *identity)
            }
        })
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Stored<Option<IdentityKey>> {
        Ok(self.peers.get(address.name()).map(|peer| peer.latest))
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
            && self.defects.has(Defect::ReplaysFirstMessage)
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
                && self.defects.has(Defect::ReplaysFirstMessage)
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
