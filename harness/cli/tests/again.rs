//! Doing it again: what failed, until it fails, from a record, and telling of it as it happens.
#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it has to be")]

use countersign_trace::Record;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn countersign(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A run of this candidate in this folder; its exit code.
fn run(out: &Path, more: &[&str]) -> (Option<i32>, String) {
    let out = out.display().to_string();
    let output = countersign(&[&["run", "--out", &out], more].concat());
    (output.status.code(), text(&output.stderr))
}

fn record(out: &Path) -> Record {
    Record::open(&out.join("record.jsonl")).unwrap()
}

#[test]
fn what_failed_is_run_again_until_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _) = run(
        folder.path(),
        &["--candidate", "mutant:shared-key-store", "--only", "e2ee/wrong-recipient", "--only", "e2ee/from-*", "--quiet"],
    );
    assert_eq!(code, Some(4));
    assert_eq!(record(folder.path()).instances.len(), 3);
    let path = folder.path().join("record.jsonl").display().to_string();
    // The record that is read is the one that is replaced.
    // Not silently against the built-in sample.
    let (code, said) = run(folder.path(), &["--rerun-failed", &path]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("that record is of the candidate mutant:shared-key-store"), "{said}");
    let (code, said) = run(folder.path(), &["--candidate", "mutant:late-identity-notice", "--rerun-failed", &path]);
    assert_eq!(code, Some(0), "{said}");
    let now = "note: the candidate of that record was mutant:shared-key-store, and now it is mutant:late-identity-notice";
    assert!(said.contains(now), "{said}");
    let names: Vec<String> = record(folder.path()).instances.iter().map(|i| i.name()).collect();
    assert_eq!(names, ["e2ee/wrong-recipient"]);
    let (code, said) = run(folder.path(), &["--candidate", "mutant:late-identity-notice", "--rerun-failed", &path]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("there is nothing to run again"), "{said}");
    assert_eq!(run(folder.path(), &["--rerun-failed", "not-there.jsonl"]).0, Some(2));
}

#[test]
fn a_run_is_repeated_until_it_fails_or_often_enough() {
    let folder = tempfile::tempdir().unwrap();
    let only = ["--only", "e2ee/wrong-recipient", "--quiet"];
    let (code, said) = run(folder.path(), &[&["--repeat-until-failure", "3"], &only[..]].concat());
    assert_eq!((code, said.matches(": exit code 0, seed ").count()), (Some(0), 3), "{said}");
    let seeds: std::collections::BTreeSet<&str> = said.lines().filter_map(|l| l.split_once("seed ")).map(|(_, s)| s).collect();
    assert_eq!(seeds.len(), 3, "each with a seed of its own: {said}");
    let mutant = ["--candidate", "mutant:shared-key-store", "--repeat-until-failure"];
    let (code, said) = run(folder.path(), &[&mutant[..], &only].concat());
    assert_eq!(code, Some(4), "{said}");
    let seed = record(folder.path()).summary.unwrap().seed;
    assert!(said.contains(&format!("run 1: exit code 4, seed {seed}")) && !said.contains("run 2"), "{said}");
    assert_eq!(run(folder.path(), &["--repeat-until-failure", "2", "--seed", "1"]).0, Some(2));
}

#[test]
fn everything_is_told_as_it_happens_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = run(folder.path(), &["--trace", "--quiet", "--only", "e2ee/from-reference"]);
    assert_eq!(code, Some(0));
    let entries: usize = record(folder.path()).instances.iter().map(|i| i.trace.len()).sum();
    assert_eq!(said.lines().count(), entries, "{said}");
    assert!(said.lines().all(|l| l.starts_with("e2ee/from-reference #")), "{said}");
    assert!(!said.chars().any(|c| c.is_control() && c != '\n'));
    for part in ["candidate → gateway", "gateway → candidate", "test → candidate", "step 1 begins"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn an_instance_is_replayed_from_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let mutant = ["--candidate", "mutant:skips-mac", "--only", "e2ee/mac-inner-field", "--quiet"];
    assert_eq!(run(folder.path(), &mutant).0, Some(4));
    let path = folder.path().join("record.jsonl").display().to_string();
    // Without a terminal nothing waits, whatever is asked for.
    let output = countersign(&["replay", "e2ee/mac-inner-field@mac", "--record", &path, "--step"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in [
        "step 1: alice (reference) and bob (candidate) write to each other",
        "prekey message",
        "identity key      33 bytes 05",
        "Kyber ciphertext  1569 bytes",
        "ratchet key       33 bytes 05",
        "counter           0",
        "previous counter  ",
        "pq ratchet        epoch 1, index ",
        "MAC               8 bytes ",
        "content           {\"kind\":\"text\"",
        "network ",
        "byte for byte",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    // A check stands behind its step, and before the next one.
    let (before, after) = said.split_once("\nstep 6: ").unwrap();
    let (_, step_5) = before.split_once("\nstep 5: ").unwrap();
    assert!(step_5.contains("\n  check step-4 fail: ") && !after.contains("check step-4"), "{step_5}");
    let output = countersign(&["replay", "e2ee/mac-inner-field@mca", "--record", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("perhaps `e2ee/mac-inner-field@mac`"), "{}", text(&output.stderr));
}

#[test]
fn an_instance_is_executed_anew_with_its_seed() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["--only", "e2ee/wrong-recipient", "--quiet"]).0, Some(0));
    let path = folder.path().join("record.jsonl").display().to_string();
    let anew = |candidate: &str| {
        let output = countersign(&["replay", "e2ee/wrong-recipient", "--record", &path, "--live", "--candidate", candidate]);
        (output.status.code(), text(&output.stdout))
    };
    let (code, said) = anew("builtin");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("verdict pass; the record says pass\n"), "{said}");
    let (code, said) = anew("mutant:shared-key-store");
    assert_eq!(code, Some(4), "{said}");
    assert!(said.ends_with("verdict fail; the record says pass\n"), "{said}");
    // The same seed: the same users.
    let user = record(folder.path()).instances[0].instance.to_string();
    assert!(said.contains(&user), "{said}");
}

#[test]
fn a_record_that_was_altered_is_not_replayed_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["--only", "e2ee/from-reference", "--quiet"]).0, Some(0));
    let path = folder.path().join("record.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();
    let altered = whole.replacen("\"at_us\":", "\"at_us\":1", 1);
    std::fs::write(&path, altered).unwrap();
    let output = countersign(&["replay", "e2ee/from-reference", "--record", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(8), "{}", text(&output.stderr));
}
