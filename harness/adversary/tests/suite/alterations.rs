//! Every alteration: what it changes on the wire, and what Signal's crate and our own stack answer to it.
//!
//! The outcome is `ALTERATIONS.md`, which is checked in; `COUNTERSIGN_BLESS=1` writes it anew. Each case is compared with the same
//! message, from the same draws, unaltered.

use crate::across::{Theirs, User};
use crate::fields::Places;
use crate::twins::{Message, Outcome, draws};
use countersign_adversary::{Alteration, Config, Party, WireProfile};
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const PEER: &str = "peer";
const PLAINTEXT: &[u8] = b"a message of thirty-two bytes...";
/// Private key 7, and what belongs to it.
const OTHER_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
/// 33 bytes of nothing in particular.
const OTHER_BYTES: &str = "BQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
/// 32 bytes.
const SHORT_BYTES: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
/// 16 bytes.
const BLOCK: &str = "AQEBAQEBAQEBAQEBAQEBAQ";

/// Alterations of the first message, a prekey message, and of its session.
fn of_first_messages() -> Vec<String> {
    let mut cases: Vec<String> = [
        r#""without-discontinuity""#,
        r#""without-kyber-secret""#,
        r#"{"profile":"v3"}"#,
        r#"{"profile":"v4"}"#,
        r#"{"kdf-info":"WhisperText"}"#,
        r#"{"dh-terms":[2,1,3,4]}"#,
        r#"{"dh-terms":[1,2,3]}"#,
        r#"{"identity-key":"fresh"}"#,
        r#"{"name-prekey":{"kind":"one-time","id":9999}}"#,
        r#"{"name-prekey":{"kind":"one-time"}}"#,
        r#"{"name-prekey":{"kind":"signed","id":9999}}"#,
        r#"{"name-prekey":{"kind":"signed"}}"#,
        r#"{"name-prekey":{"kind":"kyber","id":9999}}"#,
        r#"{"name-prekey":{"kind":"kyber"}}"#,
        r#"{"set-number":{"field":"outer-version","number":36}}"#,
        r#"{"set-number":{"field":"outer-version","number":51}}"#,
        r#"{"set-number":{"field":"outer-version","number":84}}"#,
        r#"{"set-number":{"field":"version","number":52}}"#,
        r#"{"flip":{"field":"identity-key","bit":100}}"#,
        r#"{"flip":{"field":"base-key","bit":0}}"#,
        r#"{"truncate":{"field":"base-key","length":32}}"#,
        r#"{"extend":{"field":"base-key","bytes":"AQ"}}"#,
        r#"{"remove":"base-key"}"#,
        r#"{"remove":"identity-key"}"#,
        r#"{"remove":"message"}"#,
        r#"{"truncate":{"field":"message","length":8}}"#,
        r#"{"remove":"registration-id"}"#,
        r#"{"set-number":{"field":"registration-id","number":99}}"#,
        r#"{"remove":"signed-prekey-id"}"#,
        r#"{"remove":"kyber-prekey-id"}"#,
        r#"{"remove":"kyber-ciphertext"}"#,
        r#"{"flip":{"field":"kyber-ciphertext","bit":0}}"#,
        r#"{"flip":{"field":"kyber-ciphertext","bit":800}}"#,
        r#"{"truncate":{"field":"kyber-ciphertext","length":1568}}"#,
        r#"{"extend":{"field":"kyber-ciphertext","bytes":"AA"}}"#,
        r#"{"add":{"layer":"outer","tag":15,"value":{"number":1}}}"#,
        r#"{"edit":{"part":"outer","how":{"append":"mAYB"}}}"#,
        r#"{"edit":{"part":"outer","field":[2],"how":{"redundant":1}}}"#,
        r#"{"edit":{"part":"outer","field":[3],"how":{"repeat":2}}}"#,
        r#"{"add":{"layer":"outer","tag":1,"value":{"number":9999}}}"#,
        r#"{"remove":"pq-ratchet"}"#,
    ]
    .map(String::from)
    .into();
    cases.push(format!(r#"{{"kdf-salt":"{SHORT_BYTES}"}}"#));
    cases.push(format!(r#"{{"base-key":{{"private":"{OTHER_KEY}"}}}}"#));
    cases.push(format!(r#"{{"identity-key":{{"private":"{OTHER_KEY}"}}}}"#));
    for point in 0..7 {
        cases.push(format!(r#"{{"base-key":{{"low-order":{point}}}}}"#));
        cases.push(format!(r#"{{"identity-key":{{"low-order":{point}}}}}"#));
    }
    cases
}

/// Alterations of a message in a session that both sides have spoken in.
fn of_later_messages() -> Vec<String> {
    let mut cases: Vec<String> = [
        r#"{"ratchet":"fresh"}"#,
        r#"{"ratchet":"former"}"#,
        r#"{"ratchet":{"low-order":0}}"#,
        r#"{"ratchet":{"low-order":2}}"#,
        r#"{"chain-jump":1}"#,
        r#"{"chain-jump":2000}"#,
        r#"{"chain-jump":25001}"#,
        r#"{"chain-back":1}"#,
        r#""without-pq-key""#,
        r#""swap-mac-identities""#,
        r#"{"wrong-cipher-padding":"zero"}"#,
        r#"{"wrong-cipher-padding":"too-long"}"#,
        r#"{"wrong-cipher-padding":"uneven"}"#,
        r#"{"set-number":{"field":"version","number":52}}"#,
        r#"{"set-number":{"field":"version","number":79}}"#,
        r#"{"set-number":{"field":"version","number":84}}"#,
        r#"{"flip":{"field":"version","bit":5}}"#,
        r#"{"flip":{"field":"ratchet-key","bit":0}}"#,
        r#"{"flip":{"field":"ratchet-key","bit":100}}"#,
        r#"{"truncate":{"field":"ratchet-key","length":32}}"#,
        r#"{"extend":{"field":"ratchet-key","bytes":"AQ"}}"#,
        r#"{"remove":"ratchet-key"}"#,
        r#"{"set-number":{"field":"counter","number":5}}"#,
        r#"{"set-number":{"field":"counter","number":25001}}"#,
        r#"{"set-number":{"field":"counter","number":4294967295}}"#,
        r#"{"set-number":{"field":"counter","number":4294967296}}"#,
        r#"{"flip":{"field":"counter","bit":0}}"#,
        r#"{"remove":"counter"}"#,
        r#"{"set-number":{"field":"previous-counter","number":77}}"#,
        r#"{"remove":"previous-counter"}"#,
        r#"{"flip":{"field":"ciphertext","bit":0}}"#,
        r#"{"flip":{"field":"ciphertext","bit":383}}"#,
        r#"{"truncate":{"field":"ciphertext","length":47}}"#,
        r#"{"truncate":{"field":"ciphertext","length":32}}"#,
        r#"{"set-bytes":{"field":"ciphertext","bytes":""}}"#,
        r#"{"remove":"ciphertext"}"#,
        r#"{"remove":"pq-ratchet"}"#,
        r#"{"flip":{"field":"pq-ratchet","bit":0}}"#,
        r#"{"flip":{"field":"pq-ratchet","bit":8}}"#,
        r#"{"truncate":{"field":"pq-ratchet","length":1}}"#,
        r#"{"set-bytes":{"field":"pq-ratchet","bytes":"AgEAAA"}}"#,
        r#"{"extend":{"field":"pq-ratchet","bytes":"AA"}}"#,
        r#"{"flip":{"field":"mac","bit":0}}"#,
        r#"{"truncate":{"field":"mac","length":7}}"#,
        r#"{"truncate":{"field":"mac","length":0}}"#,
        r#"{"extend":{"field":"mac","bytes":"AA"}}"#,
        r#"{"set-bytes":{"field":"mac","bytes":"AAAAAAAAAAA"}}"#,
        r#"{"add":{"layer":"inner","tag":9,"value":{"number":1}}}"#,
        r#"{"edit":{"part":"inner","how":{"append":"mAYB"}}}"#,
        r#"{"edit":{"part":"inner","field":[2],"how":{"redundant":1}}}"#,
        r#"{"edit":{"part":"inner","field":[1],"how":{"wire-type":0}}}"#,
        r#"{"edit":{"part":"plaintext","how":{"truncate":16}}}"#,
        r#"{"add":{"layer":"inner","tag":9,"value":{"bytes":"AQ"}}}"#,
        r#"{"add":{"layer":"inner","tag":2,"value":{"number":5}}}"#,
        r#"{"add":{"layer":"inner","tag":2,"value":{"bytes":"AQ"}}}"#,
    ]
    .map(String::from)
    .into();
    cases.push(format!(r#"{{"ratchet":{{"private":"{OTHER_KEY}"}}}}"#));
    cases.push(format!(r#"{{"cipher-padding":"{BLOCK}"}}"#));
    cases.push(format!(r#"{{"mac-sender":"{OTHER_BYTES}"}}"#));
    cases.push(format!(r#"{{"set-bytes":{{"field":"ratchet-key","bytes":"{OTHER_BYTES}"}}}}"#));
    cases.push(format!(r#"{{"set-bytes":{{"field":"addresses","bytes":"{SHORT_BYTES}"}}}}"#));
    cases.push(format!(r#"{{"extend":{{"field":"ciphertext","bytes":"{BLOCK}"}}}}"#));
    cases
}

fn parse(json: &str) -> Alteration {
    let alteration = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert_eq!(serde_json::to_string(&alteration).unwrap(), json, "an alteration is written as it is read");
    alteration
}

/// The sender, and a receiver on each stack; with `later`, after a message and its answer.
struct Stage {
    sender: Party,
    ours: Party,
    theirs: Theirs,
    later: bool,
}

/// Against which receiver a message is made: they have different keys.
#[derive(Clone, Copy)]
enum Receiver {
    Ours,
    Theirs,
}

impl Stage {
    fn new(later: bool) -> Self {
        let mut sender = Party::new(Config::new(WireProfile::V4Spqr), &mut draws(1));
        sender.renew_signed_prekey(&mut draws(2));
        let mut ours = Party::new(Config::new(WireProfile::V4Spqr), &mut draws(3));
        ours.add_one_time(3, 3, &mut draws(4));
        Self { sender, ours, theirs: Theirs::new(5), later }
    }

    /// The message, altered or not, and what the receiver makes of it.
    fn play(&self, receiver: Receiver, alterations: &[Alteration]) -> (Message, Outcome) {
        let (mut sender, mut ours, mut theirs) = (self.sender.clone(), self.ours.clone(), self.theirs.clone());
        let bundle = match receiver {
            Receiver::Ours => ours.bundle(ours.one_time_prekeys().pop(), ours.one_time_kyber_prekeys().pop()),
            Receiver::Theirs => theirs.bundle(true),
        };
        let mut receive = |message: &Message, seed: u64| -> (Outcome, Option<Message>) {
            match receiver {
                Receiver::Ours => {
                    let opened = ours.decrypt(PEER, message.kind, &message.body, &mut draws(seed));
                    let answer = ours.encrypt(PEER, b"answer", &[], &mut draws(seed + 1)).ok();
                    let answer = answer.map(|(kind, body)| Message { kind, body, plaintext: b"answer".to_vec() });
                    (opened.map(|opened| opened.plaintext).map_err(|refusal| refusal.reason), answer)
                }
                Receiver::Theirs => {
                    let outcome = theirs.receive(message, seed);
                    let answer = theirs.has_session().then(|| theirs.send(b"answer", seed + 1));
                    (outcome, answer)
                }
            }
        };
        let set_up = if self.later { &[][..] } else { alterations };
        sender.process_bundle(PEER, &bundle, set_up, &mut draws(10)).unwrap();
        if self.later {
            // Two rounds, so that there is a former chain, and the post-quantum ratchet gives keys.
            for seed in [20, 30] {
                let (kind, body) = sender.encrypt(PEER, b"hello", &[], &mut draws(seed)).unwrap();
                let (outcome, answer) = receive(&Message { kind, body, plaintext: b"hello".to_vec() }, seed + 1);
                outcome.unwrap();
                let answer = answer.unwrap();
                sender.decrypt(PEER, answer.kind, &answer.body, &mut draws(seed + 3)).unwrap();
            }
        }
        let (kind, body) = sender.encrypt(PEER, PLAINTEXT, alterations, &mut draws(40)).unwrap();
        let message = Message { kind, body, plaintext: PLAINTEXT.to_vec() };
        // The crate panics on some of what may stand in field 5; that is an answer too.
        let outcome = catch_unwind(AssertUnwindSafe(|| receive(&message, 41).0)).unwrap_or(Err(Reason::Internal));
        (message, outcome)
    }
}

/// Which parts of a message differ from those of another.
fn difference(kind: MessageType, plain: &[u8], altered: &[u8]) -> String {
    let read = |bytes: &[u8]| catch_unwind(|| drop(Places::new(kind, bytes))).is_ok();
    if !read(altered) {
        return "it cannot be read any more".into();
    }
    let (a, b) = (Places::new(kind, plain), Places::new(kind, altered));
    let mut different = Vec::new();
    if kind == MessageType::Prekey {
        for tag in (1..16).filter(|tag| *tag != 4 && a.outer(*tag) != b.outer(*tag)) {
            different.push(format!("outer {tag}"));
        }
        if plain[0] != altered[0] {
            different.push("outer version".into());
        }
    }
    for tag in (1..16).filter(|tag| a.inner(*tag) != b.inner(*tag)) {
        different.push(format!("inner {tag}"));
    }
    if plain[a.message.start] != altered[b.message.start] {
        different.push("version".into());
    }
    let mac = |places: &Places<'_>, bytes: &[u8]| bytes[places.message.end - 8..places.message.end].to_vec();
    if mac(&a, plain) != mac(&b, altered) {
        different.push("MAC".into());
    }
    different.join(", ")
}

fn answer(outcome: &Outcome) -> String {
    match outcome {
        Ok(plaintext) if plaintext == PLAINTEXT => "reads it".into(),
        Ok(_) => "reads something else".into(),
        Err(Reason::Internal) => "panics".into(),
        Err(reason) => reason.to_string(),
    }
}

fn table(later: bool, cases: &[String], out: &mut String) {
    out.push_str("| alteration | in words: the reference … | differs | Signal's crate | our stack |\n|---|---|---|---|---|\n");
    let stage = Stage::new(later);
    let (plain, outcome) = stage.play(Receiver::Theirs, &[]);
    assert_eq!(outcome, Ok(PLAINTEXT.to_vec()), "the accepted twin");
    assert_eq!(stage.play(Receiver::Ours, &[]).1, Ok(PLAINTEXT.to_vec()), "the accepted twin");
    for case in cases {
        let alterations = [parse(case)];
        let (altered, theirs) = stage.play(Receiver::Theirs, &alterations);
        let ours = stage.play(Receiver::Ours, &alterations).1;
        assert_ne!(ours, Err(Reason::Internal), "{case}: our own stack must never panic");
        assert!(plain.body != altered.body, "{case}: altered nothing");
        let differs = difference(plain.kind, &plain.body, &altered.body);
        let words = alterations[0].describe();
        writeln!(out, "| `{case}` | {words} | {differs} | {} | {} |", answer(&theirs), answer(&ours)).unwrap();
    }
}

#[test]
fn every_alteration_does_what_the_table_says() {
    let (first, later) = (of_first_messages(), of_later_messages());
    let mut text = String::from(include_str!("alterations-head.md"));
    text.push_str("\n## The first message of a session\n\n");
    table(false, &first, &mut text);
    text.push_str("\n## A message after an answer\n\n");
    table(true, &later, &mut text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ALTERATIONS.md");
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "COUNTERSIGN_BLESS=1 writes ALTERATIONS.md anew");

    let named = |case: &String| match serde_json::from_str::<serde_json::Value>(case).unwrap() {
        serde_json::Value::String(name) => name,
        other => other.as_object().unwrap().keys().next().unwrap().clone(),
    };
    let tabled: BTreeSet<String> = first.iter().chain(&later).map(named).collect();
    let schema = serde_json::to_value(schemars::schema_for!(Alteration)).unwrap();
    let mut known = BTreeSet::new();
    for variant in schema["oneOf"].as_array().unwrap() {
        match variant["properties"].as_object() {
            Some(properties) => known.extend(properties.keys().cloned()),
            None => {
                let names = variant["enum"].as_array().cloned().unwrap_or_else(|| vec![variant["const"].clone()]);
                known.extend(names.iter().map(|name| name.as_str().unwrap().to_owned()));
            }
        }
    }
    // Tried on group messages, in `sender_keys`.
    assert!(known.remove("sign-with") && known.remove("chain-rewind"));
    assert_eq!(tabled, known, "each alteration that there is stands in the table");
}

#[test]
fn a_sixth_receiver_chain_drops_the_first() {
    let stage = Stage::new(false);
    let (mut sender, mut ours, mut theirs) = (stage.sender, stage.ours, stage.theirs);
    sender.process_bundle("ours", &ours.bundle(None, None), &[], &mut draws(1)).unwrap();
    sender.process_bundle("theirs", &theirs.bundle(true), &[], &mut draws(2)).unwrap();
    for round in 0..6 {
        let (kind, body) = sender.encrypt("ours", b"hello", &[], &mut draws(10 + round)).unwrap();
        ours.decrypt(PEER, kind, &body, &mut draws(20 + round)).unwrap();
        let (kind, body) = ours.encrypt(PEER, b"hello", &[], &mut draws(30 + round)).unwrap();
        sender.decrypt("ours", kind, &body, &mut draws(40 + round)).unwrap();
        let (kind, body) = sender.encrypt("theirs", b"hello", &[], &mut draws(50 + round)).unwrap();
        theirs.receive(&Message { kind, body, plaintext: Vec::new() }, 60 + round).unwrap();
        let answer = theirs.send(b"hello", 70 + round);
        sender.decrypt("theirs", answer.kind, &answer.body, &mut draws(80 + round)).unwrap();
    }
    // The receivers know six chains of the sender, and have dropped the first. The present one they do not know yet.
    for (back, expected) in [(5, Ok(PLAINTEXT.to_vec())), (6, Err(Reason::BadMac))] {
        let (kind, body) = sender.clone().encrypt("ours", PLAINTEXT, &[Alteration::ChainBack(back)], &mut draws(90)).unwrap();
        let read = ours.decrypt(PEER, kind, &body, &mut draws(91)).map(|opened| opened.plaintext);
        assert_eq!(read.map_err(|refusal| refusal.reason), expected);
        let (kind, body) = sender.clone().encrypt("theirs", PLAINTEXT, &[Alteration::ChainBack(back)], &mut draws(92)).unwrap();
        assert_eq!(theirs.receive(&Message { kind, body, plaintext: Vec::new() }, 93), expected);
    }
}

#[test]
fn a_base_key_used_twice_is_a_session_that_exists() {
    let stage = Stage::new(false);
    let (mut sender, mut theirs) = (stage.sender, stage.theirs);
    let bundle = theirs.bundle(true);
    sender.process_bundle(PEER, &bundle, &[], &mut draws(1)).unwrap();
    let (kind, body) = sender.encrypt(PEER, PLAINTEXT, &[], &mut draws(2)).unwrap();
    let first = Message { kind, body, plaintext: PLAINTEXT.to_vec() };
    theirs.receive(&first, 3).unwrap();
    let former = [parse(r#"{"base-key":"former"}"#)];
    sender.process_bundle(PEER, &bundle, &former, &mut draws(4)).unwrap();
    let (kind, body) = sender.encrypt(PEER, PLAINTEXT, &[], &mut draws(5)).unwrap();
    assert_eq!(Places::new(kind, &body).outer(2), Places::new(first.kind, &first.body).outer(2));
    assert_eq!(theirs.receive(&Message { kind, body, plaintext: Vec::new() }, 6), Err(Reason::BadMac));
}

#[test]
fn alterations_compose_in_their_order() {
    let alterations: Vec<Alteration> = serde_json::from_str(
        r#"[{"chain-jump":3},{"set-number":{"field":"previous-counter","number":9}},{"flip":{"field":"previous-counter","bit":1}},
            {"add":{"layer":"inner","tag":9,"value":{"number":1}}},{"set-number":{"field":"version","number":64}}]"#,
    )
    .unwrap();
    let stage = Stage::new(true);
    for receiver in [Receiver::Ours, Receiver::Theirs] {
        let (message, outcome) = stage.play(receiver, &alterations);
        let places = Places::new(message.kind, &message.body);
        assert_eq!(Places::number(places.inner(2)[0]), 3);
        assert_eq!(Places::number(places.inner(3)[0]), 11);
        assert_eq!((places.inner(9).len(), message.body[0]), (1, 64));
        // All of it under a valid MAC, and nothing in it that a receiver must refuse.
        assert_eq!(outcome, Ok(PLAINTEXT.to_vec()));
    }
}

#[test]
fn what_cannot_be_altered_is_refused() {
    let mut sender = Stage::new(false).sender;
    let bundle = Stage::new(false).theirs.bundle(true);
    let unsupported =
        |outcome: Result<(), countersign_adversary::Refusal>| assert_eq!(outcome.unwrap_err().reason, Reason::Unsupported);
    for case in
        [r#"{"base-key":"former"}"#, r#"{"base-key":{"low-order":7}}"#, r#"{"dh-terms":[0]}"#, r#"{"base-key":{"private":"AA"}}"#]
    {
        unsupported(sender.process_bundle(PEER, &bundle, &[parse(case)], &mut draws(1)));
        assert!(!sender.has_session(PEER));
    }
    sender.process_bundle(PEER, &bundle, &[], &mut draws(1)).unwrap();
    let before = sender.save().unwrap();
    for case in [
        r#"{"chain-back":1}"#,
        r#"{"chain-back":9}"#,
        r#"{"chain-jump":1000001}"#,
        r#"{"ratchet":"former"}"#,
        r#"{"remove":"addresses"}"#,
        r#"{"flip":{"field":"mac","bit":64}}"#,
        r#"{"truncate":{"field":"ratchet-key","length":33}}"#,
        r#"{"set-number":{"field":"version","number":256}}"#,
        r#"{"extend":{"field":"counter","bytes":"AA"}}"#,
        r#"{"cipher-padding":"AQ"}"#,
        r#"{"add":{"layer":"inner","tag":0,"value":{"number":1}}}"#,
    ] {
        unsupported(sender.encrypt(PEER, PLAINTEXT, &[parse(case)], &mut draws(2)).map(drop));
        assert_eq!(sender.save().unwrap(), before, "{case}");
    }
    for unknown in [r#"{"invented":1}"#, r#"{"remove":"invented"}"#, r#"{"flip":{"field":"mac","bit":1,"more":1}}"#] {
        assert!(serde_json::from_str::<Alteration>(unknown).is_err(), "{unknown}");
    }
}
