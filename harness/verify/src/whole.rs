//! The record as a whole: plan, seeds, summary.

use crate::{FindingKind, Verification};
use countersign_judge::stability::REPEATS;
use countersign_judge::waivers::Judged;
use countersign_judge::{RunJudge, Waivers};
use countersign_scenarios::plan::{Filter, Plan};
use countersign_scenarios::{Profile, Suite};
use countersign_trace::record::Repeat;
use countersign_trace::{Digest, Record, WHOLE_RUN};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn check(
    record: &Record,
    suite: &Suite,
    profile: &Profile,
    run: &RunJudge,
    waivers: &Waivers<'_>,
    out: &mut Verification,
) {
    check_plan(record, suite, profile, out);
    check_repeats(record, out);
    let Some(summary) = &record.summary else { return };
    if Digest::of(&summary.seed.0) != record.header.seed_commitment {
        out.add(None, FindingKind::Seed, "the run's seed is not the one that the header commits to");
    }
    for result in &record.instances {
        if countersign_instance::instance_seed(&summary.seed.0, &result.name()) != result.seed.0 {
            out.add(Some(&result.name()), FindingKind::Seed, "the instance's seed does not follow from the run's");
        }
    }
    for repeat in &record.repeats {
        let name = Repeat::seed_name(&repeat.result.name(), repeat.number);
        if countersign_instance::instance_seed(&summary.seed.0, &name) != repeat.result.seed.0 {
            out.add(Some(&name), FindingKind::Seed, "the repeat's seed does not follow from the run's");
        }
    }
    let mut checks = run.checks(profile);
    waivers.apply(WHOLE_RUN, &mut checks);
    if checks != summary.checks {
        out.add(None, FindingKind::Summary, "judging the run as a whole again gives other checks");
    }
    let judged = Judged { instances: &record.instances, checks: &checks, interrupted: summary.interrupted.is_some() };
    let standings = waivers.standings(record.plan.as_ref(), &judged);
    if standings != summary.waivers {
        out.add(None, FindingKind::Waivers, "the waivers come to something else than the record says");
    }
    let conclusion = countersign_judge::conclude(
        record.plan.as_ref(),
        record.doctor.as_ref(),
        profile,
        &record.instances,
        &checks,
        &standings,
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

/// Repeats are all there, each once, and only where they say something: whoever may choose among executions may choose the verdict.
fn check_repeats(record: &Record, out: &mut Verification) {
    let mut numbers: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for repeat in &record.repeats {
        numbers.entry(repeat.result.name()).or_default().push(repeat.number);
    }
    let interrupted = record.summary.as_ref().is_none_or(|s| s.interrupted.is_some());
    for (name, numbers) in &numbers {
        let counted = numbers.iter().copied().eq(1..=REPEATS)
            || (interrupted && numbers.len() <= REPEATS as usize && numbers.iter().copied().eq((1..).take(numbers.len())));
        if !counted {
            out.add(Some(name), FindingKind::Plan, format!("its repeats are numbered {numbers:?}, not 1 to {REPEATS}"));
        }
        if record.header.carrier == "in-process" {
            out.add(Some(name), FindingKind::Plan, "it has repeats, and what runs in process is never repeated");
        }
        if !interrupted && !record.instances.iter().any(|i| i.name() == *name) {
            out.add(Some(name), FindingKind::Plan, "it has repeats, and no result");
        }
    }
}
