//! What a copy of a state reads of what is fed to it, and from when on it reads nothing any more.
//!
//! Classically a copy is locked out by a step of the Diffie-Hellman ratchet that its original made after the theft: that shows directly,
//! since the copy then refuses. What a thief with a quantum computer could read cannot be tried; it follows from the epoch of the
//! post-quantum ratchet that stands in each message. Of the epoch that is being agreed upon at the time of the theft, the copy may hold
//! a secret already. The next one is agreed upon afterwards, with randomness that the copy does not have; so that a message is safe
//! whose epoch is two higher than the highest seen before the theft. That is an upper bound: it may be safe one epoch earlier.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::{Said, list};
use crate::seen::{Called, same};
use crate::wire;
use countersign_contract::operations::EventList;
use countersign_contract::portable::{MessageType, Stanza};
use countersign_contract::seen::What;
use countersign_contract::{Operation, Reason, StanzaId};
use countersign_scenarios::Step;
use countersign_scenarios::language::{Exchange, Healing, MakeClone, Thief};
use serde::Deserialize;

/// What a copy made of one stanza.
enum Made {
    Shown,
    Refused(Reason),
    Nothing,
}

/// All of the messages were fed to the copy, and it shows them as they were sent.
pub(super) fn reads(cx: &Context<'_>, thief: &Thief) -> Result<Said, Said> {
    let expected = format!("the copy {} reads {}", thief.clone, list(&thief.messages));
    let mut evidence = Vec::new();
    for name in &thief.messages {
        let (at, made) = made(cx, &thief.clone, name, &expected)?;
        evidence.push(cx.seen.n(at));
        let observed = match made {
            Made::Shown => continue,
            Made::Refused(reason) => format!("it refuses {name} as {reason}"),
            Made::Nothing => format!("it makes nothing of {name}"),
        };
        return Err(Said::fail(Finding::NoTrueCopy, expected, observed).evidence(evidence));
    }
    Ok(Said::pass(expected, "it does").evidence(evidence))
}

/// All of the messages were fed to the copy, and it refuses them.
pub(super) fn cannot_read(cx: &Context<'_>, thief: &Thief) -> Result<Said, Said> {
    let expected = format!("the copy {} has no key for {}", thief.clone, list(&thief.messages));
    let (mut evidence, mut reasons) = (Vec::new(), Vec::new());
    for name in &thief.messages {
        let (at, made) = made(cx, &thief.clone, name, &expected)?;
        evidence.push(cx.seen.n(at));
        let said = match made {
            Made::Refused(reason @ (Reason::Unsupported | Reason::Internal | Reason::Timeout)) => {
                let observed = format!("it refuses {name} as {reason}, which says nothing about keys");
                Said::fail(Finding::WrongReason, &expected, observed).reason(Some(reason))
            }
            Made::Refused(reason) => {
                reasons.push(format!("{name} as {reason}"));
                continue;
            }
            Made::Shown => Said::fail(Finding::ThiefReads, &expected, format!("it reads {name}")),
            Made::Nothing => Said::fail(Finding::NoAnswer, &expected, format!("it neither shows nor refuses {name}")),
        };
        return Err(said.evidence(evidence));
    }
    Ok(Said::pass(expected, format!("it refuses {}", list(reasons))).evidence(evidence))
}

