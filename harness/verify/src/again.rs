//! One instance, executed and judged again.

use crate::{FindingKind, Verification};
use countersign_contract::claims::{Capability, Description};
use countersign_instance::{Instance, InstancePlan, Spoken, no_meter};
use countersign_judge::Waivers;
use countersign_scenarios::{Planned, Profile, Requirement, Suite};
use countersign_trace::event::{Entry, Event};
use countersign_trace::record::Repeat;
use countersign_trace::{Blobs, Bodies, Check, InstanceResult, RecordError, Trace};
use std::sync::Arc;

/// What all instances of a record have in common.
pub(crate) struct Common<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) profile: &'a Arc<Profile>,
    pub(crate) requirements: &'a [Requirement],
    pub(crate) description: &'a Description,
    pub(crate) waivers: &'a Waivers<'a>,
    pub(crate) bodies: &'a dyn Bodies,
}

/// An instance with its long bodies, and its repeats, which its verdict rests on too.
pub(crate) fn check(
    result: &InstanceResult,
    blobs: &Blobs,
    repeats: &[&Repeat],
    common: &Common<'_>,
    out: &mut Verification,
) -> Result<(), RecordError> {
    let name = result.name();
    let mut again = Vec::new();
    for repeat in repeats {
        let name = Repeat::seed_name(&name, repeat.number);
        let blobs = common.bodies.of(&repeat.result)?;
        let Some(checks) = execution(&name, &repeat.result, &blobs, common, out) else { return Ok(()) };
        confirm(&name, &repeat.result, &checks, out);
        again.push(checks);
    }
    let Some(checks) = execution(&name, result, blobs, common, out) else { return Ok(()) };
    let mut checks = countersign_judge::settle(checks, &again);
    common.waivers.apply(&name, &mut checks);
    confirm(&name, result, &checks, out);
    Ok(())
}

/// The plan of an instance as its record says that it was executed.
pub(crate) fn plan(result: &InstanceResult, planned: &Planned, common: &Common<'_>) -> InstancePlan {
    InstancePlan {
        scenario: planned.scenario.clone(),
        case: planned.case.clone(),
        name: planned.name.clone(),
        profile: common.profile.clone(),
        instance: result.instance,
        seed: result.seed.0,
        gateway_url: of_open(&result.trace, "gateway").unwrap_or_default(),
        trust_anchors: of_open(&result.trace, "trust_anchors"),
        suite: Spoken::with(common.profile, common.description),
        virtual_clock: common.description.capabilities.contains(&Capability::VirtualClock),
        meter: no_meter,
    }
}

/// One execution: the trace follows from its inputs; the checks that it comes to by itself.
fn execution(
    name: &str,
    result: &InstanceResult,
    blobs: &Blobs,
    common: &Common<'_>,
    out: &mut Verification,
) -> Option<Vec<Check>> {
    let Some(planned) = common.suite.instances(common.profile).into_iter().find(|p| p.name == result.name()) else {
        out.add(Some(name), FindingKind::Plan, "the suite has no such scenario");
        return None;
    };
    out.instances += 1;
    if countersign_instance::instance_id(&result.seed.0) != result.instance {
        out.add(Some(name), FindingKind::Seed, "the instance's name does not follow from its seed");
    }
    let (again, ended) = execute(plan(result, &planned, common), &result.trace, blobs);
    out.entries += again.len();
    if !ended {
        // A run never leaves one: what came after was cut off.
        out.add(Some(name), FindingKind::Trace, "the trace ends before the instance does");
    }
    if let Some(difference) = first_difference(&result.trace, &again) {
        out.add(Some(name), FindingKind::Trace, difference);
    }
    let Common { profile, requirements, description, .. } = common;
    let checks = countersign_judge::judge(profile, requirements, &planned.scenario, &result.trace, blobs, description);
    out.checks += checks.len();
    Some(checks)
}

fn confirm(name: &str, result: &InstanceResult, checks: &[Check], out: &mut Verification) {
    compare_checks(name, &result.checks, checks, out);
    let worst = countersign_judge::worst(checks);
    if worst != result.verdict {
        out.add(Some(name), FindingKind::Verdict, format!("the record says {}, its trace gives {worst}", result.verdict));
    }
}

/// What the candidate was told of the gateway, its address and whom to trust there: all of the environment that the reference's
/// bytes depend on.
fn of_open(trace: &Trace, member: &str) -> Option<String> {
    trace.iter().find_map(|entry| match &entry.event {
        Event::Call { op, args, .. } if op == "open" => Some(args.get(member)?.as_str()?.to_owned()),
        _ => None,
    })
}

/// Feeds the inputs of a trace to a new instance. Says whether it came to its end.
pub(crate) fn execute(plan: InstancePlan, trace: &Trace, blobs: &Blobs) -> (Trace, bool) {
    let mut instance = Instance::new(plan);
    instance.lend(blobs);
    for entry in trace {
        if let Event::Input(input) = &entry.event {
            instance.handle(entry.at_us, input.clone());
        }
    }
    let ended = instance.is_finished();
    (instance.finish().trace, ended)
}

pub(crate) fn first_difference(recorded: &[Entry], again: &[Entry]) -> Option<String> {
    if let Some((old, new)) = recorded.iter().zip(again).find(|(old, new)| old != new) {
        let (old_json, new_json) = (describe(old), describe(new));
        return Some(format!("entry {}: the record says {old_json}, re-execution gives {new_json}", old.n));
    }
    (recorded.len() != again.len())
        .then(|| format!("the record has {} entries, re-execution gives {}", recorded.len(), again.len()))
}

/// The beginning of an entry, for people.
fn describe(entry: &Entry) -> String {
    let json = serde_json::to_string(&entry.event).unwrap_or_default();
    let short: String = json.chars().take(160).collect();
    if short.len() < json.len() {
        format!("{short}… at {} µs", entry.at_us)
    } else {
        format!("{short} at {} µs", entry.at_us)
    }
}

fn compare_checks(name: &str, recorded: &[Check], again: &[Check], out: &mut Verification) {
    for (old, new) in recorded.iter().zip(again).filter(|(old, new)| old != new) {
        let what = if old.verdict == new.verdict {
            format!(
                "check {}: {} as recorded, but for other reasons: judging again observes: {}",
                old.id, old.verdict, new.observed
            )
        } else {
            format!("check {}: the record says {}, judging again gives {}", old.id, old.verdict, new.verdict)
        };
        out.add(Some(name), FindingKind::Verdict, what);
    }
    if recorded.len() != again.len() {
        let what = format!("the record has {} checks, judging again gives {}", recorded.len(), again.len());
        out.add(Some(name), FindingKind::Verdict, what);
    }
}
