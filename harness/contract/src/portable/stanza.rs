//! Stanzas of the chat channel.

use crate::{Bytes, Problem, StanzaId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
            | Self::Receipt { id, .. }
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
}
