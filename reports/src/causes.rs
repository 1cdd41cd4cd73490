//! Failures by likely cause, so that a reader fixes few things instead of reading many failures.
//!
//! Failed checks with the same finding are one cause, whichever requirement they are about: what a defect shows is the same for sender and
//! receiver, in the candidate and in what a reference user sees of it. Where they have several usual causes, these are its sides. One
//! scenario often fails for several causes, since one defect shows in many ways. So causes are put in order by this rule: the one that is
//! found in the most failed scenarios not yet told of comes first; but one that a monitor found, which looks for one defect and nothing
//! else, goes before it if it is found in nearly as many; of equals, the one that is first to go wrong in more of them, since what comes
//! later in a scenario often follows from it; and then one that names a finding. Whatever else is found in a scenario stands with the cause under which it is told. Nothing
//! here says that fixing a cause makes a scenario pass: only that it is found there.
//!
//! Which requirements a cause stands for, its scenarios vote: each has one vote, however many cases it has, in equal shares for what the
//! check says is missed. Votes of scenarios in which something else went wrong before count only between equals.

use crate::view::{RequirementText, View};
use countersign_trace::{Check, CheckKind, InstanceResult, Verdict};
use std::collections::BTreeMap;

/// Failures with one likely cause.
#[derive(Clone, Debug)]
pub(crate) struct Cause<'a> {
    /// The finding that they share, if their checks name one.
    pub(crate) finding: Option<&'a str>,
    /// What usually causes it, for the requirement that is shown; `None` if there are `sides` alone.
    pub(crate) likely: Option<&'a str>,
    /// The requirement whose fix is shown: the one with most votes.
    pub(crate) requirement: Option<&'a RequirementText>,
    /// Every requirement that these checks say is missed, the one with most votes first.
    pub(crate) requirements: Vec<&'a str>,
    /// Usual causes other than `likely`, the most frequent first.
    pub(crate) sides: Vec<Side<'a>>,
    /// What failed: each instance once, with the check that names this cause; first those in which `requirement` is missed.
    pub(crate) failures: Vec<Found<'a>>,
    /// In how many failed scenarios it is found, those told of under another cause included.
    pub(crate) found_in: usize,
    /// What else was found in these failures: first what monitors found, then the most frequent.
    pub(crate) others: Vec<Other<'a>>,
}

/// The same finding with another usual cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side<'a> {
    pub(crate) likely: &'a str,
    /// The requirements of which it is the usual cause.
    pub(crate) requirements: Vec<&'a str>,
    /// Where it is found, by position in the record; `None` for the run as a whole.
    pub(crate) places: Vec<Option<usize>>,
}

/// What was found besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Other<'a> {
    pub(crate) finding: &'a str,
    /// The requirements that it says are missed, the one with most votes first.
    pub(crate) requirements: Vec<&'a str>,
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

/// What tells one cause from another: the finding, or else the likely cause, or else the requirement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Finding(&'a str),
    Likely(&'a str),
    Requirement(&'a str),
    Nothing,
}

impl<'a> Key<'a> {
    fn of(check: &'a Check) -> Self {
        match (&check.finding, &check.likely_cause, check.requirements.first()) {
            (Some(finding), ..) => Self::Finding(finding),
            (None, Some(likely), _) => Self::Likely(likely),
            (None, None, Some(requirement)) => Self::Requirement(requirement),
            (None, None, None) => Self::Nothing,
        }
    }

    const fn finding(self) -> Option<&'a str> {
        if let Self::Finding(finding) = self { Some(finding) } else { None }
    }
}

/// A failure: which instance, its scenario's id, and its failed checks.
struct Failure<'a> {
    instance: Option<usize>,
    scenario: &'a str,
    checks: Vec<&'a Check>,
}

impl<'a> Failure<'a> {
    fn by(&self, key: Key<'a>) -> impl Iterator<Item = &'a Check> {
        self.checks.iter().copied().filter(move |check| Key::of(check) == key)
    }

    /// Whether nothing went wrong at an earlier step. What is said of the whole instance is not earlier than anything.
    fn begins_with(&self, key: Key<'a>) -> bool {
        let first = self.checks.iter().filter_map(|check| check.step).min();
        self.by(key).any(|check| check.step == first)
    }
}

/// A cause, the failures in which it is found, whether a monitor found it, and in how many it is the first to go wrong.
#[derive(Clone)]
struct Candidate<'a> {
    key: Key<'a>,
    found: Vec<usize>,
    watched: bool,
    first: usize,
}

