//! Keys that come back, and keys that go too early: for defects alone.

use super::super::ids::Ids;
use super::Vault;
use super::store::{KyberPrekeys, OneTimePrekeys, SignedPrekeys};
use countersign_contract::UserId;
use libsignal_protocol::IdentityKeyPair;

/// A week in milliseconds.
const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// What a backup of the keys holds.
pub(crate) struct Backup {
    own: IdentityKeyPair,
    registration_id: u32,
    one_time: OneTimePrekeys,
    signed: SignedPrekeys,
    kyber: KyberPrekeys,
    ids: Ids,
}

impl Vault {
    /// Copies the keys as they are.
    pub(crate) fn back_up(&self) -> Backup {
        Backup {
            own: self.identities.own,
            registration_id: self.identities.registration_id,
            one_time: self.one_time.clone(),
            signed: self.signed.clone(),
            kyber: self.kyber.clone(),
            ids: self.ids.clone(),
        }
    }

    /// Takes the keys of a backup in place of its own.
    pub(crate) fn restore(&mut self, backup: Backup) {
        (self.identities.own, self.identities.registration_id) = (backup.own, backup.registration_id);
        (self.one_time, self.signed, self.kyber) = (backup.one_time, backup.signed, backup.kyber);
        self.ids = backup.ids;
    }

    /// For the defect `loses-skipped-keys-on-return`.
    pub(crate) fn lose_skipped(&mut self) {
        self.counters.lose_skipped();
    }

    /// Deletes prekeys that were replaced a week ago.
    pub(crate) fn forget_replaced(&mut self, clock: u64) {
        for (id, at) in &self.replaced {
            if clock.saturating_sub(*at) >= WEEK_MS {
                self.signed.keys.remove(id);
                self.kyber.keys.remove(id);
            }
        }
    }

    /// Whether anything is known of a peer.
    pub(crate) fn has_met(&self, peer: UserId) -> bool {
        self.identities.peer(&peer.to_string()).is_some()
    }
}
