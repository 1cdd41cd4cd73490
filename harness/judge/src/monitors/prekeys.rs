//! No one-time prekey is published twice, and none is used for two sessions.

use super::Monitor;
use crate::context::Context;
use crate::expectations::published_twice;
use crate::finding::Finding;
use crate::said::Said;
use crate::wire;
use countersign_contract::UserId;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const MONITOR: Monitor = Monitor { id: "prekeys", requirements: &["PK-04"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "every one-time prekey is published once and used once";
    let fail = |observed: &str, at: usize| Said::fail(Finding::PrekeyReused, expected, observed).evidence([cx.seen.n(at)]);
    let users: BTreeSet<UserId> = cx.seen.publications.iter().map(|p| p.user).collect();
    for user in users {
        if let Some(publication) = published_twice(&cx.seen.publications, user) {
            return fail("an id of a one-time prekey was published twice", publication.at);
        }
    }
    let mut keys = BTreeSet::new();
    for publication in &cx.seen.publications {
        let ec = publication.one_time.iter().map(|k| &k.key);
        let kyber = publication.one_time_kyber.iter().map(|k| &k.key);
        if ec.chain(kyber).any(|key| !keys.insert(key)) {
            return fail("a one-time prekey was published twice", publication.at);
        }
        let standing = [&publication.signed, &publication.kyber].into_iter().flatten();
        if standing.into_iter().any(|key| keys.contains(&key.key)) {
            return fail("a one-time prekey is published as a signed or last-resort one too", publication.at);
        }
    }
    used_twice(cx, expected).unwrap_or_else(|| Said::pass(expected, format!("{} one-time prekeys", keys.len())))
}

/// A one-time prekey of a peer in the first messages of more sessions than bundles with it were handed to the sender.
fn used_twice(cx: &Context<'_>, expected: &str) -> Option<Said> {
    let mut sessions: BTreeMap<_, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (frame, message) in cx.seen.messages_in().filter(|(_, m)| m.prekey) {
        let Some(prekey) = wire::prekey(message.body) else { continue };
        let Some(id) = prekey.prekey_id else { continue };
        let bases = sessions.entry((frame.user, message.to, id)).or_default();
        bases.insert(prekey.base_key.to_vec());
        let handed = cx.seen.handed.iter().filter(|h| {
            h.to == frame.user
                && Some(h.bundle.user) == message.to
                && h.bundle.one_time_prekey.as_ref().is_some_and(|k| k.id == id)
                && h.at < frame.at
        });
        if bases.len() > handed.count().max(1) {
            let observed = format!("the one-time prekey {id} of a peer in two sessions");
            return Some(Said::fail(Finding::PrekeyReused, expected, observed).evidence([cx.seen.n(frame.at)]));
        }
    }
    None
}
