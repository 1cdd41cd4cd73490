//! Encrypted files: each fault with its own reason.

use countersign_contract::Reason;
use countersign_contract::seen::MediaKind;
use countersign_reference::media::{
    Examined, OVERHEAD, decrypt_unchecked, digest_ok, examine, iv_digest, mac_ok, open, seal, seal_in_place,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const KEY: [u8; 32] = [3; 32];

fn with_digest(blob: Vec<u8>) -> ([u8; 32], Vec<u8>) {
    (Sha256::digest(&blob).into(), blob)
}

proptest! {
    #[test]
    fn what_is_sealed_opens(plaintext in proptest::collection::vec(any::<u8>(), 0..400), key in any::<[u8; 32]>(), kind in 0_usize..4) {
        let kind = MediaKind::ALL[kind];
        let sealed = seal(kind, &key, &plaintext);
        prop_assert_eq!(sealed.blob.len(), plaintext.len() / 16 * 16 + 16 + 32);
        prop_assert_eq!(&open(kind, &key, &sealed.digest, plaintext.len() as u64, &sealed.blob).unwrap(), &plaintext);
        prop_assert!(digest_ok(&sealed.digest, &sealed.blob) && mac_ok(kind, &key, &sealed.blob));
    }

    #[test]
    fn in_place_and_in_pieces_is_the_same(length in prop_oneof![0_usize..400, 65_500_usize..65_600, 131_060_usize..131_090], cut in 0_usize..80, lie in 0_u64..2) {
        let plaintext: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let sealed = seal(MediaKind::File, &KEY, &plaintext);
        let mut file = Vec::with_capacity(length + OVERHEAD);
        file.extend_from_slice(&plaintext);
        let begin = file.as_ptr();
        let digest = seal_in_place(MediaKind::File, &KEY, &mut file);
        prop_assert_eq!((&file, digest, file.as_ptr()), (&sealed.blob, sealed.digest, begin));
        // What one way of opening says, the other says too: also of a blob that was cut, with a digest that fits.
        file.truncate(file.len() - cut.min(file.len()));
        let stated = length as u64 + lie;
        for digest in [digest, Sha256::digest(&file).into()] {
            let examined = examine(MediaKind::File, &KEY, &digest, stated, &file);
            let whole = open(MediaKind::File, &KEY, &digest, stated, &file).map(|p| Sha256::digest(&p).into());
            prop_assert_eq!(examined, Examined { digest_ok: digest_ok(&digest, &file), mac_ok: mac_ok(MediaKind::File, &KEY, &file), plaintext: whole });
        }
    }

    #[test]
    fn any_flipped_byte_is_noticed_by_digest_and_by_mac(at in 0_usize..112, bit in 0_u32..8) {
        let sealed = seal(MediaKind::Image, &KEY, &[7; 70]);
        let mut blob = sealed.blob;
        blob[at] ^= 1_u8 << bit;
        prop_assert_eq!(open(MediaKind::Image, &KEY, &sealed.digest, 70, &blob), Err(Reason::BadDigest));
        let (digest, blob) = with_digest(blob);
        prop_assert!(digest_ok(&digest, &blob) && !mac_ok(MediaKind::Image, &KEY, &blob));
        prop_assert_eq!(open(MediaKind::Image, &KEY, &digest, 70, &blob), Err(Reason::BadMac));
    }

    #[test]
    fn hostile_blobs_do_no_harm(blob in proptest::collection::vec(any::<u8>(), 0..200), length in any::<u64>()) {
        let (digest, blob) = with_digest(blob);
        prop_assert!(matches!(open(MediaKind::File, &KEY, &digest, length, &blob), Err(Reason::Malformed | Reason::BadMac)));
        let _ = decrypt_unchecked(MediaKind::File, &KEY, &blob);
        prop_assert_eq!(examine(MediaKind::File, &KEY, &digest, length, &blob).plaintext, open(MediaKind::File, &KEY, &digest, length, &blob).map(|_| [0; 32]));
    }
}

#[test]
fn each_fault_has_its_reason() {
    let sealed = seal(MediaKind::Voice, &KEY, b"a recording");
    let open_with = |kind, key: &[u8], digest: &[u8], length| open(kind, key, digest, length, &sealed.blob);
    assert_eq!(open_with(MediaKind::Voice, &KEY, &sealed.digest, 11), Ok(b"a recording".to_vec()));
    assert_eq!(open_with(MediaKind::Voice, &KEY, &sealed.digest, 12), Err(Reason::Malformed));
    assert_eq!(open_with(MediaKind::Voice, &KEY, &[0; 32], 11), Err(Reason::BadDigest));
    assert_eq!(open_with(MediaKind::Voice, &[4; 32], &sealed.digest, 11), Err(Reason::BadMac));
    // The kind is part of the key derivation.
    assert_eq!(open_with(MediaKind::Video, &KEY, &sealed.digest, 11), Err(Reason::BadMac));
    assert_eq!(open_with(MediaKind::Voice, &KEY[..31], &sealed.digest, 11), Err(Reason::Malformed));
    assert_eq!(open_with(MediaKind::Voice, &KEY, &sealed.digest[..31], 11), Err(Reason::Malformed));
    for cut in [0, 1, 31, 32, 33, 47] {
        let (digest, blob) = with_digest(sealed.blob[..cut].to_vec());
        assert_eq!(open(MediaKind::Voice, &KEY, &sealed.digest, 11, &blob), Err(Reason::BadDigest));
        assert_eq!(open(MediaKind::Voice, &KEY, &digest, 11, &blob), Err(Reason::Malformed));
        assert!(!mac_ok(MediaKind::Voice, &KEY, &blob));
    }
    assert_ne!(iv_digest(MediaKind::Voice, &KEY), iv_digest(MediaKind::Voice, &[4; 32]));
}

/// The format, computed a second time by the OpenSSL command line from the words of the contract: 70 bytes of 0x07 as an image
/// under the key 0x03 * 32.
#[test]
fn the_blob_is_what_the_contract_says() {
    let sealed = seal(MediaKind::Image, &KEY, &[7; 70]);
    let hex: String = sealed.digest.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, "80ac31651ba73cc7a1867d2520c7536c21f8a971df73fae0aaa902e64f60b0f0");
}

