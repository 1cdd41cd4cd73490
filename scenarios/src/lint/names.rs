//! Which names a step defines and uses, and whether they fit together.

use super::mentions::{Role, Sort, mentions};
use super::words::step_word;
use crate::diagnostic::{Fault, Span, known_hint};
use crate::language::{Cast, Network, Step};
use crate::yaml::Node;
use std::collections::{BTreeMap, BTreeSet};

/// What follows from a stanza is named after it.
pub(crate) const FOLLOW_UPS: [&str; 3] = ["receipt", "retry", "resend"];

/// What a sender key is named that goes to a member before a group message: this, and the member's name.
pub(crate) const KEY_FOR: &str = "key-";

/// One step as read, with its place. `None` if it could not be read: what it mentions then counts as meant well, so that one
/// fault does not cause others.
pub(crate) struct Placed<'a> {
    pub(crate) node: &'a Node,
    pub(crate) step: Option<Step>,
}

struct Defined {
    sort: Sort,
    span: Span,
    step: usize,
    /// How many numbered messages an exchange or a burst has.
    messages: u32,
}

/// Checks all names of a scenario.
pub(crate) fn check_names(cast: &BTreeMap<String, (Span, Option<Cast>)>, steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    let mut unread = BTreeSet::new();
    for placed in steps.iter().filter(|p| p.step.is_none()) {
        placed.node.texts(&mut unread);
    }
    let mut defined: BTreeMap<&str, Defined> = BTreeMap::new();
    for (index, placed) in steps.iter().enumerate() {
        for mention in placed.step.iter().flat_map(mentions) {
            let Role::Define(sort) = mention.role else { continue };
            let span = placed.node.at(&strs(&mention.path)).span;
            check_form(mention.name, span, faults);
            if let Some(first) = defined.get(mention.name) {
                let hint = format!("the first stands in line {}", first.span.line);
                faults.push(Fault::new(span, format!("the name `{}` is defined twice", mention.name)).hint(hint));
                continue;
            }
            let messages = match &placed.step {
                Some(Step::Exchange(e)) => e.messages,
                Some(Step::Burst(b)) => b.messages,
                Some(Step::Many(m)) => m.messages,
                _ => 0,
            };
            defined.insert(mention.name, Defined { sort, span, step: index, messages });
        }
    }

    let mut users = BTreeSet::new();
    for (index, placed) in steps.iter().enumerate() {
        for mention in placed.step.iter().flat_map(mentions) {
            let span = placed.node.at(&strs(&mention.path)).span;
            match mention.role {
                Role::Define(_) => {}
                Role::User if cast.contains_key(mention.name) => {
                    users.insert(mention.name);
                }
                Role::User => {
                    let hint = known_hint(mention.name, cast.keys().map(String::as_str).collect::<Vec<_>>());
                    faults.push(Fault::new(span, format!("`{}` is not in the cast", mention.name)).hint(hint));
                }
                Role::Use(sorts) => check_use(mention.name, sorts, index, span, &defined, &unread, faults),
            }
        }
    }
    for (name, (span, _)) in cast {
        if !users.contains(name.as_str()) && !unread.contains(name.as_str()) {
            faults.push(Fault::new(*span, format!("`{name}` is in the cast and no step mentions it")).hint("leave it out"));
        }
    }
}

