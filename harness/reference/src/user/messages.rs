//! Messages of a user: encrypted and decrypted.

use super::{Opened, ReferenceUser, address, at_once, time};
use crate::points::{self, CURVE_BYTES};
use crate::refusal::Refusal;
use crate::wire::{self, Message, PqRatchet};
use countersign_contract::content::{Content, LARGEST_CONTENT, PADDING_BLOCK};
use countersign_contract::portable::{DEVICE, LARGEST_STANZA, MessageType};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{
    CiphertextMessage, PreKeySignalMessage, SignalMessage, message_decrypt_prekey, message_decrypt_signal, message_encrypt,
};
use rand_chacha::ChaCha20Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The high half of the version byte: PQXDH and the triple ratchet.
const VERSION: u8 = 4;
/// How far ahead of the last received message of a chain the library goes: the number is its own.
const FURTHEST_AHEAD: u32 = 25_000;

/// What came out of a ciphertext, before it is looked at.
#[derive(Debug)]
pub(super) struct Plain {
    padded: Vec<u8>,
    used_one_time_prekey: Option<u32>,
    identity_changed: bool,
}

impl ReferenceUser {
    /// Pads and encrypts a content.
    ///
    /// # Errors
    /// `no-session` without a session under the peer's newest identity key; `untrusted-identity` if that key is not accepted;
    /// `too-large` over [`LARGEST_CONTENT`].
    pub fn encrypt(&mut self, to: UserId, content: &Content, now_ms: u64) -> Result<(MessageType, Vec<u8>), Refusal> {
        let padded = content.to_padded();
        if padded.len() > LARGEST_CONTENT + PADDING_BLOCK {
            self.operation += 1;
            return Err(Refusal::new(Reason::TooLarge, format!("a content of over {LARGEST_CONTENT} bytes")));
        }
        self.encrypt_raw(to, &padded, now_ms)
    }

    /// Encrypts bytes as they are given: for a plaintext that breaks a rule on purpose.
    ///
    /// # Errors
    /// `no-session` and `untrusted-identity` as for [`Self::encrypt`].
    pub fn encrypt_raw(&mut self, to: UserId, padded: &[u8], now_ms: u64) -> Result<(MessageType, Vec<u8>), Refusal> {
        let mut rng = self.next_draw();
        let peer = address(to)?;
        if self.installation.identities.known.get(peer.name()).is_some_and(|known| known.is_pending()) {
            return Err(Refusal::new(Reason::UntrustedIdentity, "the peer's identity key changed and was not accepted"));
        }
        if !self.has_session_with(peer.name()) {
            return Err(Refusal::new(Reason::NoSession, "no session to send with"));
        }
        let installation = &mut self.installation;
        let message = at_once(message_encrypt(
            padded,
            &peer,
            &mut installation.sessions,
            &mut installation.identities,
            time(now_ms),
            &mut rng,
        ))?;
        let (kind, ratchet_key, body) = match &message {
            CiphertextMessage::PreKeySignalMessage(m) => (MessageType::Prekey, m.message().sender_ratchet_key(), m.serialized()),
            CiphertextMessage::SignalMessage(m) => (MessageType::Normal, m.sender_ratchet_key(), m.serialized()),
            _ => return Err(Refusal::new(Reason::Internal, "the library made a message of another kind")),
        };
        if let Some(ratchet_key) = ratchet_key.public_key_bytes().first_chunk() {
            self.sent_ratchet_keys.insert(*ratchet_key);
        }
        Ok((kind, body.to_vec()))
    }

