//! The end of a run: one verdict, one exit code.

use countersign_scenarios::Profile;
use countersign_trace::record::{Doctor, Plan};
use countersign_trace::{Check, InstanceResult, Verdict, WaiverStanding};
use std::collections::{BTreeMap, BTreeSet};

/// What a run comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// The verdict of the run.
    pub verdict: Verdict,
    /// The exit code that goes with it: 0 conforms, 1 harness error, 3 environment error or blocked, 4 the candidate failed,
    /// 5 a waiver is out of date, 6 inconclusive or not all judged, 7 nothing selected, 130 interrupted.
    pub exit_code: u8,
    /// Number of instances by verdict, worst last; verdicts that did not occur are left out.
    pub counts: Vec<(Verdict, u64)>,
}

/// Concludes a run from what its record holds.
///
/// The worst verdict decides. A failure that was found stands, whatever else went wrong: it goes before an interruption, an
/// unhealthy environment and a fault of our own. Left out as `unsupported` counts for what the profile says; what does not apply
/// counts for nothing. A selected instance without a result is a harness error unless the run was interrupted.
///
/// `instances` and `checks` are those to which the waivers were applied, and `waivers` is what these came to. What is waived is no
/// pass: it stays the verdict of the run where nothing is worse. A waiver that is out of date goes before what is undecided.
#[must_use]
pub fn conclude(
    plan: Option<&Plan>,
    doctor: Option<&Doctor>,
    profile: &Profile,
    instances: &[InstanceResult],
    checks: &[Check],
    waivers: &[WaiverStanding],
    interrupted: Option<&str>,
) -> Conclusion {
    let mut by_verdict: BTreeMap<Verdict, u64> = BTreeMap::new();
    for instance in instances {
        *by_verdict.entry(instance.verdict).or_default() += 1;
    }
    let counts = by_verdict.into_iter().collect();
    let left_out = plan.into_iter().flat_map(|p| &p.left_out).map(|l| match l.verdict {
        Verdict::Unsupported => profile.unsupported_counts_as,
        other => other,
    });
    // What an instance is said to be, and what its checks say, have to agree: the worse counts.
    let judged = instances.iter().flat_map(|i| [i.verdict, crate::worst(&i.checks)]);
    let run = checks.iter().map(|c| c.verdict);
    let found = judged.chain(run).chain(left_out).filter(|v| *v != Verdict::NotApplicable).max();
    let found = found.unwrap_or(Verdict::Pass);
    let with = |verdict: Verdict, exit_code: u8| Conclusion { verdict, exit_code, counts };
    if found == Verdict::Fail {
        return with(Verdict::Fail, 4);
    }
    if interrupted.is_some() {
        return with(found.max(Verdict::Inconclusive), 130);
    }
    if doctor.is_none_or(|d| !d.healthy()) {
        return with(found.max(Verdict::EnvironmentError), 3);
    }
    let Some(plan) = plan else { return with(Verdict::HarnessError, 1) };
    if plan.selected.is_empty() {
        return with(found.max(Verdict::Inconclusive), 7);
    }
    let names: BTreeSet<String> = instances.iter().map(InstanceResult::name).collect();
    let missing = plan.selected.iter().any(|name| !names.contains(name));
    let verdict = if missing { found.max(Verdict::HarnessError) } else { found };
    if waivers.iter().any(|w| w.state.is_outdated())
        && !matches!(verdict, Verdict::HarnessError | Verdict::EnvironmentError | Verdict::Blocked)
    {
        return with(verdict.max(Verdict::NeedsReview), 5);
    }
    let exit_code = match verdict {
        Verdict::Pass | Verdict::NotApplicable | Verdict::Waived | Verdict::Warn => 0,
        Verdict::HarnessError => 1,
        Verdict::EnvironmentError | Verdict::Blocked => 3,
        Verdict::Fail => 4,
        Verdict::Unsupported | Verdict::Inconclusive | Verdict::NeedsReview => 6,
    };
    with(verdict, exit_code)
}
