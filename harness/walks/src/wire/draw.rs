//! Draws inputs.

use super::{Carries, Input, Talk};
use crate::abilities::Abilities;
use crate::draw::{one, pick};
use countersign_adversary::Alteration;
use countersign_adversary::alter::{Edit, Fill, How, Part};
use countersign_contract::Bytes;
use countersign_contract::claims::Suite;
use countersign_scenarios::language::{Rewrite, Rewritten};
use proptest::prelude::{Rng, RngExt as _};

/// Inputs between honest messages.
const INPUTS_IN_A_PART: usize = 4;
/// Parts of a conversation.
const PARTS: usize = 3;
/// Inputs of a whole conversation.
pub const INPUTS: usize = INPUTS_IN_A_PART * PARTS;

/// Field numbers of a content: its message's id, its time, its text, and what is in that.
const ID: &[u32] = &[1];
const TIME: &[u32] = &[2];
const TEXT_BODY: &[u32] = &[10];
const TEXT: &[u32] = &[10, 1];
const FILE_BODY: &[u32] = &[11];
/// Length of a message's id in a content.
const ID_BYTES: u32 = 36;
/// Lengths that a field of a content never has.
const WRONG_LENGTHS: [u64; 8] = [1 << 10, 1 << 16, 1 << 20, (1 << 31) - 1, 1 << 31, u32::MAX as u64, 1 << 63, u64::MAX];
/// Numbers at which something may turn over.
const NUMBERS: [u64; 10] = [0, 1, 127, 128, 25_001, (1 << 31) - 1, 1 << 31, u32::MAX as u64, 1 << 63, u64::MAX];
/// Bytes that are no UTF-8: one that never stands there, a cut letter, a surrogate, a letter in too many bytes, one beyond the last.
const NO_TEXT: [&[u8]; 5] = [&[0xff], &[0xc3], &[0xed, 0xa0, 0x80], &[0xc0, 0x80], &[0xf5, 0x80, 0x80, 0x80]];
/// Numbers of fields that no message of ours has.
const UNKNOWN: [u32; 6] = [19, 99, 2047, 19_000, 100_000, (1 << 29) - 1];

/// A whole conversation with so many inputs at most.
pub(super) fn talk(rng: &mut impl Rng, abilities: Abilities, most: usize) -> Talk {
    let mut left = most.min(INPUTS);
    let mut parts = Vec::new();
    for round in 0..PARTS {
        let count = left.min(INPUTS_IN_A_PART);
        left -= count;
        parts.push((0..count).map(|_| input(rng, abilities, round == 0)).collect());
        if left == 0 {
            break;
        }
    }
    Talk { parts, ..Talk::default() }
}

/// What an input is malformed in.
#[derive(Clone, Copy)]
enum Kind {
    /// The content, so that it may still be read.
    Odd,
    /// The content, so that it cannot be read any more.
    Unreadable,
    /// The padded content.
    Padding,
    /// The Signal message.
    Inner,
    /// The prekey message.
    Outer,
    /// An encrypted file.
    Blob,
    /// What a content says of its file.
    Attachment,
    /// The stanza that carries a message.
    Stanza,
    /// A bundle.
    Bundle,
}

