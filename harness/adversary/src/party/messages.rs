//! Sessions and messages of a party.

use super::Party;
use crate::alter::Alteration;
use crate::bundle::Bundle;
use crate::curve::PUBLIC_KEY_BYTES;
use crate::keys::Used;
use crate::profile::WireProfile;
use crate::refusal::Refusal;
use crate::session::{MessageSecret, Record, initiate, respond};
use crate::wire::{PrekeyMessage, SignalMessage};
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use rand::{CryptoRng, Rng};

/// A message that proved genuine, before anything is kept of it. Drop it, and the message was never received.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What is in the message.
    pub opened: Opened,
    peer: String,
    record: Record,
    used: Option<Used>,
}

/// What was in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The plaintext, without the cipher's padding.
    pub plaintext: Vec<u8>,
    /// Identity key of the peer, 33 bytes, under which the message is authentic.
    pub identity: [u8; PUBLIC_KEY_BYTES],
    /// Whether the message set up a new session.
    pub starts_session: bool,
    /// The one-time EC prekey that it used up.
    pub used_one_time_prekey: Option<u32>,
    /// The Kyber prekey that it used: gone, if it was a one-time one.
    pub used_kyber_prekey: Option<u32>,
}

impl Party {
    /// Whether there is a session to send with.
    #[must_use]
    pub fn has_session(&self, peer: &str) -> bool {
        self.current(peer).is_some()
    }

    /// The peer's identity key, 33 bytes, under which the session to send with was made.
    #[must_use]
    pub fn session_identity(&self, peer: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
        self.current(peer).map(|session| session.remote_identity.serialized())
    }

    /// The peer's registration id, as the session to send with knows it.
    #[must_use]
    pub fn session_registration_id(&self, peer: &str) -> Option<u32> {
        self.current(peer).map(|session| session.remote_registration_id)
    }

    /// What is spoken in the session to send with. One of `v4-spqr` falls back to `v4` when the peer turns out to lack the
    /// post-quantum ratchet.
    #[must_use]
    pub fn session_profile(&self, peer: &str) -> Option<WireProfile> {
        self.current(peer).map(|session| match session.profile {
            WireProfile::V4Spqr if !session.runs_spqr() => WireProfile::V4,
            profile => profile,
        })
    }

    /// Whether the session to send with was set up by this party and has not been answered: its messages are prekey messages.
    #[must_use]
    pub fn is_unanswered(&self, peer: &str) -> bool {
        self.current(peer).is_some_and(|session| session.pending.is_some())
    }

    /// The ratchet key that the next message to a peer carries, 33 bytes.
    #[must_use]
    pub fn ratchet_key(&self, peer: &str) -> Option<[u8; PUBLIC_KEY_BYTES]> {
        self.current(peer).map(|session| session.ratchet_key().serialized())
    }

