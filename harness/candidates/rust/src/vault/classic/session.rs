//! The Double Ratchet: what two parties share after X3DH, and how it goes on with each message.

use super::agreement::{self, Ours, Theirs, agree};
use super::chain::{self, ChainKey, Key, MessageKeys};
use super::is_low_order;
use super::message::Message;
use crate::defect::{Defect, Defects};
use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use countersign_contract::Reason;
use libsignal_protocol::{IdentityKey, IdentityKeyPair, KeyPair, PublicKey};
use rand::rngs::StdRng;
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

/// How far ahead a chain is followed.
pub(super) const FURTHEST_JUMP: u32 = 25_000;
/// How far the defect `follows-any-jump` goes: each message costs two HMACs, and a test has to end.
const ANYWHERE: u32 = 50_000;
/// How many keys of skipped messages are kept for a chain.
pub(super) const MOST_SKIPPED: usize = 2_000;
/// How many of a peer's chains are kept.
const MOST_CHAINS: usize = 5;
/// How many former sessions with a peer stay readable.
const MOST_FORMER: usize = 40;
/// How long a session may go unanswered and still be sent in.
const LONGEST_UNANSWERED: Duration = Duration::from_hours(30 * 24);

/// All sessions with a peer: the one that is sent in first, then the former ones, the latest first.
#[derive(Clone, Default)]
pub(super) struct Record {
    pub(super) sessions: VecDeque<Session>,
}

impl Record {
    /// The session that is sent in.
    pub(super) fn current(&self) -> Option<&Session> {
        self.sessions.front()
    }

    /// Makes a new session the one that is sent in.
    pub(super) fn begin(&mut self, session: Session) {
        self.sessions.push_front(session);
        self.sessions.truncate(1 + MOST_FORMER);
    }

    /// Puts a session that was just read in the place of its older self, and makes it the one that is sent in: the peer sends in
    /// it, so that both come to agree after each began one.
    pub(super) fn go_on_with(&mut self, place: usize, session: Session) {
        self.sessions.remove(place);
        self.sessions.push_front(session);
    }

    /// Where the session stands that began with this base key.
    pub(super) fn place_of(&self, base_key: &PublicKey) -> Option<usize> {
        self.sessions.iter().position(|session| session.base_key == *base_key)
    }
}

/// One session.
#[derive(Clone)]
pub(super) struct Session {
    /// The initiator's ephemeral key, which names the session.
    pub(super) base_key: PublicKey,
    pub(super) theirs: IdentityKey,
    root: Key,
    ratchet: KeyPair,
    sending: ChainKey,
    /// Number of the last message in the chain that was sent in before.
    previous_counter: u32,
    receiving: VecDeque<Receiving>,
    pub(super) pending: Option<Pending>,
    pub(super) slips: Slips,
}

/// What a session does wrong for a defect.
#[derive(Clone, Copy, Default)]
pub(super) struct Slips {
    never_turns: bool,
    follows_any_jump: bool,
    keeps_all_chains: bool,
}

impl Slips {
    /// Those of a client.
    pub(super) fn of(defects: &dyn Defects) -> Self {
        Self {
            never_turns: defects.has(Defect::NeverTurnsRatchet),
            follows_any_jump: defects.has(Defect::FollowsAnyJump),
            keeps_all_chains: defects.has(Defect::KeepsAllChains),
        }
    }

    fn furthest_jump(self) -> u32 {
        if self.follows_any_jump { ANYWHERE } else { FURTHEST_JUMP }
    }
}

/// A chain of the peer's.
#[derive(Clone)]
struct Receiving {
    ratchet_key: PublicKey,
    chain: ChainKey,
    /// Numbers and seeds of messages that were overtaken, the lowest number first.
    skipped: VecDeque<(u32, Key)>,
}

/// What an initiator repeats in every message until it is answered.
#[derive(Clone)]
pub(super) struct Pending {
    pub(super) one_time_prekey: Option<u32>,
    pub(super) signed_prekey: u32,
    pub(super) since: SystemTime,
}

