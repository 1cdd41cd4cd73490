//! What this stack refuses, under the contract's neutral reasons.

use countersign_contract::Reason;
use std::fmt::Display;

/// Why a party did not do what it was asked to. A refusal changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Refusal {
    /// For programs.
    pub reason: Reason,
    /// For people. Never matched.
    pub detail: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, detail: impl Display) -> Self {
        Self { reason, detail: detail.to_string() }
    }
}
