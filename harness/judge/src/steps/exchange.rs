//! Many messages in one step.

use super::reference_failed;
use super::send::candidate_sent;
use crate::context::Context;
use crate::expectations::shows;
use crate::said::Said;
use countersign_scenarios::Side;
use countersign_scenarios::language::{Burst, Exchange};
use countersign_trace::{Observation, Verdict};

/// Every message of an exchange is sent, and shown to its receiver.
pub(super) fn judge(cx: &Context<'_>, index: usize, exchange: &Exchange) -> Result<Option<Said>, Said> {
    let [first, second] = &exchange.between;
    let expected = format!("{first} and {second} exchange {} messages, each shown before the next is sent", exchange.messages);
    for (one, other) in [(first, second), (second, first)] {
        let user = cx.user(one)?;
        if cx.seen.side(one) == Some(Side::Reference)
            && let Some(said) = reference_failed(cx, index, Some(user), other, &expected)
        {
            return Ok(Some(said));
        }
    }
    cx.looked(Some(index))?;
    for i in 1..=exchange.messages {
        let name = format!("{}{i}", exchange.name);
        let (sent, id) = cx.message(&name, &expected)?;
        if sent.by_candidate
            && let Some(said) = candidate_sent(cx, index, &name, id, &format!("{expected}: {name}"))?
            && said.verdict != Verdict::Pass
        {
            return Ok(Some(said));
        }
        let receiver = sent.to_name.clone();
        shows::one(cx, index, &receiver, &name, &format!("{expected}: {name}"))?;
    }
    Ok(Some(Said::pass(expected, "all were shown, once each")))
}

/// A burst is sent by a reference user; nothing is said if it was.
pub(super) fn burst(cx: &Context<'_>, index: usize, burst: &Burst) -> Result<Option<Said>, Said> {
    let expected = format!("{} sends {} messages at planned times", burst.from, burst.messages);
    let from = cx.user(&burst.from)?;
    if let Some(said) = reference_failed(cx, index, Some(from), &burst.to, &expected) {
        return Ok(Some(said));
    }
    cx.looked(Some(index))?;
    let made =
        cx.seen.observed_in(index).filter(|(_, who, o)| *who == Some(from) && matches!(o, Observation::Sent { .. })).count();
    if made == burst.messages as usize { Ok(None) } else { Err(Said::harness(expected, format!("it made {made} messages"))) }
}
