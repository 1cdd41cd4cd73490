//! Steps.

use super::{
    AskAgain, Bundle, ChangeGroup, CreateGroup, Damage, DeliverTo, Expect, ExportState, FetchKeys, LoseNext, MakeClone, Many,
    Pair, Redeliver, RestoreSnapshot, Rewrite, RotateKeys, SendStored, SendToGroup, ServeBundle, StoreBlob, TakeSnapshot,
    TryConnect, UnknownStanza, VerifyIdentity,
};
pub use countersign_adversary::Alteration;
use countersign_adversary::alter::PrekeyKind;
use countersign_contract::seen::MediaKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step. Each is a table with one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A user sends something.
    Send(Send),
    /// What must be the case now. See [`Expect`].
    Expect(Expect),
    /// Lets a held stanza go.
    Release(String),
    /// Throws a held stanza away.
    Drop(String),
    /// Delivers a stanza once more.
    Replay(Replay),
    /// Delivers a stanza to somebody for whom it was not made, as if `from` had sent it.
    Misdeliver(Misdeliver),
    /// A reference user asks for a message again that was never sent to it.
    ForgeRetry(ForgeRetry),
    /// Brings a user's client online.
    Connect(String),
    /// Takes a user's client offline.
    Disconnect(String),
    /// Moves the instance's virtual time forward by that many seconds.
    Advance(u64),
    /// A user fetches a peer's bundle and sets up a session, without sending.
    FetchKeys(FetchKeys),
    /// Bends the next bundle of a user that the gateway hands out. Several compose.
    Bundle(Bundle),
    /// A user makes new keys.
    RotateKeys(RotateKeys),
    /// A user loses everything and enlists anew under the same name.
    Reinstall(String),
    /// A user accepts a peer's changed identity key.
    AcceptIdentity(Pair),
    /// A user blocks a peer.
    Block(Pair),
    /// A user ends that again.
    Unblock(Pair),
    /// A user looks at the safety number with a peer.
    VerifyIdentity(VerifyIdentity),
    /// The gateway fails some of the candidate's next requests.
    Fault(FaultStep),
    /// Bends the next download of a file.
    Media(MediaStep),
    /// Two users send to each other in turn, and each message must be shown before the next is sent.
    Exchange(Exchange),
    /// A reference user sends at planned times, whether or not earlier messages have arrived: an open loop. For measurements.
    Burst(Burst),
    /// Deletes a user.
    DeleteUser(String),
    /// Brings a candidate's user online, as an attempt with a name that may be expected to fail.
    TryConnect(TryConnect),
    /// A reference user asks again and again for one message that was sent to it.
    AskAgain(AskAgain),
    /// A reference user sends many texts one after another.
    Many(Many),
    /// The gateway sends a stanza of a kind that does not exist yet.
    UnknownStanza(UnknownStanza),
    /// From now on the gateway adds a member that does not exist yet to every stanza that it gives to the candidate's clients.
    ExtraMembers(bool),
    /// A stored peer sends a stored message.
    SendStored(SendStored),
    /// An encrypted file lies at the gateway.
    StoreBlob(StoreBlob),
    /// The gateway answers the next request for a stored peer's keys with these.
    ServeBundle(Box<ServeBundle>),
    /// A user creates a group.
    CreateGroup(CreateGroup),
    /// A member, or the gateway by itself, changes who is in a group.
    ChangeGroup(ChangeGroup),
    /// A member sends to a group.
    SendToGroup(SendToGroup),
    /// The gateway delivers a group message once more, to whomever and in whatever stanza.
    Redeliver(Redeliver),
    /// The network loses the next pairwise message between two users.
    LoseNext(LoseNext),
    /// The state of a candidate's user is kept as it is now.
    Snapshot(TakeSnapshot),
    /// The state of a candidate's user is put back as it was.
    Restore(RestoreSnapshot),
    /// A thief copies the state of a candidate's user.
    Clone(MakeClone),
    /// Stanzas are fed to a copy.
    Deliver(DeliverTo),
    /// The stored state of a candidate's user is exported.
    Export(ExportState),
}