fn input(rng: &mut impl Rng, abilities: Abilities, first: bool) -> Input {
    let outer = if first { 6 } else { 0 };
    let files = if abilities.files { 2 } else { 0 };
    let kinds = [
        (Kind::Odd, 8),
        (Kind::Unreadable, 8),
        (Kind::Padding, 1),
        (Kind::Inner, 8),
        (Kind::Outer, outer),
        (Kind::Blob, files),
        (Kind::Attachment, files),
        (Kind::Stanza, 3),
        (Kind::Bundle, 3),
    ];
    match pick(rng, &kinds).unwrap_or(Kind::Odd) {
        Kind::Odd => text(odd(rng), false),
        Kind::Unreadable => text(vec![unreadable(rng)], true),
        Kind::Padding => {
            let (how, broken) = padding(rng);
            text(vec![Edit { part: Part::Plaintext, field: Vec::new(), how }], broken)
        }
        Kind::Inner => {
            let fields: &[u32] = if abilities.suite == Suite::SignalPq { &[1, 2, 3, 4, 5] } else { &[1, 2, 3, 4] };
            text(vec![around(rng, Part::Inner, fields)], false)
        }
        Kind::Outer => {
            let fields: &[u32] = if abilities.suite == Suite::SignalPq { &[2, 3, 4, 5, 6, 7, 8] } else { &[2, 3, 4, 5, 6] };
            text(vec![around(rng, Part::Outer, fields)], false)
        }
        Kind::Blob => {
            let bytes = rng.random_range(0..3000);
            let how = blob(rng, bytes);
            Input { carries: Carries::File(bytes), ..text(vec![Edit { part: Part::Blob, field: Vec::new(), how }], true) }
        }
        Kind::Stanza => {
            let (rewrite, broken) = stanza(rng);
            Input { rewrites: vec![rewrite], ..text(Vec::new(), broken) }
        }
        Kind::Bundle => {
            let rewrite = bundle(rng, abilities.suite);
            Input { carries: Carries::Bundle, rewrites: vec![rewrite], ..text(Vec::new(), false) }
        }
        Kind::Attachment => {
            let (edit, broken) = attachment(rng);
            Input { carries: Carries::File(rng.random_range(1..3000)), ..text(vec![edit], broken) }
        }
    }
}

fn text(edits: Vec<Edit>, broken: bool) -> Input {
    Input { carries: Carries::Text, alter: edits.into_iter().map(Alteration::Edit).collect(), rewrites: Vec::new(), broken }
}

/// Edits after which a reader of protobuf may still find everything in its place.
fn odd(rng: &mut impl Rng) -> Vec<Edit> {
    let whole = |how| Edit { part: Part::Content, field: Vec::new(), how };
    if rng.random_bool(0.05) {
        // A large field that nobody knows.
        let times = one(rng, &[1000, 30_000, 100_000, 140_000, 240_000]).unwrap_or(1000);
        let mut head = Vec::new();
        number(u64::from(unknown(rng)) << 3 | 2, &mut head);
        number(times.into(), &mut head);
        let byte = rng.random();
        return vec![whole(How::Append(Bytes(head))), whole(How::AppendFill(Fill { byte, times }))];
    }
    if rng.random_bool(0.2) {
        let field = if rng.random_bool(0.5) { stray(rng) } else { garbled(rng) };
        return vec![whole(How::Append(Bytes(field)))];
    }
    let field = one(rng, &[ID, TIME, TEXT_BODY, TEXT]).unwrap_or(ID).to_vec();
    let how = match rng.random_range(0..6) {
        0 => How::Before(Bytes(stray(rng))),
        1 | 2 => How::Redundant(redundant(rng)),
        3 => How::RedundantKey(rng.random_range(1..=4)),
        4 => How::Repeat(repeats(rng)),
        _ => return vec![Edit { part: Part::Content, field: TIME.to_vec(), how: time(rng) }],
    };
    vec![Edit { part: Part::Content, field, how }]
}

fn time(rng: &mut impl Rng) -> How {
    match rng.random_range(0..3) {
        0 => How::Remove,
        1 => How::WireType(rng.random_range(1..8)),
        _ => How::Number(one(rng, &NUMBERS).unwrap_or_default()),
    }
}

