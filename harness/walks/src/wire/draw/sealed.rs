//! Draws inputs that do not say to the server who sent them.

use super::content::{odd, unreadable};
use super::message::{around, unread};
use super::raw::{NO_TEXT, NUMBERS, WRONG_LENGTHS, bytes, number, redundant, some, stray};
use super::{stanza, text};
use crate::draw::{one, pick};
use crate::wire::Input;
use countersign_adversary::alter::{Edit, Fill, How, Part};
use countersign_contract::Bytes;
use countersign_contract::claims::Suite;
use proptest::prelude::{Rng, RngExt as _};

/// Fields of a sealed message, of what is in it, and of a message and a prekey message.
const ENVELOPE: &[u32] = &[1, 2, 3];
const SEALED: &[u32] = &[1, 2, 3];
const INNER: &[u32] = &[1, 2, 3, 4, 5];
const OUTER: &[u32] = &[2, 3, 4, 6, 7, 8];
/// Fields of what is sealed that an honest sender leaves out: what a receiver is to do if it cannot read the message, and the group.
const HINT: u32 = 4;
const GROUP: u32 = 5;
/// Fields of what a certificate states: device, end, identity key, the server's own certificate, user.
const DEVICE: u32 = 2;
const EXPIRES: u32 = 3;
const IDENTITY: u32 = 4;
const SIGNER: u32 = 5;
const USER: u32 = 6;
/// Length of a user's id.
const USER_BYTES: u32 = 36;

/// What an input is malformed in.
#[derive(Clone, Copy)]
enum Kind {
    /// What is sealed.
    Sealed,
    /// What is sealed, by a field that an honest sender leaves out.
    More,
    /// The sealed message.
    Envelope,
    /// What the certificate states, under the server's signature.
    Statement,
    /// The certificate, whose signature then does not fit.
    Certificate,
    /// The message in it.
    Inner,
    /// The same, so that no session can read it.
    Unread,
    /// The prekey message in it.
    Outer,
    /// The content, so that it may still be read.
    Odd,
    /// The content, so that it cannot be read any more.
    Unreadable,
    /// The stanza that carries it.
    Stanza,
}

/// An input; `first`: before the candidate's user has answered anything.
pub(super) fn input(rng: &mut impl Rng, first: bool) -> Input {
    let kinds = [
        (Kind::Sealed, 6),
        (Kind::More, 3),
        (Kind::Envelope, 4),
        (Kind::Statement, 8),
        (Kind::Certificate, 3),
        (Kind::Inner, 3),
        (Kind::Unread, if first { 0 } else { 2 }),
        (Kind::Outer, if first { 2 } else { 0 }),
        (Kind::Odd, 2),
        (Kind::Unreadable, 2),
        (Kind::Stanza, 1),
    ];
    match pick(rng, &kinds).unwrap_or(Kind::Sealed) {
        Kind::Sealed => text(vec![around(rng, Part::Sealed, SEALED)], false),
        Kind::More => text(vec![more(rng)], false),
        Kind::Envelope => text(vec![around(rng, Part::Envelope, ENVELOPE)], false),
        Kind::Statement => {
            let (edit, broken) = statement(rng);
            text(vec![edit], broken)
        }
        Kind::Certificate => text(vec![certificate(rng)], false),
        Kind::Inner => text(vec![around(rng, Part::Inner, INNER)], false),
        Kind::Unread if rng.random_bool(0.5) => {
            // Of the keys that are encrypted in it, or of what is under them: a MAC covers each.
            let edit =
                Edit { part: Part::Envelope, field: vec![rng.random_range(2..=3)], how: How::Flip(rng.random_range(0..64)) };
            Input { unread: true, ..text(vec![edit], true) }
        }
        Kind::Unread => Input { unread: true, ..text(vec![unread(rng, Suite::SignalPq)], true) },
        Kind::Outer => text(vec![around(rng, Part::Outer, OUTER)], false),
        Kind::Odd => text(odd(rng), false),
        Kind::Unreadable => text(vec![unreadable(rng)], true),
        Kind::Stanza => Input { unread: !first, ..stanza::input(rng, &["body"]) },
    }
}

/// A field more in what is sealed.
fn more(rng: &mut impl Rng) -> Edit {
    let mut field = Vec::new();
    if rng.random_bool(0.6) {
        number(u64::from(HINT) << 3, &mut field);
        number(one(rng, &NUMBERS).unwrap_or_default(), &mut field);
    } else {
        let group = bytes(rng, 60);
        number(u64::from(GROUP) << 3 | 2, &mut field);
        number(group.len() as u64, &mut field);
        field.extend(group);
    }
    Edit { part: Part::Sealed, field: Vec::new(), how: How::Append(Bytes(field)) }
}

/// Edits of what a certificate states, which the server then signs, and whether nobody is certified by it any more. None of them makes it
/// one of another user: whom the server vouches for is that user.
fn statement(rng: &mut impl Rng) -> (Edit, bool) {
    let at = |field: u32, how| Edit { part: Part::Certificate, field: vec![field], how };
    match rng.random_range(0..12) {
        0 => (at(USER, How::Truncate(rng.random_range(0..USER_BYTES))), true),
        1 => (at(USER, How::Append(Bytes(b"-and-more".to_vec()))), true),
        2 => (at(USER, How::Bytes(Bytes(one(rng, &NO_TEXT).unwrap_or_default().to_vec()))), true),
        3 => (at(USER, How::Fill(Fill { byte: b'x', times: one(rng, &[0, 1, 36, 60_000]).unwrap_or(36) })), true),
        4 => (at(DEVICE, How::Number(one(rng, &[0, 2, 127, 128, 25_001, u32::MAX as u64]).unwrap_or(0))), true),
        5 => (at(IDENTITY, How::Truncate(rng.random_range(0..33))), true),
        6 => (at(IDENTITY, How::Flip(rng.random_range(0..250))), true),
        7 => (at(one(rng, &[USER, DEVICE, EXPIRES, IDENTITY, SIGNER]).unwrap_or(USER), How::Remove), true),
        8 => (at(EXPIRES, How::Number(one(rng, &NUMBERS).unwrap_or_default())), false),
        9 => (at(SIGNER, How::Truncate(rng.random_range(0..60))), false),
        10 => {
            let field = one(rng, &[USER, DEVICE, IDENTITY, SIGNER]).unwrap_or(USER);
            (
                at(
                    field,
                    if rng.random_bool(0.5) { How::Redundant(redundant(rng)) } else { How::Repeat(rng.random_range(1..=20)) },
                ),
                false,
            )
        }
        _ => {
            let more = stray(rng);
            (Edit { part: Part::Certificate, field: Vec::new(), how: How::Append(Bytes(more)) }, false)
        }
    }
}

/// Edits of a certificate as it is sent: statement and signature.
fn certificate(rng: &mut impl Rng) -> Edit {
    let field = one(rng, &[1, 2]).unwrap_or(1);
    let how = match rng.random_range(0..6) {
        0 => How::Remove,
        1 => How::Truncate(rng.random_range(0..64)),
        2 => How::Length(one(rng, &WRONG_LENGTHS).unwrap_or(u64::MAX)),
        3 => How::Append(Bytes(some(rng, 40))),
        4 => How::Fill(Fill { byte: rng.random(), times: one(rng, &[0, 63, 65, 60_000]).unwrap_or(63) }),
        _ => How::Repeat(rng.random_range(1..=20)),
    };
    Edit { part: Part::Sealed, field: vec![2, field], how }
}
