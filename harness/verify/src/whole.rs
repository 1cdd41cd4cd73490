//! The record as a whole: plan, seeds, summary.

use crate::{FindingKind, Verification};
use countersign_judge::RunJudge;
use countersign_scenarios::plan::{Filter, Plan};
use countersign_scenarios::{Profile, Suite};
use countersign_trace::{Digest, Record};
use std::collections::BTreeSet;

pub(crate) fn check(record: &Record, suite: &Suite, profile: &Profile, run: &RunJudge, out: &mut Verification) {
    check_plan(record, suite, profile, out);
    let Some(summary) = &record.summary else { return };
    if Digest::of(&summary.seed.0) != record.header.seed_commitment {
        out.add(None, FindingKind::Seed, "the run's seed is not the one that the header commits to");
    }
    for result in &record.instances {
        if countersign_instance::instance_seed(&summary.seed.0, &result.name()) != result.seed.0 {
            out.add(Some(&result.name()), FindingKind::Seed, "the instance's seed does not follow from the run's");
        }
    }
    let checks = run.checks(profile);
    if checks != summary.checks {
        out.add(None, FindingKind::Summary, "judging the run as a whole again gives other checks");
    }
    let conclusion = countersign_judge::conclude(
        record.plan.as_ref(),
        record.doctor.as_ref(),
        profile,
        &record.instances,
        &checks,
        summary.interrupted.as_deref(),
    );
    if conclusion.verdict != summary.verdict || conclusion.exit_code != summary.exit_code || conclusion.counts != summary.counts {
        let what = format!(
            "the record says {} (exit code {}), its instances give {} (exit code {})",
            summary.verdict, summary.exit_code, conclusion.verdict, conclusion.exit_code
        );
        out.add(None, FindingKind::Summary, what);
    }
}

/// What was selected must follow from suite, profile and claims; and what was selected must be there.
fn check_plan(record: &Record, suite: &Suite, profile: &Profile, out: &mut Verification) {
    let Some(recorded) = &record.plan else { return };
    let Some(description) = record.doctor.as_ref().and_then(|d| d.description.as_ref()) else { return };
    match Filter::new(&record.header.only) {
        Ok(filter) if Plan::new(suite, profile, description, &filter).to_record() == *recorded => {}
        Ok(_) => out.add(None, FindingKind::Plan, "suite, profile and claims give another selection"),
        Err(cause) => out.add(None, FindingKind::Plan, format!("the filters cannot be read: {cause}")),
    }
    let mut seen = BTreeSet::new();
    for result in &record.instances {
        if !seen.insert(result.name()) {
            out.add(Some(&result.name()), FindingKind::Plan, "it stands there twice");
        }
        if !recorded.selected.contains(&result.name()) {
            out.add(Some(&result.name()), FindingKind::Plan, "it was not selected");
        }
    }
    let interrupted = record.summary.as_ref().is_none_or(|s| s.interrupted.is_some());
    if !interrupted && let Some(missing) = recorded.selected.iter().find(|name| !seen.contains(*name)) {
        out.add(Some(missing), FindingKind::Plan, "it was selected, and there is no result of it");
    }
}
