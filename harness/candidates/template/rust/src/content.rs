//! The plaintext of a message: the protobuf of `contract/content.proto`, written out by hand, and its padding. A protobuf library
//! does the first part as well.

use crate::contract::{encode, is_uuid, malformed, Outcome, Problem};
use serde_json::{json, Map, Value};

pub const BLOCK: usize = 160;
const LARGEST: usize = 128 * 1024;
const KINDS: [&str; 4] = ["image", "video", "voice", "file"];

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Text,
    Flag,
    Texts,
}
use Type::{Flag, Text, Texts};

/// The fields of a message: name and type, numbered from 1.
type Fields = &'static [(&'static str, Type)];

/// Field number in `Content`, kind, and the fields of the message inside. Attachments have their own type below.
const BODIES: [(u64, &str, Fields); 7] = [
    (10, "text", &[("text", Text)]),
    (12, "reaction", &[("of", Text), ("emoji", Text), ("remove", Flag)]),
    (13, "reply", &[("of", Text), ("text", Text)]),
    (14, "edit", &[("of", Text), ("text", Text)]),
    (15, "delete", &[("of", Text)]),
    (16, "typing", &[("active", Flag)]),
    (17, "read", &[("of", Texts)]),
];
const ATTACHMENT: u64 = 11;

/// An uploaded file, as its message describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    pub kind: String,
    pub url: String,
    pub key: Vec<u8>,
    pub digest: Vec<u8>,
    pub length: u64,
    pub mime: String,
    pub name: String,
}

/// What a plaintext says.
#[derive(Debug, PartialEq)]
pub enum Body {
    /// What the user is to see.
    Shown(Value),
    /// A file that must be fetched before.
    File(Attachment),
}

pub fn pad(mut content: Vec<u8>) -> Vec<u8> {
    content.push(0x80);
    content.resize(content.len().next_multiple_of(BLOCK), 0);
    content
}

pub fn unpad(padded: &[u8]) -> Outcome<&[u8]> {
    let wrong = || Problem::new("bad-padding", format!("{} bytes that are not padded by the rule", padded.len()));
    let end = padded.iter().rposition(|byte| *byte != 0).ok_or_else(wrong)?;
    // More zeros than the block needs would be a second way to write the same content.
    if !padded.len().is_multiple_of(BLOCK) || padded[end] != 0x80 || padded.len() - end > BLOCK {
        return Err(wrong());
    }
    Ok(&padded[..end])
}

/// The padded plaintext of what a user sends; `file` describes the uploaded file, if it is one.
pub fn write(message: &str, sent_at: u64, content: &Value, file: Option<&Attachment>) -> Outcome<Vec<u8>> {
    let mut body = Vec::new();
    let number = if let Some(file) = file {
        let kind = KINDS.iter().position(|kind| *kind == file.kind).map_or(0, |at| at as u64 + 1);
        put_number(&mut body, 1, kind);
        put_bytes(&mut body, 2, file.url.as_bytes());
        put_bytes(&mut body, 3, &file.key);
        put_bytes(&mut body, 4, &file.digest);
        put_number(&mut body, 5, file.length);
        put_bytes(&mut body, 6, file.mime.as_bytes());
        put_bytes(&mut body, 7, file.name.as_bytes());
        ATTACHMENT
    } else {
        let (number, _, fields) = BODIES.iter().find(|(_, kind, _)| content["kind"] == *kind).ok_or_else(|| malformed("unknown content"))?;
        for ((name, kind), at) in fields.iter().zip(1..) {
            match kind {
                Text => put_bytes(&mut body, at, content[name].as_str().unwrap_or_default().as_bytes()),
                Flag => put_number(&mut body, at, u64::from(content[name] == true)),
                Texts => content[name].as_array().into_iter().flatten().filter_map(Value::as_str).for_each(|text| put_bytes(&mut body, at, text.as_bytes())),
            }
        }
        *number
    };
    let mut encoded = Vec::new();
    put_bytes(&mut encoded, 1, message.as_bytes());
    put_number(&mut encoded, 2, sent_at);
    varint(&mut encoded, number << 3 | 2);
    varint(&mut encoded, body.len() as u64);
    encoded.extend(body);
    if encoded.len() > LARGEST {
        return Err(Problem::new("too-large", format!("a content of {} bytes", encoded.len())));
    }
    Ok(pad(encoded))
}

