//! Files of waivers: every fault with its place, and entries that are added to what stands there.
#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it has to be")]

use countersign_scenarios::Suite;
use countersign_scenarios::waivers::{Known, appended, lint, read};
use countersign_trace::{Cover, Waiver};
use proptest::prelude::*;
use std::collections::BTreeSet;

const GOOD: &str = "\
# What we know of.
- id: W-1
  owner: messaging team
  reason: The next release mends it.
  link: https://tracker.example/4711
  until: 2027-01-31
  covers:
    - { scenario: e2ee/from-reference, check: step-1, finding: not-shown }
    - scenario: e2ee/mac-inner-field@counter
      requirement: SIG-02
";

/// The faults of a file, each as line, column and message.
fn faults(text: &str) -> Vec<(usize, usize, String)> {
    let found = read("waivers.yaml", text).unwrap_err();
    assert!(found.iter().all(|f| f.hint.as_ref().is_some_and(|h| !h.is_empty())), "{found:?}");
    found.into_iter().map(|f| (f.line, f.column, f.message)).collect()
}

#[test]
fn a_file_is_read() {
    let waivers = read("w", GOOD).unwrap();
    assert_eq!(waivers.len(), 1);
    assert_eq!((waivers[0].id.as_str(), waivers[0].until.to_string().as_str()), ("W-1", "2027-01-31"));
    assert_eq!(waivers[0].covers[1].requirement.as_deref(), Some("SIG-02"));
    for empty in ["", "# nothing\n", "\n\n"] {
        assert_eq!(read("w", empty).unwrap(), []);
    }
    assert_eq!(read("w", "[]").unwrap(), []);
}

#[test]
fn every_fault_has_its_place_and_says_how_to_mend_it() {
    for (from, to, line, column, told) in [
        ("  owner: messaging team\n", "", 2, 3, "the key `owner` is missing"),
        ("messaging team", "\"\"", 3, 10, "answer for"),
        ("The next release mends it.", "' '", 4, 11, "has to say why"),
        ("https://tracker.example/4711", "4711", 5, 9, "no address"),
        ("https://tracker.example/4711", "javascript:alert(1)", 5, 9, "no address"),
        ("2027-01-31", "2027-02-30", 6, 10, "no day of the calendar"),
        ("2027-01-31", "next year", 6, 10, "no day of the calendar"),
        ("id: W-1", "id: 'W 1'", 2, 7, "no name for a waiver"),
        ("check: step-1, finding: not-shown", "", 8, 7, "covers every check"),
        ("e2ee/from-reference", "'e2ee/[a'", 8, 19, "not a pattern"),
        ("owner:", "ownr:", 3, 3, "ownr"),
        ("check: step-1", "chek: step-1", 8, 40, "chek"),
        ("requirement: SIG-02", "requirement: ''", 9, 7, "empty or too long"),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "{from}");
        let found = faults(&text);
        assert!(
            found.iter().any(|(l, c, message)| (*l, *c) == (line, column) && message.contains(told)),
            "{from} -> {to}: not {line}:{column} {told:?} in {found:?}"
        );
    }
    assert_eq!(faults("waivers: none")[0].2, "a file of waivers is a list");
    let covers = GOOD.find("  covers").unwrap();
    assert!(faults(&format!("{}  covers: []\n", &GOOD[..covers]))[0].2.contains("not everything"));
    let twice = format!("{GOOD}{}", &GOOD[GOOD.find("- id").unwrap()..]);
    assert_eq!(faults(&twice), [(11, 7, "a second waiver is called `W-1`".to_owned())]);
}

#[test]
fn one_faulty_waiver_does_not_hide_the_next() {
    let bad = GOOD.replace("2027-01-31", "soon");
    let found = faults(&format!("{bad}{}", &bad[bad.find("- id").unwrap()..].replace("W-1", "W-2")));
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [6, 15]);
}

#[test]
fn names_that_nothing_has_are_faults_of_lint_alone() {
    let suite = Suite::builtin().unwrap();
    let (checks, findings) = (BTreeSet::from(["canary"]), BTreeSet::from(["not-shown"]));
    let known = Known { suite: &suite, checks: &checks, findings: &findings };
    assert_eq!(lint("w", GOOD, known).unwrap().len(), 1);
    for (from, to, told, hint) in [
        ("e2ee/from-reference", "e2ee/from-refrence", "no scenario is called", "e2ee/from-reference"),
        ("check: step-1", "check: step-99", "no check `step-99`", "steps there are step-0 to step-"),
        ("check: step-1", "check: canry", "no check `canry`", "perhaps `canary`"),
        ("not-shown", "not-show", "no finding", "perhaps `not-shown`"),
        ("SIG-02", "SIG-0", "no requirement", "SIG-0"),
        ("  until", "  profile: dma-basics\n  until", "no profile", "dma-basic"),
    ] {
        let text = GOOD.replace(from, to);
        assert!(read("w", &text).is_ok(), "{to}");
        let found = lint("w", &text, known).unwrap_err();
        let hinted = found[0].hint.as_ref().unwrap();
        assert!(found[0].message.contains(told) && hinted.contains(hint), "{to}: {found:?}");
    }
    for name in ["e2ee/*", "run", "e2ee/mac-inner-field"] {
        let text = GOOD.replace("e2ee/from-reference, check: step-1", &format!("'{name}', check: canary"));
        assert!(lint("w", &text, known).is_ok(), "{name}");
    }
}

fn waiver(text: &str) -> Waiver {
    Waiver {
        id: "W-9".into(),
        owner: text.into(),
        reason: text.into(),
        link: "https://tracker.example/9?a=b&c#d".into(),
        until: "2027-06-30".parse().unwrap(),
        profile: Some("dma-basic".into()),
        covers: vec![
            Cover {
                scenario: "e2ee/*".into(),
                check: Some("step-3".into()),
                requirement: None,
                finding: Some("shown".into()),
                blocked: false,
            },
            Cover { scenario: "e2ee/*".into(), check: Some("step-4".into()), requirement: None, finding: None, blocked: true },
        ],
    }
}

#[test]
fn an_entry_is_added_and_all_else_stays() {
    let indented: String = GOOD.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") }).collect();
    for before in
        [GOOD.to_owned(), GOOD.trim_end().to_owned(), format!("{GOOD}# the end"), indented, String::new(), "# head\n".into()]
    {
        let after = appended("w", &before, &waiver("a: #b")).unwrap();
        assert!(after.starts_with(&before), "{after}");
        assert_eq!(read("w", &after).unwrap().last().unwrap(), &waiver("a: #b"));
    }
    assert!(appended("w", "[]", &waiver("x")).is_err(), "nothing can follow a list in brackets");
    assert!(appended("w", "- id: 1", &waiver("x")).is_err(), "a faulty file is not written on");
    let twice = appended("w", &appended("w", "", &waiver("x")).unwrap(), &waiver("x"));
    assert!(twice.unwrap_err()[0].message.contains("second waiver"));
    assert!(appended("w", "", &waiver("two\nlines")).is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(text in "\\PC{1,80}") {
        prop_assume!(!text.trim().is_empty() && !text.chars().any(char::is_control));
        let after = appended("w", GOOD, &waiver(&text));
        if let Ok(after) = after {
            prop_assert_eq!(read("w", &after).unwrap().pop(), Some(waiver(&text)));
        } else {
            prop_assert!(!text.is_ascii(), "{:?}", after);
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC*") {
        let _ = read("w", &text);
    }
}