/// Padding that is wrong under a right MAC: a peer that encrypts by itself can make such a blob.
#[test]
fn wrong_padding_is_malformed_whichever_way_it_is_opened() {
    for (end, right) in
        [(vec![1], true), (vec![2, 2], true), (vec![0], false), (vec![17], false), (vec![3, 2], false), (vec![16; 16], true)]
    {
        let mut plain = vec![9; 48 - end.len()];
        plain.extend(&end);
        let blob = sealed_raw(&plain);
        let digest: [u8; 32] = Sha256::digest(&blob).into();
        let length = (48 - end.len()) as u64;
        let examined = examine(MediaKind::File, &KEY, &digest, length, &blob);
        assert!(examined.digest_ok && examined.mac_ok);
        assert_eq!(examined.plaintext.is_ok(), right, "{end:?}");
        assert_eq!(examined.plaintext, open(MediaKind::File, &KEY, &digest, length, &blob).map(|p| Sha256::digest(&p).into()));
    }
}

/// Whole blocks under the contract's keys, without any padding of ours.
fn sealed_raw(blocks: &[u8]) -> Vec<u8> {
    use cbc::cipher::{BlockEncryptMut as _, KeyIvInit as _, block_padding::NoPadding};
    use hmac::Mac as _;
    let mut okm = [0; 112];
    hkdf::Hkdf::<Sha256>::new(None, &KEY).expand(b"countersign media file", &mut okm).unwrap();
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(&okm[16..48], &okm[..16]).unwrap();
    let mut blob = cipher.encrypt_padded_vec_mut::<NoPadding>(blocks);
    let mut mac = hmac::Hmac::<Sha256>::new_from_slice(&okm[48..80]).unwrap();
    mac.update(&okm[..16]);
    mac.update(&blob);
    blob.extend(mac.finalize().into_bytes());
    blob
}
