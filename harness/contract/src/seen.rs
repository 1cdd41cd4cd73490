//! What a user sends and what a user sees.

use crate::{GroupId, MessageId, Reason, StanzaId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A recorded voice message.
    Voice,
    /// Anything else.
    File,
}

impl MediaKind {
    /// All kinds.
    pub const ALL: [MediaKind; 4] = [Self::Image, Self::Video, Self::Voice, Self::File];

    /// The kind as it stands on the wire and in the key derivation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Voice => "voice",
            Self::File => "file",
        }
    }
}

/// Content as a user makes it or sees it. Files do not travel in here: see [`FileRef`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum UserContent {
    /// A text.
    Text {
        /// UTF-8, shown as it is: not trimmed, not normalised.
        text: String,
    },
    /// A file.
    Media {
        /// Which kind.
        media: MediaKind,
        /// Media type, by the rule of the module `media`.
        mime: String,
        /// File name without any path, by the rule of the module `media`; empty if there is none.
        name: String,
        /// The file itself.
        file: FileRef,
    },
    /// A reaction to a message.
    Reaction {
        /// The message reacted to.
        of: MessageId,
        /// One emoji.
        emoji: String,
        /// True takes it back.
        remove: bool,
    },
    /// A reply that quotes a message.
    Reply {
        /// The quoted message.
        of: MessageId,
        /// The reply.
        text: String,
    },
    /// A new text for a message sent before.
    Edit {
        /// The message changed.
        of: MessageId,
        /// Its new text.
        text: String,
    },
    /// A message taken back.
    Delete {
        /// The message.
        of: MessageId,
    },
    /// The typing indicator.
    Typing {
        /// On or off.
        active: bool,
    },
    /// The user has read these messages.
    Read {
        /// Which.
        of: Vec<MessageId>,
    },
}

/// A file by reference. To send one, the candidate fetches `url` from us; of one that it received it says length and digest of
/// what the user saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// Where the plaintext to send is: a path under the instance's gateway URL. Absent in what was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// SHA-256 of the plaintext.
    pub sha256: crate::Bytes,
    /// Length of the plaintext in bytes.
    pub length: u64,
}

/// One entry of what a user saw, or of what the client refused to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Counts from 1 for each user, without gaps, in the order in which the user saw things.
    pub seq: u64,
    /// What it was.
    pub what: What,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// A message was shown.
    Message {
        /// Its id: `message_id` of the content.
        message: MessageId,
        /// Who sent it, as authenticated by the session that decrypted it.
        from: UserId,
        /// The group in which it was shown; absent for a message between two users.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupId>,
        /// What was shown.
        content: UserContent,
    },
    /// A delivery receipt was shown. Read receipts arrive as content.
    Receipt {
        /// Who received.
        from: UserId,
        /// Which messages.
        of: Vec<StanzaId>,
    },
    /// The user was told something.
    Notice {
        /// What.
        notice: NoticeKind,
        /// About whom.
        about: UserId,
        /// In which group; there with `member-added` and `member-removed`, and with no other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupId>,
    },
    /// A stanza was refused and nothing of it was shown.
    Refused {
        /// The stanza.
        stanza: StanzaId,
        /// Why.
        reason: Reason,
    },
}

/// What a user is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// The peer's identity key is another one than before.
    IdentityChanged,
    /// A message could not be decrypted.
    Undecryptable,
    /// Somebody is a member of a group now: see the module `groups`.
    MemberAdded,
    /// Somebody is a member of a group no more.
    MemberRemoved,
}
