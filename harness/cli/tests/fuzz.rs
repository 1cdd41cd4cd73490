//! `countersign fuzz`: what it prints, hands over, and ends with.
#![expect(clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn countersign(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign")).args(args).output().expect("runs")
}

fn fuzz(out: &Path, args: &[&str]) -> (i32, Value) {
    let out = out.display().to_string();
    let output = countersign(&[&["fuzz", "--format", "json", "--out", &out], args].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = serde_json::from_slice(&output.stdout).expect("standard output is JSON and nothing else");
    (output.status.code().unwrap_or_else(|| unreachable!("{said}")), summary)
}

#[test]
fn a_search_that_finds_nothing_says_so_and_walks_the_same_ways_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, first) = fuzz(folder.path(), &["--cases", "15", "--seed", "7"]);
    assert_eq!(
        (code, &first["exit_code"], &first["walks"], &first["failed"]),
        (0, &0.into(), &15.into(), &0.into()),
        "{first:#}"
    );
    assert_eq!(first["seed"], format!("{:064x}", 7));
    let (_, again) = fuzz(folder.path(), &["--cases", "15", "--seed", "7", "--jobs", "1"]);
    assert_eq!(first["steps"], again["steps"]);
    let (_, other) = fuzz(folder.path(), &["--cases", "15", "--seed", "8"]);
    assert_ne!(first["steps"], other["steps"]);
    assert!(!folder.path().join("walks").exists());
}

#[test]
fn what_is_found_is_handed_over_as_a_suite_that_lint_and_run_take() {
    let folder = tempfile::tempdir().expect("a folder");
    let suite = folder.path().join("suite");
    let (code, summary) = fuzz(&suite, &["--cases", "400", "--seed", "1", "--first", "--candidate", "mutant:skips-mac"]);
    assert_eq!(code, 4, "{summary:#}");
    let failure = &summary["failures"][0];
    assert_eq!((&failure["requirement"], &failure["finding"]), (&"SIG-02".into(), &"shown".into()), "{summary:#}");
    assert_eq!((&failure["kept_longer"], &failure["steps"]), (&Value::Null, &2.into()), "{summary:#}");
    let (suite_path, out) = (suite.display().to_string(), folder.path().join("run").display().to_string());
    assert_eq!(countersign(&["lint", &suite_path]).status.code(), Some(0));
    let run = |candidate: &str| {
        let args = ["run", "--quiet", "--suite", &suite_path, "--candidate", candidate, "--out", &out];
        countersign(&args).status.code()
    };
    assert_eq!((run("mutant:skips-mac"), run("builtin")), (Some(4), Some(0)));
    // What one search found is not what the next one found.
    let (code, _) = fuzz(&suite, &["--cases", "2", "--seed", "1"]);
    assert_eq!((code, suite.join("walks").exists()), (0, false));
}

#[test]
fn malformed_input_is_counted_and_drawn_again_from_the_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    for carrier in ["in-process", "child"] {
        let (code, summary) = fuzz(folder.path(), &["--wire", "--cases", "100", "--seed", "7", "--carrier", carrier]);
        // Nine conversations, the last of them with four inputs.
        assert_eq!((code, &summary["inputs"], &summary["walks"]), (0, &100.into(), &9.into()), "{summary:#}");
        assert_eq!(summary["not_judged"], serde_json::json!({}), "{summary:#}");
    }
    assert_eq!(countersign(&["fuzz", "--wire", "--steps", "9"]).status.code(), Some(2));
}

/// A child that ends, and one that grows: found, told once, handed over, and found again by an ordinary run.
#[test]
fn what_ends_a_child_is_handed_over_as_a_suite_that_lint_and_run_take() {
    for (mutant, finding, profile, steps) in [
        ("dies-on-redundant-bytes", "died", "dma-basic", 2),
        ("keeps-room-for-repeats", "grew", "dma-basic", 2),
        ("dies-on-short-chain-key", "died", "dma-groups", 3),
        ("dies-on-unknown-hint", "died", "sealed-sender", 2),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let (suite, candidate) = (folder.path().join("suite"), format!("mutant:{mutant}"));
        let as_child = ["--carrier", "child", "--child-memory", "300", "--profile", profile];
        let search = ["--wire", "--cases", "1500", "--seed", "5", "--first", "--candidate", &candidate];
        let (code, summary) = fuzz(&suite, &[&search[..], &as_child].concat());
        assert_eq!(code, 4, "{summary:#}");
        let failure = &summary["failures"][0];
        assert_eq!((&failure["requirement"], &failure["finding"]), (&"ROB-01".into(), &finding.into()), "{summary:#}");
        assert_eq!((&failure["kept_longer"], &failure["steps"]), (&Value::Null, &steps.into()), "{summary:#}");
        let observed = failure["observed"].as_str().unwrap_or_default();
        assert!(observed.ends_with("an echo is not answered after that"), "{observed}");
        let (suite_path, out) = (suite.display().to_string(), folder.path().join("run").display().to_string());
        assert_eq!(countersign(&["lint", &suite_path]).status.code(), Some(0));
        let run = |candidate: &str| {
            let args = ["run", "--quiet", "--suite", &suite_path, "--candidate", candidate, "--out", &out];
            countersign(&[&args[..], &as_child].concat()).status.code()
        };
        assert_eq!((run(&candidate), run("builtin")), (Some(4), Some(0)), "{mutant}");
    }
}

