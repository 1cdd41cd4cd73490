//! Whatever a peer sends: it is refused or read, it never ends the run, and what is refused changes nothing.

use crate::twins::draws;
use countersign_adversary::{Config, Party, WireProfile};
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use proptest::prelude::*;
use std::sync::LazyLock;
use uuid::Uuid;

const GROUP: Uuid = Uuid::from_u128(9);

/// A party that has heard from a peer, and genuine bytes of every kind that it has not received yet.
struct Stage {
    party: Party,
    saved: Vec<u8>,
    first: Vec<u8>,
    later: Vec<u8>,
    distribution: Vec<u8>,
    group: Vec<u8>,
}

impl Stage {
    fn new(config: Config) -> Self {
        let rng = &mut draws(1);
        let (mut peer, mut party) = (Party::new(config, rng), Party::new(config, rng));
        party.add_one_time(2, 2, rng);
        peer.process_bundle("party", &party.bundle(None, None), &[], rng).unwrap();
        for _ in 0..4 {
            let (kind, bytes) = peer.encrypt("party", b"hello", &[], rng).unwrap();
            party.decrypt("peer", kind, &bytes, rng).unwrap();
            let (kind, bytes) = party.encrypt("peer", b"hello", &[], rng).unwrap();
            peer.decrypt("party", kind, &bytes, rng).unwrap();
        }
        let later = peer.encrypt("party", b"later", &[], rng).unwrap().1;
        let bundle = party.bundle(party.one_time_prekeys().pop(), party.one_time_kyber_prekeys().pop());
        peer.process_bundle("party", &bundle, &[], rng).unwrap();
        let first = peer.encrypt("party", b"first", &[], rng).unwrap().1;
        let distribution = peer.distribution(GROUP, &[], rng).unwrap();
        party.process_distribution("peer", &distribution).unwrap();
        peer.rotate_sender_key(GROUP, rng);
        let distribution_of_another = peer.distribution(GROUP, &[], rng).unwrap();
        party.process_distribution("peer", &distribution_of_another).unwrap();
        let group = peer.group_encrypt(GROUP, b"group", &[], rng).unwrap();
        let saved = party.save().unwrap();
        Self { party, saved, first, later, distribution, group }
    }
}

static STAGES: LazyLock<[Stage; 3]> =
    LazyLock::new(|| [WireProfile::V3, WireProfile::V4, WireProfile::V4Spqr].map(|profile| Stage::new(Config::new(profile))));

/// One change of a byte string. Places are taken modulo its length.
#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    // What stands at the beginning and at the end holds more structure than the Kyber ciphertext in between.
    let place = || prop_oneof![0..160_usize, any::<usize>()];
    prop_oneof![
        6 => (place(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
        1 => place().prop_map(Change::Cut),
        2 => (place(), proptest::collection::vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (place(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
    ]
}

fn apply(changes: &[Change], bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let length = bytes.len().max(1);
        match change {
            Change::Flip(at, bits) => {
                if let Some(byte) = bytes.get_mut(at % length) {
                    *byte ^= bits;
                }
            }
            Change::Cut(at) => bytes.truncate(at % length),
            Change::Insert(at, more) => {
                let at = (at % length).min(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = (at % length).min(bytes.len());
                bytes.drain(at..(at + count).min(bytes.len()));
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn changed_bytes(stage in 0..3_usize, what in 0..4_u8, changes in proptest::collection::vec(change(), 1..5)) {
        let stage = &STAGES[stage];
        let mut party = stage.party.clone();
        let genuine = match what {
            0 => &stage.first,
            1 => &stage.later,
            2 => &stage.group,
            _ => &stage.distribution,
        };
        let bytes = apply(&changes, genuine);
        let read = match what {
            0 => party.decrypt("peer", MessageType::Prekey, &bytes, &mut draws(2)).map(|opened| opened.plaintext),
            1 => party.decrypt("peer", MessageType::Normal, &bytes, &mut draws(2)).map(|opened| opened.plaintext),
            2 => party.group_decrypt("peer", &bytes).map(|(_, plaintext)| plaintext),
            _ => party.process_distribution("peer", &bytes).map(|_| Vec::new()),
        };
        match read {
            // Some of the prekey message around is not authenticated, such as the registration id; the content always is.
            Ok(plaintext) => prop_assert!([&b"first"[..], b"later", b"group", b""].contains(&&plaintext[..])),
            Err(refusal) => {
                prop_assert!(refusal.reason != Reason::Internal, "{}", refusal);
                prop_assert!(party.save().unwrap() == stage.saved, "refused as {}, and changed nevertheless", refusal);
            }
        }
    }

    #[test]
    fn any_bytes(stage in 0..3_usize, first in prop_oneof![Just(0x33_u8), Just(0x44), any::<u8>()], rest in any::<Vec<u8>>()) {
        let stage = &STAGES[stage];
        let mut party = stage.party.clone();
        let bytes = [&[first][..], &rest].concat();
        for kind in [MessageType::Prekey, MessageType::Normal] {
            prop_assert!(party.decrypt("peer", kind, &bytes, &mut draws(2)).is_err());
        }
        prop_assert!(party.group_decrypt("peer", &bytes).is_err());
        prop_assert!(party.process_distribution("peer", &bytes).is_err());
        prop_assert!(party.save().unwrap() == stage.saved);
        prop_assert!(Party::restore(&bytes).is_err());
    }
}
