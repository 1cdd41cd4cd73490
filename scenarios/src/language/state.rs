//! Steps and expectations about a candidate's state: kept, put back, stolen and looked at. See the contract's module `state`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state and log of a candidate's user are kept as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TakeSnapshot {
    /// Whose: a candidate's user.
    pub of: String,
    /// Name of the snapshot.
    #[serde(rename = "as")]
    pub name: String,
}

/// The state and log of a candidate's user are put back; it is offline then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RestoreSnapshot {
    /// Whose: the user of the snapshot.
    pub user: String,
    /// Name of the snapshot.
    pub to: String,
}

/// A thief copies the state of a candidate's user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MakeClone {
    /// Whose: a candidate's user.
    pub of: String,
    /// Name of the copy.
    #[serde(rename = "as")]
    pub name: String,
}

/// Stanzas are fed to a copy, as they were on the wire. Either `stanzas` or `exchange`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeliverTo {
    /// To which copy.
    pub clone: String,
    /// Which stanzas, in this order.
    #[serde(default)]
    pub stanzas: Vec<String>,
    /// Every message of this exchange that went to the user of the copy, in its order.
    #[serde(default)]
    pub exchange: Option<String>,
}

/// The stored state of a candidate's user is exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExportState {
    /// Whose: a candidate's user.
    pub of: String,
    /// Name of the export.
    #[serde(rename = "as")]
    pub name: String,
}

/// What a copy reads, or does not, of the messages that were fed to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Thief {
    /// Which copy.
    pub clone: String,
    /// Which messages.
    pub messages: Vec<String>,
}

/// From when on a copy reads no more of an exchange that was fed to it, or must be taken to read no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Healing {
    /// Which copy.
    pub clone: String,
    /// Which exchange, begun after the copy was made.
    pub exchange: String,
    /// Messages of the exchange, in both directions, that may pass before that; of the copy's own user too.
    pub after_at_most: u32,
}

/// Keys that an exported state holds, or lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExportedKeys {
    /// Which export.
    pub export: String,
    /// Keys of these messages: the chain key at its place, the seed, the keys of cipher and MAC. To be held, one of them is enough. The
    /// other end of each message is a reference user on the stack `adversary`, since the library keeps its keys to itself.
    #[serde(default)]
    pub keys_of: Vec<String>,
    /// Private halves of the one-time prekeys that these first messages name. Their receiver has `known-keys`.
    #[serde(default)]
    pub prekeys_of: Vec<String>,
}
