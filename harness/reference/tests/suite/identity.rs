//! Identity keys that change, and the safety number.

use crate::common::*;
use countersign_contract::Reason;

#[test]
fn the_safety_number_is_the_same_on_both_sides_and_of_these_two_alone() {
    let (alice, bob) = acquainted();
    let number = alice.safety_number(bob.user()).unwrap();
    assert_eq!(number, bob.safety_number(alice.user()).unwrap());
    assert!(number.len() == 60 && number.bytes().all(|b| b.is_ascii_digit()));
    let mut carol = user("carol");
    carol.process_bundle(&bundle(&bob, Some(1)), NOW).unwrap();
    assert_ne!(carol.safety_number(bob.user()).unwrap(), number);
    assert_eq!(alice.safety_number(carol.user()).unwrap_err().reason, Reason::NoSession);
}

#[test]
fn a_bundle_under_a_new_identity_waits_for_the_user() {
    let (mut alice, mut bob) = acquainted();
    let old = bob.identity_key();
    let number = alice.safety_number(bob.user()).unwrap();
    bob.reinstall();
    assert_ne!(bob.identity_key(), old);
    assert!(!bob.has_session(alice.user()));
    assert_eq!(bob.known_identity(alice.user()), None);

    let fresh = bundle(&bob, Some(0));
    assert_eq!(alice.process_bundle(&fresh, NOW).unwrap_err().reason, Reason::UntrustedIdentity);
    assert_eq!(alice.known_identity(bob.user()), Some(bob.identity_key()));
    assert_ne!(alice.safety_number(bob.user()).unwrap(), number);
    // Nothing goes out: neither to the new key nor, in the session that is still there, to the old one.
    assert!(!alice.has_session(bob.user()));
    assert_eq!(alice.encrypt(bob.user(), &text("x"), NOW).unwrap_err().reason, Reason::UntrustedIdentity);

    alice.accept_identity(bob.user());
    assert_eq!(alice.encrypt(bob.user(), &text("x"), NOW).unwrap_err().reason, Reason::NoSession);
    alice.process_bundle(&fresh, NOW).unwrap();
    let sent = say(&mut alice, &bob, "again");
    assert_eq!(heard(&mut bob, &alice, &sent).as_deref(), Ok("again"));
    assert_eq!(alice.safety_number(bob.user()).unwrap(), bob.safety_number(alice.user()).unwrap());
}

#[test]
fn a_message_under_a_new_identity_is_shown_and_reported_and_not_answered_unasked() {
    let (mut alice, mut bob) = acquainted();
    let late = say(&mut bob, &alice, "late");
    bob.reinstall();
    bob.process_bundle(&bundle(&alice, Some(1)), NOW).unwrap();
    let sent = say(&mut bob, &alice, "it is me");
    let opened = hear(&mut alice, &bob, &sent).unwrap();
    assert!(opened.identity_changed);
    assert_eq!(alice.known_identity(bob.user()), Some(bob.identity_key()));
    assert_eq!(alice.encrypt(bob.user(), &text("x"), NOW).unwrap_err().reason, Reason::UntrustedIdentity);
    // A second one changes nothing more.
    let sent = say(&mut bob, &alice, "still me");
    assert!(!hear(&mut alice, &bob, &sent).unwrap().identity_changed);
    // A late message of the session before is shown, and does not bring the former key back.
    let opened = hear(&mut alice, &bob, &late).unwrap();
    assert!(!opened.identity_changed);
    assert_eq!(alice.known_identity(bob.user()), Some(bob.identity_key()));

    alice.accept_identity(bob.user());
    if !alice.has_session(bob.user()) {
        // The library made the session of the late message the current one.
        alice.process_bundle(&bundle(&bob, Some(0)), NOW).unwrap();
    }
    let answer = say(&mut alice, &bob, "hello again");
    assert_eq!(heard(&mut bob, &alice, &answer).as_deref(), Ok("hello again"));
}

#[test]
fn a_bundle_that_is_not_genuine_changes_no_identity() {
    let (mut alice, mut bob) = acquainted();
    let known = alice.known_identity(bob.user());
    bob.reinstall();
    let mut forged = bundle(&bob, Some(0));
    forged.signed_prekey.signature.0[3] ^= 1;
    assert_eq!(alice.process_bundle(&forged, NOW).unwrap_err().reason, Reason::BadSignature);
    assert_eq!(alice.known_identity(bob.user()), known);
    let sent = say(&mut alice, &bob, "x");
    assert_eq!(heard(&mut bob, &alice, &sent), Err(Reason::NoSession));
}

/// The prekey messages that follow the first carry the sender's identity key outside of what is authenticated. The library stores
/// it all the same.
#[test]
fn the_identity_key_of_a_later_prekey_message_is_not_believed() {
    use countersign_reference::wire::{Field, How, tamper};
    let (mut alice, mut bob) = introduced();
    let first = say(&mut alice, &bob, "first");
    hear(&mut bob, &alice, &first).unwrap();
    let second = say(&mut alice, &bob, "second");
    let mallory = user("mallory").identity_key();
    let bent = tamper(&second.1, second.0, Field::IdentityKey, &How::Bytes(mallory)).unwrap();
    assert_eq!(heard(&mut bob, &alice, &(second.0, bent)), Err(Reason::BadMac));
    assert_eq!(bob.known_identity(alice.user()), Some(alice.identity_key()));
    assert_eq!(heard(&mut bob, &alice, &second).as_deref(), Ok("second"));
}

#[test]
fn a_peer_that_returns_to_the_accepted_key_needs_no_acceptance() {
    let (mut alice, bob) = acquainted();
    let mut elsewhere = bob.clone();
    elsewhere.reinstall();
    assert_eq!(alice.process_bundle(&bundle(&elsewhere, None), NOW).unwrap_err().reason, Reason::UntrustedIdentity);
    let mut forged = bundle(&bob, None);
    forged.kyber_prekey.as_mut().unwrap().signature.0[5] ^= 1;
    assert_eq!(alice.process_bundle(&forged, NOW).unwrap_err().reason, Reason::BadSignature);
    assert_eq!(alice.known_identity(bob.user()), Some(elsewhere.identity_key()));
    alice.process_bundle(&bundle(&bob, None), NOW).unwrap();
    assert_eq!(alice.known_identity(bob.user()), Some(bob.identity_key()));
    let mut bob = bob;
    let sent = say(&mut alice, &bob, "welcome back");
    assert_eq!(heard(&mut bob, &alice, &sent).as_deref(), Ok("welcome back"));
}
