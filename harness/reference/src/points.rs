//! Public keys that must not be used. libsignal takes a public key of low order, or all zero, wherever it takes any (the base key
//! of a first message excepted), so these are checked before it sees them.

use crate::refusal::Refusal;
use countersign_contract::Reason;
use libsignal_protocol::{PrivateKey, PublicKey, kem};

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

/// Private keys are multiples of eight, and points of low order are those that eight takes to the neutral element: any private
/// key shows one, by an agreement that is all zero (RFC 7748, section 6.1).
fn is_low_order(key: &PublicKey) -> bool {
    let agreement = PrivateKey::deserialize(&[0x42; 32]).and_then(|private| private.calculate_agreement(key));
    agreement.map_or(true, |secret| secret.iter().all(|b| *b == 0))
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
