//! No message is shown twice. An edit is a message of its own, with its own id.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::What;
use std::collections::BTreeMap;

pub(super) const MONITOR: Monitor = Monitor { id: "shown-twice", requirements: &["SIG-04"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "every user sees every message once at most";
    let candidates = cx.seen.witnessed.iter().filter(|(user, _)| cx.seen.is_candidate(**user));
    for (user, sights) in candidates {
        let mut first = BTreeMap::new();
        for sight in sights {
            let What::Message { message, .. } = &sight.what else { continue };
            if let Some(before) = first.insert(*message, sight.at) {
                let message = cx.seen.message_of_stanza.get(message).cloned().unwrap_or_else(|| message.to_string());
                let observed = format!("{} was shown {message} again", cx.seen.name_of(*user));
                return Said::fail(Finding::ShownTwice, expected, observed).evidence([cx.seen.n(before), cx.seen.n(sight.at)]);
            }
        }
    }
    Said::pass(expected, "so it was")
}
