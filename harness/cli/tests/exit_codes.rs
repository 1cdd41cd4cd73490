//! Exit codes that do not depend on a candidate's conformance.
#![expect(clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use assert_cmd::Command;

fn countersign(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign")).args(args).output().expect("runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn faulty_arguments_are_usage_errors() {
    let cases: [&[&str]; 12] = [
        &[],
        &["nonsense"],
        &["run", "--candidate", "foo"],
        &["run", "--candidate", "exec:"],
        &["run", "--candidate", "http://"],
        &["run", "--candidate", "mutant:none"],
        &["run", "--profile", "none"],
        &["run", "--seed", "zz"],
        &["run", "--jobs", "0"],
        &["run", "--listen", "here"],
        &["schema", "none"],
        &["explain", "no-such-thing"],
    ];
    for args in cases {
        let (code, said) = countersign(args);
        assert_eq!(code, Some(2), "{args:?}: {said}");
        assert!(!said.is_empty(), "{args:?}");
    }
}

#[test]
fn a_filter_that_matches_nothing_selects_nothing() {
    let out = tempfile::tempdir().expect("a folder");
    let (code, said) = countersign(&["run", "--only", "nothing/*", "--out", &out.path().display().to_string()]);
    assert_eq!(code, Some(7), "{said}");
}

#[test]
fn a_record_that_is_not_there_is_a_usage_error() {
    for command in ["verify", "report"] {
        let (code, said) = countersign(&[command, "not-there.jsonl"]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("not-there.jsonl") && said.contains("hint:"), "{said}");
    }
}

#[test]
fn a_candidate_that_cannot_be_talked_to_is_not_judged() {
    for candidate in ["exec:false", "exec:cat", "exec:yes", "exec:sh -c 'echo hello; exec sleep 100'", "http://127.0.0.1:1"] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_countersign")).args(["doctor", "--candidate", candidate]).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(3), "{candidate}: {said}");
        assert!(said.contains("FAIL reachable") && said.contains("fix: "), "{candidate}: {said}");
    }
}