impl Session {
    /// The session of the one who starts it, who sends at once.
    pub(super) fn begin(own: &IdentityKeyPair, theirs: &Theirs, pending: Pending, rng: &mut StdRng) -> Result<Self, Reason> {
        let base = KeyPair::generate(rng);
        let (root, first) = agreement::initiate(own, &base, theirs)?;
        // The signed prekey is the responder's first ratchet key.
        let their_chain = Receiving::new(theirs.signed_prekey, first);
        let ratchet = KeyPair::generate(rng);
        let (root, sending) = chain::step(&root, &agree(&ratchet.private_key, &theirs.signed_prekey)?)?;
        Ok(Self {
            base_key: base.public_key,
            theirs: theirs.identity,
            root,
            ratchet,
            sending: ChainKey::first(sending),
            previous_counter: 0,
            receiving: VecDeque::from([their_chain]),
            pending: Some(pending),
            slips: Slips::default(),
        })
    }

    /// The session of the one who answers.
    pub(super) fn answer(own: &IdentityKeyPair, ours: &Ours, theirs: IdentityKey, base_key: PublicKey) -> Result<Self, Reason> {
        Self::answer_with(&agreement::PREFIX, own, ours, theirs, base_key)
    }

    /// Likewise, with these bytes before the agreed secrets.
    pub(super) fn answer_with(
        prefix: &[u8],
        own: &IdentityKeyPair,
        ours: &Ours,
        theirs: IdentityKey,
        base_key: PublicKey,
    ) -> Result<Self, Reason> {
        let (root, sending) = agreement::respond(prefix, own, ours, &theirs, &base_key)?;
        Ok(Self {
            base_key,
            theirs,
            root,
            ratchet: ours.signed_prekey,
            sending: ChainKey::first(sending),
            previous_counter: 0,
            receiving: VecDeque::new(),
            pending: None,
            slips: Slips::default(),
        })
    }

    /// Whether messages may still be sent in it.
    pub(super) fn is_fresh(&self, now: SystemTime) -> bool {
        let age = self.pending.as_ref().and_then(|pending| now.duration_since(pending.since).ok());
        age.is_none_or(|age| age <= LONGEST_UNANSWERED)
    }

    /// Whether this chain of the peer's is known.
    pub(super) fn knows_chain(&self, ratchet_key: &PublicKey) -> bool {
        self.receiving.iter().any(|chain| chain.ratchet_key == *ratchet_key)
    }

    /// The chain that is sent in.
    #[cfg(test)]
    pub(super) fn sending_chain(&self) -> &ChainKey {
        &self.sending
    }

    /// Encrypts, and goes one message on: the serialised message.
    pub(super) fn seal(&mut self, own: &IdentityKey, padded: &[u8]) -> Result<Vec<u8>, Reason> {
        let keys = MessageKeys::of(&self.sending.seed()?)?;
        let next = self.sending.next()?;
        let cipher = cbc::Encryptor::<Aes256>::new(&keys.cipher.into(), &keys.iv.into());
        let message = Message::write(
            self.ratchet.public_key,
            self.sending.index,
            self.previous_counter,
            cipher.encrypt_padded_vec_mut::<Pkcs7>(padded),
            |covered| mac(&keys.mac, own, &self.theirs, covered),
        )?;
        self.sending = next;
        Ok(message)
    }

    /// Decrypts: the session as it is then, and the plaintext. With `check_mac` false, the message's authentication code is
    /// whatever it likes, as some defects have it.
    ///
    /// # Errors
    /// `duplicate`, `too-old`, `bad-key`, `bad-mac`, and `malformed` for what is authentic and yet no ciphertext.
    pub(super) fn open(
        &self,
        own: &IdentityKey,
        message: &Message,
        check_mac: bool,
        rng: &mut StdRng,
    ) -> Result<(Self, Vec<u8>), Reason> {
        let mut next = self.clone();
        if !next.knows_chain(&message.ratchet_key) {
            next.turn(message.ratchet_key, rng)?;
        }
        let chain = next.receiving.iter_mut().find(|chain| chain.ratchet_key == message.ratchet_key);
        let seed = chain.ok_or(Reason::Internal)?.take(message.counter, self.slips.furthest_jump())?;
        let keys = MessageKeys::of(&seed)?;
        let right = mac(&keys.mac, &self.theirs, own, &message.covered)?;
        if check_mac && !bool::from(subtle::ConstantTimeEq::ct_eq(right.as_slice(), &message.mac)) {
            return Err(Reason::BadMac);
        }
        let cipher = cbc::Decryptor::<Aes256>::new(&keys.cipher.into(), &keys.iv.into());
        let plain = cipher.decrypt_padded_vec_mut::<Pkcs7>(&message.ciphertext).map_err(|_| Reason::BadPadding)?;
        next.pending = None;
        Ok((next, plain))
    }

