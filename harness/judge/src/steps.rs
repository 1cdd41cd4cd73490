//! Steps that have to succeed for a scenario to mean anything: one file for each family.
//!
//! A step of ours that went as it should gives no check; one of the candidate always does.

mod block;
mod exchange;
mod group;
pub(crate) mod keys;
mod life;
mod send;
mod setup;

pub(crate) use setup::{AROUND, around};

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::{Operation, UserId};
use countersign_scenarios::language::{BundleBend, Expect};
use countersign_scenarios::{Side, Step};
use countersign_trace::Observation;

/// Judges a step that is no expectation; `None` if there is nothing to say.
pub(crate) fn judge(cx: &Context<'_>, index: usize, step: &Step) -> Option<Said> {
    let said = match step {
        Step::Expect(_) => return None,
        Step::Send(send) => send::judge(cx, index, send),
        Step::Exchange(exchange) => exchange::judge(cx, index, exchange),
        Step::Burst(burst) => exchange::burst(cx, index, burst),
        Step::FetchKeys(fetch) => keys::fetch(cx, index, fetch),
        Step::RotateKeys(rotate) => keys::rotate(cx, index, rotate),
        Step::VerifyIdentity(verify) => keys::verify(cx, index, verify),
        Step::AcceptIdentity(pair) => operation(cx, index, &pair.user, Operation::AcceptIdentity),
        Step::Block(pair) => block::judge(cx, index, pair, true),
        Step::Unblock(pair) => block::judge(cx, index, pair, false),
        Step::Connect(user) => operation(cx, index, user, Operation::Connect),
        Step::Disconnect(user) => operation(cx, index, user, Operation::Disconnect),
        Step::DeleteUser(user) => life::delete(cx, index, user),
        Step::Reinstall(user) => life::reinstall(cx, index, user),
        Step::TryConnect(attempt) => life::connect(cx, index, attempt),
        Step::Many(many) => life::many(cx, index, many),
        Step::CreateGroup(create) => group::create(cx, index, create),
        Step::ChangeGroup(change) => group::change(cx, index, change),
        Step::SendToGroup(send) => group::send(cx, index, send),
        Step::Advance(_) => all(cx, index, Operation::AdvanceClock),
        Step::Snapshot(_) => all(cx, index, Operation::Snapshot),
        Step::Restore(_) => all(cx, index, Operation::Restore),
        Step::Clone(_) => all(cx, index, Operation::Clone),
        Step::Deliver(_) => all(cx, index, Operation::Deliver),
        Step::Export(_) => all(cx, index, Operation::Export),
        // What the network, the gateway or a reference user does by itself.
        Step::Release(_)
        | Step::Drop(_)
        | Step::Replay(_)
        | Step::Misdeliver(_)
        | Step::ForgeRetry(_)
        | Step::Bundle(_)
        | Step::AskAgain(_)
        | Step::UnknownStanza(_)
        | Step::ExtraMembers(_)
        | Step::Redeliver(_)
        | Step::LoseNext(_)
        | Step::Fault(_)
        | Step::SendStored(_)
        | Step::StoreBlob(_)
        | Step::ServeBundle(_)
        | Step::Media(_) => Ok(None),
    };
    match (cx.gate(index, "the step is carried out"), said) {
        (Some(gate), _) => Some(gate),
        (None, Ok(said)) => said,
        (None, Err(said)) => Some(said),
    }
}

/// A step that is one call of the candidate, if its user is the candidate's.
fn operation(cx: &Context<'_>, index: usize, user: &str, op: Operation) -> Result<Option<Said>, Said> {
    match cx.seen.side(user) {
        Some(Side::Candidate) => all(cx, index, op),
        _ => Ok(None),
    }
}

/// All calls of an operation in a step succeed, and there is at least one.
fn all(cx: &Context<'_>, index: usize, op: Operation) -> Result<Option<Said>, Said> {
    let expected = format!("`{}` succeeds", op.as_str());
    let mut last = None;
    for call in cx.seen.calls_in(index).filter(|c| c.operation() == Some(op)) {
        last = Some(cx.succeeded(call)?);
    }
    match last {
        Some((at, _)) => Ok(Some(Said::pass(expected, "it did").evidence([cx.seen.n(at)]))),
        // A clock is only moved where the candidate has one.
        None if op == Operation::AdvanceClock => Ok(None),
        None => Err(Said::harness(expected, "it was never called")),
    }
}

/// Whether an expectation names this step as one that fails.
fn expected_to_fail(cx: &Context<'_>, name: &str) -> bool {
    cx.seen.scenario.steps.iter().any(|s| matches!(s, Step::Expect(Expect::Problem { step, .. }) if step == name))
}

/// Whether such an expectation is content with success as well.
fn may_succeed(cx: &Context<'_>, name: &str) -> bool {
    let either = |s: &Step| matches!(s, Step::Expect(Expect::Problem { step, or_succeeds: true, .. }) if step == name);
    cx.seen.scenario.steps.iter().any(either)
}

/// What a reference user could not do in a step since the keys or messages of the candidate did not allow it.
fn reference_failed(cx: &Context<'_>, index: usize, user: Option<UserId>, of: &str, expected: &str) -> Option<Said> {
    let (at, what, reason, detail) = cx.seen.observed_in(index).find_map(|(at, who, observation)| match observation {
        Observation::Failed { what, reason, detail } if who == user => Some((at, what, *reason, detail)),
        _ => None,
    })?;
    let observed = format!("a reference user could not {what}: {reason}: {detail}");
    let before = || cx.seen.scenario.steps.iter().take(index);
    let bent = before().any(
        |s| matches!(s, Step::Bundle(b) if b.of == of && !matches!(b.rule, BundleBend::NoOneTimePrekey | BundleBend::SameAgain)),
    );
    let gone = before().any(|s| matches!(s, Step::DeleteUser(user) if user == of));
    let said = if cx.seen.side(of) != Some(Side::Candidate) || bent || gone {
        Said::harness(expected, format!("{observed}; the scenario itself caused it"))
    } else {
        Said::fail(Finding::UnusableKeys, expected, observed)
    };
    Some(said.reason(Some(reason)).evidence([cx.seen.n(at)]))
}
