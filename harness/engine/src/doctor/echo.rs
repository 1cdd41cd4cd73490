//! A round trip of one message each way, before anything is made difficult.

use super::{Chart, Patient, Unhealthy};
use crate::carrier::quote;
use crate::derive;
use crate::driver::{drive, meter};
use countersign_contract::claims::{Capability, Description};
use countersign_contract::seen::What;
use countersign_contract::{Answer, Operation, StanzaId};
use countersign_instance::InstancePlan;
use countersign_scenarios::Scenario;
use countersign_trace::event::{Event, Input, Outcome};
use countersign_trace::{Entry, Observation};
use serde_json::json;
use std::sync::Arc;

/// The name of the examination.
const NAME: &str = "echo";

/// A text to the candidate, and one from it.
fn scenario() -> Result<Scenario, serde_json::Error> {
    let text =
        |from: &str, to: &str, name: &str| json!({ "send": { "from": from, "to": to, "as": name, "content": { "text": name } } });
    let shown = |user: &str, name: &str| json!({ "expect": { "shows": { "user": user, "messages": [name] } } });
    serde_json::from_value(json!({
        "id": "doctor/echo",
        "title": "A message each way.",
        "why": "Nothing else can be examined if this does not work.",
        "verifies": [],
        "cast": { "ours": "reference", "theirs": "candidate" },
        "steps": [text("ours", "theirs", "there"), shown("theirs", "there"), text("theirs", "ours", "back"), shown("ours", "back")],
    }))
}

pub(super) async fn echo(patient: &Patient<'_>, chart: &mut Chart, claims: &Description) -> Result<(), Unhealthy> {
    let scenario = match scenario() {
        Ok(scenario) => scenario,
        Err(error) => {
            return chart.unhealthy(NAME, format!("our own scenario does not parse: {error}"), "report this: it is our fault");
        }
    };
    let instance = derive::instance(&patient.seed, NAME);
    let gateway = patient.gateways.open(instance);
    let plan = InstancePlan {
        name: scenario.id.clone(),
        scenario: Arc::new(scenario),
        case: None,
        profile: Arc::clone(patient.profile),
        instance,
        seed: derive::seed(&patient.seed, NAME),
        gateway_url: gateway.url.clone(),
        virtual_clock: claims.capabilities.contains(&Capability::VirtualClock),
        meter,
    };
    let driven = drive(plan, gateway, Arc::clone(patient.endpoint), patient.patience, patient.interrupt.clone()).await;
    let trace = &driven.finished.trace;
    if let Some((what, fix)) = went_wrong(trace) {
        return chart.unhealthy(NAME, what, fix);
    }
    if let Some(cause) = driven.aborted {
        return chart.unhealthy(NAME, format!("the round trip was cut short: {cause}"), "try again; if it stays so, report it");
    }
    let took = format!("a message each way was shown, {} ms in all", driven.wall.as_millis());
    chart.decide(NAME, arrived(trace).map(|()| took))
}

/// The first call that did not succeed.
fn went_wrong(trace: &[Entry]) -> Option<(String, String)> {
    let op = |call: u64| {
        trace.iter().find_map(|entry| match &entry.event {
            Event::Call { call: c, op, .. } if *c == call => Some(op.clone()),
            _ => None,
        })
    };
    trace.iter().find_map(|entry| {
        let Event::Input(Input::Returned { call, outcome }) = &entry.event else { return None };
        let op = op(*call).unwrap_or_default();
        let waits = Operation::from_name(&op).map(Operation::blocks_on).unwrap_or_default();
        match outcome {
            Outcome::Ok(_) => None,
            Outcome::Problem(problem) => Some((
                format!("`{op}` was answered `{}`: {}", problem.reason, quote(problem.detail.as_bytes())),
                format!("`{op}` has to succeed here; it waits for: {waits}"),
            )),
            Outcome::Fault { detail, .. } => {
                Some((format!("`{op}` had no answer: {detail}"), format!("`{op}` waits for: {waits}; and for nothing else")))
            }
        }
    })
}

/// Whether both messages were shown.
fn arrived(trace: &[Entry]) -> Result<(), (String, String)> {
    let named = |wanted: &str| {
        trace.iter().find_map(|entry| match &entry.event {
            Event::Named { name, stanza } if name == wanted => Some(*stanza),
            _ => None,
        })
    };
    let there = named("there").is_some_and(|stanza| trace.iter().any(|entry| candidate_shows(entry, stanza)));
    if !there {
        let refusals = refusals(trace);
        return Err((
            format!("a message to the candidate was not shown among its `events`{refusals}"),
            "check that the client is online after `connect`, decrypts what the gateway delivers, and lists it in `events`"
                .to_owned(),
        ));
    }
    let back = named("back").is_some_and(|stanza| {
        trace.iter().any(|entry| matches!(&entry.event, Event::Observed { observation: Observation::Shown { message, .. }, .. } if *message == stanza))
    });
    if back {
        return Ok(());
    }
    Err((
        format!("a message from the candidate could not be shown to ours{}", refusals(trace)),
        "check that `send` uses the given stanza id, encrypts for the bundle of the recipient, and waits for `accepted`"
            .to_owned(),
    ))
}

fn candidate_shows(entry: &Entry, stanza: StanzaId) -> bool {
    let Event::Input(Input::Returned { outcome: Outcome::Ok(value), .. }) = &entry.event else { return false };
    let Ok(Answer::Events(list)) = Operation::Events.parse_answer(value.clone()) else { return false };
    list.events.iter().any(|seen| matches!(&seen.what, What::Message { message, .. } if *message == stanza))
}

/// What either side refused, in words.
fn refusals(trace: &[Entry]) -> String {
    let mut said: Vec<String> = Vec::new();
    for entry in trace {
        match &entry.event {
            Event::Observed { observation: Observation::Refused { reason, detail, .. }, .. } => {
                said.push(format!("our user refused it: `{reason}`, {}", quote(detail.as_bytes())));
            }
            Event::Observed { observation: Observation::Invalid { what, detail }, .. } => {
                said.push(format!("the gateway refused {}: {}", quote(what.as_bytes()), quote(detail.as_bytes())));
            }
            Event::Input(Input::Returned { outcome: Outcome::Ok(value), .. }) => {
                if let Ok(Answer::Events(list)) = Operation::Events.parse_answer(value.clone()) {
                    said.extend(list.events.iter().filter_map(|seen| match &seen.what {
                        What::Refused { reason, .. } => Some(format!("its user refused it: `{reason}`")),
                        _ => None,
                    }));
                }
            }
            _ => {}
        }
    }
    said.truncate(3);
    if said.is_empty() { String::new() } else { format!("; {}", said.join("; ")) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_scenario_is_one() {
        assert_eq!(super::scenario().unwrap().steps.len(), 4);
    }
}
