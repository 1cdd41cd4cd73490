//! One named field of a message bent; every other byte stays as it is, but for lengths that follow from it.

use super::field::{Field, Layer, Place, UnknownField};
use super::message::{MAC_BYTES, WireError, parse, split_normal};
use super::protobuf::{Value, walk, write_number};
use countersign_contract::portable::MessageType;

/// The name for a post-quantum ratchet's message that is cut off.
const PQ_RATCHET_CUT: &str = "pq-ratchet-cut";
/// Names for versions, with the byte: one that does not exist yet, the one before PQXDH, and the one before signed prekeys.
const OTHER_VERSIONS: [(&str, u8); 3] = [("unknown-version", 0x54), ("older-version", 0x34), ("oldest-version", 0x22)];
/// What is left of it: version, epoch and index at most.
const CUT_BYTES: usize = 3;

/// What to do to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// Flip one bit: counted from the lowest of the first byte, or of a number, and modulo the bits that there are; so -8 is the
    /// lowest bit of the last byte. Numbers have 32 bits.
    FlipBit(i64),
    /// Put other bytes there; a field that is absent is added as the last one.
    Bytes(Vec<u8>),
    /// Put another number there; a field that is absent is added as the last one.
    Number(u32),
    /// Take the field out.
    Remove,
}

/// Why a field cannot be bent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TamperError {
    /// The message cannot be read that far.
    #[error(transparent)]
    Unreadable(#[from] WireError),
    /// No message has such a field.
    #[error(transparent)]
    Unknown(#[from] UnknownField),
    /// This kind of message has no such field.
    #[error("a message of this kind has no field {0}")]
    NoSuchField(Field),
    /// The field is absent, so that nothing can be flipped or removed.
    #[error("the field {0} is absent from this message")]
    Absent(Field),
    /// Bytes for a number, a number for bytes, or a wrong count of bytes for the version or the MAC.
    #[error("the field {0} cannot hold that")]
    WrongKind(Field),
}

/// Bends the field of that name in the way that tells most: one bit where the field alone is at stake, and not its type byte or
/// its form. Numbers that name a prekey get a bit that no neighbour has, the counter moves on by one (never back to a message that
/// was received before), the outer version becomes one that does not exist, and an absent field is added. The name
/// `pq-ratchet-cut` cuts the post-quantum ratchet's message off before its kind; `unknown-version`, `older-version` and
/// `oldest-version` put another version in front.
///
/// # Errors
/// See [`TamperError`].
pub fn tamper_named(body: &[u8], kind: MessageType, name: &str) -> Result<Vec<u8>, TamperError> {
    if name == PQ_RATCHET_CUT {
        let mut start = parse(kind, body)?.inner().pq_ratchet.ok_or(TamperError::Absent(Field::PqRatchet))?.to_vec();
        start.truncate(CUT_BYTES);
        return tamper(body, kind, Field::PqRatchet, &How::Bytes(start));
    }
    if let Some((_, version)) = OTHER_VERSIONS.iter().find(|(known, _)| *known == name) {
        // The version that decides how the message is read: of a first message, the outer one.
        let field = if kind == MessageType::Prekey { Field::OuterVersion } else { Field::Version };
        return tamper(body, kind, field, &How::Bytes(vec![*version]));
    }
    let field: Field = name.parse()?;
    let how = match field {
        Field::Counter => How::Number(parse(kind, body)?.inner().counter.wrapping_add(1)),
        // Low half of the version byte: the sender's own version, which has no say but is authenticated.
        Field::Version | Field::Ciphertext | Field::PreviousCounter | Field::RegistrationId => How::FlipBit(0),
        Field::OuterVersion => How::FlipBit(4),
        // Behind the type byte.
        Field::RatchetKey | Field::BaseKey | Field::IdentityKey => How::FlipBit(8),
        Field::PrekeyId | Field::SignedPrekeyId | Field::KyberPrekeyId => How::FlipBit(20),
        // Of the last byte: what stands in front decides how the rest is read.
        Field::PqRatchet | Field::KyberCiphertext | Field::Message | Field::Mac => How::FlipBit(-8),
        Field::Addresses => How::FlipBit(8),
    };
    match (tamper(body, kind, field, &how), field.place()) {
        (Err(TamperError::Absent(_)), Place::Bytes(_)) => tamper(body, kind, field, &How::Bytes(vec![1; 36])),
        (Err(TamperError::Absent(_)), Place::Number(_)) => tamper(body, kind, field, &How::Number(1)),
        (outcome, _) => outcome,
    }
}

/// Bends one field of a message. For a prekey message, the inner fields are those of the embedded message.
///
/// # Errors
/// See [`TamperError`].
pub fn tamper(body: &[u8], kind: MessageType, field: Field, how: &How) -> Result<Vec<u8>, TamperError> {
    match (kind, field.layer()) {
        (MessageType::Normal, Layer::Inner) => inner(body, field, how),
        (MessageType::Normal, Layer::Outer) => Err(TamperError::NoSuchField(field)),
        (MessageType::Prekey, Layer::Outer) => {
            let (version, protobuf) = body.split_first().ok_or(WireError::TooShort(body.len()))?;
            with_version(*version, protobuf, field, how)
        }
        (MessageType::Prekey, Layer::Inner) => {
            let (version, protobuf) = body.split_first().ok_or(WireError::TooShort(body.len()))?;
            let embedded = find(protobuf, Field::Message)?.ok_or(TamperError::Absent(Field::Message))?;
            let Content::Bytes(embedded) = embedded else { return Err(TamperError::WrongKind(Field::Message)) };
            let bent = inner(embedded, field, how)?;
            with_version(*version, protobuf, Field::Message, &How::Bytes(bent))
        }
    }
}

fn inner(body: &[u8], field: Field, how: &How) -> Result<Vec<u8>, TamperError> {
    let (version, protobuf, mac) = split_normal(body)?;
    if field.place() == Place::Mac {
        let mut out = body.get(..body.len() - MAC_BYTES).unwrap_or_default().to_vec();
        out.extend(match how {
            How::FlipBit(bit) => flip(mac, *bit, field)?,
            How::Bytes(bytes) if bytes.len() == MAC_BYTES => bytes.clone(),
            How::Remove => Vec::new(),
            How::Bytes(_) | How::Number(_) => return Err(TamperError::WrongKind(field)),
        });
        return Ok(out);
    }
    let mut out = with_version(version, protobuf, field, how)?;
    out.extend_from_slice(mac);
    Ok(out)
}

/// Bends a field of a version byte and a protobuf.
fn with_version(version: u8, protobuf: &[u8], field: Field, how: &How) -> Result<Vec<u8>, TamperError> {
    if field.place() == Place::Version {
        let mut out = match how {
            How::FlipBit(bit) => flip(&[version], *bit, field)?,
            How::Bytes(bytes) if bytes.len() == 1 => bytes.clone(),
            How::Number(number) => vec![u8::try_from(*number).map_err(|_| TamperError::WrongKind(field))?],
            How::Remove => Vec::new(),
            How::Bytes(_) => return Err(TamperError::WrongKind(field)),
        };
        out.extend_from_slice(protobuf);
        return Ok(out);
    }
    let mut out = vec![version];
    out.extend(replace(protobuf, field, how)?);
    Ok(out)
}

/// The value of a field.
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn find(protobuf: &[u8], field: Field) -> Result<Option<Content<'_>>, TamperError> {
    let (Place::Number(number) | Place::Bytes(number)) = field.place() else { return Ok(None) };
    let entries = walk(protobuf).map_err(WireError::from)?;
    let Some(entry) = entries.into_iter().rev().find(|entry| entry.number == number) else { return Ok(None) };
    Ok(Some(match entry.value {
        Value::Number(value) => Content::Number(value),
        Value::Bytes(range) => Content::Bytes(protobuf.get(range).unwrap_or_default()),
        Value::Fixed => return Err(TamperError::WrongKind(field)),
    }))
}

