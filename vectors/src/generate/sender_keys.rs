//! Messages to groups under sender keys.

mod flags;
mod rules;

use super::room::{Made, Room, Scene, With};
use super::{GenerateError, Sheet};
use countersign_adversary::alter::{
    AddedField, AddedValue, Field, FieldBit, FieldBytes, FieldLength, FieldNumber, KeyChoice, Layer, WrongPadding,
};
use countersign_adversary::{Alteration, KeyPair};
use countersign_contract::claims::Suite;
use countersign_contract::{Bytes, Reason};
use flags::{FLAGS, SOURCE};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The group in most vectors.
const OURS: &str = "ours";
/// Another one.
const OTHER: &str = "other";

const SIGNATURE: &[Reason] = &[Reason::BadSignature];
const SIGNATURE_FORM: &[Reason] = &[Reason::BadSignature, Reason::Malformed];
const FORM: &[Reason] = &[Reason::Malformed, Reason::BadSignature];
const KEY_FORM: &[Reason] = &[Reason::Malformed, Reason::BadKey, Reason::BadVersion];
const VERSION: &[Reason] = &[Reason::BadVersion, Reason::Malformed, Reason::BadSignature];
const NO_KEY: &[Reason] = &[Reason::NoSession];
const OTHER_KEY: &[Reason] = &[Reason::NoSession, Reason::BadSignature];
const AGAIN: &[Reason] = &[Reason::Duplicate, Reason::TooOld];
const FAR: &[Reason] = &[Reason::TooOld];
const PADDING: &[Reason] = &[Reason::BadMac, Reason::BadPadding, Reason::Malformed];
const STALE: &[Reason] = &[Reason::StaleGroup];
const ELSEWHERE: &[Reason] = &[Reason::WrongRecipient];
const NOT_PERMITTED: &[Reason] = &[Reason::NotPermitted];

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    let mut room = Room::new("sender-keys", "pq", Suite::SignalPq, 2)?;
    order(&mut room)?;
    keys(&mut room)?;
    signatures(&mut room)?;
    bent(&mut room)?;
    bent_keys(&mut room)?;
    rules::places(&mut room)?;
    rules::members(&mut room)?;
    rules::contents(&mut room)?;
    Sheet {
        kind: "sender-keys",
        name: "pq",
        title: "Messages to a group under sender keys: in what order they arrive, made wrongly, and in the wrong place.",
        source: SOURCE,
        flags: FLAGS.to_vec(),
        groups: vec![room.group()],
    }
    .write(files)
}

/// A scene with one group of the receiver, bob and carol, in which bob has handed out a sender key.
struct Begun {
    scene: Scene,
    key: Uuid,
}

impl Begun {
    fn new(room: &Room, id: &str, comment: &str, flags: &[&str], verifies: &[&str]) -> Result<Self, GenerateError> {
        let mut scene = room.scene(id, comment, flags, verifies);
        scene.group(OURS, "bob", &["carol"], true);
        scene.begin("bob", With::FIRST, &[])?;
        let key = scene.uuid("distribution of bob");
        let mut begun = Self { scene, key };
        begun.hand_out("bob", OURS, key)?;
        Ok(begun)
    }

    /// The same with an honest message of bob.
    fn with_before(room: &Room, id: &str, comment: &str, flag: &str, verifies: &str) -> Result<Self, GenerateError> {
        let mut begun = Self::new(room, id, comment, &[flag], &[verifies])?;
        begun.say("before")?;
        Ok(begun)
    }

    /// A peer hands out its sender key, and it arrives.
    fn hand_out(&mut self, from: &'static str, group: &str, key: Uuid) -> Result<(), GenerateError> {
        let made = self.scene.sender_key((from, group, key), &[])?;
        self.scene.valid(made);
        Ok(())
    }

    /// Carol hands out a sender key of her own.
    fn carol(&mut self) -> Result<Uuid, GenerateError> {
        self.scene.begin("carol", With::SECOND, &[])?;
        let key = self.scene.uuid("distribution of carol");
        self.hand_out("carol", OURS, key)?;
        Ok(key)
    }

    fn text(&mut self, text: &str, alter: &[Alteration]) -> Result<Made, GenerateError> {
        self.scene.group_text(("bob", OURS, self.key), text, alter)
    }

    /// Bob says something honest, and it arrives.
    fn say(&mut self, text: &str) -> Result<(), GenerateError> {
        let made = self.text(text, &[])?;
        self.scene.valid(made);
        Ok(())
    }

