//! Users and messages for the tests of this folder.

use countersign_contract::content::{Content, Text, content};
use countersign_contract::portable::{Enlist, KeyBundle, MessageType};
use countersign_contract::{Reason, UserId};
use countersign_reference::{Config, Opened, ReferenceUser, Refusal};

/// A point in time; none of these tests depends on which.
pub(crate) const NOW: u64 = 1_800_000_000_000;

/// A message as it travels.
pub(crate) type Sent = (MessageType, Vec<u8>);

pub(crate) fn id(name: &str) -> UserId {
    let mut bytes = [0x5a; 16];
    bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    UserId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

pub(crate) fn config(name: &str, seed: u8) -> Config {
    Config {
        seed: [seed; 32],
        scenario: "tests".into(),
        name: name.into(),
        user: id(name),
        suite: countersign_contract::claims::Suite::SignalPq,
        stack: countersign_reference::Stack::Library,
        one_time_prekeys: 3,
        publishes_one_time_kyber: true,
    }
}

pub(crate) fn user(name: &str) -> ReferenceUser {
    ReferenceUser::new(config(name, 7))
}

/// A bundle as the gateway makes it of what a user published; `nth` one-time prekeys, or none and the last-resort Kyber prekey.
pub(crate) fn bundle(of: &ReferenceUser, nth: Option<usize>) -> KeyBundle {
    let e: Enlist = of.enlistment();
    KeyBundle {
        user: e.user,
        registration_id: e.registration_id,
        identity_key: e.identity_key,
        signed_prekey: e.signed_prekey,
        one_time_prekey: nth.map(|n| e.one_time_prekeys[n].clone()),
        kyber_prekey: nth.map_or(e.kyber_prekey, |n| Some(e.one_time_kyber_prekeys[n].clone())),
    }
}

pub(crate) fn text(text: &str) -> Content {
    let body = Some(content::Body::Text(Text { text: text.into() }));
    Content { message_id: id(text).to_string(), sent_at: NOW, group: None, body }
}

pub(crate) fn say(from: &mut ReferenceUser, to: &ReferenceUser, words: &str) -> Sent {
    from.encrypt(to.user(), &text(words), NOW).unwrap()
}

pub(crate) fn hear(to: &mut ReferenceUser, from: &ReferenceUser, sent: &Sent) -> Result<Opened, Refusal> {
    to.decrypt(from.user(), sent.0, &sent.1, NOW)
}

/// The text of what was heard, or why it was not.
pub(crate) fn heard(to: &mut ReferenceUser, from: &ReferenceUser, sent: &Sent) -> Result<String, Reason> {
    heard_from(to, from.user(), sent)
}

pub(crate) fn heard_from(to: &mut ReferenceUser, from: UserId, sent: &Sent) -> Result<String, Reason> {
    match to.decrypt(from, sent.0, &sent.1, NOW) {
        Ok(opened) => match opened.content.body {
            Some(content::Body::Text(t)) => Ok(t.text),
            other => panic!("not a text: {other:?}"),
        },
        Err(refusal) => Err(refusal.reason),
    }
}

/// Two users; the first has a session from the second's bundle, with one-time prekeys.
pub(crate) fn introduced() -> (ReferenceUser, ReferenceUser) {
    let (mut alice, bob) = (user("alice"), user("bob"));
    alice.process_bundle(&bundle(&bob, Some(0)), NOW).unwrap();
    (alice, bob)
}

/// Two users who have both heard from each other.
pub(crate) fn acquainted() -> (ReferenceUser, ReferenceUser) {
    let (mut alice, mut bob) = introduced();
    let hello = say(&mut alice, &bob, "hello");
    assert_eq!(heard(&mut bob, &alice, &hello).as_deref(), Ok("hello"));
    let back = say(&mut bob, &alice, "back");
    assert_eq!(heard(&mut alice, &bob, &back).as_deref(), Ok("back"));
    (alice, bob)
}
