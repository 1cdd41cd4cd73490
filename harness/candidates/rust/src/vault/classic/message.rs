//! Messages of version 3 on the wire.

use super::is_low_order;
use countersign_contract::portable::DEVICE;
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{IdentityKey, PublicKey};
use prost::Message as _;

/// The version of message that the suite speaks.
pub(super) const VERSION: u8 = 3;
/// The first byte of what this client sends: the message's version, and the latest that it knows.
pub(super) const FIRST_BYTE: u8 = VERSION << 4 | VERSION;
/// Length of a message's authentication code in bytes.
pub(super) const MAC_BYTES: usize = 8;
/// Length of a public key in bytes, type byte included.
const KEY_BYTES: usize = 33;

/// A message inside a session.
pub(super) struct Message {
    pub(super) ratchet_key: PublicKey,
    pub(super) counter: u32,
    pub(super) ciphertext: Vec<u8>,
    /// What the authentication code covers beside the identities: the version byte and all fields.
    pub(super) covered: Vec<u8>,
    pub(super) mac: [u8; MAC_BYTES],
}

impl Message {
    /// Reads a message from `from` to `to`.
    ///
    /// # Errors
    /// `bad-version`, `malformed`, `bad-key`, or `wrong-recipient` for one that names other parties.
    pub(super) fn read(body: &[u8], from: UserId, to: UserId) -> Result<Self, Reason> {
        let fields = after_version(body)?;
        let (covered, mac) = body.split_last_chunk().ok_or(Reason::Malformed)?;
        let fields = fields.len().checked_sub(MAC_BYTES).and_then(|end| fields.get(..end)).ok_or(Reason::Malformed)?;
        let fields = Fields::decode(fields).map_err(|_| Reason::Malformed)?;
        let (Some(ratchet_key), Some(counter), Some(ciphertext)) = (fields.ratchet_key, fields.counter, fields.ciphertext) else {
            return Err(Reason::Malformed);
        };
        let ratchet_key = key(&ratchet_key)?;
        if fields.addresses.is_some_and(|addresses| addresses != addresses_of(from, to)) {
            return Err(Reason::WrongRecipient);
        }
        Ok(Self { ratchet_key, counter, ciphertext, covered: covered.to_vec(), mac: *mac })
    }

    /// Writes a message; `mac` computes the authentication code of what it covers.
    pub(super) fn write(
        ratchet_key: PublicKey,
        counter: u32,
        previous_counter: u32,
        ciphertext: Vec<u8>,
        mac: impl FnOnce(&[u8]) -> Result<[u8; MAC_BYTES], Reason>,
    ) -> Result<Vec<u8>, Reason> {
        let fields = Fields {
            ratchet_key: Some(ratchet_key.serialize().into_vec()),
            counter: Some(counter),
            previous_counter: Some(previous_counter),
            ciphertext: Some(ciphertext),
            addresses: None,
        };
        let mut bytes = vec![FIRST_BYTE];
        bytes.extend(fields.encode_to_vec());
        let mac = mac(&bytes)?;
        bytes.extend(mac);
        Ok(bytes)
    }
}

/// A message with what its receiver needs to set up the session.
pub(super) struct FirstMessage {
    pub(super) one_time_prekey: Option<u32>,
    pub(super) signed_prekey: u32,
    pub(super) base_key: PublicKey,
    pub(super) identity: IdentityKey,
    pub(super) registration_id: u32,
    pub(super) message: Message,
}

impl FirstMessage {
    /// Reads a first message from `from` to `to`.
    ///
    /// # Errors
    /// As for [`Message::read`]; `bad-key` also for an identity or base key of low order, or one that is not written as it should be.
    pub(super) fn read(body: &[u8], from: UserId, to: UserId, takes_weak_base_key: bool) -> Result<Self, Reason> {
        let fields = FirstFields::decode(after_version(body)?).map_err(|_| Reason::Malformed)?;
        let (Some(base_key), Some(identity), Some(message)) = (&fields.base_key, &fields.identity_key, &fields.message) else {
            return Err(Reason::Malformed);
        };
        let first = Self {
            one_time_prekey: fields.one_time_prekey,
            signed_prekey: fields.signed_prekey.ok_or(Reason::Malformed)?,
            base_key: key(base_key)?,
            identity: IdentityKey::new(key(identity)?),
            registration_id: fields.registration_id.unwrap_or_default(),
            message: Message::read(message, from, to)?,
        };
        let weak_base_key = is_low_order(&first.base_key) || !first.base_key.is_canonical();
        let weak = is_low_order(first.identity.public_key()) || weak_base_key && !takes_weak_base_key;
        if weak { Err(Reason::BadKey) } else { Ok(first) }
    }

