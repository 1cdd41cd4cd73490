//! Looking for many patterns at once, in little time and after little preparation: both are done for each instance.
//!
//! Patterns are told apart by their first bytes. A filter of one bit for each hash of those decides most positions with one look;
//! an automaton for hundreds of patterns took longer to make than everything else that is judged.

/// Bytes by which patterns are told apart. Shorter patterns are not looked for.
const BEGINNING: usize = 4;
/// The filter has two to the power of this many bits: 32 KiB, which the nearest cache holds.
const FILTER_BITS: u32 = 18;
/// Patterns are kept in two to the power of this many chains, by the first bits of the same hash.
const CHAIN_BITS: u32 = 10;
/// The end of a chain.
const NONE: u32 = u32::MAX;

/// Patterns to look for.
pub(crate) struct Search<P> {
    /// Each with its beginning, and the one before it in its chain.
    patterns: Vec<([u8; BEGINNING], u32, P)>,
    /// The last pattern of each chain.
    chains: Vec<u32>,
    filter: Vec<u64>,
}

impl<P: AsRef<[u8]>> Search<P> {
    /// Makes ready to look for these patterns, each of at least four bytes. One that is given twice costs little more than once.
    pub(crate) fn of(patterns: impl IntoIterator<Item = P>) -> Self {
        let mut search = Self { patterns: Vec::new(), chains: Vec::new(), filter: Vec::new() };
        for pattern in patterns {
            let Some(beginning) = pattern.as_ref().first_chunk::<BEGINNING>().copied() else { continue };
            if search.filter.is_empty() {
                search.filter = vec![0; 1 << (FILTER_BITS - 6)];
                search.chains = vec![NONE; 1 << CHAIN_BITS];
            }
            let Slot { word, bit, chain } = Slot::of(beginning);
            let Ok(number) = u32::try_from(search.patterns.len()) else { break };
            if let (Some(word), Some(chain)) = (search.filter.get_mut(word), search.chains.get_mut(chain)) {
                *word |= bit;
                let before = std::mem::replace(chain, number);
                search.patterns.push((beginning, before, pattern));
            }
        }
        search
    }

    /// Where the first of the patterns stands.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        if self.patterns.is_empty() {
            return None;
        }
        bytes.windows(BEGINNING).enumerate().find_map(|(at, window)| {
            let beginning = *window.first_chunk::<BEGINNING>()?;
            let Slot { word, bit, chain } = Slot::of(beginning);
            if self.filter.get(word).is_none_or(|word| word & bit == 0) {
                return None;
            }
            let here = bytes.get(at..)?;
            let mut next = *self.chains.get(chain)?;
            while let Some((begins, before, pattern)) = self.patterns.get(next as usize) {
                if *begins == beginning && here.starts_with(pattern.as_ref()) {
                    return Some(at);
                }
                next = *before;
            }
            None
        })
    }
}

/// Where a beginning belongs.
struct Slot {
    /// The filter's word.
    word: usize,
    /// The bit of that word.
    bit: u64,
    chain: usize,
}

impl Slot {
    fn of(beginning: [u8; BEGINNING]) -> Self {
        let hash = u32::from_le_bytes(beginning).wrapping_mul(0x9e37_79b1);
        let filtered = hash >> (32 - FILTER_BITS);
        Self { word: (filtered / 64) as usize, bit: 1 << (filtered % 64), chain: (hash >> (32 - CHAIN_BITS)) as usize }
    }
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
