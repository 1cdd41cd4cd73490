//! One party: its keys, and its sessions with peers.

mod groups;
mod keys;
mod messages;

pub use messages::{Opened, Opening};

use crate::curve::KeyPair;
use crate::group::SenderKeys;
use crate::keys::Keys;
use crate::profile::WireProfile;
use crate::refusal::Refusal;
use crate::session::Record;
use countersign_contract::Reason;
use countersign_contract::operations::ImportedKeys;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version byte's low half as each profile's official code writes it first: 0x33 and 0x44.
const fn usual_low(profile: WireProfile) -> u8 {
    profile.version()
}

/// How a party speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Which agreement and which ratchet.
    pub profile: WireProfile,
    /// The low half of the version byte. What a peer writes there is not looked at, as official code does not either.
    pub version_low: u8,
}

impl Config {
    /// A profile with its usual version byte: 0x33 or 0x44.
    #[must_use]
    pub const fn new(profile: WireProfile) -> Self {
        Self { profile, version_low: usual_low(profile) }
    }

    /// X3DH under the version byte 0x34, as official code of the time between wrote it.
    #[must_use]
    pub const fn later_v3() -> Self {
        Self { profile: WireProfile::V3, version_low: 4 }
    }
}

/// A party of our own stack: plain data, without clock, randomness or I/O.
///
/// In honest mode, which is the one without alterations, it does as Signal's library does, but for two things: public keys of low
/// order are refused wherever they stand, and the limit of a chain's jump holds for sessions of a party with itself as well.
///
/// A refusal leaves the party as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Party {
    config: Config,
    keys: Keys,
    sessions: BTreeMap<String, Record>,
    groups: SenderKeys,
}

impl Party {
    /// A party with new keys: an identity, a signed prekey, and a last-resort Kyber prekey where the profile has one. One-time
    /// prekeys are added by [`Self::add_one_time`].
    pub fn new<R: CryptoRng + ?Sized>(config: Config, rng: &mut R) -> Self {
        Self {
            config,
            keys: Keys::new(config.profile.has_kyber(), rng),
            sessions: BTreeMap::new(),
            groups: SenderKeys::default(),
        }
    }

    /// A party with given keys.
    ///
    /// # Errors
    /// `bad-key` for keys of the wrong form; `unsupported` if the profile needs a Kyber prekey and none is given.
    pub fn import<R: CryptoRng + ?Sized>(config: Config, keys: &ImportedKeys, rng: &mut R) -> Result<Self, Refusal> {
        if config.profile.has_kyber() && keys.kyber_prekey.is_none() {
            return Err(Refusal::new(Reason::Unsupported, format!("{} needs a Kyber prekey", config.profile)));
        }
        Ok(Self { config, keys: Keys::import(keys, rng)?, sessions: BTreeMap::new(), groups: SenderKeys::default() })
    }

    /// How the party speaks.
    #[must_use]
    pub const fn config(&self) -> Config {
        self.config
    }

    pub(crate) const fn identity(&self) -> KeyPair {
        self.keys.identity
    }

    /// All of the state, secrets included, to be given to [`Self::restore`] after a restart.
    ///
    /// # Errors
    /// `internal`: does not happen, since all of it is plain data.
    pub fn save(&self) -> Result<Vec<u8>, Refusal> {
        serde_json::to_vec(self).map_err(|error| Refusal::new(Reason::Internal, error))
    }

    /// The party that was saved.
    ///
    /// # Errors
    /// `malformed` for bytes that [`Self::save`] did not make.
    pub fn restore(bytes: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(bytes).map_err(|error| Refusal::new(Reason::Malformed, error))
    }
}
