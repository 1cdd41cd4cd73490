//! Decrypting what a peer sent, and finding out why it cannot be.

use super::super::outcome::Opened;
use super::ratchet;
use super::view::{self, Difference};
use super::{REMEMBERED, Vault, address, digest, is_low_order, reason_of, run};
use crate::defect::Defect;
use countersign_contract::portable::{DEVICE, MessageType};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{
    PreKeySignalMessage, SessionRecord, SignalMessage, SignalProtocolError, message_decrypt_prekey, message_decrypt_signal,
};
use prost::Message as _;

/// The version of message that the suite speaks. libsignal still reads version 3, which knows no post-quantum secret.
const VERSION: u8 = 4;
/// How far ahead libsignal goes in a chain.
const FURTHEST_JUMP: u32 = 25_000;
/// How many keys of skipped messages libsignal keeps for a chain.
pub(super) const MOST_SKIPPED: usize = 2_000;
/// Stale copies of sessions that the defects `replays-later-message` and `keeps-old-sessions` work on.
const STALE_COPIES: usize = 128;
impl Vault {
    /// Forgets the sessions with a peer.
    pub(crate) fn forget_session(&mut self, peer: UserId) {
        self.sessions.0.remove(&peer.to_string());
    }

    /// Decrypts the body of a message stanza.
    ///
    /// # Errors
    /// What was wrong with it. The keys and sessions are then as before.
    pub(crate) fn open(&mut self, from: UserId, kind: MessageType, body: &[u8]) -> Result<Opened, Reason> {
        if from == self.user || self.own.contains(&digest(body)) {
            return Err(Reason::WrongRecipient);
        }
        let own_version = self.with_own_version(body);
        let body = own_version.as_deref().unwrap_or(body);
        self.draw_from_store(body);
        let before = self.sessions.0.get(&from.to_string()).cloned();
        let opened = match kind {
            MessageType::Normal => self.open_normal(from, body),
            MessageType::Prekey => self.open_prekey(from, body),
        };
        let (plaintext, replayed) = match opened {
            Ok(plaintext) => {
                self.lose_pq_progress(from, before.as_ref());
                self.writes += 1;
                // A second use of a last-resort prekey is only ever taken by a defect.
                (plaintext, self.kyber.take_reused())
            }
            Err(reason) => {
                if reason == Reason::Malformed && self.defects.has(Defect::ForgetsSessionOnMalformed) {
                    self.sessions.0.remove(&from.to_string());
                }
                (self.open_by_mistake(from, kind, body, reason)?, !self.defects.has(Defect::KeepsOldSessions))
            }
        };
        if let Some(before) = before
            && (self.defects.has(Defect::ReplaysLaterMessage) || self.defects.has(Defect::KeepsOldSessions))
        {
            let copies = self.stale.entry(from).or_default();
            copies.push(before);
            let surplus = copies.len().saturating_sub(STALE_COPIES);
            copies.drain(..surplus);
        }
        Ok(Opened { plaintext, identity_changed: self.identities.take_changed(), replayed })
    }

    /// Decrypts for somebody else, and leaves everything as it was: for the defect `shared-key-store`.
    pub(crate) fn lend(&mut self, from: UserId, kind: MessageType, body: &[u8]) -> Option<Opened> {
        let (sessions, one_time, kyber) = (self.sessions.clone(), self.one_time.clone(), self.kyber.clone());
        let (counters, surroundings) = (self.counters.clone(), self.surroundings.clone());
        let opened = self.open(from, kind, body);
        (self.sessions, self.one_time, self.kyber) = (sessions, one_time, kyber);
        (self.counters, self.surroundings) = (counters, surroundings);
        opened.ok()
    }

    fn open_normal(&mut self, from: UserId, body: &[u8]) -> Result<Vec<u8>, Reason> {
        let message = self.read(from, body)?;
        self.check_counter(from, &message)?;
        let peer = address(from)?;
        self.note_before_checking(from, &message);
        let kept = self.seeds_to_keep(from, &message);
        let plain = run(message_decrypt_signal(&message, &peer, &mut self.sessions, &mut self.identities, &mut self.rng));
        match plain {
            Ok(plain) => {
                self.key_log.extend(kept.into_iter().flatten());
                self.note_counter(from, &message);
                Ok(plain)
            }
            Err(error) => Err(self.diagnose(from, &message, &error)),
        }
    }

