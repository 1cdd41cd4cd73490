//! The same seed gives the same bytes; every other seed gives others.

use crate::common::*;
use countersign_contract::seen::MediaKind;
use countersign_reference::{ReferenceUser, media};
use sha2::{Digest as _, Sha256};

/// SHA-256 over everything that two users publish and send in a conversation with everything in it.
fn conversation(seed: u8) -> String {
    let (mut alice, mut bob) = (ReferenceUser::new(config("alice", seed)), ReferenceUser::new(config("bob", seed)));
    let mut hash = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for user in [&alice, &bob] {
        put(format!("{:?}", user.enlistment()).as_bytes());
    }
    alice.process_bundle(&bundle(&bob, Some(1)), NOW).unwrap();
    for round in 0..30 {
        // Runs of three, delivered in reverse.
        let sent: Vec<Sent> = (0..3).map(|n| say(&mut alice, &bob, &format!("{round} {n}"))).collect();
        for message in sent.iter().rev() {
            put(&message.1);
            hear(&mut bob, &alice, message).unwrap();
        }
        let answer = say(&mut bob, &alice, &format!("{round} back"));
        put(&answer.1);
        hear(&mut alice, &bob, &answer).unwrap();
    }
    put(format!("{:?} {:?}", bob.refill(2), bob.rotate(true, true, 1)).as_bytes());
    put(&bob.sign(b"bytes"));
    let key = alice.media_key();
    put(&media::seal(MediaKind::Voice, &key, b"a file").blob);
    bob.reinstall();
    put(format!("{:?}", bob.enlistment()).as_bytes());
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn one_seed_one_conversation_in_any_run() {
    // The digest is checked in: it holds across runs, machines and builds, and changes only on purpose.
    insta::assert_snapshot!(conversation(7), @"33344690cd499f1df01f421ecf7cd6142ee804dca3ade9ac2302bbb8a6b63133");
}

#[test]
fn one_seed_one_conversation_on_any_thread() {
    let here = conversation(7);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| conversation(7))).collect();
        for run in runs {
            assert_eq!(run.join().unwrap(), here);
        }
    });
}

#[test]
fn another_seed_another_conversation() {
    assert_ne!(conversation(7), conversation(8));
}

#[test]
fn names_and_scenarios_part_the_randomness() {
    let alice = user("alice").identity_key();
    assert_ne!(alice, user("bob").identity_key());
    let mut elsewhere = config("alice", 7);
    elsewhere.scenario = "another".into();
    assert_ne!(alice, ReferenceUser::new(elsewhere).identity_key());
}

#[test]
fn a_copy_goes_on_like_the_original() {
    let (mut alice, bob) = acquainted();
    let mut copy = alice.clone();
    assert_eq!(say(&mut alice, &bob, "next"), say(&mut copy, &bob, "next"));
}

#[test]
fn what_others_do_in_between_changes_nothing() {
    let (mut alice, bob) = acquainted();
    let mut other = alice.clone();
    let mut third = user("carol");
    third.process_bundle(&bundle(&bob, Some(1)), NOW).unwrap();
    say(&mut third, &bob, "noise");
    assert_eq!(say(&mut alice, &bob, "next"), say(&mut other, &bob, "next"));
}

#[test]
fn users_can_move_between_threads() {
    fn sendable<T: Send + Clone + 'static>() {}
    sendable::<ReferenceUser>();
}
