//! Random conversations of a user on our stack with one on another, each with draws of its own.

use crate::conversation::{NAMES, Step, Tally, at, damaged, run, share};
use crate::library::Library;
use crate::twins::{Message, Outcome, draws};
use countersign_adversary::{Alteration, Bundle, Config, Party, WireProfile};
use countersign_contract::Reason;
use countersign_contract::portable::{Prekey, SignedKey};

/// A user of one peer, on whichever stack.
pub(crate) trait User {
    fn has_session(&self) -> bool;
    fn bundle(&mut self, one_time: bool) -> Bundle;
    fn process(&mut self, bundle: &Bundle, seed: u64);
    fn send(&mut self, plaintext: &[u8], seed: u64) -> Message;
    fn receive(&mut self, message: &Message, seed: u64) -> Outcome;
    fn restart(&mut self);
    fn reset(&mut self);
}

const PEER: &str = "peer";

/// On our stack.
#[derive(Clone)]
pub(crate) struct Ours {
    party: Party,
    /// One-time prekeys that were not handed out.
    prekeys: Vec<Prekey>,
    kyber_prekeys: Vec<SignedKey>,
}

impl Ours {
    pub(crate) fn new(config: Config, seed: u64) -> Self {
        let mut rng = draws(seed);
        let mut party = Party::new(config, &mut rng);
        let keys = party.add_one_time(3, 3, &mut rng);
        Self { party, prekeys: keys.one_time_prekeys, kyber_prekeys: keys.one_time_kyber_prekeys }
    }

    /// A session under the alterations, where they concern one.
    pub(crate) fn process_altered(&mut self, bundle: &Bundle, alterations: &[Alteration], seed: u64) {
        self.party.process_bundle(PEER, bundle, alterations, &mut draws(seed)).unwrap();
    }

    pub(crate) fn send_altered(&mut self, plaintext: &[u8], alterations: &[Alteration], seed: u64) -> Message {
        let (kind, body) = self.party.encrypt(PEER, plaintext, alterations, &mut draws(seed)).unwrap();
        Message { kind, body, plaintext: plaintext.to_vec() }
    }
}

impl User for Ours {
    fn has_session(&self) -> bool {
        self.party.has_session(PEER)
    }

    fn bundle(&mut self, one_time: bool) -> Bundle {
        let count = usize::from(one_time);
        let prekey = self.prekeys.drain(..count.min(self.prekeys.len())).next();
        let kyber = self.kyber_prekeys.drain(..count.min(self.kyber_prekeys.len())).next();
        self.party.bundle(prekey, kyber)
    }

    fn process(&mut self, bundle: &Bundle, seed: u64) {
        self.process_altered(bundle, &[], seed);
    }

    fn send(&mut self, plaintext: &[u8], seed: u64) -> Message {
        self.send_altered(plaintext, &[], seed)
    }

    fn receive(&mut self, message: &Message, seed: u64) -> Outcome {
        let opened = self.party.decrypt(PEER, message.kind, &message.body, &mut draws(seed));
        opened.map(|opened| opened.plaintext).map_err(|refusal| refusal.reason)
    }

    fn restart(&mut self) {
        self.party = Party::restore(&self.party.save().unwrap()).unwrap();
    }

    fn reset(&mut self) {
        self.party.reset_session(PEER);
    }
}

/// On Signal's crate.
#[derive(Clone)]
pub(crate) struct Theirs {
    library: Library,
    handed_out: u32,
}

impl Theirs {
    pub(crate) fn new(seed: u64) -> Self {
        let mut library = Library::new(WireProfile::V4Spqr, &mut draws(seed));
        library.add_one_time(3, &mut draws(seed + 1));
        Self { library, handed_out: 0 }
    }
}

impl User for Theirs {
    fn has_session(&self) -> bool {
        self.library.has_session(PEER)
    }

    fn bundle(&mut self, one_time: bool) -> Bundle {
        self.handed_out += u32::from(one_time);
        self.library.bundle(one_time.then_some(99 + self.handed_out))
    }

    fn process(&mut self, bundle: &Bundle, seed: u64) {
        self.library.process_bundle(PEER, bundle, &mut draws(seed)).unwrap();
    }

