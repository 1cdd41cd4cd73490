//! What a reference user makes of messages in and out of order.

use crate::common::*;
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use countersign_trace::{Digest, Observation};

#[test]
fn the_first_message_sets_up_a_session_and_uses_a_prekey_up() {
    let (mut alice, mut bob) = introduced();
    assert!(alice.has_session(bob.user()));
    assert!(!bob.has_session(alice.user()));
    let first = say(&mut alice, &bob, "first");
    assert_eq!(first.0, MessageType::Prekey);
    let before = bob.enlistment();
    let opened = hear(&mut bob, &alice, &first).unwrap();
    assert_eq!(opened.content, text("first"));
    assert_eq!(opened.padded, 160);
    assert_eq!(opened.used_one_time_prekey, Some(before.one_time_prekeys[0].id));
    assert!(!opened.identity_changed);
    assert!(bob.has_session(alice.user()));
    // Both one-time prekeys are gone, of either kind, and nothing else.
    let after = bob.enlistment();
    assert_eq!(after.one_time_prekeys, before.one_time_prekeys[1..]);
    assert_eq!(after.one_time_kyber_prekeys, before.one_time_kyber_prekeys[1..]);
    assert_eq!(after.kyber_prekey, before.kyber_prekey);
    // A second message before any answer sets nothing up again.
    let second = say(&mut alice, &bob, "second");
    assert_eq!(second.0, MessageType::Prekey);
    assert_eq!(hear(&mut bob, &alice, &second).unwrap().used_one_time_prekey, None);
    let answer = say(&mut bob, &alice, "answer");
    assert_eq!(answer.0, MessageType::Normal);
    assert_eq!(heard(&mut alice, &bob, &answer).as_deref(), Ok("answer"));
    assert_eq!(say(&mut alice, &bob, "third").0, MessageType::Normal);
}

#[test]
fn the_session_is_described() {
    let (mut alice, bob) = (user("alice"), user("bob"));
    let with = bundle(&bob, Some(2));
    let observation = alice.process_bundle(&with, NOW).unwrap();
    let expected = Observation::SessionFrom {
        peer: bob.user(),
        identity: Digest::of(&bob.identity_key()),
        one_time_prekey: Some(bob.enlistment().one_time_prekeys[2].id),
        kyber_prekey: Some(bob.enlistment().one_time_kyber_prekeys[2].id),
    };
    assert_eq!(observation, expected);
    assert_eq!(alice.known_identity(bob.user()), Some(bob.identity_key()));
}

#[test]
fn without_one_time_prekeys_the_last_resort_serves_again_and_again() {
    let mut bob = user("bob");
    for name in ["alice", "carol", "dave"] {
        let mut other = user(name);
        other.process_bundle(&bundle(&bob, None), NOW).unwrap();
        let first = say(&mut other, &bob, name);
        assert_eq!(hear(&mut bob, &other, &first).unwrap().used_one_time_prekey, None);
        assert_eq!(heard(&mut bob, &other, &first), Err(Reason::Duplicate));
    }
}

#[test]
fn a_one_time_prekey_serves_once() {
    let (mut alice, mut bob) = introduced();
    let mut carol = user("carol");
    carol.process_bundle(&bundle(&bob, Some(0)), NOW).unwrap();
    let (from_alice, from_carol) = (say(&mut alice, &bob, "one"), say(&mut carol, &bob, "two"));
    assert_eq!(heard(&mut bob, &alice, &from_alice).as_deref(), Ok("one"));
    assert_eq!(heard(&mut bob, &carol, &from_carol), Err(Reason::UnknownPrekey));
    assert!(!bob.has_session(carol.user()));
    assert_eq!(bob.known_identity(carol.user()), None);
}

#[test]
fn out_of_order_lost_and_repeated() {
    let (mut alice, mut bob) = acquainted();
    let sent: Vec<Sent> = (0..5).map(|n| say(&mut alice, &bob, &n.to_string())).collect();
    for (n, expected) in [
        (3, Ok("3")),
        (0, Ok("0")),
        (0, Err(Reason::Duplicate)),
        (3, Err(Reason::Duplicate)),
        (4, Ok("4")),
        (1, Ok("1")),
        (1, Err(Reason::Duplicate)),
    ] {
        assert_eq!(heard(&mut bob, &alice, &sent[n]).as_deref().map_err(|r| *r), expected, "message {n}");
    }
    let after = say(&mut alice, &bob, "after the lost one");
    assert_eq!(heard(&mut bob, &alice, &after).as_deref(), Ok("after the lost one"));
}

