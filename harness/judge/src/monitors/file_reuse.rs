//! No media key and no ciphertext stands for two files.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_trace::Observation;
use std::collections::BTreeMap;

pub(super) const MONITOR: Monitor = Monitor { id: "file-reuse", requirements: &["MED-09"], watch };

/// Bytes at the beginning of two blobs that are the same only under the same key and IV, or without encryption.
pub(crate) const HEAD: usize = 16;

fn watch(cx: &Context<'_>) -> Said {
    let expected = "every upload has a key, and so an IV and a ciphertext, of its own";
    let mut keys: BTreeMap<_, (usize, String, bool)> = BTreeMap::new();
    for (at, _, observation) in &cx.seen.observed {
        let (stanza, key) = match observation {
            Observation::Media { stanza, key, .. }
            | Observation::Sent { stanza, media_key: Some(key), .. }
            | Observation::SentToGroup { stanza, media_key: Some(key), .. } => (stanza, key),
            _ => continue,
        };
        // What is sent again is the same message with the same file.
        let message = cx.seen.message_of_stanza.get(stanza).cloned().unwrap_or_else(|| stanza.to_string());
        let candidate = cx.seen.messages.get(&message).is_none_or(|m| m.by_candidate);
        let (before, first, first_candidate) = keys.entry(*key).or_insert_with(|| (*at, message.clone(), candidate));
        if *first != message && (candidate || *first_candidate) {
            let observed = format!("{first} and {message} have the same media key");
            return Said::fail(Finding::FileReused, expected, observed).evidence([cx.seen.n(*before), cx.seen.n(*at)]);
        }
    }
    let mut heads: BTreeMap<&[u8], usize> = BTreeMap::new();
    for upload in cx.seen.requests.iter().filter(|r| r.method == "PUT" && r.path == "/media" && r.accepted()) {
        let Some(head) = upload.body.bytes(cx.seen.blobs).and_then(|bytes| bytes.get(..HEAD)) else { continue };
        if let Some(before) = heads.insert(head, upload.at) {
            let observed = "two uploads begin with the same ciphertext";
            return Said::fail(Finding::FileReused, expected, observed).evidence([cx.seen.n(before), cx.seen.n(upload.at)]);
        }
    }
    Said::pass(expected, format!("{} keys, {} uploads", keys.len(), heads.len()))
}
