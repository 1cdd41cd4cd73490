//! What users saw is told in order, without gaps, repeats or changes.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;

pub(super) const MONITOR: Monitor = Monitor { id: "events", requirements: &["CT-01"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "what each user sees is numbered from 1, without gaps or repeats, and never changes";
    match cx.seen.disorder.first() {
        Some(first) => {
            let observed = format!("{}: {}", cx.seen.name_of(first.user), first.detail);
            Said::fail(Finding::EventsOutOfOrder, expected, observed).evidence(cx.seen.disorder.iter().map(|d| cx.seen.n(d.at)))
        }
        None => Said::pass(expected, "it is"),
    }
}
