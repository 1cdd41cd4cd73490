//! What a reference user speaks through: Signal's library, or our own stack.
//!
//! Either keeps keys, sessions and the identities of peers; what is judged about a message without a key, what is said of a refusal,
//! and when an identity is accepted is the same for both and stands in the modules around.

use super::library::ParsedBundle;
use super::own::Own;
use super::sender_keys::SenderKeyring;
use crate::keys::Installation;
use crate::refusal::Refusal;
use crate::stores::Known;
use crate::wire::Message;
use countersign_adversary::{Alteration, MessageSecret, WireProfile};
use countersign_contract::claims::Suite;
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{KeyBundle, MessageType, Prekey, PublishKeys, SignedKey};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::IdentityKey;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

/// Which code a reference user runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Signal's library, which speaks `signal-pq` alone; in `signal-classic`, our own stack without alterations.
    Library,
    /// Our own stack, whose sessions and messages can be altered.
    Adversary,
}

/// What came out of a ciphertext, before it is looked at.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) padded: Vec<u8>,
    pub(crate) used_one_time_prekey: Option<u32>,
    pub(crate) identity_changed: bool,
}

/// A message as it was made.
pub(crate) struct Made {
    pub(crate) kind: MessageType,
    /// The ratchet key that it carries, 33 bytes.
    pub(crate) ratchet_key: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// The public halves of an installation's keys.
pub(crate) struct PublicKeys {
    pub(crate) registration_id: u32,
    pub(crate) signed: SignedKey,
    pub(crate) last_resort: Option<SignedKey>,
    pub(crate) one_time: Vec<Prekey>,
    pub(crate) one_time_kyber: Vec<SignedKey>,
}

/// Keys, sessions and identities of one installation.
pub(crate) trait Speaker: SenderKeyring {
    /// The message version that is spoken: the high half of the version byte. `None` if that is a matter of each session.
    fn version(&self) -> Option<u8>;
    /// The user's own identity key; `bad-key` does not happen.
    fn identity(&self) -> Result<IdentityKey, Refusal>;
    fn public_keys(&self) -> PublicKeys;
    /// Further one-time prekeys, `count` of each kind.
    fn add_one_time(&mut self, count: u32, kyber_too: bool, rng: &mut ChaCha20Rng) -> PublishKeys;
    fn renew_signed(&mut self, rng: &mut ChaCha20Rng) -> SignedKey;
    /// `None` in a suite without such a key.
    fn renew_last_resort(&mut self, rng: &mut ChaCha20Rng) -> Option<SignedKey>;
    fn sign(&self, bytes: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8>;
    /// What is known of peers, by [`super::store_name`].
    fn known(&self) -> &BTreeMap<String, Known>;
    fn known_mut(&mut self) -> &mut BTreeMap<String, Known>;
    /// The identity key under which the session to send with was made, 33 bytes; `None` without such a session.
    fn session_identity(&self, peer: UserId) -> Option<Vec<u8>>;
    fn reset_session(&mut self, peer: UserId);
    /// Whether a bundle must have a Kyber prekey.
    fn needs_kyber(&self) -> bool;
    fn set_up(
        &mut self,
        bundle: &KeyBundle,
        parsed: &ParsedBundle,
        alterations: &[Alteration],
        now_ms: u64,
        rng: &mut ChaCha20Rng,
    ) -> Result<(), Refusal>;
    fn encrypt(
        &mut self,
        to: UserId,
        padded: &[u8],
        alterations: &[Alteration],
        now_ms: u64,
        rng: &mut ChaCha20Rng,
    ) -> Result<Made, Refusal>;
    /// The secrets of the message that was last made for a peer or read from it; none on the library, which keeps them to itself.
    fn last_secrets(&self, _peer: UserId) -> Vec<(MessageSecret, [u8; 32])> {
        Vec::new()
    }
    /// The private halves of all keys; on our own stack alone.
    fn private_keys(&self) -> Option<ImportedKeys> {
        None
    }
    /// Decrypts. A refusal changes nothing.
    fn open(
        &mut self,
        from: UserId,
        message: &Message<'_>,
        kind: MessageType,
        body: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Plain, Refusal>;
}

/// One installation, on either stack.
#[derive(Clone)]
pub(crate) enum AnyStack {
    Library(Box<Installation>),
    Own(Box<Own>),
}

impl AnyStack {
    pub(crate) fn new(suite: Suite, stack: Stack, one_time: u32, kyber_too: bool, rng: &mut ChaCha20Rng) -> Self {
        let profile = match (suite, stack) {
            (Suite::SignalPq, Stack::Library) => return Self::Library(Box::new(Installation::new(one_time, kyber_too, rng))),
            (Suite::SignalPq, Stack::Adversary) => WireProfile::V4Spqr,
            (Suite::SignalClassic, _) => WireProfile::V3,
        };
        Self::Own(Box::new(Own::new(profile, one_time, kyber_too, rng)))
    }

    /// What the library keeps: for what only the library does.
    ///
    /// # Errors
    /// `unsupported` on our own stack.
    pub(crate) fn library(&self) -> Result<&Installation, Refusal> {
        match self {
            Self::Library(installation) => Ok(installation),
            Self::Own(_) => Err(Refusal::new(Reason::Unsupported, "our own stack opens no sealed message")),
        }
    }

    pub(crate) fn get(&self) -> &dyn Speaker {
        match self {
            Self::Library(installation) => &**installation,
            Self::Own(own) => &**own,
        }
    }

    pub(crate) fn get_mut(&mut self) -> &mut dyn Speaker {
        match self {
            Self::Library(installation) => &mut **installation,
            Self::Own(own) => &mut **own,
        }
    }
}
