//! Encrypted files, by the format that [`countersign_contract::media`] states.
//!
//! [`open`] does all checks in their order; the pieces stand apart as well, so that what a candidate produced can be described
//! check by check.

#[cfg(test)]
mod wycheproof;

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::inout::InOutBuf;
use cbc::cipher::{Block, BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use countersign_contract::Reason;
use countersign_contract::media::{KEY_BYTES, MAC_BYTES, OKM_BYTES, info};
use countersign_contract::seen::MediaKind;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Block length of the cipher in bytes.
const BLOCK: usize = 16;
/// Bytes that are decrypted at once: whole blocks.
const PIECE: usize = 64 * 1024;

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

/// How much longer than its file a blob can be, in bytes.
pub const OVERHEAD: usize = BLOCK + MAC_BYTES;

/// Encrypts a file. The key must be used for this one file only.
#[must_use]
pub fn seal(kind: MediaKind, key: &[u8; KEY_BYTES], plaintext: &[u8]) -> Sealed {
    let mut blob = Vec::with_capacity(plaintext.len() + OVERHEAD);
    blob.extend_from_slice(plaintext);
    let digest = seal_in_place(kind, key, &mut blob);
    Sealed { blob, digest }
}

/// Encrypts a file where it lies: the vector becomes the blob, without a copy if it has room for [`OVERHEAD`] bytes more. Gives
/// the blob's digest. The key must be used for this one file only.
#[must_use]
pub fn seal_in_place(kind: MediaKind, key: &[u8; KEY_BYTES], file: &mut Vec<u8>) -> [u8; 32] {
    let keys = derive(kind, key);
    let padding = BLOCK - file.len() % BLOCK;
    file.resize(file.len() + padding, u8::try_from(padding).unwrap_or(0));
    let (blocks, _) = InOutBuf::from(file.as_mut_slice()).into_chunks();
    cbc::Encryptor::<Aes256>::new(&keys.aes.into(), &keys.iv.into()).encrypt_blocks_inout_mut(blocks);
    let mac = mac(&keys, file);
    file.extend_from_slice(&mac);
    Sha256::digest(&file).into()
}

/// Puts another ciphertext into a blob, with a MAC that holds for it, whatever it is. Gives the new blob's digest.
#[must_use]
pub fn authenticate(kind: MediaKind, key: &[u8; KEY_BYTES], ciphertext: Vec<u8>, blob: &mut Vec<u8>) -> [u8; 32] {
    let mac = mac(&derive(kind, key), &ciphertext);
    *blob = ciphertext;
    blob.extend_from_slice(&mac);
    Sha256::digest(&blob).into()
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

/// What is found of a blob that somebody sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Whether the blob has the digest that its message states.
    pub digest_ok: bool,
    /// Whether its MAC is right.
    pub mac_ok: bool,
    /// SHA-256 of the plaintext, or why there is none: as [`open`] says.
    pub plaintext: Result<[u8; 32], Reason>,
}

/// Does the checks of [`open`], each of them once, and decrypts piece by piece: the plaintext is never held as a whole.
#[must_use]
pub fn examine(kind: MediaKind, key: &[u8; KEY_BYTES], digest: &[u8], length: u64, blob: &[u8]) -> Examined {
    let keys = derive(kind, key);
    let (digest_ok, mac_ok) = (digest_ok(digest, blob), mac_holds(&keys, blob));
    let plaintext = match split(blob) {
        _ if digest.len() != 32 => Err(Reason::Malformed),
        _ if !digest_ok => Err(Reason::BadDigest),
        Some((ciphertext, _)) if form_ok(blob) => {
            if mac_ok {
                plaintext_digest(&keys, ciphertext, length)
            } else {
                Err(Reason::BadMac)
            }
        }
        _ => Err(Reason::Malformed),
    };
    Examined { digest_ok, mac_ok, plaintext }
}

/// SHA-256 of what whole blocks decrypt to, without its padding.
fn plaintext_digest(keys: &Keys, ciphertext: &[u8], length: u64) -> Result<[u8; 32], Reason> {
    let (rest, last) = ciphertext.split_last_chunk::<BLOCK>().ok_or(Reason::Malformed)?;
    let mut cipher = cbc::Decryptor::<Aes256>::new(&keys.aes.into(), &keys.iv.into());
    let mut hash = Sha256::new();
    let mut buffer = vec![0; PIECE.min(rest.len())];
    for piece in rest.chunks(PIECE) {
        let in_place = buffer.get_mut(..piece.len()).ok_or(Reason::Malformed)?;
        in_place.copy_from_slice(piece);
        let (blocks, _) = InOutBuf::from(&mut *in_place).into_chunks();
        cipher.decrypt_blocks_inout_mut(blocks);
        hash.update(in_place);
    }
    let mut last = Block::<Aes256>::from(*last);
    cipher.decrypt_block_mut(&mut last);
    let padding = usize::from(*last.last().ok_or(Reason::Malformed)?);
    let kept = BLOCK.checked_sub(padding).filter(|_| padding > 0).ok_or(Reason::Malformed)?;
    let (end, pad) = last.split_at_checked(kept).ok_or(Reason::Malformed)?;
    if pad.iter().any(|b| usize::from(*b) != padding) || (rest.len() + kept) as u64 != length {
        return Err(Reason::Malformed);
    }
    hash.update(end);
    Ok(hash.finalize().into())
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
