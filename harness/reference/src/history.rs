//! Which messages were received: enough to say of a refused one whether it is a repetition.

use std::collections::BTreeMap;

/// The counters received under each ratchet key of each peer, as ranges: a message adds one range at most.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(BTreeMap<Vec<u8>, BTreeMap<u32, u32>>);

impl History {
    /// Notes a received message.
    pub(crate) fn insert(&mut self, ratchet_key: &[u8], counter: u32) {
        if self.contains(ratchet_key, counter) {
            return;
        }
        if !self.0.contains_key(ratchet_key) {
            self.0.insert(ratchet_key.to_vec(), BTreeMap::new());
        }
        let Some(ranges) = self.0.get_mut(ratchet_key) else { return };
        let joined_end = counter.checked_add(1).and_then(|next| ranges.remove(&next)).unwrap_or(counter);
        let before = ranges.range_mut(..counter).next_back();
        match before {
            Some((_, end)) if end.checked_add(1) == Some(counter) => *end = joined_end,
            _ => {
                ranges.insert(counter, joined_end);
            }
        }
    }

    /// Whether a message was received before.
    pub(crate) fn contains(&self, ratchet_key: &[u8], counter: u32) -> bool {
        let Some(ranges) = self.0.get(ratchet_key) else { return false };
        ranges.range(..=counter).next_back().is_some_and(|(_, end)| counter <= *end)
    }

    /// The first counter after all that were received under this ratchet key; 0 if none was.
    pub(crate) fn next(&self, ratchet_key: &[u8]) -> u32 {
        let last = self.0.get(ratchet_key).and_then(|ranges| ranges.last_key_value());
        last.map_or(0, |(_, end)| end.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn ranges_agree_with_a_set(counters in proptest::collection::vec(prop_oneof![0..40_u32, Just(u32::MAX), Just(u32::MAX - 1)], 0..60)) {
            let (mut history, mut set) = (History::default(), BTreeSet::new());
            for counter in counters {
                prop_assert_eq!(history.contains(b"k", counter), set.contains(&counter));
                history.insert(b"k", counter);
                set.insert(counter);
                prop_assert_eq!(history.next(b"k"), set.last().unwrap().saturating_add(1));
            }
            for counter in 0..41 {
                prop_assert_eq!(history.contains(b"k", counter), set.contains(&counter));
                prop_assert!(!history.contains(b"another", counter));
            }
        }
    }
}
