//! What a server writes wrongly into the JSON that it hands out.

use countersign_adversary::alter::Fill;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is wrong in a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rewrite {
    /// Which member, by the names from the outside in: `[signed_prekey, key]`.
    pub member: Vec<String>,
    /// What is done to it.
    pub how: Rewritten,
}

/// What is done to a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rewritten {
    /// It is left out.
    Remove,
    /// Its value is this JSON text. A member that is not there is added.
    Set(String),
    /// Its value is a string of so many times this byte, an ASCII letter or digit.
    Fill(Fill),
    /// It stands there so many times more.
    Repeat(u32),
}

impl Rewrite {
    /// What is done, as the end of the sentence "the server …".
    #[must_use]
    pub fn describe(&self) -> String {
        let member = self.member.join(".");
        match &self.how {
            Rewritten::Remove => format!("leaves out its member {member}"),
            Rewritten::Set(text) if text.chars().count() > 60 => format!("writes {} B into its member {member}", text.len()),
            Rewritten::Set(text) => format!("writes {text} into its member {member}"),
            Rewritten::Fill(fill) => format!("writes {} letters into its member {member}", fill.times),
            Rewritten::Repeat(times) => format!("writes its member {member} {times} times more"),
        }
    }
}
