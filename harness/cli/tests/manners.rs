//! How the command writes: colour, quiet, formats for programs, completions and the manual page.
#![expect(clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use serde_json::Value;
use std::process::{Command, Output};

/// Without what the surroundings say about colour.
fn countersign(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM"] {
        command.env_remove(name);
    }
    command.args(args).envs(env.iter().copied()).output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(args: &[&str], code: i32) -> Value {
    let output = countersign(args, &[]);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("standard output is JSON and nothing else")
}

#[test]
fn colour_is_for_terminals_and_for_whom_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().display().to_string();
    let ran = countersign(&["run", "--only", "e2ee/from-reference", "--out", &out], &[]);
    assert_eq!(ran.status.code(), Some(0));
    let record = folder.path().join("record.jsonl").display().to_string();
    // Neither end is a terminal here.
    for (args, env, coloured) in [
        (&["report", &record][..], &[][..], false),
        (&["report", &record], &[("CLICOLOR_FORCE", "1")], true),
        (&["report", &record, "--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["report", &record, "--color", "always"], &[], true),
        (&["--color", "always", "report", &record], &[("NO_COLOR", "1")], true),
        (&["report", &record, "--color", "auto"], &[("NO_COLOR", "1")], false),
    ] {
        let output = countersign(args, env);
        assert_eq!(text(&output.stdout).contains('\u{1b}'), coloured, "{args:?} {env:?}");
    }
}

#[test]
fn quiet_leaves_data_and_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().display().to_string();
    let ran = countersign(&["run", "--only", "e2ee/from-*", "--out", &out, "--quiet"], &[]);
    assert_eq!((text(&ran.stderr).as_str(), text(&ran.stdout).contains("CONFORMS")), ("", true), "{ran:?}");
    let loud = countersign(&["run", "--only", "e2ee/from-*", "--out", &out], &[]);
    assert!(text(&loud.stderr).contains("[1/2]"), "{loud:?}");
    assert_eq!(text(&countersign(&["lint", "-q"], &[]).stdout), "");
    let record = folder.path().join("record.jsonl").display().to_string();
    let verified = text(&countersign(&["verify", "-q", &record], &[]).stdout);
    assert_eq!(verified, "confirmed: every verdict follows from the record\n");
    assert_eq!(text(&countersign(&["doctor", "-q"], &[]).stdout), "healthy: it can be tested\n");
    let wrong = countersign(&["explain", "no-such-thing", "-q"], &[]);
    assert!(text(&wrong.stderr).contains("error: "), "{wrong:?}");
}

#[test]
fn what_has_no_effect_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().display().to_string();
    let ran = countersign(&["run", "--listen", "127.0.0.1:4711", "--only", "e2ee/from-reference", "--out", &out], &[]);
    assert!(text(&ran.stderr).contains("--listen is not used"), "{ran:?}");
    let ran = countersign(&["run", "--only", "e2ee/from-reference", "--out", &out], &[]);
    assert!(!text(&ran.stderr).contains("--listen"), "{ran:?}");
}

/// The shape of a value: the type of each member, and of the first row of a list.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(rows) => Value::Array(rows.first().map(shape).into_iter().collect()),
        Value::Object(members) => Value::Object(members.iter().map(|(name, value)| (name.clone(), shape(value))).collect()),
    }
}

#[test]
fn listings_for_programs_keep_their_shape() {
    insta::assert_json_snapshot!("list-scenarios", shape(&json(&["list", "scenarios", "--format", "json"], 0)));
    insta::assert_json_snapshot!("list-profiles", shape(&json(&["list", "profiles", "--format", "json"], 0)));
    insta::assert_json_snapshot!("list-requirements", shape(&json(&["list", "requirements", "--format", "json"], 0)));
    insta::assert_json_snapshot!("list-candidates", shape(&json(&["list", "candidates", "--format", "json"], 0)));
    insta::assert_json_snapshot!("explain", shape(&json(&["explain", "SIG-02", "--format", "json"], 0)));
    insta::assert_json_snapshot!("lint", shape(&json(&["lint", "--format", "json"], 0)));
    insta::assert_json_snapshot!("doctor", shape(&json(&["doctor", "--format", "json"], 0)));
    insta::assert_json_snapshot!("schema", json(&["schema", "--format", "json"], 0));
}

#[test]
fn faults_for_programs_are_data() {
    let suite = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(suite.path().join("e2ee")).expect("made");
    std::fs::write(suite.path().join("e2ee/open.yaml"), "a: [1, 2\n").expect("written");
    let found = json(&["lint", &suite.path().display().to_string(), "--format", "json"], 2);
    insta::assert_json_snapshot!("lint-faults", found);
    let sick = json(&["doctor", "--candidate", "exec:false", "--format", "json"], 3);
    assert_eq!(sick.get("healthy"), Some(&Value::Bool(false)));
}

#[test]
fn no_backtick_is_left_in_the_doctors_words() {
    for args in [&["doctor"][..], &["doctor", "--candidate", "exec:false"]] {
        let said = text(&countersign(args, &[]).stdout);
        assert!(!said.contains('`') && said.contains('‘'), "{said}");
    }
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = countersign(&["completions", shell], &[]);
        assert_eq!(output.status.code(), Some(0));
        let script = text(&output.stdout);
        for command in ["run", "replay", "explain", "completions"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    assert_eq!(countersign(&["completions", "cmd"], &[]).status.code(), Some(2));
    // The shell itself takes it.
    let script = text(&countersign(&["completions", "bash"], &[]).stdout);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("countersign.bash");
    std::fs::write(&path, script).expect("written");
    let checked = Command::new("bash").arg("-n").arg(&path).output().expect("runs");
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn the_manual_page_is_roff_and_knows_every_command() {
    let page = text(&countersign(&["man"], &[]).stdout);
    assert!(page.contains(".TH countersign 1"), "{page}");
    for command in ["run", "doctor", "list", "explain", "lint", "schema", "report", "verify", "replay", "completions"] {
        assert!(page.contains(&format!("countersign\\-{command}")), "{command}");
    }
    assert!(page.contains("Exit codes"), "{page}");
}
