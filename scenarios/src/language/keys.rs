//! Keys: bundles and how they are bent, rotation, safety numbers.

use super::Rewrite;
use countersign_adversary::Alteration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user fetches keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FetchKeys {
    /// Who.
    pub user: String,
    /// Whose.
    pub of: String,
    /// Name of the attempt, for `expect`.
    #[serde(rename = "as")]
    pub name: String,
    /// Members on the stack `adversary` only: what is done wrongly in the set-up of the session.
    #[serde(default)]
    pub alter: Vec<Alteration>,
}

/// Bends a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bundle {
    /// Whose.
    pub of: String,
    /// How.
    pub rule: BundleBend,
}

/// How a bundle is bent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BundleBend {
    /// A bit of the signed prekey's signature is flipped.
    SignedPrekeySignature,
    /// A bit of the Kyber prekey's signature is flipped.
    KyberPrekeySignature,
    /// The signed prekey is another user's, with that user's signature.
    SignedPrekeyOf(String),
    /// The Kyber prekey is another user's, with that user's signature.
    KyberPrekeyOf(String),
    /// The signed prekey is this weak key, properly signed by a reference user's identity.
    WeakSignedPrekey(WeakKey),
    /// The one-time prekey is this weak key.
    WeakOneTimePrekey(WeakKey),
    /// The identity key is this weak key.
    WeakIdentity(WeakKey),
    /// The Kyber prekey is all zero, properly signed.
    ZeroKyberPrekey,
    /// There is no one-time prekey.
    NoOneTimePrekey,
    /// The same one-time prekeys as in the answer before.
    SameAgain,
    /// This is wrong in the JSON of the answer, if it goes to a candidate's client.
    Rewrite(Vec<Rewrite>),
}

/// Public keys on which Diffie-Hellman gives a value that everybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WeakKey {
    /// All bytes zero.
    Zero,
    /// The point 1, of order 4.
    One,
    /// A point of order 8.
    OrderEight,
    /// A second point of order 8.
    OrderEightTwin,
    /// p - 1, of order 2 on the twist's side.
    MinusOne,
    /// p, which is zero written another way.
    ModulusAsZero,
    /// p + 1, which is one written another way.
    ModulusAsOne,
}

impl WeakKey {
    /// The 32 bytes of the key. From the list of small-order points of Curve25519 (RFC 7748, section 7 names the check).
    #[must_use]
    pub const fn bytes(self) -> [u8; 32] {
        const EIGHT: [u8; 32] = [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d,
            0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ];
        const EIGHT_TWIN: [u8; 32] = [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c,
            0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ];
        const fn modulus_plus(last: u8) -> [u8; 32] {
            let mut key = [0xff; 32];
            key[0] = last;
            key[31] = 0x7f;
            key
        }
        let mut key = [0; 32];
        match self {
            Self::Zero => {}
            Self::One => key[0] = 1,
            Self::OrderEight => key = EIGHT,
            Self::OrderEightTwin => key = EIGHT_TWIN,
            Self::MinusOne => key = modulus_plus(0xec),
            Self::ModulusAsZero => key = modulus_plus(0xed),
            Self::ModulusAsOne => key = modulus_plus(0xee),
        }
        key
    }
}

/// A user makes new keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RotateKeys {
    /// Who.
    pub user: String,
    /// A new signed prekey.
    #[serde(default)]
    pub signed: bool,
    /// A new last-resort Kyber prekey.
    #[serde(default)]
    pub kyber: bool,
    /// Further one-time prekeys of each kind.
    #[serde(default)]
    pub one_time_prekeys: u32,
}

/// A user and a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pair {
    /// Who.
    pub user: String,
    /// With regard to whom.
    pub peer: String,
}

/// A user looks at a safety number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VerifyIdentity {
    /// Who.
    pub user: String,
    /// With whom.
    pub peer: String,
    /// Name of what was seen, for `expect`.
    #[serde(rename = "as")]
    pub name: String,
}
