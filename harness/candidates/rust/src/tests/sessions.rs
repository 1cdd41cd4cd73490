//! What a session has to stand, in either suite.

use super::vaults::*;
use crate::Honest;
use countersign_contract::Reason;
use countersign_contract::claims::Suite;
use countersign_contract::portable::MessageType;
use std::time::Duration;

#[test]
fn the_first_bytes_say_the_version_of_the_suite() {
    for (suite, byte, length) in [(Suite::SignalPq, 0x44, None), (Suite::SignalClassic, 0x33, Some(146))] {
        let (mut alice, mut bob) = (Party::new(suite, Honest, 1), Party::new(suite, Honest, 1));
        alice.start(&mut bob);
        let first = alice.seal(&bob, "short text");
        assert_eq!((first.0, first.1[0]), (MessageType::Prekey, byte));
        // As official code of that version writes it; ids take one to four bytes of it.
        assert!(length.is_none_or(|length: usize| first.1.len().abs_diff(length) <= 8), "{}", first.1.len());
        assert_eq!(bob.read(&alice, &first), Ok("short text".into()));
        let answer = bob.seal(&alice, "answer");
        assert_eq!((answer.0, answer.1[0]), (MessageType::Normal, byte));
        assert_eq!(alice.read(&bob, &answer), Ok("answer".into()));
        assert_eq!(alice.seal(&bob, "later").0, MessageType::Normal, "answered");
    }
}

#[test]
fn a_conversation_in_any_order_with_losses() {
    for suite in SUITES {
        let (mut alice, mut bob) = talking(suite, Honest, Honest);
        let mut late = Vec::new();
        for turn in 0..200_u32 {
            let (from, to) = if turn % 3 == 0 { (&mut bob, &mut alice) } else { (&mut alice, &mut bob) };
            let sealed = from.seal(to, &turn.to_string());
            match turn % 7 {
                0 => {}
                // Not later than the chain is kept.
                1 | 4 => late.push((turn, sealed)),
                _ => assert_eq!(to.read(from, &sealed), Ok(turn.to_string())),
            }
            if turn % 5 == 4 {
                for (turn, sealed) in late.drain(..).rev() {
                    let (from, to) = if turn % 3 == 0 { (&mut bob, &mut alice) } else { (&mut alice, &mut bob) };
                    assert_eq!(to.read(from, &sealed), Ok(turn.to_string()));
                    assert_eq!(to.read(from, &sealed), Err(Reason::Duplicate));
                }
            }
        }
    }
}

#[test]
fn two_thousand_skipped_messages_are_kept_and_no_more() {
    let (mut alice, mut bob) = talking(Suite::SignalClassic, Honest, Honest);
    let sealed: Vec<_> = (0..2_003).map(|n| alice.seal(&bob, &n.to_string())).collect();
    assert_eq!(bob.read(&alice, &sealed[2_002]), Ok("2002".into()));
    assert_eq!(bob.read(&alice, &sealed[0]), Err(Reason::TooOld));
    assert_eq!(bob.read(&alice, &sealed[1]), Err(Reason::TooOld));
    for (n, message) in sealed.iter().enumerate().take(2_002).skip(2) {
        assert_eq!(bob.read(&alice, message), Ok(n.to_string()));
    }
    assert_eq!(bob.read(&alice, &sealed[2]), Err(Reason::Duplicate));
}

#[test]
fn a_chain_is_followed_for_25_000_messages_and_no_further() {
    for (lost, expected) in [(25_000, Ok("far".to_owned())), (25_001, Err(Reason::TooOld))] {
        let (mut alice, mut bob) = talking(Suite::SignalClassic, Honest, Honest);
        say(&mut alice, &mut bob, "begins the chain");
        for _ in 0..lost {
            alice.seal(&bob, "");
        }
        let far = alice.seal(&bob, "far");
        assert_eq!(bob.read(&alice, &far), expected);
        say(&mut bob, &mut alice, "goes on");
    }
}

#[test]
fn whatever_is_refused_changes_nothing() {
    for suite in SUITES {
        let (mut alice, mut bob) = talking(suite, Honest, Honest);
        let sealed = alice.seal(&bob, "whole");
        for place in 0..sealed.1.len() {
            let mut other = sealed.clone();
            other.1[place] ^= 0x10;
            assert!(bob.read(&alice, &other).is_err(), "{suite:?} {place}");
        }
        for end in [0, 1, 5, 9, 40, sealed.1.len() - 1] {
            assert!(bob.read(&alice, &(sealed.0, sealed.1[..end].to_vec())).is_err(), "{suite:?} {end}");
        }
        assert_eq!(bob.read(&alice, &sealed), Ok("whole".into()));
        say(&mut bob, &mut alice, "and back");
    }
}

