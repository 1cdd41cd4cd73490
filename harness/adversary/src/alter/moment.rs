//! When an alteration is made.

use super::{Alteration, Layer, Part, PrekeyKind};

impl Alteration {
    /// Whether it concerns the set-up of a session, so that it does nothing to a message of a session that is there already.
    #[must_use]
    pub const fn at_set_up(&self) -> bool {
        matches!(
            self,
            Self::Profile(_)
                | Self::KdfInfo(_)
                | Self::KdfSalt(_)
                | Self::DhTerms(_)
                | Self::WithoutDiscontinuity
                | Self::WithoutKyberSecret
                | Self::BaseKey(_)
                | Self::IdentityKey(_)
                | Self::NamePrekey(_)
        )
    }

    /// The message whose fields it changes, if it changes a field.
    #[must_use]
    pub const fn layer(&self) -> Option<Layer> {
        match (self, self.field()) {
            (Self::Add(added), _) => Some(added.layer),
            (_, Some(field)) => Some(field.layer()),
            _ => None,
        }
    }

    /// Whether it concerns the distribution of a sender key, so that it does nothing to a message under one that was handed out.
    #[must_use]
    pub const fn of_distribution(&self) -> bool {
        match self {
            Self::Edit(edit) => edit.part.of_distribution(),
            _ => matches!(self.layer(), Some(Layer::Distribution)),
        }
    }

    /// Whether it does something to a message under a sender key, or to the sender key's distribution.
    #[must_use]
    pub const fn in_group(&self) -> bool {
        match self.layer() {
            Some(layer) => matches!(layer, Layer::Group | Layer::Distribution),
            None => match self {
                Self::Edit(edit) => edit.part.in_group(),
                Self::ChainJump(_) | Self::CipherPadding(_) | Self::WrongCipherPadding(_) => true,
                _ => self.in_group_alone(),
            },
        }
    }

    /// Whether it does nothing to a message between two users.
    #[must_use]
    pub const fn in_group_alone(&self) -> bool {
        match self.layer() {
            Some(layer) => matches!(layer, Layer::Group | Layer::Distribution),
            None => match self {
                Self::Edit(edit) => matches!(edit.part, Part::Group) || edit.part.of_distribution(),
                _ => matches!(self, Self::ChainRewind(_) | Self::SignWith(_)),
            },
        }
    }

    /// Whether it edits what only a sealed message has.
    #[must_use]
    pub const fn in_sealed_alone(&self) -> bool {
        matches!(self, Self::Edit(edit) if edit.part.is_sealed())
    }
}

impl PrekeyKind {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::OneTime => "one-time prekey",
            Self::Signed => "signed prekey",
            Self::Kyber => "Kyber prekey",
        }
    }
}
