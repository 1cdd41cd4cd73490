//! Byte strings as state keeps them: written as base64url, and never shown.

use countersign_contract::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// 32 secret bytes: a private key, a root key, a chain key, the seed of a message's keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secret32(pub(crate) [u8; 32]);

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(hidden)")
    }
}

impl Serialize for Secret32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Bytes::from(&self.0[..]).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Secret32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?;
        let found = bytes.0.len();
        bytes.0.try_into().map(Self).map_err(|_| D::Error::invalid_length(found, &"32 bytes"))
    }
}

/// Secret bytes of any length: the private half of a Kyber key, the state of the post-quantum ratchet.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretBytes(pub(crate) Bytes);

impl SecretBytes {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Bytes(bytes))
    }

    pub(crate) fn as_vec(&self) -> &Vec<u8> {
        &self.0.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} B, hidden)", self.0.0.len())
    }
}
