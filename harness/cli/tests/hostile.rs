//! A hostile system: a disk that is full, a stop in the middle.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

const COUNTERSIGN: &str = env!("CARGO_BIN_EXE_countersign");

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_no_panic() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("there");
    let output = Command::new(COUNTERSIGN).arg("list").stdout(full).stderr(Stdio::piped()).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot write to standard output") && !said.contains("panicked"), "{said}");
}

/// The signals that ask to stop; both leave a whole record and no process.
#[test]
fn a_stopped_run_leaves_a_summary_and_no_process() {
    for signal in ["INT", "TERM"] {
        let out = tempfile::tempdir().expect("a folder");
        let mut run = Command::new(COUNTERSIGN)
            .args(["run", "--carrier", "http", "--jobs", "1", "--out"])
            .arg(out.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        // The first line of progress says that it is under way. The sample inherits this pipe: its end is the end of both.
        let mut progress = BufReader::new(run.stderr.take().expect("piped"));
        let mut line = String::new();
        progress.read_line(&mut line).expect("read");
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", run.id())).status().expect("sent");
        assert!(sent.success());
        progress.read_to_string(&mut line).expect("read to the end");
        assert_eq!(run.wait().expect("ended").code(), Some(130), "{signal}: {line}");
        let record = std::fs::read_to_string(out.path().join("record.jsonl")).expect("there");
        assert!(record.lines().last().is_some_and(|last| last.contains("interrupted by the user")), "{signal}");
        for report in ["report.html", "junit.xml", "summary.json"] {
            assert!(out.path().join(report).exists(), "{signal}: {report}");
        }
    }
}
