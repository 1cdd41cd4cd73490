//! Signal's own Rust crate, driven as a party of ours is: what the stack is compared with.

use async_trait::async_trait;
use countersign_adversary::{Bundle, WireProfile};
use countersign_contract::operations::{ImportedKeys, ImportedKyberPrekey, ImportedPrekey, ImportedSignedPrekey};
use countersign_contract::portable::{MessageType, Prekey, SignedKey};
use countersign_contract::{Bytes, Reason};
use futures_util::FutureExt as _;
use libsignal_protocol::{
    CiphertextMessage, DeviceId, Direction, GenericSignedPreKey as _, IdentityChange, IdentityKey, IdentityKeyPair,
    IdentityKeyStore, KeyPair, KyberPreKeyId, KyberPreKeyRecord, KyberPreKeyStore, PreKeyBundle, PreKeyId, PreKeyRecord,
    PreKeySignalMessage, PreKeyStore, ProtocolAddress, PublicKey, SenderCertificate, SenderKeyRecord, SenderKeyStore,
    ServerCertificate, SessionRecord, SessionStore, SignalMessage, SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord,
    SignedPreKeyStore, Timestamp, kem, message_decrypt_prekey, message_decrypt_signal, message_encrypt, process_prekey_bundle,
};
use prost::Message as _;
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;
use uuid::Uuid;

type Outcome<T> = Result<T, SignalProtocolError>;

const TIME: Timestamp = Timestamp::from_epoch_millis(0);
const REUSED: &str = "reused";

/// A user on Signal's own crate. One-time prekeys are gone once used, and each use of a last-resort Kyber prekey is remembered: the
/// crate leaves both to its caller.
#[derive(Clone)]
pub(crate) struct Library {
    pub(crate) identity: IdentityKeyPair,
    pub(crate) registration_id: u32,
    one_time: BTreeMap<u32, KeyPair>,
    signed: (u32, KeyPair, Vec<u8>),
    kyber: BTreeMap<u32, (kem::KeyPair, Vec<u8>)>,
    last_resort: u32,
    uses: BTreeSet<(u32, u32, Vec<u8>)>,
    sessions: BTreeMap<String, SessionRecord>,
    /// Whether the post-quantum ratchet is taken out of each session that this user starts.
    without_spqr: bool,
}

fn now<T>(call: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    call.now_or_never().expect("the store never waits")
}

pub(crate) fn address(peer: &str) -> ProtocolAddress {
    ProtocolAddress::new(peer.to_owned(), DeviceId::new(1).unwrap())
}

impl Library {
    pub(crate) fn new(profile: WireProfile, rng: &mut ChaCha20Rng) -> Self {
        let identity = IdentityKeyPair::generate(rng);
        let pair = KeyPair::generate(rng);
        let signature = identity.private_key().calculate_signature(&pair.public_key.serialize(), rng).unwrap();
        let mut new = Self {
            identity,
            registration_id: 77,
            one_time: BTreeMap::new(),
            signed: (5, pair, signature.to_vec()),
            kyber: BTreeMap::new(),
            last_resort: 1,
            uses: BTreeSet::new(),
            sessions: BTreeMap::new(),
            without_spqr: profile == WireProfile::V4,
        };
        new.add_kyber(1, rng);
        new
    }

    pub(crate) fn add_one_time(&mut self, count: u32, rng: &mut ChaCha20Rng) {
        for id in 100..100 + count {
            self.one_time.insert(id, KeyPair::generate(rng));
            self.add_kyber(id, rng);
        }
    }

    fn add_kyber(&mut self, id: u32, rng: &mut ChaCha20Rng) {
        let pair = kem::KeyPair::generate(kem::KeyType::Kyber1024, rng);
        let signature = self.identity.private_key().calculate_signature(&pair.public_key.serialize(), rng).unwrap();
        self.kyber.insert(id, (pair, signature.to_vec()));
    }

