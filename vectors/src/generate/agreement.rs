//! First messages: X3DH and PQXDH.

use super::room::{Room, With};
use super::{GenerateError, Sheet};
use countersign_adversary::Alteration;
use countersign_adversary::WireProfile;
use countersign_adversary::alter::{Field, FieldBit, FieldBytes, FieldLength, FieldNumber, KeyChoice, NamedPrekey, PrekeyKind};
use countersign_contract::claims::Suite;
use countersign_contract::{Bytes, Reason};
use std::collections::BTreeMap;

type Flags = &'static [(&'static str, &'static str, &'static str)];

const FLAGS: Flags = &[
    (
        "wrong-derivation",
        "The session's keys are derived in another way than the suite prescribes: another constant, another order, or a part left out.",
        "A part of the agreement does not count, and an attacker may leave it out.",
    ),
    (
        "unknown-prekey",
        "A prekey that is not there is taken as if none had been named, or as another one.",
        "First messages can be played back, or answered with keys that nobody chose.",
    ),
    (
        "prekey-reuse",
        "A one-time prekey stays usable after its first use.",
        "What was sent under it can be read by whoever takes the phone later.",
    ),
    (
        "replay",
        "A first message that was received before begins a second session.",
        "An old order, an old answer is shown once more.",
    ),
    (
        "identity-not-bound",
        "The identity key beside a first message is believed, whatever the message was made under.",
        "Somebody speaks in another's name.",
    ),
    (
        "missing-field",
        "A key that is not there is read as empty or zero.",
        "The missing part is completed by a key that everybody knows.",
    ),
    ("malformed-key", "The length or the type of a key is not checked.", "Crashes, or one key read as another."),
    ("low-order-key", "A base key of low order is agreed with.", "A part of the agreement is known to everybody."),
    (
        "downgrade",
        "A first message of a weaker suite is taken in place of one of the suite that was offered.",
        "The post-quantum part is stripped by whoever carries the first message.",
    ),
    (
        "unauthenticated-field",
        "What stands outside the authentication code is relied on.",
        "A number that anybody may change steers the client.",
    ),
];

const MAC: &[Reason] = &[Reason::BadMac];
const PREKEY: &[Reason] = &[Reason::UnknownPrekey];
const FORM: &[Reason] = &[Reason::Malformed, Reason::BadKey, Reason::BadMac, Reason::UnknownPrekey];
const KEY: &[Reason] = &[Reason::BadKey, Reason::Malformed, Reason::BadMac];
const OTHER: &[Reason] = &[Reason::BadMac, Reason::WrongRecipient, Reason::UntrustedIdentity];
const VERSION: &[Reason] = &[Reason::BadVersion, Reason::Malformed, Reason::BadMac];
const AGAIN: &[Reason] = &[Reason::Duplicate, Reason::UnknownPrekey, Reason::TooOld];

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    let mut room = Room::new("x3dh", "first-message", Suite::SignalClassic, 3)?;
    both(&mut room)?;
    let sheet = Sheet {
        kind: "x3dh",
        name: "first-message",
        title: "First messages after X3DH: which prekeys they use, and what is wrong with them.",
        source: "Signal: The X3DH Key Agreement Protocol, revision 1; message format of libsignal (version 3)",
        flags: FLAGS.to_vec(),
        groups: vec![room.group()],
    };
    with_used(sheet).write(files)?;

    let mut room = Room::new("pqxdh", "first-message", Suite::SignalPq, 3)?;
    both(&mut room)?;
    kyber(&mut room)?;
    let sheet = Sheet {
        kind: "pqxdh",
        name: "first-message",
        title: "First messages after PQXDH: which prekeys they use, and what is wrong with them.",
        source: "Signal: The PQXDH Key Agreement Protocol, revision 3; message format of libsignal v0.85.3 (version 4)",
        flags: FLAGS.to_vec(),
        groups: vec![room.group()],
    };
    with_used(sheet).write(files)
}

/// X3DH has no downgrade.
fn with_used(sheet: Sheet<crate::file::ConversationGroup>) -> Sheet<crate::file::ConversationGroup> {
    sheet.only_used(|group| group.tests.iter().map(|test| &test.about).collect())
}

/// One first message is made wrongly, between honest ones: another peer's before, and after it bob's own with keys as they should be.
fn wrong(
    room: &mut Room,
    (id, comment, flag, requirement): (&str, &str, &str, &str),
    session: &[Alteration],
    message: &[Alteration],
    acceptable: bool,
    reasons: &[Reason],
) -> Result<(), GenerateError> {
    let mut scene = room.scene(id, comment, &[flag], &[requirement]);
    scene.begin("carol", With::FIRST, &[])?;
    scene.say("carol", "before")?;
    scene.begin("bob", With::SECOND, session)?;
    let bad = scene.text("bob", "made wrongly", message)?;
    if acceptable {
        scene.acceptable(bad, reasons);
    } else {
        scene.invalid(bad, reasons);
    }
    // With prekeys of its own: whoever takes an acceptable one uses up those.
    scene.begin("bob", With { one_time: Some(2), kyber: Some(2) }, &[])?;
    scene.say("bob", "after")?;
    room.add(scene);
    Ok(())
}

