//! A round trip of one message each way, before anything is made difficult. It is unhealthy only if the two sides cannot reach each
//! other, or if the contract is not spoken: a message that is wrong is a matter of conformance, and the scenarios judge it.

use super::{Chart, Patient, Unhealthy};
use crate::carrier::quote;
use crate::derive;
use crate::driver::{drive, meter};
use crate::gateways::Gateways;
use countersign_contract::claims::{Capability, Description};
use countersign_contract::portable::Stanza;
use countersign_contract::seen::{Seen, What};
use countersign_contract::{Answer, Operation, Reason, StanzaId};
use countersign_instance::{InstancePlan, Spoken};
use countersign_scenarios::Scenario;
use countersign_trace::event::{Event, Input, Outcome};
use countersign_trace::{Blobs, Entry, Observation};
use serde_json::json;
use std::sync::Arc;

/// The name of the examination.
const NAME: &str = "echo";

/// Most remarks in a finding.
const MOST_SAID: usize = 3;

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
        trust_anchors: gateway.trust_anchors.clone(),
        suite: Spoken::with(patient.profile, claims),
        virtual_clock: claims.capabilities.contains(&Capability::VirtualClock),
        meter,
    };
    let driven = drive(plan, gateway, Arc::clone(patient.endpoint), patient.patience, patient.interrupt.clone()).await;
    if let Some(cause) = driven.aborted {
        return chart.unhealthy(NAME, format!("the round trip was cut short: {cause}"), "try again; if it stays so, report it");
    }
    let (trace, blobs) = (&driven.finished.trace, &driven.finished.blobs);
    let finding = went_wrong(trace).and_then(|()| reached(trace, blobs, patient.gateways));
    chart.decide(NAME, finding.map(|()| told(trace, driven.wall.as_millis())))
}

/// A call that the candidate could not answer at all, or only by saying that it cannot.
fn went_wrong(trace: &[Entry]) -> Result<(), (String, String)> {
    for (op, outcome) in answers(trace) {
        let waits = Operation::from_name(op).map(Operation::blocks_on).unwrap_or_default();
        match outcome {
            Outcome::Problem(problem) if cannot(problem.reason) => {
                let found = format!("`{op}` was answered `{}`: {}", problem.reason, quote(problem.detail.as_bytes()));
                let fix = format!("`{op}` is of the contract, and every candidate has to carry it out; it waits for: {waits}");
                return Err((found, fix));
            }
            Outcome::Fault { detail, .. } => {
                let fix = format!("`{op}` waits for: {waits}; and for nothing else");
                return Err((format!("`{op}` had no answer: {detail}"), fix));
            }
            Outcome::Ok(_) | Outcome::Problem(_) => {}
        }
    }
    Ok(())
}

/// Reasons that say nothing about messages, and all about the candidate not being ready to be tested.
fn cannot(reason: Reason) -> bool {
    matches!(reason, Reason::Unsupported | Reason::Internal | Reason::Timeout)
}

/// Operations with their outcomes, in the order of the outcomes.
fn answers(trace: &[Entry]) -> impl Iterator<Item = (&str, &Outcome)> {
    trace.iter().filter_map(|entry| {
        let Event::Input(Input::Returned { call, outcome }) = &entry.event else { return None };
        let op = trace.iter().find_map(|entry| match &entry.event {
            Event::Call { call: c, op, .. } if c == call => Some(op.as_str()),
            _ => None,
        })?;
        Some((op, outcome))
    })
}

/// Whether the candidate's client finds us, and we it. Whether the stanzas are right is for the scenarios to judge.
fn reached(trace: &[Entry], blobs: &Blobs, gateways: &Gateways) -> Result<(), (String, String)> {
    let said = problems(trace).next().map(|said| format!("; {said}")).unwrap_or_default();
    let came = trace.iter().any(|entry| {
        matches!(
            &entry.event,
            Event::Input(Input::Request { .. } | Input::ChatOpened { .. } | Input::ChatFrame { .. } | Input::Refused { .. })
        )
    });
    if !came {
        let (told, listens) = gateways.place().map_or_else(Default::default, |(base, address)| {
            let away = gateways.turned_away().map(|away| format!("; {away}")).unwrap_or_default();
            (format!(", which it was told is under {base}"), format!("; the gateway listens on {address}{away}"))
        });
        return Err((
            format!(
                "no request and no chat channel of the candidate's client reached our gateway{told}, though its upper tester \
                 answered our calls{said}{listens}"
            ),
            "check that the client uses the `gateway` of `open` as its base URL, whole and unchanged, and that it can be reached \
             from where the client runs; if it has another address there, name that one with --advertise; with TLS, the client \
             has to trust the `trust_anchors` of `open` (--tls generate, or --tls-ca)"
                .to_owned(),
        ));
    }
    // If our user could not even send, nothing can have arrived; and that is for the scenarios.
    let sent = trace.iter().any(|entry| is_message_of_ours(entry, blobs));
    if !sent || trace.iter().any(|entry| sign_of_life(entry, blobs)) {
        return Ok(());
    }
    Err((
        format!("our message never reached the candidate's client: it was not acknowledged, not shown and not refused{said}"),
        "check that the client holds its chat channel open after `connect`, that nothing on the way breaks WebSockets, and that \
         it lists what arrives in `events`"
            .to_owned(),
    ))
}

