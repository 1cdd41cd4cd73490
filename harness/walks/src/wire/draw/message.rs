//! Draws edits of messages of the protocol.

use super::raw::{NUMBERS, WRONG_LENGTHS, bytes, garbled, redundant, stray};
use crate::draw::one;
use countersign_adversary::alter::{Edit, Fill, How, Part};
use countersign_contract::Bytes;
use countersign_contract::claims::Suite;
use proptest::prelude::{Rng, RngExt as _};

/// Edits of a message of the protocol: of one of these fields, or of the message as a whole. Whatever becomes of it, it says what it said.
pub(super) fn around(rng: &mut impl Rng, part: Part, fields: &[u32]) -> Edit {
    if rng.random_bool(0.15) {
        let more = if rng.random_bool(0.6) { stray(rng) } else { garbled(rng) };
        return Edit { part, field: Vec::new(), how: How::Append(Bytes(more)) };
    }
    let field = one(rng, fields).unwrap_or(1);
    let numeric = matches!(
        (part, field),
        (Part::Inner | Part::Group | Part::Distribution, 2 | 3) | (Part::Outer, 1 | 5 | 6 | 7) | (Part::Sealed, 1)
    );
    let how = match rng.random_range(0..12) {
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

/// An edit after which no session can read a Signal message, however much its reader lets pass: its ratchet key is not the one that it
/// was made under, its number lies too far ahead, or the post-quantum ratchet's part is missing. A number that is missing counts as 0 for some
/// readers, and may be right; a message without its ciphertext has the right MAC.
pub(super) fn unread(rng: &mut impl Rng, suite: Suite) -> Edit {
    let (field, how) = match rng.random_range(0..5) {
        0 => (1, How::Remove),
        1 => (1, How::Truncate(rng.random_range(0..33))),
        // After the byte that says which curve it is on.
        2 => (1, How::Flip(rng.random_range(8..250))),
        3 if suite == Suite::SignalPq => (5, How::Remove),
        _ => (2, How::Number(one(rng, &FAR_AHEAD).unwrap_or(FAR_AHEAD[0]))),
    };
    Edit { part: Part::Inner, field: vec![field], how }
}

/// The same for a message under a sender key.
pub(super) fn unread_in_group(rng: &mut impl Rng) -> Edit {
    let (field, how) = match rng.random_range(0..4) {
        0 => (1, How::Remove),
        1 => (1, How::Truncate(rng.random_range(0..16))),
        _ => (3, How::Number(one(rng, &FAR_AHEAD).unwrap_or(FAR_AHEAD[0]))),
    };
    Edit { part: Part::Group, field: vec![field], how }
}

/// Numbers of 32 bits that lie further ahead than any receiver goes.
const FAR_AHEAD: [u64; 4] = [100_000, (1 << 31) - 1, 1 << 31, u32::MAX as u64];
