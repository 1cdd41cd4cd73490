//! The table of what is tested is up to date, and forgets no known attack.

use countersign_mutants::{catalogue, mutants, own, table, together, untested, vector_kills};
use countersign_scenarios::Suite;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The groups of known attacks, with the number of the last one of each.
const GROUPS: [(&str, u32); 22] = [
    ("AUTH", 9),
    ("ENL", 9),
    ("NOISE", 8),
    ("BIN", 7),
    ("PK", 8),
    ("SIG", 13),
    ("PCS", 1),
    ("FS", 1),
    ("DENY", 1),
    ("RETRY", 4),
    ("RCPT", 8),
    ("META", 5),
    ("PROXY", 6),
    ("MED", 10),
    ("ORD", 4),
    ("TIM", 1),
    ("DS", 1),
    ("CONF", 2),
    ("GRP", 10),
    ("LIFE", 5),
    // Ours: keys and the contract.
    ("KEY", 4),
    ("CT", 7),
];

#[test]
fn the_table_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/COVERAGE.md");
    let now = table(&Suite::builtin().unwrap(), &mutants().unwrap(), &untested().unwrap(), &together().unwrap());
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == now,
        "scenarios/COVERAGE.md is out of date: COUNTERSIGN_BLESS=1 cargo test -p countersign-mutants --test table"
    );
}

#[test]
fn every_known_attack_is_a_requirement_or_says_why_not() {
    let suite = Suite::builtin().unwrap();
    let untested: Vec<String> = untested().unwrap().into_iter().flat_map(|gap| gap.ids).collect();
    let unique: BTreeSet<&String> = untested.iter().collect();
    assert_eq!(unique.len(), untested.len(), "an id stands twice among those not tested");
    for id in &untested {
        assert!(!suite.requirements.contains_key(id), "{id} is a requirement, and is said not to be tested");
    }
    for (group, last) in GROUPS {
        for id in (1..=last).map(|number| format!("{group}-{number:02}")) {
            assert!(
                suite.requirements.contains_key(&id) || unique.contains(&id),
                "{id} is neither a requirement nor among those not tested"
            );
        }
    }
}

/// Groups of known attacks on messages, whose ids each have a mutant of their own.
const ATTACKS: [&str; 12] = ["PK", "SIG", "PCS", "FS", "DENY", "RETRY", "RCPT", "ORD", "DS", "CONF", "GRP", "TIM"];

#[test]
fn every_known_attack_on_messages_has_a_mutant_of_its_own() {
    let (suite, mutants) = (Suite::builtin().unwrap(), mutants().unwrap());
    let ids = suite.requirements.keys().filter(|id| id.split_once('-').is_some_and(|(group, _)| ATTACKS.contains(&group)));
    let without: Vec<_> = ids.filter(|id| own(&suite, &mutants, id).is_empty()).collect();
    assert!(without.is_empty(), "every mutant of {without:?} also fails scenarios that do not verify it");
}

#[test]
fn every_scenario_of_the_catalogue_has_a_mutant_of_its_own_or_a_reason_for_none() {
    let (suite, reasons) = (Suite::builtin().unwrap(), together().unwrap());
    let catalogue = catalogue(&suite, &mutants().unwrap());
    assert!(catalogue.len() > 100);
    for (scenario, alone) in &catalogue {
        let excused = reasons.contains_key(scenario);
        assert!(
            alone.is_empty() == excused,
            "{scenario} needs a mutant of its own or a reason for none, and not both: {alone:?}"
        );
    }
    let idle: Vec<_> = reasons.keys().filter(|scenario| !catalogue.contains_key(*scenario)).collect();
    assert!(idle.is_empty(), "reasons for {idle:?}, which are not of the catalogue");
}

#[test]
fn every_mutant_names_a_requirement_and_a_scenario() {
    let suite = Suite::builtin().unwrap();
    for mutant in mutants().unwrap() {
        assert!(suite.requirements.contains_key(&mutant.requirement), "{}: {}", mutant.id, mutant.requirement);
        assert!(suite.scenarios.contains_key(&mutant.scenario), "{}: {}", mutant.id, mutant.scenario);
    }
}

#[test]
fn each_class_of_bugs_in_vectors_has_a_mutant_or_a_reason_for_none() {
    let (_, loaded) = countersign_vectors::builtin().unwrap();
    let mut text =
        String::from("# What finds what in the stored vectors\n\nGenerated from the data files by a test; do not edit.\n\n");
    text.push_str("Of the kinds whose defects lie in groups and in sealed messages. A mutant is the built-in sample with one defect; each is\n");
    text.push_str("run in the tests, and fails exactly the vectors that `harness/mutants/vectors.yaml` names.\n");
    for kind in vector_kills().unwrap() {
        let file = loaded.iter().find(|file| file.kind.name == kind.kind).unwrap();
        let mut flags: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for vector in &file.vectors {
            for flag in &vector.about.flags {
                flags.entry(flag).or_default().insert(&vector.about.id);
            }
        }
        for (flag, vectors) in &flags {
            let (killed, excused) = (!kind.killers(vectors).is_empty(), kind.without_mutant.contains_key(*flag));
            assert!(killed != excused, "{}: {flag} needs a mutant or a reason for none, and not both", kind.kind);
        }
        let idle: Vec<_> = kind.without_mutant.keys().filter(|flag| !flags.contains_key(flag.as_str())).collect();
        assert!(idle.is_empty(), "{}: reasons for {idle:?}, which no vector has", kind.kind);
        text.push_str(&kind.table(&flags));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/COVERAGE.md");
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == text,
        "vectors/COVERAGE.md is out of date: COUNTERSIGN_BLESS=1 cargo test -p countersign-mutants --test table"
    );
}
