//! Safety numbers agree where they have to, and differ where they have to.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::{Operation, Reason, operations::SafetyNumber};
use countersign_scenarios::language::SafetyNumberIs;
use countersign_scenarios::{Side, Step};
use countersign_trace::{Blame, Observation, Outcome, Verdict};
use serde::Deserialize;

pub(super) fn judge(cx: &Context<'_>, between: &[String; 2], same: bool) -> Result<Said, Said> {
    let [one, other] = between;
    let expected = format!("{one} and {other} are {}", if same { "the same safety number" } else { "different safety numbers" });
    let (first, first_ours, first_at) = number(cx, one, &expected)?;
    let (second, second_ours, second_at) = number(cx, other, &expected)?;
    let evidence = [cx.seen.n(first_at), cx.seen.n(second_at)];
    let said = match (first == second, same) {
        (true, true) => return Ok(Said::pass(expected, "they are the same").evidence(evidence)),
        (false, false) => return Ok(Said::pass(expected, "they differ").evidence(evidence)),
        (false, true) => Said::fail(Finding::SafetyNumbersDiffer, expected, format!("{first} and {second}")),
        (true, false) => Said::fail(Finding::SafetyNumbersEqual, expected, format!("both are {first}")),
    };
    let ours = first_ours && second_ours;
    Err(if ours { said.verdict(Verdict::HarnessError).blame(Blame::Reference) } else { said }.evidence(evidence))
}

/// A safety number is the stored one.
pub(super) fn is(cx: &Context<'_>, is: &SafetyNumberIs) -> Result<Said, Said> {
    let SafetyNumberIs { of: name, digits, or_refuses } = is;
    let either = if or_refuses.is_empty() { String::new() } else { format!(", or refused as {}", Context::reasons(or_refuses)) };
    let expected = format!("{name} is the safety number {digits}{either}");
    if let Some((at, reason)) = refused(cx, name).filter(|_| !or_refuses.is_empty()) {
        let evidence = [cx.seen.n(at)];
        if or_refuses.contains(&reason) {
            return Ok(Said::pass(expected, format!("it was refused as {reason}")).reason(Some(reason)).evidence(evidence));
        }
        let observed = format!("it was refused as {reason}");
        return Err(Said::fail(Finding::WrongReason, expected, observed).reason(Some(reason)).evidence(evidence));
    }
    let (seen, _, at) = number(cx, name, &expected)?;
    if seen == *digits {
        return Ok(Said::pass(expected, "it is").evidence([cx.seen.n(at)]));
    }
    Err(Said::fail(Finding::SafetyNumbersDiffer, expected, format!("it is {seen}")).evidence([cx.seen.n(at)]))
}

/// Where and why the candidate refused to say the safety number that a step asks for.
fn refused(cx: &Context<'_>, name: &str) -> Option<(usize, Reason)> {
    let steps = cx.seen.scenario.steps.iter();
    let index = steps.clone().position(|step| matches!(step, Step::VerifyIdentity(verify) if verify.name == name))?;
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::VerifyIdentity))?;
    match call.outcome {
        Some((at, Outcome::Problem(problem))) => Some((at, problem.reason)),
        _ => None,
    }
}

/// The digits that a `verify-identity` step saw, whether our own user saw them, and where.
fn number(cx: &Context<'_>, name: &str, expected: &str) -> Result<(String, bool, usize), Said> {
    let found = cx.seen.scenario.steps.iter().enumerate().find_map(|(index, step)| match step {
        Step::VerifyIdentity(verify) if verify.name == name => Some((index, verify)),
        _ => None,
    });
    let (index, verify) = found.ok_or_else(|| Said::harness(expected, format!("no step is called {name}")))?;
    let missing = || Said::blocked(expected, format!("{name} was not seen (step-{index})"));
    let (digits, ours, at) = if cx.seen.side(&verify.user) == Some(Side::Candidate) {
        let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::VerifyIdentity)).ok_or_else(missing)?;
        let (at, answer) = call.ok().ok_or_else(missing)?;
        (SafetyNumber::deserialize(answer).map_err(|_| missing())?.digits, false, at)
    } else {
        let user = cx.user(&verify.user)?;
        cx.seen
            .observed_in(index)
            .find_map(|(at, who, observation)| match observation {
                Observation::SafetyNumber { digits, .. } if who == Some(user) => Some((digits.clone(), true, at)),
                _ => None,
            })
            .ok_or_else(missing)?
    };
    if digits.len() == 60 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok((digits, ours, at));
    }
    let said = Said::fail(Finding::BadSafetyNumber, expected, format!("{name} is not 60 digits")).evidence([cx.seen.n(at)]);
    Err(if ours { said.verdict(Verdict::HarnessError).blame(Blame::Reference) } else { said })
}