/// Edits that leave nothing to be shown.
fn unreadable(rng: &mut impl Rng) -> Edit {
    let at = |field: &[u32], how| Edit { part: Part::Content, field: field.to_vec(), how };
    match rng.random_range(0..8) {
        0 => at(ID, nameless(rng)),
        1 | 2 => at(TEXT, How::Append(Bytes(one(rng, &NO_TEXT).unwrap_or_default().to_vec()))),
        3 => at(&[], How::Truncate(rng.random_range(0..ID_BYTES))),
        4 | 5 => {
            let field = one(rng, &[ID, TEXT_BODY, TEXT]).unwrap_or(ID);
            at(field, How::Length(one(rng, &WRONG_LENGTHS).unwrap_or(u64::MAX)))
        }
        6 => at(
            TEXT_BODY,
            if rng.random_bool(0.3) { How::Remove } else { How::WireType(one(rng, &[0, 1, 3, 5, 6, 7]).unwrap_or(7)) },
        ),
        _ => at(&[], How::Bytes(Bytes(bytes(rng, 200)))),
    }
}

/// A message's id that is none.
fn nameless(rng: &mut impl Rng) -> How {
    match rng.random_range(0..5) {
        0 => How::Remove,
        1 => How::Truncate(rng.random_range(0..30)),
        2 => How::Fill(Fill { byte: b'x', times: one(rng, &[1, 36, 1000, 60_000]).unwrap_or(36) }),
        3 => How::Bytes(Bytes(one(rng, &NO_TEXT).unwrap_or_default().to_vec())),
        _ => How::Append(Bytes(b"-and-more".to_vec())),
    }
}

fn padding(rng: &mut impl Rng) -> (How, bool) {
    match rng.random_range(0..5) {
        0 => (How::Truncate(0), true),
        1 => (
            How::Fill(Fill {
                byte: one(rng, &[0, 0x80, 0xff]).unwrap_or(0),
                times: one(rng, &[1, 160, 320, 200_000]).unwrap_or(160),
            }),
            true,
        ),
        2 => (How::Truncate(rng.random_range(1..40)), true),
        3 => (How::AppendFill(Fill { byte: 0, times: rng.random_range(1..1000) }), false),
        _ => (How::Append(Bytes(bytes(rng, 400))), false),
    }
}

/// Edits of a Signal message or of the prekey message around it. Whatever becomes of it, it says what it said.
fn around(rng: &mut impl Rng, part: Part, fields: &[u32]) -> Edit {
    if rng.random_bool(0.15) {
        let more = if rng.random_bool(0.6) { stray(rng) } else { garbled(rng) };
        return Edit { part, field: Vec::new(), how: How::Append(Bytes(more)) };
    }
    let field = one(rng, fields).unwrap_or(1);
    let numeric = matches!((part, field), (Part::Inner, 2 | 3) | (Part::Outer, 1 | 5 | 6 | 7));
    // Nothing but the peer's word vouches for its registration id, and a client may hold it to what it said first.
    let kinds = if (part, field) == (Part::Outer, 5) { 4 } else { 12 };
    let how = match rng.random_range(0..kinds) {
        0 => How::Before(Bytes(stray(rng))),
        1 => How::Redundant(redundant(rng)),
        2 => How::RedundantKey(rng.random_range(1..=4)),
        3 => How::Repeat(rng.random_range(1..=20)),
        4 => How::Remove,
        5 => How::WireType(rng.random_range(0..8)),
        6 | 7 if numeric => How::Number(one(rng, &NUMBERS).unwrap_or_default()),
        6 => How::Flip(rng.random_range(0..32)),
        7 => How::Length(one(rng, &WRONG_LENGTHS).unwrap_or(u64::MAX)),
        8 if numeric => How::Flip(rng.random_range(0..40)),
        8 => How::Truncate(rng.random_range(0..8)),
        9 => How::Bytes(Bytes(bytes(rng, 60))),
        10 => How::Fill(Fill { byte: rng.random(), times: one(rng, &[0, 1, 32, 33, 1000, 60_000]).unwrap_or(33) }),
        _ if numeric => How::Raw(Bytes(garbled(rng))),
        _ => How::Append(Bytes(bytes(rng, 40))),
    };
    Edit { part, field: vec![field], how }
}

