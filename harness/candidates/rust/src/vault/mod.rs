//! A user's keys and sessions, and what is done with them. Nothing in here waits for anything.

mod backup;
mod bundle;
mod forged;
mod open;
mod publish;
mod ratchet;
mod seal;
mod store;
mod unchecked;
mod view;

pub(crate) use backup::Backup;
pub(crate) use bundle::Started;
#[cfg(test)]
pub(crate) use forged::forge_previous_counter;
pub(crate) use open::Opened;
pub(crate) use seal::Readiness;

use crate::defect::Defects;
use countersign_contract::portable::{DEVICE, SAFETY_NUMBER_ITERATIONS, SAFETY_NUMBER_VERSION};
use countersign_contract::{Reason, UserId};
use futures_util::FutureExt as _;
use libsignal_protocol::{DeviceId, Fingerprint, IdentityKeyPair, ProtocolAddress, PublicKey, SignalProtocolError};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use store::{Identities, KyberPrekeys, OneTimePrekeys, Sessions, SignedPrekeys};

/// How many ciphertexts, ratchet keys and sessions are remembered, each: bounds what a flood of messages can fill.
const REMEMBERED: usize = 4096;

/// Everything secret of a user.
pub(crate) struct Vault {
    user: UserId,
    rng: StdRng,
    identities: Identities,
    sessions: Sessions,
    one_time: OneTimePrekeys,
    signed: SignedPrekeys,
    kyber: KyberPrekeys,
    next_id: u32,
    first_id: u32,
    /// Digests of the ciphertexts that this user made: what comes back is not a message to the user.
    own: BTreeSet<[u8; 32]>,
    /// Peers' ratchet keys under which something was decrypted, with the highest counter.
    ratchets: BTreeMap<(UserId, Box<[u8]>), u32>,
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
    /// Base keys that a first message named: for the defect `sets-up-once`.
    set_up: BTreeSet<Vec<u8>>,
    /// How many batches of one-time prekeys were made, for the defect `refills-with-used-ids`.
    batches: u32,
    defects: Arc<dyn Defects>,
}

impl Vault {
    /// New keys from the randomness of the operating system.
    pub(crate) fn new(user: UserId, defects: Arc<dyn Defects>) -> Self {
        let mut rng = StdRng::from_os_rng();
        let own = IdentityKeyPair::generate(&mut rng);
        let registration_id = rng.random_range(1..=16380);
        // Ids start anywhere, so that nobody can tell from one how many keys there were before.
        let first_id = rng.random_range(1..=0x00ff_ffff);
        Self {
            user,
            rng,
            identities: Identities::new(own, registration_id, defects.clone()),
            sessions: Sessions::default(),
            one_time: OneTimePrekeys { keys: BTreeMap::new(), used: BTreeMap::new(), defects: defects.clone() },
            signed: SignedPrekeys { keys: BTreeMap::new(), current: 0, defects: defects.clone() },
            kyber: KyberPrekeys::new(defects.clone()),
            next_id: first_id,
            first_id,
            own: BTreeSet::new(),
            ratchets: BTreeMap::new(),
            surroundings: BTreeMap::new(),
            stale: BTreeMap::new(),
            writes: 0,
            before_last: BTreeMap::new(),
            lost: false,
            replaced: Vec::new(),
            set_up: BTreeSet::new(),
            batches: 0,
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
        let theirs = self.identities.peer(&peer.to_string())?.latest;
        let own = self.identities.own.identity_key();
        let (me, them) = (self.user.0.as_bytes().as_slice(), peer.0.as_bytes().as_slice());
        let number = |id: &[u8], key| {
            let print = Fingerprint::new(SAFETY_NUMBER_VERSION, SAFETY_NUMBER_ITERATIONS, me, own, id, key).ok()?;
            print.display_string().ok()
        };
        if self.defects.has(crate::Defect::SafetyNumberOfOneKey) {
            // Against itself a user's number is its own half, twice.
            let both = number(them, &theirs)?;
            let mine = number(me, own)?.get(..30)?.to_owned();
            let theirs = if both.starts_with(&mine) { both.get(30..)? } else { both.get(..30)? };
            return Some(format!("{mine}{theirs}"));
        }
        number(them, &theirs)
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

/// Whether every agreement with this key gives zero (RFC 7748, section 6.1). libsignal accepts such keys: it asks neither here nor
/// in `process_prekey_bundle`, and a session made with one holds less secret than it should.
pub(crate) fn is_low_order(key: &PublicKey) -> bool {
    let Some(mut u) = key.public_key_bytes().first_chunk::<32>().copied() else { return true };
    // X25519 masks the top bit.
    u[31] &= 0x7f;
    // The points of order 1, 2, 4 and 8, with the second spellings of 0 and 1 (the list of small-order points at
    // <https://cr.yp.to/ecdh.html>). Comparing costs nothing beside an agreement, and each message brings a key.
    let small = |first: u8, filling: u8, last: u8| u[0] == first && u[31] == last && u[1..31].iter().all(|byte| *byte == filling);
    small(0, 0, 0)
        || small(1, 0, 0)
        || (0xec..=0xee).any(|first| small(first, 0xff, 0x7f))
        || u == *b"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00"
        || u == *b"\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57"
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

#[cfg(test)]
mod tests {
    use super::*;
    use libsignal_protocol::PrivateKey;
    use proptest::prelude::*;

    /// Any scalar will do: clamping makes each a multiple of the cofactor.
    fn agrees_on_nothing(key: &PublicKey) -> bool {
        let any = PrivateKey::deserialize(&[0x42; 32]).unwrap();
        any.calculate_agreement(key).unwrap().iter().all(|byte| *byte == 0)
    }

    fn as_the_agreement_says(u: [u8; 32]) {
        let key = PublicKey::from_djb_public_key_bytes(&u).unwrap();
        assert_eq!(is_low_order(&key), agrees_on_nothing(&key), "{u:02x?}");
    }

    #[test]
    fn small_order_points_are_those_that_agree_on_nothing() {
        for (filling, last) in [(0, 0), (0, 0x80), (0xff, 0x7f), (0xff, 0xff)] {
            for first in 0..=255 {
                let mut u = [filling; 32];
                (u[0], u[31]) = (first, last);
                as_the_agreement_says(u);
            }
        }
        let order_8 = [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ];
        for digits in order_8 {
            let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
            let u: [u8; 32] = std::array::from_fn(byte);
            assert!(is_low_order(&PublicKey::from_djb_public_key_bytes(&u).unwrap()));
            as_the_agreement_says(u);
        }
    }

    proptest! {
        #[test]
        fn any_point_is_judged_as_the_agreement_judges_it(u in any::<[u8; 32]>()) {
            as_the_agreement_says(u);
        }
    }
}
