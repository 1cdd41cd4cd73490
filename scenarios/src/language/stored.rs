//! What stands ready: a peer without a stack, and the bytes that it sends. Stored vectors are compiled to these.

use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{Enlist, KeyBundle, MessageType};
use countersign_contract::seen::{FileRef, MediaKind, UserContent};
use countersign_contract::{Bytes, Reason, StanzaId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is fixed of a member of the cast beforehand, where everything else is made from the seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fixed {
    /// Its name at the gateway: stored messages and safety numbers bind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Candidate only: the keys with which it enlists. Needs the capability `import`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportedKeys>,
    /// Reference only: what it enlists with. There is no stack behind it: it sends what is stored, acknowledges what it gets, and
    /// reads nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enlist: Option<Enlist>,
}

/// A stored peer sends a stored message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SendStored {
    /// Who: a stored peer.
    pub from: String,
    /// To whom: a candidate's user.
    pub to: String,
    /// To a group, in whose stanza it goes to all members; to `to` alone, whatever the gateway's rules say, if sender or receiver is
    /// none. Without it, it is a message between the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// As a sealed message, which is delivered without its sender; `body` is what is sealed.
    #[serde(default)]
    pub sealed: bool,
    /// Name of the stanza.
    #[serde(rename = "as")]
    pub name: String,
    /// Id of the stanza: the content of the message names it.
    pub stanza: StanzaId,
    /// Whether the message sets up a session.
    pub r#type: MessageType,
    /// The serialised libsignal message.
    pub body: Bytes,
    /// What is in it, or would be if it were read. Nothing, if no user ever sees it: it hands out a sender key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<StoredContent>,
    /// It is not what an honest peer sends: nothing of it may be shown.
    #[serde(default)]
    pub bad: bool,
}

/// What a stored message holds. Its own form, since that of the contract is told apart by a member, and then numbers in a data file
/// cannot be told from words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum StoredContent {
    /// A text.
    Text(String),
    /// A file.
    Media {
        /// Which kind.
        media: MediaKind,
        /// Media type.
        mime: String,
        /// File name.
        name: String,
        /// SHA-256 of the plaintext.
        sha256: Bytes,
        /// Length of the plaintext in bytes.
        length: u64,
    },
}

impl StoredContent {
    /// From the form of the contract; `None` for what no stored message holds.
    #[must_use]
    pub fn of(content: &UserContent) -> Option<Self> {
        match content.clone() {
            UserContent::Text { text } => Some(Self::Text(text)),
            UserContent::Media { media, mime, name, file: FileRef { sha256, length, .. } } => {
                Some(Self::Media { media, mime, name, sha256, length })
            }
            _ => None,
        }
    }

    /// In the form of the contract.
    #[must_use]
    pub fn user_content(&self) -> UserContent {
        match self.clone() {
            Self::Text(text) => UserContent::Text { text },
            Self::Media { media, mime, name, sha256, length } => {
                UserContent::Media { media, mime, name, file: FileRef { url: None, sha256, length } }
            }
        }
    }
}

/// An encrypted file lies at the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StoreBlob {
    /// Whose: a stored peer, whose messages refer to it.
    pub of: String,
    /// Its path at the gateway, such as `/media/0b7c…`: the content of a stored message names it.
    pub path: String,
    /// Ciphertext and MAC.
    pub bytes: Bytes,
}

/// The gateway answers the next request for a user's keys with this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServeBundle {
    /// Whose keys: a stored peer's.
    pub of: String,
    /// The answer as it stands, whatever is wrong with it.
    pub bundle: KeyBundle,
}

/// A stored message is either shown as it was sent, or refused for one of these reasons: both are right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ShowsOrRefuses {
    /// Who.
    pub user: String,
    /// Which message.
    pub message: String,
    /// Reasons that are right.
    pub reasons: Vec<Reason>,
}

/// The safety number that a step saw is this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SafetyNumberIs {
    /// Name of a `verify-identity` step.
    pub of: String,
    /// 60 digits.
    pub digits: String,
    /// Reasons for which it may be refused as well; none unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or_refuses: Vec<Reason>,
}
