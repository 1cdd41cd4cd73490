//! What a user saw, in words, and what of it comes nearest to an expectation.

use super::some;
use crate::context::Context;
use crate::seen::{What, same};
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_contract::seen::NoticeKind;
use countersign_contract::{Reason, StanzaId, UserId};
use countersign_scenarios::Side;

/// What a user's client showed, refused and told before a position: `bob's client showed m1 and m3, refused m2 as bad-mac`.
pub(super) fn account(cx: &Context<'_>, user: &str, end: usize) -> Option<String> {
    let id = cx.seen.user(user)?;
    let (mut shown, mut refused, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for sight in cx.seen.sights(id).iter().filter(|w| w.at < end) {
        match &sight.what {
            What::Message { message, .. } => shown.push(name(cx, *message)),
            What::Refused { stanza, reason } => refused.push(format!("{} as {reason}", name(cx, *stanza))),
            What::Receipt { of, retry, .. } => told.push(receipts(cx, of, *retry)),
            What::Notice { notice, about, .. } => told.push(notice_in_words(*notice, &cx.seen.name_of(*about))),
        }
    }
    let mut parts = Vec::new();
    if !shown.is_empty() {
        parts.push(format!("showed {}", some(&shown)));
    }
    if !refused.is_empty() {
        parts.push(format!("refused {}", some(&refused)));
    }
    if !told.is_empty() {
        parts.push(format!("told of {}", some(&told)));
    }
    if parts.is_empty() {
        parts.push("showed, refused and told nothing".to_owned());
    }
    let whose = if cx.seen.side(user) == Some(Side::Reference) { "our client of " } else { "" };
    let client = if whose.is_empty() { format!("{user}'s client") } else { format!("{whose}{user}") };
    Some(format!("{client} {}", parts.join(", ")))
}

/// What a scenario calls a stanza.
fn name(cx: &Context<'_>, id: StanzaId) -> String {
    let named = cx.seen.names.iter().find(|(name, of)| **of == id && !name.starts_with("user:") && !name.starts_with("group:"));
    named.map_or_else(|| "a stanza without a name".to_owned(), |(name, _)| (*name).to_owned())
}

fn receipts(cx: &Context<'_>, of: &[StanzaId], retry: bool) -> String {
    let kind = if retry { "retry" } else { "delivered" };
    let of: Vec<String> = of.iter().take(super::MOST_NAMED).map(|id| name(cx, *id)).collect();
    format!("a receipt of type {kind} for {}", some(&of))
}

fn notice_in_words(notice: NoticeKind, about: &str) -> String {
    match notice {
        NoticeKind::IdentityChanged => format!("a changed identity of {about}"),
        NoticeKind::MemberAdded => format!("that {about} is a member of a group now"),
        NoticeKind::MemberRemoved => format!("that {about} is a member of a group no more"),
        NoticeKind::Undecryptable => format!("a message of {about} that could not be decrypted"),
    }
}

/// Where messages turned up that were not shown in time, to that user, under their own id.
pub(super) fn of_messages(cx: &Context<'_>, user: &str, messages: &[String], end: usize) -> Option<String> {
    let receiver = cx.seen.user(user)?;
    let shown_to = |who: UserId, id: StanzaId| {
        cx.seen.sights(who).iter().find(|w| matches!(&w.what, What::Message { message, .. } if *message == id)).map(|w| w.at)
    };
    messages.iter().find_map(|message| {
        let sent = cx.seen.messages.get(message)?;
        let id = sent.id?;
        match shown_to(receiver, id) {
            Some(at) if at < end => return None,
            Some(_) => return Some(format!("{message} was shown, but only after this step")),
            None => {}
        }
        let elsewhere = cx.seen.users.iter().find(|(name, who)| **name != user && shown_to(**who, id).is_some());
        if let Some((other, _)) = elsewhere {
            return Some(format!("{message} was shown to {other}"));
        }
        let content = sent.content.as_ref()?;
        let alike = cx.seen.sights(receiver).iter().find_map(|w| match &w.what {
            What::Message { message: shown, content: seen, .. } if same(content, seen) => Some(*shown),
            _ => None,
        })?;
        Some(format!("the content of {message} was shown as {}", name(cx, alike)))
    })
}

/// A refusal for one of the reasons, or of the stanza.
pub(super) fn of_refusal(cx: &Context<'_>, user: &str, stanza: &str, reasons: &[Reason]) -> Option<String> {
    let receiver = cx.seen.user(user)?;
    let wanted = cx.seen.names.get(stanza).copied();
    let refusals: Vec<(StanzaId, Reason)> = cx
        .seen
        .sights(receiver)
        .iter()
        .filter_map(|w| match &w.what {
            What::Refused { stanza, reason } => Some((*stanza, *reason)),
            _ => None,
        })
        .collect();
    let near = refusals.iter().find(|(id, _)| Some(*id) == wanted).or_else(|| refusals.iter().find(|(_, r)| reasons.contains(r)));
    near.map(|(id, reason)| format!("{} was refused as {reason}", name(cx, *id)))
}

/// A notice of that kind, about that peer, or in time: as much of it as there is.
pub(super) fn of_notice(cx: &Context<'_>, user: &str, notice: NoticeKind, about: &str, end: usize) -> Option<String> {
    let (receiver, peer) = (cx.seen.user(user)?, cx.seen.user(about)?);
    let notices = cx.seen.sights(receiver).iter().filter_map(|w| match &w.what {
        What::Notice { notice, about, .. } => Some((w.at, *notice, *about)),
        _ => None,
    });
    let (at, kind, whom) = notices.max_by_key(|(at, kind, whom)| (*kind == notice, *whom == peer, *at < end))?;
    let late = if at < end { "" } else { ", after this step" };
    Some(format!("{user} was told of {}{late}", notice_in_words(kind, &cx.seen.name_of(whom))))
}

/// A receipt that differs in one thing: `a receipt of type retry for m1 arrived`.
pub(super) fn of_receipt(cx: &Context<'_>, user: &str, receipt: ReceiptType, of: &str, end: usize) -> Option<String> {
    let receiver = cx.seen.user(user)?;
    let wanted = cx.seen.names.get(of).copied()?;
    let mut found: Vec<(bool, bool, bool, bool, String)> = Vec::new();
    let mut add = |at: usize, kind: ReceiptType, id: StanzaId, to: Option<UserId>, verb: &str| {
        let word = if kind == ReceiptType::Retry { "retry" } else { "delivered" };
        let whom = to.filter(|to| *to != receiver).map_or(String::new(), |to| format!(" at {}", cx.seen.name_of(to)));
        let late = if at < end { "" } else { ", after this step" };
        let text = format!("a receipt of type {word} for {} {verb}{whom}{late}", name(cx, id));
        found.push((id == wanted, kind == receipt, to == Some(receiver), at < end, text));
    };
    for (who, sights) in &cx.seen.witnessed {
        for sight in sights {
            if let What::Receipt { of, retry, .. } = &sight.what {
                let kind = if *retry { ReceiptType::Retry } else { ReceiptType::Delivered };
                of.iter().take(super::MOST_NAMED).for_each(|id| add(sight.at, kind, *id, Some(*who), "arrived"));
            }
        }
    }
    for frame in &cx.seen.frames {
        if let Ok(Stanza::Receipt { r#type, of, to, .. }) = &frame.stanza {
            add(frame.at, *r#type, *of, *to, "was sent, and not taken in");
        }
    }
    found.into_iter().max_by(|a, b| (a.0, a.1, a.2, a.3).cmp(&(b.0, b.1, b.2, b.3)).then(b.4.cmp(&a.4))).map(|(.., text)| text)
}

/// Where a message was first shown to whom it was for.
pub(super) fn first_shown(cx: &Context<'_>, id: StanzaId) -> Option<usize> {
    let sights = cx.seen.witnessed.values().flatten();
    sights.filter(|w| matches!(&w.what, What::Message { message, .. } if *message == id)).map(|w| w.at).min()
}

/// Where its first delivery receipt came to the gateway.
pub(super) fn first_receipt(cx: &Context<'_>, id: StanzaId) -> Option<usize> {
    cx.seen
        .frames
        .iter()
        .find(|frame| matches!(&frame.stanza, Ok(Stanza::Receipt { r#type: ReceiptType::Delivered, of, .. }) if *of == id))
        .map(|frame| frame.at)
}
