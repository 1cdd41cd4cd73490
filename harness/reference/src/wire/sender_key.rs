//! Sender key messages as fields, read without any key; and how to bend one of them.
//!
//! ```text
//! version byte || protobuf { 1 distribution id (16 bytes), 2 chain id, 3 iteration, 4 ciphertext } || signature, 64 bytes
//! ```
//! The signature covers the version byte and the protobuf.

use super::protobuf::{Value, walk, write_number};

/// Bytes of the signature at the end.
const SIGNATURE_BYTES: usize = 64;

/// Fields that can be bent, by the names that scenarios use.
pub const SENDER_KEY_FIELDS: [&str; 8] =
    ["version", "unknown-version", "distribution-id", "chain-id", "iteration", "ciphertext", "signature", "signature-stripped"];

/// Why a sender key message cannot be bent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderKeyTamperError {
    /// No such field.
    #[error("a sender key message has no field `{0}`")]
    NoSuchField(String),
    /// It is not a sender key message.
    #[error("not a sender key message")]
    Malformed,
}

/// Changes one field; all else, the signature included, stays as it is.
///
/// # Errors
/// See [`SenderKeyTamperError`].
pub fn tamper_sender_key_message(body: &[u8], field: &str) -> Result<Vec<u8>, SenderKeyTamperError> {
    use SenderKeyTamperError::Malformed;
    let signature = body.len().checked_sub(SIGNATURE_BYTES).filter(|at| *at > 1).ok_or(Malformed)?;
    let mut out = body.to_vec();
    let number = match field {
        "version" => {
            // Another low half says which version the sender itself has reached, and the signature covers that.
            *out.first_mut().ok_or(Malformed)? ^= 1;
            return Ok(out);
        }
        "unknown-version" => {
            *out.first_mut().ok_or(Malformed)? = 0xff;
            return Ok(out);
        }
        "signature" => {
            *out.last_mut().ok_or(Malformed)? ^= 1;
            return Ok(out);
        }
        "signature-stripped" => {
            out.truncate(signature);
            return Ok(out);
        }
        "distribution-id" => 1,
        "chain-id" => 2,
        "iteration" => 3,
        "ciphertext" => 4,
        other => return Err(SenderKeyTamperError::NoSuchField(other.to_owned())),
    };
    let protobuf = body.get(1..signature).ok_or(Malformed)?;
    let entries = walk(protobuf).map_err(|_| Malformed)?;
    let entry = entries.into_iter().rev().find(|entry| entry.number == number).ok_or(Malformed)?;
    match entry.value {
        Value::Bytes(range) => {
            let last = range.end.checked_sub(1).filter(|last| *last >= range.start).ok_or(Malformed)?;
            *out.get_mut(1 + last).ok_or(Malformed)? ^= 1;
            Ok(out)
        }
        Value::Number(value) => {
            let mut bent = body.get(..1 + entry.tag.end).ok_or(Malformed)?.to_vec();
            write_number(&mut bent, value ^ 1);
            bent.extend_from_slice(body.get(1 + entry.whole.end..).ok_or(Malformed)?);
            Ok(bent)
        }
        Value::Fixed => Err(Malformed),
    }
}
