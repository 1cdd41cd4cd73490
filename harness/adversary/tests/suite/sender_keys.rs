//! Sender keys, against Signal's crate in both directions: as twins, at random, and altered.

use crate::library::{SenderKeyRecords, address, reason};
use crate::twins::draws;
use countersign_adversary::{Alteration, Config, FURTHEST_AHEAD, MOST_SENDER_KEYS, MOST_SKIPPED, Party, WireProfile};
use countersign_contract::Reason;
use futures_util::FutureExt as _;
use libsignal_protocol::{
    SenderKeyDistributionMessage, create_sender_key_distribution_message, group_decrypt, group_encrypt,
    process_sender_key_distribution_message,
};
use proptest::prelude::*;
use uuid::Uuid;

const GROUP: Uuid = Uuid::from_u128(0x1234);
const SENDER: &str = "sender";
const ME: &str = "me";

type Outcome = Result<Vec<u8>, Reason>;

/// A member on both stacks, under the same draws.
#[derive(Clone)]
struct Member {
    ours: Party,
    theirs: SenderKeyRecords,
}

impl Member {
    fn new() -> Self {
        Self { ours: Party::new(Config::new(WireProfile::V3), &mut draws(1)), theirs: SenderKeyRecords::default() }
    }

    fn distribution(&mut self, seed: u64) -> Vec<u8> {
        let ours = self.ours.distribution(GROUP, &[], &mut draws(seed)).unwrap();
        let (me, rng) = (address(ME), &mut draws(seed));
        let theirs = create_sender_key_distribution_message(&me, GROUP, &mut self.theirs, rng).now_or_never();
        assert_eq!(ours, theirs.unwrap().unwrap().serialized());
        ours
    }

    fn rotate(&mut self, seed: u64) {
        self.ours.rotate_sender_key(GROUP, &mut draws(seed));
        // The crate makes a new one where there is none.
        self.theirs.forget(ME, GROUP);
        let (me, rng) = (address(ME), &mut draws(seed));
        create_sender_key_distribution_message(&me, GROUP, &mut self.theirs, rng).now_or_never().unwrap().unwrap();
    }

    fn send(&mut self, plaintext: &[u8], seed: u64) -> Vec<u8> {
        let ours = self.ours.group_encrypt(GROUP, plaintext, &[], &mut draws(seed)).unwrap();
        let (me, rng) = (address(ME), &mut draws(seed));
        let theirs = group_encrypt(&mut self.theirs, &me, GROUP, plaintext, rng).now_or_never();
        assert_eq!(ours, theirs.unwrap().unwrap().serialized());
        ours
    }

    fn process(&mut self, bytes: &[u8]) -> (Result<(), Reason>, Result<(), Reason>) {
        let ours = self.ours.process_distribution(SENDER, bytes).map(drop).map_err(|refusal| refusal.reason);
        let theirs = SenderKeyDistributionMessage::try_from(bytes).and_then(|message| {
            process_sender_key_distribution_message(&address(SENDER), &message, &mut self.theirs).now_or_never().unwrap()
        });
        (ours, theirs.map_err(|error| reason(&error)))
    }

    /// What our stack answers, and what the crate does.
    fn receive(&mut self, bytes: &[u8]) -> (Outcome, Outcome) {
        let ours = self.ours.group_decrypt(SENDER, bytes).map(|(_, plaintext)| plaintext).map_err(|refusal| refusal.reason);
        let theirs = group_decrypt(bytes, &mut self.theirs, &address(SENDER)).now_or_never().unwrap();
        (ours, theirs.map_err(|error| reason(&error)))
    }

    fn agrees(&mut self, bytes: &[u8]) -> Outcome {
        let (ours, theirs) = self.receive(bytes);
        assert_eq!(ours, theirs);
        ours
    }

