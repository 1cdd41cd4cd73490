//! The first epoch of the post-quantum ratchet. Later ones need answers of the receiver, whose keys are random.

use super::room::{Made, Room, Scene, With};
use super::{GenerateError, Sheet};
use countersign_adversary::Alteration;
use countersign_adversary::WireProfile;
use countersign_adversary::alter::{Field, FieldBit, FieldBytes, FieldLength};
use countersign_contract::claims::Suite;
use countersign_contract::{Bytes, Reason};
use std::collections::BTreeMap;

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "spqr-stripped",
        "A message without the ratchet's part is taken in a session that has it.",
        "Whoever carries messages strips the post-quantum part.",
    ),
    (
        "spqr-not-authenticated",
        "The ratchet's part stands outside the authentication code.",
        "It can be changed on the way, and the ratchet with it.",
    ),
    ("spqr-malformed", "A part that cannot be read is passed over.", "The two sides silently part, or the client ends."),
    (
        "spqr-skipped-keys",
        "Keys of the ratchet for messages that are late are not kept.",
        "Messages that overtake each other are lost.",
    ),
];

const FORM: &[Reason] = &[Reason::BadMac, Reason::Malformed];

fn begun(room: &Room, id: &str, comment: &str, flags: &[&str], verifies: &[&str]) -> Result<Scene, GenerateError> {
    let mut scene = room.scene(id, comment, flags, verifies);
    scene.begin("bob", With::FIRST, &[])?;
    Ok(scene)
}

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    let mut room = Room::new("spqr", "first-epoch", Suite::SignalPq, 2)?;
    for (id, comment, order) in [
        (
            "in-order",
            "Forty messages arrive as they were sent, each with its piece of the sender's encapsulation key.",
            (0..40).collect::<Vec<usize>>(),
        ),
        (
            "every-third-lost",
            "Every third message is lost: the pieces are coded so that any of them will do.",
            (0..40).filter(|n| n % 3 != 1).collect(),
        ),
        ("shuffled", "Messages overtake each other by up to eight.", (0..40).map(|n| (n / 8) * 8 + (7 - n % 8)).collect()),
    ] {
        let flags: &[&str] = if id == "in-order" { &[] } else { &["spqr-skipped-keys"] };
        let mut scene = begun(&room, id, comment, flags, &["ORD-02"])?;
        let made: Vec<Made> =
            (1..=40).map(|n| scene.text("bob", &format!("message {n}"), &[])?.bare_after_first(n)).collect::<Result<_, _>>()?;
        // The session has to be there before what no longer sets it up.
        let first = made.first().cloned();
        let rest = order.into_iter().filter(|at| *at > 0).filter_map(|at| made.get(at).cloned());
        first.into_iter().chain(rest).for_each(|message| scene.valid(message));
        room.add(scene);
    }

    // Until the receiver has answered, the two have not agreed on a version: a part of an unknown one is passed over by Signal's code,
    // and no key of the ratchet is in use yet. That such a message is read is a library's choice.
    let undecided = ["version", "noise"];
    let rows: Vec<(&str, &str, &str, Alteration, &[Reason])> = vec![
        (
            "removed",
            "A message in the middle of the session has no part of the ratchet.",
            "spqr-stripped",
            Alteration::Remove(Field::PqRatchet),
            FORM,
        ),
        (
            "emptied",
            "The ratchet's part of a message is empty.",
            "spqr-stripped",
            Alteration::Truncate(FieldLength { field: Field::PqRatchet, length: 0 }),
            FORM,
        ),
        (
            "flipped",
            "A bit of the ratchet's part is flipped, and the authentication code made anew.",
            "spqr-not-authenticated",
            Alteration::Flip(FieldBit { field: Field::PqRatchet, bit: 9 }),
            FORM,
        ),
        (
            "cut",
            "The ratchet's part is cut off.",
            "spqr-malformed",
            Alteration::Truncate(FieldLength { field: Field::PqRatchet, length: 4 }),
            FORM,
        ),
        (
            "version",
            "The ratchet's part is of a version that there is not.",
            "spqr-malformed",
            Alteration::Flip(FieldBit { field: Field::PqRatchet, bit: 7 }),
            FORM,
        ),
        (
            "noise",
            "The ratchet's part is noise.",
            "spqr-malformed",
            Alteration::SetBytes(FieldBytes { field: Field::PqRatchet, bytes: Bytes(vec![0xa5; 64]) }),
            FORM,
        ),
    ];
    for (id, comment, flag, alteration, reasons) in rows {
        let mut scene = begun(&room, id, comment, &[flag], &["SPQR-01"])?;
        scene.say("bob", "before")?;
        let bad = scene.text("bob", "made wrongly", &[alteration])?;
        if undecided.contains(&id) {
            scene.acceptable(bad, reasons)
        } else {
            scene.invalid(bad, reasons)
        }
        scene.say("bob", "after")?;
        room.add(scene);
    }

    let comment =
        "A whole session without the ratchet: version 4 as it was before. Official code can read it; the profile decides.";
    let mut scene = room.scene("session-without", comment, &["spqr-stripped"], &["SPQR-01"]);
    scene.begin("carol", With::SECOND, &[])?;
    scene.say("carol", "before")?;
    scene.begin("bob", With::FIRST, &[Alteration::Profile(WireProfile::V4)])?;
    let weaker = scene.text("bob", "without the ratchet", &[])?;
    scene.acceptable(weaker, &[Reason::BadMac, Reason::BadVersion, Reason::Malformed]);
    scene.say("carol", "after")?;
    room.add(scene);

    Sheet {
        kind: "spqr",
        name: "first-epoch",
        title: "The post-quantum ratchet while its first key is on the way from the sender.",
        source: "Signal: the triple ratchet, as in libsignal v0.85.3, with SPQR (crate spqr, version of the same release)",
        flags: FLAGS.to_vec(),
        groups: vec![room.group()],
    }
    .write(files)
}

impl Made {
    /// The first message sets up the session; later ones look as after an answer.
    fn bare_after_first(self, number: u32) -> Result<Self, GenerateError> {
        if number == 1 { Ok(self) } else { self.bare() }
    }
}
