//! Names of the fields.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which message a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The prekey message around.
    Outer,
    /// The normal message, alone or embedded.
    Inner,
}

/// How a field's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first byte.
    Version,
    /// A protobuf field that holds a number.
    Number(u32),
    /// A protobuf field that holds bytes.
    Bytes(u32),
    /// The last eight bytes.
    Mac,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $layer:ident, $place:expr;)*) => {
        /// A field of a Signal message, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Field {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl Field {
            /// Every field, the outer ones last.
            pub const ALL: &'static [Field] = &[$(Field::$variant,)*];

            /// The name as scenarios write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Field::$variant => $text,)* }
            }

            /// Where the field stands.
            #[must_use]
            pub const fn layer(self) -> Layer {
                match self { $(Field::$variant => Layer::$layer,)* }
            }

            pub(crate) const fn place(self) -> Place {
                match self { $(Field::$variant => $place,)* }
            }
        }
    };
}

fields! {
    /// Version byte of the normal message.
    Version = "version", Inner, Place::Version;
    /// The sender's ratchet key.
    RatchetKey = "ratchet-key", Inner, Place::Bytes(1);
    /// Number of the message in its chain.
    Counter = "counter", Inner, Place::Number(2);
    /// Length of the chain before.
    PreviousCounter = "previous-counter", Inner, Place::Number(3);
    /// The encrypted content.
    Ciphertext = "ciphertext", Inner, Place::Bytes(4);
    /// The post-quantum ratchet's message.
    PqRatchet = "pq-ratchet", Inner, Place::Bytes(5);
    /// Sender and receiver, by later versions of the official code.
    Addresses = "addresses", Inner, Place::Bytes(6);
    /// The authentication code.
    Mac = "mac", Inner, Place::Mac;
    /// Version byte of the prekey message.
    OuterVersion = "outer-version", Outer, Place::Version;
    /// Id of the receiver's one-time EC prekey.
    PrekeyId = "prekey-id", Outer, Place::Number(1);
    /// The sender's base key.
    BaseKey = "base-key", Outer, Place::Bytes(2);
    /// The sender's identity key.
    IdentityKey = "identity-key", Outer, Place::Bytes(3);
    /// The embedded normal message as a whole.
    Message = "message", Outer, Place::Bytes(4);
    /// The sender's registration id.
    RegistrationId = "registration-id", Outer, Place::Number(5);
    /// Id of the receiver's signed prekey.
    SignedPrekeyId = "signed-prekey-id", Outer, Place::Number(6);
    /// Id of the receiver's Kyber prekey.
    KyberPrekeyId = "kyber-prekey-id", Outer, Place::Number(7);
    /// The Kyber ciphertext.
    KyberCiphertext = "kyber-ciphertext", Outer, Place::Bytes(8);
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Field {
    type Err = UnknownField;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|field| field.as_str() == text).ok_or_else(|| UnknownField(text.to_owned()))
    }
}

/// A name that no field has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a field of a Signal message")]
pub struct UnknownField(pub String);
