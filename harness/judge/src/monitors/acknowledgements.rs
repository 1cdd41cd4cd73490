//! Every stanza that the candidate processed is acknowledged, whatever came of it.
//!
//! That a stanza was processed is known once `settle` was answered for it or for a later one. Answers and frames travel on
//! different connections, so an acknowledgement counts as missing only where something later came over the same channel, or
//! the channel was closed from the candidate's side.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::portable::Stanza;
use countersign_contract::{Operation, StanzaId, UserId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const MONITOR: Monitor = Monitor { id: "acknowledgements", requirements: &["DMA-7(2)(a)"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "every stanza that was processed is acknowledged";
    let seen = &cx.seen;
    let acknowledged: BTreeSet<(Option<UserId>, StanzaId)> = seen
        .frames
        .iter()
        .filter_map(|f| match &f.stanza {
            Ok(Stanza::Ack { id }) => Some((f.user, *id)),
            _ => None,
        })
        .collect();
    // By channel: the last position at which something came over it.
    let mut last: BTreeMap<u64, usize> = seen.hung_up.clone();
    for frame in &seen.frames {
        let at = last.entry(frame.channel).or_default();
        *at = (*at).max(frame.at);
    }
    let settled = settled(cx);
    let mut processed = 0_usize;
    for delivery in &seen.deliveries {
        let Some(channel) = delivery.channel else { continue };
        let id = delivery.stanza.id();
        // From the first answer that covers it.
        let covered = settled.iter().filter(|s| s.user == delivery.user && s.through >= delivery.at).map(|s| s.answered).min();
        let Some(covered) = covered.filter(|at| last.get(&channel).is_some_and(|last| last > at)) else { continue };
        processed += 1;
        if !acknowledged.contains(&(Some(delivery.user), id)) {
            let observed = format!("{} processed a stanza and did not acknowledge it", seen.name_of(delivery.user));
            return Said::fail(Finding::NotAcknowledged, expected, observed).evidence([seen.n(delivery.at), seen.n(covered)]);
        }
    }
    Said::pass(expected, format!("{processed} stanzas"))
}

struct Settled {
    user: UserId,
    /// Position of the stanza up to which everything is processed.
    through: usize,
    answered: usize,
}

fn settled(cx: &Context<'_>) -> Vec<Settled> {
    let calls = cx.seen.calls.iter().filter(|c| c.operation() == Some(Operation::Settle));
    calls
        .filter_map(|call| {
            let (answered, _) = call.ok()?;
            let user = call.user("user")?;
            // The last delivery of that stanza before the call: it may come twice.
            let through = cx.seen.delivered(user, call.stanza("through")?).filter(|at| *at < call.at).max()?;
            Some(Settled { user, through, answered })
        })
        .collect()
}