    /// All keys, for a party of ours to be the same user.
    pub(crate) fn export(&self) -> ImportedKeys {
        let private = |pair: &KeyPair| Bytes(pair.private_key.serialize());
        let kyber = |id: u32| {
            let (pair, signature) = &self.kyber[&id];
            ImportedKyberPrekey {
                id,
                public: Bytes(pair.public_key.serialize().to_vec()),
                private: Bytes(pair.secret_key.serialize().to_vec()),
                signature: Bytes(signature.clone()),
            }
        };
        let one_time = self.one_time.iter().map(|(id, pair)| ImportedPrekey { id: *id, private: private(pair) });
        ImportedKeys {
            registration_id: self.registration_id,
            identity_private: Bytes(self.identity.private_key().serialize()),
            signed_prekey: ImportedSignedPrekey {
                id: self.signed.0,
                private: private(&self.signed.1),
                signature: Bytes(self.signed.2.clone()),
            },
            kyber_prekey: Some(kyber(self.last_resort)),
            one_time_prekeys: one_time.collect(),
            one_time_kyber_prekeys: self.kyber.keys().filter(|id| **id != self.last_resort).map(|id| kyber(*id)).collect(),
        }
    }

    pub(crate) fn bundle(&self, one_time: Option<u32>) -> Bundle {
        let key = |id: u32, key: &[u8], signature: &[u8]| SignedKey { id, key: key.into(), signature: signature.into() };
        let kyber = one_time.filter(|id| self.kyber.contains_key(id)).unwrap_or(self.last_resort);
        let (pair, signature) = &self.kyber[&kyber];
        Bundle {
            registration_id: self.registration_id,
            identity_key: Bytes(self.identity.identity_key().serialize().to_vec()),
            signed_prekey: key(self.signed.0, &self.signed.1.public_key.serialize(), &self.signed.2),
            one_time_prekey: one_time.and_then(|id| {
                self.one_time.get(&id).map(|pair| Prekey { id, key: Bytes(pair.public_key.serialize().to_vec()) })
            }),
            kyber_prekey: Some(key(kyber, &pair.public_key.serialize(), signature)),
        }
    }

    pub(crate) fn has_session(&self, peer: &str) -> bool {
        self.sessions.get(peer).is_some_and(|record| {
            record
                .has_usable_sender_chain(SystemTime::UNIX_EPOCH, libsignal_protocol::SessionUsabilityRequirements::empty())
                .unwrap()
        })
    }

    pub(crate) fn process_bundle(&mut self, peer: &str, bundle: &Bundle, rng: &mut ChaCha20Rng) -> Result<(), Reason> {
        let kyber = bundle.kyber_prekey.as_ref().unwrap();
        let one_time = bundle.one_time_prekey.as_ref().map(|key| (key.id.into(), PublicKey::deserialize(&key.key.0).unwrap()));
        let bundle = PreKeyBundle::new(
            bundle.registration_id,
            DeviceId::new(1).unwrap(),
            one_time,
            bundle.signed_prekey.id.into(),
            PublicKey::deserialize(&bundle.signed_prekey.key.0).unwrap(),
            bundle.signed_prekey.signature.0.clone(),
            kyber.id.into(),
            kem::PublicKey::deserialize(&kyber.key.0).unwrap(),
            kyber.signature.0.clone(),
            IdentityKey::decode(&bundle.identity_key.0).unwrap(),
        );
        let mut identities = self.identities();
        let outcome = now(process_prekey_bundle(
            &address(peer),
            &mut Sessions(&mut self.sessions),
            &mut identities,
            &bundle.unwrap(),
            SystemTime::UNIX_EPOCH,
            rng,
        ));
        if self.without_spqr {
            let bytes = self.sessions[peer].serialize().unwrap();
            let mut record = Record::decode(&bytes[..]).unwrap();
            let mut session = Session::decode(&record.current[..]).unwrap();
            session.pq_ratchet_state = Vec::new();
            record.current = session.encode_to_vec();
            self.sessions.insert(peer.to_owned(), SessionRecord::deserialize(&record.encode_to_vec()).unwrap());
        }
        outcome.map_err(|error| reason(&error))
    }

