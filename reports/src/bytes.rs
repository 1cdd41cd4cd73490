//! Bodies as a reader sees them: the members of a JSON body by name, and the bytes that matter as a dump.

use crate::measure::grouped;
use crate::signal;
use crate::visible::{visible, visible_block};
use countersign_contract::Bytes;
use countersign_contract::portable::MessageType;
use countersign_trace::{Blobs, Body};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write as _;

/// What is shown of a body. All texts are fit to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// Members of a JSON object: name and value, one line each.
    pub(crate) members: Vec<(String, String)>,
    /// Fields of the Signal message that a stanza carries: name and value, one line each.
    pub(crate) fields: Vec<(String, String)>,
    /// A dump of the bytes that matter, or the beginning of a text.
    pub(crate) dump: Option<Dump>,
    /// Length of the whole body in bytes, and what is not shown.
    pub(crate) note: String,
}

/// The beginning of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dump {
    /// Which bytes: `body`, or empty for the whole.
    pub(crate) of: String,
    /// Lines of 16 bytes: offset, hexadecimal, ASCII; or the text.
    pub(crate) text: String,
    /// How many bytes there are.
    pub(crate) length: u64,
    /// How many of them are shown; `None` for a text, which says itself where it is cut.
    pub(crate) shown: Option<u64>,
}

/// Members that are bytes, written as base64url.
const BYTE_MEMBERS: [&str; 5] = ["body", "key", "signature", "identity_key", "sha256"];
/// Bodies longer than this are not read as JSON: no stanza is.
const LONGEST_JSON: usize = countersign_contract::portable::LARGEST_STANZA;
const LONGEST_MEMBER: usize = 160;
const SHOWN_BASE64: usize = 44;
const MOST_MEMBERS: usize = 24;

/// The excerpt of a body with at most `longest` bytes of it as a dump.
pub(crate) fn excerpt(body: &Body, blobs: &Blobs, longest: usize) -> Excerpt {
    let length = format!("{} bytes", grouped(body.len()));
    let Some(bytes) = body.bytes(blobs) else {
        let digest = if let Body::Stored { sha256, .. } = body { sha256.to_string() } else { String::new() };
        return Excerpt { note: format!("{length}, SHA-256 {digest}; the bytes are not at hand"), ..Excerpt::default() };
    };
    if bytes.is_empty() {
        return Excerpt { note: "empty".into(), ..Excerpt::default() };
    }
    let stored = if let Body::Stored { sha256, .. } = body { format!(", SHA-256 {sha256}") } else { String::new() };
    let note = length + &stored;
    let json = if bytes.len() <= LONGEST_JSON { serde_json::from_slice::<Value>(bytes).ok() } else { None };
    if let Some(Value::Object(object)) = json {
        let mut members: Vec<(String, String)> =
            object.iter().take(MOST_MEMBERS).map(|(name, value)| (visible(name, 40), member(name, value))).collect();
        if object.len() > MOST_MEMBERS {
            members.push(("…".into(), format!("{} members in all", grouped(object.len() as u64))));
        }
        let body = object.get("body").and_then(|value| byte_member("body", value));
        let fields = body.as_ref().and_then(|body| Some(signal::fields(message_type(&object)?, body))).unwrap_or_default();
        return Excerpt { members, fields, dump: body.map(|body| hex("body", &body, longest)), note };
    }
    let dump = match std::str::from_utf8(bytes) {
        Ok(text) => Dump { of: String::new(), text: visible_block(text, longest), length: body.len(), shown: None },
        // Of a long body, only the beginning may be at hand.
        Err(_) => Dump { length: body.len(), ..hex("", bytes, longest) },
    };
    Excerpt { dump: Some(dump), note, ..Excerpt::default() }
}

/// Which kind of Signal message a stanza says that it carries; `None` if it is no message.
fn message_type(stanza: &serde_json::Map<String, Value>) -> Option<MessageType> {
    stanza.get("kind").filter(|kind| *kind == "message")?;
    MessageType::deserialize(stanza.get("type")?).ok()
}

