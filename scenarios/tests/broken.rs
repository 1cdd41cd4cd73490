//! Broken files: every fault is listed, with file, line, column, caret and hint.

use countersign_scenarios::{Suite, SuiteFiles};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

#[test]
fn every_fault_is_listed_with_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let faults = Suite::from_folder(&folder).unwrap_err();
    let mut text = String::new();
    for fault in &faults {
        writeln!(text, "{fault}\n").unwrap();
    }
    insta::assert_snapshot!(text);

    let named: BTreeSet<&str> = faults.iter().map(|f| f.file.as_str()).collect();
    for group in ["e2ee", "requirements", "profiles"] {
        for entry in std::fs::read_dir(folder.join(group)).unwrap() {
            let file = format!("{group}/{}", entry.unwrap().file_name().to_str().unwrap());
            assert!(named.contains(file.as_str()) != (file == "e2ee/honest.yaml"), "{file}");
        }
    }
    for fault in &faults {
        assert!(fault.line >= 1 && fault.column >= 1 && fault.length >= 1, "{fault:?}");
    }
}

fn faults_of(text: String) -> Vec<String> {
    let mut files = SuiteFiles::default();
    files.0.insert("e2ee/a.yaml".to_owned(), text);
    Suite::from_files(&files).err().unwrap_or_default().into_iter().map(|d| d.message).collect()
}

#[test]
fn a_bomb_of_aliases_is_refused_where_the_first_anchor_stands() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (last, next) in ('a'..='y').zip('b'..='z') {
        writeln!(bomb, "{next}: &{next} [{}]", vec![format!("*{last}"); 9].join(", ")).unwrap();
    }
    assert_eq!(faults_of(bomb), ["anchors and aliases have no place in a data file"]);
}

#[test]
fn deep_nesting_is_refused() {
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(50_000),
        "- ".repeat(100_000),
        (0..2_000).map(|n| format!("{}a:\n", " ".repeat(n.min(90)))).collect(),
    ] {
        let faults = faults_of(text);
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}

#[test]
fn a_giant_file_is_refused_unread() {
    let text = "a".repeat(countersign_scenarios::suite::LARGEST_FILE + 1);
    assert_eq!(faults_of(text), ["larger than 256 KiB"]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("e2ee")).unwrap();
    std::fs::write(folder.path().join("e2ee/a.yaml"), vec![b'a'; countersign_scenarios::suite::LARGEST_FILE + 1]).unwrap();
    std::fs::write(folder.path().join("e2ee/b.yaml"), [0xff, 0xfe]).unwrap();
    let faults = Suite::from_folder(folder.path()).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(messages, ["larger than 256 KiB", "not UTF-8"]);
}

#[test]
fn a_folder_without_data_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Suite::from_folder(folder.path()).unwrap_err()[0].message, "there is no data file in it");
    let absent = folder.path().join("absent");
    assert!(Suite::from_folder(&absent).unwrap_err()[0].message.starts_with("cannot be read"));
}

#[test]
fn a_misspelt_key_is_one_fault() {
    let text = include_str!("../e2ee/out-of-order.yaml").replace("id: e2ee/out-of-order", "id: e2ee/a");
    for (key, typed) in [("cast", "csat"), ("steps", "stpes"), ("verifies", "verfies"), ("title", "titel")] {
        let faults = faults_of(text.replacen(&format!("\n{key}:"), &format!("\n{typed}:"), 1));
        // The requirement that it names is not there, since the file stands alone.
        let own: Vec<&String> = faults.iter().filter(|f| !f.starts_with("no requirement")).collect();
        assert_eq!(own, [&format!("unknown key `{typed}`")], "{key}");
    }
}

#[test]
#[cfg(unix)]
fn what_is_no_regular_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("e2ee")).unwrap();
    // A pipe without a writer: to open it would be to wait for ever.
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("e2ee/pipe.yaml")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("e2ee/zeros.yaml")).unwrap();
    let faults = Suite::from_folder(folder.path()).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(messages, ["not a regular file", "not a regular file"]);
}