    /// All but the message itself.
    pub(super) fn surroundings(&self) -> Surroundings {
        Surroundings {
            identity: self.identity,
            registration_id: self.registration_id,
            prekeys: (self.one_time_prekey, self.signed_prekey),
        }
    }

    /// Writes a message together with what sets up its session.
    pub(super) fn write(surroundings: &Surroundings, base_key: PublicKey, message: Vec<u8>) -> Vec<u8> {
        let fields = FirstFields {
            one_time_prekey: surroundings.prekeys.0,
            base_key: Some(base_key.serialize().into_vec()),
            identity_key: Some(surroundings.identity.serialize().into_vec()),
            message: Some(message),
            registration_id: Some(surroundings.registration_id),
            signed_prekey: Some(surroundings.prekeys.1),
        };
        let mut bytes = vec![FIRST_BYTE];
        bytes.extend(fields.encode_to_vec());
        bytes
    }
}

/// All of a first message but the message itself: the same in every message of one unanswered session. No authentication code covers
/// it: of what the keys depend on, anything that differs is refused.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) identity: IdentityKey,
    pub(super) registration_id: u32,
    /// Ids of the one-time prekey, if there was one, and of the signed prekey.
    pub(super) prekeys: (Option<u32>, u32),
}

impl Surroundings {
    /// Why what stands around a later message of the session is refused. The registration id is compared for a defect alone: no key
    /// depends on it, so that the first one may have been changed on the way, and the honest ones that follow must be read.
    ///
    /// # Errors
    /// A reason for the first thing that differs.
    pub(super) fn check(&self, later: &Self, with_registration_id: bool) -> Result<(), Reason> {
        if self.prekeys != later.prekeys {
            Err(Reason::UnknownPrekey)
        } else if self.identity != later.identity {
            Err(Reason::BadMac)
        } else if with_registration_id && self.registration_id != later.registration_id {
            Err(Reason::Malformed)
        } else {
            Ok(())
        }
    }
}

/// The same message with another bit 0 in its `previous_counter`: for the defect `mac-misses-a-field`.
pub(super) fn with_other_previous_counter(body: &[u8]) -> Option<Vec<u8>> {
    let (covered, mac) = body.split_last_chunk::<MAC_BYTES>()?;
    let (version, fields) = covered.split_first()?;
    let mut fields = Fields::decode(fields).ok()?;
    fields.previous_counter = Some(fields.previous_counter? ^ 1);
    Some([&[*version][..], &fields.encode_to_vec(), mac].concat())
}

/// What follows the version byte, which must state the version of the suite. Its low half is the sender's own latest version: some
/// later official code writes 4 there.
fn after_version(body: &[u8]) -> Result<&[u8], Reason> {
    let (version, rest) = body.split_first().ok_or(Reason::Malformed)?;
    if version >> 4 == VERSION { Ok(rest) } else { Err(Reason::BadVersion) }
}

fn key(bytes: &[u8]) -> Result<PublicKey, Reason> {
    if bytes.len() != KEY_BYTES {
        return Err(Reason::BadKey);
    }
    PublicKey::deserialize(bytes).map_err(|_| Reason::BadKey)
}

/// Sender and recipient as some implementations name them: service id (a zero and the UUID) and device, twice.
fn addresses_of(sender: UserId, recipient: UserId) -> Vec<u8> {
    let device = u8::try_from(DEVICE).unwrap_or_default();
    [sender, recipient].iter().flat_map(|user| [&[0], user.0.as_bytes().as_slice(), &[device]].concat()).collect()
}

#[derive(Clone, PartialEq, prost::Message)]
struct Fields {
    #[prost(bytes = "vec", optional, tag = "1")]
    ratchet_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ciphertext: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "6")]
    addresses: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct FirstFields {
    #[prost(uint32, optional, tag = "1")]
    one_time_prekey: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    base_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    identity_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    message: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "5")]
    registration_id: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    signed_prekey: Option<u32>,
}
