//! Looking for many patterns at once.
//!
//! An automaton is made for each instance and used on some kilobytes, so that what counts is how fast it is made: it knows the
//! first bytes of each pattern only, and the rest is compared where these occur.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a pattern that the automaton knows.
const BEGINNING: usize = 8;

/// Patterns to look for.
pub(super) struct Search {
    beginnings: AhoCorasick,
    /// The patterns with each beginning, in the automaton's order.
    patterns: Vec<Vec<Vec<u8>>>,
}

impl Search {
    /// Patterns, none of them empty.
    ///
    /// # Errors
    /// If they are too many for the automaton.
    pub(super) fn of(patterns: BTreeSet<Vec<u8>>) -> Result<Self, BuildError> {
        let mut by_beginning: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
        for pattern in patterns {
            let beginning = pattern.get(..BEGINNING).unwrap_or(&pattern).to_vec();
            by_beginning.entry(beginning).or_default().push(pattern);
        }
        let beginnings =
            AhoCorasick::builder().kind(Some(AhoCorasickKind::NoncontiguousNFA)).build(by_beginning.keys())?;
        Ok(Self { beginnings, patterns: by_beginning.into_values().collect() })
    }

    /// Whether one of the patterns stands in these bytes.
    pub(super) fn finds_in(&self, bytes: &[u8]) -> bool {
        self.beginnings.find_overlapping_iter(bytes).any(|found| {
            let (here, patterns) = (bytes.get(found.start()..), self.patterns.get(found.pattern().as_usize()));
            patterns.into_iter().flatten().any(|pattern| here.is_some_and(|here| here.starts_with(pattern)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_comparing_everywhere(
            patterns in proptest::collection::btree_set(proptest::collection::vec(0..3_u8, 1..12), 0..8),
            bytes in proptest::collection::vec(0..3_u8, 0..60),
        ) {
            let there = patterns.iter().any(|pattern| bytes.windows(pattern.len()).any(|window| window == &pattern[..]));
            prop_assert_eq!(Search::of(patterns).unwrap().finds_in(&bytes), there);
        }
    }
}
