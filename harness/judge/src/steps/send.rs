//! A user sends.

use super::{expected_to_fail, reference_failed};
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::{FrameIn, Message};
use crate::wire;
use countersign_contract::{Reason, StanzaId};
use countersign_scenarios::Side;
use countersign_scenarios::language::Send;
use countersign_trace::Observation;

/// The candidate's `send` succeeds and puts the stanza on the wire; our own user's message is made.
pub(super) fn judge(cx: &Context<'_>, index: usize, send: &Send) -> Result<Option<Said>, Said> {
    let expected = format!("{} sends {} to {}", send.from, send.name, send.to);
    let from = cx.user(&send.from)?;
    if cx.seen.side(&send.from) == Some(Side::Candidate) {
        let id = cx.seen.names.get(send.name.as_str()).copied();
        let id = id.ok_or_else(|| Said::harness(expected.clone(), format!("{} has no id", send.name)))?;
        return candidate_sent(cx, index, &send.name, id, &expected);
    }
    if let Some(said) = reference_failed(cx, index, Some(from), &send.to, &expected) {
        // What cannot be done wrongly is the scenario's fault, unless the candidate agreed to less than the profile asks for.
        let impossible = |reason: &Reason| {
            *reason == Reason::Unsupported && (!send.alter.is_empty() || send.names_prekey.is_some() || send.sealed)
        };
        let failed = cx.seen.observed_in(index).find_map(|(at, who, observation)| match observation {
            Observation::Failed { reason, detail, .. } if who == Some(from) && impossible(reason) => Some((at, detail)),
            _ => None,
        });
        return Ok(Some(match failed {
            Some((at, detail)) => match weaker_session(cx, &send.to, &send.from, at) {
                Some(weak) => {
                    let observed =
                        format!("{detail}; the candidate's messages do not have the post-quantum ratchet's part either");
                    Said::blocked(expected, observed).evidence([cx.seen.n(weak), cx.seen.n(at)])
                }
                None => Said::harness(expected, detail.clone()).evidence([cx.seen.n(at)]),
            },
            None => said,
        }));
    }
    let made = cx.seen.observed_in(index).any(|(_, who, o)| who == Some(from) && matches!(o, Observation::Sent { .. }));
    if made { Ok(None) } else { Err(Said::harness(expected, "the reference user made no message")) }
}

/// A message of the candidate that lacks the post-quantum ratchet's part which the profile asks for: the peer's stack then speaks
/// without it too.
fn weaker_session(cx: &Context<'_>, candidate: &str, peer: &str, before: usize) -> Option<usize> {
    let (from, to) = (cx.user(candidate).ok()?, cx.user(peer).ok()?);
    let weak = |message: &Message<'_>| {
        let signal = if message.prekey { wire::prekey(message.body).map(|p| p.message) } else { wire::signal(message.body) };
        signal.is_some_and(|signal| wire::epoch(signal.pq_ratchet).is_none())
    };
    let sent =
        |frame: &FrameIn<'_>, message: &Message<'_>| frame.at < before && frame.user == Some(from) && message.to == Some(to);
    let found = cx.profile.wire.spqr && cx.seen.side(candidate) == Some(Side::Candidate);
    found.then(|| cx.seen.messages_in().find(|(frame, m)| sent(frame, m) && weak(m))).flatten().map(|(frame, _)| frame.at)
}

/// One `send` of the candidate: it succeeds, and before it answers the stanza has reached the gateway.
pub(super) fn candidate_sent(
    cx: &Context<'_>,
    index: usize,
    name: &str,
    id: StanzaId,
    expected: &str,
) -> Result<Option<Said>, Said> {
    let call = cx.seen.send_of(id).filter(|c| c.step == Some(index));
    let call = call.ok_or_else(|| Said::harness(expected, "`send` was never called"))?;
    if expected_to_fail(cx, name) {
        // That it failed, and for the right reason, is the expectation's to judge.
        return match call.outcome {
            Some((_, countersign_trace::Outcome::Problem(_) | countersign_trace::Outcome::Ok(_))) => Ok(None),
            _ => cx.succeeded(call).map(|_| None),
        };
    }
    let (at, _) = cx.succeeded(call)?;
    let user = call.user("user");
    let to = call.user("to");
    let frame = cx.seen.sent_in().find(|(frame, m)| frame.at > call.at && frame.at < at && m.id == id && frame.user == user);
    let sealed = cx.seen.messages.get(name).is_some_and(|message| message.sealed);
    let evidence = [cx.seen.n(call.at), cx.seen.n(at)];
    match frame {
        Some((frame, message)) if message.sealed != sealed => {
            let said = match sealed {
                true => Said::fail(Finding::NotSealed, expected, "it was to be sealed, and names its sender"),
                false => Said::fail(Finding::WrongOnWire, expected, "it is sealed, which nobody asked for"),
            };
            Ok(Some(said.evidence([cx.seen.n(frame.at)]).evidence(evidence)))
        }
        Some((frame, message)) if message.to == to => {
            Ok(Some(Said::pass(expected, "the stanza reached the gateway").evidence([cx.seen.n(frame.at), cx.seen.n(at)])))
        }
        Some((frame, _)) => Ok(Some(
            Said::fail(Finding::EmptySuccess, expected, "the stanza goes to somebody else")
                .evidence([cx.seen.n(frame.at)])
                .evidence(evidence),
        )),
        None => Ok(Some(
            Said::fail(Finding::EmptySuccess, expected, "`send` succeeded, but no such stanza had reached the gateway")
                .evidence(evidence),
        )),
    }
}
