//! The built-in sample with one defect each, and the data that says which scenario must find it, and why.
//!
//! A check counts only if it is shown to fail on a candidate with that one defect. `mutants.yaml` lists them: the defect's switch
//! in the sample ([`countersign_sample::Defect`]), the requirement that it breaks, and the scenarios that must fail on it with the
//! requirement and the finding that they must name. The tests run every mutant and hold the file against what happened. Defects that no
//! scenario names, and that random walks find, stand in `walked.yaml`; those that wire fuzzing finds, in `wired.yaml`; those that show by
//! chance, in `rare.yaml`.

mod table;
mod together;
mod vectors;

pub use table::{UNTESTED, Untested, UntestedFile, table, untested};
pub use together::{CATALOGUE, TOGETHER, Together, TogetherFile, catalogue, own, together};
pub use vectors::{VECTORS, VectorFile, VectorKills, vector_kills};

use countersign_sample::Defect;
use countersign_scenarios::Suite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The data file.
pub const SOURCE: &str = include_str!("../mutants.yaml");

/// One mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mutant {
    /// The name of the defect, as in `mutant:ID`.
    pub id: String,
    /// The requirement that it breaks.
    pub requirement: String,
    /// The scenario that must name it.
    pub scenario: String,
    /// What that scenario's check must find: a finding of the judge, which stands for the right reason.
    pub finding: String,
    /// All scenarios that fail on it, in whichever suite; a case stands for its scenario.
    pub fails: Vec<String>,
    /// Whether the Node candidate has the same defect.
    #[serde(default)]
    pub node: bool,
}

/// The file of mutants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MutantFile {
    /// The mutants.
    pub mutants: Vec<Mutant>,
}

/// The data file of the defects that no scenario names.
pub const WALKED: &str = include_str!("../walked.yaml");

/// A defect that no scenario names, and that random walks find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Walked {
    /// The name of the defect, as in `mutant:ID`.
    pub id: String,
    /// The requirement that it breaks.
    pub requirement: String,
    /// What is found: a finding of the judge.
    pub finding: String,
    /// Steps of the shortest scenario that is known to show it, expectations included.
    pub steps: usize,
    /// Under which profile it shows, if not under all of its suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// The file of defects that no scenario names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WalkedFile {
    /// The defects.
    pub walked: Vec<Walked>,
}

/// All defects that no scenario names. None of them is a mutant of `mutants.yaml`.
///
/// # Errors
/// See [`MutantError`].
pub fn walked() -> Result<Vec<Walked>, MutantError> {
    let file: WalkedFile = serde_saphyr::from_str(WALKED).map_err(|e| MutantError::Form(e.to_string()))?;
    let named: BTreeSet<String> = mutants()?.into_iter().map(|mutant| mutant.id).collect();
    let mut seen = BTreeSet::new();
    for walked in &file.walked {
        if walked.id.parse::<Defect>().is_err() || named.contains(&walked.id) || !seen.insert(&walked.id) {
            return Err(MutantError::Switch(walked.id.clone()));
        }
    }
    Ok(file.walked)
}

/// The data file of the defects that wire fuzzing finds.
pub const WIRED: &str = include_str!("../wired.yaml");

/// The file of defects that wire fuzzing finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WiredFile {
    /// The defects.
    pub wired: Vec<Walked>,
}

/// All defects that no scenario names, and that wire fuzzing finds. None of them is a mutant of `mutants.yaml` or one of [`walked()`].
///
/// # Errors
/// See [`MutantError`].
pub fn wired() -> Result<Vec<Walked>, MutantError> {
    let file: WiredFile = serde_saphyr::from_str(WIRED).map_err(|e| MutantError::Form(e.to_string()))?;
    let mut seen: BTreeSet<String> = mutants()?.into_iter().map(|mutant| mutant.id).collect();
    seen.extend(walked()?.into_iter().map(|walked| walked.id));
    for wired in &file.wired {
        if wired.id.parse::<Defect>().is_err() || !seen.insert(wired.id.clone()) {
            return Err(MutantError::Switch(wired.id.clone()));
        }
    }
    Ok(file.wired)
}

/// The data file of the defects that show by chance.
pub const RARE: &str = include_str!("../rare.yaml");

/// Of what a defect concerns one in about ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChanceOf {
    /// Messages.
    Messages,
    /// Sessions that a peer set up.
    Sessions,
    /// Ratchet keys of peers.
    RatchetKeys,
    /// Files.
    Files,
}

