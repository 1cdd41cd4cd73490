//! With what probability a run finds a defect that shows only now and then.
//!
//! A defect that goes wrong in a share `p` of all chances, each independent of the others, goes wrong in at least one of `n` chances with
//! the probability `1 - (1 - p)^n`. The chances are counted from the traces: see [`countersign_judge::chances`].

use crate::view::View;
use countersign_judge::{Chances, Counted};

/// The share that reports speak of.
pub(crate) const ONE_IN_TEN: f64 = 0.1;
/// Where a run counts as having found something: with this probability.
const WELL_FOUND: f64 = 0.95;

/// The probability, from 0 to 1, with which a defect that shows in a share of all chances shows in at least one of `chances`.
#[must_use]
pub fn found_with(share: f64, chances: u64) -> f64 {
    1.0 - (1.0 - share.clamp(0.0, 1.0)).powf(as_number(chances))
}

/// The rarest defect that so many chances find with a probability of 95 %, as one in how many; `None` without any chance.
pub(crate) fn rarest(chances: u64) -> Option<u64> {
    let share = 1.0 - (1.0 - WELL_FOUND).powf(1.0 / as_number(chances));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded down, and never below 1 here")]
    (chances > 0).then(|| (1.0 / share) as u64)
}

#[expect(clippy::cast_precision_loss, reason = "no record has so many chances")]
const fn as_number(chances: u64) -> f64 {
    chances as f64
}

/// A probability in words, rounded down: nothing is ever certain.
pub(crate) fn in_words(probability: f64) -> String {
    if probability >= 0.999 {
        return "over 99.9 %".to_owned();
    }
    format!("{:.1} %", rounded_down(probability, 1000.0) * 100.0)
}

/// A number rounded down to a whole part of `parts`.
pub(crate) fn rounded_down(number: f64, parts: f64) -> f64 {
    (number * parts).floor() / parts
}

/// One kind of chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odds {
    /// `messages`, `sessions`, `ratchet keys` or `files`.
    pub(crate) what: &'static str,
    /// Whether the candidate received them; else it sent them.
    pub(crate) received: bool,
    /// How many the run looked at.
    pub(crate) chances: u64,
}

impl Odds {
    /// The probability of finding a defect that shows in one of ten.
    pub(crate) fn one_in_ten(&self) -> f64 {
        found_with(ONE_IN_TEN, self.chances)
    }

    pub(crate) const fn direction(&self) -> &'static str {
        if self.received { "received" } else { "sent" }
    }
}

/// The odds of a run, by kind and direction. Those of kinds that it did not look at at all stand there too: with a probability of 0.
pub(crate) fn odds(view: &View<'_>) -> Vec<Odds> {
    let mut all = Chances::default();
    for instance in &view.record.instances {
        all.add(&countersign_judge::chances(&instance.trace, view.blobs));
    }
    let of = |counted: Counted, received: bool| {
        [
            ("messages", counted.messages),
            ("sessions", counted.sessions),
            ("ratchet keys", counted.ratchet_keys),
            ("files", counted.files),
        ]
        .map(|(what, chances)| Odds { what, received, chances })
    };
    if all == Chances::default() {
        return Vec::new();
    }
    of(all.received, true).into_iter().chain(of(all.sent, false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_independent_chances() {
        for (share, chances, expected) in [(0.1, 0, 0.0), (0.1, 1, 0.1), (0.1, 2, 0.19), (0.1, 22, 0.901_522_9), (1.0, 1, 1.0)] {
            assert!((found_with(share, chances) - expected).abs() < 1e-6, "{share} {chances}");
        }
        assert!(found_with(0.1, u64::MAX) <= 1.0);
    }

    #[test]
    fn the_rarest_defect_is_found_with_ninety_five_percent_and_a_rarer_one_is_not() {
        assert_eq!(rarest(0), None);
        for chances in [1, 2, 10, 29, 100, 5_000] {
            let one_in = rarest(chances).unwrap();
            let share = |one_in: u64| 1.0 / as_number(one_in);
            assert!(found_with(share(one_in), chances) >= WELL_FOUND, "{chances}: one in {one_in}");
            assert!(found_with(share(one_in + 1), chances) < WELL_FOUND, "{chances}: one in {one_in}");
        }
    }

    #[test]
    fn words_never_say_more() {
        for (probability, text) in
            [(0.0, "0.0 %"), (0.6513, "65.1 %"), (0.99899, "99.8 %"), (0.9995, "over 99.9 %"), (1.0, "over 99.9 %")]
        {
            assert_eq!(in_words(probability), text);
        }
    }
}
