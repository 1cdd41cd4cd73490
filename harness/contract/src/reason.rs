//! Why something was refused: a closed list, and the problem document (RFC 9457) that carries it. Prose is for people and is
//! never matched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal, $status:literal;)*) => {
        /// A neutral reason. It names what was wrong with the input, never which function noticed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Reason {
            $($(#[doc = $doc])* #[serde(rename = $text)] $variant,)*
        }

        impl Reason {
            /// Every reason there is, in the order of the documentation.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The reason as it stands on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$variant => $text,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Reason::$variant => concat!($($doc),*).trim_ascii(),)* }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Reason::$variant => $status,)* }
            }
        }
    };
}

reasons! {
    /// A signature does not verify under the key that it is said to be from.
    BadSignature = "bad-signature", 422;
    /// An authentication code does not match: of a message, or of an encrypted file.
    BadMac = "bad-mac", 422;
    /// A file's ciphertext does not have the digest that its message states.
    BadDigest = "bad-digest", 422;
    /// The padding of a decrypted message breaks the rule of the content module.
    BadPadding = "bad-padding", 422;
    /// A public key is of the wrong type or length, all zero, or of low order.
    BadKey = "bad-key", 422;
    /// A message version that the receiver does not speak.
    BadVersion = "bad-version", 422;
    /// This message was received before.
    Duplicate = "duplicate", 409;
    /// The message lies further back, or further ahead, than the receiver keeps keys for.
    TooOld = "too-old", 409;
    /// A prekey id that the receiver does not have, or no longer has.
    UnknownPrekey = "unknown-prekey", 422;
    /// There is no session with the sender that could read this.
    NoSession = "no-session", 422;
    /// The message was made for somebody else, or by the receiver itself.
    WrongRecipient = "wrong-recipient", 422;
    /// The peer's identity key changed and the user has not accepted the new one.
    UntrustedIdentity = "untrusted-identity", 409;
    /// The input does not have the form that it should have.
    Malformed = "malformed", 400;
    /// The input is larger than a stated limit.
    TooLarge = "too-large", 413;
    /// No such user.
    UnknownUser = "unknown-user", 404;
    /// The candidate's own user was deleted: only operations say so, the gateway never does.
    DeletedUser = "deleted-user", 410;
    /// The user is not enlisted at the gateway any more, and has to enlist anew.
    NotEnlisted = "not-enlisted", 403;
    /// No such instance is open.
    UnknownInstance = "unknown-instance", 404;
    /// The user's client is not online.
    NotConnected = "not-connected", 409;
    /// A file is not there.
    MediaMissing = "media-missing", 404;
    /// It refers to a message that the receiver does not know, or knows no more.
    UnknownMessage = "unknown-message", 404;
    /// The sender may not do this to that message: see the module `conversation`.
    NotPermitted = "not-permitted", 403;
    /// The group does not exist, or the user is no member of it.
    UnknownGroup = "unknown-group", 404;
    /// It was made for another list of a group's members than the present one.
    StaleGroup = "stale-group", 409;
    /// The time within which this could be done to the message is over.
    TooLate = "too-late", 409;
    /// One of the two has blocked the other.
    Blocked = "blocked", 403;
    /// The credential is absent or wrong.
    Unauthorized = "unauthorized", 401;
    /// An operation or capability that does not exist, or that this candidate lacks.
    Unsupported = "unsupported", 501;
    /// The gateway answered with an error, and went on doing so.
    GatewayError = "gateway-error", 502;
    /// The gateway asks to come back later.
    Busy = "busy", 503;
    /// Something took longer than its deadline.
    Timeout = "timeout", 504;
    /// A fault of the answering side itself.
    Internal = "internal", 500;
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|r| r.as_str() == text).ok_or_else(|| UnknownReason(text.to_owned()))
    }
}

/// A reason that is not on the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of the contract's reasons")]
pub struct UnknownReason(pub String);

/// A failed operation or request: `application/problem+json` (RFC 9457), with our `reason` member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Problem {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people. Never matched.
    #[serde(default)]
    pub detail: String,
    /// HTTP status, repeated in the body as RFC 9457 suggests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl Problem {
    /// A problem with the status that belongs to its reason.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), status: Some(reason.status()) }
    }

    /// What an unknown operation gets.
    #[must_use]
    pub fn unsupported(what: &str) -> Self {
        Self::new(Reason::Unsupported, format!("`{what}` is not supported"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_and_the_wire_agree() {
        for reason in Reason::ALL {
            let json = serde_json::to_string(reason).unwrap();
            assert_eq!(json, format!("\"{}\"", reason.as_str()));
            assert_eq!(reason.as_str().parse::<Reason>().unwrap(), *reason);
        }
        assert!("made-up".parse::<Reason>().is_err());
    }
}
