//! The table of what is tested: each requirement with who decides it, its scenarios and the mutants that they kill, and each known
//! attack that no scenario covers with the reason. It is checked in as `scenarios/COVERAGE.md`, and a test holds it against the data.

use crate::Mutant;
use crate::together::{CATALOGUE, catalogue};
use countersign_scenarios::Suite;
use countersign_scenarios::requirement::{DecidedBy, Requirement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The data file of what is not tested.
pub const UNTESTED: &str = include_str!("../untested.yaml");

/// Known attacks that no scenario covers, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Untested {
    /// Their ids.
    pub ids: Vec<String>,
    /// What they are about.
    pub about: String,
    /// Why no scenario covers them.
    pub reason: String,
}

/// The file of what is not tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UntestedFile {
    /// What is not tested.
    pub untested: Vec<Untested>,
}

/// What is not tested.
///
/// # Errors
/// The place and cause if the file is not of the right form.
pub fn untested() -> Result<Vec<Untested>, serde_saphyr::Error> {
    serde_saphyr::from_str::<UntestedFile>(UNTESTED).map(|file| file.untested)
}

/// The table, as Markdown. `together` has the reason for each scenario of the catalogue that no mutant fails alone.
#[must_use]
pub fn table(suite: &Suite, mutants: &[Mutant], untested: &[Untested], together: &BTreeMap<String, String>) -> String {
    let in_node = mutants.iter().filter(|m| m.node).count();
    let mut text = String::from("# What is tested\n\nGenerated from the data files by a test; do not edit.\n\n");
    let _ = writeln!(
        text,
        "{} requirements, {} scenarios, {} mutants, {in_node} of them also in the Node candidate. A mutant is named beside the \
         requirement that it breaks; every one is killed by a scenario of that row in each test run.\n",
        suite.requirements.len(),
        suite.scenarios.len(),
        mutants.len(),
    );
    text.push_str("| requirement | who decides | scenarios | mutants killed |\n|---|---|---|---|\n");
    for requirement in suite.requirements.values() {
        row(&mut text, suite, mutants, requirement);
    }
    text.push_str("\n## What is not tested, and why\n\n| ids | about | reason |\n|---|---|---|\n");
    for gap in untested {
        let _ = writeln!(text, "| {} | {} | {} |", gap.ids.join(", "), gap.about, gap.reason);
    }
    let catalogue = catalogue(suite, mutants);
    let alone = catalogue.values().filter(|mutants| !mutants.is_empty()).count();
    let profiles: Vec<String> = CATALOGUE.iter().map(|(profile, _)| format!("`{profile}`")).collect();
    let _ = write!(
        text,
        "\n## Scenarios that no mutant fails alone, and why\n\nOf the {} scenarios of {}, {alone} are each the only one of a profile \
         that some mutant fails. The others:\n\n| scenario | reason |\n|---|---|\n",
        catalogue.len(),
        profiles.join(" and "),
    );
    for (scenario, reason) in together {
        let _ = writeln!(text, "| {scenario} | {reason} |");
    }
    text
}

fn row(text: &mut String, suite: &Suite, mutants: &[Mutant], requirement: &Requirement) {
    let verified = suite.scenarios.values().filter(|loaded| loaded.scenario.verifies.contains(&requirement.id));
    let scenarios: Vec<&str> = verified.map(|loaded| loaded.scenario.id.as_str()).collect();
    let killed: Vec<&str> = mutants.iter().filter(|m| m.requirement == requirement.id).map(|m| m.id.as_str()).collect();
    let list = |names: &[&str], none: &str| if names.is_empty() { none.to_owned() } else { names.join(", ") };
    let decides = match requirement.decided_by {
        DecidedBy::CandidateVerifies => "the candidate verifies",
        DecidedBy::CandidateProduces => "the candidate produces",
        DecidedBy::GatewaySelfTest => "our own code alone: counts for nothing",
    };
    let _ = writeln!(
        text,
        "| **{}** {} | {decides} | {} | {} |",
        requirement.id,
        requirement.sentence.replace('|', "\\|"),
        list(&scenarios, "watched in every scenario"),
        list(&killed, "none of its own"),
    );
}
