//! Verdicts: what the judge says, check by check.

use crate::{Digest, Trace};
use countersign_contract::{InstanceId, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is said of one check, of a scenario, or of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As required.
    Pass,
    /// Optional, and the candidate does not claim it.
    NotApplicable,
    /// Failed, or was blocked by what failed, and a waiver covers it.
    Waived,
    /// A SHOULD is not met, or a limit differs that is an implementation's own choice.
    Warn,
    /// A test capability is missing, so it was not tested.
    Unsupported,
    /// Not tested, since something it builds on already failed; names it.
    Blocked,
    /// Unstable, or too few samples to tell.
    Inconclusive,
    /// A person has to look.
    NeedsReview,
    /// The environment prevented it: the candidate was not reachable, too slow to answer at all, or did not speak the contract.
    EnvironmentError,
    /// We could not check it: our own fault.
    HarnessError,
    /// Not as required.
    Fail,
}

impl Verdict {
    /// All, from best to worst: the order in which the worst of several checks decides a scenario.
    pub const ALL: [Verdict; 11] = [
        Self::Pass,
        Self::NotApplicable,
        Self::Waived,
        Self::Warn,
        Self::Unsupported,
        Self::Blocked,
        Self::Inconclusive,
        Self::NeedsReview,
        Self::EnvironmentError,
        Self::HarnessError,
        Self::Fail,
    ];

    /// As it stands in records and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
            Self::Waived => "waived",
            Self::Warn => "warn",
            Self::Unsupported => "unsupported",
            Self::Blocked => "blocked",
            Self::Inconclusive => "inconclusive",
            Self::NeedsReview => "needs-review",
            Self::EnvironmentError => "environment-error",
            Self::HarnessError => "harness-error",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The messenger under test.
    Candidate,
    /// The reference users.
    Reference,
    /// Countersign itself.
    Harness,
    /// Network, processes, configuration.
    Environment,
    /// The specification allows both.
    Specification,
}

/// Where a check comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// An `expect` step of the scenario.
    Expectation,
    /// A step that has to succeed for the scenario to go on.
    Step,
    /// A monitor: watches every trace.
    Monitor,
}

/// One check and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Stable name within the scenario: `step-4`, or the name of the monitor.
    pub id: String,
    /// Where it comes from.
    pub kind: CheckKind,
    /// Position of the step, from 0, for those that have one.
    pub step: Option<usize>,
    /// Requirements that it verifies.
    pub requirements: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was expected, in words.
    pub expected: String,
    /// What was observed, in words. May quote the candidate: renderers escape it.
    pub observed: String,
    /// The reason that the candidate gave, if it gave one.
    pub reason: Option<Reason>,
    /// A short name for what went wrong, stable over runs; failures with the same one have the same cause.
    pub finding: Option<String>,
    /// Who is at fault, unless it passed.
    pub blame: Option<Blame>,
    /// Entries of the trace that show it, by number.
    pub evidence: Vec<u64>,
    /// What usually causes it, if we know.
    pub likely_cause: Option<String>,
    /// The waiver that covers it: of a waived check, and of no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<String>,
}

/// One instance in the record: what was executed, its trace, and its verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceResult {
    /// Scenario id, such as `e2ee/out-of-order`.
    pub scenario: String,
    /// Which case of a scenario with cases, such as `counter`.
    pub case: Option<String>,
    /// The instance's random id.
    pub instance: InstanceId,
    /// The seed of this instance: everything random in the reference comes from it. Published here, after the instance.
    pub seed: Digest,
    /// The trace.
    pub trace: Trace,
    /// The checks, in order.
    pub checks: Vec<Check>,
    /// The worst of them.
    pub verdict: Verdict,
    /// Wall time from begin to end, in microseconds.
    pub wall_us: u64,
    /// Of that, time spent inside the instance's own state machine, in microseconds.
    pub own_us: u64,
    /// Of that, time spent in cryptography of the reference, in microseconds.
    pub crypto_us: u64,
}

impl InstanceResult {
    /// Scenario and case as one name: `e2ee/mac-inner-field@counter`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.case {
            Some(case) => format!("{}@{case}", self.scenario),
            None => self.scenario.clone(),
        }
    }
}
