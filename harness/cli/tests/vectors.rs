//! The stored vectors of sender keys and of sealed messages find what they are for: each class of bugs is held against the sample with
//! such a bug.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends when something is not as it has to be")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

const COUNTERSIGN: &str = env!("CARGO_BIN_EXE_countersign");

/// Names of the vectors of a kind that a candidate fails.
fn failed(kind: &str, candidate: &str) -> BTreeSet<String> {
    let out = tempfile::tempdir().unwrap();
    let ran = Command::new(COUNTERSIGN)
        .args(["run", "--profile", "vectors-pq", "--only", &format!("{kind}/*"), "--quiet", "--candidate", candidate, "--out"])
        .arg(out.path())
        .output()
        .expect("runs");
    assert!(matches!(ran.status.code(), Some(0 | 4)), "{candidate}: {}", String::from_utf8_lossy(&ran.stderr));
    let record = std::fs::read_to_string(out.path().join("record.jsonl")).unwrap();
    let results = record.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut all = 0;
    let mut failed = BTreeSet::new();
    for line in results {
        let Some(instance) = line.pointer("/line/instance") else { continue };
        let text = |member: &str| instance.get(member).and_then(Value::as_str).unwrap_or_default();
        let (scenario, verdict) = (text("scenario"), text("verdict"));
        all += 1;
        if verdict != "pass" {
            assert_eq!(verdict, "fail", "{candidate}: {scenario}");
            failed.insert(scenario.trim_start_matches(&format!("{kind}/")).to_owned());
        }
    }
    assert!(all > 20, "{candidate}: {all} results");
    failed
}

/// By mutant: exactly the vectors that it fails.
const KILLS: [(&str, &[&str]); 13] = [
    (
        "skips-sender-key-signature",
        &[
            "changed-version",
            "signature-flipped",
            "signature-half",
            "signature-last-bit",
            "signature-zero",
            "signed-by-former",
            "signed-by-nobody",
            "signed-by-other",
        ],
    ),
    ("listens-to-removed-members", &["removed-sender"]),
    ("takes-sender-key-anywhere", &["key-in-group"]),
    ("takes-sender-key-from-strangers", &["stranger"]),
    ("shares-sender-keys", &["key-of-other-group"]),
    ("guesses-message-kind", &["as-pairwise"]),
    ("ignores-group-of-stanza", &["moved"]),
    ("trusts-stanza-for-group", &["moved", "no-group-inside", "other-group-inside"]),
    ("ignores-group-list", &["later-list", "list-digest-cut", "other-list", "stale-list"]),
    ("compares-list-version-only", &["list-digest-cut", "other-list"]),
    ("drops-late-group-messages", &["backwards", "handed-out-again", "many-skipped", "overtaking", "replay-late"]),
    ("replays-group-message", &["replay", "replay-late", "turned-back"]),
    ("asks-no-group-again", &[]),
];

/// Classes of bugs that no mutant has: the sample runs on Signal's library, which cannot be told to leave out what it checks by itself.
/// That these vectors are what they say is shown by that library and by our own stack, each asked by itself.
const CHECKED_BY_THE_LIBRARY: [&str; 7] = [
    "any-sender-key",
    "group-cipher-padding",
    "group-content",
    "malformed-group-message",
    "malformed-sender-key",
    "read-from-before",
    "unbounded-group-skip",
];

/// The same of sealed messages.
const KILLS_SEALED: [(&str, &[&str]); 7] = [
    (
        "asks-uncertified-again",
        &["certificate-flipped", "expired", "of-receiver", "other-device", "other-server", "type-group", "wrong-root"],
    ),
    ("believes-certified-key", &["other-key"]),
    ("checks-server-certificate-only", &["certificate-flipped", "other-server"]),
    ("ignores-certificate-expiry", &["expired"]),
    ("shows-certified-sender", &["of-other-user", "sealed-by-other"]),
    ("skips-trust-root", &["wrong-root"]),
    ("takes-any-certified-device", &["other-device"]),
];

/// As above, of sealed messages; `sealed-replay` is found by the session inside.
const SEALED_CHECKED_BY_THE_LIBRARY: [&str; 2] = ["sealed-altered", "sealed-replay"];

fn each_kills(kind: &str, kills: &[(&str, &[&str])]) {
    assert_eq!(failed(kind, "builtin"), BTreeSet::new());
    for (mutant, vectors) in kills {
        let meant: BTreeSet<String> = vectors.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(failed(kind, &format!("mutant:{mutant}")), meant, "{mutant}");
    }
}

#[test]
fn each_mutant_fails_its_sealed_vectors_and_no_others() {
    each_kills("sealed-sender", &KILLS_SEALED);
}

#[test]
fn each_mutant_fails_its_vectors_and_no_others() {
    each_kills("sender-keys", &KILLS);
    // Everything that has to be shown is not, as what it is.
    let index = countersign_vectors::index().unwrap();
    let lost = failed("sender-keys", "mutant:loses-group");
    let valid = index.iter().filter(|entry| entry.id.starts_with("sender-keys/"));
    assert!(valid.filter_map(|entry| entry.id.split_once('/')).all(|(_, name)| lost.contains(name)), "{lost:?}");
}

#[test]
fn each_class_of_bugs_has_a_mutant_or_a_reason_for_none() {
    let (_, loaded) = countersign_vectors::builtin().expect("a suite with the vectors");
    for (kind, kills, reasons) in [
        ("sender-keys", &KILLS[..], &CHECKED_BY_THE_LIBRARY[..]),
        ("sealed-sender", &KILLS_SEALED[..], &SEALED_CHECKED_BY_THE_LIBRARY[..]),
    ] {
        let killed: BTreeSet<&str> = kills.iter().flat_map(|(_, vectors)| vectors.iter().copied()).collect();
        let file = loaded.iter().find(|file| file.kind.name == kind).unwrap();
        let flags_of = |killed_only: bool| -> BTreeSet<&str> {
            let vectors = file.vectors.iter().filter(|vector| !killed_only || killed.contains(vector.about.id.as_str()));
            vectors.flat_map(|vector| vector.about.flags.iter().map(String::as_str)).collect()
        };
        let unkilled: Vec<&str> = flags_of(false).difference(&flags_of(true)).copied().collect();
        assert_eq!(unkilled, reasons, "{kind}");
    }
}
