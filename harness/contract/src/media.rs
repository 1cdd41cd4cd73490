//! The format of an encrypted file. The cryptography is left to each implementation; here stands what it must produce.
//!
//! ```text
//! key        32 random bytes, one for each upload, never used again
//! okm        HKDF-SHA256(salt = none, ikm = key, info = "countersign media " + kind, 112 bytes)
//!            kind is image, video, voice or file
//! iv         okm[0..16]     aes key  okm[16..48]     mac key  okm[48..80]     okm[80..112] is not used
//! ciphertext AES-256-CBC(aes key, iv, PKCS#7(plaintext))
//! mac        HMAC-SHA256(mac key, iv || ciphertext), 32 bytes
//! blob       ciphertext || mac                                 this is what is uploaded
//! digest     SHA-256(blob), carried inside the encrypted message
//! ```
//! A receiver checks the digest, then the MAC, and only then decrypts: `bad-digest` and `bad-mac` name which of the two failed,
//! `malformed` a blob that cannot be one or a plaintext whose length is not the stated one, `media-missing` a blob that is not
//! there. Nothing of the message is shown then.

use crate::seen::MediaKind;

/// Length of a media key in bytes.
pub const KEY_BYTES: usize = 32;
/// Length of the MAC at the end of a blob in bytes.
pub const MAC_BYTES: usize = 32;
/// Output length of the key derivation in bytes.
pub const OKM_BYTES: usize = 112;
/// Largest blob that the gateway takes, in bytes.
pub const LARGEST_BLOB: usize = 80 * 1024 * 1024;

/// The `info` of the key derivation for a kind of file.
#[must_use]
pub fn info(kind: MediaKind) -> Vec<u8> {
    format!("countersign media {}", kind.as_str()).into_bytes()
}
