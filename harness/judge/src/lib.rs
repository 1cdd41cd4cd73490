//! Scenario and trace give verdicts, and the monitors watch every trace. Pure: no clock, no socket, no file.
//!
//! * [`judge()`]: every check of one instance.
//! * [`judge_run`]: what only shows when all instances of a run are held against each other.
//! * [`worst`]: the verdict of a scenario or a run from its checks.
//!
//! Every byte that a candidate wrote may be hostile. Nothing here panics on one, and nothing that a candidate says of itself is
//! believed where the wire shows it.

use countersign_contract::claims::Description;
use countersign_scenarios::{Profile, Requirement, Scenario};
use countersign_trace::{Blame, Blobs, Check, CheckKind, Entry, InstanceResult, Verdict};

/// Judges one instance: a check for each expectation, for each step that had to succeed, and for each monitor.
///
/// `scenario` is the scenario with its case filled in; `description` is what the candidate claims.
#[must_use]
pub fn judge(
    _profile: &Profile,
    _requirements: &[Requirement],
    _scenario: &Scenario,
    _trace: &[Entry],
    _blobs: &Blobs,
    _description: &Description,
) -> Vec<Check> {
    vec![unfinished()]
}

/// Judges a run as a whole: nothing secret or unique is used in two instances.
#[must_use]
pub fn judge_run(_profile: &Profile, _instances: &[InstanceResult], _blobs: &Blobs) -> Vec<Check> {
    vec![unfinished()]
}

/// The worst verdict of some checks; without any check, [`Verdict::HarnessError`]: nothing was judged.
#[must_use]
pub fn worst(checks: &[Check]) -> Verdict {
    checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::HarnessError)
}

fn unfinished() -> Check {
    Check {
        id: "judge".into(),
        kind: CheckKind::Monitor,
        step: None,
        requirements: vec![],
        verdict: Verdict::HarnessError,
        expected: "a verdict".into(),
        observed: "this version cannot judge yet".into(),
        reason: None,
        finding: None,
        blame: Some(Blame::Harness),
        evidence: vec![],
        likely_cause: None,
    }
}
