//! Sender keys: who reads what, and what is refused.

use crate::common::{config, id, text, user};
use countersign_contract::content::{Content, content::Body};
use countersign_contract::groups::Change;
use countersign_contract::portable::GroupList;
use countersign_contract::{Bytes, GroupId, Reason, UserId};
use countersign_reference::alter::{Field, FieldBytes, KeyChoice, WrongPadding};
use countersign_reference::wire::{SENDER_KEY_FIELDS, tamper_sender_key_message};
use countersign_reference::{Alteration, Config, ReferenceUser, Stack};
use uuid::Uuid;

const OURS: GroupId = GroupId(Uuid::from_u128(1));
const OTHER: GroupId = GroupId(Uuid::from_u128(2));

fn list(group: GroupId, version: u32, members: &[&str]) -> GroupList {
    GroupList { group, version, members: members.iter().map(|name| id(name)).collect() }
}

fn told(users: &mut [&mut ReferenceUser], list: &GroupList) {
    for user in users {
        user.take_group(list);
    }
}

/// Hands the sender key to one member, as it would travel in their session.
fn hand_out(from: &mut ReferenceUser, to: &mut ReferenceUser, group: GroupId) -> Result<u32, Reason> {
    let key = from.sender_key(group).unwrap();
    from.gave_sender_key(group, to.user());
    to.accept_sender_key(from.user(), group, &key).map(|(_, iteration)| iteration).map_err(|refusal| refusal.reason)
}

fn say(from: &mut ReferenceUser, group: GroupId, words: &str) -> Vec<u8> {
    let stamp = from.stamp(group).unwrap();
    from.encrypt_for_group(group, &Content { group: Some(stamp), ..text(words) }).unwrap()
}

fn hear(to: &mut ReferenceUser, from: UserId, group: GroupId, body: &[u8]) -> Result<String, Reason> {
    match to.decrypt_group(from, group, body).map(|opened| opened.content.body) {
        Ok(Some(Body::Text(t))) => Ok(t.text),
        Ok(other) => panic!("not a text: {other:?}"),
        Err(refusal) => Err(refusal.reason),
    }
}

fn group_of_two() -> (ReferenceUser, ReferenceUser) {
    let (mut alice, mut bob) = (user("alice"), user("bob"));
    told(&mut [&mut alice, &mut bob], &list(OURS, 1, &["alice", "bob"]));
    assert_eq!(alice.without_sender_key(OURS).unwrap(), [id("bob")]);
    assert_eq!(hand_out(&mut alice, &mut bob, OURS), Ok(0));
    assert_eq!(alice.without_sender_key(OURS).unwrap(), []);
    (alice, bob)
}

#[test]
fn messages_are_read_once_in_any_order() {
    let (mut alice, mut bob) = group_of_two();
    let (one, two, three) = (say(&mut alice, OURS, "1"), say(&mut alice, OURS, "2"), say(&mut alice, OURS, "3"));
    for (body, words) in [(&three, "3"), (&one, "1"), (&two, "2")] {
        assert_eq!(hear(&mut bob, id("alice"), OURS, body).as_deref(), Ok(words));
    }
    assert_eq!(hear(&mut bob, id("alice"), OURS, &two), Err(Reason::Duplicate));
}

#[test]
fn whoever_joins_later_has_no_key_for_what_came_before() {
    let (mut alice, mut bob) = group_of_two();
    let before = say(&mut alice, OURS, "before");
    assert_eq!(hear(&mut bob, id("alice"), OURS, &before).as_deref(), Ok("before"));
    let mut carol = user("carol");
    told(&mut [&mut alice, &mut bob, &mut carol], &list(OURS, 2, &["alice", "bob", "carol"]));
    assert_eq!(hand_out(&mut alice, &mut carol, OURS), Ok(1));
    assert_eq!(hear(&mut carol, id("alice"), OURS, &before), Err(Reason::TooOld));
    let after = say(&mut alice, OURS, "after");
    assert_eq!(hear(&mut carol, id("alice"), OURS, &after).as_deref(), Ok("after"));
    assert_eq!(hear(&mut bob, id("alice"), OURS, &after).as_deref(), Ok("after"));
}

