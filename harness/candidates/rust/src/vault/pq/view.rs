//! The parts of libsignal's serialised messages and sessions that its interface does not show, under libsignal's field numbers.

use prost::Message;
use prost::encoding::{DecodeContext, WireType};

/// A `PreKeySignalMessage` without its version byte.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PrekeyMessage {
    #[prost(uint32, optional, tag = "1")]
    pub(super) pre_key_id: Option<u32>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) base_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) identity_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) message: Vec<u8>,
    #[prost(uint32, optional, tag = "5")]
    pub(super) registration_id: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub(super) signed_pre_key_id: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    pub(super) kyber_pre_key_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "8")]
    pub(super) kyber_ciphertext: Option<Vec<u8>>,
}

/// A `SignalMessage` without its version byte and MAC.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NormalMessage {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) ratchet_key: Vec<u8>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    pub(super) previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) ciphertext: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(super) pq_ratchet: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(super) addresses: Option<Vec<u8>>,
}

/// All of a prekey message but the message itself: the same in every message of one unanswered session.
#[derive(Clone, PartialEq)]
pub(super) struct Surroundings {
    identity_key: Vec<u8>,
    registration_id: Option<u32>,
    ids: [Option<u32>; 3],
    kyber_ciphertext: Option<[u8; 32]>,
}

/// What differs between two prekey messages of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    RegistrationId,
    PrekeyId,
    Secret,
}

impl Surroundings {
    pub(super) fn difference(&self, other: &Self) -> Option<Difference> {
        if self.ids != other.ids {
            Some(Difference::PrekeyId)
        } else if self.identity_key != other.identity_key || self.kyber_ciphertext != other.kyber_ciphertext {
            Some(Difference::Secret)
        } else if self.registration_id != other.registration_id {
            Some(Difference::RegistrationId)
        } else {
            None
        }
    }
}

impl PrekeyMessage {
    pub(super) fn surroundings(&self) -> Surroundings {
        Surroundings {
            identity_key: self.identity_key.clone(),
            registration_id: self.registration_id,
            ids: [self.pre_key_id, self.signed_pre_key_id, self.kyber_pre_key_id],
            kyber_ciphertext: self.kyber_ciphertext.as_deref().map(super::digest),
        }
    }
}

/// A `SessionRecord`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Record {
    #[prost(message, optional, tag = "1")]
    pub(super) current: Option<Session>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub(super) previous: Vec<Vec<u8>>,
}

impl Record {
    pub(super) fn of(record: &libsignal_protocol::SessionRecord) -> Option<Self> {
        Self::decode(record.serialize().ok()?.as_slice()).ok()
    }

    /// The current session, then those before it.
    pub(super) fn sessions(self) -> impl Iterator<Item = Session> {
        self.current.into_iter().chain(self.previous.into_iter().filter_map(|bytes| Session::decode(bytes.as_slice()).ok()))
    }
}

/// One session of a record.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Session {
    #[prost(bytes = "vec", tag = "2")]
    pub(super) local_identity: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) remote_identity: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) root_key: Vec<u8>,
    #[prost(message, optional, tag = "6")]
    pub(super) sender_chain: Option<Chain>,
    #[prost(message, repeated, tag = "7")]
    pub(super) receiver_chains: Vec<Chain>,
    #[prost(message, optional, tag = "9")]
    pub(super) pending_pre_key: Option<PendingPrekey>,
    #[prost(uint32, tag = "10")]
    pub(super) remote_registration_id: u32,
    #[prost(uint32, tag = "11")]
    pub(super) local_registration_id: u32,
    #[prost(bytes = "vec", tag = "13")]
    pub(super) alice_base_key: Vec<u8>,
    #[prost(message, optional, tag = "14")]
    pub(super) pending_kyber_pre_key: Option<PendingKyberPrekey>,
    #[prost(bytes = "vec", tag = "15")]
    pub(super) pq_ratchet_state: Vec<u8>,
}

