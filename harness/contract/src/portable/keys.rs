//! Keys as they are published and handed out.

use crate::{Bytes, GroupId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A one-time EC prekey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prekey {
    /// Its id, unique among the user's one-time EC prekeys.
    pub id: u32,
    /// 33 bytes: 0x05 and the Curve25519 public key.
    pub key: Bytes,
}

/// A signed EC prekey, or a Kyber prekey (one-time or last-resort).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedKey {
    /// Its id, unique among the user's keys of that kind.
    pub id: u32,
    /// 33 bytes for EC (0x05 and the key), 1569 for Kyber (0x08 and the round-3 Kyber-1024 key).
    pub key: Bytes,
    /// XEdDSA signature by the identity key over all bytes of `key`, 64 bytes.
    pub signature: Bytes,
}

/// Body of `POST /enlist`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enlist {
    /// The user's name.
    pub user: UserId,
    /// Registration id: 1 to 16380.
    pub registration_id: u32,
    /// Identity key, 33 bytes.
    pub identity_key: Bytes,
    /// Signed prekey.
    pub signed_prekey: SignedKey,
    /// Last-resort Kyber prekey, handed out when no one-time Kyber prekey is left. There in the suite `signal-pq`, and in no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kyber_prekey: Option<SignedKey>,
    /// One-time EC prekeys.
    pub one_time_prekeys: Vec<Prekey>,
    /// One-time Kyber prekeys; empty but for `signal-pq`.
    pub one_time_kyber_prekeys: Vec<SignedKey>,
}

/// Answer of `POST /enlist`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enlisted {
    /// Bearer token of this user's further requests.
    pub token: String,
}

/// Body of `PUT /keys`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishKeys {
    /// A new signed prekey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_prekey: Option<SignedKey>,
    /// A new last-resort Kyber prekey, in `signal-pq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kyber_prekey: Option<SignedKey>,
    /// Further one-time EC prekeys.
    #[serde(default)]
    pub one_time_prekeys: Vec<Prekey>,
    /// Further one-time Kyber prekeys.
    #[serde(default)]
    pub one_time_kyber_prekeys: Vec<SignedKey>,
}

/// Answer of `PUT /keys`: what is left to be handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyCount {
    /// One-time EC prekeys.
    pub one_time_prekeys: u32,
    /// One-time Kyber prekeys.
    pub one_time_kyber_prekeys: u32,
}

/// Answer of `GET /keys/{user}`: a prekey bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyBundle {
    /// Whose.
    pub user: UserId,
    /// Registration id.
    pub registration_id: u32,
    /// Identity key, 33 bytes.
    pub identity_key: Bytes,
    /// Signed prekey.
    pub signed_prekey: SignedKey,
    /// A one-time prekey, if one was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_time_prekey: Option<Prekey>,
    /// A one-time Kyber prekey, or the last-resort one. There in the suite `signal-pq`, and in no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kyber_prekey: Option<SignedKey>,
}

/// Answer of `PUT /media`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uploaded {
    /// Path of the blob under the gateway's base URL, such as `/media/0b7c…`.
    pub url: String,
}

/// Body of `PUT /blocks`, and answer of it and of `GET /blocks`: all whom the user has blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockList {
    /// Whom, in any order, each once; at most [`super::MOST_BLOCKED`], and never the user itself. Names that are not enlisted may
    /// stand here.
    pub users: Vec<UserId>,
}

/// The members of a group: body of `POST /groups` and of `PUT /groups/{group}`, and answer of them and of `GET /groups/{group}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupList {
    /// Which group.
    pub group: GroupId,
    /// Counts from 1 with each change.
    pub version: u32,
    /// All members, each once, in any order; at most [`super::MOST_MEMBERS`].
    pub members: Vec<UserId>,
}

/// Answer of `GET /certificate`: who the user of the token is, for the receivers of its sealed messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SenderCertificate {
    /// The serialised `SenderCertificate` of Signal's sealed sender: see the module `sealed`.
    pub certificate: Bytes,
    /// Until when it holds, this millisecond included: milliseconds since the Unix epoch, in the instance's time. The certificate
    /// says the same.
    pub expires: u64,
}

/// Answer of `DELETE /user`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deleted {}