    /// Decrypts a message and reads its content. The time is not used by the present library; it belongs to the call because a
    /// later one may refuse a message for its age.
    ///
    /// # Errors
    /// Every reason of [`crate::refusal`] that a message can have; `bad-padding`, `malformed` and `too-large` for its plaintext.
    pub fn decrypt(&mut self, from: UserId, kind: MessageType, body: &[u8], _now_ms: u64) -> Result<Opened, Refusal> {
        let mut rng = self.next_draw();
        if body.len() > LARGEST_STANZA {
            return Err(Refusal::new(Reason::TooLarge, format!("a message of over {LARGEST_STANZA} bytes")));
        }
        let message = wire::parse(kind, body).map_err(|error| Refusal::new(error.reason(), error))?;
        self.check_form(from, &message)?;
        if self.is_misdirected(from, &message) {
            // The addresses count only if the message is authentic: otherwise what is wrong with it is something else.
            self.clone().open(from, &message, kind, body, &mut rng)?;
            return Err(Refusal::new(
                Reason::WrongRecipient,
                "the addresses inside the message are not those of its sender and receiver",
            ));
        }
        let plain = match self.open(from, &message, kind, body, &mut rng) {
            Ok(plain) => plain,
            Err(refusal) => return Err(self.explain(from, &message, refusal)),
        };
        let inner = message.inner();
        self.received.entry(from).or_default().insert(inner.ratchet_key, inner.counter);
        if plain.padded.len() > LARGEST_CONTENT + PADDING_BLOCK {
            return Err(Refusal::new(Reason::TooLarge, format!("a content of over {LARGEST_CONTENT} bytes")));
        }
        Ok(Opened {
            content: Content::from_padded(&plain.padded)?,
            padded: plain.padded.len() as u64,
            used_one_time_prekey: plain.used_one_time_prekey,
            identity_changed: plain.identity_changed,
        })
    }

    /// What can be refused without any key.
    fn check_form(&self, from: UserId, message: &Message<'_>) -> Result<(), Refusal> {
        if from == self.config.user {
            return Err(Refusal::new(Reason::WrongRecipient, "the message is from the user itself"));
        }
        let versions = [Some(message.inner().version), message.outer().map(|outer| outer.version)];
        for version in versions.into_iter().flatten() {
            if version >> 4 != VERSION {
                return Err(Refusal::new(Reason::BadVersion, format!("version byte {version:#04x}")));
            }
        }
        points::curve(message.inner().ratchet_key, "ratchet key")?;
        let pq_ratchet = message.inner().pq_ratchet.unwrap_or_default();
        // The library's own answer to most of these, and a panic to the rest.
        PqRatchet::read(pq_ratchet).map_err(|error| Refusal::new(Reason::BadMac, error))?;
        if let Some(outer) = message.outer() {
            points::curve(outer.base_key, "base key")?;
            points::curve(outer.identity_key, "identity key")?;
            if outer.identity_key == self.identity_key() {
                return Err(Refusal::new(Reason::WrongRecipient, "the message was made by the user itself"));
            }
        }
        Ok(())
    }

    /// Whether the message names a sender and a receiver (field 6: kind 0, UUID and device of each) and they are others.
    pub(super) fn is_misdirected(&self, from: UserId, message: &Message<'_>) -> bool {
        let Some(stated) = message.inner().addresses else { return false };
        let device = u8::try_from(DEVICE).unwrap_or_default();
        let one = |stated: &[u8], user: UserId| {
            stated.first() == Some(&0) && stated.get(1..17) == Some(&user.0.as_bytes()[..]) && stated.get(17..) == Some(&[device])
        };
        !stated.split_at_checked(18).is_some_and(|(sender, receiver)| one(sender, from) && one(receiver, self.config.user))
    }

