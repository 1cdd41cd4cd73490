//! Curve25519: key pairs, agreements, and XEdDSA signatures (<https://signal.org/docs/specifications/xeddsa/>).

#[cfg(test)]
mod wycheproof;

use crate::refusal::Refusal;
use crate::secret::Secret32;
use countersign_contract::{Bytes, Reason};
use curve25519_dalek::constants::ED25519_BASEPOINT_TABLE;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use rand::CryptoRng;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha512};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The first byte of a serialised Curve25519 public key.
const TYPE: u8 = 0x05;
/// Length of a serialised public key in bytes, the type included.
pub const PUBLIC_KEY_BYTES: usize = 33;
/// Length of an XEdDSA signature in bytes.
pub const SIGNATURE_BYTES: usize = 64;

/// The u-coordinates, little-endian, that X25519 turns into nothing whatever the private key is: 0, 1, the two of order 8, and -1;
/// then 0 and 1 once more, written as p and p + 1 (<https://cr.yp.to/ecdh.html>). The highest bit is not looked at.
const LOW_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    with_ends([0; 32], 0x01, 0x00),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb,
        0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4,
        0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    with_ends([0xff; 32], 0xec, 0x7f),
    with_ends([0xff; 32], 0xed, 0x7f),
    with_ends([0xff; 32], 0xee, 0x7f),
];

/// One of the seven points of low order.
pub(crate) fn low_order_point(index: u8) -> Option<PublicKey> {
    LOW_ORDER.get(usize::from(index)).copied().map(PublicKey)
}

const fn with_ends(mut bytes: [u8; 32], first: u8, last: u8) -> [u8; 32] {
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// A Curve25519 public key: its u-coordinate. Not necessarily one that may be used: see [`PublicKey::is_low_order`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Reads a serialised key of 33 bytes.
    ///
    /// # Errors
    /// `bad-key` for another length or type, and for a point of low order (all zero included).
    pub fn read(bytes: &[u8], what: &str) -> Result<Self, Refusal> {
        let bad = |detail: String| Refusal::new(Reason::BadKey, format!("{what}: {detail}"));
        let (kind, point) = bytes.split_first().ok_or_else(|| bad("empty".into()))?;
        let point: [u8; 32] =
            point.try_into().map_err(|_| bad(format!("{} bytes in place of {PUBLIC_KEY_BYTES}", bytes.len())))?;
        if *kind != TYPE {
            return Err(bad(format!("type {kind:#04x} in place of {TYPE:#04x}")));
        }
        let key = Self(point);
        if key.is_low_order() {
            return Err(bad("a point of low order".into()));
        }
        Ok(key)
    }

    /// The key as it is sent: type and point, 33 bytes.
    #[must_use]
    pub fn serialized(&self) -> [u8; PUBLIC_KEY_BYTES] {
        let mut bytes = [TYPE; PUBLIC_KEY_BYTES];
        bytes[1..].copy_from_slice(&self.0);
        bytes
    }

    /// Whether X25519 makes the same of this key whatever the private key is.
    #[must_use]
    pub fn is_low_order(&self) -> bool {
        let mut point = self.0;
        point[31] &= 0x7f;
        LOW_ORDER.contains(&point)
    }

    /// Whether the point lies in the prime-order group of the curve itself and is written in the one canonical way. The official
    /// code asks that of a base key, and of no other.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        let reduced = self.0[31] < 0x7f || self.0[1..31].iter().any(|byte| *byte != 0xff) || self.0[0] < 0xed;
        self.0[31] & 0x80 == 0 && reduced && MontgomeryPoint(self.0).to_edwards(0).is_some_and(|point| point.is_torsion_free())
    }

    /// Whether an XEdDSA signature is this key's. Signal's variant: the sign of the Edwards point is the signature's highest bit.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = <&[u8; SIGNATURE_BYTES]>::try_from(signature) else { return false };
        let (nonce, scalar) = halves(signature);
        let (sign, mut scalar) = (scalar[31] >> 7, scalar);
        scalar[31] &= 0x7f;
        if scalar[31] & 0xe0 != 0 {
            return false;
        }
        let Some(point) = MontgomeryPoint(self.0).to_edwards(sign) else { return false };
        let challenge = challenge(&nonce, &point, message);
        let expected =
            EdwardsPoint::vartime_double_scalar_mul_basepoint(&challenge, &-point, &Scalar::from_bytes_mod_order(scalar));
        expected.compress().as_bytes().ct_eq(&nonce).into()
    }
}