#[test]
fn a_first_message_is_not_shown_twice_even_from_an_old_session() {
    let (mut alice, mut bob) = introduced();
    let first = say(&mut alice, &bob, "first");
    assert_eq!(heard(&mut bob, &alice, &first).as_deref(), Ok("first"));
    assert_eq!(heard(&mut bob, &alice, &first), Err(Reason::Duplicate));
    bob.reset_session(alice.user());
    assert!(!bob.has_session(alice.user()));
    assert_eq!(heard(&mut bob, &alice, &first), Err(Reason::Duplicate));
}

#[test]
fn both_may_start_at_once() {
    let (mut alice, mut bob) = (user("alice"), user("bob"));
    alice.process_bundle(&bundle(&bob, Some(0)), NOW).unwrap();
    bob.process_bundle(&bundle(&alice, Some(0)), NOW).unwrap();
    let (a, b) = (say(&mut alice, &bob, "a"), say(&mut bob, &alice, "b"));
    assert_eq!(heard(&mut bob, &alice, &a).as_deref(), Ok("a"));
    assert_eq!(heard(&mut alice, &bob, &b).as_deref(), Ok("b"));
    for n in 0..4 {
        let (a, b) = (say(&mut alice, &bob, &format!("a{n}")), say(&mut bob, &alice, &format!("b{n}")));
        assert_eq!(heard(&mut alice, &bob, &b), Ok(format!("b{n}")));
        assert_eq!(heard(&mut bob, &alice, &a), Ok(format!("a{n}")));
    }
}

#[test]
fn many_epochs_of_the_post_quantum_ratchet() {
    let (mut alice, mut bob) = acquainted();
    let mut sizes = std::collections::BTreeSet::new();
    for n in 0..400 {
        let (from, to) = if n % 2 == 0 { (&mut alice, &mut bob) } else { (&mut bob, &mut alice) };
        let sent = say(from, to, &n.to_string());
        let countersign_reference::wire::Message::Normal(m) = countersign_reference::wire::parse(sent.0, &sent.1).unwrap() else {
            panic!("a session is established");
        };
        // The first bytes hold the version and the epoch, as a number of variable length.
        let pq = m.pq_ratchet.expect("every message carries the ratchet's message");
        sizes.insert(pq[1]);
        assert_eq!(heard(to, from, &sent), Ok(n.to_string()));
    }
    assert!(sizes.len() >= 3, "the conversation crosses epochs: {sizes:?}");
}

#[test]
fn too_far_ahead_and_too_far_back() {
    let (mut alice, mut bob) = acquainted();
    let early = say(&mut alice, &bob, "early");
    for _ in 0..2_100 {
        alice.encrypt_raw(bob.user(), b"lost", NOW).unwrap();
    }
    let late = say(&mut alice, &bob, "late");
    assert_eq!(heard(&mut bob, &alice, &late).as_deref(), Ok("late"));
    // The library keeps 2,000 keys: that of the first message is gone, and this is no repetition.
    assert_eq!(heard(&mut bob, &alice, &early), Err(Reason::TooOld));
    for _ in 0..25_001 {
        alice.encrypt_raw(bob.user(), b"lost", NOW).unwrap();
    }
    let ahead = say(&mut alice, &bob, "ahead");
    assert_eq!(heard(&mut bob, &alice, &ahead), Err(Reason::TooOld));
}

#[test]
fn nobody_else_can_read_it() {
    let (mut alice, mut bob) = acquainted();
    let mut carol = user("carol");
    let sent = say(&mut alice, &bob, "for bob");
    assert_eq!(heard(&mut carol, &alice, &sent), Err(Reason::NoSession));
    // To whom it came from, under either name.
    let mut mirror = alice.clone();
    assert_eq!(heard(&mut mirror, &bob, &sent), Err(Reason::WrongRecipient));
    assert_eq!(mirror.decrypt(alice.user(), sent.0, &sent.1, NOW).unwrap_err().reason, Reason::WrongRecipient);
    // Under the name of a third user.
    assert_eq!(heard(&mut bob, &carol, &sent), Err(Reason::NoSession));
    assert_eq!(heard(&mut bob, &alice, &sent).as_deref(), Ok("for bob"));
    let (mut dave, bob) = (user("dave"), user("bob"));
    dave.process_bundle(&bundle(&bob, Some(0)), NOW).unwrap();
    let first = say(&mut dave, &bob, "first");
    assert_eq!(heard(&mut carol, &dave, &first), Err(Reason::UnknownPrekey));
    assert_eq!(heard(&mut dave, &bob, &first), Err(Reason::WrongRecipient));
}

