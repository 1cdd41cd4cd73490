//! What clients with a defect make of a group message that libsignal refuses. libsignal cannot be told to leave out a check, so that the
//! record of the sender key is taken apart, and the message signed anew, under a key that takes the place of its sender's.

use super::{Vault, address, reason_of, run, view};
use crate::defect::Defect;
use aes::Aes256;
use aes::cipher::{BlockDecryptMut as _, KeyIvInit as _, block_padding::NoPadding};
use countersign_contract::{GroupId, Reason, UserId};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use libsignal_protocol::{KeyPair, ProtocolAddress, PublicKey, SenderKeyMessage, SenderKeyRecord, group_decrypt};
use prost::Message as _;
use sha2::Sha256;
use uuid::Uuid;

/// The version byte of sender keys and of messages under them.
const VERSION: u8 = 0x33;
/// Length of the signature at a message's end, in bytes.
const SIGNATURE: usize = 64;
/// How far the defect `follows-any-group-jump` goes: each message costs an HMAC, and a test has to end.
const ANYWHERE: u32 = 50_000;
/// How far the defect `stops-after-group-gap` goes.
const GAP: u32 = 2_000;
/// As many keys of skipped messages does libsignal keep.
const MOST_SKIPPED: usize = 2_000;
/// As many bytes as PKCS#7 can state.
const BLOCK: usize = 16;

/// Which message it is said to be, and what is in it.
struct Said<'a> {
    distribution: Uuid,
    chain_id: u32,
    iteration: u32,
    ciphertext: &'a [u8],
}

impl<'a> Said<'a> {
    fn of(message: &'a SenderKeyMessage) -> Self {
        let (distribution, chain_id) = (message.distribution_id(), message.chain_id());
        Self { distribution, chain_id, iteration: message.iteration(), ciphertext: message.ciphertext() }
    }
}

impl Vault {
    /// The plaintext that a defect finds in a message which was refused for this reason.
    pub(super) fn misread(&mut self, from: UserId, group: GroupId, body: &[u8], refused: Reason) -> Option<Vec<u8>> {
        let defect = |defect| self.defects.has(defect);
        if refused == Reason::BadVersion && defect(Defect::IgnoresGroupVersion) {
            return self.of_other_version(from, body);
        }
        let message = SenderKeyMessage::try_from(body).ok()?;
        let stored = (from.to_string(), message.distribution_id());
        let peer = address(from).ok()?;
        match refused {
            Reason::BadSignature if defect(Defect::SkipsSenderKeySignature) => {
                self.open_as(&peer, self.record(&stored)?, &Said::of(&message))
            }
            Reason::BadSignature if defect(Defect::SignatureMissesVersion) => {
                let record = self.record(&stored)?;
                let state = record.states.iter().find(|state| state.chain_id == message.chain_id())?;
                let genuine = verifies(&with_version(body), state);
                genuine.then(|| self.open_as(&peer, record, &Said::of(&message))).flatten()
            }
            Reason::BadSignature if defect(Defect::AcceptsSignatureOfAnyMember) => {
                let signed = |record: &SenderKeyRecord| states(record).iter().any(|state| verifies(body, state));
                let by_other = self.groups.keys.0.iter().any(|((of, _), record)| *of != stored.0 && signed(record));
                by_other.then(|| self.open_as(&peer, self.record(&stored)?, &Said::of(&message))).flatten()
            }
            Reason::NoSession if defect(Defect::GuessesSenderKey) => self.under_any_key(&peer, group, body, &message),
            Reason::TooOld if defect(Defect::FollowsAnyGroupJump) => self.follow(&peer, body, &message, stored),
            Reason::BadMac if defect(Defect::ReadsWrongCipherPadding) => {
                let record = self.record(&stored)?;
                let state = record.states.iter().find(|state| state.chain_id == message.chain_id())?;
                unpadded(state, &message)
            }
            Reason::BadMac if defect(Defect::ForgetsSenderKeyOnBadMessage) => {
                self.groups.keys.0.remove(&stored);
                None
            }
            Reason::BadMac if defect(Defect::MovesSenderKeyBeforeReading) => {
                let mut record = self.record(&stored)?;
                let state = record.states.iter_mut().find(|state| state.chain_id == message.chain_id())?;
                advance(state, message.iteration().checked_add(1)?)?;
                self.groups.keys.0.insert(stored, SenderKeyRecord::deserialize(&record.encode_to_vec()).ok()?);
                None
            }
            _ => None,
        }
    }

    /// The defect `stops-after-group-gap`.
    pub(super) fn is_behind_gap(&self, from: UserId, message: &SenderKeyMessage) -> bool {
        if !self.defects.has(Defect::StopsAfterGroupGap) {
            return false;
        }
        let stored = (from.to_string(), message.distribution_id());
        let states = self.groups.keys.0.get(&stored).map(states).unwrap_or_default();
        let chain = states.iter().find(|state| state.chain_id == message.chain_id()).and_then(|state| state.chain_key.as_ref());
        chain.is_some_and(|chain| message.iteration().saturating_sub(chain.iteration) > GAP)
    }

    fn record(&self, stored: &(String, Uuid)) -> Option<view::SenderKeyRecord> {
        self.groups.keys.0.get(stored).map(view::SenderKeyRecord::of)?
    }

    fn of_other_version(&mut self, from: UserId, body: &[u8]) -> Option<Vec<u8>> {
        let body_of_this = with_version(body);
        let message = SenderKeyMessage::try_from(body_of_this.as_slice()).ok()?;
        let record = self.record(&(from.to_string(), message.distribution_id()))?;
        let state = record.states.iter().find(|state| state.chain_id == message.chain_id())?;
        let genuine = verifies(body, state);
        genuine.then(|| self.open_as(&address(from).ok()?, record, &Said::of(&message))).flatten()
    }

