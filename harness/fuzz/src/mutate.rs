//! Changed copies of an input, without knowledge of what it means.

use crate::LONGEST;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Numbers at which lengths and counters go wrong.
const BORDERS: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'\n'];

/// A copy of `input` with a few changes, and now and then a piece of `other` in it. The same number makes the same copy.
#[must_use]
pub fn changed(input: &[u8], other: &[u8], number: u64) -> Vec<u8> {
    let mut rng = ChaCha20Rng::seed_from_u64(number);
    let mut out = input.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..=out.len());
        let length = rng.random_range(1..=8).min(out.len() - at);
        match rng.random_range(0..8) {
            0 => out.truncate(at),
            1 if at < out.len() => out[at] ^= 1 << rng.random_range(0..8),
            2 if at < out.len() => out[at] = BORDERS[rng.random_range(0..BORDERS.len())],
            3 => drop(out.drain(at..at + length)),
            4 => {
                let piece = out[at..at + length].to_vec();
                out.splice(at..at, piece);
            }
            5 => out.insert(at, rng.random()),
            6 if !other.is_empty() => {
                let from = rng.random_range(0..other.len());
                let to = (from + rng.random_range(1..=64)).min(other.len());
                out.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                // Digits of a text, or bytes of a number.
                if let Some(digit) = out.iter_mut().skip(at).find(|byte| byte.is_ascii_digit()) {
                    *digit = b"0189-"[rng.random_range(0..5)];
                }
            }
        }
    }
    out.truncate(LONGEST);
    out
}
