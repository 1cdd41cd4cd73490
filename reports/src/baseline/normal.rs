//! Placeholders in the place of what differs from run to run: ids, keys, ciphertext, numbers, markers.

use crate::visible::visible;
use countersign_contract::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;

/// Characters of an id as it stands in JSON.
const ID: usize = 36;
/// Shortest text that is taken for bytes, in characters of base64url.
const SHORTEST_BYTES: usize = 16;
/// Longest word that stands as it is.
const LONGEST_WORD: usize = 32;
/// Members and items that are written out.
const MOST_PARTS: usize = 40;
/// Nesting that is written out.
const DEEPEST: usize = 8;
/// Longest text that somebody wrote, in characters.
const LONGEST_TEXT: usize = 200;

/// Names for the ids of an instance; those without one are numbered as they appear.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: BTreeMap<String, String>,
    others: BTreeMap<String, usize>,
    canaries: Vec<String>,
}

impl Names {
    pub(super) fn learn(&mut self, id: &impl ToString, name: String) {
        self.known.entry(id.to_string()).or_insert(name);
    }

    /// A marker that a test puts into a text.
    pub(super) fn canary(&mut self, text: &str) {
        if !text.is_empty() {
            self.canaries.push(text.to_owned());
        }
    }

    /// A line with names in the place of ids and markers.
    pub(super) fn named(&mut self, line: &str) -> String {
        let mut others = std::mem::take(&mut self.others);
        let named = self.replaced(line, &mut |id| {
            let next = others.len() + 1;
            format!("<id {}>", others.entry(id).or_insert(next))
        });
        self.others = others;
        named
    }

    /// A line in which ids without a name are all one.
    pub(super) fn heading(&self, line: &str) -> String {
        self.replaced(line, &mut |_| "<id>".to_owned())
    }

    fn replaced(&self, line: &str, other: &mut dyn FnMut(String) -> String) -> String {
        let mut out = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            if let Some((id, after)) = rest.split_at_checked(ID).filter(|(id, _)| is_id(id)) {
                let id = id.to_ascii_lowercase();
                match self.known.get(&id) {
                    Some(name) => out.push_str(&format!("<{name}>")),
                    None => out.push_str(&other(id)),
                }
                rest = after;
            } else {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
        for canary in &self.canaries {
            out = out.replace(canary, "<canary>");
        }
        out
    }
}

fn is_id(text: &str) -> bool {
    text.bytes()
        .enumerate()
        .all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// What a value looks like, without what is random in it. Bytes beyond `sized` stand without their number.
pub(super) fn shape(value: &Value, sized: usize) -> String {
    shape_within(value, sized, DEEPEST)
}

fn shape_within(value: &Value, sized: usize, deep: usize) -> String {
    if deep == 0 {
        return "…".to_owned();
    }
    match value {
        Value::Null | Value::Bool(_) => value.to_string(),
        Value::Number(_) => "<number>".to_owned(),
        Value::String(text) => text_shape(text, sized),
        Value::Array(items) => {
            let shapes: Vec<String> = items.iter().take(MOST_PARTS).map(|item| shape_within(item, sized, deep - 1)).collect();
            match shapes.first() {
                None => "[]".to_owned(),
                Some(first) if shapes.iter().all(|shape| shape == first) => format!("[{} × {first}]", items.len()),
                Some(_) => format!("[{}{}]", shapes.join(", "), beyond(items.len())),
            }
        }
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().take(MOST_PARTS).collect();
            let parts: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}: {}", visible(key, LONGEST_WORD), shape_within(value, sized, deep - 1)))
                .collect();
            format!("{{{}{}}}", parts.join(", "), beyond(members.len()))
        }
    }
}

/// Tells of parts that are not written out.
fn beyond(count: usize) -> String {
    if count > MOST_PARTS { format!(", … {count} in all") } else { String::new() }
}

fn text_shape(text: &str, sized: usize) -> String {
    if is_id(text) && text.len() == ID {
        return text.to_owned();
    }
    if text.len() >= 5 && text.bytes().all(|b| b.is_ascii_digit()) {
        return format!("<digits {}>", text.len());
    }
    if is_word(text) {
        return text.to_owned();
    }
    match Bytes::from_base64url(text) {
        Some(bytes) if text.len() >= SHORTEST_BYTES && bytes.0.len() > sized => "<bytes>".to_owned(),
        Some(bytes) if text.len() >= SHORTEST_BYTES => format!("<bytes {}>", bytes.0.len()),
        _ => "<text>".to_owned(),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// A path with placeholders for what is no word and no id.
pub(super) fn path(path: &str) -> String {
    let segment = |segment: &str| {
        let plain = segment.is_empty() || is_word(segment) || (segment.len() == ID && is_id(segment));
        if plain { segment.to_owned() } else { "<token>".to_owned() }
    };
    path.split('/').take(MOST_PARTS).map(segment).collect::<Vec<_>>().join("/")
}

/// What a user wrote or saw: texts as they are, files by their length.
pub(super) fn content(value: &Value) -> String {
    let Value::Object(members) = value else { return shape(value, usize::MAX) };
    let kind = members.get("kind").and_then(Value::as_str).unwrap_or("content");
    let mut parts: Vec<String> = Vec::new();
    let sorted: BTreeMap<&String, &Value> = members.iter().take(MOST_PARTS).collect();
    for (key, value) in sorted {
        match (key.as_str(), value) {
            ("kind" | "url" | "sha256", _) => {}
            (key, Value::Object(_)) => parts.push(format!("{key} ({})", content(value))),
            (key, Value::String(text)) => parts.push(format!("{key} “{}”", visible(text, LONGEST_TEXT))),
            (key, Value::Number(_) | Value::Bool(_)) => parts.push(format!("{key} {value}")),
            (key, value) => parts.push(format!("{key} {}", shape(value, usize::MAX))),
        }
    }
    let kind = if members.contains_key("kind") { visible(kind, LONGEST_WORD) + " " } else { String::new() };
    format!("{kind}{}", parts.join(", ")).trim_end().to_owned()
}