#[test]
fn a_removal_ends_the_key_and_the_voice_of_whoever_is_gone() {
    let (mut alice, mut bob) = group_of_two();
    assert_eq!(hand_out(&mut bob, &mut alice, OURS), Ok(0));
    let mut carol = user("carol");
    told(&mut [&mut alice, &mut bob, &mut carol], &list(OURS, 2, &["alice", "bob", "carol"]));
    assert_eq!(hand_out(&mut carol, &mut bob, OURS), Ok(0));
    assert_eq!(hand_out(&mut alice, &mut carol, OURS), Ok(0));
    let shorter = list(OURS, 3, &["alice", "bob"]);
    assert_eq!(alice.take_group(&shorter), [Change::Removed(id("carol"))]);
    told(&mut [&mut bob], &shorter);
    assert_eq!(alice.without_sender_key(OURS).unwrap(), [id("bob")], "the old key is gone");
    assert_eq!(hand_out(&mut alice, &mut bob, OURS), Ok(0));
    let secret = say(&mut alice, OURS, "without carol");
    assert_eq!(hear(&mut carol, id("alice"), OURS, &secret), Err(Reason::NoSession));
    assert_eq!(hear(&mut bob, id("alice"), OURS, &secret).as_deref(), Ok("without carol"));
    // She knows the list, and signs well.
    let stamp = bob.stamp(OURS).unwrap();
    let still = carol.encrypt_for_group(OURS, &Content { group: Some(stamp), ..text("still here") }).unwrap();
    assert_eq!(hear(&mut bob, id("carol"), OURS, &still), Err(Reason::NotPermitted));
}

#[test]
fn a_message_stays_in_its_group_and_a_refusal_changes_nothing() {
    let (mut alice, mut bob) = group_of_two();
    told(&mut [&mut alice, &mut bob], &list(OTHER, 1, &["alice", "bob"]));
    let message = say(&mut alice, OURS, "for us");
    assert_eq!(hear(&mut bob, id("alice"), OTHER, &message), Err(Reason::WrongRecipient));
    assert_eq!(hear(&mut bob, id("alice"), OURS, &message).as_deref(), Ok("for us"));
    assert!(alice.share_sender_key(OTHER));
    assert_eq!(hand_out(&mut alice, &mut bob, OTHER), Err(Reason::NotPermitted));
}

#[test]
fn a_message_for_another_list_is_stale_until_the_lists_agree() {
    let (mut alice, mut bob) = group_of_two();
    let message = say(&mut alice, OURS, "for two");
    told(&mut [&mut bob], &list(OURS, 2, &["alice", "bob", "carol"]));
    assert_eq!(hear(&mut bob, id("alice"), OURS, &message), Err(Reason::StaleGroup));
}

#[test]
fn every_field_is_under_the_signature_or_leads_to_no_key() {
    let (mut alice, mut bob) = group_of_two();
    let message = say(&mut alice, OURS, "whole");
    for field in SENDER_KEY_FIELDS {
        let bent = tamper_sender_key_message(&message, field).unwrap();
        assert_ne!(bent, message, "{field}");
        let reason = hear(&mut bob, id("alice"), OURS, &bent).unwrap_err();
        let right = [Reason::BadSignature, Reason::NoSession, Reason::Malformed, Reason::BadVersion];
        assert!(right.contains(&reason), "{field}: {reason}");
    }
    assert_eq!(hear(&mut bob, id("alice"), OURS, &message).as_deref(), Ok("whole"));
    assert!(tamper_sender_key_message(&message, "made-up").is_err());
    assert!(tamper_sender_key_message(&message[..40], "iteration").is_err());
}

#[test]
fn a_key_inside_a_group_message_is_not_taken() {
    let (mut alice, mut bob) = group_of_two();
    let stamp = alice.stamp(OURS).unwrap();
    let (inside, _) = alice.encrypt_new_sender_key(OURS, &Content { group: Some(stamp), ..text("") }).unwrap();
    assert_eq!(hear(&mut bob, id("alice"), OURS, &inside), Err(Reason::NotPermitted));
    let under_it = say(&mut alice, OURS, "under the new key");
    assert_eq!(hear(&mut bob, id("alice"), OURS, &under_it), Err(Reason::NoSession));
}

