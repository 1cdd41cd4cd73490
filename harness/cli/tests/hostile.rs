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
    for (signal, carrier) in [("INT", "http"), ("TERM", "http"), ("INT", "child"), ("INT", "in-process")] {
        let out = tempfile::tempdir().expect("a folder");
        let mut run = Command::new(COUNTERSIGN)
            .args(["run", "--carrier", carrier, "--jobs", "1", "--out"])
            .arg(out.path())
            .stdout(Stdio::piped())
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
        let ended = run.wait_with_output().expect("ended");
        assert_eq!(ended.status.code(), Some(130), "{signal} {carrier}: {line}");
        let report = String::from_utf8_lossy(&ended.stdout);
        assert!(report.contains("planned and not judged") && report.contains("(exit 130)"), "{carrier}: {report}");
        let record = std::fs::read_to_string(out.path().join("record.jsonl")).expect("there");
        assert!(record.lines().last().is_some_and(|last| last.contains("interrupted by the user")), "{signal}");
        for report in ["report.html", "junit.xml", "summary.json"] {
            assert!(out.path().join(report).exists(), "{signal}: {report}");
        }
    }
}

/// Whenever it comes: within a run or between two.
#[test]
fn repeating_ends_when_asked_to() {
    for _ in 0..5 {
        let out = tempfile::tempdir().expect("a folder");
        let mut run = Command::new(COUNTERSIGN)
            .args(["run", "--quiet", "--repeat-until-failure", "--only", "e2ee/from-reference", "--out"])
            .arg(out.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut said = BufReader::new(run.stderr.take().expect("piped"));
        let mut line = String::new();
        said.read_line(&mut line).expect("read");
        assert!(line.starts_with("run 1: exit code 0, seed "), "{line}");
        let sent = Command::new("sh").arg("-c").arg(format!("kill -INT {}", run.id())).status().expect("sent");
        assert!(sent.success());
        said.read_to_string(&mut line).expect("read to the end");
        assert_eq!(run.wait().expect("ended").code(), Some(130), "{line}");
    }
}

/// A candidate that is deaf to everything: the first request to stop waits for it for a moment, the second does not.
#[test]
fn a_second_request_to_stop_is_obeyed_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = folder.path().join("up");
    assert!(Command::new("mkfifo").arg(&up).status().expect("runs").success());
    let deaf = format!("exec:sh -c 'trap \"\" TERM INT; echo $$ > {}; while :; do sleep 1000; done'", up.display());
    let mut run = Command::new(COUNTERSIGN)
        .args(["run", "--candidate", &deaf, "--out"])
        .arg(folder.path().join("out"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    // Opening the pipe waits until the candidate is up.
    let candidate = std::fs::read_to_string(&up).expect("read");
    let stop = |run: &std::process::Child| {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -INT {}", run.id())).status().expect("sent");
        assert!(sent.success());
    };
    stop(&run);
    let mut said = BufReader::new(run.stderr.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("read");
    assert!(line.starts_with("stopping: "), "{line}");
    stop(&run);
    said.read_to_string(&mut line).expect("read to the end");
    assert_eq!(run.wait().expect("ended").code(), Some(130), "{line}");
    assert!(line.contains("stopped at once: the record has no summary"), "{line}");
    // `kill -0` finds nobody: the candidate is gone, or nothing but its name is left until somebody collects it.
    let state = std::fs::read_to_string(format!("/proc/{}/stat", candidate.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

/// A candidate that answers what concerns stored vectors with something of another type, and everything else as the sample does.
const ANSWERS_WRONGLY: &str = r#"
import json, subprocess, sys
from threading import Thread

sample, operation, answer = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
child = subprocess.Popen([sample, "sample"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
calls, importing = {}, set()

def numbered(value):
    if isinstance(value, list):
        return [numbered(each) for each in value]
    if isinstance(value, dict):
        return {key: 7 if key == "text" else numbered(each) for key, each in value.items()}
    return value

def bent(ok):
    if answer == "each-number-a-word":
        for event in ok["events"]:
            event["seq"] = str(event["seq"])
        return ok
    if answer == "each-text-a-number":
        return numbered(ok)
    return answer

def back():
    for line in child.stdout:
        said = json.loads(line)
        op, instance = calls.pop(said["id"])
        if "ok" in said and op == operation and instance in importing:
            said["ok"] = bent(said["ok"])
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

Thread(target=back, daemon=True).start()
for line in sys.stdin:
    call = json.loads(line)
    args = call.get("args") or {}
    if args.get("import"):
        importing.add(args["instance"])
    calls[call["id"]] = (call["op"], args.get("instance"))
    child.stdin.write(line.encode())
    child.stdin.flush()
child.stdin.close()
child.wait()
"#;

/// Whatever type a candidate answers a vector with: the run ends with a verdict on that vector, and it is no pass.
#[test]
fn an_answer_of_another_type_to_a_vector_is_a_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("candidate.py");
    std::fs::write(&script, ANSWERS_WRONGLY).expect("written");
    let (message, number) = ("double-ratchet/pq-in-order", "safety-number/pq-1");
    let digits = format!("{{\"digits\": {}}}", "1".repeat(60));
    // What is to be answered, and what the verdict is: on what has not the contract's form nothing can be judged.
    let cases = [
        (message, "create_user", "\"yes\"", "environment-error"),
        (message, "create_user", "7", "environment-error"),
        (message, "create_user", "null", "environment-error"),
        (message, "create_user", "{\"identity_key\": 5}", "environment-error"),
        (message, "events", "\"none\"", "environment-error"),
        (message, "events", "{\"events\": {}}", "environment-error"),
        (message, "events", "{\"events\": [7, null]}", "environment-error"),
        (message, "events", "\"each-number-a-word\"", "environment-error"),
        (message, "events", "\"each-text-a-number\"", "environment-error"),
        (number, "verify_identity", digits.as_str(), "environment-error"),
        (number, "verify_identity", "[]", "environment-error"),
        (number, "verify_identity", "{\"digits\": \"sixty\"}", "fail"),
    ];
    for (vector, operation, answer, verdict) in cases {
        let out = folder.path().join("out");
        let candidate = format!("exec:python3 '{}' '{COUNTERSIGN}' {operation} '{answer}'", script.display());
        let ran = Command::new(COUNTERSIGN)
            .args(["run", "--profile", "vectors-pq", "--only", vector, "--candidate", &candidate, "--out"])
            .arg(&out)
            .output()
            .expect("runs");
        let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        let case = format!("{operation} answered with {answer}: {said}");
        assert!(!said.contains("panicked"), "{case}");
        assert!(ran.status.code().is_some_and(|code| code != 0 && code != 130), "{case}");
        let summary = std::fs::read_to_string(out.join("summary.json")).expect("a summary");
        let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
        let count = |verdict: &str| summary.pointer(&format!("/counts/{verdict}")).and_then(serde_json::Value::as_u64);
        assert_eq!((count(verdict), count("pass").unwrap_or(0)), (Some(1), 0), "{case}\n{summary:#}");
        std::fs::remove_dir_all(&out).expect("removed");
    }
}
