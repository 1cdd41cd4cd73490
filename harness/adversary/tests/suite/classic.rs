//! X3DH and the Double Ratchet between two parties of ours: what can be seen without another implementation.

use countersign_adversary::{Config, Party, WireProfile};
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

fn parties(config: Config) -> (Party, Party, ChaCha20Rng) {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (mut alice, mut bob) = (Party::new(config, &mut rng), Party::new(config, &mut rng));
    bob.add_one_time(2, 2, &mut rng);
    let bundle = bob.bundle(bob.one_time_prekeys().first().cloned(), bob.one_time_kyber_prekeys().first().cloned());
    alice.process_bundle("bob", &bundle, &[], &mut rng).unwrap();
    (alice, bob, rng)
}

#[test]
fn first_messages_have_the_length_and_the_version_byte_of_their_profile() {
    for (config, version, length) in [
        (Config::new(WireProfile::V3), 0x33, 146),
        (Config::later_v3(), 0x34, 146),
        (Config::new(WireProfile::V4), 0x44, 1720),
        (Config::new(WireProfile::V4Spqr), 0x44, 1759),
    ] {
        let (mut alice, mut bob, mut rng) = parties(config);
        // Ids of one byte each, as the lengths on record were measured with.
        let (kind, bytes) = alice.encrypt("bob", b"hello", &[], &mut rng).unwrap();
        assert_eq!((kind, bytes[0]), (MessageType::Prekey, version));
        assert!(bytes.len().abs_diff(length) < 30, "{} B in place of about {length}", bytes.len());
        let opened = bob.decrypt("alice", kind, &bytes, &mut rng).unwrap();
        assert_eq!(opened.plaintext, b"hello");
        assert_eq!(opened.identity, alice.identity_key());
        assert!(opened.starts_session && opened.used_one_time_prekey.is_some());
        assert_eq!(bob.one_time_prekeys().len(), 1);
        assert_eq!(bob.one_time_kyber_prekeys().len(), usize::from(config.profile.has_kyber()));

        let (kind, bytes) = bob.encrypt("alice", b"hello to you", &[], &mut rng).unwrap();
        assert_eq!((kind, bytes[0]), (MessageType::Normal, version));
        assert!(alice.is_unanswered("bob"));
        assert_eq!(alice.decrypt("bob", kind, &bytes, &mut rng).unwrap().plaintext, b"hello to you");
        assert!(!alice.is_unanswered("bob"));
        assert_eq!(alice.session_profile("bob"), Some(config.profile));
        assert_eq!(alice.decrypt("bob", kind, &bytes, &mut rng).unwrap_err().reason, Reason::Duplicate);
    }
}

#[test]
fn a_message_of_another_version_is_refused_before_any_prekey_is_looked_for() {
    let (mut alice, _, mut rng) = parties(Config::new(WireProfile::V3));
    let (kind, bytes) = alice.encrypt("bob", b"hello", &[], &mut rng).unwrap();
    let mut pq = Party::new(Config::new(WireProfile::V4Spqr), &mut rng);
    assert_eq!(pq.decrypt("alice", kind, &bytes, &mut rng).unwrap_err().reason, Reason::BadVersion);
    let (mut alice, _, mut rng) = parties(Config::new(WireProfile::V4Spqr));
    let (kind, bytes) = alice.encrypt("bob", b"hello", &[], &mut rng).unwrap();
    let mut classic = Party::new(Config::new(WireProfile::V3), &mut rng);
    assert_eq!(classic.decrypt("alice", kind, &bytes, &mut rng).unwrap_err().reason, Reason::BadVersion);
}

#[test]
fn what_is_opened_and_not_kept_was_never_received() {
    let (mut alice, mut bob, mut rng) = parties(Config::new(WireProfile::V3));
    let (kind, bytes) = alice.encrypt("bob", b"hello", &[], &mut rng).unwrap();
    for _ in 0..2 {
        let opening = bob.open("alice", kind, &bytes, &mut rng).unwrap();
        assert_eq!(opening.opened.plaintext, b"hello");
    }
    assert!(!bob.has_session("alice"));
    bob.decrypt("alice", kind, &bytes, &mut rng).unwrap();
    assert_eq!(bob.session_identity("alice"), Some(alice.identity_key()));
    let restored = Party::restore(&bob.save().unwrap()).unwrap();
    assert!(restored.has_session("alice"));
}
