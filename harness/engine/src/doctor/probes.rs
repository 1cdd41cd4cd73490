//! Probes with invented operations, arguments and instances: an endpoint that agrees to everything would pass nothing honestly.

use super::{Chart, Patient, Unhealthy};
use crate::carrier::Raw;
use crate::derive;
use countersign_contract::claims::Description;
use countersign_contract::operations::Open;
use countersign_contract::{Call, Reason};
use countersign_instance::{Spoken, trust_root};
use serde_json::{Value, json};

/// An operation and an argument that do not exist.
pub(super) async fn operations(patient: &Patient<'_>, chart: &mut Chart) -> Result<(), Unhealthy> {
    let invented = format!("countersign_probe_{}", derive::hex(&patient.seed, "doctor operation", 6));
    let answer = patient.endpoint.exchange(&invented, json!({})).await;
    let fix = "answer every operation that you do not have with the reason `unsupported`, and never with success";
    chart.decide("invented operation", expect(answer, Reason::Unsupported, &invented, fix))?;
    let args = json!({ format!("probe_{}", derive::hex(&patient.seed, "doctor argument", 6)): true });
    let answer = patient.endpoint.exchange("describe", args).await;
    let fix =
        "refuse arguments that the contract does not know with the reason `malformed`: a misspelt one must not go unnoticed";
    chart.decide("invented argument", expect(answer, Reason::Malformed, "describe", fix))
}

/// An instance opens and closes, and is unknown before and after.
pub(super) async fn instances(patient: &Patient<'_>, chart: &mut Chart, claims: &Description) -> Result<(), Unhealthy> {
    let instance = derive::instance(&patient.seed, "doctor");
    let gateway = patient.gateways.open(instance);
    let close = || patient.endpoint.exchange("close", json!({ "instance": instance }));
    let unknown = "answer operations on an instance that is not open with the reason `unknown-instance`";
    chart.decide("unknown instance", expect(close().await, Reason::UnknownInstance, "close", unknown))?;
    let spoken = Spoken::with(patient.profile, claims);
    let open = Open {
        instance,
        gateway: gateway.url.clone(),
        trust_anchors: gateway.trust_anchors.clone(),
        clock: super::now_ms(),
        suite: spoken.said(),
        trust_root: spoken.sealed.then(|| trust_root(&derive::seed(&patient.seed, "doctor"))),
    };
    let open = Call::Open(open).args();
    let opened = patient.endpoint.exchange("open", open).await;
    chart.decide("opens an instance", succeed(opened, "open"))?;
    chart.decide("closes an instance", succeed(close().await, "close"))?;
    chart.decide("forgets an instance", expect(close().await, Reason::UnknownInstance, "close", unknown))
}

fn expect(answer: Raw, reason: Reason, op: &str, fix: &str) -> Result<String, (String, String)> {
    match answer {
        Raw::Problem(problem) if problem.reason == reason => Ok(format!("`{op}` was answered `{reason}`")),
        other => Err((format!("`{op}` was to be answered `{reason}`, and {}", told(&other)), fix.to_owned())),
    }
}

fn succeed(answer: Raw, op: &str) -> Result<String, (String, String)> {
    match answer {
        Raw::Ok(Value::Object(done)) if done.is_empty() => Ok(format!("`{op}` succeeded")),
        other => Err((
            format!("`{op}` was to be answered `{{}}`, and {}", told(&other)),
            format!("let `{op}` do what the contract says, and answer with an empty object"),
        )),
    }
}

fn told(answer: &Raw) -> String {
    match answer {
        Raw::Ok(value) => format!("succeeded with {}", crate::carrier::quote(value.to_string().as_bytes())),
        Raw::Problem(problem) => {
            format!("was answered `{}`: {}", problem.reason, crate::carrier::quote(problem.detail.as_bytes()))
        }
        Raw::Broken(broken) => format!("had no answer: {broken}"),
    }
}
