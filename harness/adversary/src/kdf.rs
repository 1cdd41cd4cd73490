//! Key derivation and the symmetric ciphers, under the info strings of Signal's protocol.

#[cfg(test)]
mod wycheproof;

use crate::secret::Secret32;
use aes::Aes256;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _, StreamCipher as _};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Length of a message's MAC in bytes.
pub const MAC_BYTES: usize = 8;
/// Length of a MAC in a sealed message, in bytes.
const SEALED_MAC_BYTES: usize = 10;
/// Length of a block of AES in bytes.
pub(crate) const BLOCK: usize = 16;

/// HKDF-SHA256 (RFC 5869). The salt defaults to zeros.
pub(crate) fn hkdf<const N: usize>(salt: Option<&[u8]>, secret: &[u8], info: &[u8]) -> [u8; N] {
    let mut output = [0; N];
    let expanded = Hkdf::<Sha256>::new(salt, secret).expand(info, &mut output);
    debug_assert!(expanded.is_ok(), "at most 255 * 32 bytes are asked for");
    output
}

pub(crate) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // `new` takes a key of one block of SHA-256, and a shorter one is filled with zeros, as HMAC does itself.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Where a chain stands: its key, and the number of the next message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChainKey {
    pub(crate) key: Secret32,
    pub(crate) index: u32,
}

impl ChainKey {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key: Secret32(key), index: 0 }
    }

    /// The secret from which the keys of the next message come.
    pub(crate) fn seed(&self) -> Secret32 {
        Secret32(hmac(&self.key.0, &[&[1]]))
    }

    /// One message further. A chain of 2^32 messages does not go on.
    pub(crate) fn step(&mut self) {
        self.key = Secret32(hmac(&self.key.0, &[&[2]]));
        self.index = self.index.saturating_add(1);
    }
}

/// A step of the root chain: new root key, and the key of a new chain.
pub(crate) fn root_step(root: &Secret32, agreement: &[u8; 32]) -> (Secret32, ChainKey) {
    let keys: [u8; 64] = hkdf(Some(&root.0), agreement, b"WhisperRatchet");
    let ([root, chain], _) = split(&keys);
    (Secret32(root), ChainKey::new(chain))
}

/// Cuts a derivation into keys of 32 bytes and what is left.
pub(crate) fn split<const K: usize>(bytes: &[u8]) -> ([[u8; 32]; K], &[u8]) {
    let (mut keys, mut rest) = ([[0; 32]; K], bytes);
    for key in &mut keys {
        if let Some((first, others)) = rest.split_first_chunk::<32>() {
            (*key, rest) = (*first, others);
        }
    }
    (keys, rest)
}

/// The keys of one message.
pub(crate) struct MessageKeys {
    cipher: [u8; 32],
    mac: [u8; 32],
    iv: [u8; BLOCK],
}

impl MessageKeys {
    /// From a chain's seed, salted with the post-quantum ratchet's key where there is one.
    pub(crate) fn derive(seed: &Secret32, post_quantum: Option<&[u8]>) -> Self {
        let bytes: [u8; 80] = hkdf(post_quantum, &seed.0, b"WhisperMessageKeys");
        let ([cipher, mac], rest) = split(&bytes);
        let mut iv = [0; BLOCK];
        iv.copy_from_slice(rest);
        Self { cipher, mac, iv }
    }

    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        encrypt(&self.cipher, &self.iv, plaintext)
    }

    /// Whole blocks as they are given: the padding is the caller's.
    pub(crate) fn encrypt_blocks(&self, blocks: &[u8]) -> Vec<u8> {
        encrypt_blocks(&self.cipher, &self.iv, blocks)
    }

    /// `None` for a length that is no whole number of blocks, for nothing, and for a padding that is not PKCS#7.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        decrypt(&self.cipher, &self.iv, ciphertext)
    }

    /// Over the identity keys of sender and receiver and all of the message before the MAC.
    pub(crate) fn mac(&self, sender: &[u8], receiver: &[u8], message: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&hmac(&self.mac, &[sender, receiver, message])[..MAC_BYTES]);
        mac
    }
}

/// The keys of one message under a sender key: no MAC, since the message is signed.
pub(crate) struct GroupKeys {
    cipher: [u8; 32],
    iv: [u8; BLOCK],
}

impl GroupKeys {
    pub(crate) fn derive(seed: &Secret32) -> Self {
        let bytes: [u8; 48] = hkdf(None, &seed.0, b"WhisperGroup");
        let (mut iv, mut cipher) = ([0; BLOCK], [0; 32]);
        iv.copy_from_slice(&bytes[..BLOCK]);
        cipher.copy_from_slice(&bytes[BLOCK..]);
        Self { cipher, iv }
    }

    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        encrypt(&self.cipher, &self.iv, plaintext)
    }

    pub(crate) fn encrypt_blocks(&self, blocks: &[u8]) -> Vec<u8> {
        encrypt_blocks(&self.cipher, &self.iv, blocks)
    }

    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        decrypt(&self.cipher, &self.iv, ciphertext)
    }
}

/// AES-256 in counter mode from zero, and the first ten bytes of an HMAC of the ciphertext.
pub(crate) fn ctr_and_mac(cipher: &[u8; 32], mac: &[u8; 32], plaintext: &[u8]) -> Vec<u8> {
    let mut bytes = plaintext.to_vec();
    ctr::Ctr32BE::<Aes256>::new(cipher.into(), &[0; BLOCK].into()).apply_keystream(&mut bytes);
    let tag = hmac(mac, &[&bytes]);
    bytes.extend_from_slice(&tag[..SEALED_MAC_BYTES]);
    bytes
}

fn encrypt_blocks(key: &[u8; 32], iv: &[u8; BLOCK], blocks: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec_mut::<NoPadding>(blocks)
}

/// AES-256-CBC with PKCS#7.
fn encrypt(key: &[u8; 32], iv: &[u8; BLOCK], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec_mut::<Pkcs7>(plaintext)
}

/// AES-256-CBC with PKCS#7; `None` for what that cannot have made.
fn decrypt(key: &[u8; 32], iv: &[u8; BLOCK], ciphertext: &[u8]) -> Option<Vec<u8>> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        return None;
    }
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into()).decrypt_padded_vec_mut::<Pkcs7>(ciphertext).ok()
}