/// Edits of an encrypted file of so many bytes, whose MAC and digest are then made anew. None of them can be a file again.
fn blob(rng: &mut impl Rng, bytes: u32) -> How {
    let length = (bytes / 16 + 1) * 16;
    match rng.random_range(0..4) {
        0 => How::Truncate(0),
        1 => How::Truncate(length - rng.random_range(1..16)),
        2 => How::AppendFill(Fill { byte: rng.random(), times: rng.random_range(1..16) }),
        _ => How::AppendFill(Fill { byte: rng.random(), times: 16 * rng.random_range(1..5000) + 7 }),
    }
}

/// Edits of what a content says of its file.
fn attachment(rng: &mut impl Rng) -> (Edit, bool) {
    let at = |field: u32, how| Edit { part: Part::Content, field: [FILE_BODY, &[field]].concat(), how };
    let text = |text: &str| How::Bytes(Bytes(text.as_bytes().to_vec()));
    match rng.random_range(0..8) {
        0 => (at(1, How::Number(one(rng, &[0, 9, (1 << 31) - 1]).unwrap_or(9))), true),
        1 => {
            let urls = ["", "/", "/media/", "/media/../keys", "http://127.0.0.1:1/media/x", "/media/\0", "//", "/media/%2e%2e/x"];
            (at(2, text(one(rng, &urls).unwrap_or_default())), true)
        }
        2 | 3 => {
            let field = rng.random_range(3..=4);
            let how = match rng.random_range(0..4) {
                0 => How::Remove,
                1 => How::Truncate(rng.random_range(0..32)),
                2 => How::Append(Bytes(bytes(rng, 40))),
                _ => How::Fill(Fill { byte: 0, times: one(rng, &[0, 31, 33, 60_000]).unwrap_or(0) }),
            };
            (at(field, how), true)
        }
        4 => (at(5, How::Number(one(rng, &[3000, 1 << 31, 1 << 40, 1 << 63, u64::MAX]).unwrap_or(u64::MAX))), true),
        5 => (at(2, How::Append(Bytes(one(rng, &NO_TEXT).unwrap_or_default().to_vec()))), true),
        6 => (at(rng.random_range(2..=5), How::Redundant(redundant(rng))), false),
        _ => (at(rng.random_range(2..=5), How::Before(Bytes(stray(rng)))), false),
    }
}

/// JSON that is no string of base64url, no id and no word of ours.
const WRONG_VALUES: [&str; 12] =
    ["null", "true", "-1", "1.5", "[]", "{}", "[[[[]]]]", "\"\"", "\"***\"", "\"AA=\"", "18446744073709551616", "\"\\u0000\""];
/// Numbers that are no 32 bits.
const WRONG_NUMBERS: [&str; 7] = ["null", "-1", "1.5", "4294967296", "18446744073709551615", "\"7\"", "[7]"];

fn wrong_value(rng: &mut impl Rng) -> Rewritten {
    match rng.random_range(0..6) {
        0 => Rewritten::Remove,
        1 => Rewritten::Fill(Fill { byte: b'A', times: one(rng, &[1, 3, 43, 45, 1000, 300_000]).unwrap_or(1) }),
        _ => Rewritten::Set(one(rng, &WRONG_VALUES).unwrap_or("null").to_owned()),
    }
}

/// What a server writes wrongly into a stanza, and whether nothing is left of the message.
fn stanza(rng: &mut impl Rng) -> (Rewrite, bool) {
    let at = |member: &str, how| Rewrite { member: vec![member.to_owned()], how };
    match rng.random_range(0..6) {
        0 => {
            let depth = rng.random_range(1..60);
            let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let values = [deep, format!("\"{}\"", "x".repeat(20_000)), "{\"id\":1,\"id\":2}".to_owned(), "1e300".to_owned()];
            let chosen = rng.random_range(0..values.len());
            (at("added_later", Rewritten::Set(values.into_iter().nth(chosen).unwrap_or_default())), false)
        }
        1 => (at(one(rng, &["type", "from", "body"]).unwrap_or("body"), Rewritten::Repeat(rng.random_range(1..=20))), false),
        2 => (at("type", wrong_value(rng)), true),
        3 => (at("from", wrong_value(rng)), true),
        _ => (at("body", wrong_value(rng)), true),
    }
}

