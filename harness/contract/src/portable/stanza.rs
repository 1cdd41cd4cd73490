//! Stanzas of the chat channel.

use crate::{Bytes, GroupId, Problem, StanzaId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which serialised libsignal message a `message` stanza carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MessageType {
    /// A `PreKeySignalMessage`: sets up a session.
    Prekey,
    /// A `SignalMessage` of a session.
    Normal,
}

/// What a receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptType {
    /// The message was shown.
    Delivered,
    /// The message could not be decrypted: please send it again.
    Retry,
}

/// A stanza, in either direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stanza {
    /// An encrypted message. A client names the recipient in `to`; the gateway delivers it with the sender in `from`.
    Message {
        /// Id of this stanza.
        id: StanzaId,
        /// Recipient; from client to gateway only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<UserId>,
        /// Sender, as the gateway authenticated it; from gateway to client only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<UserId>,
        /// Which kind of libsignal message `body` is.
        r#type: MessageType,
        /// The serialised libsignal message.
        body: Bytes,
    },
    /// A message whose sender stands inside the encryption alone: see the module `sealed`. A client names the recipient in `to`; the
    /// gateway delivers it without any sender.
    SealedMessage {
        /// Id of this stanza.
        id: StanzaId,
        /// Recipient; from client to gateway only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<UserId>,
        /// The sealed message, in the first form of the format.
        body: Bytes,
    },
    /// A delivery or retry receipt.
    Receipt {
        /// Id of this stanza.
        id: StanzaId,
        /// Recipient; from client to gateway only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<UserId>,
        /// Sender; from gateway to client only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<UserId>,
        /// Delivered, or please again.
        r#type: ReceiptType,
        /// The stanza that it is about, by the id under which it was delivered.
        of: StanzaId,
        /// For `retry`: the how-manieth request for this message, from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
    },
    /// A message to all other members of a group. The gateway delivers it to each of them, under the one id.
    GroupMessage {
        /// Id of this stanza.
        id: StanzaId,
        /// Which group.
        group: GroupId,
        /// The version of the list of members for which it was made; from client to gateway only. The gateway refuses any other
        /// than the present one as `stale-group`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u32>,
        /// Sender, as the gateway authenticated it; from gateway to client only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<UserId>,
        /// The serialised `SenderKeyMessage`.
        body: Bytes,
    },
    /// Gateway to client: the members of a group from now on. It goes to all members, whoever made the change, and to those who are
    /// members no more.
    Group {
        /// Id of this stanza.
        id: StanzaId,
        /// Which group.
        group: GroupId,
        /// Counts from 1 with each change.
        version: u32,
        /// All members.
        members: Vec<UserId>,
    },
    /// Client to gateway: this stanza is processed; take it out of the mailbox.
    Ack {
        /// The stanza that was delivered.
        id: StanzaId,
    },
    /// Gateway to client: your stanza is accepted and will be delivered.
    Accepted {
        /// The stanza that the client sent.
        id: StanzaId,
    },
    /// Gateway to client: your stanza is not accepted.
    Refused {
        /// The stanza that the client sent; the nil UUID if it could not be read.
        id: StanzaId,
        /// Why.
        problem: Problem,
    },
    /// Gateway to client: one of your one-time prekey kinds has run out; publish a new batch.
    KeysLow {
        /// Id of this stanza.
        id: StanzaId,
        /// EC prekeys left.
        one_time_prekeys: u32,
        /// Kyber prekeys left.
        one_time_kyber_prekeys: u32,
    },
}

impl Stanza {
    /// The id that it carries.
    #[must_use]
    pub const fn id(&self) -> StanzaId {
        match self {
            Self::Message { id, .. }
            | Self::SealedMessage { id, .. }
            | Self::Receipt { id, .. }
            | Self::GroupMessage { id, .. }
            | Self::Group { id, .. }
            | Self::Ack { id }
            | Self::Accepted { id }
            | Self::Refused { id, .. }
            | Self::KeysLow { id, .. } => *id,
        }
    }