    /// Bob says something honest in the end.
    fn after(mut self, room: &mut Room) -> Result<(), GenerateError> {
        self.say("after")?;
        room.add(self.scene);
        Ok(())
    }
}

fn number(field: Field, number: u64) -> Alteration {
    Alteration::SetNumber(FieldNumber { field, number })
}

fn bytes(field: Field, bytes: &[u8]) -> Alteration {
    Alteration::SetBytes(FieldBytes { field, bytes: Bytes(bytes.to_vec()) })
}

fn flip(field: Field, bit: u32) -> Alteration {
    Alteration::Flip(FieldBit { field, bit })
}

fn cut(field: Field, length: u32) -> Alteration {
    Alteration::Truncate(FieldLength { field, length })
}

/// Honest messages in every order, and repetitions.
fn order(room: &mut Room) -> Result<(), GenerateError> {
    let orders: [(&str, &str, &[usize]); 5] = [
        ("in-order", "Five group messages arrive as they were sent.", &[0, 1, 2, 3, 4]),
        ("overtaking", "Group messages overtake each other.", &[0, 3, 1, 4, 2]),
        ("backwards", "The last group message arrives first.", &[4, 3, 2, 1, 0]),
        ("gap", "Group messages in the middle never arrive.", &[0, 4]),
        ("first-lost", "The first group message never arrives.", &[1, 2]),
    ];
    for (id, comment, order) in orders {
        let flags: &[&str] = if id == "in-order" { &[] } else { &["late-group-messages"] };
        let mut begun = Begun::new(room, id, comment, flags, &["GRP-08"])?;
        let made: Vec<Made> = (1..=5).map(|n| begun.text(&format!("message {n}"), &[])).collect::<Result<_, _>>()?;
        order.iter().filter_map(|at| made.get(*at)).for_each(|message| begun.scene.valid(message.clone()));
        room.add(begun.scene);
    }

    let comment = "A thousand group messages are skipped, and the first of them arrive late.";
    let mut begun = Begun::new(room, "many-skipped", comment, &["late-group-messages"], &["GRP-08"])?;
    begun.say("before")?;
    let late: Vec<Made> = (1..=2).map(|n| begun.text(&format!("late {n}"), &[])).collect::<Result<_, _>>()?;
    let far = begun.text("far ahead", &[Alteration::ChainJump(998)])?;
    begun.scene.valid(far);
    late.into_iter().for_each(|message| begun.scene.valid(message));
    room.add(begun.scene);

    let comment = "A group message arrives a second time, under another stanza id.";
    let mut begun = Begun::with_before(room, "replay", comment, "group-replay", "GRP-08")?;
    let message = begun.text("once", &[])?;
    let again = message.again(&mut begun.scene);
    begun.scene.valid(message);
    begun.scene.invalid(again, AGAIN);
    begun.after(room)?;

    let comment = "A group message that was late arrives a second time, under another stanza id.";
    let mut begun = Begun::new(room, "replay-late", comment, &["group-replay"], &["GRP-08"])?;
    let late = begun.text("late", &[])?;
    let again = late.again(&mut begun.scene);
    begun.say("before")?;
    begun.scene.valid(late);
    begun.scene.invalid(again, AGAIN);
    begun.after(room)?;

    let comment = "Other words come under the number and the key of a message that was read, and are well signed.";
    let mut begun = Begun::with_before(room, "used-number", comment, "group-replay", "GRP-08")?;
    begun.say("once")?;
    let bad = begun.text("other words", &[Alteration::ChainRewind(1)])?;
    begun.scene.invalid(bad, AGAIN);
    begun.after(room)?;

    for (id, comment, alteration) in [
        ("jump-too-far", "A group message lies 25,002 ahead, under a valid signature.", Alteration::ChainJump(25_001)),
        (
            "iteration-largest",
            "The number of a group message is the largest that fits, under a valid signature.",
            number(Field::GroupIteration, 0xffff_ffff),
        ),
    ] {
        let mut begun = Begun::with_before(room, id, comment, "unbounded-group-skip", "RAT-01")?;
        // Made before: what follows in this chain lies as far ahead.
        let kept = begun.text("after", &[])?;
        let far = begun.text("too far ahead", &[alteration])?;
        begun.scene.invalid(far, FAR);
        begun.scene.valid(kept);
        room.add(begun.scene);
    }
    Ok(())
}