/// What a server writes wrongly into a bundle. None of it can be used, but for what a client may do without.
fn bundle(rng: &mut impl Rng, suite: Suite) -> Rewrite {
    let at = |member: &[&str], how| Rewrite { member: member.iter().map(ToString::to_string).collect(), how };
    let signed = if suite == Suite::SignalPq && rng.random_bool(0.5) { "kyber_prekey" } else { "signed_prekey" };
    let number = Rewritten::Set(one(rng, &WRONG_NUMBERS).unwrap_or("null").to_owned());
    match rng.random_range(0..8) {
        0 => at(&["identity_key"], wrong_value(rng)),
        1 => at(&["registration_id"], number),
        2 => at(&[signed], wrong_value(rng)),
        3 => at(&[signed, "id"], number),
        4 => at(&[signed, "key"], wrong_value(rng)),
        5 => at(&[signed, "signature"], wrong_value(rng)),
        6 => at(&["one_time_prekey"], Rewritten::Set(one(rng, &WRONG_VALUES).unwrap_or("null").to_owned())),
        _ => at(&["added_later"], Rewritten::Set("{\"version\":2}".to_owned())),
    }
}

fn redundant(rng: &mut impl Rng) -> u8 {
    // Ten bytes in all are allowed, more are not; lengths and times need up to six.
    rng.random_range(1..=11)
}

fn repeats(rng: &mut impl Rng) -> u32 {
    one(rng, &[1, 2, 3, 10, 60, 400]).unwrap_or(1)
}

fn unknown(rng: &mut impl Rng) -> u32 {
    one(rng, &UNKNOWN).unwrap_or(19)
}

/// A field that nobody knows, well formed.
fn stray(rng: &mut impl Rng) -> Vec<u8> {
    let tag = u64::from(unknown(rng)) << 3;
    let mut out = Vec::new();
    match rng.random_range(0..5) {
        0 => {
            number(tag, &mut out);
            number(one(rng, &NUMBERS).unwrap_or_default(), &mut out);
        }
        1 => {
            number(tag | 1, &mut out);
            out.extend((0..8).map(|_| rng.random::<u8>()));
        }
        2 => {
            number(tag | 5, &mut out);
            out.extend((0..4).map(|_| rng.random::<u8>()));
        }
        3 => {
            // Groups in groups: nobody writes them any more, and readers still have to skip them.
            let depth = one(rng, &[1, 2, 20, 99, 1000]).unwrap_or(1);
            (0..depth).for_each(|_| number(tag | 3, &mut out));
            (0..depth).for_each(|_| number(tag | 4, &mut out));
        }
        _ => {
            let value = bytes(rng, 40);
            number(tag | 2, &mut out);
            number(value.len() as u64, &mut out);
            out.extend(value);
        }
    }
    out
}

/// What begins like a field and is none.
fn garbled(rng: &mut impl Rng) -> Vec<u8> {
    let tag = u64::from(unknown(rng)) << 3;
    let mut out = Vec::new();
    match rng.random_range(0..6) {
        0 => number(tag | 6, &mut out),
        1 => number(tag | 7, &mut out),
        // A number without an end, and one that is longer than any.
        2 => out.push(0x80 | rng.random_range(0..128_u8)),
        3 => {
            number(tag, &mut out);
            out.extend([0xff; 11]);
            out.push(1);
        }
        // The end of a group that never began, and a group without an end.
        4 => number(tag | rng.random_range(3..=4), &mut out),
        _ => {
            number(tag | 2, &mut out);
            number(one(rng, &WRONG_LENGTHS).unwrap_or(u64::MAX), &mut out);
        }
    }
    out
}

fn bytes(rng: &mut impl Rng, most: usize) -> Vec<u8> {
    let length = rng.random_range(0..=most);
    (0..length).map(|_| rng.random::<u8>()).collect()
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
