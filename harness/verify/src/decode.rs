//! The libsignal message in a stanza, by the names of its fields. What is encrypted stays so: what the reference decrypted stands in
//! the trace as what it observed.

use countersign_contract::portable::Stanza;
use countersign_reference::wire::{Message, NormalMessage, PqRatchet, PrekeyMessage, parse};
use countersign_trace::{Blobs, Body};
use std::fmt::Write as _;

/// A field and its value.
pub type Field = (&'static str, String);

/// Longer bodies hold no stanza.
const LONGEST: usize = countersign_contract::portable::LARGEST_STANZA;
/// Bytes of a field that are written out.
const SHOWN: usize = 40;

/// The fields of the message in a body; empty if it holds no message stanza, and why if it holds one that cannot be read.
pub(crate) fn fields(body: &Body, blobs: &Blobs) -> Vec<Field> {
    let text = body.bytes(blobs).filter(|b| b.len() <= LONGEST).and_then(|b| std::str::from_utf8(b).ok());
    let Some(Ok(Stanza::Message { r#type, body, .. })) = text.map(Stanza::from_json) else { return Vec::new() };
    match parse(r#type, &body.0) {
        Ok(Message::Prekey(outer)) => prekey(&outer),
        Ok(Message::Normal(inner)) => normal(&inner),
        Err(error) => vec![("not a message", error.to_string())],
    }
}

fn prekey(outer: &PrekeyMessage) -> Vec<Field> {
    let mut out = vec![
        ("prekey message", version(outer.version)),
        ("registration id", number(outer.registration_id)),
        ("one-time prekey", number(outer.prekey_id)),
        ("signed prekey", number(outer.signed_prekey_id)),
        ("Kyber prekey", number(outer.kyber_prekey_id)),
        ("Kyber ciphertext", outer.kyber_ciphertext.map_or_else(|| "none".to_owned(), hex)),
        ("base key", hex(outer.base_key)),
        ("identity key", hex(outer.identity_key)),
    ];
    unknown(&outer.unknown, &mut out);
    out.extend(normal(&outer.message));
    out
}

fn normal(inner: &NormalMessage) -> Vec<Field> {
    let mut out = vec![
        ("message", version(inner.version)),
        ("ratchet key", hex(inner.ratchet_key)),
        ("counter", inner.counter.to_string()),
        ("previous counter", number(inner.previous_counter)),
        ("ciphertext", hex(inner.ciphertext)),
        ("pq ratchet", pq_ratchet(inner.pq_ratchet)),
    ];
    if let Some(addresses) = &inner.addresses {
        out.push(("addresses", hex(addresses)));
    }
    out.push(("MAC", hex(&inner.mac)));
    unknown(&inner.unknown, &mut out);
    out
}

fn unknown(numbers: &[u32], out: &mut Vec<Field>) {
    if !numbers.is_empty() {
        out.push(("unknown fields", format!("{:?}", numbers.iter().take(16).collect::<Vec<_>>())));
    }
}

fn pq_ratchet(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "none".to_owned() };
    match PqRatchet::read(bytes) {
        Ok(Some(read)) => {
            let kind = match read.kind {
                0 => "nothing",
                1 => "header",
                2 => "encapsulation key",
                3 => "encapsulation key with acknowledgement",
                4 => "acknowledgement",
                5 => "first part of the ciphertext",
                _ => "second part of the ciphertext",
            };
            let chunk = read.chunk.map_or(String::new(), |chunk| format!(", chunk {chunk}"));
            format!("epoch {}, index {}, {kind}{chunk}", read.epoch, read.index)
        }
        Ok(None) if bytes.is_empty() => "empty".to_owned(),
        Ok(None) => format!("of another version: {}", hex(bytes)),
        Err(error) => format!("{error}: {}", hex(bytes)),
    }
}

fn version(byte: u8) -> String {
    format!("version {}, sender's own {}", byte >> 4, byte & 0x0f)
}

fn number(value: Option<u32>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn hex(bytes: &[u8]) -> String {
    let mut out = format!("{} bytes ", bytes.len());
    for byte in bytes.iter().take(SHOWN) {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.len() > SHOWN {
        out.push('…');
    }
    out
}
