//! Waivers: failures that somebody answers for, up to a day. Data: what they come to is for the judge.

use crate::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a cover names as its scenario to mean the checks over all instances of a run.
pub const WHOLE_RUN: &str = "run";

/// One waiver. A file of waivers is a list of them; a record carries those that were in force in its header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Its name, once in a file: letters, digits, `.`, `_` and `-`, 64 characters at most.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is acceptable for now.
    pub reason: String,
    /// Where it is being worked on: an address with `https://` or `http://`.
    pub link: String,
    /// The last day on which it holds, in UTC.
    pub until: Day,
    /// The only profile whose runs it concerns; absent for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What it covers: one check each, or several that fail in one way.
    pub covers: Vec<Cover>,
}

/// Which checks a waiver covers: those to which everything applies that is said here. Besides the scenario, one more has to be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cover {
    /// `e2ee/lost`, `e2ee/mac-inner-field@counter`, or a glob in which `*` matches no slash; `run` for the checks over all instances.
    pub scenario: String,
    /// Id of the check: `step-4`, or the name of a monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// A requirement that the check verifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// What was found. A failure for another reason is not covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Only as long as it is blocked by what failed beside it: once it is judged, whatever it comes to is not covered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blocked: bool,
}

/// What a waiver came to in a run, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverState {
    /// It covers something that did not pass.
    InForce,
    /// What it is about was not part of this run.
    NotInThisRun,
    /// What it is about could not be judged, or failed in another way.
    Undecided,
    /// What it waives passes now.
    UnexpectedPass,
    /// It matches nothing that ran.
    Stale,
    /// Its last day was before the run.
    Expired,
}

impl WaiverState {
    /// As it stands in records and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InForce => "in-force",
            Self::NotInThisRun => "not-in-this-run",
            Self::Undecided => "undecided",
            Self::UnexpectedPass => "unexpected-pass",
            Self::Stale => "stale",
            Self::Expired => "expired",
        }
    }

    /// Whether somebody has to take the waiver out or write it anew: exit code 5.
    #[must_use]
    pub const fn is_outdated(self) -> bool {
        matches!(self, Self::UnexpectedPass | Self::Stale | Self::Expired)
    }
}

impl fmt::Display for WaiverState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A waiver and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverStanding {
    /// The waiver's id.
    pub waiver: String,
    /// What it came to: the worst of its covers.
    pub state: WaiverState,
    /// Checks that it covers.
    pub checks: u64,
    /// Why, in words.
    pub because: String,
}
