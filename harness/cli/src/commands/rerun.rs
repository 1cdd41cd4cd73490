//! Which instances of an earlier record are to be run again.

use crate::commands::report;
use crate::fault::Fault;
use countersign_trace::{InstanceResult, Record, Verdict};
use std::path::Path;

/// Names of the instances that did not come to a good end: failed, inconclusive, not judged, or planned and not there.
pub(crate) fn failed(path: &Path) -> Result<(Record, Vec<String>), Fault> {
    let record = report::read(path)?;
    let mut names: Vec<String> = record.instances.iter().filter(|i| again(i.verdict)).map(InstanceResult::name).collect();
    if let Some(plan) = &record.plan {
        // Left out as a failure: it stays one until the candidate claims what is required.
        names.extend(plan.left_out.iter().filter(|l| l.verdict == Verdict::Fail).map(|l| l.name.clone()));
        let ended = |name: &String| record.instances.iter().any(|i| i.name() == *name);
        names.extend(plan.selected.iter().filter(|name| !ended(name)).cloned());
    }
    names.sort();
    names.dedup();
    Ok((record, names))
}

const fn again(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Fail
        | Verdict::Inconclusive
        | Verdict::EnvironmentError
        | Verdict::HarnessError
        | Verdict::NeedsReview
        | Verdict::Blocked => true,
        Verdict::Pass | Verdict::NotApplicable | Verdict::Waived | Verdict::Warn | Verdict::Unsupported => false,
    }
}
