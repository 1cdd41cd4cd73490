//! The kinds of line.

use crate::{Check, Digest, InstanceResult, Verdict, Waiver, WaiverStanding};
use countersign_contract::claims::Description;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line {
    /// The first line.
    Header(Header),
    /// The files that the verdicts rest on, so that the record alone is enough.
    Suite(SuiteFiles),
    /// What the doctor found.
    Doctor(Doctor),
    /// What will be executed and what is left out.
    Plan(Plan),
    /// One more execution of a scenario that failed. Before the line of its instance.
    Repeat(Repeat),
    /// One instance.
    Instance(InstanceResult),
    /// Something that a person should know and that is no verdict. Anywhere after the header.
    Note(Note),
    /// The last line.
    Summary(Summary),
}

/// One more execution of a scenario that failed against a candidate that is not deterministic.
///
/// Its seed is that of an instance called `NAME#NUMBER`. The instance's verdict rests on all of its repeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// Counts from 1 within the instance.
    pub number: u32,
    /// The execution, judged by itself.
    pub result: InstanceResult,
}

impl Repeat {
    /// The name from which the seed of a repeat of the instance `name` is made.
    #[must_use]
    pub fn seed_name(name: &str, number: u32) -> String {
        format!("{name}#{number}")
    }
}

/// Something that a person should know and that no verdict rests on: the candidate was started again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// In words.
    pub text: String,
}

/// What was run, and against what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Format version of the record.
    pub record: u32,
    /// Version of Countersign.
    pub countersign: String,
    /// When the run began: RFC 3339, UTC. The recorded date that waivers are judged by.
    pub started: String,
    /// The profile's id.
    pub profile: String,
    /// The candidate as it was named on the command line, without credentials.
    pub target: String,
    /// The carrier: `in-process`, `child` or `http`.
    pub carrier: String,
    /// SHA-256 of the run's seed. The seed itself stands in the summary, when nobody can profit from it any more.
    pub seed_commitment: Digest,
    /// Instances that ran at once.
    pub jobs: u32,
    /// Scenario filters, if the run was not of the whole profile.
    pub only: Vec<String>,
    /// SHA-256 over the suite's files.
    pub suite: Digest,
    /// Requirements and scenarios expected to fail in this candidate, by name of the mutant or sample; empty for a real one.
    pub expected_failures: Vec<String>,
    /// Waivers that were given to the run. Its verdicts rest on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
}

/// A file of the suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// Path below the suite's root, with forward slashes.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The scenario, requirement and profile files of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFiles {
    /// Sorted by path.
    pub files: Vec<SuiteFile>,
}

impl SuiteFiles {
    /// SHA-256 over paths and texts, each preceded by its length.
    #[must_use]
    pub fn digest(&self) -> Digest {
        use sha2::Digest as _;
        let mut hash = sha2::Sha256::new();
        for file in &self.files {
            for part in [&file.path, &file.text] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part.as_bytes());
            }
        }
        Digest(hash.finalize().into())
    }
}

/// One examination of the doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Examination {
    /// What was examined, such as `reachable`.
    pub name: String,
    /// Whether it is as it has to be.
    pub healthy: bool,
    /// What was found.
    pub found: String,
    /// What to do about it, if it is not healthy.
    pub fix: Option<String>,
}

/// The doctor's findings. None of them is a conformance failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Doctor {
    /// One after another; the first unhealthy one ends the examination.
    pub examinations: Vec<Examination>,
    /// The candidate's statement of claims, if it could be had.
    pub description: Option<Description>,
}

impl Doctor {
    /// Whether the run may go on.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.examinations.iter().all(|e| e.healthy)
    }
}

/// A scenario that the plan leaves out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Scenario and case.
    pub name: String,
    /// `not-applicable` or `unsupported`.
    pub verdict: Verdict,
    /// Why.
    pub because: String,
}

/// The plan of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Names of the instances to execute, in order.
    pub selected: Vec<String>,
    /// What is left out.
    pub left_out: Vec<LeftOut>,
    /// Scenarios of the profile that the filters kept out.
    pub filtered: u64,
}

/// How wall time was spent, in microseconds, added up over instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// From the first instance's begin to the last one's end.
    pub wall_us: u64,
    /// Instances' wall time, added up.
    pub instances_us: u64,
    /// Of that, waiting for the candidate.
    pub candidate_us: u64,
    /// Of that, cryptography of the reference.
    pub crypto_us: u64,
    /// Of that, ourselves: gateway, scenario, trace, judge.
    pub own_us: u64,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The run's seed, 32 bytes as hexadecimal digits. Instances' seeds are made from it.
    pub seed: Digest,
    /// Whether the run was stopped before all was executed, and why.
    pub interrupted: Option<String>,
    /// The verdict of the run.
    pub verdict: Verdict,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// Number of instances by verdict, worst last; verdicts that did not occur are left out.
    pub counts: Vec<(Verdict, u64)>,
    /// Checks that concern the run as a whole, such as keys used twice over instances.
    pub checks: Vec<Check>,
    /// What the waivers of the header came to, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverStanding>,
    /// Where the time went.
    pub times: Times,
}