    fn under_any_key(
        &mut self,
        peer: &ProtocolAddress,
        group: GroupId,
        body: &[u8],
        message: &SenderKeyMessage,
    ) -> Option<Vec<u8>> {
        let user: UserId = peer.name().parse().ok()?;
        let bound = self.groups.bound.iter().filter(|((of, _), bound)| *of == user && **bound == group);
        let (id, record) = bound.into_iter().find_map(|((_, id), _)| {
            let record = self.record(&(peer.name().to_owned(), *id))?;
            record.states.first().filter(|state| verifies(body, state))?;
            Some((*id, record))
        })?;
        let chain_id = record.states.first()?.chain_id;
        self.open_as(peer, record, &Said { distribution: id, chain_id, ..Said::of(message) })
    }

    /// Goes along with a message however far ahead it says that it is.
    fn follow(
        &mut self,
        peer: &ProtocolAddress,
        body: &[u8],
        message: &SenderKeyMessage,
        stored: (String, Uuid),
    ) -> Option<Vec<u8>> {
        let mut record = self.record(&stored)?;
        let state = record.states.iter_mut().find(|state| state.chain_id == message.chain_id())?;
        if !verifies(body, state) || message.iteration().checked_sub(state.chain_key.as_ref()?.iteration)? > ANYWHERE {
            return None;
        }
        advance(state, message.iteration())?;
        let mut copy = super::groups::SenderKeys::default();
        copy.0.insert(stored.clone(), SenderKeyRecord::deserialize(&record.encode_to_vec()).ok()?);
        let plain = run(group_decrypt(body, &mut copy, peer)).ok()?;
        self.groups.keys.0.extend(copy.0);
        Some(plain)
    }

    /// Reads a message as what it is said to be, whoever signed it: the record is a copy, and nothing is kept.
    fn open_as(&mut self, peer: &ProtocolAddress, mut record: view::SenderKeyRecord, said: &Said<'_>) -> Option<Vec<u8>> {
        let pair = KeyPair::generate(&mut self.rng);
        for state in &mut record.states {
            state.signing_key = Some(view::SigningKey { public: pair.public_key.serialize().to_vec(), private: Vec::new() });
        }
        let mut copy = super::groups::SenderKeys::default();
        let stored = (peer.name().to_owned(), said.distribution);
        copy.0.insert(stored, SenderKeyRecord::deserialize(&record.encode_to_vec()).ok()?);
        let Said { distribution, chain_id, iteration, ciphertext } = *said;
        let (version, ciphertext) = (VERSION & 0x0f, ciphertext.into());
        let key = &pair.private_key;
        let signed = SenderKeyMessage::new(version, distribution, chain_id, iteration, ciphertext, &mut self.rng, key).ok()?;
        run(group_decrypt(signed.serialized(), &mut copy, peer)).ok()
    }
}

/// The same bytes, as if they were of the version that there is.
pub(super) fn with_version(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.iter_mut().take(1).for_each(|version| *version = VERSION);
    bytes
}

/// Why a message cannot be parsed.
pub(super) fn unreadable(error: &libsignal_protocol::SignalProtocolError) -> Reason {
    reason_of(error).unwrap_or(Reason::Malformed)
}

fn states(record: &SenderKeyRecord) -> Vec<view::SenderKeyState> {
    view::SenderKeyRecord::of(record).map(|record| record.states).unwrap_or_default()
}

fn verifies(body: &[u8], state: &view::SenderKeyState) -> bool {
    let key = state.signing_key.as_ref().and_then(|key| PublicKey::deserialize(&key.public).ok());
    let split = body.len().checked_sub(SIGNATURE).and_then(|at| body.split_at_checked(at));
    matches!((key, split), (Some(key), Some((signed, signature))) if key.verify_signature(signed, signature))
}

fn derived(key: &[u8], label: u8) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(&[label]);
    Some(mac.finalize().into_bytes().to_vec())
}

/// Moves a chain on, and keeps the keys of the last messages that it skips.
fn advance(state: &mut view::SenderKeyState, to: u32) -> Option<()> {
    let chain = state.chain_key.as_mut()?;
    while chain.iteration < to {
        if to - chain.iteration <= MOST_SKIPPED as u32 {
            let seed = derived(&chain.seed, 1)?;
            state.message_keys.push(view::MessageSeed { iteration: chain.iteration, seed });
        }
        chain.seed = derived(&chain.seed, 2)?;
        chain.iteration += 1;
    }
    let excess = state.message_keys.len().saturating_sub(MOST_SKIPPED);
    state.message_keys.drain(..excess);
    Some(())
}

/// The plaintext without as many bytes as its last one says, whatever the others are: what padding was meant to be.
fn unpadded(state: &view::SenderKeyState, message: &SenderKeyMessage) -> Option<Vec<u8>> {
    let mut state = state.clone();
    advance(&mut state, message.iteration())?;
    let chain = state.chain_key.filter(|chain| chain.iteration == message.iteration())?;
    let mut keys = [0; 48];
    Hkdf::<Sha256>::new(None, &derived(&chain.seed, 1)?).expand(b"WhisperGroup", &mut keys).ok()?;
    let (iv, key) = keys.split_at(BLOCK);
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(key, iv).ok()?;
    let mut plain = cipher.decrypt_padded_vec_mut::<NoPadding>(message.ciphertext()).ok()?;
    let stated = usize::from(*plain.last()?);
    plain.truncate(plain.len().checked_sub(stated)?);
    Some(plain)
}
