//! Draws inputs between two users: messages, files, stanzas and bundles.

use super::content::{odd, padding, unreadable};
use super::message::{around, unread};
use super::raw::{NO_TEXT, redundant, some, stray};
use super::stanza::{WRONG_VALUES, member, wrong_value};
use super::{stanza, text};
use crate::abilities::Abilities;
use crate::draw::{one, pick};
use crate::wire::{Carries, Input};
use countersign_adversary::alter::{Edit, Fill, How, Part};
use countersign_contract::Bytes;
use countersign_contract::claims::Suite;
use countersign_scenarios::language::{Rewrite, Rewritten};
use proptest::prelude::{Rng, RngExt as _};

/// Fields of a message, and of the prekey message around it, but for the id of the one-time prekey: not every message has one.
const INNER: &[u32] = &[1, 2, 3, 4, 5];
const OUTER: &[u32] = &[2, 3, 4, 5, 6, 7, 8];
/// Those of the older suite.
const OLDER_INNER: &[u32] = &[1, 2, 3, 4];
const OLDER_OUTER: &[u32] = &[2, 3, 4, 5, 6];
/// Field number of a file in a content.
const FILE_BODY: &[u32] = &[11];
/// Numbers that are no 32 bits.
const WRONG_NUMBERS: [&str; 7] = ["null", "-1", "1.5", "4294967296", "18446744073709551615", "\"7\"", "[7]"];

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
    /// The same, so that no session can read it.
    Unread,
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

/// An input; `first`: before the candidate's user has answered anything.
pub(super) fn input(rng: &mut impl Rng, abilities: Abilities, first: bool) -> Input {
    let pq = abilities.suite == Suite::SignalPq;
    let files = if abilities.files { 2 } else { 0 };
    let kinds = [
        (Kind::Odd, 8),
        (Kind::Unreadable, 8),
        (Kind::Padding, 1),
        (Kind::Inner, 8),
        // What a session is begun with may use up keys, whatever comes of the message.
        (Kind::Unread, if first { 0 } else { 3 }),
        (Kind::Outer, if first { 6 } else { 0 }),
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
        Kind::Inner => text(vec![around(rng, Part::Inner, if pq { INNER } else { OLDER_INNER })], false),
        Kind::Unread => Input { unread: true, ..text(vec![unread(rng, abilities.suite)], true) },
        Kind::Outer => text(vec![around(rng, Part::Outer, if pq { OUTER } else { OLDER_OUTER })], false),
        Kind::Blob => {
            let bytes = rng.random_range(0..3000);
            let how = blob(rng, bytes);
            Input { carries: Carries::File(bytes), ..text(vec![Edit { part: Part::Blob, field: Vec::new(), how }], true) }
        }
        Kind::Stanza => Input { unread: !first, ..stanza::input(rng, &["type", "from", "body"]) },
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
                2 => How::Append(Bytes(some(rng, 40))),
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

/// What a server writes wrongly into a bundle. None of it can be used, but for what a client may do without.
fn bundle(rng: &mut impl Rng, suite: Suite) -> Rewrite {
    let signed = if suite == Suite::SignalPq && rng.random_bool(0.5) { "kyber_prekey" } else { "signed_prekey" };
    let number = Rewritten::Set(one(rng, &WRONG_NUMBERS).unwrap_or("null").to_owned());
    match rng.random_range(0..8) {
        0 => member(&["identity_key"], wrong_value(rng)),
        1 => member(&["registration_id"], number),
        2 => member(&[signed], wrong_value(rng)),
        3 => member(&[signed, "id"], number),
        4 => member(&[signed, "key"], wrong_value(rng)),
        5 => member(&[signed, "signature"], wrong_value(rng)),
        6 => member(&["one_time_prekey"], Rewritten::Set(one(rng, &WRONG_VALUES).unwrap_or("null").to_owned())),
        _ => member(&["added_later"], Rewritten::Set("{\"version\":2}".to_owned())),
    }
}
