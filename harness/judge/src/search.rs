//! Looking for many patterns at once, in little time and after little preparation: both are done for each instance.
//!
//! Patterns are told apart by their first bytes. A filter of one bit for each hash of those decides most positions with one look;
//! an automaton for hundreds of patterns took longer to make than everything else that is judged.

use std::collections::BTreeMap;

/// Bytes by which patterns are told apart. Shorter patterns are not looked for.
const BEGINNING: usize = 4;
/// The filter has two to the power of this many bits: 32 KiB, which the nearest cache holds.
const FILTER_BITS: u32 = 18;

/// Patterns to look for.
pub(crate) struct Search<P> {
    by_beginning: BTreeMap<[u8; BEGINNING], Vec<P>>,
    filter: Vec<u64>,
}

impl<P: AsRef<[u8]>> Search<P> {
    /// Makes ready to look for these patterns, each of at least four bytes.
    pub(crate) fn of(patterns: impl IntoIterator<Item = P>) -> Self {
        let mut search = Self { by_beginning: BTreeMap::new(), filter: Vec::new() };
        for pattern in patterns {
            let Some(beginning) = pattern.as_ref().first_chunk::<BEGINNING>().copied() else { continue };
            if search.filter.is_empty() {
                search.filter = vec![0; 1 << (FILTER_BITS - 6)];
            }
            let (word, bit) = slot(beginning);
            if let Some(word) = search.filter.get_mut(word) {
                *word |= bit;
            }
            search.by_beginning.entry(beginning).or_default().push(pattern);
        }
        search
    }

    /// Where the first of the patterns stands.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        if self.by_beginning.is_empty() {
            return None;
        }
        bytes.windows(BEGINNING).enumerate().find_map(|(at, window)| {
            let beginning = window.first_chunk::<BEGINNING>()?;
            let (word, bit) = slot(*beginning);
            if self.filter.get(word).is_none_or(|word| word & bit == 0) {
                return None;
            }
            let here = bytes.get(at..)?;
            let patterns = self.by_beginning.get(beginning)?;
            patterns.iter().any(|pattern| here.starts_with(pattern.as_ref())).then_some(at)
        })
    }
}

/// The filter's word and bit for a beginning.
fn slot(beginning: [u8; BEGINNING]) -> (usize, u64) {
    let hash = u32::from_le_bytes(beginning).wrapping_mul(0x9e37_79b1) >> (32 - FILTER_BITS);
    ((hash / 64) as usize, 1 << (hash % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_comparing_everywhere(
            patterns in proptest::collection::btree_set(proptest::collection::vec(0..3_u8, BEGINNING..12), 0..8),
            bytes in proptest::collection::vec(0..3_u8, 0..60),
        ) {
            let first = (0..bytes.len()).find(|at| patterns.iter().any(|pattern| bytes[*at..].starts_with(pattern)));
            prop_assert_eq!(Search::of(&patterns).find(&bytes), first);
        }
    }
}
