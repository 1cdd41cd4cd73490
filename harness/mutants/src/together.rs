//! What no defect shows alone: scenarios of the catalogue that no mutant fails by itself, each with the reason, and known attacks likewise.

use crate::{Mutant, MutantError};
use countersign_contract::claims;
use countersign_scenarios::Suite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The data file.
pub const TOGETHER: &str = include_str!("../together.yaml");

/// The profiles that are the catalogue of attacks, each with the suite that it speaks.
pub const CATALOGUE: [(&str, claims::Suite); 2] =
    [("signal-catalogue", claims::Suite::SignalPq), ("signal-catalogue-classic", claims::Suite::SignalClassic)];

/// Scenarios that no mutant fails alone, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Together {
    /// Their ids.
    pub scenarios: Vec<String>,
    /// Why every defect that shows in one of them shows elsewhere too.
    pub reason: String,
}

/// The file of scenarios that no mutant fails alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TogetherFile {
    /// The scenarios.
    pub together: Vec<Together>,
}

/// Scenarios that no mutant fails alone, each with the reason.
///
/// # Errors
/// [`MutantError::Form`] if the file is not of the right form, [`MutantError::Switch`] for a scenario that stands there twice.
pub fn together() -> Result<BTreeMap<String, String>, MutantError> {
    let file: TogetherFile = serde_saphyr::from_str(TOGETHER).map_err(|e| MutantError::Form(format!("of reasons: {e}")))?;
    let mut reasons = BTreeMap::new();
    for Together { scenarios, reason } in file.together {
        for scenario in scenarios {
            if reasons.insert(scenario.clone(), reason.clone()).is_some() {
                return Err(MutantError::Switch(scenario));
            }
        }
    }
    Ok(reasons)
}

/// Scenarios of the catalogue, each with the mutants that fail it and no other scenario of one of its profiles.
#[must_use]
pub fn catalogue(suite: &Suite, mutants: &[Mutant]) -> BTreeMap<String, BTreeSet<String>> {
    let mut alone: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (profile, spoken) in CATALOGUE {
        let Some(profile) = suite.profiles.get(profile) else { continue };
        let taken: BTreeSet<String> = suite.instances(profile).into_iter().map(|planned| planned.scenario.id.clone()).collect();
        let fits = |id: &String| {
            let suites = suite.scenarios.get(id).map(countersign_scenarios::LoadedScenario::suites).unwrap_or_default();
            suites.is_empty() || suites.contains(&spoken)
        };
        let taken: BTreeSet<String> = taken.into_iter().filter(fits).collect();
        let able = mutants.iter().filter(|m| m.defect().is_some_and(|defect| defect.suites().contains(&spoken)));
        for mutant in able {
            let mut failed = mutant.fails.iter().filter(|id| taken.contains(*id));
            if let (Some(only), None) = (failed.next(), failed.next()) {
                alone.entry(only.clone()).or_default().insert(mutant.id.clone());
            }
        }
        taken.into_iter().for_each(|id| _ = alone.entry(id).or_default());
    }
    alone
}

/// The mutants of a requirement that fail nothing but scenarios which verify it; all of its mutants if those are all twins, since what finds
/// its defects then watches every scenario.
#[must_use]
pub fn own<'m>(suite: &Suite, mutants: &'m [Mutant], requirement: &str) -> Vec<&'m str> {
    let verifies = |id: &String| suite.scenarios.get(id).is_some_and(|s| s.scenario.verifies.iter().any(|r| r == requirement));
    let watched = suite.scenarios.iter().all(|(id, loaded)| loaded.scenario.twin || !verifies(id));
    let of_it = mutants.iter().filter(|mutant| mutant.requirement == requirement);
    of_it.filter(|mutant| watched || mutant.fails.iter().all(verifies)).map(|mutant| mutant.id.as_str()).collect()
}
