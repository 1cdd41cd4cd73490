//! Steps about the life of users and sessions: coming back, asking again, many lost messages, and a gateway that is newer.

use super::Network;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A candidate's user comes online, if the gateway lets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TryConnect {
    /// Who: a candidate's user.
    pub user: String,
    /// Name of the attempt, for `expect`.
    #[serde(rename = "as")]
    pub name: String,
}

/// A reference user asks again and again for one message that was sent to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AskAgain {
    /// Who asks: a reference user.
    pub from: String,
    /// Whom: a candidate's user.
    pub to: String,
    /// The message.
    pub of: String,
    /// How often.
    pub times: u32,
}

/// A reference user sends many texts one after another, whatever becomes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Many {
    /// Who: a reference user.
    pub from: String,
    /// To whom.
    pub to: String,
    /// How many.
    pub messages: u32,
    /// Name: the messages are `name1`, `name2`, …
    #[serde(rename = "as")]
    pub name: String,
    /// What the network does with each of them: `drop`, or nothing.
    #[serde(default)]
    pub network: Option<Network>,
    /// Each begins a new session.
    #[serde(default)]
    pub fresh_session: bool,
}

/// The gateway sends a stanza of a kind that this version of the binding does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UnknownStanza {
    /// To whom: a candidate's user who is online.
    pub to: String,
    /// Name of the stanza.
    #[serde(rename = "as")]
    pub name: String,
}

/// A field that is damaged each time that a message is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Damage {
    /// Which: as for `tamper`.
    pub field: String,
    /// How often the damaged message is delivered in all, under the same id.
    pub times: u32,
}
