//! Files: records that somebody else hands a regulator, scenarios, vectors.

use countersign_reports::baseline::{Baseline, Header, compare};
use countersign_reports::{Places, Style, View, html, json_summary, junit, terminal};
use countersign_scenarios::{Suite, SuiteFiles};
use countersign_trace::{Blobs, Digest, InstanceResult, Record};
use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::LazyLock;

static BUILTIN: LazyLock<Suite> = LazyLock::new(|| Suite::builtin().expect("the built-in suite"));

/// The record that the seed is made from, and changed copies of it, are refused or rendered; only the very record is confirmed.
pub(super) fn record(input: &[u8]) {
    let Ok(record) = Record::parse(input) else { return };
    let blobs = Blobs::new();
    let view =
        View { record: &record, blobs: &blobs, requirements: &[], scenarios: &[], profile: None, chain: None, comparison: None };
    renders(&view);
    if let Ok(verification) = countersign_verify::verify(&record, &blobs, &BUILTIN) {
        // Of a record that was cut off, what is there can be right; it is said to be incomplete.
        let whole = verification.confirmed() && verification.complete;
        assert!(!whole || crate::seeds::records().iter().any(|seed| seed == input), "a forged record was confirmed");
    }
}

/// Renders everything, and nothing that a terminal would obey.
fn renders(view: &View<'_>) {
    for text in [html(view), junit(view), json_summary(view).to_string(), terminal(view, Style::default(), &Places::default())] {
        assert!(!text.contains('\u{1b}'), "an escape character of a file reached a reader");
    }
}

/// The record that baselines are compared with, and the same without its traces, which are rendered by the target `record`.
static COMPARED: LazyLock<(Record, Record)> = LazyLock::new(|| {
    let record = || Record::parse(&crate::seeds::records().concat()).expect("the honest record");
    let mut bare = record();
    bare.instances = bare.instances.into_iter().map(|i| InstanceResult { trace: Vec::new(), ..i }).collect();
    (record(), bare)
});

/// What was read is written and read again as it was, names files in its folder alone, and is compared with a run as somebody would who
/// put the digests right.
pub(super) fn baseline(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut parts = text.split('\0');
    let Ok(mut header) = Header::parse(parts.next().unwrap_or_default()) else { return };
    assert_eq!(Header::parse(&header.to_text()).as_ref(), Ok(&header));
    let mut texts = BTreeMap::new();
    for (name, [_, digest]) in &mut header.instances {
        let inside = Path::new(name.as_str()).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(inside && !name.contains('\\'), "a name that leaves its folder");
        let body = parts.next().unwrap_or_default();
        *digest = Digest::of(body.as_bytes());
        texts.insert(name.clone(), body.to_owned());
    }
    for (name, text) in &texts {
        header.check(name, text).expect("a text with its digest");
        assert!(header.check(name, &format!("{text} ")).is_err(), "a text of another digest was taken");
    }
    let (record, bare) = &*COMPARED;
    let before = Baseline { header, texts };
    let comparison = compare(&before, record, "reference");
    let changed = |name: &str| comparison.changes.iter().any(|change| change.name == name);
    let now = Baseline::of(record, "reference");
    for (name, text) in &now.texts {
        assert_eq!(
            changed(name),
            before.texts.get(name) != Some(text),
            "{name}: a change that is none, or one that was not seen"
        );
    }
    let (blobs, comparison) = (Blobs::new(), Some(&comparison));
    renders(&View { record: bare, blobs: &blobs, requirements: &[], scenarios: &[], profile: None, chain: None, comparison });
}

pub(super) fn scenario(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut files: SuiteFiles = crate::seeds::frame();
    files.0.insert("e2ee/tried.yaml".to_owned(), text.to_owned());
    match Suite::from_files(&files) {
        Ok(suite) => {
            for scenario in suite.scenarios.values() {
                for step in &scenario.scenario.steps {
                    assert!(!countersign_scenarios::describe_step(&scenario.scenario.cast, step).is_empty());
                }
            }
        }
        Err(faults) => assert!(!faults.is_empty(), "refused without saying why"),
    }
}

pub(super) fn vectors(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for kind in countersign_vectors::KINDS {
        if let Err(faults) = countersign_vectors::read(&format!("{}/tried.json", kind.name), text) {
            assert!(!faults.is_empty(), "refused without saying why");
        }
    }
}

/// What was read is added to a file of its own, and read from there as it was.
pub(super) fn waivers(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match countersign_scenarios::waivers::read("tried.yaml", text) {
        Ok(waivers) => {
            for waiver in waivers {
                let written = countersign_scenarios::waivers::appended("new.yaml", "", &waiver).expect("a waiver that was read");
                let again = countersign_scenarios::waivers::read("new.yaml", &written).expect("a waiver that was written");
                assert_eq!(again, [waiver]);
            }
        }
        Err(faults) => assert!(!faults.is_empty(), "refused without saying why"),
    }
}
