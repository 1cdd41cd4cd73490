//! The suite `signal-pq`, on official Signal code.

mod backup;
mod bundle;
mod forged;
mod groups;
mod import;
mod misread;
mod open;
mod publish;
mod ratchet;
mod seal;
mod sealed;
mod state;
mod store;
mod unchecked;
mod unsealed;
mod view;
mod weaker;

pub(crate) use backup::Backup;
#[cfg(test)]
pub(crate) use forged::forge_previous_counter;
pub(crate) use forged::{first_bytes, has_whole_blocks, lacks_ciphertext};

use super::counters::{Counters, REMEMBERED};
use super::identities::Identities;
use super::ids::Ids;
pub(crate) use super::points::is_low_order;
use crate::defect::Defects;
use countersign_contract::portable::DEVICE;
use countersign_contract::{Reason, UserId};
use futures_util::FutureExt as _;
use libsignal_protocol::{DeviceId, IdentityKeyPair, ProtocolAddress, SignalProtocolError};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use store::{KyberPrekeys, OneTimePrekeys, Sessions, SignedPrekeys};

/// Everything secret of a user.
#[derive(Clone)]
pub(crate) struct Vault {
    user: UserId,
    rng: StdRng,
    identities: Identities,
    sessions: Sessions,
    one_time: OneTimePrekeys,
    signed: SignedPrekeys,
    kyber: KyberPrekeys,
    ids: Ids,
    /// Digests of the ciphertexts that this user made: what comes back is not a message to the user.
    own: BTreeSet<[u8; 32]>,
    counters: Counters,
    /// What surrounded the first message of a session that a peer started, by its base key.
    surroundings: BTreeMap<(UserId, Box<[u8]>), view::Surroundings>,
    /// For the defects that work on a stale copy of a session.
    stale: BTreeMap<UserId, Vec<libsignal_protocol::SessionRecord>>,
    writes: u32,
    /// For the defect `loses-one-session-write`: each session as it was before the last message, and whether one was lost.
    before_last: BTreeMap<String, libsignal_protocol::SessionRecord>,
    lost: bool,
    /// Prekeys that were replaced, and when: for the defect `forgets-prekeys-after-a-week`.
    replaced: Vec<(u32, u64)>,
    /// Peers with whom it began a session, for the defects that lose the progress of the post-quantum ratchet.
    begun: BTreeSet<UserId>,
    /// Base keys that a first message named: for the defect `sets-up-once`.
    set_up: BTreeSet<Vec<u8>>,
    /// For the defect `notes-before-checking`: the place in its chain of the last message of each peer.
    touched: BTreeMap<UserId, Vec<u8>>,
    /// For the defects `logs-message-keys` and `keeps-all-skipped-keys`.
    key_log: Vec<[u8; 32]>,
    groups: groups::GroupKeys,
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
            sessions: Sessions::default(),
            one_time: OneTimePrekeys { keys: BTreeMap::new(), used: BTreeMap::new(), defects: defects.clone() },
            signed: SignedPrekeys { keys: BTreeMap::new(), current: 0, defects: defects.clone() },
            kyber: KyberPrekeys::new(defects.clone()),
            ids,
            own: BTreeSet::new(),
            counters: Counters::default(),
            surroundings: BTreeMap::new(),
            stale: BTreeMap::new(),
            writes: 0,
            before_last: BTreeMap::new(),
            lost: false,
            replaced: Vec::new(),
            begun: BTreeSet::new(),
            set_up: BTreeSet::new(),
            touched: BTreeMap::new(),
            key_log: Vec::new(),
            groups: groups::GroupKeys::default(),
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
}

/// The libsignal address of a user: the UUID and device 1.
fn address(user: UserId) -> Result<ProtocolAddress, Reason> {
    let device = u8::try_from(DEVICE).ok().and_then(|d| DeviceId::new(d).ok()).ok_or(Reason::Internal)?;
    Ok(ProtocolAddress::new(user.to_string(), device))
}

/// Runs a libsignal operation, which never suspends on our stores. Should it panic on what a peer sent, that is an error like any
/// other: libsignal stores nothing before it is through.
pub(crate) fn run<T>(operation: impl Future<Output = Result<T, SignalProtocolError>>) -> Result<T, SignalProtocolError> {
    let outcome = catch_unwind(AssertUnwindSafe(|| operation.now_or_never()));
    let Ok(outcome) = outcome else { return Err(SignalProtocolError::InvalidState("libsignal", "panicked".into())) };
    outcome.unwrap_or(Err(SignalProtocolError::InvalidState("store", "suspended".into())))
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The reason for an error of libsignal that says by itself what was wrong with a message.
fn reason_of(error: &SignalProtocolError) -> Option<Reason> {
    use SignalProtocolError as E;
    Some(match error {
        E::InvalidProtobufEncoding | E::CiphertextMessageTooShort(_) | E::BadKEMCiphertextLength(..) => Reason::Malformed,
        E::BadKEMKeyType(_) | E::WrongKEMKeyType(..) | E::BadKEMKeyLength(..) => Reason::BadKey,
        E::NoKeyTypeIdentifier | E::BadKeyType(_) | E::BadKeyLength(..) => Reason::BadKey,
        E::LegacyCiphertextVersion(_) | E::UnrecognizedCiphertextVersion(_) | E::UnrecognizedMessageVersion(_) => {
            Reason::BadVersion
        }
        E::SignatureValidationFailed => Reason::BadSignature,
        E::UntrustedIdentity(_) => Reason::UntrustedIdentity,
        E::InvalidPreKeyId | E::InvalidSignedPreKeyId | E::InvalidKyberPreKeyId => Reason::UnknownPrekey,
        E::SessionNotFound(_) => Reason::NoSession,
        E::DuplicatedMessage(..) => Reason::Duplicate,
        _ => return None,
    })
}