/// A user on our own stack.
fn own(name: &str) -> ReferenceUser {
    ReferenceUser::new(Config { stack: Stack::Adversary, ..config(name, 7) })
}

#[test]
fn the_stacks_read_each_other_in_groups() {
    let (mut alice, mut bob) = (own("alice"), user("bob"));
    told(&mut [&mut alice, &mut bob], &list(OURS, 1, &["alice", "bob"]));
    assert_eq!(hand_out(&mut alice, &mut bob, OURS), Ok(0));
    assert_eq!(hand_out(&mut bob, &mut alice, OURS), Ok(0));
    for round in 0..3 {
        let (one, two) = (say(&mut alice, OURS, &format!("{round}")), say(&mut alice, OURS, &format!("{round} too")));
        assert_eq!(hear(&mut bob, id("alice"), OURS, &two), Ok(format!("{round} too")));
        assert_eq!(hear(&mut bob, id("alice"), OURS, &one), Ok(format!("{round}")));
        let back = say(&mut bob, OURS, "back");
        // A refusal for what stands in it leaves its key where it was.
        assert_eq!(hear(&mut alice, id("bob"), OTHER, &back), Err(Reason::WrongRecipient));
        assert_eq!(hear(&mut alice, id("bob"), OURS, &back).as_deref(), Ok("back"));
        assert_eq!(hear(&mut alice, id("bob"), OURS, &back), Err(Reason::Duplicate));
    }
}

#[test]
fn what_our_own_stack_does_wrongly_is_refused_by_either() {
    let wrongly = |alteration: Alteration| [alteration];
    let (mut alice, mut bob, mut dora) = (own("alice"), user("bob"), own("dora"));
    told(&mut [&mut alice, &mut bob, &mut dora], &list(OURS, 1, &["alice", "bob", "dora"]));
    let weak = FieldBytes { field: Field::DistributionSigningKey, bytes: Bytes([&[5][..], &[0; 32]].concat()) };
    let key = alice.sender_key_wrongly(OURS, &wrongly(Alteration::SetBytes(weak))).unwrap();
    for receiver in [&mut bob, &mut dora] {
        assert_eq!(receiver.accept_sender_key(id("alice"), OURS, &key).unwrap_err().reason, Reason::BadKey);
    }
    let key = alice.sender_key(OURS).unwrap();
    for receiver in [&mut bob, &mut dora] {
        assert_eq!(receiver.accept_sender_key(id("alice"), OURS, &key).unwrap().1, 0);
    }
    let padded = |alice: &ReferenceUser| Content { group: Some(alice.stamp(OURS).unwrap()), ..text("words") }.to_padded();
    let plain = padded(&alice);
    for (alteration, reason) in [
        (Alteration::SignWith(KeyChoice::Fresh), Reason::BadSignature),
        (Alteration::WrongCipherPadding(WrongPadding::Uneven), Reason::BadMac),
        (Alteration::Remove(Field::GroupIteration), Reason::Malformed),
    ] {
        let bad = alice.encrypt_for_group_wrongly(OURS, &plain, &wrongly(alteration)).unwrap();
        let good = say(&mut alice, OURS, "good");
        for receiver in [&mut bob, &mut dora] {
            assert_eq!(hear(receiver, id("alice"), OURS, &bad), Err(reason));
            assert_eq!(hear(receiver, id("alice"), OURS, &good).as_deref(), Ok("good"));
        }
    }
    // The number and the key of the last message, once more.
    let again = alice.encrypt_for_group_wrongly(OURS, &plain, &wrongly(Alteration::ChainRewind(1))).unwrap();
    for receiver in [&mut bob, &mut dora] {
        assert_eq!(hear(receiver, id("alice"), OURS, &again), Err(Reason::Duplicate));
    }
}

#[test]
fn the_library_makes_no_group_message_wrongly() {
    let (mut alice, _) = group_of_two();
    let wrongly = [Alteration::ChainJump(1)];
    assert_eq!(alice.sender_key_wrongly(OURS, &wrongly).unwrap_err().reason, Reason::Unsupported);
    assert_eq!(alice.encrypt_for_group_wrongly(OURS, b"words", &wrongly).unwrap_err().reason, Reason::Unsupported);
}
