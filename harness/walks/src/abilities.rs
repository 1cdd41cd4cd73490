//! What a candidate can do, as far as walks depend on it.

use countersign_contract::claims::{Capability, Description, Feature, Suite};
use countersign_scenarios::Profile;
use serde::Serialize;

/// What a walk may make use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Abilities {
    /// What is spoken.
    pub suite: Suite,
    /// Asks for messages again, and sends them again.
    pub retries: bool,
    /// Sends delivery receipts.
    pub receipts: bool,
    /// Has a clock that can be moved.
    pub clock: bool,
    /// Shows files.
    pub files: bool,
}

impl Abilities {
    /// Those of a candidate under a profile; `None` if it speaks no suite of it.
    #[must_use]
    pub fn of(profile: &Profile, claims: &Description) -> Option<Self> {
        Some(Self {
            suite: profile.suite_with(&claims.suites)?,
            retries: claims.features.contains(&Feature::Retry),
            receipts: claims.features.contains(&Feature::DeliveryReceipt),
            files: claims.features.contains(&Feature::File),
            clock: claims.capabilities.contains(&Capability::VirtualClock),
        })
    }

    /// All of them.
    #[must_use]
    pub const fn all(suite: Suite) -> Self {
        Self { suite, retries: true, receipts: true, clock: true, files: true }
    }
}

/// How the cast of a walk is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Casting {
    /// Whether bob and carol send a message again when they are asked to. If not, a refusal stays visible.
    pub answers: [bool; 2],
    /// One-time prekeys of each kind that alice publishes.
    pub one_time_prekeys: u8,
}

impl Casting {
    /// As a scenario has it that says nothing.
    pub const PLAIN: Self = Self { answers: [false, false], one_time_prekeys: 2 };
}
