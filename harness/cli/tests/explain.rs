//! Every id that a report can name has an explanation with every part.
#![expect(clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use countersign_contract::Reason;
use countersign_judge::Finding;
use countersign_sample::Defect;
use serde_json::Value;
use std::collections::BTreeSet;

fn countersign(args: &[&str]) -> (Option<i32>, String, String) {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_countersign")).args(args).output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn explained() -> Vec<Value> {
    let (code, json, said) = countersign(&["explain", "--all", "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    serde_json::from_str(&json).expect("JSON")
}

const PARTS: [&str; 8] = ["summary", "attack", "cost", "source", "cause", "fix", "mutants", "run"];

#[test]
fn every_id_has_every_part() {
    let all = explained();
    for explanation in &all {
        for part in PARTS {
            let text = explanation.get(part).and_then(Value::as_str).unwrap_or_default();
            assert!(text.trim().len() >= 4, "{part} of {explanation:#}");
        }
        let run = explanation.get("run").and_then(Value::as_str).unwrap_or_default();
        let commands = ["countersign run", "countersign doctor", "countersign fuzz"];
        assert!(commands.iter().any(|command| run.starts_with(command)), "{explanation:#}");
    }
    let ids = |kind: &str| -> BTreeSet<String> {
        let of_kind = all.iter().filter(|e| e.get("kind").and_then(Value::as_str) == Some(kind));
        of_kind.filter_map(|e| Some(e.get("id")?.as_str()?.to_owned())).collect()
    };
    let (suite, loaded) = countersign_vectors::builtin().expect("a suite with the vectors");
    let scenarios: BTreeSet<String> = suite
        .scenarios
        .iter()
        .flat_map(|(id, loaded)| {
            let cases = loaded.cases.iter().filter_map(move |(case, _)| Some(format!("{id}@{}", case.as_ref()?)));
            cases.chain([id.clone()])
        })
        .collect();
    let vectors: BTreeSet<String> = loaded.iter().flat_map(|f| f.vectors.iter().map(|v| v.scenario.id.clone())).collect();
    let flags: BTreeSet<String> = loaded.iter().flat_map(|file| file.flags.keys().cloned()).collect();
    assert_eq!(ids("scenario").union(&ids("vector")).cloned().collect::<BTreeSet<_>>(), scenarios);
    assert_eq!(ids("vector"), vectors);
    assert_eq!(ids("flag"), flags);
    assert_eq!(ids("requirement"), suite.requirements.keys().cloned().collect());
    assert_eq!(ids("reason"), Reason::ALL.iter().map(ToString::to_string).collect());
    assert_eq!(ids("finding"), Finding::ALL.iter().map(|f| f.as_str().to_owned()).collect());
    let defects: BTreeSet<String> = ids("mutant").union(&ids("defect")).cloned().collect();
    assert_eq!(defects, Defect::ALL.iter().map(ToString::to_string).collect());
    assert!(ids("check").contains("run-media-keys") && ids("check").contains("canary"));
}

#[test]
fn a_command_that_runs_it_alone_runs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().display().to_string();
    for id in ["mac-misses-a-field", "SIG-03"] {
        let (_, json, _) = countersign(&["explain", id, "--format", "json"]);
        let all: Vec<Value> = serde_json::from_str(&json).expect("JSON");
        let run = all.first().and_then(|e| e.get("run")?.as_str()).expect("a command").to_owned();
        let words: Vec<&str> = run.split(' ').skip(1).chain(["--out", &out, "--quiet"]).collect();
        let (code, _, said) = countersign(&words);
        assert_eq!(code, Some(if id == "SIG-03" { 0 } else { 4 }), "{run}: {said}");
    }
}

#[test]
fn an_explanation_reads_well() {
    for id in ["e2ee/mac-inner-field@mac", "PK-07", "mutant:skips-mac", "bad-mac", "shown-twice", "run-media-keys"] {
        let (code, text, said) = countersign(&["explain", id, "--record", "not-there.jsonl"]);
        assert_eq!(code, Some(0), "{said}");
        for label in ["\n  attack ", "\n  cost ", "\n  source ", "\n  cause ", "\n  fix ", "\n  mutants ", "\n  run "] {
            assert!(text.contains(label), "{label} of {text}");
        }
    }
    insta::assert_snapshot!(countersign(&["explain", "wrong-recipient"]).1);
}

/// A vector says what class of bugs it finds, and where it is stored; a class, which vectors find it.
#[test]
fn vectors_and_their_flags_are_explained() {
    let (code, text, said) = countersign(&["explain", "sender-keys/signature-flipped", "--record", "not-there.jsonl"]);
    assert_eq!(code, Some(0), "{said}");
    for part in [
        "sender-keys/signature-flipped (vector): ",
        "countersign run --profile vectors-pq --only sender-keys/signature-flipped",
        "\nresult invalid\n",
        "stored in vectors/sender-keys/pq.json, SHA-256 ",
        "\nflag group-signature-not-checked: ",
    ] {
        assert!(text.contains(part), "{part} of {text}");
    }
    let (code, text, said) = countersign(&["explain", "mac-not-checked"]);
    assert_eq!(code, Some(0), "{said}");
    for part in ["mac-not-checked (flag): ", "\n  double-ratchet/pq-mac-flipped: ", "--profile vectors-"] {
        assert!(text.contains(part), "{part} of {text}");
    }
    let (_, text, _) = countersign(&["explain", "double-ratchet"]);
    assert!(text.contains("countersign run --profile vectors-pq --only 'double-ratchet/*'"), "{text}");
    let (code, _, said) = countersign(&["explain", "mac-not-chekced"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("`mac-not-checked`"), "{said}");
}

#[test]
fn an_unknown_id_brings_the_nearest() {
    for (typed, meant) in [("bad-mca", "bad-mac"), ("shwon-twice", "shown-twice"), ("run-media-kyes", "run-media-keys")] {
        let (code, _, said) = countersign(&["explain", typed]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(&format!("`{meant}`")), "{said}");
    }
}

#[test]
fn a_folder_and_a_name_without_its_folder_are_known() {
    for typed in ["e2ee", "e2ee/"] {
        let (code, text, said) = countersign(&["explain", typed]);
        assert_eq!(code, Some(0), "{said}");
        for part in ["e2ee (folder): ", "\n  e2ee/out-of-order: ", "mutant:skips-mac", "countersign run --only 'e2ee/*'"] {
            assert!(text.contains(part), "{part} of {text}");
        }
    }
    for (typed, meant) in [("from-candidate", "e2ee/from-candidate"), ("mac-inner-field@mac", "e2ee/mac-inner-field@mac")] {
        let (code, text, said) = countersign(&["explain", typed, "--record", "not-there.jsonl"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(text.starts_with(&format!("{meant} (scenario): ")), "{text}");
    }
    for unknown in ["e2", "mac-inner-field@no-such-case", "/", ""] {
        assert_eq!(countersign(&["explain", unknown]).0, Some(2), "{unknown:?}");
    }
}
