//! A libsignal message as its fields: names, numbers, lengths. Read without any key and without libsignal, and nothing in it is
//! judged: bytes that are not such a message are listed as far as they can be read, and the place where that ends is named.
//!
//! The formats are those of Signal's `wire.proto`: a version byte, a protobuf, and for a normal message 8 bytes of MAC.

use crate::measure::{counted, grouped};
use countersign_contract::portable::MessageType;
use std::fmt::Write as _;

/// A field by name, and what is in it. Both are fit to be shown.
pub(crate) type Field = (String, String);

/// Most fields that are listed.
const MOST_FIELDS: usize = 32;
/// Bytes of a field that are shown.
const SHOWN: usize = 16;
/// Length of a MAC.
const MAC: usize = 8;

const OUTER: [&str; 8] = [
    "prekey id",
    "base key",
    "identity key",
    "message",
    "registration id",
    "signed prekey id",
    "Kyber prekey id",
    "Kyber ciphertext",
];
const INNER: [&str; 6] = ["ratchet key", "counter", "previous counter", "ciphertext", "post-quantum ratchet", "addresses"];
/// Number of the field of a prekey message that holds a whole normal message.
const EMBEDDED: u64 = 4;

/// The fields of a message, in the order in which they stand.
pub(crate) fn fields(kind: MessageType, body: &[u8]) -> Vec<Field> {
    let mut out = Vec::new();
    match kind {
        MessageType::Prekey => prekey(body, &mut out),
        MessageType::Normal => normal("", body, &mut out),
    }
    if out.len() > MOST_FIELDS {
        let all = out.len();
        out.truncate(MOST_FIELDS);
        out.push(("…".into(), format!("{} fields in all", grouped(all as u64))));
    }
    out
}

fn prekey(body: &[u8], out: &mut Vec<Field>) {
    let Some((version, protobuf)) = body.split_first() else { return out.push(too_short("", body)) };
    out.push(("version".into(), version_words(*version)));
    protobuf_fields("", &OUTER, protobuf, out);
}

fn normal(prefix: &str, body: &[u8], out: &mut Vec<Field>) {
    let Some((rest, mac)) = body.split_last_chunk::<MAC>() else { return out.push(too_short(prefix, body)) };
    let Some((version, protobuf)) = rest.split_first() else { return out.push(too_short(prefix, body)) };
    out.push((format!("{prefix}version"), version_words(*version)));
    protobuf_fields(prefix, &INNER, protobuf, out);
    out.push((format!("{prefix}MAC"), bytes_words(mac)));
}

fn too_short(prefix: &str, body: &[u8]) -> Field {
    (format!("{prefix}…"), format!("{} are too few for a message", counted(body.len() as u64, "byte")))
}

fn version_words(version: u8) -> String {
    format!("0x{version:02x}: message version {}, sender's own {}", version >> 4, version & 15)
}

fn protobuf_fields(prefix: &str, names: &[&str], bytes: &[u8], out: &mut Vec<Field>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let Some((number, value, after)) = field(rest) else {
            return out.push((
                format!("{prefix}…"),
                format!("no field can be read at byte {} of the protobuf", grouped(offset as u64)),
            ));
        };
        if out.len() > MOST_FIELDS {
            // Counted, and not kept: a hostile message may have very many.
            out.push((String::new(), String::new()));
            rest = after;
            continue;
        }
        let known = usize::try_from(number).ok().and_then(|n| names.get(n.checked_sub(1)?)).copied();
        let name = known.map_or_else(|| format!("{prefix}field {number}, unknown"), |known| format!("{prefix}{known}"));
        match value {
            Value::Number(value) => out.push((name, value.to_string())),
            Value::Bytes(inner) if number == EMBEDDED && names.len() == OUTER.len() => {
                out.push((name, format!("{} bytes:", grouped(inner.len() as u64))));
                normal("message › ", inner, out);
            }
            Value::Bytes(inner) if known == Some("post-quantum ratchet") => out.push((name, ratchet_words(inner))),
            Value::Bytes(inner) => out.push((name, bytes_words(inner))),
            Value::Fixed(width) => out.push((name, format!("{width} bytes of fixed width"))),
        }
        rest = after;
    }
}

