//! Bytes as they stand in a trace: short ones in place, long ones once on disk by their digest.

use countersign_contract::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// Bodies up to this many bytes stand in the trace itself.
pub const LONGEST_INLINE: usize = 64 * 1024;

/// A SHA-256 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || text.bytes().any(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut out = [0; 32];
        for (i, byte) in out.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        Some(Self(out))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("not 64 lower-case hexadecimal digits"))
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256" })
    }
}

/// A body of bytes: as text if it is text, as base64url if not, by digest alone if it is longer than [`LONGEST_INLINE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Body {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Bytes(Bytes),
    /// Kept beside the record, in `blobs/` under its digest.
    Stored {
        /// SHA-256 of the bytes.
        sha256: Digest,
        /// Their number.
        length: u64,
    },
}

/// The long bodies of an instance, by digest. Each is held once, and shared with whoever else holds it.
pub type Blobs = BTreeMap<Digest, bytes::Bytes>;

impl Body {
    /// Takes bytes in; long ones are copied to `blobs`.
    #[must_use]
    pub fn new(bytes: &[u8], blobs: &mut Blobs) -> Self {
        if bytes.len() > LONGEST_INLINE {
            let sha256 = Digest::of(bytes);
            blobs.entry(sha256).or_insert_with(|| bytes::Bytes::copy_from_slice(bytes));
            return Self::Stored { sha256, length: bytes.len() as u64 };
        }
        Self::inline(bytes)
    }

    /// Takes bytes in without a copy of long ones. If `blobs` has them already, `bytes` becomes another handle to those, so that
    /// they are held once.
    #[must_use]
    pub fn share(bytes: &mut bytes::Bytes, blobs: &mut Blobs) -> Self {
        if bytes.len() <= LONGEST_INLINE {
            return Self::inline(bytes);
        }
        let sha256 = digest_of(bytes, blobs);
        *bytes = blobs.entry(sha256).or_insert_with(|| bytes.clone()).clone();
        Self::Stored { sha256, length: bytes.len() as u64 }
    }

    /// Notes long bytes by digest and length without keeping them: for those that a re-execution makes again.
    #[must_use]
    pub fn noted(bytes: &bytes::Bytes, blobs: &Blobs) -> Self {
        if bytes.len() <= LONGEST_INLINE {
            return Self::inline(bytes);
        }
        Self::Stored { sha256: digest_of(bytes, blobs), length: bytes.len() as u64 }
    }

    fn inline(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(Bytes(bytes.to_vec())),
        }
    }

    /// The bytes, without a copy of long ones; `None` if they are stored and `blobs` does not have them.
    #[must_use]
    pub fn shared(&self, blobs: &Blobs) -> Option<bytes::Bytes> {
        match self {
            Self::Stored { sha256, .. } => blobs.get(sha256).cloned(),
            short => short.bytes(blobs).map(bytes::Bytes::copy_from_slice),
        }
    }

    /// The bytes; `None` if they are stored and `blobs` does not have them.
    #[must_use]
    pub fn bytes<'a>(&'a self, blobs: &'a Blobs) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(&bytes.0),
            Self::Stored { sha256, .. } => blobs.get(sha256).map(AsRef::as_ref),
        }
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.0.len() as u64,
            Self::Stored { length, .. } => *length,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The digest of some bytes, which is known already if they are the very ones that `blobs` holds.
fn digest_of(bytes: &bytes::Bytes, blobs: &Blobs) -> Digest {
    let held = blobs.iter().find(|(_, held)| held.as_ptr() == bytes.as_ptr() && held.len() == bytes.len());
    held.map_or_else(|| Digest::of(bytes), |(digest, _)| *digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bytes_are_held_once_however_often_they_come() {
        let mut blobs = Blobs::new();
        let mut first = bytes::Bytes::from(vec![7; LONGEST_INLINE + 1]);
        let mut again = bytes::Bytes::from(vec![7; LONGEST_INLINE + 1]);
        let body = Body::share(&mut first, &mut blobs);
        assert_eq!(Body::share(&mut again, &mut blobs), body);
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert_eq!(body.shared(&blobs).map(|b| b.as_ptr()), Some(first.as_ptr()));
        assert_eq!(Body::new(&first, &mut blobs), body);
        assert_eq!((blobs.len(), body.len()), (1, LONGEST_INLINE as u64 + 1));
    }

    #[test]
    fn noted_bytes_are_not_kept_and_short_ones_stand_in_place() {
        let mut blobs = Blobs::new();
        let long = bytes::Bytes::from(vec![7; LONGEST_INLINE + 1]);
        let body = Body::noted(&long, &blobs);
        assert!(blobs.is_empty() && body.bytes(&blobs).is_none());
        assert_eq!(body, Body::new(&long, &mut blobs));
        assert_eq!(Body::noted(&bytes::Bytes::from_static(b"short"), &blobs), Body::Text("short".to_owned()));
    }
}
