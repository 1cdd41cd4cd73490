//! How far each of a peer's chains was read.

use crate::defect::{Defect, Defects};
use countersign_contract::{Reason, UserId};
use std::collections::BTreeMap;

/// How many ciphertexts, ratchet keys and sessions are remembered, each: bounds what a flood of messages can fill.
pub(super) const REMEMBERED: usize = 4096;
/// Keys of skipped messages that the defect `stops-after-gap` keeps.
const KEPT_BY_STOPS_AFTER_GAP: u32 = 3;
/// Keys of skipped messages that the defect `stops-after-long-gap` keeps.
const KEPT_BY_STOPS_AFTER_LONG_GAP: u32 = 256;
/// Keys of skipped messages that the defect `stops-after-far-gap` keeps.
const KEPT_BY_STOPS_AFTER_FAR_GAP: u32 = 5_000;
/// Chains of a peer that the defect `keeps-few-chains` keeps.
const FEW_CHAINS: usize = 3;

/// A chain of a peer.
type Chain = (UserId, Box<[u8]>);

/// Peers' ratchet keys under which something was decrypted, with the highest counter.
#[derive(Clone, Default)]
pub(super) struct Counters {
    highest: BTreeMap<Chain, u32>,
    /// Up to which counter the keys of skipped messages are gone: for the defect `loses-skipped-keys-on-return`.
    lost: BTreeMap<Chain, u32>,
    /// For the defect `keeps-few-chains`: the order in which chains were begun.
    begun: Vec<Chain>,
}

impl Counters {
    /// The defects that refuse what is merely out of order.
    pub(super) fn check(&self, from: UserId, ratchet_key: Box<[u8]>, counter: u32, defects: &dyn Defects) -> Result<(), Reason> {
        let chain = (from, ratchet_key);
        let highest = self.highest.get(&chain).copied();
        let late = highest.is_some_and(|highest| counter < highest);
        let skipped = counter.saturating_sub(highest.map_or(0, |highest| highest.saturating_add(1)));
        let too_far = skipped > KEPT_BY_STOPS_AFTER_GAP && defects.has(Defect::StopsAfterGap)
            || skipped > KEPT_BY_STOPS_AFTER_LONG_GAP && defects.has(Defect::StopsAfterLongGap)
            || skipped > KEPT_BY_STOPS_AFTER_FAR_GAP && defects.has(Defect::StopsAfterFarGap)
            || defects.has(Defect::KeepsFewChains) && self.newer(&chain) >= FEW_CHAINS;
        let lost = self.lost.get(&chain).is_some_and(|lost| counter < *lost);
        if too_far || lost || (late && defects.has(Defect::DropsLateMessages)) {
            return Err(Reason::TooOld);
        }
        Ok(())
    }

    /// The defects that refuse what is merely out of order in a session that was not answered yet.
    pub(super) fn check_first(
        &self,
        from: UserId,
        ratchet_key: Box<[u8]>,
        counter: u32,
        defects: &dyn Defects,
    ) -> Result<(), Reason> {
        let Some(highest) = self.highest.get(&(from, ratchet_key)) else { return Ok(()) };
        let skipped = counter.saturating_sub(highest.saturating_add(1));
        if counter < *highest && defects.has(Defect::RefusesLateFirstMessages) {
            Err(Reason::Duplicate)
        } else if skipped > KEPT_BY_STOPS_AFTER_GAP && defects.has(Defect::StopsAfterGapBeforeAnswer) {
            Err(Reason::TooOld)
        } else {
            Ok(())
        }
    }

    /// How many chains the same peer has begun since this one.
    fn newer(&self, chain: &Chain) -> usize {
        let since = self.begun.iter().skip_while(|begun| *begun != chain).skip(1);
        since.filter(|(of, _)| *of == chain.0).count()
    }

    /// Takes note of a message that was decrypted.
    pub(super) fn note(&mut self, from: UserId, ratchet_key: Box<[u8]>, counter: u32) {
        if self.highest.len() >= REMEMBERED {
            self.highest.pop_first();
        }
        let chain = (from, ratchet_key);
        if !self.highest.contains_key(&chain) {
            if self.begun.len() >= REMEMBERED {
                self.begun.remove(0);
            }
            self.begun.push(chain.clone());
        }
        let highest = self.highest.entry(chain).or_insert(0);
        *highest = (*highest).max(counter);
    }

    /// Writes it out as it is stored.
    pub(super) fn write(&self, written: &mut super::written::Written) {
        for ((from, ratchet_key), highest) in &self.highest {
            written.text(&from.to_string()).bytes(ratchet_key).number(*highest);
        }
    }

    /// Whether anything was decrypted under this ratchet key.
    pub(super) fn know(&self, from: UserId, ratchet_key: Box<[u8]>) -> bool {
        self.highest.contains_key(&(from, ratchet_key))
    }

    /// Loses the keys of all messages that were skipped so far: for the defect `loses-skipped-keys-on-return`.
    pub(super) fn lose_skipped(&mut self) {
        self.lost.clone_from(&self.highest);
    }
}
