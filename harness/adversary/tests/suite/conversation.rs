//! Random conversations: loss, reordering, repetition, damage, restarts, simultaneous starts, new sessions.
//!
//! Two ways. As twins: each of the two users exists on both stacks, which must agree on every byte and every refusal. Across: one user
//! on our stack, the other on Signal's crate, each with draws of its own. `COUNTERSIGN_CONVERSATIONS` says how many altogether.

use crate::library::Library;
use crate::twins::{Message, Outcome, Twins, draws};
use countersign_adversary::{Config, Party, WireProfile};
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;

/// How many conversations a run of the tests has, unless the environment says otherwise.
const CONVERSATIONS: u32 = 20_000;
const NAMES: [&str; 2] = ["alice", "bob"];

/// One thing that happens. `bool` and `usize` say who: 0 is alice. Places in a queue are taken modulo its length.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Sends; sets up a session first if there is none, with a one-time prekey or without.
    Send { from: usize, one_time: bool, length: usize },
    /// A message arrives, in whatever order.
    Deliver { to: usize, place: usize },
    /// A message is lost.
    Lose { to: usize, place: usize },
    /// One that arrived comes once more.
    Repeat { to: usize, place: usize },
    /// One comes with a bit flipped, in its MAC or in its last block.
    Damage { to: usize, place: usize, bit: usize },
    /// Several are sent and lost at once.
    Gap { from: usize, length: usize },
    /// The state is written out and read in again.
    Restart { who: usize },
    /// A new session is begun, whether or not there is one.
    Renew { who: usize, one_time: bool },
    /// The session is put aside.
    Reset { who: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..2_usize;
    let place = || 0..64_usize;
    prop_oneof![
        12 => (who(), any::<bool>(), 0..40_usize).prop_map(|(from, one_time, length)| Step::Send { from, one_time, length }),
        14 => (who(), prop_oneof![3 => Just(0), 1 => place()]).prop_map(|(to, place)| Step::Deliver { to, place }),
        2 => (who(), place()).prop_map(|(to, place)| Step::Lose { to, place }),
        2 => (who(), place()).prop_map(|(to, place)| Step::Repeat { to, place }),
        2 => (who(), place(), 0..192_usize).prop_map(|(to, place, bit)| Step::Damage { to, place, bit }),
        1 => (who(), 1..30_usize).prop_map(|(from, length)| Step::Gap { from, length }),
        1 => who().prop_map(|who| Step::Restart { who }),
        1 => (who(), any::<bool>()).prop_map(|(who, one_time)| Step::Renew { who, one_time }),
        1 => who().prop_map(|who| Step::Reset { who }),
    ]
}

/// Many short ones, and some long.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![
        16 => proptest::collection::vec(step(), 2..16),
        3 => proptest::collection::vec(step(), 16..50),
        1 => proptest::collection::vec(step(), 50..160),
    ]
}

/// What was done and what came of it, over all conversations.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn outcome(&mut self, outcome: &Outcome) {
        self.count(match outcome {
            Ok(_) => "read",
            Err(reason) => reason.as_str(),
        });
    }

    /// Past the capture of the test runner: the counts are to be seen in every run.
    fn print(&self, title: &str) {
        let counts: Vec<String> = self.0.iter().map(|(what, count)| format!("{what} {count}")).collect();
        drop(writeln!(std::io::stderr(), "{title}: {}", counts.join(", ")));
    }
}

/// How many conversations one of the tests has.
fn share(of: u32) -> u32 {
    let all = std::env::var("COUNTERSIGN_CONVERSATIONS").ok().map_or(CONVERSATIONS, |text| text.parse().expect("a number"));
    all.div_ceil(of)
}

