//! What renderers are given.

use crate::baseline::Comparison;
use countersign_trace::{Blobs, Check, InstanceResult, Record, Verdict};
use std::collections::BTreeMap;

/// A requirement, as far as reports show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequirementText {
    /// Its id, such as `SIG-05`.
    pub id: String,
    /// What it demands, in one sentence.
    pub sentence: String,
    /// Where it stands: clause of law, offer or specification.
    pub source: String,
    /// Date of the source.
    pub date: String,
    /// How firm the source is, as the suite grades it.
    pub grade: String,
    /// `MUST` or `SHOULD`.
    pub level: String,
    /// `candidate-verifies`, `candidate-produces` or `gateway-self-test`. The last counts for nothing in coverage.
    pub decided_by: String,
    /// What an attacker gains, or a user loses, if it is not met.
    pub attack: String,
    /// What usually causes a failure.
    pub usual_cause: String,
    /// How to fix it.
    pub fix: String,
}

impl RequirementText {
    /// Whether it says something about a candidate: self-tests of the gateway do not.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.decided_by != SELF_TEST
    }
}

/// Who decides what says nothing about a candidate.
pub(crate) const SELF_TEST: &str = "gateway-self-test";

/// A scenario, as far as reports show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioText {
    /// Its id, such as `e2ee/out-of-order`; with `@case` for one that differs by case.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Why it matters, for a reader who is no specialist.
    pub why: String,
    /// Ids of the requirements that it verifies.
    pub verifies: Vec<String>,
    /// Its steps, in words or as YAML, in order.
    pub steps: Vec<String>,
    /// The file.
    pub source_yaml: String,
    /// What it measures over a burst of messages.
    pub measures: Vec<MeasureText>,
    /// Steps that show something of forward secrecy and healing, by position.
    pub state: Vec<(usize, StateFigure)>,
}

/// What a step shows of a candidate's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFigure {
    /// From when on a copy is locked out.
    Healing,
    /// What a copy reads.
    Thief,
    /// Which keys are stored.
    Stored,
}

/// A measurement that a step of a scenario makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeasureText {
    /// Position of the step, from 0.
    pub step: usize,
    /// Name of the burst: its messages are called `name1`, `name2` and so on.
    pub burst: String,
    /// Whether the time ends with the delivery receipt at the gateway; else when the message is shown.
    pub receipt: bool,
    /// The profile's limit on the 95th percentile, in milliseconds.
    pub limit_ms: u64,
}

/// A profile, as far as reports show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileText {
    /// What it certifies.
    pub title: String,
    /// Its limits, by name: all of them are ours.
    pub limits: Vec<(String, String)>,
    /// What it assumes.
    pub assumptions: Vec<String>,
    /// What a run of it does not show.
    pub does_not_show: Vec<String>,
}

/// A record with the texts that explain it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The record.
    pub record: &'a Record,
    /// Its long bodies; a report says where one is not at hand.
    pub blobs: &'a Blobs,
    /// The requirements of the suite that the record was made with, in the order of the report.
    pub requirements: &'a [RequirementText],
    /// Its scenarios.
    pub scenarios: &'a [ScenarioText],
    /// Its profile; `None` if the suite cannot be read.
    pub profile: Option<&'a ProfileText>,
    /// The chain of the record's last whole line: it stands for every line before it. `None` leaves it out.
    pub chain: Option<&'a str>,
    /// What has changed since a baseline, if the run was compared with one.
    pub comparison: Option<&'a Comparison>,
}

/// Something that is not as it should be: a check of an instance or of the run as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// Which instance, by position; `None` for a check of the whole run.
    pub instance: Option<usize>,
    /// The check that decides; `None` if the instance has the verdict and none of its checks does.
    pub check: Option<&'a Check>,
    /// Whether the record lists it as expected.
    pub expected: bool,
}

