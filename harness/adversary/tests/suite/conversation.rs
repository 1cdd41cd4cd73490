//! Random conversations: loss, reordering, repetition, damage, restarts, simultaneous starts, new sessions.
//!
//! Two ways. As twins, here: each of the two users exists on both stacks, which must agree on every byte and every refusal. And
//! [across](crate::across): one user on our stack, the other on Signal's. `COUNTERSIGN_CONVERSATIONS` says how many altogether.

use crate::fields::Places;
use crate::twins::{Message, Outcome, Twins};
use countersign_adversary::WireProfile;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;

/// How many conversations a run of the tests has, unless the environment says otherwise.
const CONVERSATIONS: u32 = 20_000;
/// The place of the message that was sent last.
const NEWEST: usize = usize::MAX;
pub(crate) const NAMES: [&str; 2] = ["alice", "bob"];

/// One thing that happens. `bool` and `usize` say who: 0 is alice. Places in a queue are taken modulo its length.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Sends; sets up a session first if there is none, with a one-time prekey or without.
    Send { from: usize, one_time: bool, length: usize },
    /// A message arrives, in whatever order.
    Deliver { to: usize, place: usize },
    /// A message is lost.
    Lose { to: usize, place: usize },
    /// One that arrived comes once more.
    Repeat { to: usize, place: usize },
    /// One comes with a bit flipped, in its MAC or in its first block.
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
        14 => (who(), prop_oneof![4 => Just(0), 2 => Just(NEWEST), 1 => place()]).prop_map(|(to, place)| Step::Deliver { to, place }),
        2 => (who(), place()).prop_map(|(to, place)| Step::Lose { to, place }),
        2 => (who(), place()).prop_map(|(to, place)| Step::Repeat { to, place }),
        2 => (who(), place(), 0..128_usize).prop_map(|(to, place, bit)| Step::Damage { to, place, bit }),
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
pub(crate) struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn outcome(&mut self, outcome: &Outcome) {
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
pub(crate) fn share(of: u32) -> u32 {
    let all = std::env::var("COUNTERSIGN_CONVERSATIONS").ok().map_or(CONVERSATIONS, |text| text.parse().expect("a number"));
    all.div_ceil(of)
}

pub(crate) fn run(title: &str, cases: u32, mut converse: impl FnMut(&[Step], &mut Tally)) {
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
                    let place = at(place, queues[to].len());
                    let message = queues[to].remove(place);
                    let outcome = users[to].receive(NAMES[1 - to], &message, seed);
                    if let Ok(plaintext) = &outcome {
                        assert_eq!(*plaintext, message.plaintext);
                    }
                    tally.outcome(&outcome);
                    arrived[to].push(message);
                }
                Step::Lose { to, place } if !queues[to].is_empty() => {
                    let place = at(place, queues[to].len());
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

pub(crate) fn at(place: usize, length: usize) -> usize {
    if place == NEWEST { length - 1 } else { place % length }
}

/// With a bit flipped in the MAC, or in the first block of the ciphertext. Field 5 is left alone: the crate panics on what it cannot
/// read there, before it looks at the MAC.
pub(crate) fn damaged(message: &Message, bit: usize) -> Message {
    let mut damaged = message.clone();
    let places = Places::new(message.kind, &message.body);
    let place = if bit < 64 { places.message.end - 1 - bit / 8 } else { places.ciphertext().start + bit / 8 - 8 };
    damaged.body[place] ^= 1 << (bit % 8);
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
