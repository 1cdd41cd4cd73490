//! A file that is altered, cut off, of another kind or version, or that says what it must not, is refused with place, cause and fix.

#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it has to be")]

use countersign_scenarios::Diagnostic;
use countersign_vectors::{builtin_files, read};

const PATH: &str = "safety-number/classic.json";

fn honest() -> String {
    builtin_files().remove(PATH).unwrap()
}

/// The one fault of a file.
fn fault(path: &str, text: &str) -> Diagnostic {
    let mut faults = read(path, text).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    let fault = faults.remove(0);
    assert!(fault.hint.as_ref().is_some_and(|hint| !hint.is_empty()) && !fault.message.is_empty());
    assert_eq!(fault.file, path);
    fault
}

/// The file with something else in its place, and the line of that.
fn with(from: &str, to: &str) -> (String, usize) {
    let text = honest();
    let line = text.lines().position(|line| line.contains(from)).unwrap() + 1;
    (text.replacen(from, to, 1), line)
}

#[test]
fn every_built_in_file_is_read_without_fault() {
    for (path, text) in builtin_files() {
        let loaded = read(&path, &text).unwrap_or_else(|faults| panic!("{}", faults[0]));
        assert!(!loaded.vectors.is_empty() && loaded.path == path);
    }
}

#[test]
fn an_altered_file_does_not_have_its_digest() {
    let digits = honest().lines().find(|line| line.contains("\"digits\"")).unwrap().to_owned();
    let last = digits.trim_end_matches(['"', ',']).chars().last().unwrap();
    let other = digits.replace(&format!("{last}\""), &format!("{}\"", if last == '0' { '1' } else { '0' }));
    assert_ne!(digits, other);
    let (text, _) = with(&digits, &other);
    let found = fault(PATH, &text);
    assert!(found.message.contains("altered"), "{found}");
    assert_eq!(found.line, text.lines().position(|line| line.contains("\"digest\"")).unwrap() + 1);
}

#[test]
fn every_single_byte_counts() {
    let text = honest();
    for at in (0..text.len()).step_by(97) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(altered) = String::from_utf8(bytes) {
            assert!(read(PATH, &altered).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_file_that_is_cut_off_says_where_it_ends() {
    let text = honest();
    for at in [0, 1, 10, text.len() / 2, text.len() - 3] {
        let cut = &text[..at];
        let found = fault(PATH, cut);
        assert!(found.message.starts_with("not JSON"), "{found}");
        assert!(found.line.abs_diff(cut.lines().count().max(1)) <= 1, "{found}");
    }
}

#[test]
fn another_kind_or_version_is_named() {
    let (text, line) = with("\"kind\": \"safety-number\"", "\"kind\": \"safety-nummer\"");
    let found = fault(PATH, &text);
    assert_eq!(found.line, line);
    assert!(found.message.contains("safety-nummer") && found.hint.unwrap().contains("`safety-number`"));

    let (text, line) = with("\"version\": 1", "\"version\": 2");
    let found = fault(PATH, &text);
    assert_eq!(found.line, line);
    assert!(found.message.contains("version 2"), "{}", found.message);

    let found = fault("x3dh/classic.json", &honest());
    assert!(found.message.contains("folder"), "{found}");
    let found = fault("classic.json", &honest());
    assert!(found.message.contains("no path"), "{found}");
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let (text, line) = with("      \"user\":", "      \"wrong\": 1,\n      \"user\":");
    let found = fault(PATH, &text);
    assert_eq!(found.line, line, "{found}");
    assert!(found.message.contains("`wrong`") && found.column > 1, "{found}");
}

#[test]
fn a_type_that_does_not_fit_is_named_with_its_place() {
    let (text, line) = with("\"registration_id\": ", "\"registration_id\": \"x\" + ");
    assert!(fault(PATH, &text).line.abs_diff(line) <= 1);
    let (text, line) = with("\"result\": \"valid\"", "\"result\": \"perhaps\"");
    let found = fault(PATH, &text);
    assert_eq!(found.line, line);
    assert!(found.message.contains("`perhaps`"), "{found}");
}

/// What is wrong beside the digest, which an altered file never has.
fn beside_the_digest(text: &str) -> Vec<String> {
    let faults = read(PATH, text).unwrap_err();
    faults.into_iter().map(|fault| fault.message).filter(|message| !message.contains("digest")).collect()
}

#[test]
fn ids_flags_and_results_have_to_fit() {
    let (text, _) = with("\"id\": \"classic-2\"", "\"id\": \"classic-1\"");
    assert_eq!(beside_the_digest(&text), ["the id `classic-1` stands here twice"]);
    let (text, _) = with("\"id\": \"classic-2\"", "\"id\": \"Classic 2\"");
    assert_eq!(beside_the_digest(&text), ["`Classic 2` cannot be an id"]);
    let (text, _) = with("    \"number-order\": {", "    \"number-other\": {");
    let found = beside_the_digest(&text);
    assert!(found.contains(&"the flag `number-order` is not explained".to_owned()), "{found:?}");
    assert!(found.contains(&"no vector has the flag `number-other`".to_owned()), "{found:?}");
    let (text, _) = with("\"result\": \"valid\"", "\"result\": \"invalid\"");
    assert_eq!(
        beside_the_digest(&text),
        ["`classic-1` has no reason that is right", "`classic-1`: the safety number that stands here is a right one"]
    );
}

#[test]
fn another_form_of_the_same_is_not_canonical() {
    let text = honest().replacen("  \"kind\"", "   \"kind\"", 1);
    let found = fault(PATH, &text);
    assert_eq!((found.line, found.message.contains("canonical")), (3, true), "{found}");
}