fn name(kind: PrekeyKind, id: Option<u32>) -> Alteration {
    Alteration::NamePrekey(NamedPrekey { kind, id })
}

fn flip(field: Field, bit: u32) -> Alteration {
    Alteration::Flip(FieldBit { field, bit })
}

fn cut(field: Field, length: u32) -> Alteration {
    Alteration::Truncate(FieldLength { field, length })
}

fn number(field: Field, number: u64) -> Alteration {
    Alteration::SetNumber(FieldNumber { field, number })
}

/// What both agreements have.
fn both(room: &mut Room) -> Result<(), GenerateError> {
    for (id, comment, with, requirement) in [
        ("with-one-time-prekey", "A first message with a one-time prekey.", With::FIRST, "PK-02"),
        ("without-one-time-prekey", "A first message without any one-time prekey.", With::NONE, "PK-02"),
    ] {
        let mut scene = room.scene(id, comment, &[], &[requirement]);
        scene.begin("bob", with, &[])?;
        scene.say("bob", "first")?;
        scene.say("bob", "second, which sets up the same session")?;
        room.add(scene);
    }

    let mut scene =
        room.scene("two-peers", "Two peers begin without one-time prekeys, under the same signed one.", &[], &["PK-02"]);
    for peer in ["bob", "carol"] {
        scene.begin(peer, With::NONE, &[])?;
        scene.say(peer, "first")?;
    }
    room.add(scene);

    let mut scene = room.scene("two-sessions", "One peer begins twice; both first messages are read.", &[], &["ORD-01"]);
    scene.begin("bob", With::FIRST, &[])?;
    scene.say("bob", "in the first session")?;
    scene.begin("bob", With::SECOND, &[])?;
    scene.say("bob", "in the second session")?;
    room.add(scene);

    let comment = "A one-time prekey that was used is named by another peer.";
    let mut scene = room.scene("one-time-prekey-used", comment, &["prekey-reuse"], &["PK-04"]);
    scene.begin("carol", With::FIRST, &[])?;
    scene.say("carol", "before")?;
    scene.begin("bob", With { one_time: Some(0), kyber: Some(1) }, &[])?;
    let late = scene.text("bob", "under a used prekey", &[])?;
    scene.invalid(late, PREKEY);
    scene.begin("bob", With { one_time: Some(2), kyber: Some(2) }, &[])?;
    scene.say("bob", "after")?;
    room.add(scene);

    let comment = "A first message without one-time prekey arrives a second time under another stanza id.";
    let mut scene = room.scene("played-back", comment, &["replay"], &["PK-01", "SIG-10"]);
    scene.begin("bob", With::NONE, &[])?;
    let first = scene.text("bob", "once", &[])?;
    let again = first.again(&mut scene);
    scene.valid(first);
    scene.invalid(again, AGAIN);
    scene.say("bob", "after")?;
    room.add(scene);

    derivations(room)?;
    fields(room)
}

fn derivations(room: &mut Room) -> Result<(), GenerateError> {
    let rows: Vec<(&str, &str, Alteration)> = vec![
        ("other-info", "The session's keys are derived under another info string.", Alteration::KdfInfo("OtherText".to_owned())),
        ("other-salt", "The session's keys are derived with a salt of ones.", Alteration::KdfSalt(Bytes(vec![1; 32]))),
        ("without-discontinuity", "The 32 bytes 0xff before the agreements are left out.", Alteration::WithoutDiscontinuity),
        ("terms-swapped", "The first two agreements are swapped.", Alteration::DhTerms(vec![2, 1, 3, 4])),
        (
            "without-term-1",
            "The agreement of the sender's identity with the signed prekey is left out.",
            Alteration::DhTerms(vec![2, 3, 4]),
        ),
        (
            "without-term-2",
            "The agreement of the base key with the receiver's identity is left out.",
            Alteration::DhTerms(vec![1, 3, 4]),
        ),
        (
            "without-term-3",
            "The agreement of the base key with the signed prekey is left out.",
            Alteration::DhTerms(vec![1, 2, 4]),
        ),
        ("without-term-4", "The one-time prekey is named, and its agreement is left out.", Alteration::DhTerms(vec![1, 2, 3])),
        ("term-4-twice", "The agreement with the one-time prekey counts twice.", Alteration::DhTerms(vec![1, 2, 3, 4, 4])),
    ];
    for (id, comment, alteration) in rows {
        wrong(room, (id, comment, "wrong-derivation", "AGR-01"), &[alteration], &[], false, MAC)?;
    }
    Ok(())
}

