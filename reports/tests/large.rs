//! A page of many results stays small enough to be read.

mod specimen;

use countersign_reports::html;
use specimen::Specimen;

/// Most bytes for one result, added up over all that the page says of it.
const MOST_BYTES: usize = 5_000;
const RESULTS: usize = 2_000;

/// The specimen's results over and over, as cases of their scenarios.
fn many(mut specimen: Specimen) -> Specimen {
    let few = std::mem::take(&mut specimen.record.instances);
    let cases = few.into_iter().cycle().take(RESULTS).enumerate().map(|(at, mut instance)| {
        instance.case = Some(at.to_string());
        instance
    });
    specimen.record.instances = cases.collect();
    specimen
}

#[test]
fn two_thousand_results_take_little_room_each() {
    for (name, make) in specimen::ALL {
        let page = html(&many(make()).view());
        assert!(page.len() < RESULTS * MOST_BYTES, "{name}: {} bytes a result", page.len() / RESULTS);
    }
}

#[test]
fn failures_with_one_cause_are_told_once() {
    for (name, make) in specimen::ALL {
        let (few, specimen) = (make(), many(make()));
        let causes = |specimen: &Specimen| html(&specimen.view()).matches("<article class=\"failure\">").count();
        assert_eq!(causes(&few), causes(&specimen), "{name}");
    }
}

#[test]
fn of_very_many_failures_the_first_of_each_cause_are_told_in_full() {
    let few = html(&specimen::every_verdict().view());
    let page = html(&many(specimen::every_verdict()).view());
    let open = |page: &str| page.matches("<details class=\"scenario\" open>").count();
    assert_eq!((open(&few), open(&page)), (2, 6), "two causes, three of each");
    assert!(page.contains("So much failed that") && !few.contains("So much failed that"));
}