    /// Decrypts, and keeps what libsignal would let an unauthenticated field change.
    pub(super) fn open(
        &mut self,
        from: UserId,
        message: &Message<'_>,
        kind: MessageType,
        body: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Plain, Refusal> {
        let peer = address(from)?;
        let name = peer.name();
        let known_before = self.installation.identities.known.get(name).copied();
        self.installation.sessions.begin();
        self.installation.kyber.marked = None;
        // What is refused before is all that is known to make the library panic; if there is more, it must not end the run.
        let called = catch_unwind(AssertUnwindSafe(|| self.call_library(&peer, kind, body, rng)));
        let called = called.unwrap_or_else(|_| Err(Refusal::new(Reason::Internal, "the library panicked")));
        let outcome = called.and_then(|padded| {
            let starts_session = self.installation.kyber.marked.is_some();
            self.check_outer_identity(name, message, starts_session)?;
            Ok((padded, starts_session))
        });
        let known = &mut self.installation.identities.known;
        match outcome {
            Ok((padded, starts_session)) => {
                // A late message of a session under a former identity key must not bring that key back.
                let now = known.get_mut(name);
                if let (false, Some(before), Some(now)) = (starts_session, known_before, now) {
                    *now = before;
                }
                let newest = known.get(name).map(|known| known.newest);
                let identity_changed = known_before.is_some_and(|before| newest != Some(before.newest));
                self.installation.sessions.keep();
                // Only the first message of a session uses any prekeys.
                if starts_session {
                    self.installation.forget_used();
                }
                let used_one_time_prekey = message.outer().filter(|_| starts_session).and_then(|outer| outer.prekey_id);
                Ok(Plain { padded, used_one_time_prekey, identity_changed })
            }
            Err(refusal) => {
                // libsignal stores the identity before it asks whether the Kyber prekey may be used.
                match known_before {
                    Some(before) => known.insert(name.to_owned(), before),
                    None => known.remove(name),
                };
                self.installation.sessions.undo(name);
                Err(refusal)
            }
        }
    }

    fn call_library(
        &mut self,
        peer: &libsignal_protocol::ProtocolAddress,
        kind: MessageType,
        body: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Refusal> {
        let i = &mut self.installation;
        match kind {
            MessageType::Prekey => {
                let message = PreKeySignalMessage::try_from(body)?;
                at_once(message_decrypt_prekey(
                    &message,
                    peer,
                    &mut i.sessions,
                    &mut i.identities,
                    &mut i.one_time,
                    &i.signed,
                    &mut i.kyber,
                    rng,
                ))
            }
            MessageType::Normal => {
                let message = SignalMessage::try_from(body)?;
                at_once(message_decrypt_signal(&message, peer, &mut i.sessions, &mut i.identities, rng))
            }
        }
    }

    /// In a prekey message of a session that exists already, libsignal looks at nothing outside the embedded message but the base
    /// key, and yet stores the identity key that stands there. So it must be the session's.
    fn check_outer_identity(&self, name: &str, message: &Message<'_>, starts_session: bool) -> Result<(), Refusal> {
        let Some(outer) = message.outer().filter(|_| !starts_session) else { return Ok(()) };
        let session = self.installation.sessions.by_name.get(name);
        let identity = session.and_then(|session| session.remote_identity_key_bytes().ok().flatten());
        if identity.as_deref() == Some(outer.identity_key) {
            return Ok(());
        }
        Err(Refusal::new(Reason::BadMac, "the identity key is not the one that the session was made under"))
    }

    /// Whether a ratchet key, with its type byte, is one of the user's own.
    fn has_sent_with(&self, ratchet_key: &[u8]) -> bool {
        ratchet_key.last_chunk().is_some_and(|key| ratchet_key.len() == CURVE_BYTES && self.sent_ratchet_keys.contains(key))
    }

    /// libsignal says "decryption failed" of much; what is known besides the keys tells some of it apart.
    fn explain(&self, from: UserId, message: &Message<'_>, refusal: Refusal) -> Refusal {
        let inner = message.inner();
        let history = self.received.get(&from);
        let received = history.is_some_and(|history| history.contains(inner.ratchet_key, inner.counter));
        let next = history.map_or(0, |history| history.next(inner.ratchet_key));
        match refusal.reason {
            Reason::Duplicate if !received && message.outer().is_none() => {
                Refusal::new(Reason::TooOld, format!("no key is kept any more for this message ({})", refusal.detail))
            }
            Reason::BadMac | Reason::NoSession if received => {
                Refusal::new(Reason::Duplicate, format!("received before ({})", refusal.detail))
            }
            Reason::BadMac | Reason::NoSession if self.has_sent_with(inner.ratchet_key) => {
                Refusal::new(Reason::WrongRecipient, format!("made by the user itself ({})", refusal.detail))
            }
            Reason::BadMac if inner.counter.saturating_sub(next) > FURTHEST_AHEAD => Refusal::new(
                Reason::TooOld,
                format!("{} messages ahead ({})", inner.counter.saturating_sub(next), refusal.detail),
            ),
            _ => refusal,
        }
    }
}
