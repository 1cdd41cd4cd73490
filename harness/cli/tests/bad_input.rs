//! Broken files and names that nothing has.
#![expect(clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use assert_cmd::Command;

fn countersign(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign")).args(args).output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn rubbish_is_no_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("record.jsonl");
    for rubbish in [&b""[..], b"\xff\xfe\x00", b"{}\n", b"[[[[[[\n", b"{\"chain\":\"x\",\"line\":{}}\n"] {
        std::fs::write(&record, rubbish).expect("written");
        for command in ["verify", "report"] {
            let (code, _, said) = countersign(&[command, &record.display().to_string()]);
            assert_eq!(code, Some(8), "{command} {rubbish:?}: {said}");
            assert!(said.contains("the record is empty") || said.contains("line 1"), "{said}");
            assert!(said.contains("record.jsonl: ") && said.contains("hint: "), "{said}");
        }
    }
}

#[test]
fn a_fault_in_a_data_file_is_shown_where_it_is() {
    let suite = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(suite.path().join("e2ee")).expect("made");
    std::fs::write(suite.path().join("e2ee/open.yaml"), "a: [1, 2\n").expect("written");
    let path = suite.path().display().to_string();
    for args in [&["lint", &path][..], &["run", "--suite", &path], &["doctor", "--suite", &path]] {
        let (code, _, said) = countersign(args);
        assert_eq!(code, Some(2), "{said}");
        for part in ["e2ee/open.yaml:1:4: error:", "1 | a: [1, 2", "^", "hint:"] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
    }
}

#[test]
fn an_unknown_name_brings_near_ones() {
    for (typed, meant) in
        [("skips-mca", "skips-mac"), ("sig-02", "SIG-02"), ("dma-basc", "dma-basic"), ("e2ee/lots", "e2ee/lost")]
    {
        let (code, _, said) = countersign(&["explain", typed]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(&format!("`{meant}`")), "{said}");
    }
}

#[test]
fn a_misspelt_scenario_or_defect_brings_a_near_one() {
    let out = tempfile::tempdir().expect("a folder");
    let (code, _, said) = countersign(&["run", "--only", "e2ee/lots", "--out", &out.path().display().to_string()]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("no scenario of dma-basic is called `e2ee/lots`; perhaps `e2ee/lost`"), "{said}");
    let (code, _, said) = countersign(&["sample", "--defect", "skips-mca"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("perhaps `skips-mac`"), "{said}");
}

fn rows(args: &[&str]) -> Vec<String> {
    let (code, listed, said) = countersign(args);
    assert_eq!(code, Some(0), "{args:?}: {said}");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&listed).expect("JSON");
    assert!(!rows.is_empty(), "{args:?}");
    rows.iter().map(|row| row.get("id").and_then(serde_json::Value::as_str).expect("an id").to_owned()).collect()
}

#[test]
fn everything_that_is_listed_can_be_explained() {
    let explained: std::collections::BTreeSet<String> = rows(&["explain", "--all", "--format", "json"]).into_iter().collect();
    for what in ["scenarios", "profiles", "requirements", "candidates"] {
        let mut kinds = std::collections::BTreeSet::new();
        for id in rows(&["list", what, "--format", "json"]) {
            // By itself too, as a user asks: the first of each folder, and all that is not among what `--all` explains.
            let (folder, _) = id.split_once('/').unwrap_or_default();
            if explained.contains(&id) && !kinds.insert(folder.to_owned()) {
                continue;
            }
            let (code, text, said) = countersign(&["explain", &id, "--record", "not-there.jsonl"]);
            assert_eq!(code, Some(0), "{id}: {said}");
            assert!(text.contains(&id), "{text}");
        }
    }
}
