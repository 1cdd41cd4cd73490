//! What libsignal itself accepts: why the client checks keys, identities and surroundings on its own.

use libsignal_protocol::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::time::SystemTime;

/// Encodings of points of order 1, 2, 4 and 8 (RFC 7748 calls for the check of section 6.1 because of them).
fn low_order() -> Vec<[u8; 32]> {
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut zero_again = minus_one;
    zero_again[0] = 0xed;
    let mut one_again = minus_one;
    one_again[0] = 0xee;
    vec![[0; 32], one, minus_one, zero_again, one_again]
}

struct Party {
    store: InMemSignalProtocolStore,
    rng: StdRng,
}

impl Party {
    fn new() -> Self {
        let mut rng = StdRng::from_os_rng();
        let identity = IdentityKeyPair::generate(&mut rng);
        let store = InMemSignalProtocolStore::new(identity, rng.random_range(1..16380)).unwrap();
        Self { store, rng }
    }

    fn sign(&mut self, key: &[u8]) -> Vec<u8> {
        self.store
            .identity_store
            .get_identity_key_pair_now()
            .private_key()
            .calculate_signature(key, &mut self.rng)
            .unwrap()
            .to_vec()
    }

    fn bundle(&mut self, signed: PublicKey, one_time: PublicKey, kyber: kem::PublicKey) -> PreKeyBundle {
        let (signature, kyber_signature) = (self.sign(&signed.serialize()), self.sign(&kyber.serialize()));
        let identity = *self.store.identity_store.get_identity_key_pair_now().identity_key();
        let device = DeviceId::new(1).unwrap();
        let one_time = Some((3.into(), one_time));
        PreKeyBundle::new(7, device, one_time, 1.into(), signed, signature, 2.into(), kyber, kyber_signature, identity).unwrap()
    }
}

trait Now {
    fn get_identity_key_pair_now(&self) -> IdentityKeyPair;
}

impl Now for InMemIdentityKeyStore {
    fn get_identity_key_pair_now(&self) -> IdentityKeyPair {
        super::super::vault::run(self.get_identity_key_pair()).unwrap()
    }
}

fn process(bundle: &PreKeyBundle) -> Result<(), SignalProtocolError> {
    let mut alice = Party::new();
    let to = ProtocolAddress::new("bob".into(), DeviceId::new(1).unwrap());
    let InMemSignalProtocolStore { session_store, identity_store, .. } = &mut alice.store;
    super::super::vault::run(process_prekey_bundle(&to, session_store, identity_store, bundle, SystemTime::now(), &mut alice.rng))
}

#[test]
fn libsignal_sets_up_sessions_with_keys_of_low_order_and_an_all_zero_kyber_key() {
    let mut bob = Party::new();
    let fresh = |rng: &mut StdRng| KeyPair::generate(rng).public_key;
    let kyber = kem::KeyPair::generate(kem::KeyType::Kyber1024, &mut bob.rng).public_key;
    for low in low_order() {
        let low = PublicKey::from_djb_public_key_bytes(&low).unwrap();
        assert!(crate::vault::is_low_order(&low));
        let good = fresh(&mut bob.rng);
        assert!(!crate::vault::is_low_order(&good));
        assert!(process(&bob.bundle(good, low, kyber.clone())).is_ok(), "as one-time prekey");
        assert!(process(&bob.bundle(low, good, kyber.clone())).is_ok(), "as signed prekey");
    }
    let mut zero = vec![0; 1569];
    zero[0] = 8;
    let zero = kem::PublicKey::deserialize(&zero).unwrap();
    let (good, other) = (fresh(&mut bob.rng), fresh(&mut bob.rng));
    assert!(process(&bob.bundle(good, other, zero)).is_ok(), "as Kyber prekey");
}

#[test]
fn libsignal_ignores_bytes_after_a_key() {
    let key = KeyPair::generate(&mut StdRng::from_os_rng()).public_key;
    let mut longer = key.serialize().to_vec();
    longer.push(0);
    assert_eq!(PublicKey::deserialize(&longer).unwrap(), key);
}