/// A ratchet chain.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Chain {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) ratchet_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) ratchet_key_private: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    pub(super) chain_key: Option<ChainKey>,
    #[prost(message, repeated, tag = "4")]
    pub(super) message_keys: Vec<MessageKey>,
}

/// Where a chain stands.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ChainKey {
    #[prost(uint32, tag = "1")]
    pub(super) index: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) key: Vec<u8>,
}

/// The key of a message that was skipped.
#[derive(Clone, PartialEq, Message)]
pub(super) struct MessageKey {
    #[prost(uint32, tag = "1")]
    pub(super) index: u32,
    #[prost(bytes = "vec", tag = "5")]
    pub(super) seed: Vec<u8>,
}

/// What an initiator repeats until it is answered.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PendingPrekey {
    #[prost(uint32, optional, tag = "1")]
    pub(super) pre_key_id: Option<u32>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) base_key: Vec<u8>,
    #[prost(int32, tag = "3")]
    pub(super) signed_pre_key_id: i32,
    #[prost(uint64, tag = "4")]
    pub(super) timestamp: u64,
}

/// Likewise, for the Kyber prekey; the ciphertext is in the record already.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PendingKyberPrekey {
    #[prost(uint32, tag = "1")]
    pub(super) pre_key_id: u32,
}

/// A `SenderKeyRecord`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SenderKeyRecord {
    #[prost(message, repeated, tag = "1")]
    pub(super) states: Vec<SenderKeyState>,
}

impl SenderKeyRecord {
    pub(super) fn of(record: &libsignal_protocol::SenderKeyRecord) -> Option<Self> {
        Self::decode(record.serialize().ok()?.as_slice()).ok()
    }
}

/// One sender key of a record.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SenderKeyState {
    #[prost(uint32, tag = "1")]
    pub(super) chain_id: u32,
    #[prost(message, optional, tag = "2")]
    pub(super) chain_key: Option<MessageSeed>,
    #[prost(message, optional, tag = "3")]
    pub(super) signing_key: Option<SigningKey>,
    #[prost(message, repeated, tag = "4")]
    pub(super) message_keys: Vec<MessageSeed>,
    #[prost(uint32, tag = "5")]
    pub(super) message_version: u32,
}

/// Where a sender key's chain stands, or the key of a message that was skipped.
#[derive(Clone, PartialEq, Message)]
pub(super) struct MessageSeed {
    #[prost(uint32, tag = "1")]
    pub(super) iteration: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) seed: Vec<u8>,
}

/// What a sender key's messages are signed with.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SigningKey {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) public: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) private: Vec<u8>,
}

/// The bytes of a member of a protobuf; of several, those of the last.
pub(super) fn member(message: &[u8], tag: u32) -> Option<&[u8]> {
    members(message)?.into_iter().rev().find(|member| member.tag == tag)?.bytes
}

/// A protobuf with other bytes in place of a member's, and all else as it was.
pub(super) fn with_member(message: &[u8], tag: u32, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(message.len());
    members(message)?.into_iter().filter(|member| member.tag != tag).for_each(|member| out.extend(member.whole));
    prost::encoding::encode_key(tag, WireType::LengthDelimited, &mut out);
    prost::encoding::encode_varint(u64::try_from(bytes.len()).ok()?, &mut out);
    out.extend(bytes);
    Some(out)
}

/// A member as it is written.
struct Member<'a> {
    tag: u32,
    whole: &'a [u8],
    /// Its bytes, if it is of bytes.
    bytes: Option<&'a [u8]>,
}

fn members(message: &[u8]) -> Option<Vec<Member<'_>>> {
    let mut members = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let begin = rest;
        let (tag, kind) = prost::encoding::decode_key(&mut rest).ok()?;
        let bytes = if kind == WireType::LengthDelimited {
            let length = usize::try_from(prost::encoding::decode_varint(&mut rest).ok()?).ok()?;
            let (bytes, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(bytes)
        } else {
            prost::encoding::skip_field(kind, tag, &mut rest, DecodeContext::default()).ok()?;
            None
        };
        members.push(Member { tag, whole: begin.get(..begin.len() - rest.len())?, bytes });
    }
    Some(members)
}
