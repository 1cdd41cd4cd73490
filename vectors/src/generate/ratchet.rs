//! Conversations under the Double Ratchet, in both suites.

use super::room::{Made, Room, Scene, With};
use super::{GenerateError, Sheet};
use countersign_adversary::Alteration;
use countersign_adversary::alter::{
    AddedField, AddedValue, Field, FieldBit, FieldBytes, FieldLength, FieldNumber, KeyChoice, Layer, WrongPadding,
};
use countersign_contract::claims::Suite;
use countersign_contract::{Bytes, Reason};
use std::collections::BTreeMap;

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "mac-not-checked",
        "The authentication code is not compared, or not before anything else is done.",
        "Whoever carries a message can change it.",
    ),
    (
        "mac-without-identities",
        "The authentication code is made over the message alone, without the identity keys of sender and receiver in their order.",
        "A message is passed off as one of another conversation.",
    ),
    (
        "cipher-padding",
        "The padding of the cipher is not checked, or tells its own kind of failure.",
        "Whoever has the keys of one message can make others that two clients read differently; a telling answer lets ciphertexts be read bit by bit.",
    ),
    (
        "wrong-key-accepted",
        "Something else than the key of that very message decides what is accepted.",
        "Counters can be moved, so that keys are used twice.",
    ),
    (
        "malformed-field",
        "A field that is missing, too short or of another form is taken for something.",
        "Crashes, or keys that everybody knows.",
    ),
    (
        "low-order-key",
        "A ratchet key of low order is agreed with.",
        "The sender's software, or whoever made it, lets everybody read the conversation.",
    ),
    (
        "unbounded-skip",
        "Any number of message keys is derived because a counter says so.",
        "One message keeps a client busy for minutes.",
    ),
    ("shown-twice", "A message that was received before is shown again.", "Messages can be played back."),
    ("skipped-keys", "Keys of messages that are late are not kept.", "Messages that overtake each other are lost."),
    ("version", "The version byte is not looked at, or only outside.", "A message is read by the rules of another version."),
    (
        "lenient-parser",
        "Fields that are unknown, or stand twice, are read in one way here and in another there.",
        "Two clients see different things in one message.",
    ),
];

const SOURCE: &str =
    "Signal: The Double Ratchet Algorithm, revision 1; message format of libsignal v0.85.3 (protobuf wire.proto)";

const MAC: &[Reason] = &[Reason::BadMac];
const FORM: &[Reason] = &[Reason::BadMac, Reason::Malformed];
const KEY: &[Reason] = &[Reason::BadMac, Reason::Malformed, Reason::BadKey];
const PADDING: &[Reason] = &[Reason::BadMac, Reason::Malformed, Reason::BadPadding];
const FAR: &[Reason] = &[Reason::TooOld, Reason::BadMac];
const VERSION: &[Reason] = &[Reason::BadVersion, Reason::BadMac, Reason::Malformed];
const AGAIN: &[Reason] = &[Reason::Duplicate, Reason::TooOld];

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    for (name, suite, title) in [
        (
            "pq",
            Suite::SignalPq,
            "One direction of a conversation after PQXDH: what arrives in what order, and messages made wrongly.",
        ),
        (
            "classic",
            Suite::SignalClassic,
            "One direction of a conversation after X3DH: what arrives in what order, and messages made wrongly.",
        ),
    ] {
        let mut room = Room::new("double-ratchet", name, suite, 2)?;
        order(&mut room)?;
        bent(&mut room)?;
        Sheet { kind: "double-ratchet", name, title, source: SOURCE, flags: FLAGS.to_vec(), groups: vec![room.group()] }
            .write(files)?;
    }
    Ok(())
}

/// A vector's id: both suites have the same.
fn id(room: &Room, name: &str) -> String {
    format!("{}-{name}", room.label)
}

fn begun(room: &Room, name: &str, comment: &str, flags: &[&str], verifies: &[&str]) -> Result<Scene, GenerateError> {
    let mut scene = room.scene(&id(room, name), comment, flags, verifies);
    scene.begin("bob", With::FIRST, &[])?;
    Ok(scene)
}

