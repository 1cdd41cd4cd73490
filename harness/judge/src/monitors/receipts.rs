//! Receipts tell the truth: `delivered` for what was shown, `retry` for what was refused, each in its measure.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::{Delivery, What};
use countersign_contract::conversation::has_receipt;
use countersign_contract::portable::{MOST_RETRIES, ReceiptType, Stanza};
use countersign_contract::{Reason, StanzaId, UserId};
use std::collections::BTreeMap;

pub(super) const MONITOR: Monitor = Monitor { id: "receipts", requirements: &["CT-03", "RETRY-01"], watch };

/// A receipt of the candidate.
struct Receipt {
    at: usize,
    id: StanzaId,
    user: UserId,
    to: UserId,
    kind: ReceiptType,
    of: StanzaId,
    count: Option<u32>,
}

fn watch(cx: &Context<'_>) -> Said {
    let expected = "receipts are sent for what was delivered, `delivered` only for what is shown, `retry` only for what is refused, \
                    and no more of them than the binding allows";
    // Receipts about one stanza, each receipt once: a frame may be repeated after an error of the gateway.
    let mut about: BTreeMap<(UserId, StanzaId), Vec<Receipt>> = BTreeMap::new();
    let mut count = 0_usize;
    for receipt in receipts(cx) {
        let others = about.entry((receipt.user, receipt.of)).or_default();
        if others.iter().any(|r| r.id == receipt.id) {
            continue;
        }
        count += 1;
        let at = receipt.at;
        if let Err((finding, observed)) = examine(cx, &receipt, others) {
            let evidence = others.iter().map(|r| r.at).chain([at]).map(|at| cx.seen.n(at)).collect::<Vec<_>>();
            return Said::fail(finding, expected, observed).evidence(evidence);
        }
        others.push(receipt);
    }
    Said::pass(expected, format!("{count} receipts"))
}

