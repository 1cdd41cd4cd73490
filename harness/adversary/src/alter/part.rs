//! What can be edited.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The content inside a message: a protobuf, before it is padded.
    Content,
    /// The content with its padding.
    Plaintext,
    /// The protobuf of the message: without version byte and MAC, which covers what the edit made of it.
    Inner,
    /// The protobuf of the prekey message around it, without version byte.
    Outer,
    /// The encrypted file of a content that has one: without the MAC, which is made over what the edit made of it, as the digest is.
    Blob,
    /// The protobuf of a message under a sender key: without version byte and signature, which covers what the edit made of it.
    Group,
    /// The protobuf of a sender key as it is handed out, without version byte.
    Distribution,
    /// The content of the message between two users that hands a sender key out: a protobuf, before it is padded.
    Handover,
    /// What a sealed message holds, under its MAC: the protobuf with certificate and message in it.
    Sealed,
    /// The protobuf of a sealed message, without version byte.
    Envelope,
    /// What a server states of the sender of a sealed message: a protobuf, before the server signs it.
    Certificate,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 11] = [
        Self::Content,
        Self::Plaintext,
        Self::Inner,
        Self::Outer,
        Self::Blob,
        Self::Group,
        Self::Distribution,
        Self::Handover,
        Self::Sealed,
        Self::Envelope,
        Self::Certificate,
    ];

    /// Whether it is a protobuf, whose fields can be named.
    #[must_use]
    pub const fn has_fields(self) -> bool {
        !matches!(self, Self::Plaintext | Self::Blob)
    }

    /// Whether it is part of a sealed message alone.
    #[must_use]
    pub const fn is_sealed(self) -> bool {
        matches!(self, Self::Sealed | Self::Envelope | Self::Certificate)
    }

    /// Whether it belongs to a sender key that is handed out.
    #[must_use]
    pub const fn of_distribution(self) -> bool {
        matches!(self, Self::Distribution | Self::Handover)
    }

    /// Whether it is part of a message under a sender key, or belongs to the sender key.
    #[must_use]
    pub const fn in_group(self) -> bool {
        matches!(self, Self::Content | Self::Plaintext | Self::Group) || self.of_distribution()
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Content => "the content",
            Self::Plaintext => "the padded content",
            Self::Inner => "the message",
            Self::Outer => "the prekey message",
            Self::Blob => "the encrypted file",
            Self::Group => "the group message",
            Self::Distribution => "the sender key",
            Self::Handover => "the content that hands out the sender key",
            Self::Sealed => "what is sealed",
            Self::Envelope => "the sealed message",
            Self::Certificate => "what the certificate states",
        }
    }
}
