//! The suite `signal-classic`: X3DH and the Double Ratchet, message version 3, from Signal's published specifications.
//!
//! Official Rust code refuses version 3, and a sample that spoke it with the harness's own stack would have the reference tested
//! against itself; so the protocol is written here once more, and shares nothing with that stack. Keys, agreement and signatures are
//! libsignal's, the ciphers and hashes RustCrypto's.

mod agreement;
mod bundle;
mod chain;
mod message;
mod open;
mod prekeys;
mod seal;
mod session;
mod state;
#[cfg(test)]
mod tests;
mod weaker;

pub(super) use chain::hmac;
pub(crate) use prekeys::Backup;
pub(super) use weaker::read_alone;

use super::counters::Counters;
use super::identities::Identities;
use super::ids::Ids;
use super::points::is_low_order;
use crate::defect::Defects;
use countersign_contract::UserId;
use libsignal_protocol::{IdentityKeyPair, PublicKey};
use message::Surroundings;
use prekeys::Prekeys;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use session::Record;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything secret of a user.
#[derive(Clone)]
pub(crate) struct Vault {
    user: UserId,
    rng: StdRng,
    identities: Identities,
    sessions: BTreeMap<UserId, Record>,
    prekeys: Prekeys,
    ids: Ids,
    /// Digests of the ciphertexts that this user made: what comes back is not a message to the user.
    own: BTreeSet<[u8; 32]>,
    counters: Counters,
    /// What surrounded the first message of a session that a peer started, by its base key.
    surroundings: BTreeMap<(UserId, PublicKey), Surroundings>,
    /// For the defects `replays-later-message` and `keeps-old-sessions`.
    stale: BTreeMap<UserId, Vec<Record>>,
    /// How often a session was written, for the defect `loses-one-session-write`.
    writes: u32,
    /// For the same: each session as it was before the last message, and whether one was lost.
    before_last: BTreeMap<UserId, Record>,
    lost: bool,
    /// Base keys that a first message named: for the defect `sets-up-once`.
    set_up: BTreeSet<PublicKey>,
    /// For the defect `notes-before-checking`: the place in its chain of the last message of each peer.
    touched: BTreeMap<UserId, Vec<u8>>,
    /// For the defects `logs-message-keys` and `keeps-all-skipped-keys`.
    key_log: Vec<[u8; 32]>,
    defects: Arc<dyn Defects>,
}

impl Vault {
    /// New keys from the randomness of the operating system.
    pub(crate) fn new(user: UserId, defects: Arc<dyn Defects>) -> Self {
        let mut rng = StdRng::from_os_rng();
        let own = IdentityKeyPair::generate(&mut rng);
        let registration_id = rng.random_range(1..=16380);
        let ids = Ids::new(&mut rng);
        Self {
            user,
            rng,
            identities: Identities::new(own, registration_id, defects.clone()),
            sessions: BTreeMap::new(),
            prekeys: Prekeys::default(),
            ids,
            own: BTreeSet::new(),
            counters: Counters::default(),
            surroundings: BTreeMap::new(),
            stale: BTreeMap::new(),
            writes: 0,
            before_last: BTreeMap::new(),
            lost: false,
            set_up: BTreeSet::new(),
            touched: BTreeMap::new(),
            key_log: Vec::new(),
            defects,
        }
    }

    /// The user's identity key, 33 bytes.
    pub(crate) fn identity_key(&self) -> Vec<u8> {
        self.identities.own.identity_key().serialize().into_vec()
    }

    /// The user accepts the peer's latest identity key. False if none is known.
    pub(crate) fn accept(&mut self, peer: UserId) -> bool {
        self.identities.accept(&peer.to_string())
    }

    /// The 60 digits that both users read; `None` if the peer's identity is not known.
    pub(crate) fn safety_number(&self, peer: UserId) -> Option<String> {
        self.identities.safety_number(self.user, peer)
    }

    /// Whether anything is known of a peer.
    pub(crate) fn has_met(&self, peer: UserId) -> bool {
        self.identities.peer(&peer.to_string()).is_some()
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
