//! Keys that somebody else made, read from their private halves.

use countersign_contract::Reason;
use libsignal_protocol::{IdentityKey, IdentityKeyPair, KeyPair, PrivateKey};

/// Length of a signature in bytes.
const SIGNATURE_BYTES: usize = 64;

/// An identity from its private key.
pub(super) fn identity(private: &[u8]) -> Result<IdentityKeyPair, Reason> {
    let pair = key_pair(private)?;
    Ok(IdentityKeyPair::new(IdentityKey::new(pair.public_key), pair.private_key))
}

/// A key pair from its private key, 32 bytes.
pub(super) fn key_pair(private: &[u8]) -> Result<KeyPair, Reason> {
    let private_key = PrivateKey::deserialize(private).map_err(|_| Reason::BadKey)?;
    let public_key = private_key.public_key().map_err(|_| Reason::BadKey)?;
    Ok(KeyPair::new(public_key, private_key))
}

/// A signature, as far as its length tells. Whether it is right is the business of those who fetch the key.
pub(super) fn signature(bytes: &[u8]) -> Result<&[u8], Reason> {
    if bytes.len() == SIGNATURE_BYTES { Ok(bytes) } else { Err(Reason::BadKey) }
}
