//! Draws edits of a content and of its padding.

use super::raw::{NO_TEXT, NUMBERS, WRONG_LENGTHS, bytes, garbled, number, redundant, repeats, stray, unknown};
use crate::draw::one;
use countersign_adversary::alter::{Edit, Fill, How, Part};
use countersign_contract::Bytes;
use proptest::prelude::{Rng, RngExt as _};

/// Field numbers of a content: its message's id, its time, its text, and what is in that.
const ID: &[u32] = &[1];
const TIME: &[u32] = &[2];
const TEXT_BODY: &[u32] = &[10];
const TEXT: &[u32] = &[10, 1];
/// Length of a message's id in a content.
const ID_BYTES: u32 = 36;

/// Edits after which a reader of protobuf may still find everything in its place.
pub(super) fn odd(rng: &mut impl Rng) -> Vec<Edit> {
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
pub(super) fn unreadable(rng: &mut impl Rng) -> Edit {
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

pub(super) fn padding(rng: &mut impl Rng) -> (How, bool) {
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
