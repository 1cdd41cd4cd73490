//! Rules for steps and expectations about a candidate's state.

use super::names::Placed;
use super::rules::{CastAt, MOST_MESSAGES, Rules};
use super::words::step_word;
use crate::diagnostic::Fault;
use crate::language::{Cast, Expect, ExportedKeys, Scenario, Side, Stack, Step};
use crate::yaml::Node;
use countersign_contract::claims::Capability;

impl Rules<'_> {
    pub(super) fn state(&mut self, step: &Step, node: &Node) {
        let word = step_word(step);
        match step {
            Step::Snapshot(s) => self.must_be(Side::Candidate, &s.of, node, &[word, "of"]),
            Step::Restore(r) => self.must_be(Side::Candidate, &r.user, node, &[word, "user"]),
            Step::Clone(c) => self.must_be(Side::Candidate, &c.of, node, &[word, "of"]),
            Step::Export(e) => self.must_be(Side::Candidate, &e.of, node, &[word, "of"]),
            Step::Deliver(d) if d.stanzas.is_empty() == d.exchange.is_none() => {
                self.fault(node, &[word], "either `stanzas` or `exchange` says what is delivered", "write one of them");
            }
            _ => {}
        }
    }

    pub(super) fn state_expectation(&mut self, expect: &Expect, node: &Node) {
        match expect {
            Expect::ThiefReads(t) | Expect::ThiefCannotRead(t) if t.messages.is_empty() => {
                self.fault(node, &["expect"], "no message for the thief", "name at least one");
            }
            Expect::ThiefLockedOut(h) => {
                self.count(h.after_at_most, 1..=MOST_MESSAGES, node, &["expect", "thief-locked-out", "after-at-most"]);
            }
            Expect::PostQuantumHealed(h) => {
                self.count(h.after_at_most, 1..=MOST_MESSAGES, node, &["expect", "post-quantum-healed", "after-at-most"]);
            }
            Expect::ExportHolds(keys) | Expect::ExportLacks(keys) if keys.keys_of.is_empty() && keys.prekeys_of.is_empty() => {
                self.fault(node, &["expect"], "no key to look for", "give `keys-of` or `prekeys-of`");
            }
            Expect::SameExport { between: [a, b] } if a == b => {
                self.fault(node, &["expect"], format!("`{a}` is compared with itself"), "name two");
            }
            _ => {}
        }
    }
}

/// Capabilities, known keys, and that each absence has its counterpart: a copy that reads nothing at all, and an export without any key,
/// would show nothing.
pub(super) fn check(header: &Scenario, root: &Node, cast: &CastAt, steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    let lacks = |capability: &Capability| !header.capabilities.contains(capability);
    for (name, (_, member)) in cast {
        let Some(member) = member.as_ref().filter(|member| member.known_keys) else { continue };
        let span = root.at(&["cast", name, "known-keys"]).span;
        if member.side == Side::Reference {
            faults.push(Fault::new(span, format!("`known-keys` for `{name}`, a reference user")).hint("ours are known anyway"));
        } else if lacks(&Capability::Import) {
            let fault = Fault::new(span, "keys for a candidate that may not import any");
            faults.push(fault.hint("add `import` to `capabilities`"));
        }
    }
    for (index, placed) in steps.iter().enumerate() {
        let Some(step) = &placed.step else { continue };
        let word = placed.node.entry(step_word(step)).map_or(placed.node.span, |(key, _)| key.span);
        let needed = match step {
            Step::Snapshot(_) | Step::Restore(_) => Some((Capability::Snapshot, "snapshot")),
            Step::Clone(_) | Step::Deliver(_) => Some((Capability::Clone, "clone")),
            Step::Export(_) => Some((Capability::Export, "export")),
            _ => None,
        };
        if let Some((_, name)) = needed.filter(|(capability, _)| lacks(capability)) {
            let fault = Fault::new(word, format!("this step needs the test capability `{name}`"));
            faults.push(fault.hint(format!("add `{name}` to `capabilities`")));
        }
        let mut fault = |message: String, hint: &str| faults.push(Fault::new(word, message).hint(hint));
        let others = || steps.iter().filter_map(|placed| placed.step.as_ref());
        match step {
            Step::Restore(restore) => {
                let of = steps.iter().take(index).find_map(|placed| match &placed.step {
                    Some(Step::Snapshot(s)) if s.name == restore.to => Some(&s.of),
                    _ => None,
                });
                if of.is_some_and(|of| *of != restore.user) {
                    fault(format!("`{}` is no snapshot of `{}`", restore.to, restore.user), "restore the user of the snapshot");
                }
            }
            Step::Expect(Expect::ThiefCannotRead(thief)) => {
                let reads = |s: &Step| matches!(s, Step::Expect(Expect::ThiefReads(other)) if other.clone == thief.clone);
                if !others().any(reads) {
                    let hint = "add a message that it reads: `expect: { thief-reads: … }`";
                    fault(format!("nothing shows that `{}` could read anything", thief.clone), hint);
                }
            }
            Step::Expect(Expect::ExportLacks(keys)) => {
                let holds = |keys: fn(&ExportedKeys) -> bool| {
                    others().any(|s| matches!(s, Step::Expect(Expect::ExportHolds(other)) if keys(other)))
                };
                if !keys.keys_of.is_empty() && !holds(|other| !other.keys_of.is_empty()) {
                    fault("nothing shows that an export holds keys of messages".to_owned(), "add `export-holds` with `keys-of`");
                }
                if !keys.prekeys_of.is_empty() && !holds(|other| !other.prekeys_of.is_empty()) {
                    fault("nothing shows that an export holds prekeys".to_owned(), "add `export-holds` with `prekeys-of`");
                }
                known(keys, cast, steps, &mut fault);
            }
            Step::Expect(Expect::ExportHolds(keys)) => known(keys, cast, steps, &mut fault),
            _ => {}
        }
    }
}

/// Whether the keys that are looked for are known to us.
fn known(keys: &ExportedKeys, cast: &CastAt, steps: &[Placed<'_>], fault: &mut impl FnMut(String, &str)) {
    let member = |user: &str| cast.get(user).and_then(|(_, cast)| cast.as_ref());
    let own = |user: &str| member(user).is_some_and(|m: &Cast| m.side == Side::Reference && m.stack == Stack::Adversary);
    let ends = |name: &str| {
        steps.iter().find_map(|placed| match &placed.step {
            Some(Step::Send(s)) if s.name == name => Some((s.from.as_str(), s.to.as_str())),
            _ => None,
        })
    };
    for name in &keys.keys_of {
        if !ends(name).is_some_and(|(from, to)| own(from) || own(to)) {
            let message = format!("the keys of `{name}` are not known to us");
            fault(message, "name a `send` from or to a reference user with `stack: adversary`");
        }
    }
    for name in &keys.prekeys_of {
        if !ends(name).is_some_and(|(_, to)| member(to).is_some_and(|m| m.known_keys)) {
            let message = format!("the prekeys that `{name}` names are not known to us");
            fault(message, "name a `send` to a candidate's user with `known-keys: true`");
        }
    }
}