fn halves(signature: &[u8; SIGNATURE_BYTES]) -> ([u8; 32], [u8; 32]) {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    first.copy_from_slice(&signature[..32]);
    second.copy_from_slice(&signature[32..]);
    (first, second)
}

fn challenge(nonce: &[u8; 32], key: &EdwardsPoint, message: &[u8]) -> Scalar {
    Scalar::from_hash(Sha512::new().chain_update(nonce).chain_update(key.compress().as_bytes()).chain_update(message))
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", Bytes::from(&self.0[..]).to_base64url())
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Bytes::from(&self.0[..]).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?;
        let found = bytes.0.len();
        bytes.0.try_into().map(Self).map_err(|_| D::Error::invalid_length(found, &"32 bytes"))
    }
}

/// A Curve25519 private key with its public one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPair {
    private: Secret32,
    /// The public half.
    pub public: PublicKey,
}

impl KeyPair {
    /// A new pair.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut private = [0; 32];
        rng.fill_bytes(&mut private);
        Self::from_private(private)
    }

    /// The pair of a private key of 32 bytes, clamped or not.
    #[must_use]
    pub fn from_private(private: [u8; 32]) -> Self {
        let private = clamp_integer(private);
        Self { private: Secret32(private), public: PublicKey(EdwardsPoint::mul_base_clamped(private).to_montgomery().0) }
    }

    /// A public key that this party claims without its private half. Only sensible for a point of low order: what anyone agrees with
    /// it is all zero.
    pub(crate) const fn with_public(public: PublicKey) -> Self {
        Self { private: Secret32([0; 32]), public }
    }

    /// The X25519 agreement with a public key. All zero for a point of low order, on either side: nothing is refused here.
    pub(crate) fn agree(&self, their: &PublicKey) -> [u8; 32] {
        if self.public.is_low_order() {
            return [0; 32];
        }
        MontgomeryPoint(their.0).mul_clamped(self.private.0).0
    }

    /// The private key, 32 bytes, clamped.
    #[must_use]
    pub fn private_bytes(&self) -> [u8; 32] {
        self.private.0
    }

    /// An XEdDSA signature.
    pub fn sign<R: CryptoRng + ?Sized>(&self, message: &[u8], rng: &mut R) -> [u8; SIGNATURE_BYTES] {
        let mut random = [0; 64];
        rng.fill_bytes(&mut random);
        let key = Scalar::from_bytes_mod_order(self.private.0);
        let point = &key * ED25519_BASEPOINT_TABLE;
        // hash1 of the specification: the number 2^256 - 1 - 1, little-endian, before everything.
        let mut prefix = [0xff; 32];
        prefix[0] = 0xfe;
        let seed = Sha512::new().chain_update(prefix).chain_update(self.private.0).chain_update(message).chain_update(random);
        let nonce = Scalar::from_hash(seed);
        let commitment = (&nonce * ED25519_BASEPOINT_TABLE).compress();
        let response = challenge(commitment.as_bytes(), &point, message) * key + nonce;
        let mut signature = [0; SIGNATURE_BYTES];
        signature[..32].copy_from_slice(commitment.as_bytes());
        signature[32..].copy_from_slice(response.as_bytes());
        signature[63] = (signature[63] & 0x7f) | (point.compress().as_bytes()[31] & 0x80);
        signature
    }
}