/// Epoch, index and kind stand at the beginning of the post-quantum ratchet's message.
fn ratchet_words(bytes: &[u8]) -> String {
    const KINDS: [&str; 7] = [
        "nothing",
        "header",
        "encapsulation key",
        "encapsulation key with acknowledgement",
        "acknowledgement",
        "ciphertext, first part",
        "ciphertext, second part",
    ];
    let read = || {
        let (version, rest) = bytes.split_first()?;
        let (epoch, rest) = number(rest)?;
        let (index, rest) = number(rest)?;
        let kind = KINDS.get(usize::from(*rest.first()?))?;
        (*version == 1).then(|| format!("epoch {epoch}, index {index}, carries {kind}; "))
    };
    read().unwrap_or_default() + &bytes_words(bytes)
}

fn bytes_words(bytes: &[u8]) -> String {
    let mut out = counted(bytes.len() as u64, "byte");
    if bytes.is_empty() {
        return out;
    }
    out.push(' ');
    for byte in bytes.iter().take(SHOWN) {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.len() > SHOWN {
        out.push('…');
    }
    out
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed(usize),
}

/// The first field: its number, its value, and what comes after it.
fn field(bytes: &[u8]) -> Option<(u64, Value<'_>, &[u8])> {
    let (tag, rest) = number(bytes)?;
    let fixed = |width: usize| Some((Value::Fixed(width), rest.get(width..)?));
    let (value, after) = match tag & 7 {
        0 => number(rest).map(|(value, after)| (Value::Number(value), after))?,
        1 => fixed(8)?,
        2 => {
            let (length, rest) = number(rest)?;
            let (value, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (Value::Bytes(value), after)
        }
        5 => fixed(4)?,
        _ => return None,
    };
    (tag >> 3 != 0).then_some((tag >> 3, value, after))
}

/// A number of at most 64 bits, seven to a byte.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at).min(63);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes_field(number: u8, value: &[u8]) -> Vec<u8> {
        let length = u8::try_from(value.len()).unwrap();
        [&[number << 3 | 2, length][..], value].concat()
    }

    fn normal_message() -> Vec<u8> {
        let pq = [&[1, 2, 3, 0][..], &[]].concat();
        let parts = [
            vec![0x44],
            bytes_field(1, &[5; 33]),
            vec![0x10, 7, 0x18, 0x80, 1],
            bytes_field(4, &[0xcc; 20]),
            bytes_field(5, &pq),
            vec![0xee; 8],
        ];
        parts.concat()
    }

    #[test]
    fn a_prekey_message_is_read_to_its_last_field() {
        let inner = normal_message();
        let body = [vec![0x44, 0x08, 9], bytes_field(2, &[5; 33]), bytes_field(4, &inner), vec![0x28, 77]].concat();
        let found = fields(MessageType::Prekey, &body);
        let lines: Vec<String> = found.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            lines,
            [
                "version: 0x44: message version 4, sender's own 4",
                "prekey id: 9",
                "base key: 33 bytes 05050505050505050505050505050505…",
                "message: 77 bytes:",
                "message › version: 0x44: message version 4, sender's own 4",
                "message › ratchet key: 33 bytes 05050505050505050505050505050505…",
                "message › counter: 7",
                "message › previous counter: 128",
                "message › ciphertext: 20 bytes cccccccccccccccccccccccccccccccc…",
                "message › post-quantum ratchet: epoch 2, index 3, carries nothing; 4 bytes 01020300",
                "message › MAC: 8 bytes eeeeeeeeeeeeeeee",
                "registration id: 77",
            ]
        );
    }

    #[test]
    fn what_is_no_message_is_read_as_far_as_it_goes() {
        assert_eq!(fields(MessageType::Normal, &[]), [("…".to_owned(), "0 bytes are too few for a message".to_owned())]);
        let cut = fields(MessageType::Prekey, &[0x44, 0x08, 9, 0x12, 33, 5]);
        assert_eq!(cut[2], ("…".to_owned(), "no field can be read at byte 2 of the protobuf".to_owned()));
        let odd = fields(MessageType::Prekey, &[0x33, 0x78, 1]);
        assert_eq!(odd[1].0, "field 15, unknown");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_bounded_list(body in proptest::collection::vec(any::<u8>(), 0..600), prekey in any::<bool>()) {
            let kind = if prekey { MessageType::Prekey } else { MessageType::Normal };
            let found = fields(kind, &body);
            prop_assert!(!found.is_empty() && found.len() <= MOST_FIELDS + 1);
            prop_assert!(found.iter().all(|(name, value)| name.len() + value.len() < 200));
        }
    }
}
