//! The candidate is still there. Elsewhere a call without an answer is a matter of the environment; where a scenario sends what might
//! end a client, or stop it, the end is what the scenario is about.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::{Said, quote};
use countersign_contract::{Operation, Reason};
use countersign_trace::event::{Fault, Outcome};

/// Every call up to the end of the step has an answer.
pub(super) fn judge(cx: &Context<'_>, index: usize, user: &str) -> Result<Said, Said> {
    let expected = format!("the client of {user} is still there, and has answered everything in time");
    let until = |step: Option<usize>| step.is_some_and(|step| step <= index);
    for call in cx.seen.calls.iter().filter(|call| until(call.step)) {
        let (at, fault, detail) = match call.outcome {
            Some((at, Outcome::Fault { fault, detail })) => (at, fault, detail),
            // The upper tester answers for a client that does not get any further.
            Some((at, Outcome::Problem(problem)))
                if problem.reason == Reason::Timeout && call.operation() == Some(Operation::Settle) =>
            {
                (at, &Fault::Deadline, &problem.detail)
            }
            _ => continue,
        };
        let finding = match fault {
            Fault::Gone => Finding::Died,
            Fault::Deadline => Finding::Hung,
            Fault::Exceeded => Finding::Grew,
            Fault::Overran => Finding::Overran,
            Fault::NotTheContract => return Err(Context::fault(call.op, *fault, detail, expected)),
        };
        let observed = format!("`{}` had no answer: {}", call.op, quote(detail));
        return Ok(Said::fail(finding, expected, observed).evidence([cx.seen.n(call.at), cx.seen.n(at)]));
    }
    let last = cx.seen.steps.keys().next_back().is_some_and(|last| *last <= index);
    if let Some((at, cause, _)) = cx.seen.aborted.filter(|(.., too_much)| last && *too_much) {
        return Ok(Said::fail(Finding::Grew, expected, quote(cause)).evidence([cx.seen.n(at)]));
    }
    if let Some(gate) = cx.gate(index, &expected) {
        return Err(gate);
    }
    // A client that has lost its channel answers as well, and gets no further either.
    match cx.looked(Some(index)) {
        Err(said) => Err(Said { expected, ..said }),
        Ok(()) => Ok(Said::pass(expected, "so it is")),
    }
}
