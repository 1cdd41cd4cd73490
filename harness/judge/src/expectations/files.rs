//! Two files have nothing in common.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::media::MAC_BYTES;
use countersign_scenarios::Side;
use countersign_trace::{Blame, KeyMark, Observation, Verdict};

/// Bytes at the beginning of two blobs that are never the same by chance, nor under different keys.
const HEAD: usize = 32;

pub(super) fn judge(cx: &Context<'_>, between: &[String; 2]) -> Result<Said, Said> {
    let [one, other] = between;
    let expected = format!("the files of {one} and {other} have different keys and ciphertexts");
    let (first, second) = (key(cx, one, &expected)?, key(cx, other, &expected)?);
    let candidate =
        cx.seen.message(one).is_some_and(|m| m.by_candidate) || cx.seen.message(other).is_some_and(|m| m.by_candidate);
    let evidence = [cx.seen.n(first.1), cx.seen.n(second.1)];
    let fail = |what: &str| {
        let said = Said::fail(Finding::FileReused, &expected, what).evidence(evidence);
        if candidate { said } else { said.verdict(Verdict::HarnessError).blame(Blame::Reference) }
    };
    if first.0 == second.0 {
        return Err(fail("both have the same key"));
    }
    let (first_blobs, second_blobs) = (blobs(cx, one), blobs(cx, other));
    if candidate && (first_blobs.is_empty() || second_blobs.is_empty()) {
        return Err(fail("one of them was never uploaded by itself"));
    }
    for a in &first_blobs {
        let body = |blob: &[u8]| blob.len().saturating_sub(MAC_BYTES).min(HEAD);
        if second_blobs.iter().any(|b| a == b || (body(a) >= 16 && a.get(..body(a)) == b.get(..body(a)))) {
            return Err(fail("both have the same ciphertext"));
        }
    }
    Ok(Said::pass(expected, "they differ").evidence(evidence))
}

/// The mark of the media key of a message, from whoever of ours made or received it, and where it stands.
fn key(cx: &Context<'_>, name: &str, expected: &str) -> Result<(KeyMark, usize), Said> {
    let (sent, id) = cx.message(name, expected)?;
    let found = cx.seen.observed.iter().find_map(|(at, _, observation)| match observation {
        Observation::Sent { stanza, media_key: Some(key), .. }
        | Observation::SentToGroup { stanza, media_key: Some(key), .. }
            if *stanza == id =>
        {
            Some((*key, *at))
        }
        Observation::Media { stanza, key, .. }
            if *stanza == id || cx.seen.message_of_stanza.get(stanza).is_some_and(|m| *m == sent.name) =>
        {
            Some((*key, *at))
        }
        _ => None,
    });
    found.ok_or_else(|| Said::blocked(expected, format!("no reference user could open the file of {name}")))
}

/// Blobs that the candidate uploaded in the step that sends a message.
fn blobs<'c>(cx: &'c Context<'_>, name: &str) -> Vec<&'c [u8]> {
    let range = cx.seen.message(name).and_then(|m| cx.seen.steps.get(&m.step)).cloned().unwrap_or(0..0);
    let uploads =
        cx.seen.requests.iter().filter(|r| r.method == "PUT" && r.path == "/media" && r.accepted() && range.contains(&r.at));
    let side = cx.seen.message(name).map(|m| m.from_name.clone()).and_then(|from| cx.seen.side(&from));
    if side != Some(Side::Candidate) {
        return vec![];
    }
    uploads.filter_map(|r| r.body.bytes(cx.seen.blobs)).collect()
}