    fn send(&mut self, plaintext: &[u8], seed: u64) -> Message {
        let (kind, body) = self.library.encrypt(PEER, plaintext, &mut draws(seed)).unwrap();
        Message { kind, body, plaintext: plaintext.to_vec() }
    }

    fn receive(&mut self, message: &Message, seed: u64) -> Outcome {
        self.library.decrypt(PEER, message.kind, &message.body, &mut draws(seed))
    }

    fn restart(&mut self) {
        self.library.restart();
    }

    fn reset(&mut self) {
        self.library.reset_session(PEER);
    }
}

/// One conversation. What has to be read is known without a twin: all that arrives for the first time, in a session that is not
/// forgotten, in one of the last five chains.
pub(crate) fn converse(users: [&mut dyn User; 2], steps: &[Step], tally: &mut Tally) {
    let mut queues: [Vec<Message>; 2] = [Vec::new(), Vec::new()];
    let mut arrived: [Vec<Message>; 2] = [Vec::new(), Vec::new()];
    let (mut seed, mut turns, mut last_to) = (2_000, 0, 2);
    for step in steps {
        // Two users that draw the same would have the same keys.
        seed += 2;
        let set_up = match *step {
            Step::Send { from, one_time, .. } if !users[from].has_session() => Some((from, one_time)),
            Step::Renew { who, one_time } => Some((who, one_time)),
            _ => None,
        };
        if let Some((from, one_time)) = set_up {
            let bundle = users[1 - from].bundle(one_time);
            users[from].process(&bundle, seed + from as u64);
            tally.count("set-ups");
        }
        match *step {
            Step::Send { from, length, .. } => {
                queues[1 - from].push(users[from].send(&vec![seed as u8; length], seed + from as u64));
                tally.count("sent");
            }
            Step::Deliver { to, place } if !queues[to].is_empty() => {
                let message = queues[to].remove(at(place, queues[to].len()));
                let outcome = users[to].receive(&message, seed + to as u64);
                tally.outcome(&outcome);
                turns += u32::from(last_to != to);
                last_to = to;
                match &outcome {
                    Ok(plaintext) => assert_eq!(*plaintext, message.plaintext),
                    // Each chain takes two turns; with fewer than ten of them, none was dropped.
                    Err(reason) => assert!(turns >= 10, "{} refused as {reason} after {turns} turns", NAMES[to]),
                }
                arrived[to].push(message);
            }
            Step::Lose { to, place } if !queues[to].is_empty() => {
                let place = at(place, queues[to].len());
                queues[to].remove(place);
                tally.count("lost");
            }
            Step::Repeat { to, place } if !arrived[to].is_empty() => {
                let message = arrived[to][place % arrived[to].len()].clone();
                let outcome = users[to].receive(&message, seed);
                assert!(outcome.is_err(), "a message was read twice");
                tally.count("repeated");
                tally.outcome(&outcome);
            }
            Step::Damage { to, place, bit } if !queues[to].is_empty() => {
                let outcome = users[to].receive(&damaged(&queues[to][at(place, queues[to].len())], bit), seed);
                assert_eq!(outcome, Err(Reason::BadMac));
                tally.count("damaged");
            }
            Step::Gap { from, length } if users[from].has_session() => {
                for _ in 0..length {
                    users[from].send(b"lost", seed + from as u64);
                }
                tally.count("gaps");
            }
            Step::Restart { who } => {
                users[who].restart();
                tally.count("restarts");
            }
            Step::Reset { who } => users[who].reset(),
            _ => {}
        }
    }
}

fn across(profile: WireProfile) {
    let ours = Ours::new(Config::new(profile), 3);
    let theirs = Theirs::new(5);
    run(&format!("across, {profile}"), share(4), |steps, tally| {
        converse([&mut ours.clone(), &mut theirs.clone()], steps, tally);
    });
}

#[test]
fn across_with_the_post_quantum_ratchet() {
    across(WireProfile::V4Spqr);
}

#[test]
fn across_without_it() {
    across(WireProfile::V4);
}
