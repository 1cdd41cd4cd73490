//! What a user says carries no signature under that user's identity key. One that the reference found breaks the rule with certainty; that
//! it found none proves nothing.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_trace::Observation;

pub(super) const MONITOR: Monitor = Monitor { id: "signatures", requirements: &["DENY-01"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "no content carries a signature under its sender's identity key over what it says";
    let found = cx.seen.observed.iter().find_map(|(at, _, observation)| match observation {
        Observation::Signed { from, place, over, .. } if cx.seen.is_candidate(*from) => Some((*at, *from, place, over)),
        _ => None,
    });
    match found {
        Some((at, from, place, over)) => {
            let observed = format!("{} signed {over}: field {place} of the content", cx.seen.name_of(from));
            Said::fail(Finding::SignsContent, expected, observed).evidence([cx.seen.n(at)])
        }
        None => Said::pass(expected, "none was found, which proves nothing"),
    }
}
