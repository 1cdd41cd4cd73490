//! The table of what is tested is up to date, and forgets no known attack.

use countersign_mutants::{mutants, table, untested};
use countersign_scenarios::Suite;
use std::collections::BTreeSet;
use std::path::Path;

/// The groups of known attacks, with the number of the last one of each.
const GROUPS: [(&str, u32); 22] = [
    ("AUTH", 9),
    ("ENL", 9),
    ("NOISE", 8),
    ("BIN", 7),
    ("PK", 8),
    ("SIG", 12),
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
    let now = table(&Suite::builtin().unwrap(), &mutants().unwrap(), &untested().unwrap());
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

#[test]
fn every_mutant_names_a_requirement_and_a_scenario() {
    let suite = Suite::builtin().unwrap();
    for mutant in mutants().unwrap() {
        assert!(suite.requirements.contains_key(&mutant.requirement), "{}: {}", mutant.id, mutant.requirement);
        assert!(suite.scenarios.contains_key(&mutant.scenario), "{}: {}", mutant.id, mutant.scenario);
    }
}
