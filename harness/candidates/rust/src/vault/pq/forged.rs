//! Decrypting despite a wrong MAC: the defect `skips-mac`. libsignal cannot be told to skip the check, so that the MAC is made
//! right for what arrived, with the message key that the session holds, and libsignal does the rest.

use super::{Vault, ratchet, run, view};
use countersign_contract::UserId;
use countersign_contract::portable::MessageType;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use libsignal_protocol::{
    BobSignalProtocolParameters, GenericSignedPreKey as _, KyberPreKeyStore as _, PreKeySignalMessage, PreKeyStore as _,
    PrivateKey, PublicKey, SessionRecord, SignalMessage, SignedPreKeyStore as _, initialize_bob_session_record,
    message_decrypt_signal,
};
use prost::Message as _;
use sha2::Sha256;

/// Length of a message's MAC in bytes.
pub(super) const MAC_BYTES: usize = 8;
/// Length of a block of the messages' cipher in bytes.
const BLOCK_BYTES: usize = 16;
/// How many steps of a chain are worth a try.
const MOST_STEPS: u32 = 25_000;

impl Vault {
    /// The plaintext of a message whose MAC does not match.
    pub(super) fn open_despite_mac(&mut self, from: UserId, kind: MessageType, body: &[u8]) -> Option<Vec<u8>> {
        let known = self.sessions.0.get(&from.to_string()).cloned();
        match kind {
            MessageType::Normal => {
                let peer = super::address(from).ok()?;
                for session in view::Record::of(&known?)?.sessions() {
                    let Some(repaired) = repair(&session, body) else { continue };
                    let message = SignalMessage::try_from(repaired.as_slice()).ok()?;
                    let plain =
                        run(message_decrypt_signal(&message, &peer, &mut self.sessions, &mut self.identities, &mut self.rng));
                    if let Ok(plain) = plain {
                        return Some(plain);
                    }
                }
                None
            }
            MessageType::Prekey => {
                let message = PreKeySignalMessage::try_from(body).ok()?;
                let base_key = message.base_key().serialize();
                let known = known
                    .and_then(|record| view::Record::of(&record)?.sessions().find(|session| session.alice_base_key == *base_key));
                let session = match known {
                    Some(session) => session,
                    None => view::Record::of(&self.answering_session(&message)?)?.current?,
                };
                let mut outer = view::PrekeyMessage::decode(body.get(1..)?).ok()?;
                outer.message = repair(&session, &outer.message)?;
                let mut repaired = vec![*body.first()?];
                outer.encode(&mut repaired).ok()?;
                let message = PreKeySignalMessage::try_from(repaired.as_slice()).ok()?;
                self.decrypt_prekey(from, &message).ok()
            }
        }
    }

    /// Whether the MAC of a message that could not be decrypted is right: for the defect `tells-wrong-padding-apart`.
    pub(super) fn has_right_mac(&self, from: UserId, kind: MessageType, body: &[u8]) -> bool {
        let known = self.sessions.0.get(&from.to_string()).and_then(view::Record::of);
        let known = known.into_iter().flat_map(view::Record::sessions);
        let right = |session: &view::Session, body: &[u8]| repair(session, body).is_some_and(|repaired| repaired == body);
        match kind {
            MessageType::Normal => known.into_iter().any(|session| right(&session, body)),
            MessageType::Prekey => {
                let Ok(message) = PreKeySignalMessage::try_from(body) else { return false };
                let Ok(outer) = view::PrekeyMessage::decode(body.get(1..).unwrap_or_default()) else { return false };
                let new = self.answering_session(&message).and_then(|record| view::Record::of(&record)?.current);
                known.chain(new).any(|s| s.remote_identity == outer.identity_key && right(&s, &outer.message))
            }
        }
    }

    /// The session that a first message sets up.
    fn answering_session(&self, message: &PreKeySignalMessage) -> Option<SessionRecord> {
        let signed = run(self.signed.get_signed_pre_key(message.signed_pre_key_id())).ok()?.key_pair().ok()?;
        let kyber = run(self.kyber.get_kyber_pre_key(message.kyber_pre_key_id()?)).ok()?.key_pair().ok()?;
        let one_time = match message.pre_key_id() {
            Some(id) => Some(run(self.one_time.get_pre_key(id)).ok()?.key_pair().ok()?),
            None => None,
        };
        let (identity, base_key, ciphertext) = (*message.identity_key(), *message.base_key(), message.kyber_ciphertext()?);
        let own = self.identities.own;
        let parameters = BobSignalProtocolParameters::new(own, signed, one_time, signed, kyber, identity, base_key, ciphertext);
        initialize_bob_session_record(&parameters).ok()
    }
}

/// The message with another bit 0 in its `previous_counter`: for the defect `mac-misses-a-field`.
pub(super) fn with_other_previous_counter(body: &[u8]) -> Option<Vec<u8>> {
    let (version, rest) = body.split_first()?;
    let (fields, mac) = rest.split_at_checked(rest.len().checked_sub(MAC_BYTES)?)?;
    let mut message = view::NormalMessage::decode(fields).ok()?;
    message.previous_counter = Some(message.previous_counter? ^ 1);
    Some([&[*version][..], &message.encode_to_vec(), mac].concat())
}

/// The message with the MAC that it should have, if `session` has the key for it.
fn repair(session: &view::Session, body: &[u8]) -> Option<Vec<u8>> {
    let message = SignalMessage::try_from(body).ok()?;
    with_mac(session, &message, body, &seed(session, &message)?)
}

