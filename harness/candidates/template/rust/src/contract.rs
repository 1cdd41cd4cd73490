//! The contract: what `contract/upper-tester.json` says, read from there. The command `countersign schema upper-tester` prints a
//! newer one; replace the file, and `cargo test` names what is missing here.

use serde_json::{json, Value};
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;

pub const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// The upper tester's OpenAPI document.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(include_str!("../contract/upper-tester.json")).expect("the contract's document is JSON"))
}

/// The names of all operations.
pub fn operations() -> Vec<&'static str> {
    document()["paths"].as_object().into_iter().flatten().map(|(path, _)| path.trim_start_matches('/')).collect()
}

/// The schema of an operation's arguments.
pub fn arguments(operation: &str) -> Option<&'static Value> {
    document()["paths"].get(format!("/{operation}"))?.pointer("/post/requestBody/content/application~1json/schema")
}

pub fn schema(name: &str) -> &'static Value {
    &document()["components"]["schemas"][name]
}

/// A failure with one of the contract's reasons. `detail` is for people and never matched.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub reason: String,
    pub detail: String,
}

pub type Outcome<T> = Result<T, Problem>;

impl Problem {
    pub fn new(reason: &str, detail: impl fmt::Display) -> Self {
        Self { reason: reason.to_owned(), detail: detail.to_string() }
    }

    /// Whether the contract says to try again.
    pub fn passes(&self) -> bool {
        self.reason == "busy" || self.reason == "gateway-error"
    }

    pub fn status(&self) -> u16 {
        match self.reason.as_str() {
            "malformed" => 400,
            "unauthorized" => 401,
            "unknown-user" | "unknown-instance" | "media-missing" => 404,
            "duplicate" | "too-old" | "untrusted-identity" | "not-connected" => 409,
            "deleted-user" => 410,
            "too-large" => 413,
            "internal" => 500,
            "unsupported" => 501,
            "gateway-error" => 502,
            "busy" => 503,
            "timeout" => 504,
            _ => 422,
        }
    }

    pub fn json(&self) -> Value {
        json!({ "reason": self.reason, "detail": self.detail, "status": self.status() })
    }
}

pub fn malformed(what: impl fmt::Display) -> Problem {
    Problem::new("malformed", what)
}

/// Raises `malformed` unless the value fits the schema. The keywords that the contract uses, and no others.
pub fn check(value: &Value, schema_: &Value, at: &str) -> Outcome<()> {
    let refuse = |what: &str| Err(malformed(format!("{at}: {what}")));
    if let Some(reference) = schema_["$ref"].as_str() {
        return check(value, schema(reference.rsplit('/').next().unwrap_or_default()), at);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema_[choice].as_array() {
            if !choices.iter().any(|one| check(value, one, at).is_ok()) {
                return refuse("fits no form of the contract");
            }
        }
    }
    if schema_.get("const").is_some_and(|constant| constant != value) {
        return refuse("not the one value that it may have");
    }
    let types: Vec<&str> = match &schema_["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| is_of(value, name)) {
        return refuse(&format!("not of type {}", types.join(" or ")));
    }
    if let Some(text) = value.as_str() {
        // The contract's one pattern is that of base64url.
        if schema_.get("pattern").is_some() && decode(text).is_err() {
            return refuse("not base64url without padding");
        }
        if schema_["format"] == "uuid" && !is_uuid(text) {
            return refuse("not a UUID");
        }
    }
    if let Some(number) = value.as_u64() {
        let most = match schema_["format"].as_str() {
            Some("uint8") => 0xff,
            Some("uint16") => 0xffff,
            Some("uint32") => 0xffff_ffff,
            _ => u64::MAX,
        };
        if number > most {
            return refuse("out of range");
        }
    } else if value.is_number() && schema_["minimum"].as_i64() == Some(0) {
        return refuse("out of range");
    }
    for (i, entry) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(items) = schema_.get("items") {
            check(entry, items, &format!("{at}[{i}]"))?;
        }
    }
    if let Some(members) = value.as_object() {
        for name in schema_["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                return refuse(&format!("`{name}` is missing"));
            }
        }
        for (name, member) in members {
            match schema_["properties"].get(name) {
                Some(inner) => check(member, inner, &format!("{at}.{name}"))?,
                None if schema_["additionalProperties"] == false => return refuse(&format!("there is no member `{name}`")),
                None => {}
            }
        }
    }
    Ok(())
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

pub fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36 && text.bytes().enumerate().all(|(i, b)| if dashes.contains(&i) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// Random bytes for names and WebSocket masks, which need no cryptography. Keys come from your library.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for chunk in bytes.chunks_mut(8) {
        let random = RandomState::new().build_hasher().finish().to_le_bytes();
        chunk.copy_from_slice(&random[..chunk.len()]);
    }
    bytes
}

/// A new name for a stanza: a random UUID.
pub fn new_id() -> String {
    let mut bytes: [u8; 16] = random_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes as base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut block = [0; 4];
        block[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(block);
        for i in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * i) & 63) as usize]));
        }
    }
    text
}

/// The bytes of unpadded base64url, in its one spelling.
pub fn decode(text: &str) -> Outcome<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|l| *l == letter).ok_or_else(|| malformed("not base64url without padding"))?;
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    if encode(&bytes) == text { Ok(bytes) } else { Err(malformed("not base64url in its one spelling")) }
}
