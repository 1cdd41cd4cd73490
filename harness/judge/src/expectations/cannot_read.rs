//! A reference user that was given a group message has no key for it: what keeps out whoever joined later, or was taken out.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::What;
use countersign_contract::Reason;
use countersign_trace::{Blame, Verdict};

pub(super) fn judge(cx: &Context<'_>, index: usize, user: &str, stanza: &str) -> Result<Said, Said> {
    let expected = format!("{user} has no key that reads {stanza}");
    let receiver = cx.user(user)?;
    let id = cx.stanza(stanza, &expected)?;
    let end = cx.seen.end_of(index);
    let message = cx.seen.message(stanza);
    let by_candidate = message.is_some_and(|m| m.by_candidate);
    let delivered: Vec<u64> = cx.seen.delivered(receiver, id).filter(|at| *at < end).map(|at| cx.seen.n(at)).collect();
    if delivered.is_empty() {
        return Err(match message.filter(|m| m.id.is_none_or(|own| cx.seen.on_wire(own).is_none())) {
            Some(m) => Said::blocked(expected, format!("{} never reached the gateway (step-{})", m.name, m.step)),
            None => Said::harness(expected, format!("{stanza} was never delivered to {user}")),
        });
    }
    // A reference user decrypts before it asks anything else: any other reason than these means that it could.
    let without_key = |reason: Reason| matches!(reason, Reason::NoSession | Reason::TooOld | Reason::Duplicate);
    let read = cx.seen.sights(receiver).iter().find_map(|sight| match &sight.what {
        What::Refused { stanza, reason } if *stanza == id && !without_key(*reason) => {
            Some((sight.at, format!("{user} could decrypt it, and refused it as {reason} only")))
        }
        What::Message { message, .. } if *message == id => Some((sight.at, format!("{user} was shown it"))),
        _ => None,
    });
    match read {
        Some((at, observed)) => {
            let said = Said::fail(Finding::ReadableByOthers, expected, observed).evidence(delivered).evidence([cx.seen.n(at)]);
            Err(if by_candidate { said } else { said.verdict(Verdict::HarnessError).blame(Blame::Reference) })
        }
        None => Ok(Said::pass(expected, "it had none").evidence(delivered)),
    }
}
