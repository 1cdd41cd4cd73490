//! Sender keys of the candidate: one for each group, well formed, no message key used twice, and nothing sent under one after
//! somebody who has it was taken out of the group.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::portable::{GroupList, Stanza};
use countersign_contract::{GroupId, UserId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const MONITOR: Monitor = Monitor { id: "sender-keys", requirements: &["GRP-02", "GRP-06"], watch };

/// Message version of sender keys (libsignal: `SENDERKEY_MESSAGE_CURRENT_VERSION`).
const VERSION: u8 = 3;

type Lists = BTreeMap<(GroupId, u32), BTreeSet<UserId>>;
/// By sender and distribution: the group, the version of its list, and the position of the first message.
type Keys = BTreeMap<(Option<UserId>, Vec<u8>), (GroupId, u32, usize)>;
/// By distribution, chain and iteration: the position and the body of a message.
type Places = BTreeMap<(Vec<u8>, u32, u32), (usize, Vec<u8>)>;

fn watch(cx: &Context<'_>) -> Said {
    let expected = "every sender key is of one group, its messages are well formed, each has a message key of its own, and none is sent \
                    after somebody who has the key was taken out";
    let lists = lists(cx);
    let mut keys = Keys::new();
    let mut places = Places::new();
    let mut count = 0_usize;
    for frame in &cx.seen.frames {
        let Ok(Stanza::GroupMessage { body, .. }) = &frame.stanza else { continue };
        count += 1;
        let readable = crate::wire::sender_key(&body.0).is_some_and(|message| message.version == VERSION);
        if !readable {
            let observed = "the body of a group message is no sender key message of version 3";
            return Said::fail(Finding::WrongOnWire, expected, observed).evidence([cx.seen.n(frame.at)]);
        }
    }
    for (frame, (group, version), message) in cx.seen.group_messages_in() {
        let place = (message.distribution.to_vec(), message.chain, message.iteration);
        let (before, ciphertext) = places.entry(place).or_insert_with(|| (frame.at, message.ciphertext.to_vec()));
        if *ciphertext != message.ciphertext {
            let observed = format!("iteration {} of one sender key on two different ciphertexts", message.iteration);
            return Said::fail(Finding::CounterReused, expected, observed).evidence([cx.seen.n(*before), cx.seen.n(frame.at)]);
        }
        let key = (frame.user, message.distribution.to_vec());
        let (of, first, since) = *keys.entry(key).or_insert((group, version, frame.at));
        let evidence = [cx.seen.n(since), cx.seen.n(frame.at)];
        if of != group {
            return Said::fail(Finding::OldSenderKey, expected, "one sender key in two groups").evidence(evidence);
        }
        if let Some(gone) = gone(&lists, group, first, version) {
            let observed = format!("a message under a sender key that {} has, who was taken out before", cx.seen.name_of(gone));
            return Said::fail(Finding::OldSenderKey, expected, observed).evidence(evidence);
        }
    }
    Said::pass(expected, format!("{} sender keys, {count} messages", keys.len()))
}

/// Somebody who was on some list from version `first` on, and is not on that of `now`.
fn gone(lists: &Lists, group: GroupId, first: u32, now: u32) -> Option<UserId> {
    let present = lists.get(&(group, now))?;
    let before = lists.range((group, first)..(group, now));
    before.flat_map(|(_, members)| members).find(|member| !present.contains(member)).copied()
}

/// All lists that the gateway told anybody of.
fn lists(cx: &Context<'_>) -> Lists {
    let mut lists = Lists::new();
    for delivery in &cx.seen.deliveries {
        if let Stanza::Group { group, version, members, .. } = &delivery.stanza {
            lists.entry((*group, *version)).or_insert_with(|| members.iter().copied().collect());
        }
    }
    for request in cx.seen.requests.iter().filter(|r| r.path.starts_with("/groups") && r.accepted()) {
        let body = request.reply.and_then(|(_, _, body, _)| body.bytes(cx.seen.blobs));
        if let Some(list) = body.and_then(|bytes| serde_json::from_slice::<GroupList>(bytes).ok()) {
            lists.entry((list.group, list.version)).or_insert_with(|| list.members.into_iter().collect());
        }
    }
    lists
}
