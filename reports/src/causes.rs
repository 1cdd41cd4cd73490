//! Failures by likely cause, so that a reader fixes few things instead of reading many failures.
//!
//! Failed checks that name the same finding and the same likely cause are one cause. One scenario often fails for several of
//! them, since one defect shows in many ways. So causes are put in order by this rule: the one that is found in the most failed
//! scenarios not yet told of comes first; but one that a monitor found, which looks for one defect and nothing else, goes before it
//! if it is found in nearly as many; of equals, the one found earlier. Whatever else is found in a scenario stands with the cause under which it is told. Nothing here says
//! that fixing a cause makes a scenario pass: only that it is found there.

use crate::view::{RequirementText, View};
use countersign_trace::{Check, CheckKind, Verdict};
use std::collections::BTreeMap;

/// Failures with one likely cause.
#[derive(Clone, Debug)]
pub(crate) struct Cause<'a> {
    /// The finding that they share, if their checks name one.
    pub(crate) finding: Option<&'a str>,
    /// What usually causes it.
    pub(crate) likely: Option<&'a str>,
    /// The requirement whose fix is shown: the one with this usual cause, else the one that is missed most often.
    pub(crate) requirement: Option<&'a RequirementText>,
    /// Every requirement that these checks say is missed.
    pub(crate) requirements: Vec<&'a str>,
    /// What failed: each instance once, with the check that names this cause.
    pub(crate) failures: Vec<Found<'a>>,
    /// In how many failed scenarios it is found, those told of under another cause included.
    pub(crate) found_in: usize,
    /// What else was found in these failures: first what monitors found, then the most frequent.
    pub(crate) others: Vec<Other<'a>>,
}

/// What was found besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Other<'a> {
    pub(crate) finding: &'a str,
    /// The first requirement that it says is missed.
    pub(crate) requirement: Option<&'a str>,
    /// In how many of the failures.
    pub(crate) times: usize,
    /// Whether a monitor found it.
    pub(crate) watched: bool,
}

/// A failed instance, or the run as a whole, under a cause.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    /// By position in the record; `None` for a check of the whole run.
    pub(crate) instance: Option<usize>,
    /// The check; `None` if the instance failed and none of its checks says why.
    pub(crate) check: Option<&'a Check>,
    /// Whether the record lists the failure as expected.
    pub(crate) expected: bool,
    /// Other findings in the same instance.
    pub(crate) also: Vec<&'a str>,
}

type Key<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);
/// A cause, the failures in which it is found, and whether a monitor found it.
type Candidate<'a> = (Key<'a>, Vec<usize>, bool);

/// Nearly as many: nine tenths.
const NEARLY: (usize, usize) = (9, 10);

/// What tells one cause from another: finding and likely cause, or else the requirement.
fn key(check: &Check) -> Key<'_> {
    let (finding, likely) = (check.finding.as_deref(), check.likely_cause.as_deref());
    let requirement = if finding.is_none() && likely.is_none() { check.requirements.first().map(String::as_str) } else { None };
    (finding, likely, requirement)
}

impl<'a> View<'a> {
    /// The causes of all failures, the first to be fixed first.
    pub(crate) fn causes(&self) -> Vec<Cause<'a>> {
        // Each failure with its failed checks: positions in this list stand for failures below.
        let instances = self.record.instances.iter().enumerate().filter(|(_, i)| i.verdict == Verdict::Fail);
        let mut failures: Vec<(Option<usize>, Vec<&'a Check>)> =
            instances.map(|(at, i)| (Some(at), i.checks.iter().filter(|c| c.verdict == Verdict::Fail).collect())).collect();
        failures.extend(self.run_checks().filter(|c| c.verdict == Verdict::Fail).map(|check| (None, vec![check])));

        let mut found: Vec<Candidate<'a>> = Vec::new();
        let mut places: BTreeMap<Key<'a>, usize> = BTreeMap::new();
        for (at, (_, checks)) in failures.iter().enumerate() {
            for check in checks {
                let key = key(check);
                let place = *places.entry(key).or_insert_with(|| {
                    found.push((key, Vec::new(), false));
                    found.len() - 1
                });
                let Some((_, list, watched)) = found.get_mut(place) else { continue };
                *watched |= check.kind == CheckKind::Monitor;
                if list.last() != Some(&at) {
                    list.push(at);
                }
            }
        }
        let mut open: Vec<bool> = vec![true; failures.len()];
        let mut out = Vec::new();
        loop {
            let news = |(_, list, _): &Candidate<'a>| list.iter().filter(|at| open.get(**at).copied().unwrap_or(false)).count();
            // The last of equals would win, so they are looked at from the end.
            let Some(most) = found.iter().rev().max_by_key(|f| news(f)).filter(|f| news(f) > 0) else { break };
            let nearly = |f: &&Candidate<'a>| f.2 && news(f) * NEARLY.1 >= news(most) * NEARLY.0;
            let best = found.iter().rev().filter(nearly).max_by_key(|f| news(f)).unwrap_or(most).clone();
            let told: Vec<usize> = best.1.iter().copied().filter(|at| open.get(*at).copied().unwrap_or(false)).collect();
            for at in &told {
                if let Some(slot) = open.get_mut(*at) {
                    *slot = false;
                }
            }
            out.push(self.cause(best.0, &told, best.1.len(), &failures));
        }
        let silent: Vec<usize> = open.iter().enumerate().filter(|(_, open)| **open).map(|(at, _)| at).collect();
        if !silent.is_empty() {
            out.push(self.cause((None, None, None), &silent, silent.len(), &failures));
        }
        out
    }

