//! A chain that messages are received in, in any order: the same for pairwise chains and for sender keys.

use crate::kdf::ChainKey;
use crate::refusal::Refusal;
use crate::secret::Secret32;
use crate::session::{FURTHEST_AHEAD, MOST_SKIPPED};
use countersign_contract::Reason;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A chain, and the keys of what was skipped in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReceivingChain {
    next: ChainKey,
    /// Number and seed of messages that have not come yet, oldest first.
    skipped: VecDeque<(u32, Secret32)>,
}

impl ReceivingChain {
    pub(crate) const fn new(next: ChainKey) -> Self {
        Self { next, skipped: VecDeque::new() }
    }

    /// The chain key of a message, if the chain stands there.
    pub(crate) fn key_at(&self, counter: u32) -> Option<Secret32> {
        (self.next.index == counter).then_some(self.next.key)
    }

    /// The seed of one message's keys; the chain moves past it.
    ///
    /// # Errors
    /// `duplicate` if no key is kept (any more), `too-old` if the message lies too far ahead, or at the end of all numbers.
    pub(crate) fn seed_of(&mut self, counter: u32) -> Result<Secret32, Refusal> {
        let at = self.next.index;
        if counter < at {
            let kept =
                self.skipped.iter().position(|(number, _)| *number == counter).and_then(|place| self.skipped.remove(place));
            let none =
                || Refusal::new(Reason::Duplicate, format!("no key is kept for message {counter}, and the chain is at {at}"));
            return kept.map(|(_, seed)| seed).ok_or_else(none);
        }
        let ahead = counter - at;
        if ahead > FURTHEST_AHEAD {
            return Err(Refusal::new(Reason::TooOld, format!("{ahead} messages ahead")));
        }
        if counter == u32::MAX {
            return Err(Refusal::new(Reason::TooOld, "a chain does not go on to this number"));
        }
        while self.next.index < counter {
            // Of the oldest ones no key would be kept anyway.
            if (counter - self.next.index) as usize <= MOST_SKIPPED {
                self.skipped.push_back((self.next.index, self.next.seed()));
            }
            self.next.step();
        }
        let excess = self.skipped.len().saturating_sub(MOST_SKIPPED);
        self.skipped.drain(..excess);
        let seed = self.next.seed();
        self.next.step();
        Ok(seed)
    }
}
