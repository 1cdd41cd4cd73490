//! Bad stanzas are refused for the right reason, and nothing of them is ever shown.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::What;
use countersign_contract::{Reason, StanzaId, UserId};
use countersign_scenarios::Step;
use countersign_trace::{Blame, Verdict};

/// The stanza was reported as refused, for one of the reasons, once for each time it was delivered.
pub(super) fn judge(cx: &Context<'_>, index: usize, user: &str, stanza: &str, reasons: &[Reason]) -> Result<Said, Said> {
    let expected = format!("{user} refuses {stanza} as {} and shows nothing of it", Context::reasons(reasons));
    let receiver = cx.user(user)?;
    let id = cx.stanza(stanza, &expected)?;
    let end = cx.seen.end_of(index);
    if let Some(said) = shown(cx, receiver, user, stanza, id, &expected) {
        return Ok(said);
    }
    let refusals: Vec<(usize, Reason)> = cx
        .seen
        .sights(receiver)
        .iter()
        .filter_map(|w| match &w.what {
            What::Refused { stanza, reason } if *stanza == id => Some((w.at, *reason)),
            _ => None,
        })
        .collect();
    let evidence: Vec<u64> = refusals.iter().map(|(at, _)| cx.seen.n(*at)).collect();
    let deliveries = cx.seen.delivered(receiver, id).count();
    if deliveries == 0 {
        return Err(undelivered(cx, receiver, user, stanza, id, end, &expected));
    }
    let mine = |said: Said| if cx.seen.is_candidate(receiver) { said } else { reference(said) }.evidence(evidence.clone());
    // A second delivery of the same stanza may find it known; a first one may not.
    let repeated = deliveries > 1;
    let right = |reason: &Reason| reasons.contains(reason);
    let tolerable = |reason: &Reason| right(reason) || (repeated && matches!(reason, Reason::Duplicate | Reason::TooOld));
    let early = refusals.iter().find(|(at, reason)| *at < end && right(reason));
    Err(match (early, refusals.iter().find(|(_, reason)| !tolerable(reason)), refusals.first()) {
        (_, Some((_, wrong)), _) => {
            let observed = format!("refused as {wrong}; right would be {}", Context::reasons(reasons));
            mine(Said::fail(Finding::WrongReason, expected, observed)).reason(Some(*wrong))
        }
        _ if refusals.len() > deliveries => {
            let observed = format!("reported as refused {} times, and delivered {deliveries} times", refusals.len());
            mine(Said::fail(Finding::RefusedTooOften, expected, observed))
        }
        (Some((_, reason)), None, _) => {
            return Ok(Said::pass(expected, format!("refused as {reason}, and nothing was shown"))
                .reason(Some(*reason))
                .evidence(evidence));
        }
        (None, None, Some((at, reason))) if *at >= end => {
            let observed = format!("refused as {reason}, but only after the candidate said that the stanza was processed");
            mine(Said::fail(Finding::NoAnswer, expected, observed)).reason(Some(*reason))
        }
        (None, None, Some((_, reason))) => {
            let observed = format!("refused as {reason} only; right would be {}", Context::reasons(reasons));
            mine(Said::fail(Finding::WrongReason, expected, observed)).reason(Some(*reason))
        }
        (None, None, None) => {
            let at = cx.seen.delivered(receiver, id).map(|at| cx.seen.n(at)).collect::<Vec<_>>();
            mine(Said::fail(Finding::NoAnswer, expected, "neither shown nor refused")).evidence(at)
        }
    })
}

/// Nothing of a stanza is shown, in the whole trace; whether it was reported does not matter.
pub(super) fn shows_nothing(cx: &Context<'_>, user: &str, stanza: &str) -> Result<Said, Said> {
    let expected = format!("{user} is shown nothing of {stanza}");
    let receiver = cx.user(user)?;
    let id = cx.stanza(stanza, &expected)?;
    if let Some(said) = shown(cx, receiver, user, stanza, id, &expected) {
        return Ok(said);
    }
    let delivered: Vec<usize> = cx.seen.delivered(receiver, id).collect();
    if let Some(last) = delivered.last()
        && !cx.seen.looked_after(receiver, *last)
    {
        return Err(Said::harness(expected, format!("what {user} saw was not asked for after {stanza} was delivered")));
    }
    Ok(Said::pass(expected, "nothing").evidence(delivered.iter().map(|at| cx.seen.n(*at))))
}

/// The failure of showing what must not be shown.
fn shown(cx: &Context<'_>, receiver: UserId, user: &str, stanza: &str, id: StanzaId, expected: &str) -> Option<Said> {
    let wrongly = cx.seen.wrongly_shown(receiver, cx.seen.message(stanza), id);
    let first = wrongly.first()?;
    if !cx.seen.is_candidate(receiver) {
        // What the candidate made for somebody else, or had no reason to make, is its own doing; what the network bent is for us to
        // refuse.
        let misdirected = cx.seen.message(stanza).is_some_and(|m| m.by_candidate && !m.goes_to(receiver));
        let said = Said::fail(Finding::Shown, expected, format!("{user} was shown it")).evidence([cx.seen.n(first.at)]);
        return Some(if misdirected { said } else { reference(said) });
    }
    if untouched(cx, stanza, id) {
        let observed = format!("{stanza} was shown, but the trace does not say that anything was done to it");
        return Some(Said::harness(expected, observed).evidence([cx.seen.n(first.at)]));
    }
    let evidence = wrongly.iter().map(|w| w.at).chain(cx.seen.delivered(receiver, id)).map(|at| cx.seen.n(at));
    Some(Said::fail(Finding::Shown, expected, format!("{user} was shown {stanza}")).evidence(evidence))
}

/// Whether the network should have bent a stanza and did not: then nobody can be blamed for showing it.
fn untouched(cx: &Context<'_>, stanza: &str, id: StanzaId) -> bool {
    let armed = cx.seen.scenario.steps.iter().any(|s| match s {
        Step::Send(send) => send.name == stanza && send.network.is_some(),
        Step::SendToGroup(send) => send.name == stanza && send.network.is_some(),
        _ => false,
    });
    armed && !cx.seen.disturbed.iter().any(|(_, of, _)| *of == Some(id))
}

/// Why a stanza that had to be refused was never delivered.
fn undelivered(cx: &Context<'_>, receiver: UserId, user: &str, stanza: &str, id: StanzaId, end: usize, expected: &str) -> Said {
    if cx.seen.is_candidate(receiver) && !cx.seen.channel_open(receiver, end) {
        return Said::fail(
            Finding::NoAnswer,
            expected,
            format!("{stanza} waits at the gateway, and {user} has no chat channel open"),
        );
    }
    let own = cx.seen.message(stanza).and_then(|m| m.id) == Some(id);
    match cx.seen.message(stanza) {
        Some(sent) if own && cx.seen.on_wire(id).is_none() => {
            Said::blocked(expected, format!("{stanza} never reached the gateway (step-{})", sent.step))
        }
        // Such as a field that was to be bent, and is absent from what this candidate agreed to be sent.
        Some(sent) if own && cx.seen.skipped.contains_key(&sent.step) => {
            Said::blocked(expected, format!("{stanza} was not delivered, since step-{} was not carried out", sent.step))
        }
        _ => Said::harness(expected, format!("the gateway never delivered {stanza} to {user}")),
    }
}

fn reference(said: Said) -> Said {
    said.verdict(Verdict::HarnessError).blame(Blame::Reference)
}
