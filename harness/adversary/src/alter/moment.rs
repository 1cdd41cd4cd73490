//! When an alteration is made.

use super::{Alteration, PrekeyKind};

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
