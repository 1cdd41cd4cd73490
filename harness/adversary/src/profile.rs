//! The wire profiles that this stack speaks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of the agreement and of the ratchet, as two peers speak it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WireProfile {
    /// X3DH and the Double Ratchet: message version 3.
    V3,
    /// PQXDH and the Double Ratchet: message version 4, field 5 left out.
    V4,
    /// PQXDH and the Triple Ratchet: message version 4 with the post-quantum ratchet's messages in field 5.
    V4Spqr,
}

impl WireProfile {
    /// Message version: the high half of the version byte.
    #[must_use]
    pub const fn version(self) -> u8 {
        match self {
            Self::V3 => 3,
            Self::V4 | Self::V4Spqr => 4,
        }
    }

    /// Whether the agreement needs a Kyber prekey.
    #[must_use]
    pub const fn has_kyber(self) -> bool {
        !matches!(self, Self::V3)
    }

    /// Whether the post-quantum ratchet runs.
    #[must_use]
    pub const fn has_spqr(self) -> bool {
        matches!(self, Self::V4Spqr)
    }
}

impl fmt::Display for WireProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3 => "v3",
            Self::V4 => "v4",
            Self::V4Spqr => "v4-spqr",
        })
    }
}
