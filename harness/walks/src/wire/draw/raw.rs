//! Draws bytes that are, or are not, fields of a protobuf.

use crate::draw::one;
use proptest::prelude::{Rng, RngExt as _};

/// Lengths that a field of a content never has.
pub(super) const WRONG_LENGTHS: [u64; 8] =
    [1 << 10, 1 << 16, 1 << 20, (1 << 31) - 1, 1 << 31, u32::MAX as u64, 1 << 63, u64::MAX];
/// Numbers at which something may turn over.
pub(super) const NUMBERS: [u64; 10] = [0, 1, 127, 128, 25_001, (1 << 31) - 1, 1 << 31, u32::MAX as u64, 1 << 63, u64::MAX];
/// Bytes that are no UTF-8: one that never stands there, a cut letter, a surrogate, a letter in too many bytes, one beyond the last.
pub(super) const NO_TEXT: [&[u8]; 5] = [&[0xff], &[0xc3], &[0xed, 0xa0, 0x80], &[0xc0, 0x80], &[0xf5, 0x80, 0x80, 0x80]];
/// Numbers of fields that no message of ours has.
pub(super) const UNKNOWN: [u32; 6] = [19, 99, 2047, 19_000, 100_000, (1 << 29) - 1];

pub(super) fn redundant(rng: &mut impl Rng) -> u8 {
    // Ten bytes in all are allowed, more are not; lengths and times need up to six.
    rng.random_range(1..=11)
}

pub(super) fn repeats(rng: &mut impl Rng) -> u32 {
    one(rng, &[1, 2, 3, 10, 60, 400]).unwrap_or(1)
}

pub(super) fn unknown(rng: &mut impl Rng) -> u32 {
    one(rng, &UNKNOWN).unwrap_or(19)
}

/// A field that nobody knows, well formed.
pub(super) fn stray(rng: &mut impl Rng) -> Vec<u8> {
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
pub(super) fn garbled(rng: &mut impl Rng) -> Vec<u8> {
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

pub(super) fn bytes(rng: &mut impl Rng, most: usize) -> Vec<u8> {
    let length = rng.random_range(0..=most);
    (0..length).map(|_| rng.random::<u8>()).collect()
}

/// At least one byte.
pub(super) fn some(rng: &mut impl Rng, most: usize) -> Vec<u8> {
    let first = rng.random();
    [vec![first], bytes(rng, most.saturating_sub(1))].concat()
}

pub(super) fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