    pub(crate) fn reset_session(&mut self, peer: &str) {
        if let Some(record) = self.sessions.get_mut(peer) {
            record.archive_current_state().unwrap();
        }
    }

    pub(crate) fn restart(&mut self) {
        for record in self.sessions.values_mut() {
            *record = SessionRecord::deserialize(&record.serialize().unwrap()).unwrap();
        }
    }

    pub(crate) fn encrypt(
        &mut self,
        peer: &str,
        plaintext: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<(MessageType, Vec<u8>), Reason> {
        let mut identities = self.identities();
        let sessions = &mut Sessions(&mut self.sessions);
        let message = now(message_encrypt(plaintext, &address(peer), sessions, &mut identities, SystemTime::UNIX_EPOCH, rng));
        let message = message.map_err(|error| reason(&error))?;
        let kind = match &message {
            CiphertextMessage::PreKeySignalMessage(_) => MessageType::Prekey,
            _ => MessageType::Normal,
        };
        Ok((kind, message.serialize().to_vec()))
    }

    pub(crate) fn decrypt(
        &mut self,
        peer: &str,
        kind: MessageType,
        bytes: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Reason> {
        self.try_decrypt(peer, kind, bytes, rng).map_err(|error| reason(&error))
    }

    pub(crate) fn try_decrypt(&mut self, peer: &str, kind: MessageType, bytes: &[u8], rng: &mut ChaCha20Rng) -> Outcome<Vec<u8>> {
        let mut identities = self.identities();
        let sessions = &mut Sessions(&mut self.sessions);
        match kind {
            MessageType::Prekey => {
                let message = PreKeySignalMessage::try_from(bytes)?;
                let (mut one_time, signed) = (OneTime(&mut self.one_time), Signed(&self.signed));
                let mut kyber = Kyber { keys: &mut self.kyber, last_resort: self.last_resort, uses: &mut self.uses };
                now(message_decrypt_prekey(
                    &message,
                    &address(peer),
                    sessions,
                    &mut identities,
                    &mut one_time,
                    &signed,
                    &mut kyber,
                    rng,
                ))
            }
            MessageType::Normal => {
                now(message_decrypt_signal(&SignalMessage::try_from(bytes)?, &address(peer), sessions, &mut identities, rng))
            }
        }
    }

    fn identities(&self) -> Identities {
        Identities { registration_id: self.registration_id, ..Identities::new(self.identity) }
    }
}

/// The contract's reason for each of the crate's errors, as far as these tests see them.
pub(crate) fn reason(error: &SignalProtocolError) -> Reason {
    use SignalProtocolError as E;
    match error {
        E::InvalidProtobufEncoding | E::CiphertextMessageTooShort(_) => Reason::Malformed,
        E::LegacyCiphertextVersion(_) | E::UnrecognizedCiphertextVersion(_) | E::UnrecognizedMessageVersion(_) => {
            Reason::BadVersion
        }
        E::NoKeyTypeIdentifier
        | E::BadKeyType(_)
        | E::BadKeyLength(..)
        | E::BadKEMKeyType(_)
        | E::WrongKEMKeyType(..)
        | E::BadKEMKeyLength(..)
        | E::BadKEMCiphertextLength(..) => Reason::BadKey,
        E::SignatureValidationFailed => Reason::BadSignature,
        E::InvalidPreKeyId | E::InvalidSignedPreKeyId | E::InvalidKyberPreKeyId => Reason::UnknownPrekey,
        E::SessionNotFound(_) | E::NoSenderKeyState { .. } => Reason::NoSession,
        E::DuplicatedMessage(..) | E::ApplicationCallbackError(REUSED, _) => Reason::Duplicate,
        E::InvalidMessage(_, "incoming base key is invalid") => Reason::BadKey,
        E::InvalidMessage(_, "X3DH no longer supported") => Reason::BadVersion,
        E::InvalidMessage(_, "message from too far into the future") => Reason::TooOld,
        E::InvalidMessage(_, words) if words.contains("yber") || words.starts_with("missing pq") => Reason::Malformed,
        E::InvalidMessage(..) => Reason::BadMac,
        other => panic!("an error that no test expects: {other}"),
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Record {
    #[prost(bytes = "vec", tag = "1")]
    current: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    previous: Vec<Vec<u8>>,
}

/// A session of the crate, of which only the post-quantum ratchet's state is touched.
#[derive(Clone, PartialEq, prost::Message)]
struct Session {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(bytes = "vec", tag = "2")]
    local_identity: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    remote_identity: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    root_key: Vec<u8>,
    #[prost(uint32, tag = "5")]
    previous_counter: u32,
    #[prost(bytes = "vec", tag = "6")]
    sender_chain: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "7")]
    receiver_chains: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "9")]
    pending_pre_key: Vec<u8>,
    #[prost(uint32, tag = "10")]
    remote_registration_id: u32,
    #[prost(uint32, tag = "11")]
    local_registration_id: u32,
    #[prost(bytes = "vec", tag = "13")]
    alice_base_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "14")]
    pending_kyber_pre_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "15")]
    pq_ratchet_state: Vec<u8>,
}

