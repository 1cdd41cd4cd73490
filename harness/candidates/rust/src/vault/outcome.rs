//! What comes of the work on keys and sessions, whichever the suite.

use countersign_contract::portable::MessageType;
use countersign_contract::{Reason, UserId};

/// What came of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    /// There is a session now.
    Session,
    /// The identity key is another one than the user accepted: there is no new session. `tell` is true when the user does not
    /// know yet.
    Untrusted {
        /// Whether the user must be told.
        tell: bool,
    },
}

/// A decrypted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    /// The padded content.
    pub(crate) plaintext: Vec<u8>,
    /// Whether the sender's identity key is another one than before, so that the user must be told first.
    pub(crate) identity_changed: bool,
    /// True if only a defect let a replay pass.
    pub(crate) replayed: bool,
}

/// A sealed message whose certificate is good, and whose inside nobody has looked at yet.
#[derive(Clone, Debug)]
pub(crate) struct Unsealed {
    /// Who is certified.
    pub(crate) from: UserId,
    /// For which identity key, 33 bytes.
    pub(crate) key: Vec<u8>,
    /// What kind of message is inside.
    pub(crate) kind: MessageType,
    /// The message.
    pub(crate) body: Vec<u8>,
    /// What to do if it cannot be read: 0, unless the sender says something else.
    pub(crate) hint: u32,
}

/// A sealed message whose sender nobody vouches for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unvouched {
    /// Why.
    pub(crate) reason: Reason,
    /// Whom its certificate names, if it could be read: for the defect `asks-uncertified-again`.
    pub(crate) claims: Option<UserId>,
}

/// Whether a message can be encrypted to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Yes.
    Ready,
    /// Not before a session is set up from the peer's bundle.
    NoSession,
    /// Not before the user has accepted the peer's identity key.
    Untrusted,
}
