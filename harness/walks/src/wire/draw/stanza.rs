//! Draws what a server writes wrongly into a stanza.

use super::text;
use crate::draw::one;
use crate::wire::Input;
use countersign_adversary::alter::Fill;
use countersign_scenarios::language::{Rewrite, Rewritten};
use proptest::prelude::{Rng, RngExt as _};

/// JSON that is no string of base64url, no id and no word of ours.
pub(super) const WRONG_VALUES: [&str; 12] =
    ["null", "true", "-1", "1.5", "[]", "{}", "[[[[]]]]", "\"\"", "\"***\"", "\"AA=\"", "18446744073709551616", "\"\\u0000\""];

/// What becomes of a member.
pub(super) fn member(path: &[&str], how: Rewritten) -> Rewrite {
    Rewrite { member: path.iter().map(ToString::to_string).collect(), how }
}

/// A value that no member may have.
pub(super) fn wrong_value(rng: &mut impl Rng) -> Rewritten {
    match rng.random_range(0..6) {
        0 => Rewritten::Remove,
        1 => Rewritten::Fill(Fill { byte: b'A', times: one(rng, &[1, 3, 43, 45, 1000, 300_000]).unwrap_or(1) }),
        _ => Rewritten::Set(one(rng, &WRONG_VALUES).unwrap_or("null").to_owned()),
    }
}

/// A message in a stanza that has these members, one of which is wrong, or stands there more often; or with one that nobody knows.
pub(super) fn input(rng: &mut impl Rng, members: &[&str]) -> Input {
    let name = one(rng, members).unwrap_or("body");
    let (rewrite, broken) = match rng.random_range(0..6) {
        0 => {
            let depth = rng.random_range(1..60);
            let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let values = [deep, format!("\"{}\"", "x".repeat(20_000)), "{\"id\":1,\"id\":2}".to_owned(), "1e300".to_owned()];
            let chosen = rng.random_range(0..values.len());
            let value = values.into_iter().nth(chosen).unwrap_or_default();
            (member(&["added_later"], Rewritten::Set(value)), false)
        }
        1 => (member(&[name], Rewritten::Repeat(rng.random_range(1..=20))), false),
        2 => (member(&["body"], wrong_value(rng)), true),
        _ => (member(&[name], wrong_value(rng)), true),
    };
    Input { rewrites: vec![rewrite], ..text(Vec::new(), broken) }
}