fn replace(protobuf: &[u8], field: Field, how: &How) -> Result<Vec<u8>, TamperError> {
    let (number, wire_type) = match field.place() {
        Place::Number(number) => (number, 0),
        Place::Bytes(number) => (number, 2),
        Place::Version | Place::Mac => return Err(TamperError::NoSuchField(field)),
    };
    let entries = walk(protobuf).map_err(WireError::from)?;
    let entry = entries.into_iter().rev().find(|entry| entry.number == number);
    let mut value = Vec::new();
    match (how, find(protobuf, field)?) {
        (How::Remove | How::FlipBit(_), None) => return Err(TamperError::Absent(field)),
        (How::Remove, Some(_)) => {}
        (How::FlipBit(bit), Some(Content::Number(old))) => write_number(&mut value, old ^ (1 << bit.rem_euclid(32))),
        (How::FlipBit(bit), Some(Content::Bytes(old))) => write_bytes(&mut value, &flip(old, *bit, field)?),
        (How::Number(new), _) if wire_type == 0 => write_number(&mut value, u64::from(*new)),
        (How::Bytes(new), _) if wire_type == 2 => write_bytes(&mut value, new),
        (How::Number(_) | How::Bytes(_), _) => return Err(TamperError::WrongKind(field)),
    }
    // The tag stays as it was written; a field that was absent comes last.
    let whole = entry.as_ref().map_or(protobuf.len()..protobuf.len(), |entry| entry.whole.clone());
    let mut out = protobuf.get(..whole.start).unwrap_or_default().to_vec();
    if *how != How::Remove {
        match &entry {
            Some(entry) => out.extend_from_slice(protobuf.get(entry.tag.clone()).unwrap_or_default()),
            None => write_number(&mut out, u64::from(number << 3 | wire_type)),
        }
        out.extend_from_slice(&value);
    }
    out.extend_from_slice(protobuf.get(whole.end..).unwrap_or_default());
    Ok(out)
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn flip(bytes: &[u8], bit: i64, field: Field) -> Result<Vec<u8>, TamperError> {
    let bits = i64::try_from(bytes.len()).ok().and_then(|length| length.checked_mul(8));
    let bit = bits.and_then(|bits| bit.checked_rem_euclid(bits)).ok_or(TamperError::Absent(field))?;
    let mut out = bytes.to_vec();
    if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| out.get_mut(at)) {
        *byte ^= 1 << (bit % 8);
    }
    Ok(out)
}