    fn cause(&self, wanted: Key<'a>, told: &[usize], found_in: usize, failures: &[(Option<usize>, Vec<&'a Check>)]) -> Cause<'a> {
        let mut missed: Vec<(&'a str, usize)> = Vec::new();
        let mut list = Vec::new();
        let mut others: Vec<Other<'a>> = Vec::new();
        for (instance, checks) in told.iter().filter_map(|at| failures.get(*at)) {
            let check = checks.iter().copied().find(|c| key(c) == wanted);
            for id in check.iter().flat_map(|c| &c.requirements) {
                match missed.iter_mut().find(|(known, _)| known == id) {
                    Some((_, times)) => *times += 1,
                    None => missed.push((id, 1)),
                }
            }
            let mut also: Vec<&'a str> = Vec::new();
            for check in checks.iter().copied().filter(|c| key(c) != wanted) {
                let Some(finding) = check.finding.as_deref().filter(|f| Some(*f) != wanted.0 && !also.contains(f)) else {
                    continue;
                };
                also.push(finding);
                let watched = check.kind == CheckKind::Monitor;
                let requirement = check.requirements.first().map(String::as_str);
                match others.iter_mut().find(|o| o.finding == finding && o.watched == watched) {
                    Some(other) => other.times += 1,
                    None => others.push(Other { finding, requirement, times: 1, watched }),
                }
            }
            let expected = instance.and_then(|at| self.record.instances.get(at)).is_some_and(|i| self.is_expected(i));
            list.push(Found { instance: *instance, check, expected, also });
        }
        missed.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        let requirements: Vec<&'a str> = missed.into_iter().map(|(id, _)| id).collect();
        let requirement = self
            .requirement_with_cause(wanted.1)
            .filter(|r| requirements.contains(&r.id.as_str()))
            .or_else(|| requirements.iter().find_map(|id| self.requirement(id)));
        others.sort_by_key(|other| std::cmp::Reverse((other.watched, other.times)));
        Cause { finding: wanted.0, likely: wanted.1, requirement, requirements, failures: list, found_in, others }
    }

    fn requirement_with_cause(&self, likely: Option<&str>) -> Option<&'a RequirementText> {
        let likely = likely.filter(|l| !l.is_empty())?;
        self.requirements.iter().find(|r| r.usual_cause == likely)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blank;
    use countersign_trace::{Blobs, InstanceResult};

    fn check(finding: &str, likely: &str, requirement: &str) -> Check {
        Check {
            id: "step-0".into(),
            kind: CheckKind::Expectation,
            step: Some(0),
            requirements: vec![requirement.into()],
            verdict: Verdict::Fail,
            expected: String::new(),
            observed: String::new(),
            reason: None,
            finding: Some(finding.into()).filter(|f: &String| !f.is_empty()),
            blame: None,
            evidence: vec![],
            likely_cause: Some(likely.into()).filter(|l: &String| !l.is_empty()),
            waiver: None,
        }
    }

    fn instance(name: &str, checks: Vec<Check>) -> InstanceResult {
        InstanceResult { checks, ..blank::instance(name) }
    }

    /// The causes of some failed instances: finding, how often told, how often found, and the requirement whose fix is shown.
    fn told(instances: Vec<InstanceResult>) -> Vec<(String, usize, usize, String)> {
        let record = blank::record(instances);
        let requirement =
            |id: &str, cause: &str| RequirementText { id: id.into(), usual_cause: cause.into(), ..RequirementText::default() };
        let requirements = [requirement("R-1", "one"), requirement("R-2", "two")];
        let blobs = Blobs::new();
        let view = View {
            record: &record,
            blobs: &blobs,
            requirements: &requirements,
            scenarios: &[],
            profile: None,
            chain: None,
            comparison: None,
        };
        let one = |c: Cause<'_>| {
            let requirement = c.requirement.map_or(String::new(), |r| r.id.clone());
            (c.finding.unwrap_or_default().to_owned(), c.failures.len(), c.found_in, requirement)
        };
        view.causes().into_iter().map(one).collect()
    }

    fn line(finding: &str, told: usize, found: usize, requirement: &str) -> (String, usize, usize, String) {
        (finding.into(), told, found, requirement.into())
    }

    #[test]
    fn what_is_found_in_most_failed_scenarios_comes_first_and_each_is_told_once() {
        let found = told(vec![
            instance("a", vec![check("rare", "x", "R-1")]),
            instance("b", vec![check("side", "y", "R-1"), check("common", "z", "R-2")]),
            instance("c", vec![check("common", "z", "R-2")]),
            instance("d", vec![check("common", "z", "R-2"), check("rare", "x", "R-1")]),
        ]);
        assert_eq!(found, [line("common", 3, 3, "R-2"), line("rare", 1, 2, "R-1")]);
    }

    #[test]
    fn of_equals_what_a_monitor_found_comes_first_and_then_the_earlier() {
        let watched = Check { kind: CheckKind::Monitor, ..check("watched", "y", "R-2") };
        let found = told(vec![instance("a", vec![check("first", "x", "R-1"), watched])]);
        assert_eq!(found, [line("watched", 1, 1, "R-2")]);
        let found = told(vec![instance("a", vec![check("first", "x", "R-1"), check("second", "y", "R-2")])]);
        assert_eq!(found, [line("first", 1, 1, "R-1")]);
    }

    #[test]
    fn what_a_monitor_found_nearly_as_often_comes_first() {
        let watched = || Check { kind: CheckKind::Monitor, ..check("watched", "y", "R-2") };
        let with = |both: usize| {
            let all = (0..10).map(|n| {
                let also = (n < both).then(&watched);
                instance("a", std::iter::once(check("most", "x", "R-1")).chain(also).collect())
            });
            told(all.collect())
        };
        assert_eq!(with(9), [line("watched", 9, 9, "R-2"), line("most", 1, 10, "R-1")]);
        assert_eq!(with(8), [line("most", 10, 10, "R-1")]);
    }

    #[test]
    fn without_a_usual_cause_the_requirement_missed_most_often_is_shown() {
        let one = |id: &str| instance("a", vec![check("f", "x", id)]);
        assert_eq!(told(vec![one("R-1"), one("R-2"), one("R-2")]), [line("f", 3, 3, "R-2")]);
    }

    #[test]
    fn what_else_was_found_is_counted() {
        let both = || vec![check("common", "x", "R-1"), check("side", "y", "R-2"), check("side", "z", "R-1")];
        let record =
            blank::record(vec![instance("a", both()), instance("b", both()), instance("c", vec![check("common", "x", "R-1")])]);
        let blobs = Blobs::new();
        let view = View {
            record: &record,
            blobs: &blobs,
            requirements: &[],
            scenarios: &[],
            profile: None,
            chain: None,
            comparison: None,
        };
        let causes = view.causes();
        assert_eq!(causes.len(), 1);
        assert_eq!(causes[0].others, [Other { finding: "side", requirement: Some("R-2"), times: 2, watched: false }]);
    }

    #[test]
    fn the_fix_is_of_a_requirement_that_is_missed() {
        assert_eq!(told(vec![instance("a", vec![check("f", "two", "R-1")])]), [line("f", 1, 1, "R-1")]);
        assert_eq!(told(vec![instance("a", vec![check("f", "two", "R-9")])]), [line("f", 1, 1, "")]);
    }

    #[test]
    fn without_finding_or_cause_the_requirement_tells_failures_apart() {
        let found = told(vec![instance("a", vec![check("", "", "R-1")]), instance("b", vec![check("", "", "R-2")])]);
        assert_eq!(found, [line("", 1, 1, "R-1"), line("", 1, 1, "R-2")]);
    }

    #[test]
    fn a_failure_that_no_check_explains_is_not_lost() {
        assert_eq!(told(vec![instance("a", vec![]), instance("b", vec![])]), [line("", 2, 2, "")]);
    }
}
