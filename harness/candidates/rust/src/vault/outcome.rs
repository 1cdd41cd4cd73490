//! What comes of the work on keys and sessions, whichever the suite.

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
