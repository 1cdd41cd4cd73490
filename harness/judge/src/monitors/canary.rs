//! No content, and no key of a file, in any byte that the candidate sends to the gateway.
//!
//! Content is looked for as it is and in the forms that code puts text into on its way: hexadecimal, base64 at each alignment and
//! in both alphabets, percent-encoded, UTF-16, JSON escapes, reversed. Media keys are only known by their marks, with which
//! every window of 32 bytes of what may hold one is compared.

mod forms;

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::search::Search;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use countersign_contract::media::KEY_BYTES;
use countersign_contract::seen::UserContent;
use countersign_trace::{KeyMark, Observation};
use forms::Forms;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

pub(super) const MONITOR: Monitor = Monitor { id: "canary", requirements: &["META-04"], watch };

/// Messages whose text is looked for besides the canaries: a canary stands in nearly every text anyway.
const MOST_TEXTS: usize = 64;
/// Characters of a piece of text.
const PIECE: usize = 24;
/// Shorter texts occur by chance.
const SHORTEST_TEXT: usize = 16;
/// Fewer different bytes occur by chance.
const LEAST_VARIETY: usize = 6;
/// Of an upload, keys are looked for in that many bytes at both ends: more would cost a digest for each byte of it.
const UPLOAD_ENDS: usize = 512;

fn watch(cx: &Context<'_>) -> Said {
    let expected = "no content and no key in any byte that a server sees";
    let texts = texts(cx);
    let mut forms = Forms::default();
    texts.iter().for_each(|text| forms.add(text));
    let search = Search::of(forms.iter());
    let mut keys: Vec<KeyMark> = cx
        .seen
        .observed
        .iter()
        .filter_map(|(_, _, o)| match o {
            Observation::Media { key, .. }
            | Observation::Sent { media_key: Some(key), .. }
            | Observation::SentToGroup { media_key: Some(key), .. } => Some(*key),
            _ => None,
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let fail = |at: usize, what: &str| Said::fail(Finding::PlaintextVisible, expected, what).evidence([cx.seen.n(at)]);
    for (at, kind, bytes) in sent(cx) {
        // Ciphertext is no text: what is has no business in an upload, and is read like everything else.
        let opaque = kind == Kind::Upload && std::str::from_utf8(&bytes).is_err();
        let decoded = if opaque { vec![] } else { decoded(&bytes) };
        if search.find(&bytes).is_some() || decoded.iter().any(|d| search.find(d).is_some()) {
            return fail(at, "content stands in what the candidate sent");
        }
        let holds = |bytes: &[u8]| {
            may_hold_key(bytes) && !keys.is_empty() && bytes.windows(KEY_BYTES).any(|w| keys.iter().any(|key| key.is(w)))
        };
        let ends = match kind {
            Kind::Upload => [bytes.get(..UPLOAD_ENDS), bytes.len().checked_sub(UPLOAD_ENDS).and_then(|from| bytes.get(from..))],
            Kind::Json => [None, None],
        };
        let whole = kind == Kind::Upload && bytes.len() < UPLOAD_ENDS && holds(&bytes);
        if whole || ends.into_iter().flatten().any(holds) || decoded.iter().any(|d| holds(d)) {
            return fail(at, "the key of a file stands in what the candidate sent");
        }
    }
    Said::pass(expected, format!("{} markers and {} keys were looked for", texts.len(), keys.len()))
}

/// Whether a key as it is could stand in there. A window that is ASCII throughout is none: of keys drawn at random, one in 2^32 is.
/// Most of what is sent is base64, which is looked into once it is decoded.
fn may_hold_key(bytes: &[u8]) -> bool {
    bytes.len() >= KEY_BYTES && !bytes.is_ascii()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Upload,
}

/// Everything that the candidate sent to the gateway: bodies, paths and tokens.
fn sent<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = (usize, Kind, Cow<'c, [u8]>)> + 'c {
    // The test's own paths of plaintext files: the candidate has to ask for those.
    let files: BTreeSet<String> =
        cx.seen.calls.iter().filter(|c| matches!(c.op, "send" | "send_to_group")).filter_map(file_url).collect();
    let frames = cx.seen.frames.iter().filter_map(|f| Some((f.at, Kind::Json, Cow::Borrowed(f.body.bytes(cx.seen.blobs)?))));
    let bodies = cx.seen.requests.iter().filter_map(|r| {
        let kind = if r.path.starts_with("/media") { Kind::Upload } else { Kind::Json };
        Some((r.at, kind, Cow::Borrowed(r.body.bytes(cx.seen.blobs)?)))
    });
    let paths = cx
        .seen
        .requests
        .iter()
        .filter(move |r| !files.contains(r.path))
        .map(|r| (r.at, Kind::Json, Cow::Owned(format!("{} {}", r.method, r.path).into_bytes())));
    let tokens = cx.seen.trace.iter().enumerate().filter_map(|(at, entry)| {
        use countersign_trace::{Event, Input};
        match &entry.event {
            Event::Input(Input::Request { token: Some(token), .. } | Input::ChatOpened { token: Some(token), .. }) => {
                Some((at, Kind::Json, Cow::Borrowed(token.as_bytes())))
            }
            _ => None,
        }
    });
    frames.chain(bodies).chain(paths).chain(tokens)
}

fn file_url(call: &crate::seen::Called<'_>) -> Option<String> {
    Some(call.args.get("content")?.get("file")?.get("url")?.as_str()?.to_owned())
}

/// What must not be seen: canaries, and pieces of the first texts.
fn texts(cx: &Context<'_>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (_, _, observation) in &cx.seen.observed {
        if let Observation::Canary { text } = observation
            && text.len() >= SHORTEST_TEXT
        {
            out.insert(text.clone());
        }
    }
    for message in cx.seen.messages.values().take(MOST_TEXTS) {
        let text = match &message.content {
            Some(UserContent::Text { text } | UserContent::Reply { text, .. } | UserContent::Edit { text, .. }) => text,
            Some(UserContent::Media { name, .. }) => name,
            _ => continue,
        };
        let length = text.chars().count();
        for from in [0, length / 2, length.saturating_sub(PIECE)] {
            let piece: String = text.chars().skip(from).take(PIECE).collect();
            let variety: BTreeSet<u8> = piece.bytes().collect();
            if piece.len() >= SHORTEST_TEXT && variety.len() >= LEAST_VARIETY {
                out.insert(piece);
            }
        }
    }
    out
}

/// The bytes that strings of a JSON text stand for: as base64url, as base64, as hexadecimal digits; and the strings themselves,
/// whatever escapes they are written with.
pub(crate) fn decoded(json: &[u8]) -> Vec<Vec<u8>> {
    let mut out = vec![];
    let Ok(value) = serde_json::from_slice::<Value>(json) else {
        if let Ok(text) = std::str::from_utf8(json) {
            text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '+'))
                .for_each(|word| decode(word, &mut out));
        }
        return out;
    };
    let mut open = vec![&value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => {
                out.push(text.as_bytes().to_vec());
                decode(text, &mut out);
            }
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                out.extend(members.keys().map(|k| k.as_bytes().to_vec()));
                open.extend(members.values());
            }
            _ => {}
        }
    }
    out
}

fn decode(text: &str, out: &mut Vec<Vec<u8>>) {
    if text.len() < SHORTEST_TEXT {
        return;
    }
    let bare = text.trim_end_matches('=');
    out.extend(URL_SAFE_NO_PAD.decode(bare).or_else(|_| STANDARD_NO_PAD.decode(bare)).ok());
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let hex: Option<Vec<u8>> =
        text.as_bytes().chunks(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect();
    out.extend(hex);
}
