//! What was seen instead of what was expected, and the nearest thing that would have met it: the second half of a failed check's
//! sentence. Only ids that the scenario itself named are written out; nothing that a candidate wrote is quoted.

mod told;
mod wire;

use crate::context::Context;
use crate::said::{Said, list};
use crate::steps::keys::named_call;
use countersign_contract::Reason;
use countersign_scenarios::Step;
use countersign_scenarios::language::Expect;
use countersign_trace::{Outcome, Verdict};
use std::collections::BTreeMap;

/// Things of one kind that are named; of more, the rest is counted.
const MOST_NAMED: usize = 8;

/// What to add to a failed expectation; `None` if it did not fail, or if there is nothing to say.
pub(crate) fn instead(cx: &Context<'_>, index: usize, expect: &Expect, said: &Said) -> Option<String> {
    if said.verdict != Verdict::Fail {
        return None;
    }
    let end = cx.seen.end_of(index);
    match expect {
        Expect::Shows { user, messages, .. } => both(told::account(cx, user, end), told::of_messages(cx, user, messages, end)),
        Expect::Refuses { user, stanza, reasons } => {
            both(told::account(cx, user, end), told::of_refusal(cx, user, stanza, reasons))
        }
        Expect::ShowsNothingOf { user, .. }
        | Expect::CannotRead { user, .. }
        | Expect::NoReceipt { user, .. }
        | Expect::Silent { user }
        | Expect::Acknowledges { user, .. } => told::account(cx, user, usize::MAX),
        Expect::Notice { user, notice, about, .. } => {
            both(told::account(cx, user, end), told::of_notice(cx, user, *notice, about, end))
        }
        Expect::Receipt { user, receipt, of } => {
            both(told::account(cx, user, end), told::of_receipt(cx, user, *receipt, of, end))
        }
        Expect::Problem { step, reasons, .. } => of_problem(cx, step, reasons),
        Expect::Wire { stanza, .. } => wire::of_message(cx, stanza),
        Expect::NothingSent { user, to, .. } | Expect::Resends { user, to, .. } => wire::of_sent(cx, user, to, &said.evidence),
        // What went out for each is all that there is to say.
        Expect::AnswersAlike { .. } => None,
        Expect::SameSafetyNumber { .. } => numbers(&said.observed),
        Expect::SafetyNumberIs(_)
        | Expect::ThiefReads(_)
        | Expect::ThiefCannotRead(_)
        | Expect::ThiefLockedOut(_)
        | Expect::PostQuantumHealed(_)
        | Expect::ExportHolds(_)
        | Expect::ExportLacks(_)
        | Expect::Survives { .. }
        | Expect::SameExport { .. } => None,
        Expect::ShowsOrRefuses(either) => {
            let message = std::slice::from_ref(&either.message);
            both(told::account(cx, &either.user, end), told::of_messages(cx, &either.user, message, end))
        }
        Expect::DifferentSafetyNumber { between: [one, other] } => peers(cx, one, other),
        Expect::KeysLeft { user, .. } => published(cx, user, end),
        Expect::DifferentFiles { between } => files(cx, between),
        Expect::GrowingPauses { .. } => requests(cx),
        Expect::DeliveryLatency { burst } => slowest(cx, burst, true),
        Expect::ReceiptLatency { burst } => slowest(cx, burst, false),
    }
}

fn both(account: Option<String>, nearest: Option<String>) -> Option<String> {
    match (account, nearest) {
        (Some(account), Some(nearest)) => Some(format!("{account}; nearest: {nearest}")),
        (account, nearest) => account.or(nearest),
    }
}

/// Some of a list in words: `m1, m2 and m3`, or the first ones and how many more.
fn some(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] if items.len() <= MOST_NAMED => format!("{} and {last}", list(most)),
        _ => format!("{} and {} more", list(items.iter().take(MOST_NAMED)), items.len() - MOST_NAMED),
    }
}

/// A number with its noun: `1 request`, `2 requests`.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn of_problem(cx: &Context<'_>, step: &str, reasons: &[Reason]) -> Option<String> {
    let (_, call) = named_call(cx, step)?;
    let sent = call.stanza("stanza").is_some_and(|id| cx.seen.sent_in().any(|(_, m)| m.id == id));
    let effect = match (call.outcome, sent) {
        (Some((_, Outcome::Ok(_))), true) => "it answered success, and the stanza is on the wire",
        (Some((_, Outcome::Ok(_))), false) => "it answered success, and no stanza of it is on the wire",
        (_, true) => "the stanza is on the wire",
        (_, false) => "no stanza of it is on the wire",
    };
    let other = cx.seen.calls.iter().find_map(|c| match c.outcome {
        Some((_, Outcome::Problem(problem))) if reasons.contains(&problem.reason) => {
            let index = c.step.map_or_else(|| "the set-up".to_owned(), |step| format!("step-{step}"));
            Some(format!("`{}` in {index} answered {}", c.operation()?.as_str(), problem.reason))
        }
        _ => None,
    });
    both(Some(effect.to_owned()), other)
}