fn fields(room: &mut Room) -> Result<(), GenerateError> {
    type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a [Reason]);
    let session: Vec<(Row<'_>, Alteration)> = vec![
        (
            ("invented-one-time-prekey", "A one-time prekey is named that never was.", "unknown-prekey", "AGR-02", PREKEY),
            name(PrekeyKind::OneTime, Some(9_999)),
        ),
        (
            ("invented-signed-prekey", "A signed prekey is named that never was.", "unknown-prekey", "AGR-02", PREKEY),
            name(PrekeyKind::Signed, Some(9_999)),
        ),
        (
            (
                "other-one-time-prekey",
                "Another one-time prekey is named than the one agreed with.",
                "unknown-prekey",
                "AGR-01",
                MAC,
            ),
            name(PrekeyKind::OneTime, Some(3)),
        ),
        (
            (
                "unnamed-one-time-prekey",
                "The one-time prekey that was agreed with is not named.",
                "unknown-prekey",
                "AGR-01",
                MAC,
            ),
            name(PrekeyKind::OneTime, None),
        ),
        (
            ("unnamed-signed-prekey", "No signed prekey is named.", "missing-field", "AGR-03", FORM),
            name(PrekeyKind::Signed, None),
        ),
        (
            (
                "base-key-low-order",
                "The base key is of low order, and the message is made with what is agreed under it.",
                "low-order-key",
                "KEY-01",
                KEY,
            ),
            Alteration::BaseKey(KeyChoice::LowOrder(0)),
        ),
        (
            (
                "base-key-order-eight",
                "The base key is of order 8, and the message is made with what is agreed under it.",
                "low-order-key",
                "KEY-01",
                KEY,
            ),
            Alteration::BaseKey(KeyChoice::LowOrder(2)),
        ),
    ];
    for ((id, comment, flag, requirement, reasons), alteration) in session {
        wrong(room, (id, comment, flag, requirement), &[alteration], &[], false, reasons)?;
    }
    let other = Bytes([&[0x05][..], &[0x42; 32]].concat());
    let zero = Bytes([&[0x05][..], &[0; 32]].concat());
    let carol = room.party("carol").map(|party| Bytes(party.identity_key().to_vec())).unwrap_or_default();
    let set = |field, bytes: &Bytes| Alteration::SetBytes(FieldBytes { field, bytes: bytes.clone() });
    let message: Vec<(Row<'_>, Alteration)> = vec![
        (("base-key-missing", "There is no base key.", "missing-field", "AGR-03", FORM), Alteration::Remove(Field::BaseKey)),
        (("base-key-cut", "The base key is a byte too short.", "malformed-key", "AGR-03", FORM), cut(Field::BaseKey, 32)),
        (
            ("base-key-type", "The base key has a type byte that there is not.", "malformed-key", "AGR-03", FORM),
            flip(Field::BaseKey, 1),
        ),
        (
            (
                "base-key-other",
                "The base key is another one than the message was made with.",
                "identity-not-bound",
                "AGR-01",
                KEY,
            ),
            set(Field::BaseKey, &other),
        ),
        (
            ("base-key-zero", "The base key is replaced by one that is all zero.", "low-order-key", "KEY-01", KEY),
            set(Field::BaseKey, &zero),
        ),
        (
            ("identity-key-missing", "There is no identity key.", "missing-field", "AGR-03", FORM),
            Alteration::Remove(Field::IdentityKey),
        ),
        (
            ("identity-key-cut", "The identity key is a byte too short.", "malformed-key", "AGR-03", FORM),
            cut(Field::IdentityKey, 32),
        ),
        (
            ("identity-key-other", "The identity key is another user's.", "identity-not-bound", "SIG-03", OTHER),
            set(Field::IdentityKey, &carol),
        ),
        (
            ("message-missing", "There is no embedded message.", "missing-field", "AGR-03", FORM),
            Alteration::Remove(Field::Message),
        ),
        (("message-empty", "The embedded message is empty.", "missing-field", "AGR-03", FORM), cut(Field::Message, 0)),
        (("message-cut", "The embedded message is cut off.", "malformed-key", "AGR-03", FORM), cut(Field::Message, 20)),
        (
            ("mac-flipped", "A bit of the embedded message's authentication code is flipped.", "wrong-derivation", "SIG-02", MAC),
            flip(Field::Mac, 5),
        ),
        (
            ("outer-version-later", "The first message says that it is of version 5.", "downgrade", "LIFE-05", VERSION),
            number(Field::OuterVersion, 0x55),
        ),
        (("outer-version-none", "The version byte is 0.", "downgrade", "LIFE-05", VERSION), number(Field::OuterVersion, 0)),
    ];
    for ((id, comment, flag, requirement, reasons), alteration) in message {
        wrong(room, (id, comment, flag, requirement), &[], &[alteration], false, reasons)?;
    }
    let row =
        ("registration-id", "The registration id is another one: nothing authenticates it.", "unauthenticated-field", "SIG-11");
    wrong(room, row, &[], &[number(Field::RegistrationId, 77)], true, MAC)
}