fn run(title: &str, cases: u32, mut converse: impl FnMut(&[Step], &mut Tally)) {
    let tally = RefCell::new(Tally::default());
    let mut runner = TestRunner::new(Cases { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Cases::default() });
    let converse = RefCell::new(&mut converse);
    runner
        .run(&steps(), |steps| {
            tally.borrow_mut().count("conversations");
            (converse.borrow_mut())(&steps, &mut tally.borrow_mut());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    tally.borrow().print(title);
}

/// Prekeys are made once; each conversation begins with copies.
fn twins(profile: WireProfile) {
    let users = [Twins::new(profile, 3, 1), Twins::new(profile, 3, 2)];
    run(&format!("twins, {profile}"), share(4), |steps, tally| {
        let mut users = users.clone();
        let mut queues: [Vec<Message>; 2] = [Vec::new(), Vec::new()];
        let mut arrived: [Vec<Message>; 2] = [Vec::new(), Vec::new()];
        let (mut seed, mut handed_out) = (1_000, [100, 100]);
        let mut bundle_of = |users: &[Twins; 2], who: usize, one_time: bool| {
            let id = handed_out[who];
            handed_out[who] += u32::from(one_time);
            users[who].theirs.bundle(one_time.then_some(id))
        };
        for step in steps {
            seed += 1;
            match *step {
                Step::Send { from, one_time, length } => {
                    if !users[from].has_session(NAMES[1 - from]) {
                        let bundle = bundle_of(&users, 1 - from, one_time);
                        users[from].process(NAMES[1 - from], &bundle, seed);
                        tally.count("set-ups");
                    }
                    let message = users[from].send(NAMES[1 - from], &vec![seed as u8; length], seed);
                    queues[1 - from].push(message);
                    tally.count("sent");
                }
                Step::Deliver { to, place } if !queues[to].is_empty() => {
                    let place = place % queues[to].len();
                    let message = queues[to].remove(place);
                    let outcome = users[to].receive(NAMES[1 - to], &message, seed);
                    if let Ok(plaintext) = &outcome {
                        assert_eq!(*plaintext, message.plaintext);
                    }
                    tally.outcome(&outcome);
                    arrived[to].push(message);
                }
                Step::Lose { to, place } if !queues[to].is_empty() => {
                    let place = place % queues[to].len();
                    queues[to].remove(place);
                    tally.count("lost");
                }
                Step::Repeat { to, place } if !arrived[to].is_empty() => {
                    let message = arrived[to][place % arrived[to].len()].clone();
                    let outcome = users[to].receive(NAMES[1 - to], &message, seed);
                    tally.count("repeated");
                    tally.outcome(&outcome);
                }
                Step::Damage { to, place, bit } if !queues[to].is_empty() => {
                    let message = damaged(&queues[to][place % queues[to].len()], bit);
                    let outcome = users[to].receive(NAMES[1 - to], &message, seed);
                    tally.count("damaged");
                    tally.outcome(&outcome);
                }
                Step::Gap { from, length } if users[from].has_session(NAMES[1 - from]) => {
                    for _ in 0..length {
                        seed += 1;
                        users[from].send(NAMES[1 - from], b"lost", seed);
                    }
                    tally.count("gaps");
                }
                Step::Restart { who } => {
                    users[who].restart();
                    tally.count("restarts");
                }
                Step::Renew { who, one_time } => {
                    let bundle = bundle_of(&users, 1 - who, one_time);
                    users[who].process(NAMES[1 - who], &bundle, seed);
                    tally.count("set-ups");
                }
                Step::Reset { who } => users[who].reset(NAMES[1 - who]),
                _ => {}
            }
        }
    });
}

/// With a bit flipped near the end of the inner message: of a prekey message, before the fields that follow it.
fn damaged(message: &Message, bit: usize) -> Message {
    let mut damaged = message.clone();
    let end = match message.kind {
        MessageType::Normal => message.body.len(),
        // Registration id, signed prekey id, Kyber prekey id and ciphertext come after; their lengths are known.
        MessageType::Prekey => message.body.len() - (3 + 2 + 2 + 3 + 1569),
    };
    damaged.body[end - 1 - bit / 8] ^= 1 << (bit % 8);
    damaged
}

#[test]
fn twins_of_v4_with_the_post_quantum_ratchet() {
    twins(WireProfile::V4Spqr);
}

#[test]
fn twins_of_v4_without_it() {
    twins(WireProfile::V4);
}

/// A user on one of the two stacks.
#[derive(Clone)]
enum User {
    Ours(Party),
    Theirs(Library),
}

impl User {
    fn has_session(&self, peer: &str) -> bool {
        match self {
            Self::Ours(party) => party.has_session(peer),
            Self::Theirs(library) => library.has_session(peer),
        }
    }

    fn send(&mut self, peer: &str, plaintext: &[u8], seed: u64) -> Message {
        let (kind, body) = match self {
            Self::Ours(party) => party.encrypt(peer, plaintext, &[], &mut draws(seed)).unwrap(),
            Self::Theirs(library) => library.encrypt(peer, plaintext, &mut draws(seed)).unwrap(),
        };
        Message { kind, body, plaintext: plaintext.to_vec() }
    }

    fn receive(&mut self, peer: &str, message: &Message, seed: u64) -> Outcome {
        match self {
            Self::Ours(party) => match party.decrypt(peer, message.kind, &message.body, &mut draws(seed)) {
                Ok(opened) => Ok(opened.plaintext),
                Err(refusal) => Err(refusal.reason),
            },
            Self::Theirs(library) => library.decrypt(peer, message.kind, &message.body, &mut draws(seed)),
        }
    }
}

/// One user on each stack. What has to be read is known without a twin: all that arrives for the first time, in a session that is not
/// forgotten, in one of the last five chains.
fn across(profile: WireProfile) {
    let ours = Party::import(Config::new(profile), &Library::new(profile, &mut draws(3)).export(), &mut draws(4)).unwrap();
    let mut theirs = Library::new(WireProfile::V4Spqr, &mut draws(5));
    theirs.add_one_time(3, &mut draws(6));
    run(&format!("across, {profile}"), share(4), |steps, tally| {
        let mut users = [User::Ours(ours.clone()), User::Theirs(theirs.clone())];
        let mut queues: [Vec<Message>; 2] = [Vec::new(), Vec::new()];
        let mut arrived: [Vec<Message>; 2] = [Vec::new(), Vec::new()];
        let (mut seed, mut handed_out, mut turns) = (2_000, 100, 0);
        let mut last_to = 2;
        for step in steps {
            seed += 1;
            let set_up = match *step {
                Step::Send { from, one_time, .. } if !users[from].has_session(NAMES[1 - from]) => Some((from, one_time)),
                Step::Renew { who, one_time } => Some((who, one_time)),
                _ => None,
            };
            if let Some((from, one_time)) = set_up {
                let bundle = match &users[1 - from] {
                    User::Ours(party) => party.bundle(None, None),
                    User::Theirs(library) => {
                        handed_out += u32::from(one_time);
                        library.bundle(one_time.then_some(handed_out - 1))
                    }
                };
                match &mut users[from] {
                    User::Ours(party) => party.process_bundle(NAMES[1 - from], &bundle, &[], &mut draws(seed)).unwrap(),
                    User::Theirs(library) => library.process_bundle(NAMES[1 - from], &bundle, &mut draws(seed)).unwrap(),
                }
                tally.count("set-ups");
            }
            match *step {
                Step::Send { from, length, .. } => {
                    let message = users[from].send(NAMES[1 - from], &vec![seed as u8; length], seed);
                    queues[1 - from].push(message);
                    tally.count("sent");
                }
                Step::Deliver { to, place } if !queues[to].is_empty() => {
                    let place = place % queues[to].len();
                    let message = queues[to].remove(place);
                    let outcome = users[to].receive(NAMES[1 - to], &message, seed);
                    tally.outcome(&outcome);
                    turns += u32::from(last_to != to);
                    last_to = to;
                    match &outcome {
                        Ok(plaintext) => assert_eq!(*plaintext, message.plaintext),
                        // Each chain takes two turns; with fewer than ten of them, none was dropped.
                        Err(reason) => assert!(turns >= 10, "refused as {reason} after {turns} turns"),
                    }
                    arrived[to].push(message);
                }
                Step::Lose { to, place } if !queues[to].is_empty() => {
                    let place = place % queues[to].len();
                    queues[to].remove(place);
                    tally.count("lost");
                }
                Step::Repeat { to, place } if !arrived[to].is_empty() => {
                    let message = arrived[to][place % arrived[to].len()].clone();
                    let outcome = users[to].receive(NAMES[1 - to], &message, seed);
                    assert!(outcome.is_err(), "a message was read twice");
                    tally.count("repeated");
                    tally.outcome(&outcome);
                }
                Step::Damage { to, place, bit } if !queues[to].is_empty() => {
                    let outcome = users[to].receive(NAMES[1 - to], &damaged(&queues[to][place % queues[to].len()], bit), seed);
                    assert_eq!(outcome, Err(Reason::BadMac));
                    tally.count("damaged");
                }
                Step::Gap { from, length } if users[from].has_session(NAMES[1 - from]) => {
                    for _ in 0..length {
                        seed += 1;
                        users[from].send(NAMES[1 - from], b"lost", seed);
                    }
                    tally.count("gaps");
                }
                Step::Restart { who } => match &mut users[who] {
                    User::Ours(party) => *party = Party::restore(&party.save().unwrap()).unwrap(),
                    User::Theirs(library) => library.restart(),
                },
                Step::Reset { who } => match &mut users[who] {
                    User::Ours(party) => party.reset_session(NAMES[1 - who]),
                    User::Theirs(library) => library.reset_session(NAMES[1 - who]),
                },
                _ => {}
            }
        }
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
