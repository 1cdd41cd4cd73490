//! Keys of a user, as they are published; identities of peers.

use super::{ReferenceUser, store_name};
use crate::refusal::Refusal;
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{Enlist, MOST_PREKEYS, PublishKeys, SAFETY_NUMBER_ITERATIONS, SAFETY_NUMBER_VERSION};
use countersign_contract::{Bytes, Reason, UserId};
use libsignal_protocol::Fingerprint;
use rand::RngCore as _;

impl ReferenceUser {
    /// What the user enlists with: its current signed prekeys and the one-time prekeys that are not used up, 100 of a kind at most.
    #[must_use]
    pub fn enlistment(&self) -> Enlist {
        let keys = self.stack.get().public_keys();
        let (mut one_time_prekeys, mut one_time_kyber_prekeys) = (keys.one_time, keys.one_time_kyber);
        one_time_prekeys.truncate(MOST_PREKEYS);
        one_time_kyber_prekeys.truncate(MOST_PREKEYS);
        Enlist {
            user: self.config.user,
            registration_id: keys.registration_id,
            identity_key: Bytes(self.identity_key()),
            signed_prekey: keys.signed,
            kyber_prekey: keys.last_resort,
            one_time_prekeys,
            one_time_kyber_prekeys,
        }
    }

    /// The private halves of this user's keys, for a user of the candidate to enlist with in its place; on our own stack alone.
    #[must_use]
    pub fn private_keys(&self) -> Option<ImportedKeys> {
        self.stack.get().private_keys()
    }

    /// A new batch of `count` one-time prekeys, 100 at most; as many Kyber ones if the user publishes those.
    pub fn refill(&mut self, count: u32) -> PublishKeys {
        let mut rng = self.next_draw();
        self.stack.get_mut().add_one_time(count, self.config.publishes_one_time_kyber, &mut rng)
    }

    /// A new signed prekey, a new last-resort Kyber prekey, and new one-time prekeys, as asked for. The former ones stay usable.
    pub fn rotate(&mut self, signed: bool, kyber: bool, one_time: u32) -> PublishKeys {
        let mut rng = self.next_draw();
        let publishes_kyber = self.config.publishes_one_time_kyber;
        let stack = self.stack.get_mut();
        let signed_prekey = signed.then(|| stack.renew_signed(&mut rng));
        let kyber_prekey = if kyber { stack.renew_last_resort(&mut rng) } else { None };
        let batch = stack.add_one_time(one_time, publishes_kyber, &mut rng);
        PublishKeys { signed_prekey, kyber_prekey, ..batch }
    }

    /// The user installs the messenger anew: new identity, registration id and keys, no session, no memory of anyone.
    pub fn reinstall(&mut self) {
        let mut rng = self.next_draw();
        self.stack = self.config.install(&mut rng);
        self.received.clear();
        self.sent_ratchet_keys.clear();
        self.groups = super::groups::GroupState::default();
    }

    /// The user's identity key, 33 bytes.
    #[must_use]
    pub fn identity_key(&self) -> Vec<u8> {
        self.stack.get().identity().map(|key| key.serialize().into_vec()).unwrap_or_default()
    }

    /// The newest identity key known of a peer, accepted or not, 33 bytes.
    #[must_use]
    pub fn known_identity(&self, peer: UserId) -> Option<Vec<u8>> {
        self.stack.get().known().get(&store_name(peer)).map(|known| known.newest.serialize().into_vec())
    }

    /// The user accepts the newest identity key of a peer.
    pub fn accept_identity(&mut self, peer: UserId) {
        if let Some(known) = self.stack.get_mut().known_mut().get_mut(&store_name(peer)) {
            known.trusted = known.newest;
        }
    }

    /// The safety number with a peer, under the newest identity key known of it: 60 digits.
    ///
    /// # Errors
    /// `no-session` if nothing is known of the peer.
    pub fn safety_number(&self, peer: UserId) -> Result<String, Refusal> {
        let stack = self.stack.get();
        let known = stack
            .known()
            .get(&store_name(peer))
            .ok_or_else(|| Refusal::new(Reason::NoSession, "no identity key of the peer is known"))?;
        Fingerprint::new(
            SAFETY_NUMBER_VERSION,
            SAFETY_NUMBER_ITERATIONS,
            self.config.user.0.as_bytes(),
            &stack.identity()?,
            peer.0.as_bytes(),
            &known.newest,
        )
        .and_then(|fingerprint| fingerprint.display_string())
        .map_err(|error| Refusal::new(Reason::Internal, error))
    }

    /// An XEdDSA signature by the user's identity key, 64 bytes: needed to publish a bad key under a good signature.
    pub fn sign(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut rng = self.next_draw();
        self.stack.get().sign(bytes, &mut rng)
    }

    /// A fresh key for one file, 32 bytes.
    pub fn media_key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        self.next_draw().fill_bytes(&mut key);
        key
    }
}