/// Several sender keys, and the same one several times.
fn keys(room: &mut Room) -> Result<(), GenerateError> {
    let comment = "Two members speak in turn, each under a sender key of its own.";
    let mut begun = Begun::new(room, "two-senders", comment, &[], &["GRP-07"])?;
    let carol = begun.carol()?;
    for turn in 1..=2 {
        begun.say(&format!("bob {turn}"))?;
        let made = begun.scene.group_text(("carol", OURS, carol), &format!("carol {turn}"), &[])?;
        begun.scene.valid(made);
    }
    room.add(begun.scene);

    let comment = "One member speaks in two groups, under a sender key for each.";
    let mut begun = Begun::new(room, "two-groups", comment, &["moved-to-another-group"], &["GRP-07"])?;
    begun.scene.group(OTHER, "bob", &[], true);
    let other = begun.scene.uuid("distribution for the other group");
    begun.hand_out("bob", OTHER, other)?;
    for turn in 1..=2 {
        begun.say(&format!("in ours {turn}"))?;
        let made = begun.scene.group_text(("bob", OTHER, other), &format!("in the other {turn}"), &[])?;
        begun.scene.valid(made);
    }
    room.add(begun.scene);

    let comment = "A member goes on under a second sender key, and a message under the first arrives after that.";
    let mut begun = Begun::new(room, "two-keys", comment, &["late-group-messages"], &["GRP-08"])?;
    begun.say("before")?;
    let late = begun.text("under the first", &[])?;
    begun.key = begun.scene.uuid("second distribution of bob");
    begun.hand_out("bob", OURS, begun.key)?;
    begun.say("under the second")?;
    begun.scene.acceptable(late, NO_KEY);
    begun.after(room)?;

    let comment = "A member makes another chain, with another signature key, under the same distribution id.";
    let mut begun = Begun::new(room, "second-chain", comment, &[], &["GRP-08"])?;
    begun.say("before")?;
    begun.scene.rotate("bob", begun.key);
    begun.hand_out("bob", OURS, begun.key)?;
    begun.after(room)?;

    let comment = "A sender key is handed out a second time, as it stands by then.";
    let mut begun = Begun::new(room, "handed-out-again", comment, &["late-group-messages"], &["GRP-08"])?;
    begun.say("before")?;
    let late = begun.text("late", &[])?;
    begun.say("between")?;
    begun.hand_out("bob", OURS, begun.key)?;
    begun.scene.valid(late);
    begun.after(room)?;

    let comment = "A sender key is handed out a second time as it stood in the beginning: it must not make room for a replay.";
    let mut begun = Begun::new(room, "turned-back", comment, &["group-replay"], &["GRP-08"])?;
    let first = begun.scene.sender_key(("bob", OURS, begun.key), &[])?;
    let message = begun.text("once", &[])?;
    let again = message.again(&mut begun.scene);
    begun.scene.valid(message);
    begun.scene.valid(first);
    begun.scene.invalid(again, AGAIN);
    begun.after(room)?;

    let comment = "A sender key is handed out that has come to 2,000,000,000 messages: nothing has to be caught up with.";
    let mut begun = Begun::new(room, "late-key", comment, &["late-group-messages"], &["GRP-08"])?;
    begun.say("before")?;
    begun.key = begun.scene.uuid("distribution that has come far");
    let number_of = |field| number(field, 2_000_000_000);
    let handed = begun.scene.sender_key(("bob", OURS, begun.key), &[number_of(Field::DistributionIteration)])?;
    begun.scene.valid(handed);
    let made = begun.text("far along", &[number_of(Field::GroupIteration)])?;
    begun.scene.valid(made);
    room.add(begun.scene);

    let comment = "A message from before the sender key was handed out arrives: only whoever was a member then can read it.";
    let mut scene = room.scene("from-before", comment, &["read-from-before"], &["GRP-06"]);
    scene.group(OURS, "bob", &["carol"], true);
    scene.begin("bob", With::FIRST, &[])?;
    let key = scene.uuid("distribution of bob");
    // Makes the key, which goes to others.
    scene.distribution("bob", key, &[])?;
    let mut begun = Begun { scene, key };
    let earlier = begun.text("earlier", &[])?;
    begun.hand_out("bob", OURS, key)?;
    begun.say("before")?;
    begun.scene.invalid(earlier, &[Reason::TooOld, Reason::Duplicate]);
    begun.after(room)
}

