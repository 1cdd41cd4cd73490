//! A record is confirmed as it was written, and refused however it was changed, even by someone who chains it anew.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use countersign_trace::Digest;
use countersign_trace::record::SuiteFiles;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// The instance that is tampered with.
const NAME: &str = "e2ee/from-reference";

fn countersign(args: &[&str]) -> Output {
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_countersign")).args(args).output().unwrap()
}

/// A folder with the record of a short run.
fn recorded() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let ran = countersign(&[
        "run",
        "--quiet",
        "--only",
        "e2ee/from-*",
        "--only",
        "media/two-files",
        "--only",
        "e2ee/long-text",
        "--out",
        out,
    ]);
    assert!(folder.path().join("record.jsonl").exists(), "{ran:?}");
    folder
}

fn bytes(folder: &TempDir) -> Vec<u8> {
    std::fs::read(folder.path().join("record.jsonl")).unwrap()
}

/// Exit code and standard output of verifying this beside the long bodies of the run.
fn verify(folder: &TempDir, record: &[u8]) -> (Option<i32>, String) {
    let path = folder.path().join("altered.jsonl");
    std::fs::write(&path, record).unwrap();
    let done = countersign(&["verify", path.to_str().unwrap()]);
    (done.status.code(), String::from_utf8(done.stdout).unwrap())
}

/// The lines of a record without their chain.
fn lines(folder: &TempDir) -> Vec<Value> {
    let text = String::from_utf8(bytes(folder)).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].take()).collect()
}

/// Chains lines as a run does: who tampers can do that too.
fn chained(lines: &[Value]) -> Vec<u8> {
    let mut previous = "0".repeat(64);
    let mut out = String::new();
    for line in lines {
        let line = line.to_string();
        previous = Digest::of(format!("{previous}{line}").as_bytes()).to_string();
        out += &format!("{{\"chain\":\"{previous}\",\"line\":{line}}}\n");
    }
    out.into_bytes()
}

/// Position of the line of an instance.
fn instance(lines: &[Value]) -> usize {
    lines.iter().position(|line| line["instance"]["scenario"] == NAME).unwrap()
}

fn line<'a>(lines: &'a mut [Value], kind: &str) -> &'a mut Value {
    lines.iter_mut().find_map(|line| line.get_mut(kind)).unwrap()
}

/// Another digit in the place of the first one.
fn change_digit(value: &mut Value) {
    let text = value.as_str().unwrap().to_owned();
    let first = if text.starts_with('0') { "1" } else { "0" };
    *value = json!(format!("{first}{}", &text[1..]));
}

/// Changes a character in the middle of the ciphertext of the first message among these bodies.
fn change_ciphertext<'a>(bodies: impl Iterator<Item = &'a mut Value>) {
    for body in bodies {
        let Some(text) = body.get("text").and_then(Value::as_str).map(str::to_owned) else { continue };
        let Ok(mut stanza) = serde_json::from_str::<Value>(&text) else { continue };
        if stanza["kind"] != "message" {
            continue;
        }
        let ciphertext = stanza["body"].as_str().unwrap().to_owned();
        let middle = ciphertext.len() / 2;
        let other = if ciphertext.as_bytes()[middle] == b'A' { "B" } else { "A" };
        stanza["body"] = json!(format!("{}{other}{}", &ciphertext[..middle], &ciphertext[middle + 1..]));
        body["text"] = json!(stanza.to_string());
        return;
    }
    panic!("no message among them");
}

/// Makes a change, chains anew, and says what verify makes of it.
fn tampered(folder: &TempDir, change: impl FnOnce(&mut Vec<Value>)) -> (Option<i32>, String) {
    let before = lines(folder);
    let mut after = before.clone();
    change(&mut after);
    assert_ne!(before, after);
    verify(folder, &chained(&after))
}

/// As [`tampered`]; and it is refused with this in what is said.
fn refused(folder: &TempDir, told: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let (code, said) = tampered(folder, change);
    assert_eq!(code, Some(8), "{said}");
    assert!(said.contains(told) && said.contains("REFUSED"), "not {told:?} in: {said}");
}

#[test]
fn an_honest_record_is_confirmed_also_chained_anew() {
    let folder = recorded();
    for record in [bytes(&folder), chained(&lines(&folder))] {
        let (code, said) = verify(&folder, &record);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("\nconfirmed: ") && said.contains("instances executed again"), "{said}");
    }
}

#[test]
fn a_changed_byte_is_refused_wherever_it_is() {
    let folder = recorded();
    let honest = bytes(&folder);
    for part in 0..40 {
        let at = honest.len() * part / 40;
        let mut altered = honest.clone();
        altered[at] ^= 1;
        assert_eq!(verify(&folder, &altered).0, Some(8), "at byte {at}");
    }
}