    /// The stanza as it goes on the wire.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a stanza.
    ///
    /// # Errors
    /// Position and cause if the text is not a stanza.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Reads a stanza as a client should: members that it does not know are ignored, so that a newer gateway does no harm.
    ///
    /// # Errors
    /// See [`Unreadable`].
    pub fn from_gateway(text: &str) -> Result<Self, Unreadable> {
        // The kinds and members of this version: a test holds them against the type.
        let mut value: Value = serde_json::from_str(text).map_err(|_| Unreadable { id: None, known: false })?;
        let id = value.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        let members = MEMBERS.iter().find(|(known, _)| *known == kind).map(|(_, members)| *members);
        let known = members.is_some();
        if let (Some(members), Some(object)) = (members, value.as_object_mut()) {
            object.retain(|member, _| member == "kind" || members.contains(&member.as_str()));
        }
        serde_json::from_value(value).map_err(|_| Unreadable { id, known })
    }
}

/// Members of each kind of stanza that a client is sent.
const MEMBERS: [(&str, &[&str]); 8] = [
    ("message", &["id", "from", "type", "body"]),
    ("sealed-message", &["id", "body"]),
    ("receipt", &["id", "from", "type", "of", "count"]),
    ("group-message", &["id", "group", "from", "body"]),
    ("group", &["id", "group", "version", "members"]),
    ("accepted", &["id"]),
    ("refused", &["id", "problem"]),
    ("keys-low", &["id", "one_time_prekeys", "one_time_kyber_prekeys"]),
];

/// A frame of the gateway that is no stanza of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Under which it is to be acknowledged, if it has one.
    pub id: Option<StanzaId>,
    /// Whether its kind is one of this version, so that something in it is wrong; else a newer gateway may have sent it.
    pub known: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn samples() -> Vec<Stanza> {
        let (id, user) = (StanzaId(Uuid::from_u128(7)), UserId(Uuid::from_u128(8)));
        let body = Bytes(vec![0x44]);
        vec![
            Stanza::Message { id, to: None, from: Some(user), r#type: MessageType::Normal, body: body.clone() },
            Stanza::SealedMessage { id, to: None, body: body.clone() },
            Stanza::GroupMessage { id, group: GroupId(id.0), version: None, from: Some(user), body },
            Stanza::Group { id, group: GroupId(id.0), version: 1, members: vec![user] },
            Stanza::Receipt { id, to: None, from: Some(user), r#type: ReceiptType::Retry, of: id, count: Some(1) },
            Stanza::Accepted { id },
            Stanza::Refused { id, problem: Problem::new(crate::Reason::Busy, "") },
            Stanza::KeysLow { id, one_time_prekeys: 1, one_time_kyber_prekeys: 2 },
        ]
    }

    #[test]
    fn a_newer_gateway_may_say_more_in_every_stanza() {
        for stanza in samples() {
            let mut value = serde_json::to_value(&stanza).unwrap();
            assert_eq!(Stanza::from_gateway(&value.to_string()).unwrap(), stanza);
            value["added-later"] = json!({"at": 1});
            assert!(Stanza::from_json(&value.to_string()).is_err());
            assert_eq!(Stanza::from_gateway(&value.to_string()).unwrap(), stanza);
        }
        assert_eq!(samples().len(), MEMBERS.len());
    }

    #[test]
    fn what_is_no_stanza_keeps_its_id() {
        let id = StanzaId(Uuid::from_u128(7));
        let new = json!({"kind": "announcement", "id": id}).to_string();
        assert_eq!(Stanza::from_gateway(&new), Err(Unreadable { id: Some(id), known: false }));
        let bad = json!({"kind": "message", "id": id, "type": "normal"}).to_string();
        assert_eq!(Stanza::from_gateway(&bad), Err(Unreadable { id: Some(id), known: true }));
        for text in ["", "[]", "{}", "{\"kind\":\"message\",\"id\":3}"] {
            assert_eq!(Stanza::from_gateway(text).unwrap_err().id, None, "{text}");
        }
    }
}
