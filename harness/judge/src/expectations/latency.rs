//! Latency over a burst: from the planned send to the message being shown, or to its receipt.

use super::QUIET_MACHINE;
use crate::context::Context;
use crate::finding::Finding;
use crate::latency::{MOST_SAMPLES, p95};
use crate::said::Said;
use crate::seen::{Sent, What};
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_scenarios::Step;
use countersign_scenarios::language::Burst;

/// From the planned send to the answer of `events` that first shows the message.
pub(super) fn delivery(cx: &Context<'_>, burst: &str) -> Result<Said, Said> {
    judge(cx, burst, "a message is shown", cx.profile.limits.delivery_p95_ms, |sent| {
        cx.seen
            .sights(sent.to?)
            .iter()
            .find(|w| matches!(&w.what, What::Message { message, .. } if Some(*message) == sent.id))
            .map(|w| w.at)
    })
}

/// From the planned send to the delivery receipt at the gateway.
pub(super) fn receipts(cx: &Context<'_>, burst: &str) -> Result<Said, Said> {
    judge(cx, burst, "its delivery receipt is at the gateway", cx.profile.limits.receipt_p95_ms, |sent| {
        cx.seen
            .frames
            .iter()
            .find(|frame| {
                frame.user == sent.to
                    && matches!(&frame.stanza, Ok(Stanza::Receipt { r#type: ReceiptType::Delivered, of, .. }) if Some(*of) == sent.id)
            })
            .map(|frame| frame.at)
    })
}

fn judge(
    cx: &Context<'_>,
    name: &str,
    what: &str,
    limit_ms: u64,
    arrival: impl Fn(&Sent) -> Option<usize>,
) -> Result<Said, Said> {
    let expected = format!("in 95 % of cases {what} within {limit_ms} ms of the planned send");
    let burst = find(cx, name).ok_or_else(|| Said::harness(&expected, format!("no burst is called {name}")))?;
    let mut samples = Vec::new();
    // Our own lag is how late our timers fired, each against its due time and against the plan of the whole burst, and nothing
    // else: an entry has the time of the input that it follows, here the timer.
    let mut lag = cx.seen.lag_us;
    let mut missing = 0_u32;
    let mut evidence = vec![];
    for i in 1..=burst.messages.min(MOST_SAMPLES) {
        let message = format!("{}{i}", burst.name);
        let (sent, id) = cx.message(&message, &expected)?;
        let planned =
            cx.seen.disturbed.iter().find_map(|(_, of, how)| {
                (*of == Some(id)).then(|| how.strip_prefix("planned at ")?.parse::<u64>().ok()).flatten()
            });
        let left = cx.seen.reference_stanzas.iter().find(|(_, _, s)| s.id() == id).map(|(at, ..)| cx.seen.time(*at));
        let (Some(planned), Some(left)) = (planned, left) else {
            return Err(Said::harness(expected, format!("the trace does not say when {message} was planned and sent")));
        };
        lag = lag.max(left.saturating_sub(planned));
        match arrival(sent) {
            Some(at) => {
                samples.push(cx.seen.time(at).saturating_sub(planned));
                evidence.push(cx.seen.n(at));
            }
            None => {
                missing += 1;
                samples.push(u64::MAX);
            }
        }
    }
    let limit_us = limit_ms.saturating_mul(1000);
    let Some(p95) = p95(samples) else { return Err(Said::harness(expected, "no samples")) };
    let observed = format!(
        "{} messages, {missing} of them without an arrival; 95th percentile {}, with 95 % confidence not under {} and not over {}; \
         our own timers were late by {} ms at most",
        p95.samples,
        milliseconds(p95.estimate),
        milliseconds(p95.lower),
        p95.upper.map_or_else(|| "an unknown value, since there are too few".to_owned(), milliseconds),
        lag / 1000,
    );
    if lag > cx.profile.limits.own_lag_ms.saturating_mul(1000) {
        let limit = cx.profile.limits.own_lag_ms;
        let observed = format!("{observed}, and the profile allows {limit} ms: {QUIET_MACHINE}");
        return Err(Said::environment(expected, observed));
    }
    if p95.lower > limit_us {
        return Err(Said::fail(Finding::TooSlow, expected, observed).evidence(evidence));
    }
    if p95.upper.is_some_and(|upper| upper <= limit_us) {
        return Ok(Said::pass(expected, observed).evidence(evidence));
    }
    Err(Said::inconclusive(expected, observed).evidence(evidence))
}

fn find<'c>(cx: &'c Context<'_>, name: &str) -> Option<&'c Burst> {
    cx.seen.scenario.steps.iter().find_map(|step| match step {
        Step::Burst(burst) if burst.name == name => Some(burst),
        _ => None,
    })
}

fn milliseconds(us: u64) -> String {
    if us == u64::MAX { "never".to_owned() } else { format!("{}.{:03} ms", us / 1000, us % 1000) }
}