    /// Writes it out as it is stored.
    pub(super) fn write(&self, written: &mut super::super::written::Written) {
        written.bytes(&self.base_key.serialize()).bytes(&self.theirs.serialize()).bytes(&self.root);
        written.bytes(&self.ratchet.public_key.serialize()).bytes(&self.ratchet.private_key.serialize());
        written.bytes(&self.sending.key).number(self.sending.index).number(self.previous_counter);
        for chain in &self.receiving {
            written.bytes(&chain.ratchet_key.serialize()).bytes(&chain.chain.key).number(chain.chain.index);
            chain.skipped.iter().for_each(|(number, seed)| _ = written.number(*number).bytes(seed));
        }
        if let Some(pending) = &self.pending {
            written.number(pending.one_time_prekey.unwrap_or(0)).number(pending.signed_prekey);
        }
    }

    /// The seeds of messages that are still to come in a chain that is known, up to this one.
    pub(super) fn seeds_up_to(&self, ratchet_key: &PublicKey, counter: u32) -> Option<Vec<Key>> {
        let mut chain = self.receiving.iter().find(|chain| chain.ratchet_key == *ratchet_key)?.chain.clone();
        let mut seeds = Vec::new();
        for _ in 0..=counter.checked_sub(chain.index)?.min(FURTHEST_JUMP) {
            seeds.push(chain.seed().ok()?);
            chain = chain.next().ok()?;
        }
        Some(seeds)
    }

    /// The peer has begun a chain: it is received, and one of our own begun.
    fn turn(&mut self, theirs: PublicKey, rng: &mut StdRng) -> Result<(), Reason> {
        if is_low_order(&theirs) {
            return Err(Reason::BadKey);
        }
        let (root, receiving) = chain::step(&self.root, &agree(&self.ratchet.private_key, &theirs)?)?;
        // Whoever has sent could go on in the same chain, and the peer would not turn either.
        if self.slips.never_turns && self.sending.index > 0 {
            self.root = root;
        } else {
            self.ratchet = KeyPair::generate(rng);
            let (root, sending) = chain::step(&root, &agree(&self.ratchet.private_key, &theirs)?)?;
            self.root = root;
            // Others that speak this version count from zero here: the number of the last message, not how many there were.
            self.previous_counter = self.sending.index.saturating_sub(1);
            self.sending = ChainKey::first(sending);
        }
        self.receiving.push_back(Receiving::new(theirs, receiving));
        if self.receiving.len() > MOST_CHAINS && !self.slips.keeps_all_chains {
            self.receiving.pop_front();
        }
        Ok(())
    }
}

impl Receiving {
    fn new(ratchet_key: PublicKey, chain: Key) -> Self {
        Self { ratchet_key, chain: ChainKey::first(chain), skipped: VecDeque::new() }
    }

    /// Takes the seed of a message; those of the messages that it overtook are kept.
    fn take(&mut self, counter: u32, furthest_jump: u32) -> Result<Key, Reason> {
        let Some(ahead) = counter.checked_sub(self.chain.index) else {
            return self.take_skipped(counter);
        };
        if ahead > furthest_jump {
            return Err(Reason::TooOld);
        }
        for _ in 0..ahead {
            self.skipped.push_back((self.chain.index, self.chain.seed()?));
            self.chain = self.chain.next()?;
            if self.skipped.len() > MOST_SKIPPED {
                self.skipped.pop_front();
            }
        }
        let seed = self.chain.seed()?;
        self.chain = self.chain.next()?;
        Ok(seed)
    }

    fn take_skipped(&mut self, counter: u32) -> Result<Key, Reason> {
        let place = self.skipped.iter().position(|(number, _)| *number == counter);
        if let Some((_, seed)) = place.and_then(|place| self.skipped.remove(place)) {
            return Ok(seed);
        }
        // Once keys had to be thrown away, what came before the oldest one may have been among them.
        let trimmed = self.skipped.len() >= MOST_SKIPPED && self.skipped.front().is_some_and(|(oldest, _)| counter < *oldest);
        Err(if trimmed { Reason::TooOld } else { Reason::Duplicate })
    }
}

/// A message's authentication code, cut to the length that it has on the wire.
fn mac(key: &Key, from: &IdentityKey, to: &IdentityKey, covered: &[u8]) -> Result<[u8; super::message::MAC_BYTES], Reason> {
    let whole = chain::hmac(key, &[&from.serialize(), &to.serialize(), covered])?;
    whole.first_chunk().copied().ok_or(Reason::Internal)
}