fn receipts<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = Receipt> + 'c {
    cx.seen.frames.iter().filter_map(|frame| match &frame.stanza {
        Ok(Stanza::Receipt { id, to: Some(to), r#type, of, count, .. }) => {
            Some(Receipt { at: frame.at, id: *id, user: frame.user?, to: *to, kind: *r#type, of: *of, count: *count })
        }
        _ => None,
    })
}

fn examine(cx: &Context<'_>, receipt: &Receipt, others: &[Receipt]) -> Result<(), (Finding, String)> {
    let seen = &cx.seen;
    let name = seen.message_of_stanza.get(&receipt.of).cloned().unwrap_or_else(|| receipt.of.to_string());
    let deliveries: Vec<Option<UserId>> = seen
        .deliveries
        .iter()
        .filter(|d| d.user == receipt.user && d.at < receipt.at && d.stanza.id() == receipt.of)
        .filter_map(|d| match &d.stanza {
            Stanza::Message { from, .. } | Stanza::GroupMessage { from, .. } => Some(*from),
            Stanza::SealedMessage { id, .. } => Some(seen.sender_of(*id)),
            _ => None,
        })
        .collect();
    if deliveries.is_empty() {
        return Err((Finding::UndueReceipt, format!("a receipt for {name}, which was not delivered as a message")));
    }
    if !deliveries.contains(&Some(receipt.to)) {
        return Err((Finding::BadReceipt, format!("a receipt for {name} to somebody who did not send it")));
    }
    let before = others.iter().filter(|r| r.kind == receipt.kind).count();
    match receipt.kind {
        ReceiptType::Delivered => delivered(cx, receipt, &name, deliveries.len(), before),
        ReceiptType::Retry => retry(cx, receipt, &name, before),
    }
}

fn delivered(cx: &Context<'_>, receipt: &Receipt, name: &str, deliveries: usize, before: usize) -> Result<(), (Finding, String)> {
    if receipt.count.is_some() {
        return Err((Finding::BadReceipt, format!("a delivery receipt for {name} with a count")));
    }
    if before >= deliveries {
        return Err((Finding::UndueReceipt, format!("{} delivery receipts for {name}", before + 1)));
    }
    // What was not asked for after the receipt is not known.
    if !cx.seen.looked_after(receipt.user, receipt.at) {
        return Ok(());
    }
    if !refusals(cx, receipt).is_empty() && deliveries == 1 {
        return Err((Finding::UndueReceipt, format!("a delivery receipt for {name}, which was refused")));
    }
    let message = cx.seen.message_of_stanza.get(&receipt.of).and_then(|m| cx.seen.messages.get(m));
    if message.and_then(|m| m.content.as_ref()).is_some_and(|content| !has_receipt(content)) {
        return Err((Finding::UndueReceipt, format!("a delivery receipt for {name}, which is no message")));
    }
    let id = message.and_then(|m| m.id);
    let refused = |id: StanzaId| cx.seen.sights(receipt.user).iter().any(|w| is_refusal_of(&w.what, id).is_some());
    let shown = cx.seen.sights(receipt.user).iter().any(|w| match &w.what {
        // Which message a user of the candidate sends again under a stanza id of its own, only the two ends know: one of those that
        // were asked for.
        What::Message { message, from, .. } if id.is_none() && *from == receipt.to && refused(*message) => true,
        What::Message { message, .. } => Some(*message) == id || *message == receipt.of,
        _ => false,
    });
    // What one of the candidate's users sends another once more has an id that nobody here knows.
    let unknown = message.is_none() && cx.seen.is_candidate(receipt.to);
    if shown || unknown {
        Ok(())
    } else {
        Err((Finding::UndueReceipt, format!("a delivery receipt for {name}, which was never shown")))
    }
}

fn retry(cx: &Context<'_>, receipt: &Receipt, name: &str, before: usize) -> Result<(), (Finding, String)> {
    if before >= MOST_RETRIES as usize {
        return Err((Finding::TooManyRetries, format!("{} retry receipts for {name}; at most {MOST_RETRIES}", before + 1)));
    }
    if receipt.count.map(|c| c as usize) != Some(before + 1) {
        return Err((Finding::BadReceipt, format!("retry receipt {} for {name} does not count so", before + 1)));
    }
    if !cx.seen.looked_after(receipt.user, receipt.at) {
        return Ok(());
    }
    let reasons = refusals(cx, receipt);
    if reasons.is_empty() {
        return Err((Finding::UndueReceipt, format!("a retry receipt for {name}, which is not reported as refused")));
    }
    if reasons.iter().all(|r| matches!(r, Reason::Duplicate | Reason::TooOld)) {
        return Err((Finding::UndueReceipt, format!("a retry receipt for {name}, which was received before")));
    }
    let sealed = |d: &Delivery| d.stanza.id() == receipt.of && matches!(d.stanza, Stanza::SealedMessage { .. });
    if cx.seen.deliveries.iter().any(sealed) && reasons.iter().all(|r| is_about_certificate(*r)) {
        return Err((Finding::UndueReceipt, format!("a retry receipt for {name}, whose sender nobody vouches for")));
    }
    Ok(())
}

/// Whether a sealed message that is refused for this is one whose sender is not known, or not to be told.
const fn is_about_certificate(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::BadSignature
            | Reason::Unauthorized
            | Reason::WrongRecipient
            | Reason::Malformed
            | Reason::BadVersion
            | Reason::Blocked
    )
}

/// Reasons for which the stanza of a receipt was refused.
fn refusals(cx: &Context<'_>, receipt: &Receipt) -> Vec<Reason> {
    let sights = cx.seen.sights(receipt.user).iter();
    sights.filter_map(|w| is_refusal_of(&w.what, receipt.of)).collect()
}

fn is_refusal_of(what: &What, id: StanzaId) -> Option<Reason> {
    match what {
        What::Refused { stanza, reason } if *stanza == id => Some(*reason),
        _ => None,
    }
}
