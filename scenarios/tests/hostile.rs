//! Arbitrary text: the reader neither panics nor hangs, and what it accepts it accepts again.

use countersign_scenarios::{Suite, SuiteFiles};
use proptest::prelude::*;

const HONEST: &str = include_str!("../e2ee/mac-inner-field.yaml");

fn read(path: &str, text: String) -> bool {
    let mut files = SuiteFiles::default();
    files.0.insert(path.to_owned(), text);
    match Suite::from_files(&files) {
        Ok(_) => true,
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in &faults {
                let said = fault.to_string();
                assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
            }
            false
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_refused_with_a_fault(text in "\\PC{0,300}|[\\[\\]{}:,&*!|>'\"%@`#\\-\\n\\t a-c$]{0,300}") {
        // A file that defines nothing is no scenario, so it never passes.
        prop_assert!(!read("e2ee/a.yaml", text.clone()));
        read("requirements/a.yaml", text.clone());
        prop_assert!(!read("profiles/a.yaml", text));
    }

    #[test]
    fn an_honest_file_with_a_piece_changed_never_panics(
        at in 0..HONEST.len(), cut in 0usize..40, piece in "[\\[\\]{}:,&*!|>'\"\\-\\n\\t a-z$]{0,12}",
    ) {
        let mut text = HONEST.to_owned();
        if let (true, true) = (text.is_char_boundary(at), text.is_char_boundary((at + cut).min(text.len()))) {
            let end = (at + cut).min(text.len());
            text.replace_range(at..end, &piece);
        }
        // By itself it names a requirement that is not there: always at least that fault.
        prop_assert!(!read("e2ee/mac-inner-field.yaml", text));
    }
}
