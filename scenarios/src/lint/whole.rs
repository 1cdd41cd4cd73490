//! Rules over a scenario as a whole: deletions, twins, and what its header has to declare.

use super::names::Placed;
use super::rules::{CastAt, LARGEST_LIGHT};
use super::words::step_word;
use crate::diagnostic::Fault;
use crate::language::{Cast, ContentSpec, Expect, Scenario, Send, SendToGroup, Side, Step};
use crate::yaml::Node;
use countersign_contract::claims::{Capability, Feature};
use countersign_contract::portable::ReceiptType;
use countersign_contract::seen::MediaKind;
use std::collections::BTreeMap;

/// Checks the scenario as a whole: twins, what runs alone, features and capabilities.
pub(crate) fn check_whole(header: &Scenario, root: &Node, cast: &CastAt, steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    check_twins(cast, steps, faults);
    check_needs(header, steps, faults);
    check_deletions(steps, faults);
    super::stored::check(header, root, cast, faults);
    super::state::check(header, root, cast, steps, faults);
    for (name, (_, member)) in cast {
        let table = root.at(&["cast", name]);
        let Some(Cast { side: Side::Candidate, .. }) = member else { continue };
        for key in ["answers-retries", "asks-again", "enlisted", "stack"] {
            if let Some((key_node, _)) = table.entry(key) {
                let message = format!("`{key}` for `{name}`, a candidate's user");
                faults.push(Fault::new(key_node.span, message).hint("only reference users do as they are told here"));
            }
        }
    }
    if steps.is_empty() {
        faults.push(Fault::new(root.at(&["steps"]).span, "a scenario without steps").hint("say what happens"));
    }
}

/// Who is to be silent after its deletion has to be deleted first.
fn check_deletions(steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    for (index, placed) in steps.iter().enumerate() {
        let Some(Step::Expect(Expect::Silent { user })) = &placed.step else { continue };
        let deleted = |p: &Placed<'_>| match &p.step {
            Some(Step::DeleteUser(name)) => name == user,
            Some(_) => false,
            None => true,
        };
        if !steps.iter().take(index).any(deleted) {
            let span = placed.node.at(&["expect", "silent", "user"]).span;
            faults.push(Fault::new(span, format!("`{user}` was not deleted")).hint(format!("add `delete-user: {user}` before")));
        }
    }
}

/// Rejection alone proves nothing: an honest message has to be accepted before and after it.
fn check_twins(cast: &CastAt, steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    let senders: BTreeMap<&str, &str> = steps
        .iter()
        .filter_map(|p| match &p.step {
            Some(Step::Send(s)) => Some((s.name.as_str(), s.from.as_str())),
            Some(Step::SendToGroup(s)) => Some((s.name.as_str(), s.from.as_str())),
            Some(Step::FetchKeys(f)) => Some((f.name.as_str(), f.user.as_str())),
            Some(Step::TryConnect(t)) => Some((t.name.as_str(), t.user.as_str())),
            _ => None,
        })
        .collect();
    let problems: Vec<&str> = steps
        .iter()
        .filter_map(|p| match &p.step {
            Some(Step::Expect(Expect::Problem { step, .. })) => Some(step.as_str()),
            _ => None,
        })
        .collect();
    let stored = |user: &str| cast.get(user).is_some_and(|(_, cast)| cast.as_ref().is_some_and(super::stored::is_stored));
    let accepted = |placed: &Placed<'_>, user: &str| match &placed.step {
        Some(Step::Expect(Expect::Shows { user: shown_to, messages, .. })) => {
            shown_to == user || messages.iter().any(|m| senders.get(m.as_str()) == Some(&user))
        }
        Some(Step::Exchange(e)) => e.between.iter().any(|u| u == user),
        // A stored peer's keys that have to be accepted: that the fetch succeeds is a check of its own.
        Some(Step::FetchKeys(f)) => f.user == user && stored(&f.of) && !problems.contains(&f.name.as_str()),
        // What could not be read may have been it.
        None => true,
        _ => false,
    };
    for (index, placed) in steps.iter().enumerate() {
        let (user, word) = match &placed.step {
            Some(Step::Expect(Expect::Refuses { user, .. })) => (user.as_str(), "refuses"),
            Some(Step::Expect(Expect::Problem { step, .. })) => match senders.get(step.as_str()) {
                Some(user) => (*user, "problem"),
                None => continue,
            },
            _ => continue,
        };
        let before = steps.iter().take(index).any(|p| accepted(p, user));
        let after = steps.iter().skip(index + 1).any(|p| accepted(p, user));
        let missing = match (before, after) {
            (true, true) => continue,
            (false, true) => "before",
            (true, false) => "after",
            (false, false) => "before or after",
        };
        let span = placed.node.at(&["expect"]).entry(word).map_or(placed.node.span, |(key, _)| key.span);
        let message = format!("nothing honest of `{user}` is accepted {missing} this refusal");
        faults.push(Fault::new(span, message).hint("add an honest message and `expect: { shows: … }` on both sides of it"));
    }
}

