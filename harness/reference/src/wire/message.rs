//! Messages read into their fields.

use super::field::{Field, Place};
pub use super::protobuf::ProtobufError;
use super::protobuf::{Entry, Value, walk};
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;

/// Length of a message's MAC in bytes.
pub(super) const MAC_BYTES: usize = 8;

/// A message, read: its parts stand where they came in. Nothing in it is authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// One that sets up a session.
    Prekey(Box<PrekeyMessage<'a>>),
    /// One of a session.
    Normal(NormalMessage<'a>),
}

/// A prekey message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrekeyMessage<'a> {
    /// Version byte: message version in the high half, the sender's own in the low one.
    pub version: u8,
    /// Id of the receiver's one-time EC prekey.
    pub prekey_id: Option<u32>,
    /// The sender's base key.
    pub base_key: &'a [u8],
    /// The sender's identity key.
    pub identity_key: &'a [u8],
    /// The embedded message.
    pub message: NormalMessage<'a>,
    /// The sender's registration id.
    pub registration_id: Option<u32>,
    /// Id of the receiver's signed prekey.
    pub signed_prekey_id: Option<u32>,
    /// Id of the receiver's Kyber prekey.
    pub kyber_prekey_id: Option<u32>,
    /// The Kyber ciphertext.
    pub kyber_ciphertext: Option<&'a [u8]>,
    /// Numbers of fields that the format does not have.
    pub unknown: Vec<u32>,
}

/// A normal message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalMessage<'a> {
    /// Version byte: message version in the high half, the sender's own in the low one.
    pub version: u8,
    /// The sender's ratchet key.
    pub ratchet_key: &'a [u8],
    /// Number of the message in its chain.
    pub counter: u32,
    /// Length of the chain before.
    pub previous_counter: Option<u32>,
    /// The encrypted content.
    pub ciphertext: &'a [u8],
    /// The post-quantum ratchet's message.
    pub pq_ratchet: Option<&'a [u8]>,
    /// Sender and receiver.
    pub addresses: Option<&'a [u8]>,
    /// The authentication code.
    pub mac: [u8; MAC_BYTES],
    /// Numbers of fields that the format does not have.
    pub unknown: Vec<u32>,
}

impl<'a> Message<'a> {
    /// The normal message, alone or embedded.
    #[must_use]
    pub const fn inner(&self) -> &NormalMessage<'a> {
        match self {
            Self::Prekey(outer) => &outer.message,
            Self::Normal(inner) => inner,
        }
    }

    /// The prekey message around, if it is one.
    #[must_use]
    pub fn outer(&self) -> Option<&PrekeyMessage<'a>> {
        match self {
            Self::Prekey(outer) => Some(outer),
            Self::Normal(_) => None,
        }
    }
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Too short for a version byte, or for that and a MAC.
    #[error("{0} bytes are too few for a message")]
    TooShort(usize),
    /// The protobuf cannot be read.
    #[error("the protobuf {0}")]
    Protobuf(#[from] ProtobufError),
    /// A field that must be there is not.
    #[error("the field {0} is missing")]
    Missing(Field),
    /// A number where bytes belong, or the reverse, or a number of more than 32 bits.
    #[error("the field {0} has a value of the wrong kind")]
    WrongKind(Field),
}

impl WireError {
    /// The contract's reason for it.
    #[must_use]
    pub const fn reason(self) -> Reason {
        Reason::Malformed
    }
}

/// Reads a message.
///
/// # Errors
/// See [`WireError`]. Versions and keys are not judged here.
pub fn parse(kind: MessageType, body: &[u8]) -> Result<Message<'_>, WireError> {
    match kind {
        MessageType::Prekey => prekey(body).map(Box::new).map(Message::Prekey),
        MessageType::Normal => normal(body).map(Message::Normal),
    }
}

fn prekey(body: &[u8]) -> Result<PrekeyMessage<'_>, WireError> {
    let (version, bytes) = body.split_first().ok_or(WireError::TooShort(body.len()))?;
    let fields = Fields { bytes, entries: walk(bytes)? };
    Ok(PrekeyMessage {
        version: *version,
        prekey_id: fields.number(Field::PrekeyId)?,
        base_key: fields.required(Field::BaseKey)?,
        identity_key: fields.required(Field::IdentityKey)?,
        message: normal(fields.bytes(Field::Message)?.ok_or(WireError::Missing(Field::Message))?)?,
        registration_id: fields.number(Field::RegistrationId)?,
        signed_prekey_id: fields.number(Field::SignedPrekeyId)?,
        kyber_prekey_id: fields.number(Field::KyberPrekeyId)?,
        kyber_ciphertext: fields.bytes(Field::KyberCiphertext)?,
        unknown: fields.beyond(8),
    })
}

fn normal(body: &[u8]) -> Result<NormalMessage<'_>, WireError> {
    let (version, bytes, mac) = split_normal(body)?;
    let fields = Fields { bytes, entries: walk(bytes)? };
    Ok(NormalMessage {
        version,
        ratchet_key: fields.required(Field::RatchetKey)?,
        counter: fields.number(Field::Counter)?.ok_or(WireError::Missing(Field::Counter))?,
        previous_counter: fields.number(Field::PreviousCounter)?,
        ciphertext: fields.required(Field::Ciphertext)?,
        pq_ratchet: fields.bytes(Field::PqRatchet)?,
        addresses: fields.bytes(Field::Addresses)?,
        mac: *mac,
        unknown: fields.beyond(6),
    })
}

/// Version byte, protobuf, MAC.
pub(super) fn split_normal(body: &[u8]) -> Result<(u8, &[u8], &[u8; MAC_BYTES]), WireError> {
    let (rest, mac) = body.split_last_chunk().ok_or(WireError::TooShort(body.len()))?;
    let (version, bytes) = rest.split_first().ok_or(WireError::TooShort(body.len()))?;
    Ok((*version, bytes, mac))
}

struct Fields<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
}

impl<'a> Fields<'a> {
    /// The last one counts, as protobuf says.
    fn value(&self, field: Field) -> Option<&Value> {
        let (Place::Number(number) | Place::Bytes(number)) = field.place() else { return None };
        self.entries.iter().rev().find(|entry| entry.number == number).map(|entry| &entry.value)
    }

    fn number(&self, field: Field) -> Result<Option<u32>, WireError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Number(value)) => u32::try_from(*value).map(Some).map_err(|_| WireError::WrongKind(field)),
            Some(_) => Err(WireError::WrongKind(field)),
        }
    }

    fn bytes(&self, field: Field) -> Result<Option<&'a [u8]>, WireError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Bytes(range)) => self.bytes.get(range.clone()).map(Some).ok_or(WireError::WrongKind(field)),
            Some(_) => Err(WireError::WrongKind(field)),
        }
    }

    fn required(&self, field: Field) -> Result<&'a [u8], WireError> {
        self.bytes(field)?.ok_or(WireError::Missing(field))
    }

    fn beyond(&self, last: u32) -> Vec<u32> {
        self.entries.iter().map(|entry| entry.number).filter(|number| *number > last).collect()
    }
}
