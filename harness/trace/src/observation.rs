//! What the reference observed and the wire does not show.

use crate::{Digest, KeyMark, MadeFile};
use countersign_contract::seen::UserContent;
use countersign_contract::{GroupId, Reason, StanzaId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One observation of a reference user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Observation {
    /// A message was decrypted and is shown to the reference user.
    Shown {
        /// The stanza that carried it.
        stanza: StanzaId,
        /// The message's own id.
        message: StanzaId,
        /// Who sent it.
        from: UserId,
        /// In which group; absent for a message between two users.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupId>,
        /// What is shown.
        content: UserContent,
        /// Length of the plaintext with its padding, in bytes.
        padded: u64,
    },
    /// In a content that was decrypted stands a signature under its sender's identity key over what is said. That there is none of these does
    /// not mean that nothing is signed.
    Signed {
        /// The stanza that carried it.
        stanza: StanzaId,
        /// Who sent it.
        from: UserId,
        /// Numbers of the fields of the content that lead to it, such as `19`.
        place: String,
        /// What it was made over, in words.
        over: String,
    },
    /// A stanza was refused.
    Refused {
        /// The stanza.
        stanza: StanzaId,
        /// Why.
        reason: Reason,
        /// In words.
        detail: String,
    },
    /// A receipt arrived.
    Receipt {
        /// The receipt's own stanza.
        stanza: StanzaId,
        /// Who sent it.
        from: UserId,
        /// `delivered` or `retry`.
        receipt: String,
        /// What it is about.
        of: StanzaId,
    },
    /// A file was received. Of keys, marks stand here: enough to see one used twice or sent openly, no use to a reader.
    Media {
        /// The stanza whose message carries the file.
        stanza: StanzaId,
        /// The mark of the media key.
        key: KeyMark,
        /// Whether the stated digest was the blob's.
        digest_ok: bool,
        /// Whether the MAC verified.
        mac_ok: bool,
        /// SHA-256 of the plaintext, if it was decrypted.
        plaintext: Option<Digest>,
    },
    /// A reference user made a message.
    Sent {
        /// The stanza.
        stanza: StanzaId,
        /// To whom.
        to: UserId,
        /// What is in it.
        content: UserContent,
        /// The mark of the media key, if there is a file.
        media_key: Option<KeyMark>,
    },
    /// A reference user made a message to a group.
    SentToGroup {
        /// The stanza.
        stanza: StanzaId,
        /// To which group.
        group: GroupId,
        /// What is in it.
        content: UserContent,
        /// The mark of the media key, if there is a file.
        media_key: Option<KeyMark>,
    },
    /// A reference user was handed a member's sender key.
    SenderKey {
        /// The stanza that carried it.
        stanza: StanzaId,
        /// Whose.
        from: UserId,
        /// For which group.
        group: GroupId,
        /// How many messages its sender had sent under it.
        iteration: u32,
    },
    /// A reference user could not do what a step asked for: the candidate's keys or messages did not allow it.
    Failed {
        /// What it tried.
        what: String,
        /// Why it could not.
        reason: Reason,
        /// In words.
        detail: String,
    },
    /// A session was set up from a peer's bundle.
    SessionFrom {
        /// Whose bundle.
        peer: UserId,
        /// SHA-256 of the peer's identity key.
        identity: Digest,
        /// Id of the one-time prekey used, if there was one.
        one_time_prekey: Option<u32>,
        /// Id of the Kyber prekey used, in a suite that has them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kyber_prekey: Option<u32>,
    },
    /// The secrets of a message between a reference user and one of the candidate, as digests: with them, an exported state is searched
    /// for what should be gone. Only of messages that a scenario looks for, and of users on our own stack.
    MessageSecrets {
        /// The stanza of the message.
        stanza: StanzaId,
        /// What each secret is, and its SHA-256; each has 32 bytes.
        secrets: Vec<(String, Digest)>,
    },
    /// The safety number as a reference user sees it.
    SafetyNumber {
        /// With whom.
        peer: UserId,
        /// 60 digits.
        digits: String,
    },
    /// A plaintext marker that must not appear in any byte that a server sees. Recorded when the content is made.
    Canary {
        /// The marker.
        text: String,
    },
    /// A file was made from the seed for a user of the candidate to send. Of a large one this stands here in place of its bytes.
    Made {
        /// Where the candidate fetches it.
        path: String,
        /// How it is made.
        file: MadeFile,
    },
    /// What the gateway noticed about a frame or request of the candidate that breaks the binding.
    Invalid {
        /// Which request or stanza, in words.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
}
