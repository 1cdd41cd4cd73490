//! Requirements: one clause of law, offer or specification each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How firm a source is: DOMAIN grades of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Grade {
    /// Primary text or code.
    #[serde(rename = "P")]
    Primary,
    /// A copy of a primary document.
    #[serde(rename = "M")]
    Mirrored,
    /// Secondary.
    #[serde(rename = "S")]
    Secondary,
    /// Unverified: an assumption, and labelled so wherever it shows.
    #[serde(rename = "U")]
    Unverified,
}

/// How binding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// A failure is a `fail`.
    Must,
    /// A failure is a `warn`.
    Should,
}

/// Who decides whether it is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecidedBy {
    /// We send something bad, and the candidate has to notice.
    CandidateVerifies,
    /// We inspect what the candidate sends.
    CandidateProduces,
    /// Only our own code is exercised: counts for nothing in coverage.
    GatewaySelfTest,
}

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Requirement {
    /// Short name, such as `SIG-05` or `DMA-7(3)`.
    pub id: String,
    /// What it demands, in our own words.
    pub sentence: String,
    /// Where it comes from, so that a reader finds it.
    pub source: String,
    /// Date of the source, or since when it binds: `YYYY-MM-DD`, or less where the source says no more.
    pub date: String,
    /// How firm the source is.
    pub grade: Grade,
    /// How binding it is.
    pub level: Level,
    /// Who decides.
    pub decided_by: DecidedBy,
    /// What an attacker gains, or a user loses, if it is not met; for people who are not specialists.
    pub attack: String,
    /// What usually causes a failure.
    pub usual_cause: String,
    /// How to fix it.
    pub fix: String,
}

/// A file of requirements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequirementFile {
    /// The requirements.
    pub requirements: Vec<Requirement>,
}
