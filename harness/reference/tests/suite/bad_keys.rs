//! Public keys that must be refused, in every position; and what libsignal itself does with each, called directly.

use crate::common::*;
use countersign_contract::Reason;
use countersign_contract::portable::KeyBundle;
use countersign_reference::ReferenceUser;
use countersign_reference::wire::{Field, How, tamper};
use futures_util::FutureExt as _;
use libsignal_protocol::{
    DeviceId, IdentityKey, IdentityKeyPair, InMemSignalProtocolStore, PreKeyBundle, ProtocolAddress, PublicKey, kem,
    process_prekey_bundle,
};
use rand::SeedableRng as _;
use std::time::SystemTime;

/// All points of low order, in every spelling that a receiver reduces to them: the order-1, 2, 4 and 8 points of the curve and its
/// twist, the same written above the prime, and each with the highest bit set, which X25519 ignores.
fn low_order() -> Vec<Vec<u8>> {
    let hex = |text: &str| -> Vec<u8> { (0..32).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect() };
    let ones = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
    let points = [
        "0000000000000000000000000000000000000000000000000000000000000000".to_owned(),
        "0100000000000000000000000000000000000000000000000000000000000000".to_owned(),
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800".to_owned(),
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157".to_owned(),
        format!("ec{ones}"),
        format!("ed{ones}"),
        format!("ee{ones}"),
    ];
    let plain = points.iter().map(|text| hex(text));
    let high_bit = points.iter().map(|text| hex(text)).map(|mut point| {
        point[31] |= 0x80;
        point
    });
    plain.chain(high_bit).map(|point| [&[5], &point[..]].concat()).collect()
}

