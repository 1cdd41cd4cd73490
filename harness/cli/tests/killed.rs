//! A run that is killed leaves a record that holds every verdict that was shown, and that verify confirms.
#![expect(clippy::unwrap_used, reason = "a test")]

use countersign_trace::Record;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// Moments at which a run is killed: after so many lines of progress.
const MOMENTS: usize = 50;

/// Starts a run, kills it after `count` lines of progress, and gives them.
fn killed_after(count: usize, out: &std::path::Path) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["run", "--only", "e2ee/*", "--only", "keys/*", "--out"])
        .arg(out)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let progress = BufReader::new(child.stderr.take().unwrap());
    let lines: Vec<String> = progress.lines().map(Result::unwrap).filter(|line| line.starts_with('[')).take(count).collect();
    // On Unix this is the signal that cannot be caught.
    child.kill().unwrap();
    assert_ne!(child.wait().unwrap().code(), Some(0), "it ended before it was killed");
    lines
}

#[test]
fn a_killed_run_leaves_all_verdicts_that_were_shown() {
    for count in 1..=MOMENTS {
        let folder = tempfile::tempdir().unwrap();
        let lines = killed_after(count, folder.path());
        assert_eq!(lines.len(), count);
        let path = folder.path().join("record.jsonl");
        let record = Record::open(&path).unwrap();
        assert!(record.instances.len() >= count, "{} of {count} verdicts are there", record.instances.len());
        for (line, result) in lines.iter().zip(&record.instances) {
            assert!(line.contains(&result.name()) && line.contains(result.verdict.as_str()), "{line} is {}", result.name());
        }
        assert!(record.summary.is_none());
        let verified = assert_cmd::Command::new(env!("CARGO_BIN_EXE_countersign")).arg("verify").arg(&path).output().unwrap();
        let said = String::from_utf8(verified.stdout).unwrap();
        // What is missing may be what failed: such a record is confirmed as far as it goes, and no more.
        assert!(verified.status.code() == Some(6) && said.contains("\nINCOMPLETE: "), "killed after {count}: {said}");
        assert!(said.contains("the run did not end"), "{said}");
    }
}