/// Nearly as many: nine tenths.
const NEARLY: (usize, usize) = (9, 10);
/// A whole vote, which many numbers divide.
const VOTE: u64 = 720_720;

impl<'a> View<'a> {
    /// The causes of all failures, the first to be fixed first.
    pub(crate) fn causes(&self) -> Vec<Cause<'a>> {
        let failures = self.failures_by_name();
        let mut found: Vec<Candidate<'a>> = Vec::new();
        let mut places: BTreeMap<Key<'a>, usize> = BTreeMap::new();
        for (at, failure) in failures.iter().enumerate() {
            for check in &failure.checks {
                let key = Key::of(check);
                let place = *places.entry(key).or_insert_with(|| {
                    found.push(Candidate { key, found: Vec::new(), watched: false, first: 0 });
                    found.len() - 1
                });
                let Some(candidate) = found.get_mut(place) else { continue };
                candidate.watched |= check.kind == CheckKind::Monitor;
                if candidate.found.last() != Some(&at) {
                    candidate.found.push(at);
                    candidate.first += usize::from(failure.begins_with(key));
                }
            }
        }
        let mut open: Vec<bool> = vec![true; failures.len()];
        let mut out = Vec::new();
        loop {
            let is_open = |at: &usize| open.get(*at).copied().unwrap_or(false);
            let news = |candidate: &Candidate<'a>| candidate.found.iter().filter(|at| is_open(at)).count();
            let rank = |candidate: &&Candidate<'a>| (news(candidate), candidate.first, candidate.key.finding().is_some());
            // The last of equals would win, so they are looked at from the end.
            let Some(most) = found.iter().rev().max_by_key(rank).filter(|f| news(f) > 0) else { break };
            let nearly = |f: &&Candidate<'a>| f.watched && news(f) * NEARLY.1 >= news(most) * NEARLY.0;
            let best = found.iter().rev().filter(nearly).max_by_key(rank).unwrap_or(most).clone();
            let told: Vec<usize> = best.found.iter().copied().filter(is_open).collect();
            for at in &told {
                if let Some(slot) = open.get_mut(*at) {
                    *slot = false;
                }
            }
            let told: Vec<&Failure<'a>> = told.iter().filter_map(|at| failures.get(*at)).collect();
            out.push(self.cause(best.key, &told, best.found.len()));
        }
        let silent: Vec<&Failure<'a>> =
            failures.iter().zip(&open).filter(|(_, open)| **open).map(|(failure, _)| failure).collect();
        if !silent.is_empty() {
            out.push(self.cause(Key::Nothing, &silent, silent.len()));
        }
        out
    }

    /// What failed, by name, since chance decides in which order instances end; checks of the whole run come last.
    fn failures_by_name(&self) -> Vec<Failure<'a>> {
        let mut failed: Vec<(usize, &'a InstanceResult)> =
            self.record.instances.iter().enumerate().filter(|(_, i)| i.verdict == Verdict::Fail).collect();
        failed.sort_by_key(|(_, instance)| instance.name());
        let of_instances = failed.into_iter().map(|(at, instance)| Failure {
            instance: Some(at),
            scenario: &instance.scenario,
            checks: instance.checks.iter().filter(|c| c.verdict == Verdict::Fail).collect(),
        });
        let of_run = self.run_checks().filter(|c| c.verdict == Verdict::Fail);
        of_instances.chain(of_run.map(|check| Failure { instance: None, scenario: "", checks: vec![check] })).collect()
    }

    fn cause(&self, key: Key<'a>, told: &[&Failure<'a>], found_in: usize) -> Cause<'a> {
        let requirements = elected(key, told);
        let requirement = requirements.iter().find_map(|id| self.requirement(id));
        let mut sides = sides(key, told);
        let shown = |side: &&Side<'a>| requirement.is_some_and(|r| side.likely == r.usual_cause);
        // If it has several usual causes, and none of them is that of the requirement shown, all of them are sides.
        let only = if sides.len() == 1 { sides.first() } else { None };
        let likely = sides.iter().find(shown).or(only).map(|side| side.likely);
        sides.retain(|side| Some(side.likely) != likely);
        let missed = |check: &Check| requirement.is_none_or(|r| check.requirements.contains(&r.id));
        let mut failures: Vec<Found<'a>> = told.iter().map(|failure| self.found(key, failure, &missed)).collect();
        failures.sort_by_key(|found| !found.check.is_some_and(missed));
        Cause { finding: key.finding(), likely, requirement, requirements, sides, failures, found_in, others: others(key, told) }
    }

    fn found(&self, key: Key<'a>, failure: &Failure<'a>, preferred: &dyn Fn(&Check) -> bool) -> Found<'a> {
        let mut also: Vec<&'a str> = Vec::new();
        for finding in failure.checks.iter().filter_map(|check| check.finding.as_deref()) {
            if Some(finding) != key.finding() && !also.contains(&finding) {
                also.push(finding);
            }
        }
        let instance = failure.instance;
        let expected = instance.and_then(|at| self.record.instances.get(at)).is_some_and(|i| self.is_expected(i));
        let check = failure.by(key).find(|check| preferred(check)).or_else(|| failure.by(key).next());
        Found { instance, check, expected, also }
    }
}