/// Signatures that do not verify, and what they cover.
fn signatures(room: &mut Room) -> Result<(), GenerateError> {
    let flag = "group-signature-not-checked";
    let rows: [(&str, &str, Alteration, &[Reason]); 7] = [
        ("signature-flipped", "A bit of the signature is flipped.", flip(Field::GroupSignature, 0), SIGNATURE),
        ("signature-half", "A bit in the second half of the signature is flipped.", flip(Field::GroupSignature, 300), SIGNATURE),
        ("signature-last-bit", "The last bit of the signature is flipped.", flip(Field::GroupSignature, 511), SIGNATURE),
        ("signature-stripped", "There is no signature.", Alteration::Remove(Field::GroupSignature), SIGNATURE_FORM),
        ("signature-cut", "The signature is a byte too short.", cut(Field::GroupSignature, 63), SIGNATURE_FORM),
        ("signature-zero", "The signature is all zero.", bytes(Field::GroupSignature, &[0; 64]), SIGNATURE),
        ("signed-by-nobody", "It is signed with a key that nobody knows.", Alteration::SignWith(KeyChoice::Fresh), SIGNATURE),
    ];
    for (id, comment, alteration, reasons) in rows {
        let mut begun = Begun::with_before(room, id, comment, flag, "GRP-03")?;
        let bad = begun.text("made wrongly", &[alteration])?;
        begun.scene.invalid(bad, reasons);
        begun.after(room)?;
    }

    let comment = "It is signed with the signature key of another member, who has handed out a sender key too.";
    let mut begun = Begun::with_before(room, "signed-by-other", comment, flag, "GRP-03")?;
    begun.scene.begin("carol", With::SECOND, &[])?;
    let carol = begun.scene.uuid("distribution of carol");
    let private = [0x42; 32];
    let public = KeyPair::from_private(private).public.serialized();
    let signing = Alteration::SignWith(KeyChoice::Private(Bytes(private.to_vec())));
    let made = begun.scene.sender_key(("carol", OURS, carol), &[bytes(Field::DistributionSigningKey, &public)])?;
    begun.scene.valid(made);
    let honest = begun.scene.group_text(("carol", OURS, carol), "by carol", std::slice::from_ref(&signing))?;
    begun.scene.valid(honest);
    let bad = begun.text("as if by bob", &[signing])?;
    begun.scene.invalid(bad, SIGNATURE);
    begun.after(room)?;

    let comment = "It is signed with the signature key of the sender's chain before.";
    let mut begun = Begun::with_before(room, "signed-by-former", comment, flag, "GRP-03")?;
    begun.scene.rotate("bob", begun.key);
    begun.hand_out("bob", OURS, begun.key)?;
    let bad = begun.text("made wrongly", &[Alteration::SignWith(KeyChoice::Former)])?;
    begun.scene.invalid(bad, SIGNATURE);
    begun.after(room)?;

    // Each part is changed under the signature of what stood there before.
    let rows: [(&str, &str, usize); 3] = [
        ("changed-version", "The version byte is changed under the signature.", 0),
        ("changed-ciphertext", "The last byte of the ciphertext is changed under the signature.", usize::MAX),
        ("changed-distribution", "A byte of the distribution id is changed under the signature.", 10),
    ];
    for (id, comment, at) in rows {
        let mut begun = Begun::with_before(room, id, comment, "unsigned-part", "GRP-03")?;
        let mut bad = begun.text("changed on the way", &[])?;
        let at = at.min(bad.body.len() - 65);
        if let Some(byte) = bad.body.get_mut(at) {
            *byte ^= 1;
        }
        let reasons: &[Reason] = match id {
            "changed-distribution" => OTHER_KEY,
            "changed-version" => VERSION,
            _ => SIGNATURE,
        };
        begun.scene.invalid(bad, reasons);
        begun.after(room)?;
    }
    Ok(())
}