#[test]
fn a_changed_body_beside_the_record_is_refused() {
    let folder = recorded();
    let blob = std::fs::read_dir(folder.path().join("blobs")).unwrap().next().unwrap().unwrap().path();
    let mut body = std::fs::read(&blob).unwrap();
    body[0] ^= 1;
    std::fs::write(&blob, body).unwrap();
    assert_eq!(verify(&folder, &bytes(&folder)).0, Some(8));
    std::fs::remove_file(blob).unwrap();
    assert_eq!(verify(&folder, &bytes(&folder)).0, Some(8));
}

#[test]
fn changed_verdicts_are_refused() {
    let folder = recorded();
    refused(&folder, &format!("{NAME}: verdict: "), |lines| {
        let at = instance(lines);
        lines[at]["instance"]["verdict"] = json!("inconclusive");
    });
    refused(&folder, &format!("{NAME}: verdict: check "), |lines| {
        let at = instance(lines);
        lines[at]["instance"]["checks"][0]["verdict"] = json!("fail");
    });
    refused(&folder, &format!("{NAME}: verdict: the record has "), |lines| {
        let at = instance(lines);
        lines[at]["instance"]["checks"].as_array_mut().unwrap().pop();
    });
    refused(&folder, "summary: the record says", |lines| line(lines, "summary")["exit_code"] = json!(5));
    refused(&folder, "summary: ", |lines| {
        line(lines, "summary")["checks"].as_array_mut().unwrap().pop();
    });
}

#[test]
fn changed_traces_are_refused() {
    let folder = recorded();
    let trace = format!("{NAME}: trace: entry ");
    refused(&folder, &trace, |lines| {
        let at = instance(lines);
        let entries = lines[at]["instance"]["trace"].as_array_mut().unwrap();
        change_ciphertext(entries.iter_mut().filter_map(|e| e["event"].get_mut("from-reference")?.get_mut("body")));
    });
    refused(&folder, &trace, |lines| {
        let at = instance(lines);
        let entries = lines[at]["instance"]["trace"].as_array_mut().unwrap();
        change_ciphertext(entries.iter_mut().filter_map(|e| e["event"].get_mut("input")?.get_mut("chat-frame")?.get_mut("text")));
    });
    refused(&folder, NAME, |lines| {
        let at = instance(lines);
        lines[at]["instance"]["trace"].as_array_mut().unwrap().pop();
    });
}

#[test]
fn changed_seeds_are_refused() {
    let folder = recorded();
    refused(&folder, &format!("{NAME}: seed: "), |lines| {
        let at = instance(lines);
        change_digit(&mut lines[at]["instance"]["seed"]);
    });
    refused(&folder, "seed: the run's seed is not the one that the header commits to", |lines| {
        change_digit(&mut line(lines, "summary")["seed"]);
    });
}

#[test]
fn a_result_that_was_left_out_is_missed() {
    refused(&recorded(), &format!("{NAME}: plan: it was selected, and there is no result of it"), |lines| {
        let at = instance(lines);
        lines.remove(at);
    });
}

/// Takes the last expectation out of the scenario.
fn weaken(lines: &mut [Value]) {
    let suite = line(lines, "suite");
    let files = suite["files"].as_array_mut().unwrap();
    let file = files.iter_mut().find(|f| f["path"] == format!("{NAME}.yaml")).unwrap();
    let text = file["text"].as_str().unwrap().trim_end().to_owned();
    let last = text.rfind("\n  - expect: ").unwrap();
    file["text"] = json!(format!("{}\n", &text[..last]));
}

#[test]
fn a_weakened_scenario_is_refused_or_told() {
    let folder = recorded();
    refused(&folder, "suite: the suite's files are not the ones that the header names", |lines| weaken(lines));
    // With its digest in the header it is a suite of its own. It says so, and this trace was not made with it.
    refused(&folder, "other scenarios than this program's", |lines| {
        weaken(lines);
        let files: SuiteFiles = serde_json::from_value(line(lines, "suite").clone()).unwrap();
        line(lines, "header")["suite"] = json!(files.digest().to_string());
    });
}

#[test]
fn nothing_that_verify_builds_on_knows_the_network() {
    let cargo = std::env::var_os("CARGO").unwrap();
    let tree = Command::new(cargo)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["tree", "--offline", "-p", "countersign-verify", "-e", "normal", "--prefix", "none", "--format", "{p}"])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{tree:?}");
    let text = String::from_utf8(tree.stdout).unwrap();
    let names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"countersign-instance") && names.contains(&"libsignal-protocol-syft"), "{names:?}");
    for network in ["tokio", "hyper", "mio", "socket2", "reqwest", "async-std", "tungstenite", "rustls"] {
        assert!(!names.contains(&network), "{network} is among what verify builds on");
    }
}