    fn open_prekey(&mut self, from: UserId, body: &[u8]) -> Result<Vec<u8>, Reason> {
        let message = PreKeySignalMessage::try_from(body).map_err(|error| reason_of(&error).unwrap_or(Reason::Malformed))?;
        let outer = view::PrekeyMessage::decode(body.get(1..).unwrap_or_default()).map_err(|_| Reason::Malformed)?;
        let inner = self.read(from, &outer.message)?;
        if message.message_version() != VERSION {
            return Err(Reason::BadVersion);
        }
        // libsignal ignores bytes after a key, and takes identity keys of low order.
        if outer.base_key.len() != 33 || outer.identity_key.len() != 33 || is_low_order(message.identity_key().public_key()) {
            return Err(Reason::BadKey);
        }
        if message.identity_key() == self.identities.own.identity_key() {
            return Err(Reason::WrongRecipient);
        }
        let session = (from, message.base_key().serialize());
        let first = self.surroundings.get(&session);
        // libsignal speaks without the post-quantum ratchet to whoever begins without it, or with a version of it that nobody knows.
        if first.is_none() && !ratchet::is_of_version(inner.pq_ratchet()) && !self.defects.has(Defect::AcceptsSessionWithoutSpqr)
        {
            return Err(Reason::BadVersion);
        }
        if let Some(first) = first
            && !self.defects.has(Defect::SkipsMac)
            && !self.defects.has(Defect::TrustsOuterIdentity)
        {
            // libsignal looks at nothing outside the inner message once it has the session, yet would save the identity key.
            match first.difference(&outer.surroundings()) {
                None => {}
                Some(Difference::PrekeyId) => return Err(Reason::UnknownPrekey),
                Some(Difference::Secret) => return Err(Reason::BadMac),
                // No key depends on it: the first one may have been changed on the way, and the honest ones that follow must be read.
                Some(Difference::RegistrationId) if self.defects.has(Defect::HoldsToFirstRegistrationId) => {
                    return Err(Reason::Malformed);
                }
                Some(Difference::RegistrationId) => {}
            }
        } else if first.is_none() && !(1..=16380).contains(&message.registration_id()) {
            return Err(Reason::Malformed);
        }
        if first.is_none() && message.pre_key_id().is_none() && self.defects.has(Defect::RefusesFirstMessageWithoutOneTimePrekey)
        {
            return Err(Reason::UnknownPrekey);
        }
        if self.defects.has(Defect::IgnoresNewSession) && self.has_other_session(from, &outer.base_key) {
            return Err(Reason::Duplicate);
        }
        self.check_counter(from, message.message())?;
        let (ratchet_key, counter) = (message.message().sender_ratchet_key().serialize(), message.message().counter());
        self.counters.check_first(from, ratchet_key, counter, self.defects.as_ref())?;
        let thrown_away = self.throw_session_away(from, &outer.base_key);
        match self.decrypt_prekey(from, &message) {
            Ok(plain) => {
                self.note_counter(from, message.message());
                if self.surroundings.len() >= REMEMBERED {
                    self.surroundings.pop_first();
                }
                self.surroundings.entry(session).or_insert_with(|| outer.surroundings());
                Ok(plain)
            }
            Err(error) => {
                if let Some(record) = thrown_away {
                    self.sessions.0.insert(from.to_string(), record);
                }
                if let Some(id) = message.pre_key_id().filter(|_| self.defects.has(Defect::UsesUpBeforeChecking)) {
                    self.one_time.keys.remove(&id.into());
                }
                Err(if self.kyber.take_reused() {
                    // The same first message once more, after its session was forgotten.
                    Reason::Duplicate
                } else if !message.base_key().is_canonical() {
                    Reason::BadKey
                } else {
                    self.diagnose(from, message.message(), &error)
                })
            }
        }
    }

    pub(super) fn decrypt_prekey(&mut self, from: UserId, message: &PreKeySignalMessage) -> Result<Vec<u8>, SignalProtocolError> {
        let peer = address(from).map_err(|_| SignalProtocolError::InvalidArgument("address".into()))?;
        run(message_decrypt_prekey(
            message,
            &peer,
            &mut self.sessions,
            &mut self.identities,
            &mut self.one_time,
            &self.signed,
            &mut self.kyber,
            &mut self.rng,
        ))
    }