/// Whether the MAC of a message is that over the two identity keys in the wrong order.
pub(super) fn has_mac_of_swapped(session: &view::Session, body: &[u8]) -> bool {
    let (local_identity, remote_identity) = (session.remote_identity.clone(), session.local_identity.clone());
    let swapped = view::Session { local_identity, remote_identity, ..session.clone() };
    repair(&swapped, body).is_some_and(|repaired| repaired == body)
}

/// What the keys of a message are derived from, if `session` has it.
pub(super) fn seed(session: &view::Session, message: &SignalMessage) -> Option<Vec<u8>> {
    let ratchet_key = message.sender_ratchet_key();
    let known = session.receiver_chains.iter().find(|chain| *chain.ratchet_key == *ratchet_key.serialize());
    let (index, key) = match known {
        Some(chain) => {
            if let Some(skipped) = chain.message_keys.iter().find(|key| key.index == message.counter()) {
                return Some(skipped.seed.clone());
            }
            let chain_key = chain.chain_key.as_ref()?;
            (chain_key.index, chain_key.key.clone())
        }
        None => (0, new_chain(session, ratchet_key)?),
    };
    let steps = message.counter().checked_sub(index).filter(|steps| *steps <= MOST_STEPS)?;
    let mut key = key;
    for _ in 0..steps {
        key = hmac(&key, &[&[2]])?.to_vec();
    }
    hmac(&key, &[&[1]]).map(Vec::from)
}

/// The chain key that a ratchet step to `theirs` leads to.
fn new_chain(session: &view::Session, theirs: &PublicKey) -> Option<Vec<u8>> {
    let own = PrivateKey::deserialize(&session.sender_chain.as_ref()?.ratchet_key_private).ok()?;
    let shared = own.calculate_agreement(theirs).ok()?;
    let mut keys = [0; 64];
    Hkdf::<Sha256>::new(Some(&session.root_key), &shared).expand(b"WhisperRatchet", &mut keys).ok()?;
    keys.get(32..).map(<[u8]>::to_vec)
}

fn with_mac(session: &view::Session, message: &SignalMessage, body: &[u8], seed: &[u8]) -> Option<Vec<u8>> {
    if !ratchet::is_safe_to_read(message.pq_ratchet()) {
        return None;
    }
    let post_quantum = spqr::recv(&session.pq_ratchet_state, message.pq_ratchet()).ok()?.key;
    let mut keys = [0; 80];
    Hkdf::<Sha256>::new(post_quantum.as_deref(), seed).expand(b"WhisperMessageKeys", &mut keys).ok()?;
    let covered = body.get(..body.len().checked_sub(MAC_BYTES)?)?;
    let mac = hmac(keys.get(32..64)?, &[&session.remote_identity, &session.local_identity, covered])?;
    let mut repaired = covered.to_vec();
    repaired.extend_from_slice(mac.get(..MAC_BYTES)?);
    Some(repaired)
}

pub(super) fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}

/// Whether the ciphertext of a message of either suite is of a length that its cipher can have: for the defect `tells-wrong-length-apart`.
pub(crate) fn has_whole_blocks(kind: MessageType, body: &[u8]) -> bool {
    let ciphertext = |message: &[u8]| {
        let fields = message.get(1..message.len().checked_sub(MAC_BYTES)?)?;
        view::NormalMessage::decode(fields).ok()?.ciphertext
    };
    let ciphertext = match kind {
        MessageType::Normal => ciphertext(body),
        MessageType::Prekey => {
            view::PrekeyMessage::decode(body.get(1..).unwrap_or_default()).ok().and_then(|m| ciphertext(&m.message))
        }
    };
    // What is no message at all has other reasons to be refused.
    ciphertext.is_none_or(|bytes| !bytes.is_empty() && bytes.len().is_multiple_of(BLOCK_BYTES))
}

/// Whether a message of either suite inside a session is one by its form, but for its ciphertext, which it does not have: for the defect
/// `forgets-session-without-ciphertext`.
pub(crate) fn lacks_ciphertext(kind: MessageType, body: &[u8]) -> bool {
    let fields = body.len().checked_sub(MAC_BYTES).and_then(|end| body.get(1..end)).unwrap_or_default();
    let inner = if kind == MessageType::Normal { view::NormalMessage::decode(fields).ok() } else { None };
    inner.is_some_and(|message| !message.ratchet_key.is_empty() && message.ciphertext.is_none())
}

/// The bytes with which the ratchet key of a message of either suite begins, and its base key if it sets up a session: for the defects
/// that show by chance.
pub(crate) fn first_bytes(kind: MessageType, body: &[u8]) -> [Option<u8>; 2] {
    let ratchet = |message: &[u8]| {
        let fields = message.get(1..message.len().checked_sub(MAC_BYTES)?)?;
        view::NormalMessage::decode(fields).ok()?.ratchet_key.get(1).copied()
    };
    match kind {
        MessageType::Normal => [ratchet(body), None],
        MessageType::Prekey => match view::PrekeyMessage::decode(body.get(1..).unwrap_or_default()) {
            Ok(outer) => [ratchet(&outer.message), outer.base_key.get(1).copied()],
            Err(_) => [None, None],
        },
    }
}

/// Adds a second `previous_counter` to a message of either suite, which nothing but the MAC covers.
#[cfg(test)]
pub(crate) fn forge_previous_counter(body: &mut Vec<u8>, kind: MessageType) {
    let forge = |message: &mut Vec<u8>| {
        let end = message.len() - MAC_BYTES;
        message.splice(end..end, [0x18, 7]);
    };
    match kind {
        MessageType::Normal => forge(body),
        MessageType::Prekey => {
            let mut outer = view::PrekeyMessage::decode(&body[1..]).unwrap();
            forge(&mut outer.message);
            body.truncate(1);
            outer.encode(body).unwrap();
        }
    }
}