fn byte_member(name: &str, value: &Value) -> Option<Vec<u8>> {
    if !BYTE_MEMBERS.contains(&name) {
        return None;
    }
    Some(Bytes::from_base64url(value.as_str()?)?.0)
}

fn member(name: &str, value: &Value) -> String {
    if let Some(bytes) = byte_member(name, value) {
        // It was decoded, so it is base64url and nothing else; the number before it is of the decoded bytes.
        let text = value.as_str().unwrap_or_default();
        let more = if text.len() > SHOWN_BASE64 { "…" } else { "" };
        return format!("{} bytes {}{more}", grouped(bytes.len() as u64), text.chars().take(SHOWN_BASE64).collect::<String>());
    }
    match value {
        Value::String(text) => visible(text, LONGEST_MEMBER),
        other => json_line(other, LONGEST_MEMBER),
    }
}

/// JSON on one line, cut.
pub(crate) fn json_line(value: &Value, longest: usize) -> String {
    visible(&value.to_string(), longest)
}

fn hex(of: &str, bytes: &[u8], longest: usize) -> Dump {
    let shown = bytes.len().min(longest);
    let mut text = String::with_capacity(shown * 5);
    for (index, row) in bytes.iter().take(shown).collect::<Vec<_>>().chunks(16).enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{:04x}  ", index * 16);
        for at in 0..16 {
            let _ = match row.get(at) {
                Some(byte) => write!(text, "{byte:02x} "),
                None => write!(text, "   "),
            };
        }
        text.push(' ');
        text.extend(row.iter().map(|b| if (0x20..0x7f).contains(*b) { char::from(**b) } else { '.' }));
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    Dump { of: of.to_owned(), text, length: bytes.len() as u64, shown: Some(shown as u64) }
}

impl Dump {
    /// What is shown, in words: `body, first 64 of 1,234 bytes`.
    pub(crate) fn caption(&self) -> String {
        let name = if self.of.is_empty() { String::new() } else { format!("{}, ", self.of) };
        match self.shown {
            Some(shown) if shown < self.length => format!("{name}first {} of {} bytes", grouped(shown), grouped(self.length)),
            Some(_) => format!("{name}all {} bytes", grouped(self.length)),
            None => format!("{name}text of {} bytes", grouped(self.length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_trace::Digest;

    fn of(text: &str) -> Excerpt {
        excerpt(&Body::Text(text.into()), &Blobs::new(), 32)
    }

    #[test]
    fn a_stanza_is_taken_apart() {
        let body = Bytes((0u8..40).collect()).to_base64url();
        let found = of(&format!(r#"{{"kind":"message","id":"\u001b[2J","type":"normal","body":"{body}"}}"#));
        assert_eq!(found.members[1], ("id".into(), "\\u{1b}[2J".into()));
        assert!(found.members[3].1.starts_with("40 bytes AAECAwQF"), "{:?}", found.members);
        assert_eq!(found.fields[0].0, "version");
        let dump = found.dump.unwrap();
        assert_eq!(dump.caption(), "body, first 32 of 40 bytes");
        assert_eq!(dump.text.lines().next().unwrap(), "0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................");
        assert_eq!(dump.text.lines().count(), 2);
    }

    #[test]
    fn what_is_no_json_is_shown_as_it_is() {
        assert_eq!(of("<html>\0").dump.unwrap().text, "<html>\\u{0}");
        assert_eq!(of("").note, "empty");
        let bytes = excerpt(&Body::Bytes(Bytes(vec![0xff, b'A'])), &Blobs::new(), 32).dump.unwrap();
        assert!(bytes.text.starts_with("0000  ff 41 ") && bytes.text.ends_with(".A"), "{}", bytes.text);
        assert_eq!(bytes.caption(), "all 2 bytes");
    }

    #[test]
    fn a_long_body_that_is_not_at_hand_is_named() {
        let body = Body::Stored { sha256: Digest::of(b"x"), length: 70_000 };
        let found = excerpt(&body, &Blobs::new(), 32);
        assert!(found.note.starts_with("70,000 bytes, SHA-256 2d71") && found.note.ends_with("not at hand"), "{}", found.note);
    }
}