/// Nobody can start it again, so that no failure comes again: what may have ended it is handed over all the same.
#[test]
fn what_ends_a_candidate_for_good_is_handed_over() {
    for jobs in ["1", "4"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (suite, candidate) = (folder.path().join("suite"), "mutant:dies-on-redundant-bytes");
        let search = ["--wire", "--cases", "1500", "--seed", "5", "--candidate", candidate, "--carrier", "http", "--jobs", jobs];
        let (code, summary) = fuzz(&suite, &search);
        assert_eq!(code, 3, "{summary:#}");
        let failure = &summary["failures"][0];
        assert_eq!((&failure["finding"], &failure["came_again"]), (&"died".into(), &false.into()), "{summary:#}");
        let (suite_path, out) = (suite.display().to_string(), folder.path().join("run").display().to_string());
        let run = ["run", "--quiet", "--suite", &suite_path, "--candidate", candidate, "--carrier", "http", "--out", &out];
        assert_eq!(countersign(&run).status.code(), Some(4));
    }
}

#[test]
fn a_child_is_walked_with_like_a_candidate_in_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, summary) = fuzz(folder.path(), &["--cases", "4", "--seed", "1", "--carrier", "child", "--profile", "dma-classic"]);
    assert_eq!((code, &summary["walks"]), (0, &4.into()), "{summary:#}");
}

#[test]
fn what_cannot_be_searched_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().display().to_string();
    let code = |args: &[&str]| countersign(&[&["fuzz", "--out", &out], args].concat()).status.code();
    assert_eq!(code(&["--cases", "0"]), Some(2));
    assert_eq!(code(&["--profile", "no-such-profile"]), Some(2));
    assert_eq!(code(&["--seed", "no seed"]), Some(2));
    // The doctor does not let it in.
    assert_eq!(code(&["--cases", "1", "--candidate", "mutant:invents-operation"]), Some(3));
}

#[test]
fn what_was_found_and_cannot_be_written_is_printed() {
    // Where its scenarios would go stands something else.
    let blocked = || {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("walks"), "not a folder").expect("writes");
        folder
    };
    let folder = blocked();
    let search = ["--cases", "20", "--seed", "5", "--first", "--candidate", "mutant:skips-mac"];
    let (code, summary) = fuzz(folder.path(), &search);
    assert_eq!((code, &summary["exit_code"]), (2, &4.into()), "{summary:#}");
    assert!(summary["not_written"][0].as_str().is_some_and(|text| text.contains("id: walks/shown-1")), "{summary:#}");
    let folder = blocked();
    let out = folder.path().display().to_string();
    let output = countersign(&[&["fuzz", "--out", &out], &search[..]].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("FAIL SIG-02 shown") && text.contains("\nid: walks/shown-1\n"), "{text}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"));
}

#[cfg(unix)]
#[test]
fn a_request_to_stop_ends_the_search_with_what_was_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().display().to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["fuzz", "--minutes", "30", "--format", "json", "--candidate", "mutant:skips-mac", "--out", &out])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut said = BufReader::new(child.stderr.take().expect("piped")).lines();
    let shrunk = said.find(|line| line.as_ref().is_ok_and(|line| line.contains("steps of"))).expect("it tells").expect("a line");
    assert!(shrunk.contains("walks/"), "{shrunk}");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let rest = std::thread::spawn(move || said.count());
    let output = child.wait_with_output().expect("ends");
    rest.join().expect("reads to the end");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
    // A failure that was found stands.
    assert_eq!((output.status.code(), &summary["exit_code"]), (Some(4), &4.into()), "{summary:#}");
    assert!(summary["interrupted"].is_string(), "{summary:#}");
    assert!(folder.path().join("walks").is_dir());
}