impl<'a> View<'a> {
    /// The text of a scenario, by name with its case, or else by id.
    #[must_use]
    pub fn scenario(&self, instance: &InstanceResult) -> Option<&'a ScenarioText> {
        self.scenario_named(&instance.name())
    }

    pub(crate) fn scenario_named(&self, name: &str) -> Option<&'a ScenarioText> {
        let id = name.split_once('@').map_or(name, |(id, _)| id);
        self.scenarios.iter().find(|s| s.id == name).or_else(|| self.scenarios.iter().find(|s| s.id == id))
    }

    /// The text of a requirement.
    #[must_use]
    pub fn requirement(&self, id: &str) -> Option<&'a RequirementText> {
        self.requirements.iter().find(|r| r.id == id)
    }

    /// The exit code of the run. A change since a baseline asks for a look where nothing else does.
    #[must_use]
    pub fn exit_code(&self) -> Option<u8> {
        let code = self.record.summary.as_ref()?.exit_code;
        let changed = self.comparison.is_some_and(|found| !found.changes.is_empty());
        Some(if code == 0 && changed { 6 } else { code })
    }

    /// How many instances came to each verdict, worst first. Scenarios that were left out are not among them.
    #[must_use]
    pub fn counts(&self) -> Vec<(Verdict, u64)> {
        let mut by_verdict: BTreeMap<Verdict, u64> = BTreeMap::new();
        for instance in &self.record.instances {
            *by_verdict.entry(instance.verdict).or_default() += 1;
        }
        by_verdict.into_iter().rev().collect()
    }

    /// Number of instances with this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.record.instances.iter().filter(|i| i.verdict == verdict).count() as u64
    }

    /// Names of instances that were planned and are not in the record.
    #[must_use]
    pub fn unfinished(&self) -> Vec<&'a str> {
        let done: std::collections::BTreeSet<String> = self.record.instances.iter().map(InstanceResult::name).collect();
        let selected = self.record.plan.as_ref().map_or(&[][..], |p| &p.selected);
        selected.iter().map(String::as_str).filter(|name| !done.contains(*name)).collect()
    }

    /// Whether the run was of a part of the profile only.
    #[must_use]
    pub fn partial(&self) -> bool {
        !self.record.header.only.is_empty() || self.record.plan.as_ref().is_some_and(|p| p.filtered > 0)
    }

    /// Checks of the run as a whole that did not pass.
    pub(crate) fn run_checks(&self) -> impl Iterator<Item = &'a Check> {
        self.record.summary.iter().flat_map(|s| &s.checks)
    }

    /// Each instance with this verdict and the check that decides it, then checks of the whole run with this verdict.
    #[must_use]
    pub fn with_verdict(&self, verdict: Verdict) -> Vec<Failure<'a>> {
        let instances = self.record.instances.iter().enumerate().filter(|(_, i)| i.verdict == verdict).map(|(at, i)| Failure {
            instance: Some(at),
            check: deciding(i),
            expected: self.is_expected(i),
        });
        let run = self.run_checks().filter(|c| c.verdict == verdict);
        let run = run.map(|check| Failure { instance: None, check: Some(check), expected: false });
        instances.chain(run).collect()
    }

    /// Whether the failure of this instance is listed in the record's header.
    #[must_use]
    pub fn is_expected(&self, instance: &InstanceResult) -> bool {
        let listed = &self.record.header.expected_failures;
        instance.verdict == Verdict::Fail && listed.iter().any(|l| *l == instance.scenario || *l == instance.name())
    }
}

/// The first check that has the instance's own verdict.
pub(crate) fn deciding(instance: &InstanceResult) -> Option<&Check> {
    instance.checks.iter().find(|c| c.verdict == instance.verdict)
}

/// The symbol that goes with a verdict's word.
pub(crate) const fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::NotApplicable => "–",
        Verdict::Waived => "≈",
        Verdict::Warn => "!",
        Verdict::Unsupported => "○",
        Verdict::Blocked => "⊘",
        Verdict::Inconclusive => "~",
        Verdict::NeedsReview => "?",
        Verdict::EnvironmentError => "△",
        Verdict::HarnessError => "◇",
        Verdict::Fail => "✗",
    }
}
