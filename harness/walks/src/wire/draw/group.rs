//! Draws inputs to a group: messages under sender keys, and what hands the sender keys out.

use super::content::{odd, padding, unreadable};
use super::message::{around, unread_in_group};
use super::raw::{bytes, redundant, repeats, some, stray};
use super::{stanza, text};
use crate::draw::{one, pick};
use crate::wire::{Carries, Input};
use countersign_adversary::alter::{Edit, How, Part};
use countersign_contract::Bytes;
use proptest::prelude::{Rng, RngExt as _};

/// Fields of a message under a sender key, and of a sender key.
const GROUP: &[u32] = &[1, 2, 3, 4];
const DISTRIBUTION: &[u32] = &[1, 2, 3, 4, 5];
/// Field number of what a content says of its group: id, version, digest of the list.
const STAMP: u32 = 3;
/// Field numbers of a content that hands out a sender key: its message's id, its time, its group, its body, and what is in that.
const HANDOVER: [&[u32]; 6] = [&[1], &[2], &[STAMP], &[STAMP, 3], &[18], &[18, 1]];

/// What an input is malformed in.
#[derive(Clone, Copy)]
enum Kind {
    /// The content, so that it may still be read.
    Odd,
    /// The content, so that it cannot be read any more.
    Unreadable,
    /// What the content says of its group.
    Stamp,
    /// The padded content.
    Padding,
    /// The message under the sender key.
    Message,
    /// The same, so that no sender key can read it.
    Unread,
    /// The sender key.
    Distribution,
    /// The content that hands it out.
    Handover,
    /// The stanza that carries a message.
    Stanza,
}

const KINDS: [(Kind, u32); 9] = [
    (Kind::Odd, 4),
    (Kind::Unreadable, 4),
    (Kind::Stamp, 3),
    (Kind::Padding, 1),
    (Kind::Message, 8),
    (Kind::Unread, 2),
    (Kind::Distribution, 8),
    (Kind::Handover, 4),
    (Kind::Stanza, 2),
];

/// An input; `first`: before the candidate's user has said anything.
pub(super) fn input(rng: &mut impl Rng, first: bool) -> Input {
    let made = match pick(rng, &KINDS).unwrap_or(Kind::Odd) {
        Kind::Odd => text(odd(rng), false),
        Kind::Unreadable => text(vec![unreadable(rng)], true),
        Kind::Stamp => {
            let (edit, broken) = stamp(rng);
            text(vec![edit], broken)
        }
        Kind::Padding => {
            let (how, broken) = padding(rng);
            text(vec![Edit { part: Part::Plaintext, field: Vec::new(), how }], broken)
        }
        Kind::Message => text(vec![around(rng, Part::Group, GROUP)], false),
        // With the first message comes the sender key, which is kept whatever becomes of the message.
        Kind::Unread => Input { unread: !first, ..text(vec![unread_in_group(rng)], true) },
        Kind::Distribution => text(vec![around(rng, Part::Distribution, DISTRIBUTION)], false),
        Kind::Handover => text(vec![handover(rng)], false),
        Kind::Stanza => Input { unread: !first, ..stanza::input(rng, &["group", "from", "body"]) },
    };
    Input { carries: Carries::ToGroup, ..made }
}

/// Edits of what a content says of its group, and whether the message is one of the group no more.
fn stamp(rng: &mut impl Rng) -> (Edit, bool) {
    let at = |field: &[u32], how| Edit { part: Part::Content, field: field.to_vec(), how };
    match rng.random_range(0..8) {
        0 => (at(&[STAMP], How::Remove), true),
        1 => (at(&[STAMP, rng.random_range(1..=3)], How::Remove), true),
        2 => (at(&[STAMP, 1], How::Truncate(rng.random_range(0..36))), true),
        3 => (at(&[STAMP, 2], How::Number(one(rng, &[0, 2, 127, (1 << 31) - 1, u32::MAX as u64]).unwrap_or(0))), true),
        4 => (at(&[STAMP, 3], How::Truncate(rng.random_range(0..32))), true),
        5 => (at(&[STAMP, 3], How::Append(Bytes(some(rng, 40)))), true),
        6 => (at(&[STAMP, rng.random_range(1..=3)], How::Redundant(redundant(rng))), false),
        _ => (at(&[STAMP], How::Before(Bytes(stray(rng)))), false),
    }
}

/// Edits of the content that hands a sender key out.
fn handover(rng: &mut impl Rng) -> Edit {
    let field = one(rng, &HANDOVER).unwrap_or(&[18]).to_vec();
    let how = match rng.random_range(0..8) {
        0 => How::Remove,
        1 => How::Repeat(repeats(rng).min(60)),
        2 => How::Redundant(redundant(rng)),
        3 => How::RedundantKey(rng.random_range(1..=4)),
        4 => How::Before(Bytes(stray(rng))),
        5 => How::WireType(rng.random_range(0..8)),
        6 => How::Bytes(Bytes(bytes(rng, 60))),
        _ => How::Append(Bytes(some(rng, 40))),
    };
    Edit { part: Part::Handover, field, how }
}
