//! Steps about groups.

use super::{Alteration, ContentSpec, Network};
use countersign_contract::GroupId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user creates a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CreateGroup {
    /// Who, and its first member.
    pub by: String,
    /// The other members.
    pub members: Vec<String>,
    /// Name of the group.
    #[serde(rename = "as")]
    pub name: String,
    /// Its id, where stored messages name it; made from the seed unless said. Only of groups that a reference user creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<GroupId>,
}

/// A member changes a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ChangeGroup {
    /// Who. Without it, the gateway does it by itself, and nobody asked.
    #[serde(default)]
    pub by: Option<String>,
    /// Which group.
    pub group: String,
    /// New members.
    #[serde(default)]
    pub add: Vec<String>,
    /// Members to take out.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Members whom the gateway does not tell of it.
    #[serde(default)]
    pub untold: Vec<String>,
}

/// A member sends to a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SendToGroup {
    /// Who.
    pub from: String,
    /// To which group.
    pub group: String,
    /// Name of the stanza.
    #[serde(rename = "as")]
    pub name: String,
    /// What: a text, a reply or a file.
    pub content: ContentSpec,
    /// What the network does with it.
    #[serde(default)]
    pub network: Option<Network>,
    /// The one member whose copy the network does that to; all, unless said.
    #[serde(default)]
    pub copy_for: Option<String>,
    /// Reference only: makes a new sender key first.
    #[serde(default)]
    pub fresh_key: bool,
    /// Reference only: what is wrong with it. The gateway then delivers it to all members of its list, whatever the rules say.
    #[serde(default)]
    pub bend: Option<BendGroup>,
    /// Members on the stack `adversary` only: what is done wrongly, in the message and in the sender key that is handed out before it,
    /// if one is due. What is done wrongly in a sender key goes to all members.
    #[serde(default)]
    pub alter: Vec<Alteration>,
    /// Members on the stack `adversary` only: hands out its sender key, and sends, under the distribution id of this other reference
    /// user's present sender key for the group, which the scenario cannot know.
    #[serde(default)]
    pub names_distribution_of: Option<String>,
}

/// What is wrong with a group message of a reference user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BendGroup {
    /// Its sender is no member any more, and says that it is made for the present list.
    NotAMember,
    /// Its sender never was a member, says that it is made for the present list, and hands out a sender key to all members first.
    Stranger,
    /// Its sender hands out the sender key of another of its groups for this one, and goes on under that.
    KeyOfOtherGroup,
    /// It is made for the list before the present one.
    EarlierList,
    /// It is made for a list of the present version with other members.
    OtherList,
    /// It carries no text, but a new sender key, under which the sender then goes on without handing it out pairwise.
    KeyInside,
    /// Its plaintext is not padded.
    NotPadded,
    /// Its plaintext is padded, and no content.
    NotAContent,
    /// In place of a text it says that its sender is typing, which is not said in groups.
    Typing,
}

/// The gateway delivers a group message once more, under a new id, to whomever and in whatever stanza.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Redeliver {
    /// Which group message.
    pub stanza: String,
    /// To whom.
    pub to: String,
    /// In the stanza of which group; its own, unless said.
    #[serde(default)]
    pub group: Option<String>,
    /// As a message between two users, in place of a group message.
    #[serde(default)]
    pub pairwise: bool,
    /// Name of the delivered stanza.
    #[serde(rename = "as")]
    pub name: String,
}

/// What the network does with the next pairwise message between two users: a sender key, where one is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoseNext {
    /// Who sends it.
    pub from: String,
    /// To whom.
    pub to: String,
}
