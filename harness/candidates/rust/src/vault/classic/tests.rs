//! What only somebody who knows the keys can send: malformations under a valid authentication code.

use super::Vault;
use super::chain::{ChainKey, MessageKeys, hmac};
use super::message::{FirstMessage, MAC_BYTES};
use super::session::Session;
use crate::Honest;
use countersign_contract::portable::{KeyBundle, MessageType};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::PublicKey;
use std::sync::Arc;
use std::time::SystemTime;
use uuid::Uuid;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// Two users, of whom the first has set up a session and was answered.
fn talking() -> (Vault, Vault) {
    let [mut alice, mut bob] = [(); 2].map(|()| Vault::new(UserId(Uuid::new_v4()), Arc::new(Honest)));
    let mut keys = bob.enlist(1, 0).unwrap();
    let bundle = KeyBundle {
        user: bob.user,
        registration_id: keys.registration_id,
        identity_key: keys.identity_key,
        signed_prekey: keys.signed_prekey,
        one_time_prekey: keys.one_time_prekeys.pop(),
        kyber_prekey: None,
    };
    alice.start(bob.user, &bundle, NOW).unwrap();
    let (kind, first) = alice.seal(bob.user, b"first", NOW).unwrap();
    bob.open(alice.user, kind, &first).unwrap();
    let (kind, answer) = bob.seal(alice.user, b"answer", NOW).unwrap();
    alice.open(bob.user, kind, &answer).unwrap();
    (alice, bob)
}

fn current(vault: &mut Vault, peer: UserId) -> &mut Session {
    vault.sessions.get_mut(&peer).unwrap().sessions.front_mut().unwrap()
}

/// The next message of `alice`, with what the authentication code covers changed before it is computed.
fn bent(alice: &mut Vault, bob: &Vault, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let chain: ChainKey = current(alice, bob.user).sending_chain().clone();
    let (_, mut body) = alice.seal(bob.user, b"x", NOW).unwrap();
    body.truncate(body.len() - MAC_BYTES);
    change(&mut body);
    let keys = MessageKeys::of(&chain.seed().unwrap()).unwrap();
    let identities = [alice.identity_key(), bob.identity_key()];
    let mac = hmac(&keys.mac, &[&identities[0], &identities[1], &body]).unwrap();
    body.extend(&mac[..MAC_BYTES]);
    body
}

#[test]
fn the_low_half_of_the_version_is_the_senders_own_business() {
    let (mut alice, mut bob) = talking();
    for byte in [0x33, 0x34, 0x30, 0x3f] {
        let body = bent(&mut alice, &bob, |body| body[0] = byte);
        assert_eq!(body[0], byte);
        assert_eq!(bob.open(alice.user, MessageType::Normal, &body).map(|opened| opened.plaintext), Ok(b"x".to_vec()));
    }
    for byte in [0x23, 0x43, 0x44] {
        let body = bent(&mut alice, &bob, |body| body[0] = byte);
        assert_eq!(bob.open(alice.user, MessageType::Normal, &body), Err(Reason::BadVersion));
    }
}

#[test]
fn fields_of_later_versions_are_covered_and_otherwise_without_effect() {
    let (mut alice, mut bob) = talking();
    let body = bent(&mut alice, &bob, |body| body.extend([0x2a, 1, 9]));
    assert!(bob.open(alice.user, MessageType::Normal, &body).is_ok());
    let right =
        [[&[0], alice.user.0.as_bytes().as_slice(), &[1]].concat(), [&[0], bob.user.0.as_bytes().as_slice(), &[1]].concat()];
    let wrong = [right[1].clone(), right[0].clone()];
    for (names, expected) in [(right, None), (wrong, Some(Reason::WrongRecipient))] {
        let field = [&[0x32, 36][..], &names.concat()].concat();
        let body = bent(&mut alice, &bob, |body| body.extend(field));
        assert_eq!(bob.open(alice.user, MessageType::Normal, &body).err(), expected);
    }
}

#[test]
fn a_ratchet_key_of_low_order_is_refused_though_everything_else_is_right() {
    let (mut alice, mut bob) = talking();
    for (low, reason) in [([0; 32], Reason::BadKey), ([1; 32], Reason::BadMac)] {
        let body = bent(&mut alice, &bob, |body| body[4..36].copy_from_slice(&low));
        assert_eq!(bob.open(alice.user, MessageType::Normal, &body), Err(reason));
    }
    let short = bent(&mut alice, &bob, |body| {
        body[2] -= 1;
        body.remove(35);
    });
    assert_eq!(bob.open(alice.user, MessageType::Normal, &short), Err(Reason::BadKey));
}

#[test]
fn authentic_bytes_that_are_no_ciphertext_are_refused_like_forged_ones() {
    let (mut alice, mut bob) = talking();
    // One byte less than a block.
    let body = bent(&mut alice, &bob, |body| {
        let length = body.len() - 17;
        assert_eq!(body[length], 16);
        body[length] = 15;
        body.pop();
    });
    assert_eq!(bob.open(alice.user, MessageType::Normal, &body), Err(Reason::BadMac));
}

#[test]
fn first_messages_with_weak_or_crooked_keys_are_refused() {
    let (mut alice, mut bob) = talking();
    let read = |bob: &mut Vault, body: &[u8], alice: &Vault| bob.open(alice.user, MessageType::Prekey, body);
    let mut keys = bob.enlist(1, 0).unwrap();
    let bundle = KeyBundle {
        user: bob.user,
        registration_id: keys.registration_id,
        identity_key: keys.identity_key,
        signed_prekey: keys.signed_prekey,
        one_time_prekey: keys.one_time_prekeys.pop(),
        kyber_prekey: None,
    };
    alice.start(bob.user, &bundle, NOW).unwrap();
    let (_, whole) = alice.seal(bob.user, b"x", NOW).unwrap();
    let first = FirstMessage::read(&whole, alice.user, bob.user, false).ok().unwrap();
    let weak = PublicKey::from_djb_public_key_bytes(&[0; 32]).unwrap();
    // One more than the field has elements is zero again, written otherwise.
    let crooked: [u8; 32] = std::array::from_fn(|place| match place {
        0 => 0xf6,
        31 => 0x7f,
        _ => 0xff,
    });
    let crooked = PublicKey::from_djb_public_key_bytes(&crooked).unwrap();
    let inner = [&first.message.covered[..], &first.message.mac].concat();
    for base_key in [weak, crooked] {
        let body = FirstMessage::write(&first.surroundings(), base_key, inner.clone());
        assert_eq!(read(&mut bob, &body, &alice), Err(Reason::BadKey));
    }
    let mut other = first.surroundings();
    other.identity = weak.into();
    let body = FirstMessage::write(&other, first.base_key, inner.clone());
    assert_eq!(read(&mut bob, &body, &alice), Err(Reason::BadKey));
    other.identity = *bob.identities.own.identity_key();
    let body = FirstMessage::write(&other, first.base_key, inner);
    assert_eq!(read(&mut bob, &body, &alice), Err(Reason::WrongRecipient));
    assert_eq!(read(&mut bob, &whole, &alice).map(|opened| opened.plaintext), Ok(b"x".to_vec()));
}
