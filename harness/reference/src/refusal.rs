//! What a reference user refuses, under the contract's neutral reasons.

use countersign_contract::Reason;
use countersign_contract::content::ContentError;
use libsignal_protocol::SignalProtocolError;
use std::error::Error as _;
use std::fmt::Display;

/// Why a reference user did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Refusal {
    /// For programs.
    pub reason: Reason,
    /// For people. Never matched outside this crate.
    pub detail: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, detail: impl Display) -> Self {
        Self { reason, detail: detail.to_string() }
    }
}

/// A second use of a last-resort Kyber prekey with the same base key: carried through libsignal by the store that noticed it.
#[derive(Debug, thiserror::Error)]
#[error("the same last-resort Kyber prekey was used before with the same signed prekey and base key")]
pub(crate) struct ReusedBaseKey;

impl From<SignalProtocolError> for Refusal {
    fn from(error: SignalProtocolError) -> Self {
        Self::new(reason(&error), error)
    }
}

impl From<countersign_adversary::Refusal> for Refusal {
    fn from(refusal: countersign_adversary::Refusal) -> Self {
        Self { reason: refusal.reason, detail: refusal.detail }
    }
}

impl From<ContentError> for Refusal {
    fn from(error: ContentError) -> Self {
        Self::new(error.reason(), error)
    }
}

/// Every error that libsignal has, without a catch-all: a new one must be placed by hand.
fn reason(error: &SignalProtocolError) -> Reason {
    use SignalProtocolError as E;
    match error {
        E::InvalidProtobufEncoding | E::CiphertextMessageTooShort(_) => Reason::Malformed,
        E::LegacyCiphertextVersion(_) | E::UnrecognizedCiphertextVersion(_) | E::UnrecognizedMessageVersion(_) => {
            Reason::BadVersion
        }
        E::NoKeyTypeIdentifier
        | E::BadKeyType(_)
        | E::BadKeyLength(..)
        | E::BadKEMKeyType(_)
        | E::WrongKEMKeyType(..)
        | E::BadKEMKeyLength(..)
        | E::BadKEMCiphertextLength(..) => Reason::BadKey,
        E::SignatureValidationFailed => Reason::BadSignature,
        E::UntrustedIdentity(_) => Reason::UntrustedIdentity,
        E::InvalidPreKeyId | E::InvalidSignedPreKeyId | E::InvalidKyberPreKeyId => Reason::UnknownPrekey,
        E::SessionNotFound(_) => Reason::NoSession,
        E::DuplicatedMessage(..) => Reason::Duplicate,
        E::InvalidMessage(_, words) => invalid_message(words),
        E::ApplicationCallbackError(..) if error.source().is_some_and(|source| source.is::<ReusedBaseKey>()) => Reason::Duplicate,
        E::InvalidSealedSenderMessage(_) | E::InvalidRegistrationId(..) | E::InvalidProtocolAddress { .. } => Reason::Malformed,
        E::UnknownSealedSenderVersion(_) => Reason::BadVersion,
        E::SealedSenderSelfSend => Reason::WrongRecipient,
        E::UnknownSealedSenderServerCertificateId(_) => Reason::BadSignature,
        E::NoSenderKeyState { .. } => Reason::NoSession,
        E::InvalidArgument(_)
        | E::InvalidState(..)
        | E::InvalidMacKeyLength(_)
        | E::InvalidSessionStructure(_)
        | E::InvalidSenderKeySession { .. }
        | E::FfiBindingError(_)
        | E::ApplicationCallbackError(..) => Reason::Internal,
    }
}

/// libsignal has one error for several faults of a message and tells them apart by words alone. The words are those of the one
/// version that the workspace pins; tests of this crate provoke each of them.
fn invalid_message(words: &str) -> Reason {
    match words {
        "incoming base key is invalid" => Reason::BadKey,
        "X3DH no longer supported" => Reason::BadVersion,
        "missing pq pre-key ID"
        | "missing pq ciphertext"
        | "Kyber pre key must be present for this session version"
        | "Both or neither kyber pre_key_id and kyber_ciphertext can be present" => Reason::Malformed,
        "message from too far into the future" => Reason::TooOld,
        "No session available to decrypt" => Reason::NoSession,
        // "decryption failed", "MAC verification failed", "failed to decrypt", "post-quantum ratchet error"
        _ => Reason::BadMac,
    }
}
