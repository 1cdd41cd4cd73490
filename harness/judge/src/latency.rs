//! The 95th percentile from order statistics, without any assumption about how samples are distributed.
//!
//! Of n independent samples, the number below the true 95th percentile is binomial(n, 0.95). So the smallest rank r with
//! P(fewer than r below) >= 95 % gives an upper bound at that confidence, and the largest rank s with P(at least s below) >= 95 %
//! a lower one. Fewer than 59 samples have no upper bound. Samples under load are not independent: reports say so.

/// Most samples of one measurement. Beyond, the recurrence below would underflow.
pub const MOST_SAMPLES: u32 = 10_000;

/// How sure each bound is.
const CONFIDENCE: f64 = 0.95;

/// A percentile with its one-sided bounds, in the samples' unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentile {
    /// How many samples there are.
    pub samples: usize,
    /// The sample at the percentile's own rank.
    pub estimate: u64,
    /// The percentile is not under this, at a confidence of 95 %.
    pub lower: u64,
    /// Nor over this; `None` with too few samples.
    pub upper: Option<u64>,
}

/// The 95th percentile; `None` without samples, or with more than [`MOST_SAMPLES`].
#[must_use]
pub fn p95(mut samples: Vec<u64>) -> Option<Percentile> {
    samples.sort_unstable();
    let n = samples.len();
    if n == 0 || n > MOST_SAMPLES as usize {
        return None;
    }
    let below = exceedances(n);
    // Rank r from 1 counts r - 1 samples below; with j samples above the percentile, n - j lie below it.
    // P(X_(r) >= q) = P(at most r - 1 below) = P(at least n - r + 1 above) = 1 - P(at most n - r above).
    let upper = (1..=n).find(|r| 1.0 - cumulated(&below, n - r) >= CONFIDENCE);
    // P(X_(s) <= q) = P(at least s below) = P(at most n - s above).
    let lower = (1..=n).rev().find(|s| cumulated(&below, n - s) >= CONFIDENCE).unwrap_or(1);
    let at = |rank: usize| samples.get(rank.saturating_sub(1)).copied();
    Some(Percentile { samples: n, estimate: at((n * 95).div_ceil(100))?, lower: at(lower)?, upper: upper.and_then(at) })
}

/// P(at most k of n samples exceed the percentile), for k from 0 to n.
fn exceedances(n: usize) -> Vec<f64> {
    let mut term: f64 = (0..n).fold(1.0, |p, _| p * 0.95);
    let mut sum = term;
    let mut out = vec![sum];
    for k in 1..=n {
        #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
        let ratio = (n - k + 1) as f64 / k as f64;
        term *= ratio * (0.05 / 0.95);
        sum += term;
        out.push(sum.min(1.0));
    }
    out
}

fn cumulated(table: &[f64], k: usize) -> f64 {
    table.get(k).copied().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn upper_rank(n: u64) -> Option<u64> {
        p95((1..=n).collect()).unwrap().upper
    }

    /// The known smallest numbers for a one-sided 95 % bound: 59 without exceedance, 93 with one, 124 with two.
    #[test]
    fn the_known_smallest_numbers_of_samples_come_out() {
        assert_eq!(upper_rank(58), None);
        assert_eq!(upper_rank(59), Some(59));
        assert_eq!(upper_rank(92), Some(92));
        assert_eq!(upper_rank(93), Some(92));
        assert_eq!(upper_rank(123), Some(122));
        assert_eq!(upper_rank(124), Some(122));
    }

    #[test]
    fn nothing_and_too_much_have_no_percentile() {
        assert_eq!(p95(vec![]), None);
        assert_eq!(p95(vec![1; MOST_SAMPLES as usize + 1]), None);
        assert!(p95(vec![1; MOST_SAMPLES as usize]).unwrap().upper.is_some());
    }

    proptest! {
        #[test]
        fn the_estimate_lies_between_its_bounds(samples in proptest::collection::vec(any::<u64>(), 1..400)) {
            let p = p95(samples).unwrap();
            prop_assert!(p.lower <= p.estimate);
            prop_assert!(p.upper.is_none_or(|upper| upper >= p.estimate));
        }
    }
}