fn strs(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn check_form(name: &str, span: Span, faults: &mut Vec<Fault>) {
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && name.len() <= 64;
    if !fits {
        let hint = "small letters, digits and hyphens; a letter first; `/` marks what follows from a stanza";
        faults.push(Fault::new(span, format!("`{name}` cannot be a name")).hint(hint));
    }
}

fn check_use(
    name: &str,
    sorts: &[Sort],
    index: usize,
    span: Span,
    defined: &BTreeMap<&str, Defined>,
    unread: &BTreeSet<&str>,
    faults: &mut Vec<Fault>,
) {
    let mut parts = name.split('/');
    let base = parts.next().unwrap_or_default();
    let follow_ups: Vec<&str> = parts.collect();
    for part in &follow_ups {
        if !FOLLOW_UPS.contains(part) && !part.starts_with(KEY_FOR) {
            let hint = known_hint(part, FOLLOW_UPS);
            faults.push(Fault::new(span, format!("`{part}` does not follow from a stanza")).hint(hint));
            return;
        }
    }
    let Some((definition, sort)) = look_up(base, defined) else {
        if unread.contains(base) || numbered(base).is_some_and(|(stem, _)| unread.contains(stem)) {
            return;
        }
        let known: Vec<&str> = defined.iter().filter(|(_, d)| sorts.contains(&d.sort)).map(|(n, _)| *n).collect();
        let fault = Fault::new(span, format!("nothing defines `{name}`"));
        faults.push(fault.hint(known_hint(base, known)));
        return;
    };
    if definition.step >= index {
        let fault = Fault::new(span, format!("`{name}` is used before it is defined"));
        faults.push(fault.hint(format!("it is defined in line {}", definition.span.line)));
    }
    let sort = if follow_ups.is_empty() { sort } else { Sort::Stanza };
    if !sorts.contains(&sort) {
        let wanted: Vec<&str> = sorts.iter().map(|s| s.words()).collect();
        let fault = Fault::new(span, format!("`{name}` is {}, and here stands {}", sort.words(), wanted.join(" or ")));
        faults.push(fault.hint("name one of those, or another expectation"));
    }
}

fn look_up<'d>(base: &str, defined: &'d BTreeMap<&str, Defined>) -> Option<(&'d Defined, Sort)> {
    if let Some(found) = defined.get(base) {
        return Some((found, found.sort));
    }
    let (stem, number) = numbered(base)?;
    let found = defined.get(stem)?;
    (1..=found.messages).contains(&number).then_some((found, Sort::Message))
}

/// `x12` is message 12 of the exchange or burst `x`.
fn numbered(name: &str) -> Option<(&str, u32)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.get(stem.len()..)?.parse().ok()?;
    Some((stem, number))
}

/// Follows what the network holds: everything held is released or dropped in the end, and nothing else is.
pub(crate) fn check_held(steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    let mut held: BTreeMap<&str, (Span, bool)> = BTreeMap::new();
    let mut sent = BTreeSet::new();
    for placed in steps {
        match &placed.step {
            Some(Step::Send(s)) => {
                sent.insert(s.name.as_str());
                if s.network == Some(Network::Hold) {
                    held.insert(&s.name, (placed.node.at(&["send", "network"]).span, false));
                }
            }
            Some(Step::SendToGroup(s)) => {
                sent.insert(s.name.as_str());
                if s.network == Some(Network::Hold) {
                    held.insert(&s.name, (placed.node.at(&["send-to-group", "network"]).span, false));
                }
            }
            Some(step @ (Step::Release(name) | Step::Drop(name))) => {
                let span = placed.node.at(&[step_word(step)]).span;
                match held.get_mut(name.as_str()) {
                    Some((_, gone @ false)) => *gone = true,
                    Some((_, true)) => {
                        faults.push(Fault::new(span, format!("`{name}` is no longer held")).hint("release or drop it once"))
                    }
                    None if sent.contains(name.as_str()) => {
                        let hint = "give the `send` a `network: hold`";
                        faults.push(Fault::new(span, format!("`{name}` is not held")).hint(hint));
                    }
                    None => {}
                }
            }
            _ => {}
        }
    }
    if steps.iter().any(|p| p.step.is_none()) {
        return;
    }
    for (name, (span, gone)) in held {
        if !gone {
            let hint = format!("add `release: {name}` or `drop: {name}`");
            faults.push(Fault::new(span, format!("`{name}` is held and never released")).hint(hint));
        }
    }
}
