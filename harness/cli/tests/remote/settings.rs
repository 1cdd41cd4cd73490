//! `countersign.toml`, variables and arguments.

use crate::partner::{command, countersign, said};
use std::path::Path;

fn write(folder: &Path, text: &str) {
    std::fs::write(folder.join("countersign.toml"), text).expect("written");
}

/// The line of a setting in the listing.
fn shown<'a>(listing: &'a str, key: &str) -> &'a str {
    listing.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap_or_else(|| panic!("no {key} in {listing}"))
}

#[test]
fn arguments_come_before_variables_and_these_before_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        "[run]\njobs = 3\nonly = [\"e2ee/*\", \"keys/*\"]\nout = \"here\"\n\n[gateway]\nlisten = \"127.0.0.1:7001\"\n",
    );
    let mut config = command(folder.path(), &["config", "--listen", "127.0.0.1:7003"]);
    config.env("COUNTERSIGN_JOBS", "5").env("COUNTERSIGN_LISTEN", "127.0.0.1:7002");
    let config = said(config);
    assert_eq!(config.code, Some(0), "{}", config.err);
    for (key, value, origin) in [
        ("gateway.listen", "127.0.0.1:7003", "(argument)"),
        ("run.jobs", "5", "(variable COUNTERSIGN_JOBS)"),
        ("run.only", "e2ee/*, keys/*", "(countersign.toml:3:1)"),
        ("run.out", "here", "(countersign.toml:4:1)"),
        ("run.profile", "dma-basic", "(default)"),
        ("candidate.target", "builtin", "(default)"),
        ("candidate.token-file", "-", "(default)"),
    ] {
        let line = shown(&config.out, key);
        assert!(line.contains(&format!("  {value}  {origin}")), "{line}");
    }
}

#[test]
fn a_secret_is_listed_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = command(folder.path(), &["config"]);
    config.env("COUNTERSIGN_TOKEN", crate::partner::TOKEN);
    let config = said(config);
    assert_eq!(config.code, Some(0), "{}", config.err);
    assert!(config.out.contains("[redacted]") && !config.out.contains(crate::partner::TOKEN), "{}", config.out);
}

#[test]
fn paths_of_the_file_are_relative_to_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("deep")).expect("made");
    std::fs::write(folder.path().join("deep/other.toml"), "candidate.token-file = \"token\"\n").expect("written");
    let config = countersign(folder.path(), &["config", "--config", "deep/other.toml"]);
    assert!(
        shown(&config.out, "candidate.token-file").contains("  deep/token  (deep/other.toml:1:"),
        "{}{}",
        config.out,
        config.err
    );
}

#[test]
fn what_the_file_has_too_much_or_wrong_is_shown_where_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, expected) in [
        (
            "[gateway]\nlisten = \"127.0.0.1:0\"\n  advertize = \"x\"\n",
            &["countersign.toml:3:3: there is no setting `gateway.advertize`", "perhaps `gateway.advertise`"][..],
        ),
        ("[gatway]\n", &["countersign.toml:1:2: there is no setting `gatway`", "perhaps `gateway`"]),
        ("jobs = 8\n", &["countersign.toml:1:1: there is no setting `jobs`", "perhaps `run.jobs`"]),
        ("[run]\nlisten = \"x\"\n", &["there is no setting `run.listen`", "`gateway.listen`"]),
        ("[run]\njobs = \"8\"\n", &["countersign.toml:2:8: `run.jobs` has to be a whole number"]),
        ("[run]\nonly = [1]\n", &["countersign.toml:2:8: `run.only` has to be a list of texts"]),
        ("[run\njobs = 8\n", &["countersign.toml:1:", "hint: tables are written"]),
        ("[run]\njobs = 8\njobs = 9\n", &["countersign.toml:3:1: ", "duplicate key"]),
        ("[run]\njobs = 0\n", &["countersign.toml:2:1: `run.jobs`: invalid value '0'"]),
        ("[gateway]\nlisten = \"here\"\n", &["countersign.toml:2:1: `gateway.listen`: invalid value 'here'"]),
        ("[gateway]\ntls = \"on\"\n", &["countersign.toml:2:1: `gateway.tls`: invalid value 'on'", "generate"]),
        // A token that somebody wrote here is not repeated.
        (
            "[candidate]\ntoken = \"hunter2-hunter2-hunter2\"\n",
            &["countersign.toml:2:1: there is no setting `candidate.token`", "`candidate.token-file`"],
        ),
        ("[candidate]\ntoken-file = hunter2-hunter2\n", &["countersign.toml:2:"]),
    ] {
        write(folder.path(), text);
        for command in ["config", "run", "doctor"] {
            if command == "doctor" && text.contains("jobs = 0") {
                continue;
            }
            let said = countersign(folder.path(), &[command]);
            assert_eq!(said.code, Some(2), "{text}: {}", said.err);
            for part in expected {
                assert!(said.err.contains(part), "{part} is not in {}", said.err);
            }
            assert!(!said.err.contains("hunter2"), "{}", said.err);
        }
    }
}

#[test]
fn a_file_that_is_named_has_to_be_there_and_other_commands_need_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = countersign(folder.path(), &["doctor", "--config", "not-there.toml"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("cannot read not-there.toml: "), "{}", said.err);
    write(folder.path(), "nonsense");
    assert_eq!(countersign(folder.path(), &["list", "profiles"]).code, Some(0));
}

#[test]
fn a_variable_is_checked_like_an_argument() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = command(folder.path(), &["config"]);
    config.env("COUNTERSIGN_JOBS", "many");
    let said = said(config);
    assert_eq!(said.code, Some(2), "{}", said.out);
    assert!(said.err.contains("variable COUNTERSIGN_JOBS: `run.jobs`: invalid value 'many'"), "{}", said.err);
}

#[test]
fn the_guides_example_is_a_file_that_is_read() {
    let guide = include_str!("../../../engine/REMOTE.md");
    let example = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), example);
    let config = countersign(folder.path(), &["config"]);
    assert_eq!(config.code, Some(0), "{}", config.err);
    assert!(
        shown(&config.out, "candidate.target").contains("https://partner.example:8443  (countersign.toml:2:1)"),
        "{}",
        config.out
    );
    assert!(shown(&config.out, "limits.memory-mib").contains("  2048  "), "{}", config.out);
}