/// Honest messages in every order, and repetitions.
fn order(room: &mut Room) -> Result<(), GenerateError> {
    let orders: [(&str, &str, &[&str], &[usize]); 5] = [
        ("in-order", "Five messages arrive as they were sent.", &["ORD-01"], &[0, 1, 2, 3, 4]),
        ("overtaking", "Messages overtake each other.", &["ORD-01"], &[0, 3, 1, 4, 2]),
        ("backwards", "The last message arrives first: it sets up the session.", &["ORD-01"], &[4, 3, 2, 1, 0]),
        ("lost", "Messages in the middle never arrive.", &["ORD-02"], &[0, 4]),
        ("first-lost", "The first message never arrives.", &["ORD-02"], &[1, 2]),
    ];
    for (name, comment, verifies, order) in orders {
        let flags: &[&str] = if name == "in-order" { &[] } else { &["skipped-keys"] };
        let mut scene = begun(room, name, comment, flags, verifies)?;
        let made: Vec<Made> = (1..=5).map(|n| scene.text("bob", &format!("message {n}"), &[])).collect::<Result<_, _>>()?;
        for (place, at) in order.iter().enumerate() {
            let Some(message) = made.get(*at).cloned() else { continue };
            // Once the session is there, half of them look as they do after an answer.
            scene.valid(if place % 2 == 1 { message.bare()? } else { message });
        }
        room.add(scene);
    }
    let mut scene = begun(
        room,
        "many-skipped",
        "A thousand messages are skipped, and the first of them arrive late.",
        &["skipped-keys"],
        &["ORD-02"],
    )?;
    scene.say("bob", "before")?;
    let late: Vec<Made> = (1..=2).map(|n| scene.text("bob", &format!("late {n}"), &[])).collect::<Result<_, _>>()?;
    let far = scene.text("bob", "far ahead", &[Alteration::ChainJump(998)])?;
    scene.valid(far);
    late.into_iter().for_each(|message| scene.valid(message));
    room.add(scene);

    let mut scene =
        begun(room, "repeated", "A message arrives a second time under another stanza id.", &["shown-twice"], &["SIG-04"])?;
    scene.say("bob", "before")?;
    let message = scene.text("bob", "once", &[])?;
    let again = message.again(&mut scene);
    scene.valid(message);
    scene.invalid(again, AGAIN);
    scene.say("bob", "after")?;
    room.add(scene);

    let mut scene =
        begun(room, "repeated-late", "A message that was late arrives a second time.", &["shown-twice"], &["SIG-04"])?;
    let late = scene.text("bob", "late", &[])?.bare()?;
    let again = late.again(&mut scene);
    scene.say("bob", "before")?;
    scene.valid(late);
    scene.invalid(again, AGAIN);
    scene.say("bob", "after")?;
    room.add(scene);
    Ok(())
}

fn number(field: Field, number: u64) -> Alteration {
    Alteration::SetNumber(FieldNumber { field, number })
}

fn truncate(field: Field, length: u32) -> Alteration {
    Alteration::Truncate(FieldLength { field, length })
}

fn add(tag: u32, value: AddedValue) -> Alteration {
    Alteration::Add(AddedField { layer: Layer::Inner, tag, value })
}

