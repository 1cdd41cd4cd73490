//! A user is told that an identity key changed only if it did: a warning that always comes warns of nothing.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::What;
use crate::wire;
use countersign_contract::portable::{Enlist, GroupList, MessageType, Stanza};
use countersign_contract::seen::NoticeKind;
use countersign_contract::{GroupId, UserId};
use countersign_trace::Event;
use std::collections::BTreeSet;

pub(super) const MONITOR: Monitor = Monitor { id: "notices", requirements: &["SIG-09"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "users are told of a changed identity key, or of a new member of a group, only where there was one";
    for (user, sights) in cx.seen.witnessed.iter().filter(|(user, _)| cx.seen.is_candidate(**user)) {
        for sight in sights {
            if let What::Notice { notice: NoticeKind::MemberAdded, about, group } = &sight.what {
                if !group.is_some_and(|group| was_told(cx, *user, group, *about, sight.at)) {
                    let observed = format!(
                        "{} was told so of {}, who is on no list of that group",
                        cx.seen.name_of(*user),
                        cx.seen.name_of(*about)
                    );
                    return Said::fail(Finding::FalseNotice, expected, observed).evidence([cx.seen.n(sight.at)]);
                }
                continue;
            }
            let What::Notice { notice: NoticeKind::IdentityChanged, about, .. } = &sight.what else { continue };
            let known = identities(cx, *user, *about, sight.at);
            if known < 2 {
                let observed =
                    format!("{} was told so of {}, who had one key only", cx.seen.name_of(*user), cx.seen.name_of(*about));
                return Said::fail(Finding::FalseNotice, expected, observed).evidence([cx.seen.n(sight.at)]);
            }
        }
    }
    Said::pass(expected, "so they were")
}

/// Whether the gateway told a user that somebody is in a group.
fn was_told(cx: &Context<'_>, user: UserId, group: GroupId, member: UserId, end: usize) -> bool {
    let is_it = |list: &GroupList| list.group == group && list.members.contains(&member);
    let delivered = cx
        .seen
        .deliveries
        .iter()
        .filter(|d| d.at < end && d.user == user)
        .any(|d| matches!(&d.stanza, Stanza::Group { group: of, members, .. } if *of == group && members.contains(&member)));
    let answered = cx.seen.requests.iter().filter(|r| r.user == Some(user) && r.path.starts_with("/groups")).any(|r| {
        let list = r.reply.filter(|(at, ..)| *at < end).and_then(|(_, _, body, _)| body.bytes(cx.seen.blobs));
        list.and_then(|bytes| serde_json::from_slice::<GroupList>(bytes).ok()).is_some_and(|list| is_it(&list))
    });
    delivered || answered
}

/// How many identity keys of a peer a user may have met by a position: in bundles, in first messages, and at the gateway.
fn identities(cx: &Context<'_>, user: UserId, peer: UserId, end: usize) -> usize {
    let mut keys: BTreeSet<Vec<u8>> = BTreeSet::new();
    let handed = cx.seen.handed.iter().filter(|h| h.at < end && h.to == Some(user) && h.bundle.user == peer);
    keys.extend(handed.map(|h| h.bundle.identity_key.0.clone()));
    for delivery in cx.seen.deliveries.iter().filter(|d| d.at < end && d.user == user) {
        if let Stanza::Message { from: Some(from), r#type: MessageType::Prekey, body, .. } = &delivery.stanza
            && *from == peer
            && let Some(prekey) = wire::prekey(&body.0)
        {
            keys.insert(prekey.identity_key.to_vec());
        }
    }
    keys.extend(
        cx.seen.publications.iter().filter(|p| p.at < end && p.user == peer).filter_map(|p| p.identity.clone()).map(|k| k.0),
    );
    for entry in cx.seen.trace.iter().take(end) {
        if let Event::FromReference { user, what, body } = &entry.event
            && *user == peer
            && what == "POST /enlist"
            && let Some(enlist) = body.bytes(cx.seen.blobs).and_then(|b| serde_json::from_slice::<Enlist>(b).ok())
        {
            keys.insert(enlist.identity_key.0);
        }
    }
    keys.len()
}