    /// The secrets of the message that was last made for a peer, or read from it, in the session to send with.
    pub fn last_secrets(&self, peer: &str) -> impl Iterator<Item = (MessageSecret, [u8; 32])> + '_ {
        self.current(peer).into_iter().flat_map(|session| session.last.iter().map(|(what, secret)| (*what, secret.0)))
    }

    fn current(&self, peer: &str) -> Option<&crate::session::Session> {
        self.sessions.get(peer)?.current.as_ref()
    }

    /// Puts the current session with a peer aside: what was sent in it can still be read, but nothing is sent in it any more.
    pub fn reset_session(&mut self, peer: &str) {
        if let Some(record) = self.sessions.get_mut(peer) {
            record.archive();
        }
    }

    /// Checks a peer's bundle and sets up a session from it, which becomes the one that is sent in.
    ///
    /// # Errors
    /// In this order: `bad-key`, `unsupported` for a bundle without the Kyber prekey that the profile needs, `bad-signature`; and
    /// `unsupported` if an alteration cannot be made.
    pub fn process_bundle<R: Rng + CryptoRng>(
        &mut self,
        peer: &str,
        bundle: &Bundle,
        alterations: &[Alteration],
        rng: &mut R,
    ) -> Result<(), Refusal> {
        let session = initiate(&self.keys, self.config.profile, bundle, alterations, self.current(peer), rng)?;
        self.sessions.entry(peer.to_owned()).or_default().promote(session);
        Ok(())
    }

    /// Encrypts a plaintext, padded as the application does it.
    ///
    /// # Errors
    /// `no-session`; `unsupported` if an alteration cannot be made.
    pub fn encrypt<R: Rng + CryptoRng>(
        &mut self,
        peer: &str,
        plaintext: &[u8],
        alterations: &[Alteration],
        rng: &mut R,
    ) -> Result<(MessageType, Vec<u8>), Refusal> {
        let low = self.config.version_low;
        let session = self.sessions.get_mut(peer).and_then(|record| record.current.as_mut());
        let session = session.ok_or_else(|| Refusal::new(Reason::NoSession, format!("no session to send with to {peer}")))?;
        let mut next = session.clone();
        let sent = next.encrypt(plaintext, low, alterations, rng)?;
        *session = next;
        Ok(sent)
    }

    /// Decrypts a message, and keeps what follows from it.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn decrypt<R: Rng + CryptoRng>(
        &mut self,
        peer: &str,
        kind: MessageType,
        bytes: &[u8],
        rng: &mut R,
    ) -> Result<Opened, Refusal> {
        let opening = self.open(peer, kind, bytes, rng)?;
        let opened = opening.opened.clone();
        self.keep(opening);
        Ok(opened)
    }

    /// Decrypts a message without keeping anything: whoever judges identities does so now, and then calls [`Self::keep`].
    ///
    /// # Errors
    /// `malformed`, `bad-version` and `bad-key` for what can be seen without a key; `wrong-recipient` for a message under the party's
    /// own identity key; `unknown-prekey`; `no-session`; `duplicate`; `too-old` too far ahead; `bad-mac` for everything that comes
    /// out wrong.
    pub fn open<R: Rng + CryptoRng>(&self, peer: &str, kind: MessageType, bytes: &[u8], rng: &mut R) -> Result<Opening, Refusal> {
        match kind {
            MessageType::Prekey => self.open_prekey(peer, &PrekeyMessage::read(bytes)?, rng),
            MessageType::Normal => self.open_normal(peer, &SignalMessage::read(bytes)?, rng),
        }
    }

    fn open_prekey<R: Rng + CryptoRng>(&self, peer: &str, message: &PrekeyMessage<'_>, rng: &mut R) -> Result<Opening, Refusal> {
        if message.identity_key == self.keys.identity.public {
            return Err(Refusal::new(Reason::WrongRecipient, "the message was made by the party itself"));
        }
        let mut record = self.sessions.get(peer).cloned().unwrap_or_default();
        let mut used = None;
        if !record.promote_matching(message.version, &message.base_key) {
            if message.version != self.config.profile.version() {
                return Err(wrong_version(message.version, self.config.profile));
            }
            let (session, prekeys) = respond(&self.keys, self.config.profile, message)?;
            record.promote(session);
            used = Some(prekeys);
        }
        let plaintext = record.decrypt_first(&message.message, rng)?;
        if let Some(used) = &used {
            self.keys.check_use(used)?;
        }
        let opening = self.opening(peer, record, plaintext, used)?;
        // Nothing outside the embedded message is authenticated where the session is there already.
        if opening.opened.identity != message.identity_key.serialized() {
            return Err(Refusal::new(Reason::BadMac, "the identity key is not the one that the session was made under"));
        }
        Ok(opening)
    }

    fn open_normal<R: Rng + CryptoRng>(&self, peer: &str, message: &SignalMessage<'_>, rng: &mut R) -> Result<Opening, Refusal> {
        let record = self.sessions.get(peer);
        let known = record.is_some_and(|record| record.speaks(message.version));
        if !known && message.version != self.config.profile.version() {
            return Err(wrong_version(message.version, self.config.profile));
        }
        let mut record = record.cloned().ok_or_else(|| Refusal::new(Reason::NoSession, format!("no session with {peer}")))?;
        let plaintext = record.decrypt(message, rng)?;
        self.opening(peer, record, plaintext, None)
    }

    fn opening(&self, peer: &str, record: Record, plaintext: Vec<u8>, used: Option<Used>) -> Result<Opening, Refusal> {
        let identity = record.current.as_ref().map(|session| session.remote_identity.serialized());
        let opened = Opened {
            plaintext,
            identity: identity.ok_or_else(|| Refusal::new(Reason::Internal, "the session just read in is gone"))?,
            starts_session: used.is_some(),
            used_one_time_prekey: used.and_then(|used| used.one_time),
            used_kyber_prekey: used.and_then(|used| used.kyber),
        };
        Ok(Opening { opened, peer: peer.to_owned(), record, used })
    }

    /// Keeps what follows from a message: the ratchet moves, and one-time prekeys are used up.
    pub fn keep(&mut self, opening: Opening) {
        let Opening { peer, record, used, .. } = opening;
        if let Some(used) = used {
            self.keys.mark_used(&used);
        }
        self.sessions.insert(peer, record);
    }
}

fn wrong_version(version: u8, profile: WireProfile) -> Refusal {
    Refusal::new(Reason::BadVersion, format!("a message of version {version}, and this party speaks {profile}"))
}
