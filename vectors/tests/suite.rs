//! The built-in vectors and the scenarios that they are compiled to.

use countersign_contract::claims::Capability;
use countersign_scenarios::Suite;
use countersign_vectors::file::Outcome;
use countersign_vectors::{KINDS, builtin, index, scenario_files, without_vectors};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_suite_with_the_vectors_is_without_fault() {
    let (suite, loaded) = builtin().unwrap_or_else(|faults| panic!("{}", faults[0]));
    let vectors: usize = loaded.iter().map(|file| file.vectors.len()).sum();
    assert_eq!(suite.scenarios.len(), Suite::builtin().unwrap().scenarios.len() + vectors);
    // Nothing is lost on the way into a record and out of it.
    for vector in loaded.iter().flat_map(|file| &file.vectors) {
        assert_eq!(*suite.scenarios[&vector.scenario.id].scenario, vector.scenario, "{}", vector.scenario.id);
    }
}

#[test]
fn every_kind_has_vectors_of_every_result_that_it_can_have() {
    let (_, loaded) = builtin().unwrap();
    for kind in KINDS {
        let results: BTreeSet<Outcome> =
            loaded.iter().filter(|f| f.kind == kind).flat_map(|f| f.vectors.iter().map(|v| v.about.result)).collect();
        assert!(results.contains(&Outcome::Valid), "{}", kind.name);
        assert!(kind.name == "safety-number" || results.contains(&Outcome::Invalid), "{}", kind.name);
    }
}

#[test]
fn the_index_names_what_is_there_without_reading_it() {
    let (suite, loaded) = builtin().unwrap();
    let mut all: Vec<_> =
        loaded.iter().flat_map(|f| f.vectors.iter().map(|v| (v.scenario.id.clone(), v.about.clone()))).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(index().unwrap().into_iter().map(|entry| (entry.id, entry.about)).collect::<Vec<_>>(), all);
    let lean = without_vectors().unwrap();
    assert_eq!(lean.requirements.keys().collect::<Vec<_>>(), suite.requirements.keys().collect::<Vec<_>>());
    assert_eq!(lean.scenarios.len() + all.len(), suite.scenarios.len());
}

#[test]
fn folders_and_registry_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: BTreeSet<String> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    for other in ["src", "tests", "schemas", "profiles", "requirements"] {
        assert!(folders.remove(other), "{other}");
    }
    assert_eq!(folders, KINDS.iter().map(|kind| kind.name.to_owned()).collect());
    let build = std::fs::read_to_string(root.join("build.rs")).unwrap();
    assert!(KINDS.iter().all(|kind| build.contains(&format!("\"{}\"", kind.name))));
}

#[test]
fn a_stored_message_needs_the_receivers_keys_and_a_bundle_does_not() {
    let (_, loaded) = builtin().unwrap();
    for vector in loaded.iter().flat_map(|file| &file.vectors) {
        let import = vector.scenario.capabilities.contains(&Capability::Import);
        assert_eq!(import, !vector.scenario.id.starts_with("prekey-bundle/"), "{}", vector.scenario.id);
    }
}

#[test]
fn every_vector_stands_in_a_profile() {
    let (suite, loaded) = builtin().unwrap();
    let taken: BTreeSet<String> = ["vectors-pq", "vectors-classic"]
        .into_iter()
        .flat_map(|profile| suite.instances(&suite.profiles[profile]))
        .map(|planned| planned.name)
        .collect();
    let all: BTreeSet<String> = loaded.iter().flat_map(|f| f.vectors.iter().map(|v| v.scenario.id.clone())).collect();
    assert_eq!(taken, all);
    assert_eq!(scenario_files(&loaded).unwrap().0.len(), all.len());
}