    fn restart(&mut self) {
        self.ours = Party::restore(&self.ours.save().unwrap()).unwrap();
        self.theirs.restart();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_conversations_of_a_group(steps in proptest::collection::vec((0..9_u8, 0..64_usize), 4..60)) {
        let (mut sender, mut receiver) = (Member::new(), Member::new());
        let first = sender.distribution(10);
        prop_assert_eq!(receiver.process(&first), (Ok(()), Ok(())));
        let (mut waiting, mut arrived, mut distributions) = (Vec::new(), Vec::new(), vec![first]);
        for (seed, (step, place)) in (100_u64..).zip(steps) {
            match step {
                0..=2 => {
                    let text = seed.to_be_bytes();
                    waiting.push((sender.send(&text, seed), text.to_vec()));
                }
                3 | 4 if !waiting.is_empty() => {
                    let (bytes, text) = waiting.remove(place % waiting.len());
                    let outcome = receiver.agrees(&bytes);
                    // Refused only if its sender key was never distributed, or from a later message on.
                    let undistributed = matches!(outcome, Err(Reason::NoSession | Reason::Duplicate));
                    prop_assert!(outcome == Ok(text) || undistributed, "{:?}", outcome);
                    arrived.push(bytes);
                }
                5 if !arrived.is_empty() => {
                    let outcome = receiver.agrees(&arrived[place % arrived.len()]);
                    prop_assert!(outcome.is_err() || distributions.len() > 1);
                }
                6 if !waiting.is_empty() => {
                    let mut bytes = waiting[place % waiting.len()].0.clone();
                    let last = bytes.len() - 1 - place;
                    bytes[last] ^= 0x10;
                    let outcome = receiver.agrees(&bytes);
                    prop_assert!(matches!(outcome, Err(Reason::BadSignature | Reason::NoSession)), "{:?}", outcome);
                }
                7 => {
                    if place % 2 == 0 {
                        sender.rotate(seed);
                    }
                    let distribution = sender.distribution(seed + 10_000);
                    if place % 3 != 0 {
                        prop_assert_eq!(receiver.process(&distribution), (Ok(()), Ok(())));
                        distributions.push(distribution);
                    }
                }
                8 => {
                    sender.restart();
                    receiver.restart();
                    let old = &distributions[place % distributions.len()];
                    prop_assert_eq!(receiver.process(old), (Ok(()), Ok(())));
                }
                _ => {}
            }
        }
    }
}

#[test]
fn limits_are_those_of_the_crate() {
    let (mut sender, mut receiver) = (Member::new(), Member::new());
    receiver.process(&sender.distribution(10)).0.unwrap();
    let jump = |jump: u32| [Alteration::ChainJump(jump)];
    let mut at = sender.clone();
    let first = at.ours.group_encrypt(GROUP, b"first", &[], &mut draws(1)).unwrap();
    let far = at.ours.group_encrypt(GROUP, b"far", &jump(FURTHEST_AHEAD), &mut draws(1)).unwrap();
    assert_eq!(receiver.clone().agrees(&far), Err(Reason::TooOld), "one more than the limit, since the first did not arrive");
    assert_eq!(receiver.agrees(&first), Ok(b"first".to_vec()));
    // What was skipped: the last 2,000 can still be read.
    let mut skipped = Vec::new();
    let mut again = sender.clone();
    for number in 0..=FURTHEST_AHEAD {
        if number == FURTHEST_AHEAD - MOST_SKIPPED as u32 || number == FURTHEST_AHEAD + 1 - MOST_SKIPPED as u32 {
            skipped.push(again.ours.group_encrypt(GROUP, b"skipped", &[], &mut draws(1)).unwrap());
        } else {
            again.ours.group_encrypt(GROUP, b"", &[], &mut draws(1)).unwrap();
        }
    }
    assert_eq!(receiver.agrees(&far), Ok(b"far".to_vec()));
    assert_eq!(receiver.agrees(&skipped[0]), Err(Reason::Duplicate));
    assert_eq!(receiver.agrees(&skipped[1]), Ok(b"skipped".to_vec()));

    // Five sender keys of a member are kept.
    let mut messages = Vec::new();
    for round in 0..=MOST_SENDER_KEYS as u64 {
        sender.rotate(100 + round);
        receiver.process(&sender.distribution(200 + round)).0.unwrap();
        messages.push(sender.send(b"of an old key", 300 + round));
    }
    assert_eq!(receiver.agrees(&messages[0]), Err(Reason::NoSession));
    assert_eq!(receiver.agrees(&messages[1]), Ok(b"of an old key".to_vec()));
}

#[test]
fn forged_group_messages() {
    let mut sender = Member::new();
    let mut receiver = Member::new();
    sender.ours.distribution(GROUP, &[], &mut draws(1)).unwrap();
    sender.ours.rotate_sender_key(GROUP, &mut draws(2));
    let distribution = sender.ours.distribution(GROUP, &[], &mut draws(3)).unwrap();
    receiver.process(&distribution).0.unwrap();
    let plain = sender.ours.clone().group_encrypt(GROUP, b"sixteen bytes...", &[], &mut draws(4)).unwrap();
    let foreign = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    let read = || Ok(b"sixteen bytes...".to_vec());
    let cases: Vec<(String, Outcome)> = vec![
        (r#"{"truncate":{"field":"group-signature","length":0}}"#.into(), Err(Reason::Malformed)),
        (r#"{"truncate":{"field":"group-signature","length":63}}"#.into(), Err(Reason::Malformed)),
        (r#"{"flip":{"field":"group-signature","bit":9}}"#.into(), Err(Reason::BadSignature)),
        (r#"{"sign-with":"fresh"}"#.into(), Err(Reason::BadSignature)),
        (r#"{"sign-with":"former"}"#.into(), Err(Reason::BadSignature)),
        (format!(r#"{{"sign-with":{{"private":"{foreign}"}}}}"#), Err(Reason::BadSignature)),
        (r#"{"set-number":{"field":"group-version","number":35}}"#.into(), Err(Reason::BadVersion)),
        (r#"{"set-number":{"field":"group-version","number":67}}"#.into(), Err(Reason::BadVersion)),
        (r#"{"set-number":{"field":"group-version","number":52}}"#.into(), read()),
        (r#"{"set-number":{"field":"group-chain-id","number":7}}"#.into(), Err(Reason::NoSession)),
        (r#"{"set-number":{"field":"group-iteration","number":1}}"#.into(), Err(Reason::BadMac)),
        (r#"{"set-number":{"field":"group-iteration","number":25001}}"#.into(), Err(Reason::TooOld)),
        (r#"{"set-bytes":{"field":"group-distribution","bytes":"AQEBAQEBAQEBAQEBAQEBAQ"}}"#.into(), Err(Reason::NoSession)),
        (r#"{"set-bytes":{"field":"group-distribution","bytes":"AQE"}}"#.into(), Err(Reason::Malformed)),
        (r#"{"remove":"group-iteration"}"#.into(), Err(Reason::Malformed)),
        (r#"{"flip":{"field":"group-ciphertext","bit":255}}"#.into(), Err(Reason::BadMac)),
        (r#"{"truncate":{"field":"group-ciphertext","length":31}}"#.into(), Err(Reason::BadMac)),
        (r#"{"wrong-cipher-padding":"zero"}"#.into(), Err(Reason::BadMac)),
        (r#"{"chain-jump":5}"#.into(), read()),
        (r#"{"chain-jump":25001}"#.into(), Err(Reason::TooOld)),
        (r#"{"add":{"layer":"group","tag":9,"value":{"number":1}}}"#.into(), read()),
        // Under the right signature.
        (r#"{"edit":{"part":"group","field":[3],"how":{"redundant":1}}}"#.into(), read()),
        (r#"{"edit":{"part":"group","how":{"append":"mAYB"}}}"#.into(), read()),
        (r#"{"edit":{"part":"group","field":[4],"how":"remove"}}"#.into(), Err(Reason::Malformed)),
        (r#"{"edit":{"part":"group","field":[3],"how":{"number":25001}}}"#.into(), Err(Reason::TooOld)),
        (r#"{"edit":{"part":"plaintext","how":{"truncate":4}}}"#.into(), Ok(b"sixt".to_vec())),
    ];
    for (case, expected) in cases {
        let alteration: Alteration = serde_json::from_str(&case).unwrap();
        let altered = sender.ours.clone().group_encrypt(GROUP, b"sixteen bytes...", &[alteration], &mut draws(4)).unwrap();
        assert!(altered != plain, "{case}: altered nothing");
        let (ours, theirs) = receiver.clone().receive(&altered);
        assert_eq!((&ours, &theirs), (&expected, &expected), "{case}");
        assert_eq!(receiver.clone().agrees(&plain), read(), "the accepted twin, after {case}");
    }
}

#[test]
fn forged_distributions() {
    let (mut sender, receiver) = (Member::new(), Member::new());
    let plain = sender.ours.distribution(GROUP, &[], &mut draws(1)).unwrap();
    for (case, ours, theirs) in [
        (r#"{"set-number":{"field":"distribution-version","number":35}}"#, Err(Reason::BadVersion), Err(Reason::BadVersion)),
        (r#"{"remove":"distribution-signing-key"}"#, Err(Reason::Malformed), Err(Reason::Malformed)),
        (r#"{"truncate":{"field":"distribution-chain-key","length":31}}"#, Err(Reason::Malformed), Err(Reason::Malformed)),
        (r#"{"flip":{"field":"distribution-signing-key","bit":0}}"#, Err(Reason::BadKey), Err(Reason::BadKey)),
        // The crate takes a signing key of low order, under which anyone can sign.
        (
            r#"{"set-bytes":{"field":"distribution-signing-key","bytes":"BQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#,
            Err(Reason::BadKey),
            Ok(()),
        ),
        (r#"{"set-number":{"field":"distribution-iteration","number":9}}"#, Ok(()), Ok(())),
        (r#"{"set-number":{"field":"distribution-chain-id","number":9}}"#, Ok(()), Ok(())),
        (r#"{"edit":{"part":"distribution","field":[4],"how":{"redundant":1}}}"#, Ok(()), Ok(())),
        (r#"{"edit":{"part":"distribution","field":[4],"how":{"repeat":2}}}"#, Ok(()), Ok(())),
        (r#"{"edit":{"part":"distribution","field":[4],"how":{"truncate":31}}}"#, Err(Reason::Malformed), Err(Reason::Malformed)),
        (r#"{"edit":{"part":"distribution","field":[2],"how":"remove"}}"#, Err(Reason::Malformed), Err(Reason::Malformed)),
    ] {
        let altered = sender.ours.distribution(GROUP, &[serde_json::from_str(case).unwrap()], &mut draws(1)).unwrap();
        assert!(altered != plain, "{case}: altered nothing");
        assert_eq!(receiver.clone().process(&altered), (ours, theirs), "{case}");
    }
}

#[test]
fn a_used_number_and_its_key_once_more() {
    let (mut sender, mut receiver) = (Member::new(), Member::new());
    receiver.process(&sender.distribution(1)).0.unwrap();
    let mut say = |text: &[u8], alterations: &[Alteration]| sender.ours.group_encrypt(GROUP, text, alterations, &mut draws(2));
    let rewind = |back| [Alteration::ChainRewind(back)];
    assert_eq!(say(b"nothing before", &rewind(1)).unwrap_err().reason, Reason::Unsupported);
    let first = say(b"first", &[]).unwrap();
    let second = say(b"second", &[]).unwrap();
    let bent = [say(b"other words", &rewind(1)).unwrap(), say(b"other words", &rewind(2)).unwrap()];
    for back in [0, 3, 9] {
        assert_eq!(say(b"too far back", &rewind(back)).unwrap_err().reason, Reason::Unsupported, "{back}");
    }
    let third = say(b"third", &[]).unwrap();
    // Under keys that are right: whoever has not used them yet reads it.
    assert_eq!(receiver.clone().agrees(&bent[0]), Ok(b"other words".to_vec()));
    assert_eq!(receiver.agrees(&first), Ok(b"first".to_vec()));
    assert_eq!(receiver.agrees(&second), Ok(b"second".to_vec()));
    for message in &bent {
        assert_eq!(receiver.agrees(message), Err(Reason::Duplicate));
    }
    assert_eq!(receiver.agrees(&third), Ok(b"third".to_vec()));
}
