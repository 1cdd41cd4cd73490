//! Keys are fetched and rotated.

use super::{expected_to_fail, may_succeed, operation, reference_failed};
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::Called;
use countersign_contract::operations::Fetched;
use countersign_contract::{Operation, StanzaId};
use countersign_scenarios::language::{Expect, FetchKeys, RotateKeys, SafetyNumberIs, VerifyIdentity};
use countersign_scenarios::{Side, Step};
use countersign_trace::Outcome;
use serde::Deserialize;

/// A fetch succeeds, asks the gateway, and states the identity key that the gateway gave.
pub(super) fn fetch(cx: &Context<'_>, index: usize, fetch: &FetchKeys) -> Result<Option<Said>, Said> {
    let expected = format!("{} sets up a session from the bundle of {}", fetch.user, fetch.of);
    let user = cx.user(&fetch.user)?;
    if cx.seen.side(&fetch.user) != Some(Side::Candidate) {
        return Ok(reference_failed(cx, index, Some(user), &fetch.of, &expected));
    }
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::FetchKeys));
    let call = call.ok_or_else(|| Said::harness(expected.clone(), "`fetch_keys` was never called"))?;
    // What may succeed and does has to be done as well as any other.
    let succeeded = matches!(call.outcome, Some((_, Outcome::Ok(_))));
    if expected_to_fail(cx, &fetch.name) && !(succeeded && may_succeed(cx, &fetch.name)) {
        return match call.outcome {
            Some((_, Outcome::Problem(_) | Outcome::Ok(_))) => Ok(None),
            _ => cx.succeeded(call).map(|_| None),
        };
    }
    let (at, answer) = cx.succeeded(call)?;
    let of = cx.user(&fetch.of)?;
    let evidence = [cx.seen.n(call.at), cx.seen.n(at)];
    let handed = cx.seen.handed.iter().rfind(|h| h.to == Some(user) && h.bundle.user == of && h.at > call.at && h.at < at);
    let Some(handed) = handed else {
        let observed = "`fetch_keys` succeeded without a bundle from the gateway";
        return Ok(Some(Said::fail(Finding::EmptySuccess, expected, observed).evidence(evidence)));
    };
    let stated = Fetched::deserialize(answer).ok().map(|f| f.identity_key);
    if stated.as_ref() != Some(&handed.bundle.identity_key) {
        let observed = "the identity key in the answer is not the bundle's";
        return Ok(Some(
            Said::fail(Finding::WrongIdentityKey, expected, observed).evidence(evidence).evidence([cx.seen.n(handed.at)]),
        ));
    }
    Ok(Some(Said::pass(expected, "it did").evidence([cx.seen.n(handed.at), cx.seen.n(at)])))
}

/// The safety number is said, unless an expectation is content with a refusal, and judges that.
pub(super) fn verify(cx: &Context<'_>, index: usize, verify: &VerifyIdentity) -> Result<Option<Said>, Said> {
    let is_it = |number: &SafetyNumberIs| number.of == verify.name && !number.or_refuses.is_empty();
    let may_fail = |step: &Step| matches!(step, Step::Expect(Expect::SafetyNumberIs(number)) if is_it(number));
    let refused = |call: &Called<'_>| matches!(call.outcome, Some((_, Outcome::Problem(_))));
    let mut calls = cx.seen.calls_in(index).filter(|call| call.operation() == Some(Operation::VerifyIdentity));
    if cx.seen.scenario.steps.iter().any(may_fail) && calls.any(refused) {
        return Ok(None);
    }
    operation(cx, index, &verify.user, Operation::VerifyIdentity)
}

/// A rotation succeeds, and the new keys are at the gateway and new.
pub(super) fn rotate(cx: &Context<'_>, index: usize, rotate: &RotateKeys) -> Result<Option<Said>, Said> {
    if cx.seen.side(&rotate.user) != Some(Side::Candidate) {
        return Ok(None);
    }
    let expected = format!("{} publishes the new keys asked for", rotate.user);
    let user = cx.user(&rotate.user)?;
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::RotateKeys));
    let call = call.ok_or_else(|| Said::harness(expected.clone(), "`rotate_keys` was never called"))?;
    let (at, _) = cx.succeeded(call)?;
    let by_user = || cx.seen.publications.iter().filter(|p| p.user == user);
    let new = || by_user().filter(|p| p.at > call.at && p.at < at);
    let old = || by_user().filter(|p| p.at < call.at);
    let signed = new().filter_map(|p| p.signed.as_ref()).any(|k| old().filter_map(|p| p.signed.as_ref()).all(|o| o.key != k.key));
    let kyber = new().filter_map(|p| p.kyber.as_ref()).any(|k| old().filter_map(|p| p.kyber.as_ref()).all(|o| o.key != k.key));
    let wanted = rotate.one_time_prekeys as usize;
    let one_time = new().map(|p| p.one_time.len()).sum::<usize>();
    let one_time_kyber = new().map(|p| p.one_time_kyber.len()).sum::<usize>();
    let has_kyber = cx.has_kyber();
    let missing = [
        (rotate.signed && !signed, "no new signed prekey"),
        (has_kyber && rotate.kyber && !kyber, "no new last-resort Kyber prekey"),
        (one_time < wanted, "too few one-time prekeys"),
        (has_kyber && one_time_kyber < wanted, "too few one-time Kyber prekeys"),
    ];
    let evidence = [cx.seen.n(call.at), cx.seen.n(at)];
    Ok(Some(match missing.iter().find(|(is, _)| *is) {
        Some((_, what)) => {
            Said::fail(Finding::EmptySuccess, expected, format!("`rotate_keys` succeeded, but {what} had reached the gateway"))
                .evidence(evidence)
        }
        None => Said::pass(expected, "they are at the gateway").evidence(evidence),
    }))
}

/// The call of a named `send` or `fetch-keys` of the candidate.
pub(crate) fn named_call<'c>(cx: &'c Context<'_>, name: &str) -> Option<(usize, &'c crate::seen::Called<'c>)> {
    use countersign_scenarios::Step;
    cx.seen.scenario.steps.iter().enumerate().find_map(|(index, step)| {
        let call = match step {
            Step::FetchKeys(fetch) if fetch.name == name => {
                cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::FetchKeys))
            }
            Step::TryConnect(attempt) if attempt.name == name => {
                cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::Connect))
            }
            Step::Send(send) if send.name == name => {
                let id: StanzaId = *cx.seen.names.get(name)?;
                cx.seen.send_of(id).filter(|c| c.step == Some(index))
            }
            _ => None,
        };
        call.map(|call| (index, call))
    })
}