/// Sends something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Send {
    /// Who.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Name of the stanza.
    #[serde(rename = "as")]
    pub name: String,
    /// What.
    pub content: ContentSpec,
    /// What the network does with it.
    #[serde(default)]
    pub network: Option<Network>,
    /// Reference only: fetch a bundle and set up a new session first, even if there is one.
    #[serde(default)]
    pub fresh_session: bool,
    /// Reference only: what is wrong with the content that it makes.
    #[serde(default)]
    pub bend: Option<BendContent>,
    /// Members on the stack `adversary` only: what is done wrongly, in the message and in the set-up of its session, if it has one.
    #[serde(default)]
    pub alter: Vec<Alteration>,
    /// Members on the stack `adversary` only: name another prekey than the session was made with, whose id the scenario cannot know.
    #[serde(default)]
    pub names_prekey: Option<NamesPrekey>,
    /// As a sealed message, which does not say to the server who sent it.
    #[serde(default)]
    pub sealed: bool,
    /// Reference only: what is wrong with the certificate under which it is sealed.
    #[serde(default)]
    pub certificate: Option<BendCertificate>,
}

impl Send {
    /// A message with nothing special.
    #[must_use]
    pub fn plain(from: &str, to: &str, name: String, content: ContentSpec) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            name,
            content,
            network: None,
            fresh_session: false,
            bend: None,
            alter: Vec::new(),
            names_prekey: None,
            sealed: false,
            certificate: None,
        }
    }
}

/// What is wrong with the certificate of a sealed message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BendCertificate {
    /// It leads to another trust root, and is right by that.
    WrongRoot,
    /// A key signed it that is not the server's, whose own certificate stands beside it.
    OtherServer,
    /// It is over since an hour.
    Expired,
    /// It is for device 2.
    OtherDevice,
    /// It is for another identity key than the sender's, and the message is sealed with that key; the session is the sender's own.
    OtherKey,
    /// It is a good one of this other reference user, as anybody has it to whom that user wrote.
    Of(String),
}

/// A prekey that a first message names although its session was made with another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NamesPrekey {
    /// Which kind.
    pub kind: PrekeyKind,
    /// Whose.
    pub of: PrekeyOf,
}

/// Whose prekey it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrekeyOf {
    /// The one that an earlier first message named: used up by it, if it was a one-time prekey.
    Message(String),
    /// One of another reference user.
    User(String),
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum ContentSpec {
    /// A text as it stands. A canary is added unless the text is meant to be exact: see `exact`.
    Text(String),
    /// A text as it stands, without a canary: for empty and special ones.
    ExactText(String),
    /// A text of that many bytes of UTF-8, made from the seed, with a canary at its beginning.
    TextOfBytes(u32),
    /// One character of every Unicode plane, combining marks, both directions, and white space at both ends.
    EveryPlane,
    /// A file.
    File(FileSpec),
    /// A reaction with this emoji to a named message.
    Reaction {
        /// The message.
        of: String,
        /// The emoji.
        emoji: String,
        /// Takes the reaction back.
        #[serde(default)]
        remove: bool,
        /// Makes it this many bytes long, by repeating the emoji and cutting it to letters at its end: for what is no emoji any more.
        #[serde(default)]
        bytes: Option<u32>,
    },
    /// A reply to a named message.
    Reply {
        /// The message.
        of: String,
        /// The text.
        text: String,
    },
    /// A new text for a named message.
    Edit {
        /// The message.
        of: String,
        /// The text.
        text: String,
    },
    /// A named message taken back.
    Delete {
        /// The message.
        of: String,
    },
    /// The typing indicator.
    Typing(bool),
    /// A read receipt for a named message.
    Read(String),
}

/// A file to send; its bytes are made from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileSpec {
    /// Which kind.
    pub kind: MediaKind,
    /// Its length in bytes.
    pub bytes: u32,
    /// Media type.
    #[serde(default)]
    pub mime: Option<String>,
    /// File name.
    #[serde(default)]
    pub name: Option<String>,
    /// Files with the same label have the same bytes.
    #[serde(default)]
    pub label: Option<String>,
}

