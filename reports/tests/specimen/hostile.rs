//! A record whose every text comes from an attacker.

use crate::specimen::{Specimen, every_verdict};
use countersign_trace::event::Fault;
use countersign_trace::{Body, Cover, Event, Input, Observation, Outcome, Waiver, WaiverStanding, WaiverState};
use serde_json::json;

/// Every text that a candidate or a scenario's files could influence, replaced.
pub(crate) fn hostile(evil: &str) -> Specimen {
    let mut out = every_verdict();
    let record = &mut out.record;
    let s = || evil.to_owned();
    record.header.target = s();
    record.header.only = vec![s()];
    record.header.expected_failures = vec![s()];
    let cover = Cover { scenario: s(), check: Some(s()), requirement: Some(s()), finding: Some(s()), blocked: false };
    if let Ok(until) = "2026-12-31".parse() {
        let waiver = Waiver { id: s(), owner: s(), reason: s(), link: s(), until, profile: Some(s()), covers: vec![cover] };
        record.header.waivers = vec![waiver];
    }
    if let Some(summary) = &mut record.summary {
        summary.waivers = vec![WaiverStanding { waiver: s(), state: WaiverState::Stale, checks: 1, because: s() }];
    }
    if let Some(doctor) = &mut record.doctor {
        for examination in &mut doctor.examinations {
            (examination.name, examination.found, examination.fix) = (s(), s(), Some(s()));
        }
        if let Some(d) = &mut doctor.description {
            (d.name, d.version, d.build, d.operator, d.contract, d.assumptions) = (s(), s(), s(), s(), s(), vec![s()]);
        }
    }
    if let Some(plan) = &mut record.plan {
        plan.selected.push(s());
        for left_out in &mut plan.left_out {
            (left_out.name, left_out.because) = (s(), s());
        }
    }
    for instance in &mut record.instances {
        for check in &mut instance.checks {
            (check.id, check.expected, check.observed) = (s(), s(), s());
            (check.requirements, check.finding, check.likely_cause) = (vec![s()], Some(s()), Some(s()));
            check.waiver = Some(s());
        }
        for entry in &mut instance.trace {
            spoil(&mut entry.event, evil);
        }
    }
    for (at, instance) in record.instances.iter_mut().enumerate() {
        match at {
            1 => instance.scenario = s(),
            2 => instance.case = Some(s()),
            _ => {}
        }
    }
    for scenario in &mut out.scenarios {
        (scenario.title, scenario.why, scenario.source_yaml, scenario.steps) = (s(), s(), s(), vec![s()]);
    }
    for requirement in &mut out.requirements {
        (requirement.sentence, requirement.source, requirement.level) = (s(), s(), s());
        (requirement.attack, requirement.usual_cause, requirement.fix) = (s(), s(), s());
    }
    let profile = &mut out.profile;
    (profile.title, profile.limits) = (s(), vec![(s(), s())]);
    (profile.assumptions, profile.does_not_show) = (vec![s()], vec![s()]);
    out
}

fn spoil(event: &mut Event, evil: &str) {
    let s = || evil.to_owned();
    match event {
        Event::Input(Input::Request { method, path, body, .. }) => (*method, *path, *body) = (s(), s(), Body::Text(s())),
        Event::Input(Input::ChatFrame { text, .. }) => {
            *text = Body::Text(json!({ "kind": evil, evil: evil, "body": evil }).to_string())
        }
        Event::Input(Input::Returned { outcome, .. }) => *outcome = Outcome::Fault { fault: Fault::NotTheContract, detail: s() },
        Event::Call { args, op, .. } => (*args, *op) = (json!({ evil: evil }), s()),
        Event::Frame { text, .. } => *text = Body::Text(s()),
        Event::Named { name, .. } => *name = s(),
        Event::Disturbed { how, .. } => *how = s(),
        Event::Observed { observation, .. } => *observation = Observation::Invalid { what: s(), detail: s() },
        _ => {}
    }
}
