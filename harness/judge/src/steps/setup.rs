//! What stands around the steps: the set-up, the end, and whether the scenario came to it.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::{Called, Publication};
use countersign_contract::operations::{Created, ImportedKeys, ImportedKyberPrekey};
use countersign_contract::portable::SignedKey;
use countersign_contract::{Bytes, Operation};
use countersign_trace::event::Outcome;
use countersign_trace::{Check, CheckKind};
use serde::Deserialize;

/// Names of the checks that stand around the steps.
pub(crate) const AROUND: [&str; 3] = [SET_UP, END, EXECUTION];
const SET_UP: &str = "set-up";
const END: &str = "end";
const EXECUTION: &str = "execution";

/// The checks `set-up`, `end`, and `execution` if the scenario did not come to its end.
pub(crate) fn around(cx: &Context<'_>) -> Vec<Check> {
    let mut out = vec![];
    let check = |id: &str, said: Said| {
        said.check(id.to_owned(), CheckKind::Step, None, cx.seen.scenario.verifies.clone(), &cx.requirements)
    };
    out.push(check(SET_UP, set_up(cx).unwrap_or_else(|said| said)));
    match cx.seen.finished {
        Some(_) => out.push(check(END, end(cx).unwrap_or_else(|said| said))),
        // A set-up that failed has said so already, and blocks the rest.
        None if set_up(cx).is_ok() => out.push(check(EXECUTION, cx.interrupted("the scenario is carried out", "it was not"))),
        None => {}
    }
    out
}

/// Calls before the first step.
fn set_up(cx: &Context<'_>) -> Result<Said, Said> {
    let begin = cx.seen.steps.values().map(|range| range.start).min();
    let before = |call: &&Called<'_>| {
        call.step.is_none() && begin.is_none_or(|begin| call.at < begin) && call.operation() != Some(Operation::Close)
    };
    let mut users = 0;
    for call in cx.seen.calls.iter().filter(before) {
        let (at, answer) = cx.succeeded(call)?;
        if call.operation() == Some(Operation::CreateUser) {
            created(cx, call, at, answer)?;
            users += 1;
        }
    }
    Ok(Said::pass("the instance opens, and every user is created and comes online", format!("{users} users of the candidate")))
}

/// A user that was created is enlisted, with the identity key that the answer states.
pub(super) fn created(cx: &Context<'_>, call: &Called<'_>, at: usize, answer: &serde_json::Value) -> Result<(), Said> {
    let expected = "a user that was created is enlisted at the gateway, with the identity key that the answer states";
    let user = call.user("user").ok_or_else(|| Said::harness(expected, "a call without a user"))?;
    let evidence = [cx.seen.n(call.at), cx.seen.n(at)];
    let Some(enlisted) = cx.seen.enlisted(user, at).filter(|p| p.at > call.at) else {
        return Err(Said::fail(Finding::EmptySuccess, expected, "the gateway accepted no enlistment before the answer")
            .evidence(evidence));
    };
    let stated = Created::deserialize(answer).ok().map(|c| c.identity_key);
    if stated != enlisted.identity {
        return Err(Said::fail(Finding::WrongIdentityKey, expected, "the identity keys differ")
            .evidence(evidence)
            .evidence([cx.seen.n(enlisted.at)]));
    }
    imported(call, enlisted).map_err(|said| said.evidence(evidence).evidence([cx.seen.n(enlisted.at)]))
}

/// A user that was to enlist with given keys has published these and no others. Of a private key we cannot say its public half here:
/// whether the right one was published shows when a stored message is read with it.
fn imported(call: &Called<'_>, enlisted: &Publication) -> Result<(), Said> {
    let Some(import) = call.args.get("import").and_then(|import| ImportedKeys::deserialize(import).ok()) else { return Ok(()) };
    let expected = "a user that imports keys enlists with these and no others";
    let signed = |key: &SignedKey| (key.id, key.key.clone(), key.signature.clone());
    let kyber = |key: &ImportedKyberPrekey| (key.id, key.public.clone(), key.signature.clone());
    let sorted = |mut keys: Vec<(u32, Bytes, Bytes)>| {
        keys.sort();
        keys
    };
    let mut ids: Vec<u32> = enlisted.one_time.iter().map(|key| key.id).collect();
    let mut given: Vec<u32> = import.one_time_prekeys.iter().map(|key| key.id).collect();
    ids.sort_unstable();
    given.sort_unstable();
    let differing = [
        (
            enlisted.signed.as_ref().map(|key| (key.id, key.signature.clone()))
                != Some((import.signed_prekey.id, import.signed_prekey.signature.clone())),
            "the signed prekey",
        ),
        (enlisted.kyber.as_ref().map(signed) != import.kyber_prekey.as_ref().map(kyber), "the last-resort Kyber prekey"),
        (ids != given, "the one-time prekeys"),
        (
            sorted(enlisted.one_time_kyber.iter().map(signed).collect())
                != sorted(import.one_time_kyber_prekeys.iter().map(kyber).collect()),
            "the one-time Kyber prekeys",
        ),
    ];
    match differing.iter().find(|(differs, _)| *differs) {
        Some((_, what)) => {
            Err(Said::fail(Finding::EmptySuccess, expected, format!("{what} at the gateway differ from those given")))
        }
        None => Ok(()),
    }
}

/// Calls after the last step: the last look at what users saw, and closing.
fn end(cx: &Context<'_>) -> Result<Said, Said> {
    let finished = cx.seen.finished.unwrap_or(usize::MAX);
    cx.looked(None)?;
    for call in cx.seen.calls.iter().filter(|c| c.at > finished && c.operation() == Some(Operation::Close)) {
        // Nothing is judged that depends on the instance being closed: a missing answer is no reason to doubt what was seen.
        if let Some((_, Outcome::Problem(_))) = call.outcome {
            cx.succeeded(call)?;
        }
    }
    Ok(Said::pass("what users saw is told to the end, and the instance closes", "it did"))
}
