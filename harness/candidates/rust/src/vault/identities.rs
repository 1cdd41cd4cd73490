//! Who a user is, and who its peers are.

use crate::defect::{Defect, Defects};
use countersign_contract::UserId;
use countersign_contract::portable::{SAFETY_NUMBER_ITERATIONS, SAFETY_NUMBER_VERSION};
use libsignal_protocol::{Fingerprint, IdentityKey, IdentityKeyPair};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of a peer's identity.
#[derive(Clone)]
pub(crate) struct Peer {
    /// The key that the user accepted last; the first one is accepted unseen.
    accepted: IdentityKey,
    /// The key that the peer uses.
    pub(crate) latest: IdentityKey,
    /// Keys that it used before: a late message under one of them does not change the identity back.
    former: Vec<IdentityKey>,
}

/// The user's own identity and those of the peers.
#[derive(Clone)]
pub(crate) struct Identities {
    pub(crate) own: IdentityKeyPair,
    pub(crate) registration_id: u32,
    peers: BTreeMap<String, Peer>,
    /// Set when a peer's key changed, until somebody takes it.
    changed: bool,
    defects: Arc<dyn Defects>,
}

impl Identities {
    /// A user who knows nobody yet.
    pub(crate) fn new(own: IdentityKeyPair, registration_id: u32, defects: Arc<dyn Defects>) -> Self {
        Self { own, registration_id, peers: BTreeMap::new(), changed: false, defects }
    }

    /// All of it as it is stored.
    pub(crate) fn written(&self) -> Vec<u8> {
        let mut written = super::written::Written::default();
        written.number(self.registration_id).bytes(&self.own.private_key().serialize());
        written.bytes(&self.own.identity_key().serialize());
        for (name, peer) in &self.peers {
            written.text(name).bytes(&peer.accepted.serialize()).bytes(&peer.latest.serialize());
            peer.former.iter().for_each(|key| _ = written.bytes(&key.serialize()));
        }
        written.0
    }

    /// What is known of a peer.
    pub(crate) fn peer(&self, name: &str) -> Option<&Peer> {
        self.peers.get(name)
    }

    /// The identity keys of all peers.
    pub(crate) fn known(&self) -> impl Iterator<Item = &IdentityKey> {
        self.peers.values().map(|peer| &peer.latest)
    }

    /// Whether messages may be sent to the peer's latest key.
    pub(crate) fn is_accepted(&self, name: &str) -> bool {
        self.peers.get(name).is_none_or(|peer| peer.accepted == peer.latest)
    }

    /// The user accepts the peer's latest key. False if there is no such peer.
    pub(crate) fn accept(&mut self, name: &str) -> bool {
        self.peers.get_mut(name).map(|peer| peer.accepted = peer.latest).is_some()
    }

    /// Whether a peer's key changed since this was last asked, so that the user must be told.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Takes note of the key in a bundle. True if it is another one than before.
    pub(crate) fn learn(&mut self, name: &str, key: &IdentityKey) -> bool {
        let silent = self.defects.has(Defect::SilentIdentityChange);
        let Some(peer) = self.peers.get_mut(name) else {
            self.peers.insert(name.to_owned(), Peer { accepted: *key, latest: *key, former: Vec::new() });
            return false;
        };
        if peer.latest == *key {
            return false;
        }
        peer.former.push(std::mem::replace(&mut peer.latest, *key));
        if silent {
            peer.accepted = *key;
        } else {
            self.changed = true;
        }
        true
    }

    /// Takes note of the key under which something arrived: a former key of the peer changes nothing. True if it is another one
    /// than before.
    pub(crate) fn meet(&mut self, name: &str, key: &IdentityKey) -> bool {
        let former = self.peers.get(name).is_some_and(|peer| peer.former.contains(key));
        !former && self.learn(name, key)
    }

    /// Whether something may be encrypted to this key of a peer.
    pub(crate) fn may_send_to(&self, name: &str, key: &IdentityKey) -> bool {
        self.peers.get(name).is_none_or(|peer| peer.latest == *key && peer.accepted == *key)
    }

    /// A user as it goes into a safety number.
    fn in_fingerprint<'a>(&self, user: &'a UserId) -> &'a [u8] {
        let bytes = user.0.as_bytes().as_slice();
        if self.defects.has(Defect::SafetyNumberEndsAtZero) {
            return bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        }
        bytes
    }

    /// The 60 digits that `user`, whose identity this is, and `peer` both read; `None` if the peer's identity is not known.
    pub(crate) fn safety_number(&self, user: UserId, peer: UserId) -> Option<String> {
        let known = self.peer(&peer.to_string())?;
        let first = known.former.first().filter(|_| self.defects.has(Defect::SafetyNumberOfFirstKey));
        let theirs = *first.unwrap_or(&known.latest);
        let own = self.own.identity_key();
        let (me, them) = (self.in_fingerprint(&user), self.in_fingerprint(&peer));
        let number = |id: &[u8], key| {
            let print = Fingerprint::new(SAFETY_NUMBER_VERSION, SAFETY_NUMBER_ITERATIONS, me, own, id, key).ok()?;
            print.display_string().ok()
        };
        if self.defects.has(Defect::SafetyNumberOfOneKey) {
            // Against itself a user's number is its own half, twice.
            return number(me, own);
        }
        number(them, &theirs)
    }
}
