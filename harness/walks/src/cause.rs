//! Why a walk failed: which requirement was missed, and by which finding.

use crate::action::{Action, Fate};
use crate::model::{EXCHANGE, ONCE, Told};
use crate::walk::Walk;
use countersign_trace::{Check, InstanceResult, Verdict};
use serde::Serialize;

/// Failures with the same one are taken for the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cause {
    /// The requirement that is missed.
    pub requirement: String,
    /// What was found.
    pub finding: String,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.requirement, self.finding)
    }
}

/// Why a walk failed, the earliest step first: what fails after that may be no more than its consequence.
#[must_use]
pub fn causes<'r>(told: &[Told], result: &'r InstanceResult) -> Vec<(Cause, &'r Check)> {
    let mut failed: Vec<&Check> = result.checks.iter().filter(|check| check.verdict == Verdict::Fail).collect();
    failed.sort_by_key(|check| check.step.unwrap_or(usize::MAX));
    failed.into_iter().map(|check| (cause(told, check), check)).collect()
}

fn cause(told: &[Told], check: &Check) -> Cause {
    let step = check.step.and_then(|step| told.get(step)).map(|t| match check.finding.as_deref() {
        // Whatever the step was about.
        Some("shown-twice") => ONCE.to_owned(),
        _ => t.requirement.to_owned(),
    });
    let requirement = step.or_else(|| check.requirements.first().cloned()).unwrap_or_else(|| EXCHANGE.to_owned());
    Cause { requirement, finding: check.finding.clone().unwrap_or_else(|| check.id.clone()) }
}

/// The requirement that a failure misses, as far as what is left of its walk tells more than that a text was not exchanged.
#[must_use]
pub fn refined(walk: &Walk, cause: &Cause) -> &'static str {
    let has = |what: fn(&Action) -> bool| walk.actions.iter().any(what);
    let about_reading = matches!(cause.finding.as_str(), "not-shown" | "refused-good" | "unreadable");
    if cause.requirement != EXCHANGE || !about_reading {
        return crate::model::known(&cause.requirement).unwrap_or(EXCHANGE);
    }
    if has(|action| matches!(action, Action::Rotate { standing: true, .. })) {
        return "PK-05";
    }
    if has(|action| matches!(action, Action::Fetch { .. } | Action::Write { fresh: true, .. })) {
        return "LIFE-07";
    }
    if has(|action| matches!(action, Action::Go { .. })) {
        return "LIFE-03";
    }
    if has(|action| matches!(action, Action::Write { fate: Fate::Held, .. })) {
        return "ORD-01";
    }
    if has(|action| matches!(action, Action::Lose { .. } | Action::Write { fate: Fate::Lost, .. })) {
        return "ORD-02";
    }
    if has(|action| matches!(action, Action::NoOneTimePrekey(_))) {
        return "PK-02";
    }
    EXCHANGE
}