    /// For the defects that do not follow a new session: whether there are sessions with the sender, and none of them began with this base key.
    fn has_other_session(&self, from: UserId, base_key: &[u8]) -> bool {
        let record = self.sessions.0.get(&from.to_string()).and_then(view::Record::of);
        record.is_some_and(|record| {
            let mut known = record.sessions().map(|session| session.alice_base_key).peekable();
            known.peek().is_some() && known.all(|known| known != base_key)
        })
    }

    /// The defects `ignores-message-version` and `takes-later-versions`.
    fn with_own_version(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = body.split_first()?;
        let other = version >> 4 != VERSION && self.defects.has(Defect::IgnoresMessageVersion)
            || version >> 4 > VERSION && self.defects.has(Defect::TakesLaterVersions);
        other.then(|| [&[VERSION << 4 | VERSION], rest].concat())
    }

    /// The defects `forgets-old-session-on-first-message`, `forgets-answered-session-on-first-message` and
    /// `overwrites-session-on-simultaneous-start`.
    fn throw_session_away(&mut self, from: UserId, base_key: &[u8]) -> Option<SessionRecord> {
        if self.defects.has(Defect::ForgetsOldSessionOnFirstMessage) && self.has_other_session(from, base_key) {
            return self.sessions.0.remove(&from.to_string());
        }
        if self.defects.has(Defect::ForgetsAnsweredSessionOnFirstMessage) && self.has_other_session(from, base_key) {
            let current = view::Record::of(self.sessions.0.get(&from.to_string())?)?.current?;
            return current.pending_pre_key.is_none().then(|| self.sessions.0.remove(&from.to_string())).flatten();
        }
        if !self.defects.has(Defect::OverwritesSessionOnSimultaneousStart) {
            return None;
        }
        let current = view::Record::of(self.sessions.0.get(&from.to_string())?)?.current?;
        let own_and_unanswered = current.pending_pre_key.is_some() && current.alice_base_key != base_key;
        own_and_unanswered.then(|| self.sessions.0.remove(&from.to_string())).flatten()
    }

    /// The defects that refuse what is merely out of order.
    fn check_counter(&self, from: UserId, message: &SignalMessage) -> Result<(), Reason> {
        let ratchet_key = message.sender_ratchet_key().serialize();
        self.counters.check(from, ratchet_key, message.counter(), self.defects.as_ref())
    }

    fn note_counter(&mut self, from: UserId, message: &SignalMessage) {
        self.counters.note(from, message.sender_ratchet_key().serialize(), message.counter());
    }

    /// Why a message cannot be decrypted. libsignal tries several sessions and then says no more than that it failed.
    fn diagnose(&self, from: UserId, message: &SignalMessage, error: &SignalProtocolError) -> Reason {
        let duplicate = match reason_of(error) {
            Some(Reason::Duplicate) => true,
            Some(reason) => return reason,
            None => false,
        };
        let Some(record) = self.sessions.0.get(&from.to_string()).and_then(view::Record::of) else {
            // A first message whose session was never set up: all that remains is that its secrets do not fit.
            return if message.counter() > FURTHEST_JUMP { Reason::TooOld } else { Reason::BadMac };
        };
        let ratchet = message.sender_ratchet_key().serialize();
        let mut sessions = 0;
        for chain in record.sessions().inspect(|_| sessions += 1).flat_map(|session| session.receiver_chains) {
            if chain.ratchet_key != *ratchet {
                continue;
            }
            let index = chain.chain_key.map_or(0, |key| key.index);
            let oldest = chain.message_keys.iter().map(|key| key.index).min();
            let trimmed = chain.message_keys.len() >= MOST_SKIPPED && oldest.is_some_and(|oldest| message.counter() < oldest);
            let too_far = message.counter().checked_sub(index).is_some_and(|jump| jump > FURTHEST_JUMP);
            return match duplicate {
                _ if trimmed || too_far => Reason::TooOld,
                true => Reason::Duplicate,
                false => Reason::BadMac,
            };
        }
        if duplicate {
            Reason::Duplicate
        } else if sessions == 0 {
            Reason::NoSession
        } else if self.counters.know(from, ratchet) || message.counter() > FURTHEST_JUMP {
            // A chain that was read before and is kept no longer, or a new one that begins too far ahead.
            Reason::TooOld
        } else if is_low_order(message.sender_ratchet_key()) {
            Reason::BadKey
        } else {
            Reason::BadMac
        }
    }