/// The requirements that a cause stands for, as its scenarios vote.
fn elected<'a>(key: Key<'a>, told: &[&Failure<'a>]) -> Vec<&'a str> {
    let mut cases: BTreeMap<&str, u64> = BTreeMap::new();
    for failure in told {
        *cases.entry(failure.scenario).or_default() += 1;
    }
    // Votes of scenarios that begin with this, and of others.
    let mut votes: Vec<(&'a str, [u64; 2])> = Vec::new();
    for failure in told {
        let vote = VOTE / cases.get(failure.scenario).copied().unwrap_or(1) / failure.by(key).count().max(1) as u64;
        let which = usize::from(!failure.begins_with(key));
        for check in failure.by(key) {
            for id in &check.requirements {
                let share = vote / check.requirements.len() as u64;
                let at = votes.iter().position(|(known, _)| known == id).unwrap_or_else(|| {
                    votes.push((id, [0, 0]));
                    votes.len() - 1
                });
                if let Some(sum) = votes.get_mut(at).and_then(|(_, sums)| sums.get_mut(which)) {
                    *sum += share;
                }
            }
        }
    }
    // Stable: of equals, the one that was met first.
    votes.sort_by_key(|(_, sums)| std::cmp::Reverse(*sums));
    votes.into_iter().map(|(id, _)| id).collect()
}

/// The usual causes of a finding, the most frequent first.
fn sides<'a>(key: Key<'a>, told: &[&Failure<'a>]) -> Vec<Side<'a>> {
    let mut sides: Vec<Side<'a>> = Vec::new();
    for failure in told {
        for check in failure.by(key) {
            let Some(likely) = check.likely_cause.as_deref().filter(|likely| !likely.is_empty()) else { continue };
            let at = sides.iter().position(|side| side.likely == likely).unwrap_or_else(|| {
                sides.push(Side { likely, requirements: Vec::new(), places: Vec::new() });
                sides.len() - 1
            });
            let Some(side) = sides.get_mut(at) else { continue };
            if let Some(id) = check.requirements.first().filter(|id| !side.requirements.contains(&id.as_str())) {
                side.requirements.push(id);
            }
            if side.places.last() != Some(&failure.instance) {
                side.places.push(failure.instance);
            }
        }
    }
    sides.sort_by_key(|side| std::cmp::Reverse(side.places.len()));
    sides
}

/// What else was found in these failures.
fn others<'a>(key: Key<'a>, told: &[&Failure<'a>]) -> Vec<Other<'a>> {
    let mut others: BTreeMap<&'a str, (Vec<&Failure<'a>>, bool)> = BTreeMap::new();
    for failure in told {
        for check in &failure.checks {
            let Some(finding) = check.finding.as_deref().filter(|finding| Some(*finding) != key.finding()) else { continue };
            let (list, watched) = others.entry(finding).or_default();
            *watched |= check.kind == CheckKind::Monitor;
            if !list.last().is_some_and(|last| std::ptr::eq(*last, *failure)) {
                list.push(failure);
            }
        }
    }
    let one = |(finding, (list, watched)): (&'a str, (Vec<&Failure<'a>>, bool))| {
        let list = list.as_slice();
        Other { finding, requirements: elected(Key::Finding(finding), list), times: list.len(), watched }
    };
    let mut others: Vec<Other<'a>> = others.into_iter().map(one).collect();
    others.sort_by_key(|other| std::cmp::Reverse((other.watched, other.times)));
    others
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
        assert_eq!(causes[0].others, [Other { finding: "side", requirements: vec!["R-2", "R-1"], times: 2, watched: false }]);
    }

    /// Runs `look` on the causes of some failed instances. `R-1` has the usual cause `one`, `R-2` has `two`.
    fn causes_of(instances: Vec<InstanceResult>, look: impl FnOnce(Vec<Cause<'_>>)) {
        let record = blank::record(instances);
        let requirement =
            |id: &str, cause: &str| RequirementText { id: id.into(), usual_cause: cause.into(), ..RequirementText::default() };
        let requirements = [requirement("R-1", "one"), requirement("R-2", "two")];
        let blobs = Blobs::new();
        let (requirements, record, blobs) = (&requirements[..], &record, &blobs);
        look(View { record, blobs, requirements, scenarios: &[], profile: None, chain: None, comparison: None }.causes());
    }

    #[test]
    fn one_finding_is_one_cause_with_a_side_for_each_usual_cause() {
        let incoming = instance("a", vec![check("no-notice", "one", "R-1")]);
        let outgoing = instance("b", vec![check("no-notice", "one", "R-1")]);
        let by_retry = instance("c", vec![check("no-notice", "two", "R-2")]);
        causes_of(vec![by_retry, outgoing, incoming], |causes| {
            assert_eq!(causes.len(), 1);
            assert_eq!((causes[0].likely, &causes[0].requirements[..]), (Some("one"), &["R-1", "R-2"][..]));
            let side = Side { likely: "two", requirements: vec!["R-2"], places: vec![Some(0)] };
            assert_eq!(causes[0].sides, [side]);
            // What is shown as found is about the requirement that is shown.
            assert_eq!(causes[0].failures.iter().map(|f| f.instance).collect::<Vec<_>>(), [Some(2), Some(1), Some(0)]);
        });
    }

    #[test]
    fn what_goes_wrong_first_goes_before_what_follows_from_it() {
        let at = |step, check: Check| Check { step: Some(step), ..check };
        let both = |name| instance(name, vec![at(4, check("follows", "x", "R-1")), at(2, check("begins", "y", "R-2"))]);
        assert_eq!(told(vec![both("a"), both("b")]), [line("begins", 2, 2, "R-2")]);
    }

    #[test]
    fn each_scenario_has_one_vote_however_many_cases_it_has_and_shares_it() {
        let case = |case: &str| {
            let all = Check { requirements: vec!["R-1".into(), "R-3".into()], ..check("f", "x", "R-1") };
            InstanceResult { case: Some(case.into()), ..instance("many", vec![all]) }
        };
        let alone = || instance("alone", vec![check("f", "x", "R-2")]);
        assert_eq!(told(vec![case("1"), case("2"), case("3"), alone()]), [line("f", 4, 4, "R-2")]);
        // Where something else went wrong before, a vote counts between equals only.
        let late = Check { step: Some(9), ..check("f", "x", "R-2") };
        let after = instance("after", vec![check("g", "y", "R-1"), late]);
        causes_of(vec![case("1"), after], |causes| assert_eq!(causes[0].requirements, ["R-1", "R-3", "R-2"]));
    }

    #[test]
    fn in_which_order_instances_ended_changes_nothing() {
        let all = || vec![instance("a", vec![check("one", "x", "R-1")]), instance("b", vec![check("two", "y", "R-2")])];
        let turned = all().into_iter().rev().collect();
        assert_eq!(told(all()), told(turned));
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
