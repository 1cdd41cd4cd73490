//! A user that exists twice: on our stack and on Signal's own crate, with the same keys, the same input and the same draws. Whatever
//! the two answer has to be the same, the bytes of their messages included.

use crate::library::Library;
use countersign_adversary::{Bundle, Config, Party, WireProfile};
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

/// A user on both stacks.
#[derive(Clone)]
pub(crate) struct Twins {
    pub(crate) ours: Party,
    pub(crate) theirs: Library,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) kind: MessageType,
    pub(crate) body: Vec<u8>,
    pub(crate) plaintext: Vec<u8>,
}

/// What became of a message: its plaintext, or why it was refused.
pub(crate) type Outcome = Result<Vec<u8>, Reason>;

pub(crate) fn draws(operation: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(operation)
}

impl Twins {
    pub(crate) fn new(profile: WireProfile, one_time: u32, seed: u64) -> Self {
        let mut rng = draws(seed);
        let mut theirs = Library::new(profile, &mut rng);
        theirs.add_one_time(one_time, &mut rng);
        let ours = Party::import(Config::new(profile), &theirs.export(), &mut rng).unwrap();
        Self { ours, theirs }
    }

    pub(crate) fn has_session(&self, peer: &str) -> bool {
        let has = self.ours.has_session(peer);
        assert_eq!(has, self.theirs.has_session(peer));
        has
    }

    pub(crate) fn process(&mut self, peer: &str, bundle: &Bundle, seed: u64) {
        self.ours.process_bundle(peer, bundle, &[], &mut draws(seed)).unwrap();
        self.theirs.process_bundle(peer, bundle, &mut draws(seed)).unwrap();
    }

    pub(crate) fn send(&mut self, peer: &str, plaintext: &[u8], seed: u64) -> Message {
        let ours = self.ours.encrypt(peer, plaintext, &[], &mut draws(seed)).unwrap();
        let theirs = self.theirs.encrypt(peer, plaintext, &mut draws(seed)).unwrap();
        assert_eq!(ours, theirs, "the two stacks make different messages of the same");
        let (kind, body) = ours;
        Message { kind, body, plaintext: plaintext.to_vec() }
    }

    pub(crate) fn receive(&mut self, peer: &str, message: &Message, seed: u64) -> Outcome {
        let ours = self.ours.decrypt(peer, message.kind, &message.body, &mut draws(seed));
        let ours = ours.map(|opened| opened.plaintext).map_err(|refusal| refusal.reason);
        let theirs = self.theirs.decrypt(peer, message.kind, &message.body, &mut draws(seed));
        assert_eq!(crate_words(&ours), theirs, "the two stacks answer differently to the same message");
        ours
    }

    pub(crate) fn restart(&mut self) {
        self.ours = Party::restore(&self.ours.save().unwrap()).unwrap();
        self.theirs.restart();
    }

    pub(crate) fn reset(&mut self, peer: &str) {
        self.ours.reset_session(peer);
        self.theirs.reset_session(peer);
    }
}

/// The crate says "decryption failed" of a message that lies too far ahead as well; ours says which.
pub(crate) fn crate_words(outcome: &Outcome) -> Outcome {
    match outcome {
        Err(Reason::TooOld) => Err(Reason::BadMac),
        outcome => outcome.clone(),
    }
}

/// The comparison itself: of two that differ in one thing, it has to say so.
#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    const PEER: &str = "peer";

    fn is_noticed(difference: impl FnOnce()) -> bool {
        catch_unwind(AssertUnwindSafe(difference)).is_err()
    }

    #[test]
    fn one_other_byte_in_a_message_is_noticed() {
        let (mut alice, bob) = (Twins::new(WireProfile::V4Spqr, 0, 1), Twins::new(WireProfile::V4Spqr, 0, 2));
        alice.process(PEER, &bob.theirs.bundle(None), 3);
        let mut other = alice.clone();
        alice.send(PEER, b"the same", 4);
        // The chain of one of the two is a message further.
        other.ours.encrypt(PEER, b"one more", &[], &mut draws(4)).unwrap();
        assert!(is_noticed(|| drop(other.send(PEER, b"the same", 5))));
    }

    #[test]
    fn another_answer_to_a_message_is_noticed() {
        let (mut alice, mut bob) = (Twins::new(WireProfile::V4Spqr, 0, 1), Twins::new(WireProfile::V4Spqr, 0, 2));
        alice.process(PEER, &bob.theirs.bundle(None), 3);
        let message = alice.send(PEER, b"hello", 4);
        // One of the two has received it before.
        bob.ours.decrypt(PEER, message.kind, &message.body, &mut draws(5)).unwrap();
        assert!(is_noticed(|| drop(bob.receive(PEER, &message, 6))));
    }

    #[test]
    fn another_reason_is_noticed() {
        assert_eq!(crate_words(&Err(Reason::TooOld)), Err(Reason::BadMac));
        for reason in Reason::ALL.iter().filter(|reason| **reason != Reason::TooOld) {
            assert_eq!(crate_words(&Err(*reason)), Err(*reason));
        }
    }
}
