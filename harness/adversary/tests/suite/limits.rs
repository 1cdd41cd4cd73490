//! The limits of the official code, at each of their edges, as twins.

use crate::twins::{Message, Outcome, Twins};
use countersign_adversary::{Bundle, FURTHEST_AHEAD, MOST_ARCHIVED, MOST_CHAINS, MOST_SKIPPED, WireProfile};
use countersign_contract::Reason;

const ALICE: &str = "alice";
const BOB: &str = "bob";

/// Two that have heard of each other, so that their messages are no prekey messages.
fn talking(profile: WireProfile) -> (Twins, Twins) {
    let (mut alice, mut bob) = (Twins::new(profile, 0, 1), Twins::new(profile, 0, 2));
    alice.process(BOB, &bob.theirs.bundle(None), 3);
    let hello = alice.send(BOB, b"hello", 4);
    bob.receive(ALICE, &hello, 5).unwrap();
    let hello = bob.send(ALICE, b"hello", 6);
    alice.receive(BOB, &hello, 7).unwrap();
    (alice, bob)
}

fn reason(outcome: Outcome) -> Reason {
    outcome.unwrap_err()
}

#[test]
fn a_jump_of_25_000_is_accepted_and_one_of_25_001_is_not() {
    let (mut alice, bob) = talking(WireProfile::V4);
    let messages: Vec<Message> =
        (0..=FURTHEST_AHEAD + 1).map(|turn| alice.send(BOB, b"one of many", 100 + u64::from(turn))).collect();
    let (at, over) = (&messages[FURTHEST_AHEAD as usize], &messages[FURTHEST_AHEAD as usize + 1]);
    // The crate copies a whole chain for every key that it skips, so it is asked once for each.
    assert_eq!(reason(bob.clone().receive(ALICE, over, 9)), Reason::TooOld);
    let mut bob = bob;
    assert_eq!(bob.receive(ALICE, at, 9), Ok(b"one of many".to_vec()));
    // The keys of the last 2,000 that were skipped are kept, and no others.
    let oldest_kept = FURTHEST_AHEAD as usize - MOST_SKIPPED;
    assert_eq!(reason(bob.receive(ALICE, &messages[oldest_kept - 1], 9)), Reason::Duplicate);
    assert_eq!(bob.receive(ALICE, &messages[oldest_kept], 9), Ok(b"one of many".to_vec()));
}

#[test]
fn five_chains_are_kept_and_the_sixth_drops_the_first() {
    let (mut alice, mut bob) = talking(WireProfile::V4Spqr);
    let mut old = Vec::new();
    for turn in 0..=MOST_CHAINS as u64 {
        old.push(alice.send(BOB, b"kept back", 20 + turn));
        let message = alice.send(BOB, b"ahead of it", 40 + turn);
        bob.receive(ALICE, &message, 60 + turn).unwrap();
        let answer = bob.send(ALICE, b"answer", 80 + turn);
        alice.receive(BOB, &answer, 99 + turn).unwrap();
    }
    assert_eq!(reason(bob.receive(ALICE, &old[0], 9)), Reason::BadMac);
    for message in &old[1..] {
        assert_eq!(bob.receive(ALICE, message, 9), Ok(b"kept back".to_vec()));
    }
}

#[test]
fn forty_sessions_are_archived_and_the_forty_first_drops_the_first() {
    let (mut alice, mut bob) = (Twins::new(WireProfile::V4Spqr, 0, 1), Twins::new(WireProfile::V4Spqr, 0, 2));
    let mut old = Vec::new();
    for turn in 0..=MOST_ARCHIVED as u64 + 1 {
        alice.process(BOB, &bob.theirs.bundle(None), 1000 + turn);
        let first = alice.send(BOB, b"first", 2000 + turn);
        old.push(alice.send(BOB, b"second", 3000 + turn));
        bob.receive(ALICE, &first, 4000 + turn).unwrap();
    }
    // Bob has one current and forty archived sessions: the first of the forty-two is forgotten, and its repetition is known by the base
    // key that used the last-resort prekey.
    assert_eq!(reason(bob.receive(ALICE, &old[0], 9)), Reason::Duplicate);
    assert_eq!(bob.receive(ALICE, &old[1], 9), Ok(b"second".to_vec()));
}

#[test]
fn a_one_time_prekey_serves_once() {
    for profile in [WireProfile::V4, WireProfile::V4Spqr] {
        let fresh = Twins::new(profile, 1, 2);
        let (both, neither) = (fresh.theirs.bundle(Some(100)), fresh.theirs.bundle(None));
        // One of a kind alone, so that it is not the other one that is missed.
        let curve = Bundle { one_time_prekey: both.one_time_prekey.clone(), ..neither.clone() };
        let kyber = Bundle { kyber_prekey: both.kyber_prekey.clone(), ..neither.clone() };
        let (once, ever) = (Err(Reason::UnknownPrekey), Ok(b"hello".to_vec()));
        for (bundle, second) in [(&both, &once), (&curve, &once), (&kyber, &once), (&neither, &ever)] {
            let mut bob = fresh.clone();
            for (seed, expected) in [(10, &ever), (20, second)] {
                let mut alice = Twins::new(profile, 0, seed);
                alice.process(BOB, bundle, seed + 1);
                let hello = alice.send(BOB, b"hello", seed + 2);
                assert_eq!(bob.receive(&format!("alice {seed}"), &hello, 9), *expected);
            }
        }
    }
}

#[test]
fn a_last_resort_prekey_does_not_serve_the_same_message_twice() {
    let (mut alice, mut bob) = (Twins::new(WireProfile::V4Spqr, 0, 1), Twins::new(WireProfile::V4Spqr, 0, 2));
    alice.process(BOB, &bob.theirs.bundle(None), 3);
    let hello = alice.send(BOB, b"hello", 4);
    assert_eq!(bob.receive(ALICE, &hello, 5), Ok(b"hello".to_vec()));
    // Under another name there is no session that could know the message.
    assert_eq!(bob.receive("alice reinstalled", &hello, 6), Err(Reason::Duplicate));
}

#[test]
fn both_may_start_at_once() {
    let (mut alice, mut bob) = (Twins::new(WireProfile::V4Spqr, 0, 1), Twins::new(WireProfile::V4Spqr, 0, 2));
    alice.process(BOB, &bob.theirs.bundle(None), 3);
    bob.process(ALICE, &alice.theirs.bundle(None), 4);
    for round in 0..6 {
        let (to_bob, to_alice) = (alice.send(BOB, b"to bob", 10 + round), bob.send(ALICE, b"to alice", 20 + round));
        assert_eq!(bob.receive(ALICE, &to_bob, 30 + round), Ok(b"to bob".to_vec()));
        assert_eq!(alice.receive(BOB, &to_alice, 40 + round), Ok(b"to alice".to_vec()));
    }
}

#[test]
fn what_is_refused_leaves_no_trace() {
    let (mut alice, mut bob) = talking(WireProfile::V4Spqr);
    let genuine = alice.send(BOB, b"genuine", 11);
    let before = bob.ours.save().unwrap();
    for bit in 0..64 {
        let mut forged = genuine.clone();
        let last = forged.body.len() - 1;
        forged.body[last - bit / 8] ^= 1 << (bit % 8);
        assert_eq!(reason(bob.receive(ALICE, &forged, 12)), Reason::BadMac);
        assert_eq!(bob.ours.save().unwrap(), before);
    }
    assert_eq!(bob.receive(ALICE, &genuine, 13), Ok(b"genuine".to_vec()));
}