/// Whether our user sent a message here: its receipts and acknowledgements are stanzas too.
fn is_message_of_ours(entry: &Entry, blobs: &Blobs) -> bool {
    let Event::FromReference { what, body, .. } = &entry.event else { return false };
    what == "stanza" && matches!(body.bytes(blobs).map(serde_json::from_slice::<Stanza>), Some(Ok(Stanza::Message { .. })))
}

/// Whether this shows that something of ours arrived. A frame that is no stanza may be meant as an acknowledgement: in doubt it
/// counts.
fn sign_of_life(entry: &Entry, blobs: &Blobs) -> bool {
    match &entry.event {
        Event::Input(Input::ChatFrame { text, .. }) => {
            let stanza = text.bytes(blobs).map(serde_json::from_slice::<Stanza>);
            !matches!(stanza, Some(Ok(Stanza::Message { .. })))
        }
        _ => events(entry).iter().any(|seen| matches!(seen.what, What::Message { .. } | What::Refused { .. })),
    }
}

/// What came of it, for people.
fn told(trace: &[Entry], took_ms: u128) -> String {
    let named = |wanted: &str| {
        trace.iter().find_map(|entry| match &entry.event {
            Event::Named { name, stanza } if name == wanted => Some(*stanza),
            _ => None,
        })
    };
    let there = named("there").is_some_and(|stanza| trace.iter().any(|entry| candidate_shows(entry, stanza)));
    let back = named("back").is_some_and(|stanza| {
        trace.iter().any(|entry| matches!(&entry.event, Event::Observed { observation: Observation::Shown { message, .. }, .. } if *message == stanza))
    });
    let what = match (there, back) {
        (true, true) => return format!("a message each way was shown, {took_ms} ms in all"),
        (false, true) => "a message to it was not",
        (true, false) => "a message from it was not",
        (false, false) => "neither message was",
    };
    let said: Vec<String> = problems(trace).chain(refusals(trace)).take(MOST_SAID).collect();
    let said = if said.is_empty() { String::new() } else { format!(" ({})", said.join("; ")) };
    format!("both sides reach each other, but {what} shown{said}; that is for the scenarios to judge")
}

/// Calls that were answered with a problem, in words.
fn problems(trace: &[Entry]) -> impl Iterator<Item = String> {
    answers(trace).filter_map(|(op, outcome)| match outcome {
        Outcome::Problem(problem) => {
            Some(format!("`{op}` was answered `{}`: {}", problem.reason, quote(problem.detail.as_bytes())))
        }
        _ => None,
    })
}

fn candidate_shows(entry: &Entry, stanza: StanzaId) -> bool {
    events(entry).iter().any(|seen| matches!(&seen.what, What::Message { message, .. } if *message == stanza))
}

/// What an answer of `events` lists; nothing if the entry is none.
fn events(entry: &Entry) -> Vec<Seen> {
    let Event::Input(Input::Returned { outcome: Outcome::Ok(value), .. }) = &entry.event else { return Vec::new() };
    match Operation::Events.parse_answer(value.clone()) {
        Ok(Answer::Events(list)) => list.events,
        _ => Vec::new(),
    }
}

/// What either side refused, in words.
fn refusals(trace: &[Entry]) -> impl Iterator<Item = String> {
    trace.iter().flat_map(|entry| match &entry.event {
        Event::Observed { observation: Observation::Refused { reason, detail, .. }, .. } => {
            vec![format!("our user refused it: `{reason}`, {}", quote(detail.as_bytes()))]
        }
        Event::Observed { observation: Observation::Failed { what, reason, detail }, .. } => {
            vec![format!("our user could not {}: `{reason}`, {}", quote(what.as_bytes()), quote(detail.as_bytes()))]
        }
        Event::Observed { observation: Observation::Invalid { what, detail }, .. } => {
            vec![format!("the gateway refused {}: {}", quote(what.as_bytes()), quote(detail.as_bytes()))]
        }
        _ => events(entry)
            .iter()
            .filter_map(|seen| match &seen.what {
                What::Refused { reason, .. } => Some(format!("its user refused it: `{reason}`")),
                _ => None,
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_scenario_is_one() {
        assert_eq!(super::scenario().unwrap().steps.len(), 4);
    }
}
