//! Keys that come back, and keys that go too early: for defects alone.

use super::super::ids::Ids;
use super::Vault;
use super::store::{KyberPrekeys, OneTimePrekeys, SignedPrekeys};
use super::view::{self, member, with_member};
use crate::defect::Defect;
use countersign_contract::UserId;
use libsignal_protocol::{IdentityKeyPair, SessionRecord};

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

    /// For the defect `refills-by-own-count`.
    pub(crate) fn one_time_prekeys_left(&self) -> usize {
        self.one_time.keys.len()
    }

    /// For the defect `never-stores-pq-progress`, and those of one party's sessions: of a message that was read, the post-quantum ratchet keeps where its chain stands, and
    /// nothing of what the message brought for the next epoch.
    pub(super) fn lose_pq_progress(&mut self, from: UserId, before: Option<&SessionRecord>) {
        let whose = if self.begun.contains(&from) {
            Defect::LosesPqProgressOfOwnSessions
        } else {
            Defect::LosesPqProgressOfPeersSessions
        };
        if !self.defects.has(Defect::NeverStoresPqProgress) && !self.defects.has(whose) {
            return;
        }
        let Some(now) = self.sessions.0.get_mut(&from.to_string()) else { return };
        if let Some(record) = before.and_then(|before| without_progress(now, before)) {
            *now = record;
        }
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

/// Members of libsignal's records, by their numbers.
const CURRENT_SESSION: u32 = 1;
const PQ_RATCHET_STATE: u32 = 15;
/// The part of the post-quantum ratchet's state that works towards the next epoch.
const PROGRESS: u32 = 3;

/// The record with the progress that the same session had before.
fn without_progress(now: &SessionRecord, before: &SessionRecord) -> Option<SessionRecord> {
    let same = |record: &SessionRecord| view::Record::of(record)?.current.map(|session| session.alice_base_key);
    if same(now)? != same(before)? {
        return None;
    }
    let (now, before) = (now.serialize().ok()?, before.serialize().ok()?);
    let state = member(member(&before, CURRENT_SESSION)?, PQ_RATCHET_STATE)?;
    let progress = member(state, PROGRESS)?;
    let session = member(&now, CURRENT_SESSION)?;
    let state = with_member(member(session, PQ_RATCHET_STATE)?, PROGRESS, progress)?;
    let session = with_member(session, PQ_RATCHET_STATE, &state)?;
    SessionRecord::deserialize(&with_member(&now, CURRENT_SESSION, &session)?).ok()
}