/// What only PQXDH has.
fn kyber(room: &mut Room) -> Result<(), GenerateError> {
    let mut scene =
        room.scene("last-resort-kyber-prekey", "A one-time prekey goes with the last-resort Kyber prekey.", &[], &["PK-02"]);
    scene.begin("bob", With { one_time: Some(0), kyber: None }, &[])?;
    scene.say("bob", "first")?;
    room.add(scene);

    let mut scene = room.scene(
        "last-resort-twice",
        "Two sessions are made under the last-resort Kyber prekey, with base keys of their own.",
        &[],
        &["PK-02"],
    );
    for text in ["in the first session", "in the second session"] {
        scene.begin("bob", With::NONE, &[])?;
        scene.say("bob", text)?;
    }
    room.add(scene);

    let comment = "A one-time Kyber prekey that was used is named by another peer.";
    let mut scene = room.scene("kyber-prekey-used", comment, &["prekey-reuse"], &["PK-04"]);
    scene.begin("carol", With::FIRST, &[])?;
    scene.say("carol", "before")?;
    scene.begin("bob", With { one_time: Some(1), kyber: Some(0) }, &[])?;
    let late = scene.text("bob", "under a used prekey", &[])?;
    scene.invalid(late, PREKEY);
    scene.begin("bob", With { one_time: Some(2), kyber: Some(2) }, &[])?;
    scene.say("bob", "after")?;
    room.add(scene);

    type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a [Reason]);
    let session: Vec<(Row<'_>, Alteration)> = vec![
        (
            ("without-kyber-secret", "The Kyber secret is left out of the session's keys.", "wrong-derivation", "AGR-01", MAC),
            Alteration::WithoutKyberSecret,
        ),
        (
            ("invented-kyber-prekey", "A Kyber prekey is named that never was.", "unknown-prekey", "AGR-02", PREKEY),
            name(PrekeyKind::Kyber, Some(9_999)),
        ),
        (
            ("other-kyber-prekey", "Another Kyber prekey is named than the one agreed with.", "unknown-prekey", "AGR-01", MAC),
            name(PrekeyKind::Kyber, Some(1)),
        ),
        (
            (
                "downgraded",
                "The first message is one of X3DH, version 3, though Kyber prekeys were published.",
                "downgrade",
                "LIFE-05",
                VERSION,
            ),
            Alteration::Profile(WireProfile::V3),
        ),
    ];
    for ((id, comment, flag, requirement, reasons), alteration) in session {
        wrong(room, (id, comment, flag, requirement), &[alteration], &[], false, reasons)?;
    }
    let message: Vec<(Row<'_>, Vec<Alteration>)> = vec![
        (
            ("kyber-ciphertext-flipped", "A bit of the Kyber ciphertext is flipped.", "wrong-derivation", "AGR-01", MAC),
            vec![flip(Field::KyberCiphertext, 800)],
        ),
        (
            ("kyber-ciphertext-cut", "The Kyber ciphertext is a byte too short.", "malformed-key", "AGR-03", FORM),
            vec![cut(Field::KyberCiphertext, 1568)],
        ),
        (
            ("kyber-ciphertext-type", "The Kyber ciphertext has a type byte that there is not.", "malformed-key", "AGR-03", FORM),
            vec![flip(Field::KyberCiphertext, 0)],
        ),
        (
            ("kyber-ciphertext-missing", "There is no Kyber ciphertext.", "missing-field", "AGR-03", FORM),
            vec![Alteration::Remove(Field::KyberCiphertext)],
        ),
        (
            ("kyber-prekey-missing", "No Kyber prekey is named.", "missing-field", "AGR-03", FORM),
            vec![Alteration::Remove(Field::KyberPrekeyId)],
        ),
        (
            (
                "kyber-missing",
                "There is neither Kyber ciphertext nor the name of a Kyber prekey.",
                "downgrade",
                "AGR-03",
                &[Reason::Malformed, Reason::BadKey, Reason::BadMac, Reason::UnknownPrekey, Reason::BadVersion],
            ),
            vec![Alteration::Remove(Field::KyberPrekeyId), Alteration::Remove(Field::KyberCiphertext)],
        ),
    ];
    for ((id, comment, flag, requirement, reasons), alterations) in message {
        wrong(room, (id, comment, flag, requirement), &[], &alterations, false, reasons)?;
    }
    Ok(())
}
