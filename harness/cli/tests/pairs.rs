//! Two candidates that talk to each other.
#![expect(clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use assert_cmd::Command;

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().display().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = command.args(["run", "--quiet", "--out", &folder]).args(arguments).output().expect("runs");
    let said = [output.stdout, output.stderr].concat();
    if output.status.code() == Some(0) {
        let record = out.path().join("record.jsonl").display().to_string();
        let mut verify = Command::new(env!("CARGO_BIN_EXE_countersign"));
        assert!(verify.args(["verify", &record]).output().expect("runs").status.success(), "its record does not verify");
    }
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn two_honest_ones_understand_each_other() {
    let (code, said) = run(&["--profile", "pairs-pq", "--peer", "builtin"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn whichever_of_the_two_is_defective_is_noticed() {
    for (one, other) in [("mutant:ignores-retry-receipt", "builtin"), ("builtin", "mutant:drops-late-messages")] {
        let (code, said) = run(&["--profile", "pairs-pq", "--candidate", one, "--peer", other]);
        assert_eq!(code, Some(4), "{one} {other}: {said}");
    }
}

#[test]
fn only_children_and_http_endpoints_can_be_two() {
    let (code, said) = run(&["--profile", "pairs-pq", "--candidate", "dial-in", "--peer", "builtin"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`dial-in` cannot be one of two"), "{said}");
    let (code, said) = run(&["--profile", "pairs-pq", "--peer", "exec:false"]);
    assert_eq!(code, Some(3), "{said}");
}