/// Where two numbers differ: `observed` is what the expectation said of them.
fn numbers(observed: &str) -> Option<String> {
    let (one, other) = observed.split_once(" and ")?;
    let digits = |text: &str| text.len() == 60 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(one) || !digits(other) {
        return None;
    }
    let ((a, b), (c, d)) = (one.split_at_checked(30)?, other.split_at_checked(30)?);
    let said = if (a, b) == (d, c) {
        "the two halves are the same, in the other order".to_owned()
    } else if a == c || a == d || b == c || b == d {
        "one half is the same: that of one identity key, and the other is not".to_owned()
    } else {
        let same = one.bytes().zip(other.bytes()).take_while(|(x, y)| x == y).count();
        format!("no half is the same, and the first {same} digits are")
    };
    Some(said)
}

fn peers(cx: &Context<'_>, one: &str, other: &str) -> Option<String> {
    let of = |name: &str| {
        cx.seen.scenario.steps.iter().find_map(|step| match step {
            Step::VerifyIdentity(v) if v.name == name => Some(format!("{name} is {}'s with {}", v.user, v.peer)),
            _ => None,
        })
    };
    Some(format!("{}; {}", of(one)?, of(other)?))
}

fn published(cx: &Context<'_>, user: &str, end: usize) -> Option<String> {
    let owner = cx.seen.user(user)?;
    let mine: Vec<_> = cx.seen.publications.iter().filter(|p| p.user == owner && p.at < end).collect();
    let count = |ec: bool| mine.iter().map(|p| if ec { p.one_time.len() } else { p.one_time_kyber.len() }).sum::<usize>();
    let handed: Vec<_> = cx.seen.handed.iter().filter(|h| h.bundle.user == owner && h.at < end).collect();
    let with = handed.iter().filter(|h| h.bundle.one_time_prekey.is_some()).count();
    let published = if cx.has_kyber() {
        format!("{} EC and {} Kyber one-time prekeys", count(true), count(false))
    } else {
        format!("{} one-time prekeys", count(true))
    };
    Some(format!(
        "{user} published {published} in {}; {} handed out, {with} of them with an EC one-time prekey",
        counted(mine.len(), "request"),
        if handed.len() == 1 { "1 bundle was".to_owned() } else { format!("{} bundles were", handed.len()) }
    ))
}

fn files(cx: &Context<'_>, between: &[String; 2]) -> Option<String> {
    let sizes: Vec<String> = between
        .iter()
        .filter_map(|name| {
            let range = cx.seen.steps.get(&cx.seen.message(name)?.step)?;
            let sizes: Vec<String> = cx
                .seen
                .requests
                .iter()
                .filter(|r| r.method == "PUT" && r.path == "/media" && range.contains(&r.at))
                .map(|r| format!("{} bytes", r.body.len()))
                .collect();
            Some(format!("for {name} {} uploaded", if sizes.is_empty() { "nothing was".to_owned() } else { some(&sizes) }))
        })
        .collect();
    (!sizes.is_empty()).then(|| sizes.join("; "))
}

/// How often each kind of request was made.
fn requests(cx: &Context<'_>) -> Option<String> {
    let mut counts: BTreeMap<[&str; 2], usize> = BTreeMap::new();
    for request in &cx.seen.requests {
        let kind = match (request.method, request.path) {
            ("POST", "/enlist") => ["enlistment", "enlistments"],
            ("PUT", "/keys") => ["publication of keys", "publications of keys"],
            ("GET", path) if path.starts_with("/keys/") => ["fetch of keys", "fetches of keys"],
            ("PUT", "/media") => ["upload", "uploads"],
            ("GET", path) if path.starts_with("/media/") => ["download", "downloads"],
            ("DELETE", "/user") => ["deletion", "deletions"],
            _ => ["other request", "other requests"],
        };
        *counts.entry(kind).or_default() += 1;
    }
    let counts: Vec<String> =
        counts.into_iter().map(|([one, many], count)| format!("{count} {}", if count == 1 { one } else { many })).collect();
    (!counts.is_empty()).then(|| format!("in the whole instance the candidate made {}", some(&counts)))
}

/// The messages of a burst that took longest.
fn slowest(cx: &Context<'_>, name: &str, shown: bool) -> Option<String> {
    let burst = cx.seen.scenario.steps.iter().find_map(|step| match step {
        Step::Burst(burst) if burst.name == name => Some(burst),
        _ => None,
    })?;
    let mut times: Vec<(u64, String)> = Vec::new();
    for number in 1..=burst.messages.min(crate::latency::MOST_SAMPLES) {
        let message = format!("{name}{number}");
        let Some(id) = cx.seen.names.get(message.as_str()).copied() else { continue };
        let left = cx.seen.reference_stanzas.iter().find(|(_, _, s)| s.id() == id).map(|(at, ..)| cx.seen.time(*at));
        let arrived = if shown { told::first_shown(cx, id) } else { told::first_receipt(cx, id) };
        let Some(left) = left else { continue };
        times.push((arrived.map_or(u64::MAX, |at| cx.seen.time(at).saturating_sub(left)), message));
    }
    times.sort();
    let slow: Vec<String> = times
        .into_iter()
        .rev()
        .take(3)
        .map(|(time, message)| match time {
            u64::MAX => format!("{message} never"),
            time => format!("{message} after {} ms", time / 1000),
        })
        .collect();
    (!slow.is_empty()).then(|| format!("slowest: {}", list(slow)))
}