/// A defect that shows in about one of ten chances, so that a run finds it with a probability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rare {
    /// The name of the defect, as in `mutant:ID`.
    pub id: String,
    /// The requirement that it breaks.
    pub requirement: String,
    /// A scenario that finds it, if chance will have it.
    pub scenario: String,
    /// What is found: a finding of the judge.
    pub finding: String,
    /// What it concerns one in ten of.
    pub of: ChanceOf,
    /// How many of these the scenario has.
    pub chances: u64,
    /// Under how many of [`RARE_SEEDS`] the scenario finds it.
    pub found: u64,
}

/// Seeds under which each of them is measured: from 1 to this.
pub const RARE_SEEDS: u8 = 100;
/// The share of chances in which each of them shows: a random byte is below 26.
pub const RARE_SHARE: f64 = 26.0 / 256.0;

/// The file of defects that show by chance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RareFile {
    /// The defects.
    pub rare: Vec<Rare>,
}

/// All defects that show by chance. None of them is a mutant of `mutants.yaml`, or a defect of `walked.yaml` or `wired.yaml`.
///
/// # Errors
/// See [`MutantError`].
pub fn rare() -> Result<Vec<Rare>, MutantError> {
    let file: RareFile = serde_saphyr::from_str(RARE).map_err(|e| MutantError::Form(e.to_string()))?;
    let named =
        mutants()?.into_iter().map(|mutant| mutant.id).chain(walked()?.into_iter().chain(wired()?).map(|walked| walked.id));
    let mut seen: BTreeSet<String> = named.collect();
    for rare in &file.rare {
        if rare.id.parse::<Defect>().is_err() || !seen.insert(rare.id.clone()) {
            return Err(MutantError::Switch(rare.id.clone()));
        }
    }
    Ok(file.rare)
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MutantError {
    /// It is not of the right form.
    #[error("mutants.yaml: {0}")]
    Form(String),
    /// A mutant without a switch, or twice.
    #[error("mutants.yaml or a file beside it: `{0}` is not a defect of the sample, or stands there twice")]
    Switch(String),
}

/// All mutants.
///
/// # Errors
/// See [`MutantError`].
pub fn mutants() -> Result<Vec<Mutant>, MutantError> {
    let file: MutantFile = serde_saphyr::from_str(SOURCE).map_err(|e| MutantError::Form(e.to_string()))?;
    let mut seen = BTreeSet::new();
    for mutant in &file.mutants {
        if mutant.id.parse::<Defect>().is_err() || !seen.insert(&mutant.id) {
            return Err(MutantError::Switch(mutant.id.clone()));
        }
    }
    Ok(file.mutants)
}

impl Mutant {
    /// The switch in the sample.
    #[must_use]
    pub fn defect(&self) -> Option<Defect> {
        self.id.parse().ok()
    }
}

/// What a scenario contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Mutants that fail it.
    pub kills: Vec<String>,
    /// Of these, those that no other scenario in its folder kills.
    pub alone: Vec<String>,
    /// Whether it is a twin: it shows that the honest thing is accepted.
    pub twin: bool,
}

impl Coverage {
    /// Whether it has a reason to be there.
    #[must_use]
    pub fn justified(&self) -> bool {
        self.twin || !self.alone.is_empty()
    }
}

/// Whether two scenarios can stand in one run: whether there is a suite for which both make sense.
fn meets(suite: &Suite, one: &str, other: &str) -> bool {
    let suites = |id: &str| suite.scenarios.get(id).map(|loaded| loaded.suites()).unwrap_or_default();
    let (ones, others) = (suites(one), suites(other));
    ones.is_empty() || others.is_empty() || ones.intersection(&others).next().is_some()
}

/// What each scenario of a suite contributes, by id.
#[must_use]
pub fn coverage(suite: &Suite, mutants: &[Mutant]) -> BTreeMap<String, Coverage> {
    let folder = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    suite
        .scenarios
        .iter()
        .map(|(id, loaded)| {
            let kills: Vec<&Mutant> = mutants.iter().filter(|m| m.fails.contains(id)).collect();
            let alone = kills
                .iter()
                .filter(|m| !m.fails.iter().any(|other| other != id && folder(other) == folder(id) && meets(suite, id, other)))
                .map(|m| m.id.clone())
                .collect();
            let kills = kills.iter().map(|m| m.id.clone()).collect();
            (id.clone(), Coverage { kills, alone, twin: loaded.scenario.twin })
        })
        .collect()
}
