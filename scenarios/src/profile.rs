//! Profiles: what a certification takes.

use countersign_contract::claims::{Binding, Feature, Suite};
use countersign_trace::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Limits of a profile. All of them are ours: no gatekeeper publishes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// 95th percentile of the time from the intended send to the message being shown, in milliseconds.
    pub delivery_p95_ms: u64,
    /// 95th percentile of the time from the intended send to the delivery receipt at the gateway, in milliseconds.
    pub receipt_p95_ms: u64,
    /// Largest lag of our own event loop during a measurement, in milliseconds; above it the measurement is an environment
    /// error.
    pub own_lag_ms: u64,
}

/// What must be seen on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WireProfile {
    /// Message version of the suite: 3 is X3DH, 4 is PQXDH.
    pub message_version: u8,
    /// Whether every message must carry the post-quantum ratchet (SPQR).
    pub spqr: bool,
    /// Padded contents are a multiple of this many bytes; `None` if the profile states no rule.
    pub padding_block: Option<u32>,
}

/// One certification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Profile {
    /// Short name, such as `dma-basic`.
    pub id: String,
    /// What it certifies.
    pub title: String,
    /// Counts up when a verdict under it may change.
    pub version: u32,
    /// Bindings, one of which the candidate must speak.
    pub bindings: Vec<Binding>,
    /// Suites, one of which the candidate must speak.
    pub suites: Vec<Suite>,
    /// What must be seen on the wire.
    pub wire: WireProfile,
    /// Features that a candidate must have. One that it does not claim is a failure, not an option that it did not take.
    #[serde(default)]
    pub required_features: Vec<Feature>,
    /// Requirements that it takes, by id.
    pub requirements: Vec<String>,
    /// Scenarios that it takes: ids or globs.
    pub scenarios: Vec<String>,
    /// Stored vectors that it takes: ids or globs, such as `double-ratchet/*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vectors: Vec<String>,
    /// Limits.
    pub limits: Limits,
    /// Members that may stand in each kind of stanza or request body on each hop, and why: `hop/kind` to members. Anything else
    /// breaks data minimisation.
    pub inventory: BTreeMap<String, Vec<String>>,
    /// What a scenario counts for that needs a test capability which the candidate lacks: `fail`, `warn` or `unsupported`.
    pub unsupported_counts_as: Verdict,
    /// Assumptions that the profile makes; printed in the report.
    pub assumptions: Vec<String>,
    /// What a run of it does not show; printed in the report.
    pub does_not_show: Vec<String>,
}

impl WireProfile {
    /// Whether sessions are set up with Kyber prekeys: since message version 4.
    #[must_use]
    pub const fn has_kyber(self) -> bool {
        self.message_version >= 4
    }
}

impl Profile {
    /// The suite of a run with a candidate that claims these: the first of the profile's that it speaks.
    #[must_use]
    pub fn suite_with(&self, claimed: &[Suite]) -> Option<Suite> {
        self.suites.iter().copied().find(|suite| claimed.contains(suite))
    }
}