#[test]
fn a_first_message_that_is_refused_uses_no_prekey_and_sets_nothing_up() {
    for suite in SUITES {
        let (mut alice, mut bob) = (Party::new(suite, Honest, 1), Party::new(suite, Honest, 1));
        alice.start(&mut bob);
        let sealed = alice.seal(&bob, "whole");
        // Nothing covers the registration id.
        let free = registration_id_in(&sealed.1, alice.keys.registration_id);
        for place in (0..sealed.1.len()).filter(|place| !free.contains(place)) {
            let mut other = sealed.clone();
            other.1[place] ^= 0x10;
            assert!(bob.read(&alice, &other).is_err(), "{suite:?} {place} of {}", sealed.1.len());
        }
        assert_eq!(bob.read(&alice, &sealed), Ok("whole".into()));
        say(&mut bob, &mut alice, "and back");
    }
}

#[test]
fn a_replayed_first_message_is_known_though_its_session_is_not() {
    for suite in SUITES {
        for one_time in [1, 0] {
            let (mut alice, mut bob) = (Party::new(suite, Honest, 1), Party::new(suite, Honest, one_time));
            alice.start(&mut bob);
            let first = alice.seal(&bob, "once");
            assert_eq!(bob.read(&alice, &first), Ok("once".into()));
            assert_eq!(bob.read(&alice, &first), Err(Reason::Duplicate));
            // More new sessions than former ones are kept.
            for _ in 0..45 {
                alice.start(&mut bob);
                say(&mut alice, &mut bob, "anew");
            }
            let expected = if one_time == 1 { Reason::UnknownPrekey } else { Reason::Duplicate };
            assert_eq!(bob.read(&alice, &first), Err(expected), "{suite:?}");
        }
    }
}

#[test]
fn former_sessions_stay_readable_and_one_that_is_used_is_gone_on_with() {
    for suite in SUITES {
        let (mut alice, mut bob) = talking(suite, Honest, Honest);
        let old = alice.seal(&bob, "under way");
        for _ in 0..20 {
            bob.start(&mut alice);
            let first = bob.seal(&alice, "anew");
            assert_eq!(alice.read(&bob, &first), Ok("anew".into()));
        }
        assert_eq!(bob.read(&alice, &old), Ok("under way".into()));
        for _ in 0..2 {
            say(&mut alice, &mut bob, "x");
            say(&mut bob, &mut alice, "y");
        }
    }
}

#[test]
fn a_session_unanswered_for_thirty_days_is_not_sent_in() {
    for suite in SUITES {
        let (mut alice, mut bob) = (Party::new(suite, Honest, 1), Party::new(suite, Honest, 1));
        alice.start(&mut bob);
        let early = alice.seal(&bob, "early");
        alice.now += Duration::from_hours(30 * 24);
        assert!(alice.is_ready(&bob), "{suite:?}");
        alice.now += Duration::from_secs(1);
        assert!(!alice.is_ready(&bob), "{suite:?}");
        assert_eq!(alice.vault.seal(bob.user, b"x", alice.now).unwrap_err(), Reason::NoSession);
        assert_eq!(bob.read(&alice, &early), Ok("early".into()));
        say_answer(&mut bob, &mut alice);
    }
}

/// The old session is still read, and once answered sent in.
fn say_answer(bob: &mut Party, alice: &mut Party) {
    say(bob, alice, "answer");
    assert!(alice.is_ready(bob));
    say(alice, bob, "on");
}

#[test]
fn what_stands_around_a_later_first_message_must_be_as_before() {
    for suite in SUITES {
        let (mut alice, mut bob) = (Party::new(suite, Honest, 1), Party::new(suite, Honest, 1));
        alice.start(&mut bob);
        say(&mut alice, &mut bob, "first");
        let mut second = alice.seal(&bob, "second");
        // The one-time prekey's id is the first field.
        assert_eq!(second.1[1], 0x08);
        second.1[2] ^= 1;
        assert_eq!(bob.read(&alice, &second), Err(Reason::UnknownPrekey));
        second.1[2] ^= 1;
        assert_eq!(bob.read(&alice, &second), Ok("second".into()));
    }
}
