//! What the record says of each requirement, and how many of them were judged at all.

use crate::view::{RequirementText, View, symbol};
use countersign_trace::{InstanceResult, Verdict};
use std::collections::BTreeMap;

/// What a run says of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The worst of what was judged about it.
    Judged(Verdict),
    /// A scenario that verifies it was planned and did not come to an end.
    Unfinished,
    /// No scenario of this run verifies it.
    NotInThisRun,
}

impl Standing {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Judged(verdict) => verdict.as_str(),
            Self::Unfinished => "unfinished",
            Self::NotInThisRun => "not-in-this-run",
        }
    }

    /// As a sign beside the word.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Judged(verdict) => symbol(verdict),
            Self::Unfinished => "…",
            Self::NotInThisRun => "·",
        }
    }

    /// Whether the requirement was decided: for, against, or with a remark.
    #[must_use]
    pub const fn decided(self) -> bool {
        matches!(self, Self::Judged(Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Waived))
    }
}

/// A requirement and what the run says of it.
#[derive(Clone, Debug)]
pub struct RequirementStanding<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its text; `None` if the suite given to the renderer does not have it.
    pub text: Option<&'a RequirementText>,
    /// The standing.
    pub standing: Standing,
    /// Instances that bear on it, by position in the record, each with what it says of this requirement.
    pub instances: Vec<(usize, Verdict)>,
    /// What checks of the whole run say of it.
    pub run: Vec<Verdict>,
    /// Scenarios that would bear on it and were left out or did not end, by name.
    pub missing: Vec<(&'a str, Standing)>,
}

impl RequirementStanding<'_> {
    /// Whether it counts in coverage.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.text.is_none_or(RequirementText::counts)
    }
}

/// How many requirements were decided. Self-tests of the gateway are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Requirements that a candidate can meet or miss.
    pub all: u64,
    /// Of those, decided in this run.
    pub decided: u64,
    /// Of those, met.
    pub passed: u64,
    /// Of those, missed.
    pub failed: u64,
    /// Of those, missed in checks that are waived.
    pub waived: u64,
    /// Requirements that exercise our own code alone.
    pub self_tests: u64,
}

impl<'a> View<'a> {
    /// What the run says of each requirement: those of the suite in their order, then any other that a check names.
    #[must_use]
    pub fn standings(&self) -> Vec<RequirementStanding<'a>> {
        let mut found = Found::default();
        for requirement in self.requirements {
            found.of(&requirement.id, Some(requirement));
        }
        for (at, instance) in self.record.instances.iter().enumerate() {
            for check in &instance.checks {
                for id in &check.requirements {
                    found.of(id, self.requirement(id)).says(at, check.verdict);
                }
            }
            for id in self.scenario(instance).map_or(&[][..], |s| &s.verifies) {
                let entry = found.of(id, self.requirement(id));
                if !instance.checks.iter().any(|c| c.requirements.contains(id))
                    && let Some(verdict) = by_scenario_alone(instance)
                {
                    entry.says(at, verdict);
                }
            }
        }
        for check in self.run_checks() {
            for id in &check.requirements {
                found.of(id, self.requirement(id)).run.push(check.verdict);
            }
        }
        let left_out = self.record.plan.iter().flat_map(|p| &p.left_out).map(|l| (l.name.as_str(), Standing::Judged(l.verdict)));
        let unfinished = self.unfinished().into_iter().map(|name| (name, Standing::Unfinished));
        for (name, standing) in left_out.chain(unfinished) {
            for id in self.scenario_named(name).map_or(&[][..], |s| &s.verifies) {
                found.of(id, self.requirement(id)).missing.push((name, standing));
            }
        }
        found.list.into_iter().map(Gathered::standing).collect()
    }

    /// How many requirements were decided.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        coverage_of(&self.standings())
    }
}

/// How many of these were decided.
pub(crate) fn coverage_of(standings: &[RequirementStanding<'_>]) -> Coverage {
    let mut out = Coverage::default();
    for standing in standings {
        if standing.counts() {
            out.all += 1;
            out.decided += u64::from(standing.standing.decided());
            out.passed += u64::from(standing.standing == Standing::Judged(Verdict::Pass));
            out.waived += u64::from(standing.standing == Standing::Judged(Verdict::Waived));
            out.failed += u64::from(standing.standing == Standing::Judged(Verdict::Fail));
        } else {
            out.self_tests += 1;
        }
    }
    out
}

/// What an instance says of a requirement that its scenario verifies and none of its checks names: nothing if it has no
/// checks; never `fail`, since what failed concerns another requirement.
fn by_scenario_alone(instance: &InstanceResult) -> Option<Verdict> {
    match instance.verdict {
        _ if instance.checks.is_empty() => None,
        Verdict::Fail => Some(Verdict::Blocked),
        other => Some(other),
    }
}

#[derive(Default)]
struct Found<'a> {
    list: Vec<Gathered<'a>>,
    position: BTreeMap<&'a str, usize>,
}

struct Gathered<'a> {
    id: &'a str,
    text: Option<&'a RequirementText>,
    instances: BTreeMap<usize, Verdict>,
    run: Vec<Verdict>,
    missing: Vec<(&'a str, Standing)>,
}

impl<'a> Found<'a> {
    fn of(&mut self, id: &'a str, text: Option<&'a RequirementText>) -> &mut Gathered<'a> {
        let at = *self.position.entry(id).or_insert(self.list.len());
        if at == self.list.len() {
            self.list.push(Gathered { id, text, instances: BTreeMap::new(), run: Vec::new(), missing: Vec::new() });
        }
        #[expect(clippy::indexing_slicing, reason = "the position was just looked up or made")]
        &mut self.list[at]
    }
}

impl<'a> Gathered<'a> {
    fn says(&mut self, instance: usize, verdict: Verdict) {
        let known = self.instances.entry(instance).or_insert(verdict);
        *known = worse(*known, verdict);
    }

    fn standing(self) -> RequirementStanding<'a> {
        let verdicts = self.instances.values().chain(&self.run).copied();
        let left_out = self.missing.iter().filter_map(|(_, s)| if let Standing::Judged(v) = s { Some(*v) } else { None });
        let worst = verdicts.chain(left_out).reduce(worse);
        let unfinished = self.missing.iter().any(|(_, s)| *s == Standing::Unfinished);
        let standing = match worst {
            // A failure stays one, whatever else would have come.
            Some(Verdict::Fail) => Standing::Judged(Verdict::Fail),
            _ if unfinished => Standing::Unfinished,
            Some(verdict) => Standing::Judged(verdict),
            None => Standing::NotInThisRun,
        };
        let Self { id, text, instances, run, missing } = self;
        RequirementStanding { id, text, standing, instances: instances.into_iter().collect(), run, missing }
    }
}

/// The worse of two; what does not apply says nothing beside something that does.
fn worse(a: Verdict, b: Verdict) -> Verdict {
    match (a, b) {
        (Verdict::NotApplicable, other) | (other, Verdict::NotApplicable) => other,
        (a, b) => a.max(b),
    }
}