    /// What defective clients make of a message that they should refuse for `reason`.
    fn open_by_mistake(&mut self, from: UserId, kind: MessageType, body: &[u8], reason: Reason) -> Result<Vec<u8>, Reason> {
        let name = from.to_string();
        if let Some(plain) = self.open_weakly(from, kind, body, reason) {
            return Ok(plain);
        }
        if reason == Reason::Duplicate && kind == MessageType::Prekey && self.defects.has(Defect::ReplaysFirstMessage) {
            let (sessions, one_time, kyber) = (self.sessions.clone(), self.one_time.clone(), self.kyber.clone());
            self.sessions.0.remove(&name);
            self.one_time.keys.extend(one_time.used.clone());
            self.kyber.keys.extend(kyber.used.clone());
            let message = PreKeySignalMessage::try_from(body).map_err(|_| reason)?;
            let plain = self.decrypt_prekey(from, &message);
            (self.sessions, self.one_time, self.kyber) = (sessions, one_time, kyber);
            return plain.map_err(|_| reason);
        }
        let keeps = self.defects.has(Defect::ReplaysLaterMessage) || self.defects.has(Defect::KeepsOldSessions);
        if reason == Reason::Duplicate && kind == MessageType::Normal && keeps {
            let current = self.sessions.0.get(&name).cloned();
            let mut plain = Err(reason);
            for copy in self.stale.get(&from).cloned().unwrap_or_default().into_iter().rev() {
                self.sessions.0.insert(name.clone(), copy);
                plain = self.open_normal(from, body).map_err(|_| reason);
                if plain.is_ok() {
                    break;
                }
            }
            self.sessions.0.extend(current.map(|record| (name, record)));
            return plain;
        }
        if reason == Reason::BadMac && kind == MessageType::Normal && self.defects.has(Defect::MacMissesAField) {
            let other = super::forged::with_other_previous_counter(body).ok_or(reason)?;
            return self.open_normal(from, &other).map_err(|_| reason);
        }
        // Not from any seed of the harness: what a race does cannot be played back.
        let flaky = || self.defects.has(Defect::FlakyMac) && rand::random::<bool>();
        let first = kind == MessageType::Prekey && self.defects.has(Defect::SkipsMacOfFirstMessage);
        if reason == Reason::BadMac && (self.defects.has(Defect::SkipsMac) || first || flaky()) {
            return self.open_despite_mac(from, kind, body).ok_or(reason);
        }
        if reason == Reason::BadMac && self.defects.has(Defect::TellsWrongPaddingApart) && self.has_right_mac(from, kind, body) {
            return Err(Reason::BadPadding);
        }
        Err(reason)
    }

    /// Reads a message and checks what libsignal lets pass: an older version, bytes after the ratchet key, and the names of other
    /// parties, which later versions of it write and check; and what makes it panic.
    fn read(&self, from: UserId, body: &[u8]) -> Result<SignalMessage, Reason> {
        let message = SignalMessage::try_from(body).map_err(|error| reason_of(&error).unwrap_or(Reason::Malformed))?;
        if message.message_version() != VERSION {
            return Err(Reason::BadVersion);
        }
        let fields = body.get(1..body.len().saturating_sub(super::forged::MAC_BYTES)).unwrap_or_default();
        let inner = view::NormalMessage::decode(fields).map_err(|_| Reason::Malformed)?;
        if inner.ratchet_key.len() != 33 {
            return Err(Reason::BadKey);
        }
        if !ratchet::is_safe_to_read(inner.pq_ratchet.as_deref().unwrap_or_default()) {
            return Err(Reason::BadMac);
        }
        // libsignal takes ratchet keys of low order.
        if is_low_order(message.sender_ratchet_key()) && !self.defects.has(Defect::AcceptsLowOrderRatchetKey) {
            return Err(Reason::BadKey);
        }
        let names_others = inner.addresses.is_some_and(|addresses| addresses != addresses_of(from, self.user));
        if names_others && !self.defects.has(Defect::IgnoresAddresses) {
            return Err(Reason::WrongRecipient);
        }
        Ok(message)
    }
}

/// Sender and recipient as later versions of libsignal name them in field 6: service id (a zero and the UUID) and device, twice.
fn addresses_of(sender: UserId, recipient: UserId) -> Vec<u8> {
    let device = u8::try_from(DEVICE).unwrap_or_default();
    [sender, recipient].iter().flat_map(|user| [&[0], user.0.as_bytes().as_slice(), &[device]].concat()).collect()
}