/// The copy reads the first of the exchange's messages to its user, and from one of them on none.
pub(super) fn locked_out(cx: &Context<'_>, healing: &Healing) -> Result<Said, Said> {
    let Healing { clone, exchange: name, after_at_most } = healing;
    let expected = format!("after at most {after_at_most} messages of {name} the copy {clone} reads nothing of it any more");
    let exchange = exchange(cx, name, &expected)?;
    let of = &copy(cx, clone, &expected)?.1.of;
    let (mut read, mut first, mut evidence) = (Vec::new(), None, Vec::new());
    for (number, sender, message) in messages(exchange) {
        if sender == of {
            continue;
        }
        let (at, made) = made(cx, clone, &message, &expected)?;
        match (made, first) {
            (Made::Shown, None) => read.push(message),
            (Made::Shown, Some(lockout)) => {
                let observed = format!("it reads {message}, although it could not read {name}{lockout}");
                return Err(Said::fail(Finding::ThiefReads, expected, observed).evidence([cx.seen.n(at)]));
            }
            (Made::Refused(_) | Made::Nothing, None) => {
                evidence.push(cx.seen.n(at));
                first = Some(number);
            }
            (Made::Refused(_) | Made::Nothing, Some(_)) => {}
        }
    }
    if read.is_empty() {
        let observed = "it reads nothing at all, not even what came right after it was made";
        return Err(Said::fail(Finding::NoTrueCopy, expected, observed).evidence(evidence));
    }
    let Some(first) = first else {
        let observed = format!("it reads all {} messages to its user", read.len());
        return Err(Said::fail(Finding::ThiefReads, expected, observed));
    };
    let passed = first - 1;
    let answers = messages(exchange).filter(|(number, sender, _)| *number < first && *sender == of).count();
    let observed = format!(
        "classically locked out after {passed} messages, {answers} of them of its own user: it reads {}, and nothing from {name}{first} on",
        list(&read)
    );
    if passed > *after_at_most {
        return Err(Said::fail(Finding::ThiefReads, expected, observed).evidence(evidence));
    }
    Ok(Said::pass(expected, observed).evidence(evidence))
}

/// A message of the exchange belongs to an epoch that was agreed upon after the copy was made.
pub(super) fn post_quantum(cx: &Context<'_>, healing: &Healing) -> Result<Said, Said> {
    let Healing { clone, exchange: name, after_at_most } = healing;
    let expected =
        format!("after at most {after_at_most} messages of {name} its post-quantum epoch was begun after {clone} was made");
    let exchange = exchange(cx, name, &expected)?;
    let (stolen, _) = copy(cx, clone, &expected)?;
    let before = cx.seen.frames.iter().filter(|f| f.at < stolen).filter_map(|f| f.stanza.as_ref().ok());
    let before = before.chain(cx.seen.reference_stanzas.iter().filter(|(at, ..)| *at < stolen).map(|(.., stanza)| stanza));
    let Some(known) = before.filter_map(epoch).max() else {
        return Err(Said::blocked(expected, format!("no message with a post-quantum part was sent before {clone} was made")));
    };
    let (mut passed, mut highest) = (0, known);
    for (number, _, message) in messages(exchange) {
        let (_, id) = cx.message(&message, &expected)?;
        let Some((at, stanza)) = cx.seen.on_wire(id) else {
            return Err(Said::blocked(expected, format!("{message} never reached the gateway")));
        };
        let Some(epoch) = epoch(stanza) else {
            let observed = format!("{message} has no post-quantum part");
            return Err(Said::fail(Finding::EpochBehind, expected, observed).evidence([cx.seen.n(at)]));
        };
        highest = highest.max(epoch);
        if epoch < known.saturating_add(2) {
            passed = number;
            continue;
        }
        let observed = format!(
            "safe from a quantum computer after {passed} messages at the latest: epoch {known} at the theft, {epoch} in {message}"
        );
        let said = match passed <= *after_at_most {
            true => Said::pass(expected, observed),
            false => Said::fail(Finding::EpochBehind, expected, observed),
        };
        return Ok(said.evidence([cx.seen.n(at)]));
    }
    let observed = format!("epoch {known} at the theft, and {highest} after {passed} messages");
    Err(Said::fail(Finding::EpochBehind, expected, observed))
}

