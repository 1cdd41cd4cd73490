//! Encrypted files, by the format that [`countersign_contract::media`] states.
//!
//! [`open`] does all checks in their order; the pieces stand apart as well, so that what a candidate produced can be described
//! check by check.

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use countersign_contract::Reason;
use countersign_contract::media::{KEY_BYTES, MAC_BYTES, OKM_BYTES, info};
use countersign_contract::seen::MediaKind;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Block length of the cipher in bytes.
const BLOCK: usize = 16;

/// What is derived for one file.
struct Keys {
    iv: [u8; 16],
    aes: [u8; 32],
    mac: [u8; 32],
}

/// An encrypted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// What is uploaded: ciphertext and MAC.
    pub blob: Vec<u8>,
    /// What the message states: SHA-256 of the blob.
    pub digest: [u8; 32],
}

/// SHA-256 of a file's initialisation vector: enough to see one used twice, no use to a reader.
#[must_use]
pub fn iv_digest(kind: MediaKind, key: &[u8; KEY_BYTES]) -> [u8; 32] {
    Sha256::digest(derive(kind, key).iv).into()
}

#[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes, and the contract's length is a constant under that")]
fn derive(kind: MediaKind, key: &[u8; KEY_BYTES]) -> Keys {
    let mut okm = [0; OKM_BYTES];
    Hkdf::<Sha256>::new(None, key).expand(&info(kind), &mut okm).expect("112 bytes can be derived");
    let (mut iv, mut aes, mut mac) = ([0; 16], [0; 32], [0; 32]);
    let mut rest = okm.iter();
    for part in [&mut iv[..], &mut aes[..], &mut mac[..]] {
        part.iter_mut().zip(&mut rest).for_each(|(to, from)| *to = *from);
    }
    Keys { iv, aes, mac }
}

/// Encrypts a file. The key must be used for this one file only.
#[must_use]
pub fn seal(kind: MediaKind, key: &[u8; KEY_BYTES], plaintext: &[u8]) -> Sealed {
    let keys = derive(kind, key);
    let mut blob = cbc::Encryptor::<Aes256>::new(&keys.aes.into(), &keys.iv.into()).encrypt_padded_vec_mut::<Pkcs7>(plaintext);
    let mac = mac(&keys, &blob);
    blob.extend_from_slice(&mac);
    let digest = Sha256::digest(&blob).into();
    Sealed { blob, digest }
}

/// Whether the blob has the digest that its message states.
#[must_use]
pub fn digest_ok(digest: &[u8], blob: &[u8]) -> bool {
    Sha256::digest(blob).as_slice().ct_eq(digest).into()
}

/// Whether the blob's MAC is right. A blob too short to have one has none.
#[must_use]
pub fn mac_ok(kind: MediaKind, key: &[u8; KEY_BYTES], blob: &[u8]) -> bool {
    mac_holds(&derive(kind, key), blob)
}

fn mac_holds(keys: &Keys, blob: &[u8]) -> bool {
    split(blob).is_some_and(|(ciphertext, stated)| mac(keys, ciphertext).as_slice().ct_eq(stated).into())
}

/// Whether the lengths in a blob can be right at all: whole blocks, one at least, and a MAC.
#[must_use]
pub fn form_ok(blob: &[u8]) -> bool {
    split(blob).is_some_and(|(ciphertext, _)| !ciphertext.is_empty() && ciphertext.len().is_multiple_of(BLOCK))
}

/// Decrypts a blob whose digest and MAC were **not** checked here.
///
/// # Errors
/// `malformed` if it cannot be a ciphertext, or if the PKCS#7 padding is wrong.
pub fn decrypt_unchecked(kind: MediaKind, key: &[u8; KEY_BYTES], blob: &[u8]) -> Result<Vec<u8>, Reason> {
    decrypt(&derive(kind, key), blob)
}

fn decrypt(keys: &Keys, blob: &[u8]) -> Result<Vec<u8>, Reason> {
    let (ciphertext, _) = split(blob).ok_or(Reason::Malformed)?;
    cbc::Decryptor::<Aes256>::new(&keys.aes.into(), &keys.iv.into())
        .decrypt_padded_vec_mut::<Pkcs7>(ciphertext)
        .map_err(|_| Reason::Malformed)
}

/// Checks digest, form and MAC, then decrypts, then checks the length of the plaintext.
///
/// # Errors
/// `bad-digest`, `bad-mac`, or `malformed`: for a key or digest that is not 32 bytes long, a blob that cannot be one, a wrong
/// PKCS#7 padding, or a plaintext that has not the stated length.
pub fn open(kind: MediaKind, key: &[u8], digest: &[u8], length: u64, blob: &[u8]) -> Result<Vec<u8>, Reason> {
    let key: &[u8; KEY_BYTES] = key.try_into().map_err(|_| Reason::Malformed)?;
    if digest.len() != 32 {
        return Err(Reason::Malformed);
    }
    if !digest_ok(digest, blob) {
        return Err(Reason::BadDigest);
    }
    if !form_ok(blob) {
        return Err(Reason::Malformed);
    }
    let keys = derive(kind, key);
    if !mac_holds(&keys, blob) {
        return Err(Reason::BadMac);
    }
    let plaintext = decrypt(&keys, blob)?;
    if plaintext.len() as u64 != length {
        return Err(Reason::Malformed);
    }
    Ok(plaintext)
}

fn split(blob: &[u8]) -> Option<(&[u8], &[u8])> {
    blob.split_at_checked(blob.len().checked_sub(MAC_BYTES)?)
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn mac(keys: &Keys, ciphertext: &[u8]) -> [u8; MAC_BYTES] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&keys.mac).expect("HMAC takes a key of any length");
    mac.update(&keys.iv);
    mac.update(ciphertext);
    mac.finalize().into_bytes().into()
}
