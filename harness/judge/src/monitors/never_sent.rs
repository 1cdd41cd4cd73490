//! Nothing is shown that was not sent: every message shown is one of the scenario's, to this user, from this sender, as it was.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::{Sent, What, same};
use countersign_contract::StanzaId;
use std::collections::BTreeMap;

pub(super) const MONITOR: Monitor = Monitor { id: "never-sent", requirements: &["DMA-7(3)"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "users see what was sent to them, and nothing else";
    let sent: BTreeMap<StanzaId, &Sent> = cx.seen.messages.values().filter_map(|m| Some((m.id?, m))).collect();
    for (user, sights) in cx.seen.witnessed.iter().filter(|(user, _)| cx.seen.is_candidate(**user)) {
        for sight in sights {
            let What::Message { message, from, group, content } = &sight.what else { continue };
            let name = cx.seen.name_of(*user);
            let fail = |finding, observed: String| Said::fail(finding, expected, observed).evidence([cx.seen.n(sight.at)]);
            match sent.get(message) {
                Some(m) if m.goes_to(*user) && m.from == Some(*from) => {
                    if *group != m.group.as_ref().map(|(group, _)| *group) {
                        return fail(Finding::WrongGroup, format!("{name} was shown {} in another group, or in none", m.name));
                    }
                    if m.content.as_ref().is_some_and(|c| !same(c, content)) {
                        return fail(
                            Finding::ContentDiffers,
                            format!("{name} was shown something else than was sent as {}", m.name),
                        );
                    }
                }
                Some(m) if m.goes_to(*user) => {
                    return fail(Finding::WrongSender, format!("{name} was shown {} as from {}", m.name, cx.seen.name_of(*from)));
                }
                Some(m) => return fail(Finding::NeverSent, format!("{name} was shown {}, which went to {}", m.name, m.to_name)),
                None => return fail(Finding::NeverSent, format!("{name} was shown a message {message} that nobody sent")),
            }
        }
    }
    Said::pass(expected, "so it was")
}
