//! Stanzas and requests carry the members of the profile's inventory and nothing else.
//!
//! A key of the inventory is `hop/kind`; what counts here are the kinds that a client sends. A member of an object inside is
//! written with a dot (`signed_prekey.id`); whoever lists the outer member lists all that is in it.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::{Said, list, quote};
use countersign_trace::Body;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) const MONITOR: Monitor = Monitor { id: "inventory", requirements: &["META-01", "DMA-7(8)"], watch };

/// The hop on which the candidate's client sends.
const TO_GATEWAY: &str = "to-gateway";

fn watch(cx: &Context<'_>) -> Said {
    let expected = "stanzas and requests carry nothing but what the inventory lists";
    let mut unlisted = BTreeSet::new();
    for (at, kinds, value) in bodies(cx) {
        let Value::Object(object) = &value else { continue };
        let Some(allowed) = allowed(cx, &kinds) else {
            unlisted.extend(kinds.first().cloned());
            continue;
        };
        let mut paths = BTreeSet::new();
        for (member, value) in object {
            collect(member.clone(), value, &mut paths);
        }
        let beyond: Vec<&String> = paths.iter().filter(|path| !permits(&allowed, path)).collect();
        if let Some(first) = beyond.first() {
            let kind = kinds.first().cloned().unwrap_or_default();
            let observed = format!("{} in {}; {} such members", quote(first), quote(&kind), beyond.len());
            return Said::fail(Finding::BeyondInventory, expected, observed).evidence([cx.seen.n(at)]);
        }
    }
    if unlisted.is_empty() {
        return Said::pass(expected, "so they do");
    }
    Said::harness(expected, format!("the inventory says nothing of {}", list(unlisted.iter())))
}

/// JSON that the candidate sent: position, names that its kind may have in the inventory, and value.
fn bodies<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = (usize, Vec<String>, Value)> + 'c {
    let json = |body: &Body| serde_json::from_slice::<Value>(body.bytes(cx.seen.blobs)?).ok();
    let frames = cx.seen.frames.iter().filter_map(move |frame| {
        let value = json(frame.body)?;
        let kind = vec![value.get("kind")?.as_str()?.to_owned()];
        // Unknown members make a frame invalid, and are looked at all the same; an invented kind is the binding's to report.
        let readable = frame.stanza.is_ok() || allowed(cx, &kind).is_some();
        readable.then_some((frame.at, kind, value))
    });
    let requests = cx.seen.requests.iter().filter_map(move |request| {
        let kinds: &[&str] = match (request.method, request.path) {
            ("POST", "/enlist") => &["enlist"],
            ("PUT", "/keys") => &["put-keys"],
            ("PUT", "/blocks") => &["put-blocks"],
            ("POST", "/groups") => &["post-groups"],
            ("PUT", path) if path.starts_with("/groups/") => &["put-groups"],
            _ => return None,
        };
        Some((request.at, kinds.iter().map(|k| (*k).to_owned()).collect(), json(request.body)?))
    });
    frames.chain(requests)
}

/// What the inventory lists for a kind; `None` if it does not know it.
fn allowed<'c>(cx: &'c Context<'_>, kinds: &[String]) -> Option<BTreeSet<&'c str>> {
    let entries: Vec<&Vec<String>> = cx
        .profile
        .inventory
        .iter()
        .filter(|(key, _)| key.split_once('/').is_some_and(|(hop, kind)| hop == TO_GATEWAY && kinds.iter().any(|k| k == kind)))
        .map(|(_, members)| members)
        .collect();
    (!entries.is_empty()).then(|| entries.into_iter().flatten().map(String::as_str).collect())
}

/// Whether a path or what it lies in is listed.
fn permits(allowed: &BTreeSet<&str>, path: &str) -> bool {
    allowed.contains(path) || path.match_indices('.').any(|(at, _)| path.get(..at).is_some_and(|outer| allowed.contains(outer)))
}

/// Paths of all members; a list counts as what is in it.
fn collect(path: String, value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (member, value) in object {
                collect(format!("{path}.{member}"), value, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                collect(path.clone(), item, out);
            }
        }
        _ => {
            out.insert(path);
        }
    }
}