pub(crate) struct Identities {
    own: IdentityKeyPair,
    registration_id: u32,
    /// The one peer whose identity is known, where that matters.
    pub(crate) peer: Option<IdentityKey>,
}

impl Identities {
    pub(crate) fn new(own: IdentityKeyPair) -> Self {
        Self { own, registration_id: 1, peer: None }
    }
}

#[async_trait(?Send)]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Outcome<IdentityKeyPair> {
        Ok(self.own)
    }
    async fn get_local_registration_id(&self) -> Outcome<u32> {
        Ok(self.registration_id)
    }
    async fn save_identity(&mut self, _: &ProtocolAddress, _: &IdentityKey) -> Outcome<IdentityChange> {
        Ok(IdentityChange::NewOrUnchanged)
    }
    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Outcome<bool> {
        Ok(true)
    }
    async fn get_identity(&self, _: &ProtocolAddress) -> Outcome<Option<IdentityKey>> {
        Ok(self.peer)
    }
}

struct Sessions<'a>(&'a mut BTreeMap<String, SessionRecord>);

#[async_trait(?Send)]
impl SessionStore for Sessions<'_> {
    async fn load_session(&self, address: &ProtocolAddress) -> Outcome<Option<SessionRecord>> {
        Ok(self.0.get(address.name()).cloned())
    }
    async fn store_session(&mut self, address: &ProtocolAddress, record: &SessionRecord) -> Outcome<()> {
        self.0.insert(address.name().to_owned(), record.clone());
        Ok(())
    }
}

struct OneTime<'a>(&'a mut BTreeMap<u32, KeyPair>);

#[async_trait(?Send)]
impl PreKeyStore for OneTime<'_> {
    async fn get_pre_key(&self, id: PreKeyId) -> Outcome<PreKeyRecord> {
        let pair = self.0.get(&id.into()).ok_or(SignalProtocolError::InvalidPreKeyId)?;
        Ok(PreKeyRecord::new(id, pair))
    }
    async fn save_pre_key(&mut self, _: PreKeyId, _: &PreKeyRecord) -> Outcome<()> {
        Ok(())
    }
    async fn remove_pre_key(&mut self, id: PreKeyId) -> Outcome<()> {
        self.0.remove(&id.into());
        Ok(())
    }
}

struct Signed<'a>(&'a (u32, KeyPair, Vec<u8>));

