//! Public keys that must not be used. libsignal takes a public key of low order, or all zero, wherever it takes any (the base key
//! of a first message excepted), so these are checked before it sees them.

use crate::refusal::Refusal;
use countersign_contract::Reason;
use libsignal_protocol::{PublicKey, kem};

/// Length of a serialised Curve25519 public key in bytes.
pub(crate) const CURVE_BYTES: usize = 33;
/// Length of a serialised Kyber-1024 public key in bytes.
const KYBER_BYTES: usize = 1569;
/// Length of the seed at the end of a Kyber public key in bytes; what precedes it is the vector.
const KYBER_SEED_BYTES: usize = 32;

/// Reads a Curve25519 public key.
///
/// # Errors
/// `bad-key` for another length or type, and for a point of low order (all zero included).
pub(crate) fn curve(bytes: &[u8], what: &str) -> Result<PublicKey, Refusal> {
    if bytes.len() != CURVE_BYTES {
        return Err(Refusal::new(Reason::BadKey, format!("{what}: {} bytes in place of {CURVE_BYTES}", bytes.len())));
    }
    let key = PublicKey::deserialize(bytes).map_err(|e| Refusal::new(Reason::BadKey, format!("{what}: {e}")))?;
    if is_low_order(&key) {
        return Err(Refusal::new(Reason::BadKey, format!("{what}: a point of low order")));
    }
    Ok(key)
}

/// The two u-coordinates of order 8, little-endian: with 0, 1 and -1 these are all of low order, on the curve and on its twist
/// (<https://cr.yp.to/ecdh.html>, "How do I validate Curve25519 public keys?").
const ORDER_8: [[u8; 32]; 2] = [
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb,
        0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4,
        0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

/// Whether X25519 makes the same of this key whatever the private key is. A comparison with the few such keys, rather than an
/// agreement that comes out as zero: the check stands before every message.
fn is_low_order(key: &PublicKey) -> bool {
    let Some(mut key) = key.public_key_bytes().first_chunk::<32>().copied() else { return true };
    let [low, middle @ .., high] = &mut key;
    // X25519 does not look at the highest bit.
    *high &= 0x7f;
    let zero_or_one = *low <= 1 && *high == 0 && middle.iter().all(|b| *b == 0);
    // The prime is 2^255 - 19: minus one is written as 2^255 - 20, and zero and one can be written as 2^255 - 19 and - 18 as well.
    let near_prime = (0xec..=0xee).contains(low) && *high == 0x7f && middle.iter().all(|b| *b == 0xff);
    zero_or_one || near_prime || ORDER_8.contains(&key)
}

/// Reads a Kyber-1024 public key.
///
/// # Errors
/// `bad-key` for another length or type, and for one whose vector is zero: what is encapsulated under it can be read by anyone.
pub(crate) fn kyber(bytes: &[u8], what: &str) -> Result<kem::PublicKey, Refusal> {
    let bad = |detail: String| Refusal::new(Reason::BadKey, format!("{what}: {detail}"));
    if bytes.len() != KYBER_BYTES {
        return Err(bad(format!("{} bytes in place of {KYBER_BYTES}", bytes.len())));
    }
    let key = kem::PublicKey::deserialize(bytes).map_err(|e| bad(e.to_string()))?;
    if bytes.iter().skip(1).take(KYBER_BYTES - 1 - KYBER_SEED_BYTES).all(|b| *b == 0) {
        return Err(bad("all zero".into()));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use libsignal_protocol::PrivateKey;
    use proptest::prelude::*;

    /// Private keys are multiples of eight, so an agreement with a point of low order is all zero (RFC 7748, section 6.1).
    fn agreement_is_zero(key: &PublicKey) -> bool {
        PrivateKey::deserialize(&[0x42; 32]).unwrap().calculate_agreement(key).unwrap().iter().all(|b| *b == 0)
    }

    fn agrees(bytes: [u8; 32]) {
        let key = PublicKey::from_djb_public_key_bytes(&bytes).unwrap();
        assert_eq!(is_low_order(&key), agreement_is_zero(&key), "{bytes:02x?}");
    }

    #[test]
    fn every_key_near_a_limit_is_judged_as_the_agreement_judges_it() {
        for high in [0x00, 0x7f, 0x80, 0xff] {
            for (fill, low) in (0..=255).flat_map(|low| [(0x00, low), (0xff, low)]) {
                let mut bytes = [fill; 32];
                (bytes[0], bytes[31]) = (low, high);
                agrees(bytes);
            }
        }
        for mut point in ORDER_8 {
            agrees(point);
            point[31] |= 0x80;
            agrees(point);
            point[0] ^= 1;
            agrees(point);
        }
        let low = (0..=255_u8)
            .filter(|low| is_low_order(&PublicKey::from_djb_public_key_bytes(&[&[*low][..], &[0; 31]].concat()).unwrap()));
        assert_eq!(low.count(), 2);
    }

    proptest! {
        #[test]
        fn any_key_is_judged_as_the_agreement_judges_it(bytes in any::<[u8; 32]>()) {
            agrees(bytes);
        }
    }
}