/// One message is made wrongly, between honest ones. All but those about the authentication code have a valid one.
fn bent(room: &mut Room) -> Result<(), GenerateError> {
    type Row<'a> = (&'a str, &'a str, &'a str, &'a str, Alteration, bool, &'a [Reason]);
    let key = |bytes: usize| Bytes(vec![0x05; bytes]);
    let other = u64::from(if room.suite == Suite::SignalPq { 0x34_u8 } else { 0x44 });
    let rows: Vec<Row<'_>> = vec![
        (
            "mac-flipped",
            "A bit of the authentication code is flipped.",
            "mac-not-checked",
            "SIG-02",
            Alteration::Flip(FieldBit { field: Field::Mac, bit: 0 }),
            false,
            MAC,
        ),
        (
            "mac-last-bit",
            "The last bit of the authentication code is flipped.",
            "mac-not-checked",
            "SIG-02",
            Alteration::Flip(FieldBit { field: Field::Mac, bit: 63 }),
            false,
            MAC,
        ),
        (
            "mac-cut",
            "The authentication code is a byte too short.",
            "mac-not-checked",
            "SIG-02",
            truncate(Field::Mac, 7),
            false,
            KEY,
        ),
        (
            "mac-swapped",
            "The authentication code is made over the two identity keys in the wrong order.",
            "mac-without-identities",
            "SIG-03",
            Alteration::SwapMacIdentities,
            false,
            MAC,
        ),
        (
            "mac-other-sender",
            "The authentication code is made over another sender's identity key.",
            "mac-without-identities",
            "SIG-03",
            Alteration::MacSender(key(33)),
            false,
            MAC,
        ),
        (
            "mac-no-sender",
            "The authentication code is made without the sender's identity key.",
            "mac-without-identities",
            "SIG-03",
            Alteration::MacSender(Bytes(Vec::new())),
            false,
            MAC,
        ),
        (
            "cipher-padding-zero",
            "Under a valid authentication code, the cipher's padding ends in 0.",
            "cipher-padding",
            "SIG-11",
            Alteration::WrongCipherPadding(WrongPadding::Zero),
            false,
            PADDING,
        ),
        (
            "cipher-padding-long",
            "Under a valid authentication code, the cipher's padding states 17 bytes.",
            "cipher-padding",
            "SIG-11",
            Alteration::WrongCipherPadding(WrongPadding::TooLong),
            false,
            PADDING,
        ),
        (
            "cipher-padding-uneven",
            "Under a valid authentication code, the bytes of the cipher's padding differ from each other.",
            "cipher-padding",
            "SIG-11",
            Alteration::WrongCipherPadding(WrongPadding::Uneven),
            false,
            PADDING,
        ),
        (
            "ciphertext-empty",
            "Under a valid authentication code, the ciphertext is empty.",
            "cipher-padding",
            "SIG-11",
            truncate(Field::Ciphertext, 0),
            false,
            PADDING,
        ),
        (
            "ciphertext-cut",
            "Under a valid authentication code, the ciphertext ends within a block.",
            "cipher-padding",
            "SIG-11",
            truncate(Field::Ciphertext, 37),
            false,
            PADDING,
        ),
        (
            "ciphertext-missing",
            "Under a valid authentication code, there is no ciphertext.",
            "malformed-field",
            "SIG-11",
            Alteration::Remove(Field::Ciphertext),
            false,
            FORM,
        ),
        (
            "counter-moved",
            "Under the authentication code of one message stands the counter of another.",
            "wrong-key-accepted",
            "SIG-02",
            number(Field::Counter, 7),
            false,
            MAC,
        ),
        (
            "counter-missing",
            "There is no counter; the authentication code is that of the message as it stands.",
            "malformed-field",
            "SIG-11",
            Alteration::Remove(Field::Counter),
            false,
            FORM,
        ),
        (
            "counter-largest",
            "The counter is the largest number that fits.",
            "unbounded-skip",
            "RAT-01",
            number(Field::Counter, 0xffff_ffff),
            false,
            FAR,
        ),
        (
            "previous-counter-largest",
            "The length of the chain before is the largest number that fits.",
            "unbounded-skip",
            "RAT-01",
            number(Field::PreviousCounter, 0xffff_ffff),
            true,
            FAR,
        ),
        (
            "ratchet-key-missing",
            "There is no ratchet key.",
            "malformed-field",
            "SIG-11",
            Alteration::Remove(Field::RatchetKey),
            false,
            KEY,
        ),
        (
            "ratchet-key-cut",
            "The ratchet key is a byte too short.",
            "malformed-field",
            "SIG-11",
            truncate(Field::RatchetKey, 32),
            false,
            KEY,
        ),
        (
            "ratchet-key-type",
            "The ratchet key has a type byte that there is not.",
            "malformed-field",
            "SIG-11",
            Alteration::Flip(FieldBit { field: Field::RatchetKey, bit: 1 }),
            false,
            KEY,
        ),
        (
            "ratchet-key-zero",
            "Under the authentication code of the chain before stands a ratchet key that is all zero.",
            "low-order-key",
            "KEY-01",
            Alteration::SetBytes(FieldBytes { field: Field::RatchetKey, bytes: Bytes([&[0x05][..], &[0; 32]].concat()) }),
            false,
            KEY,
        ),
        (
            "version-other",
            "The message says that it is of the other suite's version.",
            "version",
            "LIFE-05",
            number(Field::Version, other),
            false,
            VERSION,
        ),
        ("version-none", "The version byte is 0.", "version", "LIFE-05", number(Field::Version, 0), false, VERSION),
        (
            "version-later",
            "The message says that it is of version 5.",
            "version",
            "LIFE-05",
            number(Field::Version, 0x55),
            false,
            VERSION,
        ),
        (
            "unknown-field",
            "A field that no version knows stands at the end, under the authentication code.",
            "lenient-parser",
            "SIG-11",
            add(99, AddedValue::Bytes(Bytes(vec![1, 2, 3]))),
            true,
            FORM,
        ),
        (
            "counter-twice",
            "A second counter stands at the end, under the authentication code.",
            "lenient-parser",
            "SIG-11",
            add(2, AddedValue::Number(3)),
            true,
            FORM,
        ),
    ];
    for (name, comment, flag, requirement, alteration, acceptable, reasons) in rows {
        let mut scene = begun(room, name, comment, &[flag], &[requirement])?;
        scene.say("bob", "before")?;
        let bad = scene.text("bob", "made wrongly", &[alteration])?;
        if acceptable {
            scene.acceptable(bad, reasons)
        } else {
            scene.invalid(bad, reasons)
        }
        scene.say("bob", "after")?;
        room.add(scene);
    }

    // Whoever goes along agrees on nothing but zeros, and can read the message.
    for (name, index) in [("zero", 0), ("one", 1), ("order-eight", 2)] {
        let name = format!("low-order-{name}");
        let comment = "A session's first ratchet key is of low order, and the message is made with what is agreed under it.";
        let mut scene = room.scene(&id(room, &name), comment, &["low-order-key"], &["KEY-01"]);
        scene.begin("carol", With::SECOND, &[])?;
        scene.say("carol", "before")?;
        scene.begin("bob", With::FIRST, &[])?;
        let weak = scene.text("bob", "readable by everybody", &[Alteration::Ratchet(KeyChoice::LowOrder(index))])?;
        scene.invalid(weak, KEY);
        scene.say("carol", "after")?;
        room.add(scene);
    }

    let comment = "A message lies 25,001 ahead: a receiver derives no more than some thousands of keys at once.";
    let mut scene = begun(room, "jump-too-far", comment, &["unbounded-skip"], &["RAT-01"])?;
    scene.say("bob", "before")?;
    // In a session of its own, since what follows in this one lies as far ahead.
    let kept = scene.text("bob", "after", &[])?;
    let far = scene.text("bob", "too far ahead", &[Alteration::ChainJump(25_001)])?;
    scene.invalid(far, FAR);
    scene.valid(kept);
    room.add(scene);
    Ok(())
}