#[async_trait(?Send)]
impl SignedPreKeyStore for Signed<'_> {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Outcome<SignedPreKeyRecord> {
        let (own, pair, signature) = self.0;
        if u32::from(id) != *own {
            return Err(SignalProtocolError::InvalidSignedPreKeyId);
        }
        Ok(SignedPreKeyRecord::new(id, TIME, pair, signature))
    }
    async fn save_signed_pre_key(&mut self, _: SignedPreKeyId, _: &SignedPreKeyRecord) -> Outcome<()> {
        Ok(())
    }
}

struct Kyber<'a> {
    keys: &'a mut BTreeMap<u32, (kem::KeyPair, Vec<u8>)>,
    last_resort: u32,
    uses: &'a mut BTreeSet<(u32, u32, Vec<u8>)>,
}

#[derive(Debug, thiserror::Error)]
#[error("a base key used twice")]
struct ReusedBaseKey;

#[async_trait(?Send)]
impl KyberPreKeyStore for Kyber<'_> {
    async fn get_kyber_pre_key(&self, id: KyberPreKeyId) -> Outcome<KyberPreKeyRecord> {
        let (pair, signature) = self.keys.get(&id.into()).ok_or(SignalProtocolError::InvalidKyberPreKeyId)?;
        Ok(KyberPreKeyRecord::new(id, TIME, pair, signature))
    }
    async fn save_kyber_pre_key(&mut self, _: KyberPreKeyId, _: &KyberPreKeyRecord) -> Outcome<()> {
        Ok(())
    }
    async fn mark_kyber_pre_key_used(&mut self, id: KyberPreKeyId, signed: SignedPreKeyId, base: &PublicKey) -> Outcome<()> {
        if u32::from(id) != self.last_resort {
            self.keys.remove(&id.into());
        } else if !self.uses.insert((id.into(), signed.into(), base.serialize().to_vec())) {
            return Err(SignalProtocolError::for_application_callback(REUSED)(ReusedBaseKey));
        }
        Ok(())
    }
}

/// Sender keys by owner and distribution.
#[derive(Clone, Default)]
pub(crate) struct SenderKeyRecords(BTreeMap<(String, Uuid), SenderKeyRecord>);

impl SenderKeyRecords {
    pub(crate) fn forget(&mut self, owner: &str, distribution: Uuid) {
        self.0.remove(&(owner.to_owned(), distribution));
    }

    pub(crate) fn restart(&mut self) {
        for record in self.0.values_mut() {
            *record = SenderKeyRecord::deserialize(&record.serialize().unwrap()).unwrap();
        }
    }
}

#[async_trait(?Send)]
impl SenderKeyStore for SenderKeyRecords {
    async fn store_sender_key(&mut self, owner: &ProtocolAddress, distribution: Uuid, record: &SenderKeyRecord) -> Outcome<()> {
        self.0.insert((owner.name().to_owned(), distribution), record.clone());
        Ok(())
    }
    async fn load_sender_key(&mut self, owner: &ProtocolAddress, distribution: Uuid) -> Outcome<Option<SenderKeyRecord>> {
        Ok(self.0.get(&(owner.name().to_owned(), distribution)).cloned())
    }
}

/// A root of trust, and a server that certifies senders.
pub(crate) struct SealedCertificates {
    server: KeyPair,
    certificate: ServerCertificate,
    rng: ChaCha20Rng,
}

impl SealedCertificates {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = <ChaCha20Rng as rand::SeedableRng>::seed_from_u64(seed);
        let (root, server) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let certificate = ServerCertificate::new(1, server.public_key, &root.private_key, &mut rng).unwrap();
        Self { server, certificate, rng }
    }

    pub(crate) fn certify(&mut self, identity: &IdentityKey) -> SenderCertificate {
        SenderCertificate::new(
            Uuid::from_u128(1).to_string(),
            None,
            *identity.public_key(),
            DeviceId::new(1).unwrap(),
            TIME,
            self.certificate.clone(),
            &self.server.private_key,
            &mut self.rng,
        )
        .unwrap()
    }
}
