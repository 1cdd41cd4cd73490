//! From the checks of all instances to the verdict of a run and its exit code.

use countersign_scenarios::Profile;
use countersign_trace::record::{Doctor, Plan};
use countersign_trace::{Check, InstanceResult, Verdict};
use std::collections::BTreeMap;

/// What is said of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// The verdict.
    pub verdict: Verdict,
    /// The exit code of `countersign run`: 0 conforms, and everything required was judged; 1 harness error; 3 doctor failed,
    /// environment error or blocked; 4 the candidate failed; 6 inconclusive or needs review; 7 nothing selected; 130 interrupted.
    pub exit_code: u8,
    /// Instances by verdict, best first; verdicts that did not occur are left out.
    pub counts: Vec<(Verdict, u64)>,
}

/// Concludes a run. A failure of the candidate outweighs all but an error of our own: no interruption and no later trouble takes
/// it back.
#[must_use]
pub fn conclude(
    plan: Option<&Plan>,
    doctor: Option<&Doctor>,
    profile: &Profile,
    instances: &[InstanceResult],
    run_checks: &[Check],
    interrupted: Option<&str>,
) -> Conclusion {
    let mut by_verdict: BTreeMap<Verdict, u64> = BTreeMap::new();
    for instance in instances {
        *by_verdict.entry(instance.verdict).or_default() += 1;
    }
    let counts = by_verdict.iter().map(|(verdict, count)| (*verdict, *count)).collect();
    let left_out = plan.into_iter().flat_map(|p| &p.left_out).map(|l| match l.verdict {
        // What was not tested for want of a test capability counts for what the profile says.
        Verdict::Unsupported => profile.unsupported_counts_as,
        other => other,
    });
    let found: Vec<Verdict> =
        instances.iter().map(|i| i.verdict).chain(run_checks.iter().map(|c| c.verdict)).chain(left_out).collect();
    let has = |verdict: Verdict| found.contains(&verdict);
    let missing = plan.is_some_and(|p| p.selected.len() > instances.len()) && interrupted.is_none();
    let sick = doctor.is_none_or(|d| !d.healthy());
    let worst = found.iter().copied().max().unwrap_or(Verdict::Pass);
    let (verdict, exit_code) = if has(Verdict::HarnessError) || missing {
        // A failure of the candidate is still named in its checks; but a run that broke down must not pass for a judged one.
        (if has(Verdict::Fail) { Verdict::Fail } else { Verdict::HarnessError }, 1)
    } else if has(Verdict::Fail) {
        (Verdict::Fail, 4)
    } else if interrupted.is_some() {
        (worst.max(Verdict::Inconclusive), 130)
    } else if sick || has(Verdict::EnvironmentError) || has(Verdict::Blocked) {
        (worst.max(Verdict::EnvironmentError), 3)
    } else if has(Verdict::Inconclusive) || has(Verdict::NeedsReview) {
        (worst, 6)
    } else if instances.is_empty() {
        (Verdict::Inconclusive, 7)
    } else {
        (worst, 0)
    };
    Conclusion { verdict, exit_code, counts }
}
