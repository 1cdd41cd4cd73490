//! Every frame and request of the candidate is valid by the binding's schema.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::{Said, quote};
use countersign_contract::portable::{BlockList, Enlist, GroupList, PublishKeys, Stanza};
use countersign_trace::Observation;

pub(super) const MONITOR: Monitor = Monitor { id: "binding", requirements: &["META-01"], watch };

fn watch(cx: &Context<'_>) -> Said {
    let expected = "every frame and request is one of the binding's";
    let mut broken: Vec<(usize, String)> = vec![];
    for frame in &cx.seen.frames {
        let wrong = match &frame.stanza {
            Err(error) => Some(format!("a frame is no stanza: {}", quote(error))),
            Ok(
                Stanza::Message { from: Some(_), .. }
                | Stanza::Receipt { from: Some(_), .. }
                | Stanza::GroupMessage { from: Some(_), .. },
            ) => Some("a stanza names its sender, which is the gateway's to do".to_owned()),
            Ok(Stanza::Message { to: None, .. } | Stanza::SealedMessage { to: None, .. } | Stanza::Receipt { to: None, .. }) => {
                Some("a stanza names no recipient".to_owned())
            }
            Ok(Stanza::GroupMessage { version: None, .. }) => {
                Some("a group message does not say for which list it was made".to_owned())
            }
            Ok(Stanza::Group { .. } | Stanza::Accepted { .. } | Stanza::Refused { .. } | Stanza::KeysLow { .. }) => {
                Some("a stanza is of a kind that only the gateway sends".to_owned())
            }
            Ok(_) => None,
        };
        broken.extend(wrong.map(|wrong| (frame.at, wrong)));
    }
    for request in &cx.seen.requests {
        let bytes = request.body.bytes(cx.seen.blobs).unwrap_or_default();
        let error = match (request.method, request.path) {
            ("POST", "/enlist") => serde_json::from_slice::<Enlist>(bytes).err(),
            ("PUT", "/keys") => serde_json::from_slice::<PublishKeys>(bytes).err(),
            ("POST", "/groups") => serde_json::from_slice::<GroupList>(bytes).err(),
            ("PUT", path) if path.starts_with("/groups/") => serde_json::from_slice::<GroupList>(bytes).err(),
            ("PUT", "/blocks") => serde_json::from_slice::<BlockList>(bytes).err(),
            _ => None,
        };
        let wrong =
            error.map(|e| format!("the body of {} {} does not fit: {}", request.method, request.path, quote(&e.to_string())));
        broken.extend(wrong.map(|wrong| (request.at, wrong)));
    }
    for (at, _, observation) in &cx.seen.observed {
        if let Observation::Invalid { what, detail } = observation {
            broken.push((*at, format!("{}: {}", quote(what), quote(detail))));
        }
    }
    broken.sort_by_key(|(at, _)| *at);
    match broken.first() {
        Some((_, first)) => {
            let observed = format!("{} broke it; the first: {first}", broken.len());
            Said::fail(Finding::BreaksBinding, expected, observed).evidence(broken.iter().map(|(at, _)| cx.seen.n(*at)))
        }
        None => Said::pass(expected, format!("{} frames and {} requests", cx.seen.frames.len(), cx.seen.requests.len())),
    }
}
