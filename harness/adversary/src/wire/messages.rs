//! Messages, read. Nothing in them is authenticated yet.

use super::fields::Read;
use crate::curve::PublicKey;
use crate::kdf::MAC_BYTES;
use crate::refusal::Refusal;
use countersign_contract::Reason;

/// Numbers of the fields of a message.
pub(crate) mod inner {
    pub(crate) const RATCHET_KEY: u32 = 1;
    pub(crate) const COUNTER: u32 = 2;
    pub(crate) const PREVIOUS_COUNTER: u32 = 3;
    pub(crate) const CIPHERTEXT: u32 = 4;
    pub(crate) const PQ_RATCHET: u32 = 5;
    pub(crate) const ADDRESSES: u32 = 6;
}

/// Numbers of the fields of a prekey message.
pub(crate) mod outer {
    pub(crate) const PREKEY_ID: u32 = 1;
    pub(crate) const BASE_KEY: u32 = 2;
    pub(crate) const IDENTITY_KEY: u32 = 3;
    pub(crate) const MESSAGE: u32 = 4;
    pub(crate) const REGISTRATION_ID: u32 = 5;
    pub(crate) const SIGNED_PREKEY_ID: u32 = 6;
    pub(crate) const KYBER_PREKEY_ID: u32 = 7;
    pub(crate) const KYBER_CIPHERTEXT: u32 = 8;
}

/// Numbers of the fields of a sender-key message.
pub(crate) mod group {
    pub(crate) const DISTRIBUTION: u32 = 1;
    pub(crate) const CHAIN_ID: u32 = 2;
    pub(crate) const ITERATION: u32 = 3;
    pub(crate) const CIPHERTEXT: u32 = 4;
}

/// Numbers of the fields of a sender key's distribution.
pub(crate) mod distribution {
    pub(crate) const ID: u32 = 1;
    pub(crate) const CHAIN_ID: u32 = 2;
    pub(crate) const ITERATION: u32 = 3;
    pub(crate) const CHAIN_KEY: u32 = 4;
    pub(crate) const SIGNING_KEY: u32 = 5;
}

/// Numbers of the fields of what is inside a sealed message.
pub(crate) mod sealed {
    pub(crate) const TYPE: u32 = 1;
    pub(crate) const CERTIFICATE: u32 = 2;
    pub(crate) const CONTENT: u32 = 3;
    pub(crate) const HINT: u32 = 4;
    pub(crate) const GROUP: u32 = 5;
}

/// Numbers of the fields of a sealed message.
pub(crate) mod envelope {
    pub(crate) const EPHEMERAL: u32 = 1;
    pub(crate) const STATIC: u32 = 2;
    pub(crate) const MESSAGE: u32 = 3;
}

/// The message versions that there are.
const VERSIONS: std::ops::RangeInclusive<u8> = 3..=4;

fn version(byte: u8) -> Result<u8, Refusal> {
    let version = byte >> 4;
    if VERSIONS.contains(&version) {
        return Ok(version);
    }
    Err(Refusal::new(Reason::BadVersion, format!("version byte {byte:#04x}")))
}

fn missing(what: &str) -> Refusal {
    Refusal::new(Reason::Malformed, format!("{what} is missing"))
}

fn too_short(bytes: &[u8]) -> Refusal {
    Refusal::new(Reason::Malformed, format!("{} bytes are too few for a message", bytes.len()))
}

/// A message of a session.
pub(crate) struct SignalMessage<'a> {
    pub(crate) version: u8,
    pub(crate) ratchet_key: PublicKey,
    pub(crate) counter: u32,
    pub(crate) ciphertext: &'a [u8],
    pub(crate) pq_ratchet: &'a [u8],
    pub(crate) mac: &'a [u8],
    /// All that the MAC covers.
    pub(crate) covered: &'a [u8],
}

impl<'a> SignalMessage<'a> {
    /// # Errors
    /// `malformed`, `bad-version`, and `bad-key` for the ratchet key.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let split = bytes.len().checked_sub(MAC_BYTES).filter(|length| *length > 0).ok_or_else(|| too_short(bytes))?;
        let (covered, mac) = bytes.split_at(split);
        let (first, protobuf) = covered.split_first().ok_or_else(|| too_short(bytes))?;
        let version = version(*first)?;
        let fields = Read::new(protobuf, "message")?;
        let ratchet_key = fields.bytes(inner::RATCHET_KEY, "ratchet key")?.ok_or_else(|| missing("ratchet key"))?;
        fields.number(inner::PREVIOUS_COUNTER, "previous counter")?;
        fields.bytes(inner::ADDRESSES, "addresses")?;
        Ok(Self {
            version,
            counter: fields.number(inner::COUNTER, "counter")?.ok_or_else(|| missing("counter"))?,
            ciphertext: fields.bytes(inner::CIPHERTEXT, "ciphertext")?.ok_or_else(|| missing("ciphertext"))?,
            pq_ratchet: fields.bytes(inner::PQ_RATCHET, "pq_ratchet")?.unwrap_or_default(),
            ratchet_key: PublicKey::read(ratchet_key, "ratchet key")?,
            mac,
            covered,
        })
    }
}

/// A message that can set up a session.
pub(crate) struct PrekeyMessage<'a> {
    pub(crate) version: u8,
    pub(crate) prekey_id: Option<u32>,
    pub(crate) base_key: PublicKey,
    pub(crate) identity_key: PublicKey,
    pub(crate) registration_id: u32,
    pub(crate) signed_prekey_id: u32,
    /// Id of the Kyber prekey, and the ciphertext under it.
    pub(crate) kyber: Option<(u32, &'a [u8])>,
    pub(crate) message: SignalMessage<'a>,
}

impl<'a> PrekeyMessage<'a> {
    /// # Errors
    /// `malformed`, `bad-version`, and `bad-key` for base key, identity key and ratchet key.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let (first, protobuf) = bytes.split_first().ok_or_else(|| too_short(bytes))?;
        let version = version(*first)?;
        let fields = Read::new(protobuf, "prekey message")?;
        let base_key = fields.bytes(outer::BASE_KEY, "base key")?.ok_or_else(|| missing("base key"))?;
        let identity_key = fields.bytes(outer::IDENTITY_KEY, "identity key")?.ok_or_else(|| missing("identity key"))?;
        let message = fields.bytes(outer::MESSAGE, "message")?.ok_or_else(|| missing("message"))?;
        let signed_prekey_id = fields.number(outer::SIGNED_PREKEY_ID, "signed prekey id")?;
        let id = fields.number(outer::KYBER_PREKEY_ID, "Kyber prekey id")?;
        let ciphertext = fields.bytes(outer::KYBER_CIPHERTEXT, "Kyber ciphertext")?;
        let kyber = match (id, ciphertext) {
            (Some(id), Some(ciphertext)) => Some((id, ciphertext)),
            (None, None) if version == 3 => None,
            (None, _) => return Err(missing("Kyber prekey id")),
            (_, None) => return Err(missing("Kyber ciphertext")),
        };
        Ok(Self {
            version,
            prekey_id: fields.number(outer::PREKEY_ID, "prekey id")?,
            registration_id: fields.number(outer::REGISTRATION_ID, "registration id")?.unwrap_or(0),
            signed_prekey_id: signed_prekey_id.ok_or_else(|| missing("signed prekey id"))?,
            kyber,
            base_key: PublicKey::read(base_key, "base key")?,
            identity_key: PublicKey::read(identity_key, "identity key")?,
            message: SignalMessage::read(message)?,
        })
    }
}
