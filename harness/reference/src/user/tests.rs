//! What cannot be reached from outside.

use super::*;
use crate::wire::{Field, How, tamper};
use countersign_contract::content::{Text, content};
use countersign_contract::portable::{KeyBundle, MessageType};
use uuid::Uuid;

fn user(name: &str, number: u128) -> ReferenceUser {
    ReferenceUser::new(Config {
        seed: [7; 32],
        scenario: "tests".into(),
        name: name.into(),
        user: UserId(Uuid::from_u128(number)),
        suite: Suite::SignalPq,
        stack: Stack::Library,
        one_time_prekeys: 1,
        publishes_one_time_kyber: false,
    })
}

fn library(user: &mut ReferenceUser) -> &mut crate::keys::Installation {
    match &mut user.stack {
        AnyStack::Library(installation) => installation,
        AnyStack::Own(_) => panic!("not on the library"),
    }
}

fn last_resort_message() -> (ReferenceUser, ReferenceUser, Vec<u8>) {
    let (mut alice, bob) = (user("alice", 1), user("bob", 2));
    let keys = bob.enlistment();
    let bundle = KeyBundle {
        user: keys.user,
        registration_id: keys.registration_id,
        identity_key: keys.identity_key,
        signed_prekey: keys.signed_prekey,
        one_time_prekey: None,
        kyber_prekey: keys.kyber_prekey,
    };
    alice.process_bundle(&bundle, 0).unwrap();
    let body = Some(content::Body::Text(Text { text: "once".into() }));
    let content = Content { message_id: Uuid::from_u128(9).to_string(), sent_at: 0, group: None, body };
    let (kind, body) = alice.encrypt(bob.user(), &content, 0).unwrap();
    assert_eq!(kind, MessageType::Prekey);
    (alice, bob, body)
}

/// Without a session to recognise the message by, only the memory of last-resort uses is left.
#[test]
fn a_last_resort_prekey_with_the_same_base_key_is_refused() {
    let (alice, mut bob, body) = last_resort_message();
    bob.decrypt(alice.user(), MessageType::Prekey, &body, 0).unwrap();
    library(&mut bob).sessions.by_name.clear();
    library(&mut bob).identities.known.clear();
    bob.received.clear();
    let refusal = bob.decrypt(alice.user(), MessageType::Prekey, &body, 0).unwrap_err();
    assert_eq!(refusal.reason, Reason::Duplicate);
    assert!(!bob.has_session(alice.user()) && bob.known_identity(alice.user()).is_none());
    // The last-resort prekey itself stays.
    assert_eq!(library(&mut bob).kyber.records.len(), 1);
}

/// The finding that makes [`crate::wire::PqRatchet`] necessary: libsignal v0.85.3, given a message of the post-quantum ratchet that
/// ends before its kind, panics, in every build; whoever it talks to can send one. The panic is contained.
#[test]
fn libsignal_panics_on_a_short_message_of_the_post_quantum_ratchet() {
    let (alice, mut bob, body) = last_resort_message();
    let bent = tamper(&body, MessageType::Prekey, Field::PqRatchet, &How::Bytes(vec![1, 1, 0])).unwrap();
    let message = crate::wire::parse(MessageType::Prekey, &bent).unwrap();
    let mut rng = bob.next_draw();
    let refusal = bob.open(alice.user(), &message, MessageType::Prekey, &bent, &mut rng).unwrap_err();
    assert_eq!((refusal.reason, refusal.detail.as_str()), (Reason::Internal, "the library panicked"));
    assert_eq!(bob.decrypt(alice.user(), MessageType::Prekey, &bent, 0).unwrap_err().reason, Reason::BadMac);
    bob.decrypt(alice.user(), MessageType::Prekey, &body, 0).unwrap();
}

/// Later official code names sender and receiver inside the message. Ours does not write that, so an authentic one that names
/// somebody else cannot be made here; the comparison can be shown.
#[test]
fn addresses_are_compared_whole() {
    let (alice, bob, body) = last_resort_message();
    let side = |user: &ReferenceUser| [&[0][..], user.user().0.as_bytes(), &[1]].concat();
    for (addresses, misdirected) in [
        ([side(&alice), side(&bob)].concat(), false),
        ([side(&bob), side(&alice)].concat(), true),
        ([side(&alice), side(&alice)].concat(), true),
        (side(&alice), true),
        (Vec::new(), true),
    ] {
        let bent = tamper(&body, MessageType::Prekey, Field::Addresses, &How::Bytes(addresses)).unwrap();
        let message = crate::wire::parse(MessageType::Prekey, &bent).unwrap();
        assert_eq!(bob.is_misdirected(alice.user(), &message), misdirected);
    }
    let message = crate::wire::parse(MessageType::Prekey, &body).unwrap();
    assert!(!bob.is_misdirected(alice.user(), &message));
}