/// What the network does with a stanza.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Keeps it until `release` or `drop`.
    Hold,
    /// Loses it.
    Drop,
    /// Delivers it this many times in all, under the same id.
    Deliver(u32),
    /// Changes one named field of the libsignal message; everything else stays as it is.
    Tamper(String),
    /// Flips the lowest bit of the byte at this offset of the message's body; a negative one counts from its end.
    Flip(i64),
    /// Cuts the message's body to this many bytes.
    Cut(u32),
    /// Changes one named field, and delivers the damaged message several times under the same id.
    DamagedEachTime(Damage),
    /// Hands it to a candidate's client with this wrong in its stanza; what can be read of it stays under its id.
    Rewrite(Vec<Rewrite>),
}

/// What is wrong with a content that a reference user makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BendContent {
    /// The digest of the file is another one.
    WrongDigest,
    /// A byte of the file's ciphertext is flipped and the digest made anew, so that only the MAC can tell.
    CiphertextFlipped,
    /// A byte of the file's MAC is flipped and the digest made anew.
    MacFlipped,
    /// The stated length is one byte more than the file's.
    WrongLength,
    /// The stated length is one byte less than the file's.
    ShorterLength,
    /// The stated length is the largest that can be written.
    HugeLength,
    /// The stated key is another one.
    WrongKey,
    /// The file is encrypted as one of another kind: as an image, or an image as another file.
    WrongKind,
    /// The message is not padded.
    NoPadding,
    /// The padding ends in another byte.
    WrongPadding,
    /// The plaintext is no protobuf.
    NotProtobuf,
    /// The content has no body.
    NoBody,
}

/// Delivers a stanza once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Replay {
    /// Which.
    pub stanza: String,
    /// Under a new id with this name; without it, under its own id.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
}

/// Delivers a stanza to somebody for whom it was not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Misdeliver {
    /// Which stanza; it may be one that the recipient itself sent.
    pub stanza: String,
    /// To whom.
    pub to: String,
    /// Who the gateway says that it is from.
    pub from: String,
    /// Name of the delivered stanza, which gets an id of its own.
    #[serde(rename = "as")]
    pub name: String,
}

/// A reference user asks for a message again that was never sent to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ForgeRetry {
    /// Who asks: a reference user.
    pub from: String,
    /// Whom.
    pub to: String,
    /// The message that went to somebody else.
    pub of: String,
    /// Name of the receipt.
    #[serde(rename = "as")]
    pub name: String,
}

/// The gateway fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FaultStep {
    /// Which requests of the candidate.
    pub on: Endpoint,
    /// How many.
    pub times: u32,
    /// Name of the fault, for `expect`.
    #[serde(rename = "as")]
    pub name: String,
}

/// A kind of request to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// `POST /enlist`.
    Enlist,
    /// `GET /keys/{user}`.
    GetKeys,
    /// `PUT /keys`.
    PutKeys,
    /// `PUT /media`.
    PutMedia,
    /// `GET /media/{name}`.
    GetMedia,
    /// A message stanza.
    Message,
}

/// Bends the next download of a file by the candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MediaStep {
    /// Flips the lowest bit of the byte at this offset; a negative one counts from the end.
    Flip(i64),
    /// Leaves out that many bytes at the end.
    Cut(u32),
    /// Answers that it is not there.
    Missing,
    /// Appends that many zero bytes.
    Extend(u32),
    /// Lets the connection break in the middle.
    BreakOff(BreakOff),
}

/// Lets downloads break in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BreakOff {
    /// After that many bytes.
    pub after: u32,
    /// How many downloads.
    pub times: u32,
}

/// Two users send in turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exchange {
    /// Who begins, and who answers.
    pub between: [String; 2],
    /// How many messages in all.
    pub messages: u32,
    /// Name: the messages are `name1`, `name2`, …
    #[serde(rename = "as")]
    pub name: String,
}

/// Sends at planned times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Burst {
    /// A reference user.
    pub from: String,
    /// A candidate user.
    pub to: String,
    /// How many messages.
    pub messages: u32,
    /// Milliseconds between two planned sends.
    pub every_ms: u32,
    /// Name: the messages are `name1`, `name2`, …
    #[serde(rename = "as")]
    pub name: String,
}
