//! The stored vectors of sender keys and of sealed messages find what they are for: each class of bugs is held against the sample with
//! such a bug.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

const COUNTERSIGN: &str = env!("CARGO_BIN_EXE_countersign");

/// Names of the vectors of a kind that a candidate fails.
fn failed(kind: &str, candidate: &str) -> BTreeSet<String> {
    let out = tempfile::tempdir().unwrap();
    let ran = Command::new(COUNTERSIGN)
        .args(["run", "--profile", "vectors-pq", "--only", &format!("{kind}/*"), "--quiet", "--candidate", candidate, "--out"])
        .arg(out.path())
        .output()
        .expect("runs");
    assert!(matches!(ran.status.code(), Some(0 | 4)), "{candidate}: {}", String::from_utf8_lossy(&ran.stderr));
    let record = std::fs::read_to_string(out.path().join("record.jsonl")).unwrap();
    let results = record.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut all = 0;
    let mut failed = BTreeSet::new();
    for line in results {
        let Some(instance) = line.pointer("/line/instance") else { continue };
        let text = |member: &str| instance.get(member).and_then(Value::as_str).unwrap_or_default();
        let (scenario, verdict) = (text("scenario"), text("verdict"));
        all += 1;
        if verdict != "pass" {
            assert_eq!(verdict, "fail", "{candidate}: {scenario}");
            failed.insert(scenario.trim_start_matches(&format!("{kind}/")).to_owned());
        }
    }
    assert!(all > 20, "{candidate}: {all} results");
    failed
}

/// The honest sample fails no vector of a kind, and each mutant those that the data file names.
fn each_kills(kind: &str) {
    assert_eq!(failed(kind, "builtin"), BTreeSet::new());
    let all = countersign_mutants::vector_kills().unwrap();
    for (mutant, vectors) in &all.iter().find(|of| of.kind == kind).unwrap().kills {
        assert_eq!(failed(kind, &format!("mutant:{mutant}")), *vectors, "{mutant}");
    }
}

#[test]
fn each_mutant_fails_its_sealed_vectors_and_no_others() {
    each_kills("sealed-sender");
}

#[test]
fn each_mutant_fails_its_vectors_and_no_others() {
    each_kills("sender-keys");
    // Everything that has to be shown is not, as what it is.
    let index = countersign_vectors::index().unwrap();
    let lost = failed("sender-keys", "mutant:loses-group");
    let valid = index.iter().filter(|entry| entry.id.starts_with("sender-keys/"));
    assert!(valid.filter_map(|entry| entry.id.split_once('/')).all(|(_, name)| lost.contains(name)), "{lost:?}");
}
