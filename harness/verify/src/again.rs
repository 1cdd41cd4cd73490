//! One instance, executed and judged again.

use crate::{FindingKind, Verification};
use countersign_contract::claims::{Capability, Description};
use countersign_instance::{Instance, InstancePlan, no_meter};
use countersign_scenarios::{Profile, Requirement, Suite};
use countersign_trace::event::{Entry, Event};
use countersign_trace::{Blobs, Check, InstanceResult, Trace};
use std::sync::Arc;

pub(crate) fn check(
    result: &InstanceResult,
    suite: &Suite,
    profile: &Arc<Profile>,
    requirements: &[Requirement],
    description: &Description,
    blobs: &Blobs,
    out: &mut Verification,
) {
    let name = result.name();
    let Some(planned) = suite.instances(profile).into_iter().find(|p| p.name == name) else {
        return out.add(Some(&name), FindingKind::Plan, "the suite has no such scenario");
    };
    out.instances += 1;
    if countersign_instance::instance_id(&result.seed.0) != result.instance {
        out.add(Some(&name), FindingKind::Seed, "the instance's name does not follow from its seed");
    }
    let virtual_clock = description.capabilities.contains(&Capability::VirtualClock);
    let plan = InstancePlan {
        scenario: planned.scenario.clone(),
        case: planned.case.clone(),
        name: name.clone(),
        profile: profile.clone(),
        instance: result.instance,
        seed: result.seed.0,
        gateway_url: of_open(&result.trace, "gateway").unwrap_or_default(),
        trust_anchors: of_open(&result.trace, "trust_anchors"),
        virtual_clock,
        meter: no_meter,
    };
    let (again, ended) = execute(plan, &result.trace, blobs);
    out.entries += again.len();
    if !ended {
        // A run never leaves one: what came after was cut off.
        out.add(Some(&name), FindingKind::Trace, "the trace ends before the instance does");
    }
    if let Some(difference) = first_difference(&result.trace, &again) {
        out.add(Some(&name), FindingKind::Trace, difference);
    }
    let checks = countersign_judge::judge(profile, requirements, &planned.scenario, &result.trace, blobs, description);
    out.checks += checks.len();
    compare_checks(&name, &result.checks, &checks, out);
    let worst = countersign_judge::worst(&checks);
    if worst != result.verdict {
        out.add(Some(&name), FindingKind::Verdict, format!("the record says {}, its trace gives {worst}", result.verdict));
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
fn execute(plan: InstancePlan, trace: &Trace, blobs: &Blobs) -> (Trace, bool) {
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

fn first_difference(recorded: &[Entry], again: &[Entry]) -> Option<String> {
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
