//! Failures by likely cause, so that a reader fixes few things instead of reading many failures.
//!
//! Failed checks that name the same finding and the same likely cause are one cause. One scenario often fails for several of
//! them, since one defect shows in many ways. So causes are put in order by this rule: the one that is found in the most failed
//! scenarios not yet told of comes first; of equals, one whose text is a requirement's own usual cause; then the one found
//! earlier. Whatever else is found in a scenario stands with the cause under which it is told. Nothing here says that fixing a
//! cause makes a scenario pass: only that it is found there.

use crate::view::{RequirementText, View};
use countersign_trace::{Check, Verdict};
use std::collections::BTreeMap;

/// Failures with one likely cause.
#[derive(Clone, Debug)]
pub(crate) struct Cause<'a> {
    /// The finding that they share, if their checks name one.
    pub(crate) finding: Option<&'a str>,
    /// What usually causes it.
    pub(crate) likely: Option<&'a str>,
    /// The requirement whose fix is shown: the one with this usual cause, else the first that is missed.
    pub(crate) requirement: Option<&'a RequirementText>,
    /// Every requirement that these checks say is missed.
    pub(crate) requirements: Vec<&'a str>,
    /// What failed: each instance once, with the check that names this cause.
    pub(crate) failures: Vec<Found<'a>>,
    /// In how many failed scenarios it is found, those told of under another cause included.
    pub(crate) found_in: usize,
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

        let mut found: Vec<(Key<'a>, Vec<usize>)> = Vec::new();
        let mut places: BTreeMap<Key<'a>, usize> = BTreeMap::new();
        for (at, (_, checks)) in failures.iter().enumerate() {
            for key in checks.iter().map(|c| key(c)) {
                let place = *places.entry(key).or_insert_with(|| {
                    found.push((key, Vec::new()));
                    found.len() - 1
                });
                if let Some((_, list)) = found.get_mut(place)
                    && list.last() != Some(&at)
                {
                    list.push(at);
                }
            }
        }
        let mut open: Vec<bool> = vec![true; failures.len()];
        let mut out = Vec::new();
        loop {
            let weight = |(key, list): &(Key<'a>, Vec<usize>)| {
                let new = list.iter().filter(|at| open.get(**at).copied().unwrap_or(false)).count();
                (new, self.requirement_with_cause(key.1).is_some())
            };
            // The last of equals would win, so they are looked at from the end.
            let Some(best) = found.iter().rev().max_by_key(|f| weight(f)).filter(|f| weight(f).0 > 0).cloned() else { break };
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
        let mut requirements: Vec<&'a str> = Vec::new();
        let mut list = Vec::new();
        for (instance, checks) in told.iter().filter_map(|at| failures.get(*at)) {
            let check = checks.iter().copied().find(|c| key(c) == wanted);
            for id in check.iter().flat_map(|c| &c.requirements) {
                if !requirements.contains(&id.as_str()) {
                    requirements.push(id);
                }
            }
            let mut also: Vec<&'a str> = Vec::new();
            for finding in checks.iter().filter(|c| key(c) != wanted).filter_map(|c| c.finding.as_deref()) {
                if Some(finding) != wanted.0 && !also.contains(&finding) {
                    also.push(finding);
                }
            }
            let expected = instance.and_then(|at| self.record.instances.get(at)).is_some_and(|i| self.is_expected(i));
            list.push(Found { instance: *instance, check, expected, also });
        }
        let requirement = self
            .requirement_with_cause(wanted.1)
            .filter(|r| requirements.contains(&r.id.as_str()))
            .or_else(|| requirements.iter().find_map(|id| self.requirement(id)));
        Cause { finding: wanted.0, likely: wanted.1, requirement, requirements, failures: list, found_in }
    }

    fn requirement_with_cause(&self, likely: Option<&str>) -> Option<&'a RequirementText> {
        let likely = likely.filter(|l| !l.is_empty())?;
        self.requirements.iter().find(|r| r.usual_cause == likely)
    }
}