fn check_needs(header: &Scenario, steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    for placed in steps {
        let Some(step) = &placed.step else { continue };
        let word = placed.node.entry(step_word(step)).map_or(placed.node.span, |(key, _)| key.span);
        if matches!(step, Step::Burst(_)) && !header.exclusive {
            let hint = "add `exclusive: true`: whoever measures time runs alone";
            faults.push(Fault::new(word, "a `burst` in a scenario that is not exclusive").hint(hint));
        }
        if let Step::Send(Send { content: ContentSpec::File(file), .. }) = step
            && file.bytes > LARGEST_LIGHT
            && !header.heavy
        {
            let hint = "add `heavy: true`: it takes time and memory, and is counted apart";
            faults.push(Fault::new(word, format!("a file of {} bytes in a scenario that is not heavy", file.bytes)).hint(hint));
        }
        if matches!(step, Step::Advance(_)) && !header.capabilities.contains(&Capability::VirtualClock) {
            let hint = "add `capabilities: [virtual-clock]`";
            faults.push(Fault::new(word, "`advance` moves a clock that the candidate may not have").hint(hint));
        }
        super::sealed::check_needs(header, step, word, faults);
        if let Some((feature, name)) = needed_feature(step)
            && !header.features.contains(&feature)
        {
            let message = format!("this step needs the feature `{name}`, which the scenario does not name");
            faults.push(Fault::new(word, message).hint(format!("add `{name}` to `features`")));
        }
        if let Step::Expect(Expect::Problem { step: attempt, .. }) = step {
            let by = steps.iter().find_map(|p| match &p.step {
                Some(Step::Send(s)) if &s.name == attempt => Some(&s.from),
                Some(Step::FetchKeys(f)) if &f.name == attempt => Some(&f.user),
                _ => None,
            });
            if let Some(by) = by
                && header.cast.get(by).is_some_and(|c| c.side == Side::Reference)
            {
                let span = placed.node.at(&["expect", "problem", "step"]).span;
                faults.push(Fault::new(
                    span,
                    format!("`{attempt}` is done by `{by}`, a reference user: only a candidate can fail"),
                ));
            }
        }
    }
}

/// The feature that a step needs, beyond text.
fn needed_feature(step: &Step) -> Option<(Feature, &'static str)> {
    Some(match step {
        Step::CreateGroup(_) => (Feature::Group, "group"),
        Step::Send(Send { content, .. }) | Step::SendToGroup(SendToGroup { content, .. }) => match content {
            ContentSpec::File(file) => match file.kind {
                MediaKind::Image => (Feature::Image, "image"),
                MediaKind::Video => (Feature::Video, "video"),
                MediaKind::Voice => (Feature::Voice, "voice"),
                MediaKind::File => (Feature::File, "file"),
            },
            ContentSpec::Reaction { .. } => (Feature::Reaction, "reaction"),
            ContentSpec::Reply { .. } => (Feature::Reply, "reply"),
            ContentSpec::Edit { .. } => (Feature::Edit, "edit"),
            ContentSpec::Delete { .. } => (Feature::Delete, "delete"),
            ContentSpec::Typing(_) => (Feature::Typing, "typing"),
            ContentSpec::Read(_) => (Feature::ReadReceipt, "read-receipt"),
            _ => return None,
        },
        Step::Expect(Expect::Receipt { receipt: ReceiptType::Delivered, .. } | Expect::ReceiptLatency { .. }) => {
            (Feature::DeliveryReceipt, "delivery-receipt")
        }
        Step::Expect(Expect::Receipt { receipt: ReceiptType::Retry, .. }) | Step::ForgeRetry(_) | Step::AskAgain(_) => {
            (Feature::Retry, "retry")
        }
        Step::Block(_) | Step::Unblock(_) => (Feature::Block, "block"),
        Step::VerifyIdentity(_) => (Feature::SafetyNumber, "safety-number"),
        _ => return None,
    })
}
