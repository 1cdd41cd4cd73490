//! What a vector file says. Unknown keys are errors.
//!
//! A file holds vectors of one kind. Vectors that share keys stand in a group. Each vector has a result: `valid` (what an honest peer
//! makes: it must be accepted), `invalid` (it must be refused, for one of the reasons that are right), or `acceptable` (a careful
//! receiver may refuse it and a tolerant one may take it). Flags name the class of bug that a vector finds, and the file explains each.

use countersign_contract::claims::{Feature, Suite};
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{Enlist, KeyBundle, MessageType};
use countersign_contract::seen::UserContent;
use countersign_contract::{Bytes, GroupId, Reason, StanzaId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the format of vector files.
pub const VERSION: u32 = 1;

/// A file of vectors of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VectorFile<G> {
    /// Version of the format: 1.
    pub version: u32,
    /// Which kind of vectors these are.
    pub kind: String,
    /// What they are about, in a sentence.
    pub title: String,
    /// The specification that says what is right.
    pub source: String,
    /// What made the file: the same seed makes the same bytes.
    pub seed: String,
    /// What each flag means.
    pub flags: BTreeMap<String, Flag>,
    /// The vectors.
    pub groups: Vec<G>,
    /// SHA-256 of the file in its canonical form with this member empty, in hexadecimal digits.
    pub digest: String,
}

/// A class of bugs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Flag {
    /// What is wrong with an implementation that fails here.
    pub bug: String,
    /// What somebody can do with that.
    pub effect: String,
}

/// What has to become of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It has to be accepted.
    Valid,
    /// It may be accepted or refused.
    Acceptable,
    /// It has to be refused.
    Invalid,
}

/// What every vector says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct About {
    /// Its name, unique among the vectors of its kind.
    pub id: String,
    /// What is done, in a sentence.
    pub comment: String,
    /// Classes of bugs that it finds.
    pub flags: Vec<String>,
    /// Requirements that it verifies.
    pub verifies: Vec<String>,
    /// Features that a candidate needs for it, beyond text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    /// What has to become of what the vector is about.
    pub result: Outcome,
}

/// Messages to one receiver, who imports given keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConversationGroup {
    /// The suite that all speak.
    pub suite: Suite,
    /// The receiver's name at the gateway.
    pub receiver: UserId,
    /// The keys that the receiver imports.
    pub keys: ImportedKeys,
    /// The trust root that the receiver is told, 33 bytes. Only for sealed messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_root: Option<Bytes>,
    /// The senders, with what the gateway publishes of them.
    pub peers: BTreeMap<String, Enlist>,
    /// The vectors.
    pub tests: Vec<ConversationTest>,
}

/// Messages in the order in which they arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConversationTest {
    /// What it is.
    pub about: About,
    /// Groups that are there before the first message. Only in vectors about sender keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<StoredGroup>,
    /// Encrypted files that lie at the gateway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<StoredFile>,
    /// The messages.
    pub messages: Vec<StoredMessage>,
}

/// A group at the gateway, with version 1 of its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StoredGroup {
    /// How messages and changes of the vector call it.
    pub name: String,
    /// Its id: contents of messages name it.
    pub id: GroupId,
    /// The peer who creates it, and its first member.
    pub by: String,
    /// Other peers who are members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Whether the receiver is a member.
    pub with_receiver: bool,
}

/// A change of a group: the version of its list counts up by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StoredChange {
    /// Which group.
    pub group: String,
    /// The member who makes it.
    pub by: String,
    /// Peers who are members from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Peers who are members no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// An encrypted file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StoredFile {
    /// Whose.
    pub of: String,
    /// Its path at the gateway, as the message names it.
    pub path: String,
    /// Ciphertext and MAC.
    pub bytes: Bytes,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StoredMessage {
    /// Its sender.
    pub from: String,
    /// Id of the stanza; the content names it too.
    pub stanza: StanzaId,
    /// A change of a group that the receiver is told of before the message arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<StoredChange>,
    /// The group in whose stanza it arrives; none for a message between two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether it arrives sealed, without its sender; then `body` is what is sealed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// Whether it sets up a session; of a sealed one, the message inside.
    pub r#type: MessageType,
    /// The serialised message.
    pub body: Bytes,
    /// What is in it, or would be if it were read. Nothing, if it hands out a sender key, which no user ever sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<UserContent>,
    /// What has to become of it.
    pub result: Outcome,
    /// Reasons that are right to refuse it for; none for a valid one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// Prekey bundles of one peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BundleGroup {
    /// The suite that all speak.
    pub suite: Suite,
    /// The user who fetches, with keys of its own.
    pub user: UserId,
    /// The peer whose bundles these are, with its honest keys.
    pub peer: Enlist,
    /// Another honest peer, whose keys have to be accepted before.
    pub twin: Enlist,
    /// The vectors.
    pub tests: Vec<BundleTest>,
}

/// One bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BundleTest {
    /// What it is.
    pub about: About,
    /// The bundle as the gateway hands it out.
    pub bundle: KeyBundle,
    /// Reasons that are right to refuse it for; none for a valid one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// Safety numbers of one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SafetyNumberGroup {
    /// The suite that all speak.
    pub suite: Suite,
    /// The user's name.
    pub user: UserId,
    /// The keys that the user imports.
    pub keys: ImportedKeys,
    /// The vectors.
    pub tests: Vec<SafetyNumberTest>,
}

/// One safety number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SafetyNumberTest {
    /// What it is.
    pub about: About,
    /// The peer.
    pub peer: Enlist,
    /// The safety number: 60 digits.
    pub digits: String,
    /// Reasons that are right to say none; only for an acceptable one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}
