//! The library, called as its documentation shows.

use crate::{NOW, kibibyte};
use countersign_contract::portable::MessageType;
use futures_util::FutureExt as _;
use libsignal_protocol::{
    CiphertextMessage, DeviceId, GenericSignedPreKey as _, IdentityKeyPair, IdentityKeyStore as _, InMemSignalProtocolStore,
    KeyPair, KyberPreKeyRecord, KyberPreKeyStore as _, PreKeyBundle, PreKeyRecord, PreKeySignalMessage, PreKeyStore as _,
    ProtocolAddress, SessionStore as _, SignalMessage, SignedPreKeyRecord, SignedPreKeyStore as _, Timestamp, kem,
    message_decrypt, message_encrypt, process_prekey_bundle,
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// A user of the library's own in-memory store.
#[derive(Clone)]
pub(crate) struct Direct {
    pub(crate) address: ProtocolAddress,
    store: InMemSignalProtocolStore,
    rng: ChaCha20Rng,
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(NOW)
}

impl Direct {
    pub(crate) fn new(number: u128) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(number as u64);
        let store = InMemSignalProtocolStore::new(IdentityKeyPair::generate(&mut rng), 1).unwrap();
        let device = DeviceId::new(1).unwrap();
        Self { address: ProtocolAddress::new(Uuid::from_u128(number).to_string(), device), store, rng }
    }

    pub(crate) fn bundle(&mut self) -> PreKeyBundle {
        let identity = self.store.get_identity_key_pair().now_or_never().unwrap().unwrap();
        let created = Timestamp::from_epoch_millis(NOW);
        let (one_time, signed) = (KeyPair::generate(&mut self.rng), KeyPair::generate(&mut self.rng));
        let kyber = kem::KeyPair::generate(kem::KeyType::Kyber1024, &mut self.rng);
        let mut sign = |key: &[u8]| identity.private_key().calculate_signature(key, &mut self.rng).unwrap();
        let signed_signature = sign(&signed.public_key.serialize());
        let kyber_signature = sign(&kyber.public_key.serialize());
        let store = &mut self.store;
        let signed_record = SignedPreKeyRecord::new(1.into(), created, &signed, &signed_signature);
        let kyber_record = KyberPreKeyRecord::new(1.into(), created, &kyber, &kyber_signature);
        store.save_pre_key(1.into(), &PreKeyRecord::new(1.into(), &one_time)).now_or_never().unwrap().unwrap();
        store.save_signed_pre_key(1.into(), &signed_record).now_or_never().unwrap().unwrap();
        store.save_kyber_pre_key(1.into(), &kyber_record).now_or_never().unwrap().unwrap();
        PreKeyBundle::new(
            1,
            self.address.device_id(),
            None,
            1.into(),
            signed.public_key,
            signed_signature.into_vec(),
            1.into(),
            kyber.public_key,
            kyber_signature.into_vec(),
            *identity.identity_key(),
        )
        .unwrap()
    }

    pub(crate) fn start(&mut self, peer: &ProtocolAddress, bundle: &PreKeyBundle) {
        let (sessions, identities) = (&mut self.store.session_store, &mut self.store.identity_store);
        process_prekey_bundle(peer, sessions, identities, bundle, now(), &mut self.rng).now_or_never().unwrap().unwrap();
    }

    pub(crate) fn encrypt(&mut self, peer: &ProtocolAddress, plaintext: &[u8]) -> CiphertextMessage {
        let (sessions, identities) = (&mut self.store.session_store, &mut self.store.identity_store);
        message_encrypt(plaintext, peer, sessions, identities, now(), &mut self.rng).now_or_never().unwrap().unwrap()
    }

    pub(crate) fn decrypt(&mut self, peer: &ProtocolAddress, kind: MessageType, body: &[u8]) -> Vec<u8> {
        let message = match kind {
            MessageType::Prekey => CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(body).unwrap()),
            MessageType::Normal => CiphertextMessage::SignalMessage(SignalMessage::try_from(body).unwrap()),
        };
        let s = &mut self.store;
        message_decrypt(
            &message,
            peer,
            &mut s.session_store,
            &mut s.identity_store,
            &mut s.pre_key_store,
            &s.signed_pre_key_store,
            &mut s.kyber_pre_key_store,
            &mut self.rng,
        )
        .now_or_never()
        .unwrap()
        .unwrap()
    }
}

pub(crate) fn directs() -> (Direct, Direct) {
    let (mut alice, mut bob) = (Direct::new(1), Direct::new(2));
    let keys = bob.bundle();
    alice.start(&bob.address.clone(), &keys);
    let padded = kibibyte().to_padded();
    let first = alice.encrypt(&bob.address.clone(), &padded);
    bob.decrypt(&alice.address, MessageType::Prekey, first.serialize());
    let back = bob.encrypt(&alice.address.clone(), &padded);
    alice.decrypt(&bob.address, MessageType::Normal, back.serialize());
    assert!(alice.store.load_session(&bob.address).now_or_never().unwrap().unwrap().is_some());
    (alice, bob)
}
