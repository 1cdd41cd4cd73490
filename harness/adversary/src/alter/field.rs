//! Names of the fields, the same as those of the reference's own reader.

use crate::wire::{inner, outer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which message a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The prekey message around.
    Outer,
    /// The message itself, alone or embedded.
    Inner,
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first byte.
    Version,
    /// A protobuf field.
    Tag(u32),
    /// The last bytes.
    Mac,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $layer:ident, $place:expr;)*) => {
        /// A field of a Signal message, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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

            /// Which message it belongs to.
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
    /// Version byte of the message.
    Version = "version", Inner, Place::Version;
    /// The sender's ratchet key.
    RatchetKey = "ratchet-key", Inner, Place::Tag(inner::RATCHET_KEY);
    /// Number of the message in its chain.
    Counter = "counter", Inner, Place::Tag(inner::COUNTER);
    /// Length of the chain before.
    PreviousCounter = "previous-counter", Inner, Place::Tag(inner::PREVIOUS_COUNTER);
    /// The encrypted content.
    Ciphertext = "ciphertext", Inner, Place::Tag(inner::CIPHERTEXT);
    /// The post-quantum ratchet's message.
    PqRatchet = "pq-ratchet", Inner, Place::Tag(inner::PQ_RATCHET);
    /// Sender and receiver, by later versions of the official code.
    Addresses = "addresses", Inner, Place::Tag(inner::ADDRESSES);
    /// The authentication code: changed after it is made.
    Mac = "mac", Inner, Place::Mac;
    /// Version byte of the prekey message.
    OuterVersion = "outer-version", Outer, Place::Version;
    /// Id of the receiver's one-time EC prekey.
    PrekeyId = "prekey-id", Outer, Place::Tag(outer::PREKEY_ID);
    /// The sender's base key.
    BaseKey = "base-key", Outer, Place::Tag(outer::BASE_KEY);
    /// The sender's identity key.
    IdentityKey = "identity-key", Outer, Place::Tag(outer::IDENTITY_KEY);
    /// The embedded message as a whole.
    Message = "message", Outer, Place::Tag(outer::MESSAGE);
    /// The sender's registration id.
    RegistrationId = "registration-id", Outer, Place::Tag(outer::REGISTRATION_ID);
    /// Id of the receiver's signed prekey.
    SignedPrekeyId = "signed-prekey-id", Outer, Place::Tag(outer::SIGNED_PREKEY_ID);
    /// Id of the receiver's Kyber prekey.
    KyberPrekeyId = "kyber-prekey-id", Outer, Place::Tag(outer::KYBER_PREKEY_ID);
    /// The Kyber ciphertext.
    KyberCiphertext = "kyber-ciphertext", Outer, Place::Tag(outer::KYBER_CIPHERTEXT);
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