/// Bundles that differ from a good one by a bad key under a signature by the right identity.
fn bent_bundles(bob: &mut ReferenceUser, point: &[u8]) -> [(&'static str, KeyBundle); 3] {
    let mut bundles = [(); 3].map(|()| bundle(bob, Some(0)));
    bundles[0].identity_key.0 = point.to_vec();
    bundles[1].signed_prekey.key.0 = point.to_vec();
    bundles[1].signed_prekey.signature.0 = bob.sign(point);
    bundles[2].one_time_prekey.as_mut().unwrap().key.0 = point.to_vec();
    let [identity, signed, one_time] = bundles;
    [("identity", identity), ("signed", signed), ("one-time", one_time)]
}

fn zero_kyber(bob: &mut ReferenceUser) -> KeyBundle {
    let mut bent = bundle(bob, Some(0));
    bent.kyber_prekey.as_mut().unwrap().key.0 = [&[8][..], &[0; 1568]].concat();
    bent.kyber_prekey.as_mut().unwrap().signature.0 = bob.sign(&bent.kyber_prekey.as_ref().unwrap().key.0);
    bent
}

/// The same through libsignal alone, without any check of ours.
fn library_accepts(bundle: &KeyBundle) -> bool {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
    let mut store = InMemSignalProtocolStore::new(IdentityKeyPair::generate(&mut rng), 1).unwrap();
    let parsed = PreKeyBundle::new(
        bundle.registration_id,
        DeviceId::new(1).unwrap(),
        bundle.one_time_prekey.as_ref().map(|p| (p.id.into(), PublicKey::deserialize(&p.key.0).unwrap())),
        bundle.signed_prekey.id.into(),
        PublicKey::deserialize(&bundle.signed_prekey.key.0).unwrap(),
        bundle.signed_prekey.signature.0.clone(),
        bundle.kyber_prekey.as_ref().unwrap().id.into(),
        kem::PublicKey::deserialize(&bundle.kyber_prekey.as_ref().unwrap().key.0).unwrap(),
        bundle.kyber_prekey.as_ref().unwrap().signature.0.clone(),
        IdentityKey::decode(&bundle.identity_key.0).unwrap(),
    )
    .unwrap();
    let peer = ProtocolAddress::new(bundle.user.to_string(), DeviceId::new(1).unwrap());
    let (sessions, identities) = (&mut store.session_store, &mut store.identity_store);
    process_prekey_bundle(&peer, sessions, identities, &parsed, SystemTime::UNIX_EPOCH, &mut rng).now_or_never().unwrap().is_ok()
}

#[test]
fn the_reference_refuses_low_order_keys_in_every_position_of_a_bundle() {
    let (mut alice, mut bob) = (user("alice"), user("bob"));
    for point in low_order() {
        for (position, bent) in bent_bundles(&mut bob, &point) {
            assert_eq!(alice.process_bundle(&bent, NOW).unwrap_err().reason, Reason::BadKey, "{position} {point:02x?}");
        }
    }
    assert_eq!(alice.process_bundle(&zero_kyber(&mut bob), NOW).unwrap_err().reason, Reason::BadKey);
    assert!(!alice.has_session(bob.user()) && alice.known_identity(bob.user()).is_none());
    alice.process_bundle(&bundle(&bob, Some(0)), NOW).unwrap();
}

/// The finding that makes the checks above necessary: libsignal v0.85.3 sets up a session with a low-order or all-zero signed or
/// one-time prekey, and with an all-zero Kyber key, if the signature is right.
#[test]
fn libsignal_accepts_low_order_and_all_zero_prekeys() {
    let mut bob = user("bob");
    assert!(library_accepts(&bundle(&bob, Some(0))));
    for point in low_order() {
        let [(_, identity), (_, signed), (_, one_time)] = bent_bundles(&mut bob, &point);
        assert!(library_accepts(&signed) && library_accepts(&one_time), "{point:02x?}");
        assert!(!library_accepts(&identity), "only because the signatures are by another identity: {point:02x?}");
    }
    assert!(library_accepts(&zero_kyber(&mut bob)));
}

/// With an all-zero identity key the signatures are no obstacle either: anyone can write ones that libsignal takes for valid.
#[test]
fn libsignal_accepts_an_all_zero_identity_with_signatures_that_need_no_key() {
    let zero = PublicKey::deserialize(&[&[5][..], &[0; 32]].concat()).unwrap();
    // The neutral element as R and nothing as s: valid whenever the hash is even, that is for every second message.
    let forged: Vec<u8> = [&[1][..], &[0; 63]].concat();
    let mut bob = user("bob");
    let mut bent = loop {
        let rotated = bob.rotate(true, true, 0);
        let (signed, kyber) = (rotated.signed_prekey.unwrap(), rotated.kyber_prekey.unwrap());
        if zero.verify_signature(&signed.key.0, &forged) && zero.verify_signature(&kyber.key.0, &forged) {
            break KeyBundle { signed_prekey: signed, kyber_prekey: Some(kyber), ..bundle(&bob, None) };
        }
    };
    bent.identity_key.0 = zero.serialize().into_vec();
    bent.signed_prekey.signature.0.clone_from(&forged);
    bent.kyber_prekey.as_mut().unwrap().signature.0 = forged;
    assert!(library_accepts(&bent));
    assert_eq!(user("alice").process_bundle(&bent, NOW).unwrap_err().reason, Reason::BadKey);
}

#[test]
fn keys_of_a_wrong_form() {
    let (mut alice, mut bob) = (user("alice"), user("bob"));
    let good = bundle(&bob, Some(0));
    let curve = good.signed_prekey.key.0.clone();
    let forms = [Vec::new(), curve[..32].to_vec(), [&curve[..], &[0]].concat(), [&[6], &curve[1..]].concat()];
    for form in forms {
        for (position, bent) in bent_bundles(&mut bob, &form) {
            assert_eq!(alice.process_bundle(&bent, NOW).unwrap_err().reason, Reason::BadKey, "{position}");
        }
    }
    for form in [Vec::new(), vec![8; 1568], vec![7; 1569], vec![8; 1570], curve] {
        let mut bent = good.clone();
        bent.kyber_prekey.as_mut().unwrap().signature.0 = bob.sign(&form);
        bent.kyber_prekey.as_mut().unwrap().key.0 = form;
        assert_eq!(alice.process_bundle(&bent, NOW).unwrap_err().reason, Reason::BadKey);
    }
}

#[test]
fn signatures_are_checked_one_by_one() {
    let (mut alice, mut bob, carol) = (user("alice"), user("bob"), user("carol"));
    let good = bundle(&bob, Some(0));
    let mut bundles = vec![good.clone(); 8];
    bundles[0].signed_prekey.signature.0[0] ^= 1;
    bundles[1].kyber_prekey.as_mut().unwrap().signature.0[0] ^= 1;
    bundles[2].signed_prekey.signature.0.pop();
    bundles[3].kyber_prekey.as_mut().unwrap().signature.0.clear();
    bundles[4].signed_prekey.clone_from(&bundle(&carol, None).signed_prekey);
    bundles[5].kyber_prekey.clone_from(&bundle(&carol, None).kyber_prekey);
    bundles[6].signed_prekey.signature.0 = bob.sign(b"other bytes");
    bundles[7].identity_key.0 = carol.identity_key();
    for bent in bundles {
        assert_eq!(alice.process_bundle(&bent, NOW).unwrap_err().reason, Reason::BadSignature);
    }
    assert!(!alice.has_session(bob.user()));
    assert_eq!(bob.process_bundle(&good, NOW).unwrap_err().reason, Reason::WrongRecipient);
    alice.process_bundle(&good, NOW).unwrap();
}

#[test]
fn low_order_keys_in_messages() {
    let (mut alice, mut bob) = introduced();
    let first = say(&mut alice, &bob, "first");
    for point in low_order() {
        for field in [Field::BaseKey, Field::IdentityKey, Field::RatchetKey] {
            let bent = tamper(&first.1, first.0, field, &How::Bytes(point.clone())).unwrap();
            assert_eq!(heard(&mut bob, &alice, &(first.0, bent)), Err(Reason::BadKey), "{field}");
        }
    }
    assert_eq!(heard(&mut bob, &alice, &first).as_deref(), Ok("first"));
}