/// What the copy made of a stanza that was fed to it, and where that stands.
fn made(cx: &Context<'_>, clone: &str, name: &str, expected: &str) -> Result<(usize, Made), Said> {
    copy(cx, clone, expected)?;
    let (sent, message) = match cx.seen.message(name) {
        Some(sent) => (Some(sent), sent.id),
        None => (None, None),
    };
    let id = cx.stanza(name, expected)?;
    let call = fed(cx, clone).find(|(fed, _)| *fed == Some(id)).map(|(_, call)| call);
    let call = call.ok_or_else(|| Said::harness(expected, format!("{name} was not fed to {clone}")))?;
    let (at, answer) = cx.succeeded(call)?;
    let events = EventList::deserialize(answer).map(|list| list.events).unwrap_or_default();
    let mut refused = None;
    for seen in events {
        match seen.what {
            What::Message { message: shown, from, content, .. } if Some(shown) == message => {
                let as_sent =
                    sent.is_some_and(|s| s.from == Some(from) && s.content.as_ref().is_some_and(|sent| same(sent, &content)));
                if as_sent {
                    return Ok((at, Made::Shown));
                }
                let observed = format!("it shows something else for {name} than was sent");
                return Err(Said::fail(Finding::ContentDiffers, expected, observed).evidence([cx.seen.n(at)]));
            }
            What::Refused { stanza, reason } if stanza == id => refused = Some(reason),
            _ => {}
        }
    }
    Ok((at, refused.map_or(Made::Nothing, Made::Refused)))
}

/// The stanzas that were fed to a copy, with the calls.
fn fed<'c>(cx: &'c Context<'_>, clone: &'c str) -> impl Iterator<Item = (Option<StanzaId>, &'c Called<'c>)> {
    let steps = cx.seen.scenario.steps.iter().enumerate();
    let steps = steps.filter(move |(_, step)| matches!(step, Step::Deliver(d) if d.clone == clone));
    let calls = steps.flat_map(|(index, _)| cx.seen.calls_in(index)).filter(|c| c.operation() == Some(Operation::Deliver));
    calls.map(|call| (call.args.get("stanza").and_then(|s| s.get("id")?.as_str()?.parse().ok()), call))
}

/// The step that made a copy, and where it stands in the trace: only a copy that was made can be judged.
fn copy<'c>(cx: &'c Context<'_>, clone: &str, expected: &str) -> Result<(usize, &'c MakeClone), Said> {
    let found = cx.seen.scenario.steps.iter().enumerate().find_map(|(index, step)| match step {
        Step::Clone(c) if c.name == clone => Some((index, c)),
        _ => None,
    });
    let (index, step) = found.ok_or_else(|| Said::harness(expected, format!("the scenario makes no copy {clone}")))?;
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::Clone));
    let call = call.ok_or_else(|| Said::harness(expected, "`clone` was never called"))?;
    cx.succeeded(call)?;
    Ok((call.at, step))
}

fn exchange<'c>(cx: &'c Context<'_>, name: &str, expected: &str) -> Result<&'c Exchange, Said> {
    let found = cx.seen.scenario.steps.iter().find_map(|step| match step {
        Step::Exchange(e) if e.name == name => Some(e),
        _ => None,
    });
    found.ok_or_else(|| Said::harness(expected, format!("no exchange is called {name}")))
}

/// Messages of an exchange: number, sender, name.
fn messages(exchange: &Exchange) -> impl Iterator<Item = (u32, &String, String)> {
    let [first, second] = &exchange.between;
    (1..=exchange.messages).map(move |number| {
        let sender = if number % 2 == 1 { first } else { second };
        (number, sender, format!("{}{number}", exchange.name))
    })
}

fn epoch(stanza: &Stanza) -> Option<u64> {
    let Stanza::Message { r#type, body, .. } = stanza else { return None };
    match r#type {
        MessageType::Prekey => wire::epoch(wire::prekey(&body.0)?.message.pq_ratchet),
        MessageType::Normal => wire::epoch(wire::signal(&body.0)?.pq_ratchet),
    }
}