#[test]
fn content_is_judged_after_decryption_and_the_message_counts_as_received() {
    let (mut alice, mut bob) = acquainted();
    let no_body = countersign_contract::content::Content { body: None, ..text("x") };
    for (padded, reason) in [
        (b"no padding".to_vec(), Reason::BadPadding),
        (vec![0; 160], Reason::BadPadding),
        (no_body.to_padded(), Reason::Malformed),
        (countersign_contract::content::pad(vec![0xff; 30]), Reason::Malformed),
        (countersign_contract::content::pad(vec![0; 200 * 1024]), Reason::TooLarge),
    ] {
        let sent = alice.encrypt_raw(bob.user(), &padded, NOW).unwrap();
        assert_eq!(heard(&mut bob, &alice, &sent), Err(reason));
        assert_eq!(heard(&mut bob, &alice, &sent), Err(Reason::Duplicate));
    }
    let too_large = text(&"x".repeat(130 * 1024));
    assert_eq!(alice.encrypt(bob.user(), &too_large, NOW).unwrap_err().reason, Reason::TooLarge);
    for words in [String::new(), "é\u{1F600}\u{10FFFF}\0".into(), "x".repeat(64 * 1024)] {
        let sent = say(&mut alice, &bob, &words);
        let opened = hear(&mut bob, &alice, &sent).unwrap();
        assert_eq!(opened.content, text(&words));
        assert_eq!(opened.padded % 160, 0);
    }
}

#[test]
fn keys_are_refilled_and_rotated_and_former_ones_stay_usable() {
    let mut bob = user("bob");
    let old = [bundle(&bob, Some(0)), bundle(&bob, None)];
    let batch = bob.refill(5);
    assert_eq!((batch.one_time_prekeys.len(), batch.one_time_kyber_prekeys.len()), (5, 5));
    assert_eq!((&batch.signed_prekey, &batch.kyber_prekey), (&None, &None));
    let rotated = bob.rotate(true, true, 1);
    assert!(rotated.one_time_prekeys.len() == 1 && rotated.signed_prekey.is_some() && rotated.kyber_prekey.is_some());
    let e = bob.enlistment();
    assert_eq!(
        (Some(&e.signed_prekey), e.kyber_prekey.as_ref()),
        (rotated.signed_prekey.as_ref(), rotated.kyber_prekey.as_ref())
    );
    assert_ne!(e.signed_prekey, old[0].signed_prekey);
    let mut ids: Vec<u32> = e.one_time_prekeys.iter().map(|p| p.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 9);
    assert_eq!(bob.refill(1_000).one_time_prekeys.len(), 100);
    for (name, with) in
        ["alice", "carol", "dave", "erin"].iter().zip(old.iter().chain(&[bundle(&bob, Some(8)), bundle(&bob, None)]))
    {
        let mut other = user(name);
        other.process_bundle(with, NOW).unwrap();
        let sent = say(&mut other, &bob, name);
        assert_eq!(heard(&mut bob, &other, &sent).as_deref(), Ok(*name));
    }
}

#[test]
fn a_user_without_one_time_kyber_prekeys() {
    let mut quiet = config("quiet", 1);
    quiet.publishes_one_time_kyber = false;
    let mut quiet = countersign_reference::ReferenceUser::new(quiet);
    assert_eq!((quiet.enlistment().one_time_prekeys.len(), quiet.enlistment().one_time_kyber_prekeys.len()), (3, 0));
    assert!(quiet.refill(4).one_time_kyber_prekeys.is_empty());
}

/// A message may be overtaken by answers and by answers to these. The library keeps five chains; of a message of an older one,
/// whose ratchet key the receiver never saw, it can say no more than that the MAC does not match.
#[test]
fn a_message_that_newer_chains_overtook() {
    for turns in 0..9 {
        let (mut alice, mut bob) = acquainted();
        let late = say(&mut alice, &bob, "late");
        for n in 0..turns {
            let (a, b) = (say(&mut bob, &alice, &format!("b{n}")), format!("a{n}"));
            hear(&mut alice, &bob, &a).unwrap();
            let b = say(&mut alice, &bob, &b);
            hear(&mut bob, &alice, &b).unwrap();
        }
        let expected = if turns < 6 { Ok("late") } else { Err(Reason::BadMac) };
        assert_eq!(heard(&mut bob, &alice, &late).as_deref().map_err(|r| *r), expected, "{turns} turns");
    }
}
