//! An operation of the candidate fails, for the right reason, and without effect.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::steps::keys::named_call;
use countersign_contract::{Operation, Reason};
use countersign_trace::Outcome;

pub(super) fn judge(cx: &Context<'_>, step: &str, reasons: &[Reason], or_succeeds: bool) -> Result<Said, Said> {
    let either = if or_succeeds { "succeeds, or " } else { "" };
    let expected = format!("{step} {either}fails as {}", Context::reasons(reasons));
    let Some((_, call)) = named_call(cx, step) else {
        return Err(Said::harness(expected, format!("no call of the candidate is named {step}")));
    };
    let Some((at, outcome)) = call.outcome else {
        return Err(cx.interrupted(&expected, &format!("`{}` never returned", call.op)));
    };
    let evidence = [cx.seen.n(call.at), cx.seen.n(at)];
    let problem = match outcome {
        Outcome::Ok(_) if or_succeeds => return Ok(Said::pass(expected, "it succeeded").evidence(evidence)),
        Outcome::Ok(_) => {
            return Err(Said::fail(Finding::Accepted, expected, format!("`{}` succeeded", call.op)).evidence(evidence));
        }
        Outcome::Problem(problem) => problem,
        Outcome::Fault { .. } => return cx.succeeded(call).map(|_| Said::harness(expected, "a fault that is none")),
    };
    // Whatever it says: what must not go out must not be on the wire, now or later.
    if let Some(frame) = call
        .stanza("stanza")
        .filter(|_| call.operation() == Some(Operation::Send))
        // What the gateway refused for good went nowhere.
        .filter(|id| cx.seen.refused.get(id).is_none_or(|why| matches!(why, Reason::Busy | Reason::GatewayError)))
        .and_then(|id| cx.seen.sent_in().find(|(_, m)| m.id == id))
    {
        let observed = format!("`send` answered {}, and the stanza was sent all the same", problem.reason);
        return Err(Said::fail(Finding::SentAnyway, expected, observed).evidence(evidence).evidence([cx.seen.n(frame.0.at)]));
    }
    if !reasons.contains(&problem.reason) {
        let observed = format!("it failed as {}; right would be {}", problem.reason, Context::reasons(reasons));
        return Err(Said::fail(Finding::WrongReason, expected, observed).reason(Some(problem.reason)).evidence(evidence));
    }
    // A fetch that never asked the gateway cannot know what is wrong with the keys.
    let asked = || {
        let path = call.user("of").map(|of| format!("/keys/{of}"));
        cx.seen.requests.iter().any(|r| r.at > call.at && r.at < at && r.method == "GET" && Some(r.path) == path.as_deref())
    };
    if call.operation() == Some(Operation::FetchKeys) && !asked() {
        let observed = format!("it failed as {}, without asking the gateway for the keys", problem.reason);
        return Err(Said::fail(Finding::EmptySuccess, expected, observed).reason(Some(problem.reason)).evidence(evidence));
    }
    Ok(Said::pass(expected, format!("it failed as {}", problem.reason)).reason(Some(problem.reason)).evidence(evidence))
}
