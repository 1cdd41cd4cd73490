//! What a candidate can do, as far as walks depend on it.

use crate::model::{CHANGED, EXCHANGE, REACTED};
use countersign_contract::claims::{Capability, Description, Feature, Suite};
use countersign_scenarios::Profile;
use serde::Serialize;

/// Group messages that overtake each other or get lost stop nobody: who is measured by that is in groups.
const GROUPS: &str = "GRP-08";
/// Sealed messages are made and read in both directions.
const SEALED: &str = "SEAL-02";

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
    /// Shows and sends reactions. This and what follows count only where the profile has a requirement for them.
    pub reactions: bool,
    /// Likewise edits.
    pub edits: bool,
    /// Likewise deletions.
    pub deletes: bool,
    /// Exchanges files.
    pub files: bool,
    /// Is in groups, by sender keys.
    pub groups: bool,
    /// Exchanges messages that do not say to the server who sent them.
    pub sealed: bool,
    /// Lets its stored state be looked at.
    pub exports: bool,
}

impl Abilities {
    /// Those of a candidate under a profile; `None` if it speaks no suite of it.
    #[must_use]
    pub fn of(profile: &Profile, claims: &Description) -> Option<Self> {
        let has = |feature: Feature, requirement: &str| {
            claims.features.contains(&feature) && profile.requirements.iter().any(|id| id == requirement)
        };
        Some(Self {
            suite: profile.suite_with(&claims.suites)?,
            retries: claims.features.contains(&Feature::Retry),
            receipts: claims.features.contains(&Feature::DeliveryReceipt),
            clock: claims.capabilities.contains(&Capability::VirtualClock),
            reactions: has(Feature::Reaction, REACTED),
            edits: has(Feature::Edit, CHANGED),
            deletes: has(Feature::Delete, CHANGED),
            files: has(Feature::File, EXCHANGE),
            groups: has(Feature::Group, GROUPS),
            sealed: has(Feature::SealedSender, SEALED),
            exports: claims.capabilities.contains(&Capability::Export),
        })
    }

    /// All of them.
    #[must_use]
    pub const fn all(suite: Suite) -> Self {
        Self {
            suite,
            retries: true,
            receipts: true,
            clock: true,
            reactions: true,
            edits: true,
            deletes: true,
            files: true,
            groups: true,
            sealed: matches!(suite, Suite::SignalPq),
            exports: true,
        }
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
