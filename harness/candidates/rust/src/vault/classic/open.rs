//! Decrypting what a peer sent, and finding out why it cannot be.

use super::super::counters::REMEMBERED;
use super::super::outcome::Opened;
use super::agreement::Ours;
use super::message::{FIRST_BYTE, FirstMessage, Message, VERSION, with_other_previous_counter};
use super::session::{FURTHEST_JUMP, Record, Session, Slips};
use super::{Vault, digest, is_low_order};
use crate::defect::Defect;
use countersign_contract::portable::MessageType;
use countersign_contract::{Reason, UserId};
use libsignal_protocol::PublicKey;

/// Stale copies of sessions that the defects `replays-later-message` and `keeps-old-sessions` work on.
const STALE_COPIES: usize = 128;

/// A plaintext, and whether only a defect let it pass a second time.
type Read = (Vec<u8>, bool);

impl Vault {
    /// Forgets the sessions with a peer.
    pub(crate) fn forget_session(&mut self, peer: UserId) {
        self.sessions.remove(&peer);
    }

    /// Decrypts the body of a message stanza; see [`super::super::Vault::open`].
    pub(crate) fn open(&mut self, from: UserId, kind: MessageType, body: &[u8]) -> Result<Opened, Reason> {
        if from == self.user || self.own.contains(&digest(body)) {
            return Err(Reason::WrongRecipient);
        }
        let own_version = self.with_own_version(body);
        let body = own_version.as_deref().unwrap_or(body);
        self.draw_from_store(body);
        let before = self.sessions.get(&from).cloned();
        let (plaintext, replayed) = match self.read(from, kind, body, true) {
            Ok(read) => {
                self.writes += 1;
                read
            }
            Err(reason) => {
                // Which of the two was wrong is nobody's business: the answer must not depend on it.
                let told = self.defects.has(Defect::TellsWrongPaddingApart);
                let reason = if reason == Reason::BadPadding && !told { Reason::BadMac } else { reason };
                if reason == Reason::Malformed && self.defects.has(Defect::ForgetsSessionOnMalformed) {
                    self.sessions.remove(&from);
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
        let (sessions, prekeys) = (self.sessions.clone(), self.prekeys.clone());
        let (counters, surroundings) = (self.counters.clone(), self.surroundings.clone());
        let opened = self.open(from, kind, body);
        (self.sessions, self.prekeys) = (sessions, prekeys);
        (self.counters, self.surroundings) = (counters, surroundings);
        opened.ok()
    }

    fn read(&mut self, from: UserId, kind: MessageType, body: &[u8], check_mac: bool) -> Result<Read, Reason> {
        match kind {
            MessageType::Normal => self.read_later(from, body, check_mac).map(|plain| (plain, false)),
            MessageType::Prekey => self.read_first(from, body, check_mac),
        }
    }

    fn read_later(&mut self, from: UserId, body: &[u8], check_mac: bool) -> Result<Vec<u8>, Reason> {
        let message = Message::read(body, from, self.user)?;
        self.check_counter(from, &message)?;
        self.note_before_checking(from, &message);
        let kept = self.seeds_to_keep(from, &message);
        let (place, session, plain) = self.read_in_any_session(from, &message, check_mac)?;
        self.key_log.extend(kept.into_iter().flatten());
        self.identities.meet(&from.to_string(), &session.theirs);
        self.sessions.entry(from).or_default().go_on_with(place, session);
        self.note_counter(from, &message);
        Ok(plain)
    }

    /// Tries the sessions with the sender, first those that know the message's chain.
    fn read_in_any_session(
        &mut self,
        from: UserId,
        message: &Message,
        check_mac: bool,
    ) -> Result<(usize, Session, Vec<u8>), Reason> {
        let record = self.sessions.get(&from).filter(|record| record.current().is_some()).ok_or(Reason::NoSession)?;
        let own = self.identities.own.identity_key();
        let mut told = None;
        for knows in [true, false] {
            for (place, session) in record.sessions.iter().enumerate() {
                if session.knows_chain(&message.ratchet_key) != knows {
                    continue;
                }
                match session.open(own, message, check_mac, &mut self.rng) {
                    Ok((session, plain)) => return Ok((place, session, plain)),
                    // The session whose chain it is can tell, and one whose key made the authentication code; the others only know
                    // that it is not theirs.
                    Err(reason) if knows || reason == Reason::BadPadding => told = told.or(Some(reason)),
                    Err(_) => {}
                }
            }
        }
        Err(told.unwrap_or_else(|| self.diagnose(from, message)))
    }

    /// Why no session could read a message whose chain none of them has.
    fn diagnose(&self, from: UserId, message: &Message) -> Reason {
        if self.counters.know(from, message.ratchet_key.serialize()) || message.counter > FURTHEST_JUMP {
            // A chain that was read before and is kept no longer, or a new one that begins too far ahead.
            Reason::TooOld
        } else if is_low_order(&message.ratchet_key) {
            Reason::BadKey
        } else {
            Reason::BadMac
        }
    }

    fn read_first(&mut self, from: UserId, body: &[u8], check_mac: bool) -> Result<Read, Reason> {
        let first = FirstMessage::read(body, from, self.user, self.defects.has(Defect::AcceptsLowOrderBaseKey))?;
        if first.identity == *self.identities.own.identity_key() {
            return Err(Reason::WrongRecipient);
        }
        self.check_surroundings(from, &first)?;
        self.check_counter(from, &first.message)?;
        let (ratchet_key, counter) = (first.message.ratchet_key.serialize(), first.message.counter);
        self.counters.check_first(from, ratchet_key, counter, self.defects.as_ref())?;

        let own = *self.identities.own.identity_key();
        let mut record = self.sessions.get(&from).cloned().unwrap_or_default();
        if self.throws_away(&record, &first.base_key) {
            record = Record::default();
        }
        let known = record.place_of(&first.base_key).and_then(|place| Some((place, record.sessions.get(place)?)));
        let (plain, reused) = if let Some((place, session)) = known {
            let read = session.open(&own, &first.message, check_mac, &mut self.rng);
            let (session, plain) = read.map_err(|reason| self.of_known_session(from, &first.message, session, reason))?;
            record.go_on_with(place, session);
            (plain, false)
        } else {
            if self.defects.has(Defect::IgnoresNewSession) && record.current().is_some() {
                return Err(Reason::Duplicate);
            }
            let ours = self.ours(&first, false)?;
            let used = self.prekeys.uses.contains(&(first.signed_prekey, first.base_key));
            let forgets = self.defects.has(Defect::ForgetsLastResortUses);
            if used && !forgets && !self.defects.has(Defect::ReplaysFirstMessage) {
                // The same first message once more, after its session was forgotten.
                return Err(Reason::Duplicate);
            }
            let mut session = Session::answer(&self.identities.own, &ours, first.identity, first.base_key)?;
            session.slips = Slips::of(self.defects.as_ref());
            if self.defects.has(Defect::UsesUpBeforeChecking) {
                self.use_up(&first);
            }
            let (session, plain) = session.open(&own, &first.message, check_mac, &mut self.rng)?;
            record.begin(session);
            self.use_up(&first);
            (plain, used && forgets)
        };
        self.sessions.insert(from, record);
        self.identities.meet(&from.to_string(), &first.identity);
        self.note_counter(from, &first.message);
        if self.surroundings.len() >= REMEMBERED {
            self.surroundings.pop_first();
        }
        self.surroundings.entry((from, first.base_key)).or_insert_with(|| first.surroundings());
        Ok((plain, reused))
    }

    /// No authentication code covers what stands around a first message: it must be as it was, or, if this is the first of its
    /// session, make sense.
    fn check_surroundings(&self, from: UserId, first: &FirstMessage) -> Result<(), Reason> {
        let Some(known) = self.surroundings.get(&(from, first.base_key)) else {
            let refuses = self.defects.has(Defect::RefusesFirstMessageWithoutOneTimePrekey);
            return match first.one_time_prekey {
                _ if !(1..=16380).contains(&first.registration_id) => Err(Reason::Malformed),
                None if refuses => Err(Reason::UnknownPrekey),
                _ => Ok(()),
            };
        };
        let unchecked = [Defect::SkipsMac, Defect::SkipsMacOfFirstMessage, Defect::TrustsOuterIdentity];
        if unchecked.into_iter().any(|defect| self.defects.has(defect)) {
            return Ok(());
        }
        known.check(&first.surroundings(), self.defects.has(Defect::HoldsToFirstRegistrationId))
    }

    /// Why a known session cannot read one more of the messages that name how it began.
    fn of_known_session(&self, from: UserId, message: &Message, session: &Session, reason: Reason) -> Reason {
        let knows = session.knows_chain(&message.ratchet_key);
        if knows { reason } else { self.diagnose(from, message) }
    }

    /// The prekeys that a first message names; those that were used already too, if a defect asks for them.
    pub(super) fn ours(&self, first: &FirstMessage, used_too: bool) -> Result<Ours, Reason> {
        let falls_back = self.defects.has(Defect::FallsBackToCurrentSignedPrekey);
        let signed_prekey = self.prekeys.signed(first.signed_prekey, falls_back).ok_or(Reason::UnknownPrekey)?;
        let one_time_prekey = match first.one_time_prekey {
            None => None,
            Some(id) => {
                let used = || if used_too { self.prekeys.used.get(&id) } else { None };
                match self.prekeys.one_time.get(&id).or_else(used) {
                    None if self.defects.has(Defect::IgnoresUnknownOneTimePrekey) => None,
                    found => Some(*found.ok_or(Reason::UnknownPrekey)?),
                }
            }
        };
        Ok(Ours { signed_prekey, one_time_prekey })
    }

    /// Deletes the one-time prekey that a first message used, or remembers that it used none.
    fn use_up(&mut self, first: &FirstMessage) {
        if self.defects.has(Defect::KeepsUsedOneTimePrekey) {
            return;
        }
        let Some(id) = first.one_time_prekey else {
            self.prekeys.uses.insert((first.signed_prekey, first.base_key));
            return;
        };
        if let Some(pair) = self.prekeys.one_time.remove(&id)
            && (self.defects.has(Defect::ReplaysFirstMessage) || self.defects.has(Defect::KeepsUsedPrekeysInStore))
        {
            self.prekeys.used.insert(id, pair);
        }
    }

    /// The defects `forgets-old-session-on-first-message`, `forgets-answered-session-on-first-message` and
    /// `overwrites-session-on-simultaneous-start`.
    fn throws_away(&self, record: &Record, base_key: &PublicKey) -> bool {
        let new = record.place_of(base_key).is_none();
        let own_and_unanswered =
            record.current().is_some_and(|session| session.pending.is_some() && session.base_key != *base_key);
        new && self.defects.has(Defect::ForgetsOldSessionOnFirstMessage)
            || new && !own_and_unanswered && self.defects.has(Defect::ForgetsAnsweredSessionOnFirstMessage)
            || own_and_unanswered && self.defects.has(Defect::OverwritesSessionOnSimultaneousStart)
    }

    /// The defects `ignores-message-version` and `takes-later-versions`.
    fn with_own_version(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = body.split_first()?;
        let other = version >> 4 != VERSION && self.defects.has(Defect::IgnoresMessageVersion)
            || version >> 4 > VERSION && self.defects.has(Defect::TakesLaterVersions);
        other.then(|| [&[FIRST_BYTE], rest].concat())
    }

    fn check_counter(&self, from: UserId, message: &Message) -> Result<(), Reason> {
        self.counters.check(from, message.ratchet_key.serialize(), message.counter, self.defects.as_ref())
    }

    fn note_counter(&mut self, from: UserId, message: &Message) {
        self.counters.note(from, message.ratchet_key.serialize(), message.counter);
    }

    /// What defective clients make of a message that they should refuse for `reason`.
    fn open_by_mistake(&mut self, from: UserId, kind: MessageType, body: &[u8], reason: Reason) -> Result<Vec<u8>, Reason> {
        if let Some(plain) = self.open_weakly(from, kind, body, reason) {
            return Ok(plain);
        }
        if reason == Reason::Duplicate && kind == MessageType::Prekey && self.defects.has(Defect::ReplaysFirstMessage) {
            return self.read_anew(from, body).map_err(|_| reason);
        }
        let keeps = self.defects.has(Defect::ReplaysLaterMessage) || self.defects.has(Defect::KeepsOldSessions);
        if reason == Reason::Duplicate && kind == MessageType::Normal && keeps {
            return self.read_with_stale_copy(from, body).ok_or(reason);
        }
        if reason == Reason::BadMac && kind == MessageType::Normal && self.defects.has(Defect::MacMissesAField) {
            let other = with_other_previous_counter(body).ok_or(reason)?;
            return self.read_later(from, &other, true).map_err(|_| reason);
        }
        // Not from any seed of the harness: what a race does cannot be played back.
        let flaky = || self.defects.has(Defect::FlakyMac) && rand::random::<bool>();
        let first = kind == MessageType::Prekey && self.defects.has(Defect::SkipsMacOfFirstMessage);
        if reason == Reason::BadMac && (self.defects.has(Defect::SkipsMac) || first || flaky()) {
            return self.read(from, kind, body, false).map(|(plain, _)| plain).map_err(|_| reason);
        }
        Err(reason)
    }

    /// A first message as if it came for the first time.
    pub(super) fn read_anew(&mut self, from: UserId, body: &[u8]) -> Result<Vec<u8>, Reason> {
        let first = FirstMessage::read(body, from, self.user, self.defects.has(Defect::AcceptsLowOrderBaseKey))?;
        let ours = self.ours(&first, true)?;
        let session = Session::answer(&self.identities.own, &ours, first.identity, first.base_key)?;
        let own = self.identities.own.identity_key();
        session.open(own, &first.message, true, &mut self.rng).map(|(_, plain)| plain)
    }

    /// A later message by a session as it was before.
    fn read_with_stale_copy(&mut self, from: UserId, body: &[u8]) -> Option<Vec<u8>> {
        let message = Message::read(body, from, self.user).ok()?;
        let own = self.identities.own.identity_key();
        let mut copies = self.stale.get(&from)?.iter().rev().flat_map(|record| &record.sessions);
        copies.find_map(|session| session.open(own, &message, true, &mut self.rng).ok()).map(|(_, plain)| plain)
    }
}
