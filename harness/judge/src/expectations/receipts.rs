//! Receipts are there, or are not.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::What;
use countersign_contract::StanzaId;
use countersign_contract::UserId;
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_trace::{Blame, Verdict};
use std::collections::BTreeSet;

const fn word(receipt: ReceiptType) -> &'static str {
    match receipt {
        ReceiptType::Delivered => "delivery",
        ReceiptType::Retry => "retry",
    }
}

/// A user got a receipt by the end of the step.
pub(super) fn judge(cx: &Context<'_>, index: usize, user: &str, receipt: ReceiptType, of: &str) -> Result<Said, Said> {
    let expected = format!("{user} gets a {} receipt for {of}", word(receipt));
    let receiver = cx.user(user)?;
    let id = cx.stanza(of, &expected)?;
    let end = cx.seen.end_of(index);
    let peer = cx.seen.message(of).and_then(|m| if m.from == Some(receiver) { m.to } else { m.from });
    if let Some(at) = got(cx, receiver, receipt, id, peer).into_iter().find(|at| *at < end) {
        return Ok(Said::pass(expected, "it came").evidence([cx.seen.n(at)]));
    }
    // Of a reference user's receipt to the candidate it is the candidate that has to show it, once it was delivered.
    if cx.seen.is_candidate(receiver) {
        let delivered = receipts_to(cx, receiver, receipt, id).next();
        return Err(match delivered {
            Some((at, _)) => {
                Said::fail(Finding::NoReceipt, expected, "it was delivered, and not shown").evidence([cx.seen.n(at)])
            }
            None => Said::blocked(expected, "no such receipt reached this user"),
        });
    }
    // Of a group, any candidate's user that reads it may have sent the receipt.
    let group = cx.seen.message(of).and_then(|m| m.group.as_ref()).map(|(_, readers)| readers);
    let senders: Vec<UserId> = peer.into_iter().chain(group.into_iter().flatten().copied()).collect();
    let observed = match senders.iter().find_map(|peer| cx.seen.first_delivery(*peer, id, end)) {
        Some(_) => "there was none, though the stanza was delivered",
        None => "there was none",
    };
    let said = Said::fail(Finding::NoReceipt, expected, observed);
    Err(if senders.iter().any(|peer| cx.seen.is_candidate(*peer)) {
        said
    } else {
        said.verdict(Verdict::HarnessError).blame(Blame::Reference)
    })
}

/// A user got no such receipt, or not more than a number, in the whole trace.
pub(super) fn none(cx: &Context<'_>, user: &str, receipt: ReceiptType, of: &str, more_than: u32) -> Result<Said, Said> {
    let expected = match more_than {
        0 => format!("{user} gets no {} receipt for {of}", word(receipt)),
        n => format!("{user} gets at most {n} {} receipts for {of}", word(receipt)),
    };
    let receiver = cx.user(user)?;
    let id = cx.stanza(of, &expected)?;
    let places =
        if cx.seen.is_candidate(receiver) { got(cx, receiver, receipt, id, None) } else { sent_to(cx, receiver, receipt, id) };
    if places.len() > more_than as usize {
        let observed = format!("there were {}", places.len());
        return Err(Said::fail(Finding::UndueReceipt, expected, observed).evidence(places.iter().map(|at| cx.seen.n(*at))));
    }
    Ok(Said::pass(expected, format!("there were {}", places.len())))
}

/// Where a user got a receipt from a peer.
fn got(cx: &Context<'_>, receiver: UserId, receipt: ReceiptType, id: StanzaId, peer: Option<UserId>) -> Vec<usize> {
    let from_peer = |from: UserId| peer.is_none_or(|peer| peer == from);
    if cx.seen.is_candidate(receiver) && receipt == ReceiptType::Retry {
        // Requests to send again are not shown to anybody: what counts is that the gateway delivered them.
        return receipts_to(cx, receiver, receipt, id).filter(|(_, from)| from.is_none_or(from_peer)).map(|(at, _)| at).collect();
    }
    let wanted = receipt == ReceiptType::Retry;
    // What is sent again keeps the message's id, and a user reads receipts by message.
    let message = cx.seen.message_of_stanza.get(&id).and_then(|name| cx.seen.messages.get(name)).and_then(|m| m.id);
    cx.seen
        .sights(receiver)
        .iter()
        .filter(|w| match &w.what {
            What::Receipt { from, of, retry } => {
                let names_it = of.contains(&id) || (cx.seen.is_candidate(receiver) && message.is_some_and(|m| of.contains(&m)));
                *retry == wanted && names_it && from_peer(*from)
            }
            _ => false,
        })
        .map(|w| w.at)
        .collect()
}

/// Receipts that the gateway delivered to a user.
fn receipts_to<'c>(
    cx: &'c Context<'_>,
    receiver: UserId,
    receipt: ReceiptType,
    id: StanzaId,
) -> impl Iterator<Item = (usize, Option<UserId>)> + 'c {
    cx.seen.deliveries.iter().filter(move |d| d.user == receiver).filter_map(move |d| match &d.stanza {
        Stanza::Receipt { r#type, of, from, .. } if *r#type == receipt && *of == id => Some((d.at, *from)),
        _ => None,
    })
}

/// Receipts that the candidate sent to a reference user, each stanza once.
fn sent_to(cx: &Context<'_>, receiver: UserId, receipt: ReceiptType, id: StanzaId) -> Vec<usize> {
    let mut known = BTreeSet::new();
    cx.seen
        .frames
        .iter()
        .filter_map(|frame| match &frame.stanza {
            Ok(Stanza::Receipt { id: own, to, r#type, of, .. }) if *to == Some(receiver) && *r#type == receipt && *of == id => {
                known.insert(*own).then_some(frame.at)
            }
            _ => None,
        })
        .collect()
}
