//! Nothing goes to a peer until its user was asked.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::steps::keys::named_call;
use countersign_contract::StanzaId;
use countersign_contract::portable::Stanza;
use countersign_scenarios::Step;
use countersign_scenarios::language::Expect;
use countersign_trace::Outcome;
use std::collections::BTreeSet;

/// From the named step on, until the user accepts the peer's new identity: no message but those that the scenario has the user
/// send from there on (the named one too, if it went through), and no receipt for what was never delivered.
pub(super) fn judge(cx: &Context<'_>, user: &str, to: &str, after: &str) -> Result<Said, Said> {
    let expected = format!("{user} sends nothing to {to} after {after}");
    let (sender, peer) = (cx.user(user)?, cx.user(to)?);
    let begin = begin(cx, after).ok_or_else(|| Said::harness(&expected, format!("nothing is called {after}")))?;
    let steps = &cx.seen.scenario.steps;
    let accepts = |step: &Step| matches!(step, Step::AcceptIdentity(pair) if pair.user == user && pair.peer == to);
    let end = cx
        .seen
        .steps
        .iter()
        .filter(|(step, range)| range.start >= begin && steps.get(**step).is_some_and(accepts))
        .map(|(_, range)| range.start)
        .min()
        .unwrap_or(usize::MAX);
    // What had to fail is no excuse for a stanza, whenever it was asked for.
    let failing = |name: &str| {
        let problem = matches!(named_call(cx, name), Some((_, call)) if matches!(call.outcome, Some((_, Outcome::Problem(_)))));
        problem || steps.iter().any(|s| matches!(s, Step::Expect(Expect::Problem { step, .. }) if step == name))
    };
    let ordered: BTreeSet<StanzaId> = cx
        .seen
        .messages
        .values()
        .filter(|m| m.from == Some(sender) && cx.seen.steps.get(&m.step).is_some_and(|range| range.start >= begin))
        .filter(|m| !failing(&m.name))
        .filter_map(|m| m.id)
        .collect();
    let undue =
        cx.seen.frames.iter().filter(|frame| frame.user == Some(sender) && (begin..end).contains(&frame.at)).find(|frame| {
            if let Some(sent) = frame.outgoing() {
                return sent.to == Some(peer) && !ordered.contains(&sent.id);
            }
            match &frame.stanza {
                Ok(Stanza::Receipt { to, of, .. }) => *to == Some(peer) && cx.seen.delivered(sender, *of).next().is_none(),
                _ => false,
            }
        });
    match undue {
        Some(frame) => Err(Said::fail(Finding::SentUndue, expected, "a stanza went out").evidence([cx.seen.n(frame.at)])),
        None => Ok(Said::pass(expected, "nothing")),
    }
}

/// The position from which on nothing may be sent.
fn begin(cx: &Context<'_>, after: &str) -> Option<usize> {
    let named = |step: &Step| match step {
        Step::Send(send) => send.name == after,
        Step::Replay(replay) => replay.name.as_deref() == Some(after),
        Step::Misdeliver(misdeliver) => misdeliver.name == after,
        Step::ForgeRetry(forge) => forge.name == after,
        Step::FetchKeys(fetch) => fetch.name == after,
        Step::VerifyIdentity(verify) => verify.name == after,
        Step::Fault(fault) => fault.name == after,
        Step::TryConnect(attempt) => attempt.name == after,
        _ => false,
    };
    let index = cx.seen.scenario.steps.iter().position(named);
    match index.and_then(|index| cx.seen.steps.get(&index)) {
        // What reaches the candidate may be answered before the step ends.
        Some(range) => Some(range.start),
        // What follows from a stanza has no step of its own: from where it got its name.
        None => {
            let id = cx.seen.names.get(after)?;
            cx.seen
                .trace
                .iter()
                .position(|entry| matches!(&entry.event, countersign_trace::Event::Named { stanza, .. } if stanza == id))
        }
    }
}
