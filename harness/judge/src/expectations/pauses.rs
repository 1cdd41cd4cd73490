//! Failed requests are repeated with growing pauses.

use super::QUIET_MACHINE;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::{Said, list};
use countersign_scenarios::Step;
use countersign_scenarios::language::{Endpoint, FaultStep};

/// No pause may be shorter, in microseconds: a client that comes back at once only adds to an overload.
const SHORTEST_PAUSE_US: u64 = 10_000;

pub(super) fn judge(cx: &Context<'_>, fault: &str, attempts: u32) -> Result<Said, Said> {
    let expected = format!(
        "the failed request is repeated, {attempts} attempts in all, with pauses that grow and are never under {} ms",
        SHORTEST_PAUSE_US / 1000
    );
    let step = cx.seen.scenario.steps.iter().find_map(|s| match s {
        Step::Fault(step) if step.name == fault => Some(step),
        _ => None,
    });
    let step = step.ok_or_else(|| Said::harness(&expected, format!("no step is called {fault}")))?;
    let lag = cx.seen.lag_us;
    if lag > cx.profile.limits.own_lag_ms.saturating_mul(1000) {
        let limit = cx.profile.limits.own_lag_ms;
        let observed =
            format!("our own timers were up to {} ms late, and the profile allows {limit} ms: {QUIET_MACHINE}", lag / 1000);
        return Err(Said::environment(expected, observed));
    }
    let failed: Vec<usize> = cx.seen.disturbed.iter().filter(|(_, _, how)| names(how, fault)).map(|(at, ..)| *at).collect();
    let Some(last) = failed.last() else {
        let observed = "the request that was to fail was never made";
        return Err(Said::fail(Finding::NotRepeated, expected, observed));
    };
    let all: Vec<usize> = failed.iter().copied().chain(next(cx, step, *last)).collect();
    let evidence: Vec<u64> = all.iter().map(|at| cx.seen.n(*at)).collect();
    let times: Vec<u64> = all.iter().map(|at| cx.seen.time(*at)).collect();
    if times.len() < attempts as usize {
        let observed = format!("{} attempts", times.len());
        return Err(Said::fail(Finding::NotRepeated, expected, observed).evidence(evidence));
    }
    let pauses: Vec<u64> = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b.saturating_sub(*a)).collect();
    let observed = format!("{} attempts with pauses of {} ms", times.len(), list(pauses.iter().map(|p| p / 1000)));
    // Both ends of a pause are read by our own loop, so that each may be off by its lag: the doubt is the candidate's.
    let short = pauses.iter().any(|pause| pause.saturating_add(lag) < SHORTEST_PAUSE_US);
    let grow = match (pauses.first(), pauses.last(), pauses.len()) {
        (Some(first), Some(last), 3..) => last.saturating_add(lag) >= first.saturating_sub(lag).saturating_mul(2),
        // The contract doubles the pause and adds a little chance: of two, the second is longer by a third at least.
        (Some(first), Some(last), 2) => last.saturating_add(lag).saturating_mul(3) >= first.saturating_sub(lag).saturating_mul(4),
        _ => true,
    };
    if short || !grow {
        return Err(Said::fail(Finding::PausesDoNotGrow, expected, observed).evidence(evidence));
    }
    Ok(Said::pass(expected, observed).evidence(evidence))
}

/// Whether a disturbance is an attempt that a fault made fail. The name is followed by a space, so that none is a prefix.
fn names(how: &str, fault: &str) -> bool {
    how.strip_prefix("fault ").and_then(|rest| rest.strip_prefix(fault)).is_some_and(|rest| rest.starts_with(" attempt "))
}

/// The next request of the kind that a fault concerns.
fn next(cx: &Context<'_>, step: &FaultStep, after: usize) -> Option<usize> {
    if step.on == Endpoint::Message {
        return cx.seen.frames.iter().find(|f| f.at > after && f.outgoing().is_some()).map(|f| f.at);
    }
    let meets = |method: &str, path: &str| match step.on {
        Endpoint::Enlist => (method, path) == ("POST", "/enlist"),
        Endpoint::GetKeys => method == "GET" && path.starts_with("/keys/"),
        Endpoint::PutKeys => (method, path) == ("PUT", "/keys"),
        Endpoint::PutMedia => (method, path) == ("PUT", "/media"),
        Endpoint::GetMedia => method == "GET" && path.starts_with("/media/"),
        Endpoint::Message => false,
    };
    cx.seen.requests.iter().find(|r| r.at > after && meets(r.method, r.path)).map(|r| r.at)
}
