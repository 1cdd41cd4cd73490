//! What libsignal reads and writes, as plain data. Every call returns at once, so its futures never wait.

use crate::refusal::ReusedBaseKey;
use async_trait::async_trait;
use libsignal_protocol::{
    Direction, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, KyberPreKeyId, KyberPreKeyRecord,
    KyberPreKeyStore, PreKeyId, PreKeyRecord, PreKeyStore, ProtocolAddress, PublicKey, SenderKeyRecord, SenderKeyStore,
    SessionRecord, SessionStore, SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

type Outcome<T> = Result<T, SignalProtocolError>;

/// What is known of a peer's identity.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    /// The key to which this user sends.
    pub(crate) trusted: IdentityKey,
    /// The last key that was seen; the user has not accepted it while it differs.
    pub(crate) newest: IdentityKey,
}

impl Known {
    /// Whether the peer's key changed and the user has not accepted the new one.
    pub(crate) fn is_pending(&self) -> bool {
        self.trusted != self.newest
    }
}

/// The user's own identity and those of its peers.
#[derive(Clone)]
pub(crate) struct Identities {
    pub(crate) own: IdentityKeyPair,
    pub(crate) registration_id: u32,
    pub(crate) known: BTreeMap<String, Known>,
}

#[async_trait(?Send)]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Outcome<IdentityKeyPair> {
        Ok(self.own)
    }

    async fn get_local_registration_id(&self) -> Outcome<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(&mut self, address: &ProtocolAddress, identity: &IdentityKey) -> Outcome<IdentityChange> {
        let Some(known) = self.known.get_mut(address.name()) else {
            self.known.insert(address.name().to_owned(), Known { trusted: *identity, newest: *identity });
            return Ok(IdentityChange::from_changed(false));
        };
        let changed = known.newest != *identity;
        known.newest = *identity;
        Ok(IdentityChange::from_changed(changed))
    }

    async fn is_trusted_identity(
        &self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
        direction: Direction,
    ) -> Outcome<bool> {
        Ok(match direction {
            // Receiving under a changed key is allowed, and reported.
            Direction::Receiving => true,
            Direction::Sending => {
                self.known.get(address.name()).is_none_or(|known| !known.is_pending() && known.trusted == *identity)
            }
        })
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Outcome<Option<IdentityKey>> {
        Ok(self.known.get(address.name()).map(|known| known.newest))
    }
}

/// Sessions by the peer's name.
#[derive(Clone, Default)]
pub(crate) struct Sessions {
    pub(crate) by_name: BTreeMap<String, SessionRecord>,
    /// Whether what a write replaces is kept, so that it can be undone without a copy made beforehand.
    undoable: bool,
    /// What the first write since [`Self::begin`] replaced: a session, or the lack of one.
    replaced: Option<Option<SessionRecord>>,
}

impl Sessions {
    /// From here on, writes can be undone. An operation writes the session of one peer only.
    pub(crate) fn begin(&mut self) {
        self.keep();
        self.undoable = true;
    }

    /// Undoes the writes since [`Self::begin`], all of which were of this peer's session.
    pub(crate) fn undo(&mut self, name: &str) {
        self.undoable = false;
        match self.replaced.take() {
            Some(Some(before)) => {
                self.by_name.insert(name.to_owned(), before);
            }
            Some(None) => {
                self.by_name.remove(name);
            }
            None => {}
        }
    }

    /// Keeps the writes since [`Self::begin`].
    pub(crate) fn keep(&mut self) {
        self.undoable = false;
        self.replaced = None;
    }
}

#[async_trait(?Send)]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Outcome<Option<SessionRecord>> {
        Ok(self.by_name.get(address.name()).cloned())
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: &SessionRecord) -> Outcome<()> {
        let before = match self.by_name.get_mut(address.name()) {
            Some(stored) => Some(std::mem::replace(stored, record.clone())),
            None => self.by_name.insert(address.name().to_owned(), record.clone()),
        };
        if self.undoable && self.replaced.is_none() {
            self.replaced = Some(before);
        }
        Ok(())
    }
}

/// One-time EC prekeys: gone once used.
#[derive(Clone, Default)]
pub(crate) struct OneTimePrekeys(pub(crate) BTreeMap<u32, PreKeyRecord>);

#[async_trait(?Send)]
impl PreKeyStore for OneTimePrekeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Outcome<PreKeyRecord> {
        self.0.get(&id.into()).cloned().ok_or(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> Outcome<()> {
        self.0.insert(id.into(), record.clone());
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> Outcome<()> {
        self.0.remove(&id.into());
        Ok(())
    }
}

/// Signed EC prekeys, the former ones included.
#[derive(Clone, Default)]
pub(crate) struct SignedPrekeys(pub(crate) BTreeMap<u32, SignedPreKeyRecord>);

#[async_trait(?Send)]
impl SignedPreKeyStore for SignedPrekeys {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Outcome<SignedPreKeyRecord> {
        self.0.get(&id.into()).cloned().ok_or(SignalProtocolError::InvalidSignedPreKeyId)
    }

    async fn save_signed_pre_key(&mut self, id: SignedPreKeyId, record: &SignedPreKeyRecord) -> Outcome<()> {
        self.0.insert(id.into(), record.clone());
        Ok(())
    }
}

/// Kyber prekeys. One-time ones are gone once used; of last-resort ones each use is remembered.
#[derive(Clone, Default)]
pub(crate) struct KyberPrekeys {
    pub(crate) records: BTreeMap<u32, KyberPreKeyRecord>,
    pub(crate) last_resort: BTreeSet<u32>,
    /// Kyber prekey, signed prekey, base key.
    pub(crate) uses: BTreeSet<(u32, u32, Vec<u8>)>,
    /// The prekey that the message in hand used. libsignal marks one exactly when a message set up a new session.
    pub(crate) marked: Option<u32>,
}

#[async_trait(?Send)]
impl KyberPreKeyStore for KyberPrekeys {
    async fn get_kyber_pre_key(&self, id: KyberPreKeyId) -> Outcome<KyberPreKeyRecord> {
        self.records.get(&id.into()).cloned().ok_or(SignalProtocolError::InvalidKyberPreKeyId)
    }

    async fn save_kyber_pre_key(&mut self, id: KyberPreKeyId, record: &KyberPreKeyRecord) -> Outcome<()> {
        self.records.insert(id.into(), record.clone());
        Ok(())
    }

    async fn mark_kyber_pre_key_used(&mut self, id: KyberPreKeyId, signed: SignedPreKeyId, base_key: &PublicKey) -> Outcome<()> {
        let id = id.into();
        if self.last_resort.contains(&id) {
            if !self.uses.insert((id, signed.into(), base_key.serialize().into_vec())) {
                return Err(SignalProtocolError::for_application_callback("mark_kyber_pre_key_used")(ReusedBaseKey));
            }
        } else {
            self.records.remove(&id);
        }
        self.marked = Some(id);
        Ok(())
    }
}

/// Sender keys by user and distribution id.
#[derive(Clone, Default)]
pub(crate) struct SenderKeys(pub(crate) BTreeMap<(String, Uuid), SenderKeyRecord>);

#[async_trait(?Send)]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(&mut self, sender: &ProtocolAddress, id: Uuid, record: &SenderKeyRecord) -> Outcome<()> {
        self.0.insert((sender.name().to_owned(), id), record.clone());
        Ok(())
    }

    async fn load_sender_key(&mut self, sender: &ProtocolAddress, id: Uuid) -> Outcome<Option<SenderKeyRecord>> {
        Ok(self.0.get(&(sender.name().to_owned(), id)).cloned())
    }
}
