//! What a record says of a secret key.

use crate::body::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// By what a key of 32 bytes is known without being told: its digest, and its first two bytes, so that it can be looked for at every
/// place of what a candidate sent without a digest for each place. Of 2^256 keys, 2^240 begin like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyMark {
    /// The first two bytes, the first one in the upper half.
    pub begins: u16,
    /// SHA-256 of the whole key.
    pub sha256: Digest,
}

impl KeyMark {
    /// The mark of a key. Shorter ones than two bytes, which no key is, count as if zeros followed.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        Self { begins: begins(key), sha256: Digest::of(key) }
    }

    /// Whether these bytes are the key.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        self.begins == begins(bytes) && self.sha256 == Digest::of(bytes)
    }
}

fn begins(bytes: &[u8]) -> u16 {
    let at = |index| bytes.get(index).copied().unwrap_or_default();
    u16::from_be_bytes([at(0), at(1)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_mark_is_of_its_key_alone(key in any::<[u8; 32]>(), at in 0..32_usize, by in 1..=255_u8) {
            let mark = KeyMark::of(&key);
            prop_assert!(mark.is(&key));
            let mut other = key;
            other[at] ^= by;
            prop_assert!(!mark.is(&other));
            prop_assert!(!mark.is(&key[1..]));
        }
    }
}