/// Messages made wrongly under a valid signature.
fn bent(room: &mut Room) -> Result<(), GenerateError> {
    let added = |tag, value| Alteration::Add(AddedField { layer: Layer::Group, tag, value });
    let (form, padding) = (("malformed-group-message", "SIG-11"), ("group-cipher-padding", "SIG-11"));
    type Row<'a> = (&'a str, &'a str, (&'a str, &'a str), Alteration, bool, &'a [Reason]);
    let rows: Vec<Row<'_>> = vec![
        ("distribution-missing", "It names no distribution.", form, Alteration::Remove(Field::GroupDistribution), false, FORM),
        ("distribution-cut", "The distribution id is a byte too short.", form, cut(Field::GroupDistribution, 15), false, FORM),
        ("chain-id-missing", "It names no chain.", form, Alteration::Remove(Field::GroupChainId), false, FORM),
        ("iteration-missing", "It has no number.", form, Alteration::Remove(Field::GroupIteration), false, FORM),
        ("ciphertext-missing", "There is no ciphertext.", form, Alteration::Remove(Field::GroupCiphertext), false, FORM),
        ("version-later", "It says that it is of version 4.", form, number(Field::GroupVersion, 0x44), false, VERSION),
        ("version-none", "The version byte is 0.", form, number(Field::GroupVersion, 0), false, VERSION),
        (
            "unknown-field",
            "A field that no version knows stands at the end, under the signature.",
            form,
            added(99, AddedValue::Bytes(Bytes(vec![1, 2, 3]))),
            true,
            FORM,
        ),
        (
            "wrong-chain",
            "It names a chain of the distribution that was never handed out.",
            ("any-sender-key", "GRP-07"),
            number(Field::GroupChainId, 7),
            false,
            OTHER_KEY,
        ),
        ("ciphertext-empty", "The ciphertext is empty.", padding, bytes(Field::GroupCiphertext, &[]), false, PADDING),
        ("ciphertext-cut", "The ciphertext ends within a block.", padding, cut(Field::GroupCiphertext, 37), false, PADDING),
        (
            "ciphertext-flipped",
            "A bit of the first block is flipped, and the message signed anew: only its sender can do that.",
            padding,
            flip(Field::GroupCiphertext, 0),
            false,
            PADDING,
        ),
        (
            "cipher-padding-zero",
            "The cipher's padding ends in 0.",
            padding,
            Alteration::WrongCipherPadding(WrongPadding::Zero),
            false,
            PADDING,
        ),
        (
            "cipher-padding-long",
            "The cipher's padding states 17 bytes.",
            padding,
            Alteration::WrongCipherPadding(WrongPadding::TooLong),
            false,
            PADDING,
        ),
        (
            "cipher-padding-uneven",
            "The bytes of the cipher's padding differ from each other.",
            padding,
            Alteration::WrongCipherPadding(WrongPadding::Uneven),
            false,
            PADDING,
        ),
    ];
    for (id, comment, (flag, requirement), alteration, acceptable, reasons) in rows {
        let mut begun = Begun::with_before(room, id, comment, flag, requirement)?;
        let bad = begun.text("made wrongly", &[alteration])?;
        if acceptable {
            begun.scene.acceptable(bad, reasons);
        } else {
            begun.scene.invalid(bad, reasons);
        }
        begun.after(room)?;
    }
    Ok(())
}

/// Sender keys that cannot be any.
fn bent_keys(room: &mut Room) -> Result<(), GenerateError> {
    let rows: [(&str, &str, Alteration); 10] = [
        ("key-version", "A sender key says that it is of version 4.", number(Field::DistributionVersion, 0x44)),
        ("key-distribution-missing", "A sender key has no distribution id.", Alteration::Remove(Field::DistributionId)),
        ("key-distribution-cut", "The distribution id of a sender key is too short.", cut(Field::DistributionId, 15)),
        ("key-chain-id-missing", "A sender key names no chain.", Alteration::Remove(Field::DistributionChainId)),
        ("key-iteration-missing", "A sender key has no number.", Alteration::Remove(Field::DistributionIteration)),
        ("key-chain-key-missing", "A sender key has no chain key.", Alteration::Remove(Field::DistributionChainKey)),
        ("key-chain-key-cut", "The chain key of a sender key is a byte too short.", cut(Field::DistributionChainKey, 31)),
        ("key-signing-key-missing", "A sender key has no signature key.", Alteration::Remove(Field::DistributionSigningKey)),
        ("key-signing-key-cut", "The signature key of a sender key is too short.", cut(Field::DistributionSigningKey, 32)),
        (
            "key-signing-key-low-order",
            "The signature key of a sender key is of low order: anybody can sign under it.",
            bytes(Field::DistributionSigningKey, &[&[5][..], &[0; 32]].concat()),
        ),
    ];
    for (id, comment, alteration) in rows {
        let mut begun = Begun::with_before(room, id, comment, "malformed-sender-key", "SIG-11")?;
        let key = begun.scene.uuid("malformed distribution");
        let bad = begun.scene.sender_key(("bob", OURS, key), &[alteration])?;
        begun.scene.invalid(bad, KEY_FORM);
        begun.after(room)?;
    }
    Ok(())
}
