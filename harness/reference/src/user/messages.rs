//! Messages of a user: encrypted and decrypted.

use super::stack::Plain;
use super::{Opened, ReferenceUser, name_in};
use crate::points;
use crate::refusal::Refusal;
use crate::signature::{self, Signature};
use crate::stores::Known;
use crate::wire::{self, Message, PqRatchet};
use countersign_adversary::{Alteration, MessageSecret};
use countersign_contract::content::{Content, LARGEST_CONTENT, PADDING_BLOCK};
use countersign_contract::portable::{DEVICE, LARGEST_STANZA, MessageType};
use countersign_contract::{Reason, UserId};
use rand_chacha::ChaCha20Rng;

/// How far ahead of the last received message of a chain the library goes: the number is its own.
const FURTHEST_AHEAD: u32 = 25_000;

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
        self.encrypt_wrongly(to, padded, &[], now_ms)
    }

    /// Encrypts bytes as they are given, and does these things wrongly; none of them, if the list is empty.
    ///
    /// # Errors
    /// Those of [`Self::encrypt_raw`], and `unsupported` for an alteration that cannot be made: any, on Signal's library.
    pub fn encrypt_wrongly(
        &mut self,
        to: UserId,
        padded: &[u8],
        alterations: &[Alteration],
        now_ms: u64,
    ) -> Result<(MessageType, Vec<u8>), Refusal> {
        let mut rng = self.next_draw();
        if self.stack.get().known().get(name_in(&mut [0; 36], to)).is_some_and(Known::is_pending) {
            return Err(Refusal::new(Reason::UntrustedIdentity, "the peer's identity key changed and was not accepted"));
        }
        if !self.has_session(to) {
            return Err(Refusal::new(Reason::NoSession, "no session to send with"));
        }
        let made = self.stack.get_mut().encrypt(to, padded, alterations, now_ms, &mut rng)?;
        self.sent_ratchet_keys.insert(made.ratchet_key);
        Ok((made.kind, made.body))
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
        let content = Content::from_padded(&plain.padded)?;
        Ok(Opened {
            signature: self.signature(from, &plain.padded, &content),
            content,
            padded: plain.padded.len() as u64,
            used_one_time_prekey: plain.used_one_time_prekey,
            identity_changed: plain.identity_changed,
        })
    }

    fn signature(&self, from: UserId, padded: &[u8], content: &Content) -> Option<Signature> {
        let known = self.stack.get().known().get(name_in(&mut [0; 36], from))?;
        signature::find(padded, content, &known.newest)
    }

    /// The secrets of the message that was last made for a peer, or read from it, 32 bytes each; none on Signal's library, which keeps
    /// them to itself.
    #[must_use]
    pub fn last_secrets(&self, peer: UserId) -> Vec<(MessageSecret, [u8; 32])> {
        self.stack.get().last_secrets(peer)
    }

    /// What can be refused without any key.
    fn check_form(&self, from: UserId, message: &Message<'_>) -> Result<(), Refusal> {
        if from == self.config.user {
            return Err(Refusal::new(Reason::WrongRecipient, "the message is from the user itself"));
        }
        let spoken = self.stack.get().version();
        let versions = [Some(message.inner().version), message.outer().map(|outer| outer.version)];
        for version in versions.into_iter().flatten() {
            if spoken.is_some_and(|spoken| version >> 4 != spoken) {
                return Err(Refusal::new(Reason::BadVersion, format!("version byte {version:#04x}")));
            }
        }
        points::curve(message.inner().ratchet_key, "ratchet key")?;
        if spoken.is_some() {
            let pq_ratchet = message.inner().pq_ratchet.unwrap_or_default();
            // The library's own answer to most of these, and a panic to the rest.
            PqRatchet::read(pq_ratchet).map_err(|error| Refusal::new(Reason::BadMac, error))?;
        }
        if let Some(outer) = message.outer() {
            points::curve(outer.base_key, "base key")?;
            points::curve(outer.identity_key, "identity key")?;
            if self.identity_key() == outer.identity_key {
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

    /// Decrypts. A refusal changes nothing.
    pub(super) fn open(
        &mut self,
        from: UserId,
        message: &Message<'_>,
        kind: MessageType,
        body: &[u8],
        rng: &mut ChaCha20Rng,
    ) -> Result<Plain, Refusal> {
        self.stack.get_mut().open(from, message, kind, body, rng)
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
            Reason::BadMac | Reason::NoSession if self.sent_ratchet_keys.contains(inner.ratchet_key) => {
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
