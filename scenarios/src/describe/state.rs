//! Steps and expectations about a candidate's state in plain words.

use super::with_side;
use crate::language::{Cast, DeliverTo, Expect, ExportedKeys, Step};
use std::collections::BTreeMap;

pub(super) fn describe(cast: &BTreeMap<String, Cast>, step: &Step) -> String {
    let who = |user: &String| with_side(cast, user);
    match step {
        Step::Snapshot(s) => format!("the state of {} is kept as it is now ({})", who(&s.of), s.name),
        Step::Restore(r) => format!("the state of {} is put back as it was in {}", who(&r.user), r.to),
        Step::Clone(c) => format!("a thief copies the state of {} ({})", who(&c.of), c.name),
        Step::Deliver(DeliverTo { clone, exchange: Some(exchange), .. }) => {
            format!("the thief's copy {clone} is fed with every message of {exchange} to its user")
        }
        Step::Deliver(d) => format!("the thief's copy {} is fed with {}", d.clone, d.stanzas.join(", ")),
        Step::Export(e) => format!("the stored state of {} is exported ({})", who(&e.of), e.name),
        _ => String::new(),
    }
}

pub(super) fn expectation(expect: &Expect) -> String {
    match expect {
        Expect::ThiefReads(t) => format!("the thief's copy {} reads {}", t.clone, t.messages.join(", ")),
        Expect::ThiefCannotRead(t) => format!("the thief's copy {} cannot read {}", t.clone, t.messages.join(", ")),
        Expect::ThiefLockedOut(h) => {
            let (clone, exchange, most) = (&h.clone, &h.exchange, h.after_at_most);
            format!("the thief's copy {clone} is locked out of {exchange} after at most {most} messages in both directions")
        }
        Expect::PostQuantumHealed(h) => {
            let (clone, exchange, most) = (&h.clone, &h.exchange, h.after_at_most);
            format!("the post-quantum ratchet of {exchange} has outrun {clone} after at most {most} messages in both directions")
        }
        Expect::ExportHolds(keys) => format!("{} holds {}", keys.export, what(keys)),
        Expect::ExportLacks(keys) => format!("{} does not hold {}", keys.export, what(keys)),
        Expect::SameExport { between: [a, b] } => format!("the exports {a} and {b} are the same, byte for byte"),
        _ => String::new(),
    }
}

fn what(keys: &ExportedKeys) -> String {
    let mut parts = Vec::new();
    if !keys.keys_of.is_empty() {
        parts.push(format!("keys of {}", keys.keys_of.join(", ")));
    }
    if !keys.prekeys_of.is_empty() {
        parts.push(format!("the one-time prekeys that {} named", keys.prekeys_of.join(", ")));
    }
    parts.join(" and ")
}
