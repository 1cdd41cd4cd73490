//! The ids of a user's prekeys.

use crate::defect::{Defect, Defects};
use rand::Rng as _;
use rand::rngs::StdRng;

/// Gives each prekey of a user, of any kind, an id that none had before.
#[derive(Clone)]
pub(super) struct Ids {
    next: u32,
    first: u32,
    /// How many batches of one-time prekeys were made, for the defect `refills-with-used-ids`.
    batches: u32,
}

impl Ids {
    /// Ids start anywhere, so that nobody can tell from one how many keys there were before.
    pub(super) fn new(rng: &mut StdRng) -> Self {
        let first = rng.random_range(1..=0x00ff_ffff);
        Self { next: first, first, batches: 0 }
    }

    /// An id that none of this user's keys had before, of any kind.
    pub(super) fn fresh(&mut self) -> u32 {
        let id = self.next;
        // 31 bits, since libsignal keeps the ids of a pending session in a signed field. The first id has 24.
        self.next = id.wrapping_add(1) & 0x7fff_ffff;
        id
    }

    /// Says that a batch of `count` one-time prekeys is about to be made.
    pub(super) fn begin_batch(&mut self, count: u32, defects: &dyn Defects) {
        self.batches += u32::from(count > 0);
        // Enlistment makes the first batch, the first refill the second.
        if self.batches > 2 && defects.has(Defect::RefillsWithUsedIds) {
            self.next = self.first;
        }
    }

    /// Keeps clear of ids that came in with imported keys.
    pub(super) fn start_after(&mut self, imported: impl Iterator<Item = u32>) {
        self.next = imported.max().unwrap_or_default().wrapping_add(1) & 0x7fff_ffff;
        self.first = self.next;
    }
}
