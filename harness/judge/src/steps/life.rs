//! Users come, go, and come again.

use super::setup::created;
use super::{all, expected_to_fail, operation, reference_failed};
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::Operation;
use countersign_scenarios::Side;
use countersign_scenarios::language::{Many, TryConnect};
use countersign_trace::{Observation, Outcome};

/// A user of the candidate is deleted: the operation succeeds, and before it answers the gateway was told.
pub(super) fn delete(cx: &Context<'_>, index: usize, user: &str) -> Result<Option<Said>, Said> {
    let Some(said) = operation(cx, index, user, Operation::DeleteUser)? else { return Ok(None) };
    let id = cx.user(user)?;
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::DeleteUser));
    let Some((call, (at, _))) = call.and_then(|c| Some((c.at, c.ok()?))) else { return Ok(Some(said)) };
    let told = cx
        .seen
        .requests
        .iter()
        .any(|r| r.method == "DELETE" && r.path == "/user" && r.user == Some(id) && r.at > call && r.at < at && r.accepted());
    if told {
        return Ok(Some(said));
    }
    let (expected, observed) = (format!("the gateway confirms the deletion of {user}"), "`delete_user` succeeded without that");
    Ok(Some(Said::fail(Finding::EmptySuccess, expected, observed).evidence([cx.seen.n(call), cx.seen.n(at)])))
}

/// A user of the candidate is created anew: enlisted with the identity key that the answer states, and online again.
pub(super) fn reinstall(cx: &Context<'_>, index: usize, user: &str) -> Result<Option<Said>, Said> {
    if cx.seen.side(user) != Some(Side::Candidate) {
        return Ok(None);
    }
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::CreateUser));
    let call = call.ok_or_else(|| Said::harness("`create_user` succeeds", "it was never called"))?;
    let (at, answer) = cx.succeeded(call)?;
    created(cx, call, at, answer)?;
    all(cx, index, Operation::Connect)
}

/// An attempt to come online, which an expectation may want to fail.
pub(super) fn connect(cx: &Context<'_>, index: usize, attempt: &TryConnect) -> Result<Option<Said>, Said> {
    if !expected_to_fail(cx, &attempt.name) {
        return all(cx, index, Operation::Connect);
    }
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::Connect));
    let call = call.ok_or_else(|| Said::harness("`connect` is called", "it was never called"))?;
    match call.outcome {
        Some((_, Outcome::Problem(_) | Outcome::Ok(_))) => Ok(None),
        _ => cx.succeeded(call).map(|_| None),
    }
}

/// Many messages are sent by a reference user; nothing is said if they were.
pub(super) fn many(cx: &Context<'_>, index: usize, many: &Many) -> Result<Option<Said>, Said> {
    let expected = format!("{} sends {} messages", many.from, many.messages);
    let from = cx.user(&many.from)?;
    if let Some(said) = reference_failed(cx, index, Some(from), &many.to, &expected) {
        return Ok(Some(said));
    }
    let made =
        cx.seen.observed_in(index).filter(|(_, who, o)| *who == Some(from) && matches!(o, Observation::Sent { .. })).count();
    if made == many.messages as usize { Ok(None) } else { Err(Said::harness(expected, format!("it made {made} messages"))) }
}
