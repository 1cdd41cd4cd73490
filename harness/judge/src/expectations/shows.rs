//! Messages are shown: each exactly once, as sent, from its sender.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::{Said, list};
use crate::seen::{What, Witnessed, same};
use countersign_contract::seen::UserContent;
use countersign_trace::Blame;

pub(super) fn judge(cx: &Context<'_>, index: usize, user: &str, messages: &[String], in_order: bool) -> Result<Said, Said> {
    let order = if in_order { ", in this order" } else { "" };
    let expected = format!("{user} sees {}, once each and as sent{order}", list(messages));
    let mut places = Vec::with_capacity(messages.len());
    for name in messages {
        places.push((one(cx, index, user, name, &expected)?, name));
    }
    let evidence: Vec<u64> = places.iter().map(|((_, at), _)| cx.seen.n(*at)).collect();
    if in_order {
        let late = places.iter().zip(places.iter().skip(1)).find(|(((before, _), _), ((after, _), _))| before >= after);
        if let Some(((_, first), (_, second))) = late {
            let observed = format!("{second} was shown before {first}");
            return Err(Said::fail(Finding::OutOfOrder, expected, observed).evidence(evidence));
        }
    }
    Ok(Said::pass(expected, "all of them").evidence(evidence))
}

/// One message is shown to a user by the end of a step, and never again. Its place among what the user saw, and its position.
pub(crate) fn one(cx: &Context<'_>, index: usize, user: &str, name: &str, expected: &str) -> Result<(usize, usize), Said> {
    let seen = &cx.seen;
    let receiver = cx.user(user)?;
    let (sent, id) = cx.message(name, expected)?;
    let Some(content) = &sent.content else {
        return Err(Said::blocked(expected, format!("{name} was never made (step-{})", sent.step)));
    };
    let end = seen.end_of(index);
    let is_it = |w: &&Witnessed| matches!(&w.what, What::Message { message, .. } if *message == id);
    let shown: Vec<(usize, &Witnessed)> = seen.sights(receiver).iter().enumerate().filter(|(_, w)| is_it(w)).collect();
    let Some((place, first)) = shown.first().filter(|(_, w)| w.at < end).copied() else {
        return Err(missing(cx, index, user, name, expected)?);
    };
    let evidence: Vec<u64> = shown.iter().map(|(_, w)| seen.n(w.at)).collect();
    let fail = |finding, observed: String| fault(cx, user, Said::fail(finding, expected, observed)).evidence(evidence.clone());
    if shown.len() > 1 {
        return Err(fail(Finding::ShownTwice, format!("{name} was shown {} times", shown.len())));
    }
    if let What::Message { from, group, content: seen_content, .. } = &first.what {
        let meant = sent.group.as_ref().map(|(group, _)| *group);
        if *group != meant {
            let observed = format!("{name} was shown {}, and belongs {}", place_of(*group), place_of(meant));
            return Err(fail(Finding::WrongGroup, observed));
        }
        if Some(*from) != sent.from {
            return Err(fail(Finding::WrongSender, format!("{name} was shown as from {}", seen.name_of(*from))));
        }
        if !same(content, seen_content) {
            return Err(fail(Finding::ContentDiffers, format!("{name}: {}", difference(content, seen_content))));
        }
    }
    Ok((place, first.at))
}

/// Why a message was not shown.
fn missing(cx: &Context<'_>, index: usize, user: &str, name: &str, expected: &str) -> Result<Said, Said> {
    let seen = &cx.seen;
    let receiver = cx.user(user)?;
    let (sent, id) = cx.message(name, expected)?;
    let end = seen.end_of(index);
    let carriers: Vec<_> = seen
        .message_of_stanza
        .iter()
        .filter(|(_, message)| **message == sent.name)
        .map(|(stanza, _)| *stanza)
        .chain([id])
        .collect();
    let refused = seen.sights(receiver).iter().filter(|w| w.at < end).find_map(|w| match &w.what {
        What::Refused { stanza, reason } if carriers.contains(stanza) => Some((w.at, *reason)),
        _ => None,
    });
    if let Some((at, reason)) = refused {
        let finding = if seen.is_candidate(receiver) { Finding::RefusedGood } else { Finding::Unreadable };
        return Ok(by_sender(
            cx,
            sent.by_candidate,
            receiver,
            Said::fail(finding, expected, format!("{user} refused {name}: {reason}")),
        )
        .reason(Some(reason))
        .evidence([seen.n(at)]));
    }
    let delivered = carriers.iter().filter_map(|stanza| seen.first_delivery(receiver, *stanza, end)).min();
    Ok(match delivered {
        Some(at) => {
            let said = Said::fail(Finding::NotShown, expected, format!("{name} was delivered, and not shown"));
            by_sender(cx, sent.by_candidate, receiver, said).evidence([seen.n(at)])
        }
        None if seen.on_wire(id).is_none() => {
            Said::blocked(expected, format!("{name} never reached the gateway (step-{})", sent.step))
        }
        None if seen.is_candidate(receiver) && !seen.channel_open(receiver, end) => {
            Said::fail(Finding::NotShown, expected, format!("{name} waits at the gateway, and {user} has no chat channel open"))
        }
        None => Said::harness(expected, format!("the gateway never delivered {name} to {user}")),
    })
}

/// What a reference user fails to show of a candidate's message is the candidate's fault; of our own, ours.
fn by_sender(cx: &Context<'_>, by_candidate: bool, receiver: countersign_contract::UserId, said: Said) -> Said {
    if by_candidate || cx.seen.is_candidate(receiver) { said } else { ours(said) }
}

/// A reference user never shows twice, alters or misattributes: that would be our own fault. What it shows of the candidate's making
/// may differ from what was asked for, though.
fn fault(cx: &Context<'_>, user: &str, said: Said) -> Said {
    let reference = cx.user(user).is_ok_and(|id| !cx.seen.is_candidate(id));
    if reference && matches!(said.finding, Some(Finding::ShownTwice)) { ours(said) } else { said }
}

fn ours(said: Said) -> Said {
    said.verdict(countersign_trace::Verdict::HarnessError).blame(Blame::Reference)
}

const fn place_of(group: Option<countersign_contract::GroupId>) -> &'static str {
    if group.is_some() { "in a group" } else { "in no group" }
}

/// How two contents differ, without repeating them.
fn difference(sent: &UserContent, shown: &UserContent) -> String {
    match (sent, shown) {
        (UserContent::Text { text: a }, UserContent::Text { text: b })
        | (UserContent::Reply { text: a, .. }, UserContent::Reply { text: b, .. })
        | (UserContent::Edit { text: a, .. }, UserContent::Edit { text: b, .. })
            if a != b =>
        {
            let at = a.bytes().zip(b.bytes()).position(|(x, y)| x != y).unwrap_or(a.len().min(b.len()));
            format!("{} bytes were sent, {} shown; they differ from byte {at} on", a.len(), b.len())
        }
        (
            UserContent::Media { media, mime, name, file },
            UserContent::Media { media: other_media, mime: other_mime, name: other_name, file: other_file },
        ) => {
            let parts = [
                (media != other_media, "the kind of file"),
                (mime != other_mime, "the media type"),
                (name != other_name, "the file name"),
                (file.length != other_file.length, "the length"),
                (file.sha256 != other_file.sha256, "the bytes"),
            ];
            format!("{} differ", list(parts.iter().filter(|(is, _)| *is).map(|(_, what)| *what)))
        }
        _ => "another kind of content, or one that refers to something else, was shown".to_owned(),
    }
}
