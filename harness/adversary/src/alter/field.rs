//! Names of the fields, the same as those of the reference's own reader.

use crate::wire::{distribution, envelope, group, inner, outer, sealed};
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
    /// A message under a sender key.
    Group,
    /// The distribution of a sender key.
    Distribution,
    /// What is inside a sealed message.
    Sealed,
    /// A sealed message.
    Envelope,
}

/// Where a field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first byte.
    Version,
    /// A protobuf field.
    Tag(u32),
    /// The bytes at the end: MAC or signature.
    End,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $layer:ident, $place:expr;)*) => {
        /// A field of a Signal message, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Field {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl Field {
            /// Every field.
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
    Mac = "mac", Inner, Place::End;
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
    /// Version byte of a sender-key message.
    GroupVersion = "group-version", Group, Place::Version;
    /// Which distribution a sender-key message belongs to: a UUID, 16 bytes.
    GroupDistribution = "group-distribution", Group, Place::Tag(group::DISTRIBUTION);
    /// Which chain of that distribution.
    GroupChainId = "group-chain-id", Group, Place::Tag(group::CHAIN_ID);
    /// Number of the message in its chain.
    GroupIteration = "group-iteration", Group, Place::Tag(group::ITERATION);
    /// The encrypted content.
    GroupCiphertext = "group-ciphertext", Group, Place::Tag(group::CIPHERTEXT);
    /// The signature of 64 bytes: changed after it is made.
    GroupSignature = "group-signature", Group, Place::End;
    /// Version byte of a distribution.
    DistributionVersion = "distribution-version", Distribution, Place::Version;
    /// Id of the distribution: a UUID, 16 bytes.
    DistributionId = "distribution-id", Distribution, Place::Tag(distribution::ID);
    /// Id of the chain that is distributed.
    DistributionChainId = "distribution-chain-id", Distribution, Place::Tag(distribution::CHAIN_ID);
    /// From which message on the chain is distributed.
    DistributionIteration = "distribution-iteration", Distribution, Place::Tag(distribution::ITERATION);
    /// The chain key, 32 bytes.
    DistributionChainKey = "distribution-chain-key", Distribution, Place::Tag(distribution::CHAIN_KEY);
    /// The key under which the messages are signed, 33 bytes.
    DistributionSigningKey = "distribution-signing-key", Distribution, Place::Tag(distribution::SIGNING_KEY);
    /// What kind of message is sealed.
    SealedType = "sealed-type", Sealed, Place::Tag(sealed::TYPE);
    /// The sender's certificate in a sealed message.
    SealedCertificate = "sealed-certificate", Sealed, Place::Tag(sealed::CERTIFICATE);
    /// The message that is sealed.
    SealedContent = "sealed-content", Sealed, Place::Tag(sealed::CONTENT);
    /// What a receiver is to do if it cannot read it.
    SealedHint = "sealed-hint", Sealed, Place::Tag(sealed::HINT);
    /// The group that a sealed message belongs to.
    SealedGroup = "sealed-group", Sealed, Place::Tag(sealed::GROUP);
    /// Version byte of a sealed message.
    EnvelopeVersion = "envelope-version", Envelope, Place::Version;
    /// The ephemeral key of a sealed message.
    EnvelopeEphemeral = "envelope-ephemeral", Envelope, Place::Tag(envelope::EPHEMERAL);
    /// The sender's identity key in a sealed message, encrypted.
    EnvelopeStatic = "envelope-static", Envelope, Place::Tag(envelope::STATIC);
    /// What is inside a sealed message, encrypted.
    EnvelopeMessage = "envelope-message", Envelope, Place::Tag(envelope::MESSAGE);
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