/// The message id, and what the plaintext says.
pub fn read(padded: &[u8]) -> Outcome<(String, Body)> {
    let plain = unpad(padded)?;
    if plain.len() > LARGEST {
        return Err(Problem::new("too-large", format!("a content of {} bytes", plain.len())));
    }
    let (mut message, mut bodies) = (String::new(), Vec::new());
    for (number, field) in fields(plain)? {
        if number == 1 {
            message = field.text()?;
        } else if number == ATTACHMENT || BODIES.iter().any(|(n, ..)| *n == number) {
            bodies.push((number, field.bytes()?));
        }
    }
    let [(number, body)] = bodies[..] else {
        return Err(malformed(format!("{} bodies in one content", bodies.len())));
    };
    if !is_uuid(&message) {
        return Err(malformed("no message id"));
    }
    let body = if number == ATTACHMENT { Body::File(attachment(body)?) } else { Body::Shown(shown(number, body)?) };
    Ok((message.to_lowercase(), body))
}

fn shown(number: u64, body: &[u8]) -> Outcome<Value> {
    let (_, kind, members) = BODIES.iter().find(|(n, ..)| *n == number).ok_or_else(|| malformed("unknown content"))?;
    let mut shown = Map::from_iter([("kind".to_owned(), json!(kind))]);
    for (name, kind) in *members {
        let empty = match kind {
            Text => json!(""),
            Flag => json!(false),
            Texts => json!([]),
        };
        shown.insert((*name).to_owned(), empty);
    }
    for (number, field) in fields(body)? {
        let Some((name, kind)) = usize::try_from(number).ok().and_then(|n| members.get(n.wrapping_sub(1))) else { continue };
        match kind {
            Text => drop(shown.insert((*name).to_owned(), json!(field.text()?))),
            Flag => drop(shown.insert((*name).to_owned(), json!(field.number()? != 0))),
            Texts => {
                if let Some(list) = shown.get_mut(*name).and_then(Value::as_array_mut) {
                    list.push(json!(field.text()?));
                }
            }
        }
    }
    let reference = shown.get("of").cloned().unwrap_or_else(|| json!([]));
    let references = reference.as_array().cloned().unwrap_or_else(|| vec![reference]);
    if !references.iter().all(|reference| reference.as_str().is_some_and(is_uuid)) {
        return Err(malformed("a reference that is not a UUID"));
    }
    Ok(Value::Object(shown))
}

fn attachment(body: &[u8]) -> Outcome<Attachment> {
    let mut file = Attachment::default();
    for (number, field) in fields(body)? {
        match number {
            1 => {
                let kind = usize::try_from(field.number()?).ok().and_then(|n| KINDS.get(n.wrapping_sub(1)));
                file.kind = (*kind.ok_or_else(|| malformed("an attachment of unknown kind"))?).to_owned();
            }
            2 => file.url = field.text()?,
            3 => file.key = field.bytes()?.to_vec(),
            4 => file.digest = field.bytes()?.to_vec(),
            5 => file.length = field.number()?,
            6 => file.mime = field.text()?,
            7 => file.name = field.text()?,
            _ => {}
        }
    }
    if file.kind.is_empty() || file.name.contains(['/', '\\', '\0']) {
        return Err(malformed("an attachment of unknown kind, or with a path for a name"));
    }
    Ok(file)
}

impl Attachment {
    /// What the user sees of it.
    pub fn seen(&self, sha256: &[u8]) -> Value {
        let file = json!({ "sha256": encode(sha256), "length": self.length });
        json!({ "kind": "media", "media": self.kind, "mime": self.mime, "name": self.name, "file": file })
    }
}

// Protobuf: a varint has wire type 0, bytes have 2. A value of zero or nothing is left out.

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    if value != 0 {
        varint(out, field << 3);
        varint(out, value);
    }
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    if !bytes.is_empty() {
        varint(out, field << 3 | 2);
        varint(out, bytes.len() as u64);
        out.extend(bytes);
    }
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn bytes(&self) -> Outcome<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(malformed("a field has another type")) }
    }

    fn number(&self) -> Outcome<u64> {
        if let Self::Number(number) = self { Ok(*number) } else { Err(malformed("a field has another type")) }
    }

    fn text(&self) -> Outcome<String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| malformed("not UTF-8"))
    }
}

fn fields(mut bytes: &[u8]) -> Outcome<Vec<(u64, Field<'_>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = take_varint(&mut bytes)?;
        let field = match key & 7 {
            0 => Field::Number(take_varint(&mut bytes)?),
            kind @ (1 | 2 | 5) => {
                let length = match kind {
                    1 => 8,
                    5 => 4,
                    _ => usize::try_from(take_varint(&mut bytes)?).unwrap_or(usize::MAX),
                };
                let (field, rest) = bytes.split_at_checked(length).ok_or_else(|| malformed("cut off"))?;
                bytes = rest;
                Field::Bytes(field)
            }
            _ => return Err(malformed("an unknown wire type")),
        };
        found.push((key >> 3, field));
    }
    Ok(found)
}

fn take_varint(bytes: &mut &[u8]) -> Outcome<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or_else(|| malformed("cut off"))?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed("a varint of more than 10 bytes"))
}
