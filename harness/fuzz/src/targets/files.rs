//! Files: records that somebody else hands a regulator, scenarios, vectors.

use countersign_reports::{Places, Style, View, html, json_summary, junit, terminal};
use countersign_scenarios::{Suite, SuiteFiles};
use countersign_trace::{Blobs, Record};
use std::sync::LazyLock;

static BUILTIN: LazyLock<Suite> = LazyLock::new(|| Suite::builtin().expect("the built-in suite"));

/// The record that the seed is made from, and changed copies of it, are refused or rendered; only the very record is confirmed.
pub(super) fn record(input: &[u8]) {
    let Ok(record) = Record::parse(input) else { return };
    let blobs = Blobs::new();
    let view =
        View { record: &record, blobs: &blobs, requirements: &[], scenarios: &[], profile: None, chain: None, comparison: None };
    for text in
        [html(&view), junit(&view), json_summary(&view).to_string(), terminal(&view, Style::default(), &Places::default())]
    {
        assert!(!text.contains('\u{1b}'), "an escape character of the record reached a reader");
    }
    if let Ok(verification) = countersign_verify::verify(&record, &blobs, &BUILTIN) {
        // Of a record that was cut off, what is there can be right; it is said to be incomplete.
        let whole = verification.confirmed() && verification.complete;
        assert!(!whole || crate::seeds::records().iter().any(|seed| seed == input), "a forged record was confirmed");
    }
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
