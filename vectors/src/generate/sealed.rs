//! Sealed messages, under a trust root of their own. Certificates hold until far ahead, or are long over: no clock decides.

use super::room::{Made, Room, Scene, With, library, rng};
use super::{GenerateError, Sheet};
use countersign_adversary::alter::{Field, FieldBit, FieldLength, FieldNumber, KeyChoice};
use countersign_adversary::{Alteration, KeyPair, SealedContent, SealedKind};
use countersign_contract::claims::Suite;
use countersign_contract::portable::MessageType;
use countersign_contract::{Bytes, Reason, UserId};
use countersign_reference::{CertificateAuthority, WrongCertificate};
use rand::Rng as _;
use std::collections::BTreeMap;

/// Until when honest certificates hold: 2100-01-01, in milliseconds since the Unix epoch.
const FAR: u64 = 4_102_444_800_000;
/// When those that are over ended: 2000-01-01.
const OVER: u64 = 946_684_800_000;

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "certificate-signature",
        "The signatures of a certificate are not verified up to the trust root.",
        "Anybody speaks as anybody: a message names its sender nowhere else.",
    ),
    ("certificate-over", "When a certificate ends is not looked at.", "Who once had a key speaks with it for ever."),
    (
        "certificate-of-other-key",
        "The certified key is not compared with the one that sealed, or with that of the session.",
        "A good certificate of one user is put on the message of another.",
    ),
    (
        "certificate-subject",
        "For which user and device a certificate is, is not looked at.",
        "A message is shown as from somebody who cannot have sent it.",
    ),
    ("sealed-altered", "What was sealed is not authenticated before it is used.", "Whoever carries a message changes it."),
    ("sealed-replay", "A sealed message that was received before is shown again.", "Messages can be played back."),
    ("sealed-form", "A sealed message of another form is taken for something.", "Crashes, or checks that are left out."),
];

const SIGNATURE: &[Reason] = &[Reason::BadSignature];
const SIGNATURE_FORM: &[Reason] = &[Reason::BadSignature, Reason::Malformed];
const ALTERED: &[Reason] = &[Reason::BadMac, Reason::Malformed];
const KEY: &[Reason] = &[Reason::BadMac, Reason::Malformed, Reason::BadKey];
const VERSION: &[Reason] = &[Reason::BadVersion, Reason::Malformed];
const FORM: &[Reason] = &[Reason::Malformed];
const OTHER: &[Reason] = &[Reason::WrongRecipient];
const AGAIN: &[Reason] = &[Reason::Duplicate, Reason::TooOld];

/// Who certifies, and somebody whom nobody trusts.
struct Servers {
    trusted: CertificateAuthority,
    untrusted: CertificateAuthority,
}

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    let mut room = Room::new("sealed-sender", "pq", Suite::SignalPq, 2)?;
    let authority = |name: &str| {
        let seed = rng(&["sealed-sender", "pq", name]).random();
        CertificateAuthority::new(seed, name)
    };
    let servers = Servers { trusted: authority("trusted"), untrusted: authority("untrusted") };
    room.trust_root = Some(Bytes(servers.trusted.trust_root()));
    honest(&mut room, &servers)?;
    certificates(&mut room, &servers)?;
    bent(&mut room, &servers)?;
    Sheet {
        kind: "sealed-sender",
        name: "pq",
        title: "Sealed messages: with certificates that hold and with others, whole and altered.",
        source: "libsignal v0.85.3 (sealed sender, version 1; protobuf sealed_sender.proto); Countersign contract 1.0, module sealed",
        flags: FLAGS.to_vec(),
        groups: vec![room.group()],
    }
    .write(files)
}

impl Servers {
    fn honest(&self, (user, key): (UserId, Vec<u8>)) -> Result<Vec<u8>, GenerateError> {
        self.trusted.certify(user, &key, FAR).map_err(|refusal| library("a certificate", &refusal))
    }
}

/// Seals a message under a certificate.
fn sealed(scene: &mut Scene, made: Made, certificate: Vec<u8>, alter: &[Alteration]) -> Result<Made, GenerateError> {
    let kind = if made.kind == MessageType::Prekey { SealedKind::Prekey } else { SealedKind::Normal };
    let content = SealedContent { kind, certificate, message: made.body.clone(), group: None };
    let to = scene.receiver_key();
    scene.seal(made, &to, &content, alter)
}

/// A peer says something, sealed and honest, and it arrives.
fn say(scene: &mut Scene, servers: &Servers, from: &'static str, text: &str) -> Result<(), GenerateError> {
    let certificate = servers.honest(scene.identity(from))?;
    let made = scene.text(from, text, &[])?;
    let made = sealed(scene, made, certificate, &[])?;
    scene.valid(made);
    Ok(())
}

fn honest(room: &mut Room, servers: &Servers) -> Result<(), GenerateError> {
    let mut scene = room.scene("in-order", "Sealed messages arrive as they were sent.", &[], &["SEAL-02"]);
    scene.begin("bob", With::FIRST, &[])?;
    for n in 1..=3 {
        say(&mut scene, servers, "bob", &format!("message {n}"))?;
    }
    room.add(scene);

    let comment = "Sealed messages and others of one session arrive in turn.";
    let mut scene = room.scene("mixed", comment, &[], &["SEAL-02"]);
    scene.begin("bob", With::FIRST, &[])?;
    say(&mut scene, servers, "bob", "sealed")?;
    scene.say("bob", "not sealed")?;
    let certificate = servers.honest(scene.identity("bob"))?;
    let made = scene.text("bob", "sealed, in a session that is there", &[])?.bare()?;
    let made = sealed(&mut scene, made, certificate, &[])?;
    scene.valid(made);
    room.add(scene);

    let comment = "Two peers seal to one user.";
    let mut scene = room.scene("two-senders", comment, &["certificate-subject"], &["SEAL-06"]);
    scene.begin("bob", With::FIRST, &[])?;
    scene.begin("carol", With::SECOND, &[])?;
    for (from, text) in [("bob", "by bob"), ("carol", "by carol"), ("bob", "by bob again")] {
        say(&mut scene, servers, from, text)?;
    }
    room.add(scene);

    for (id, comment, again_sealed) in [
        ("replay", "A sealed message arrives a second time, under another stanza id.", true),
        ("replay-unsealed", "What was sealed arrives a second time without its seal, under another stanza id.", false),
    ] {
        let mut scene = room.scene(id, comment, &["sealed-replay"], &["SEAL-09"]);
        scene.begin("bob", With::FIRST, &[])?;
        say(&mut scene, servers, "bob", "before")?;
        let certificate = servers.honest(scene.identity("bob"))?;
        let bare = scene.text("bob", "once", &[])?;
        let unsealed = bare.again(&mut scene);
        let made = sealed(&mut scene, bare, certificate, &[])?;
        let again = if again_sealed { made.again(&mut scene) } else { unsealed };
        scene.valid(made);
        scene.invalid(again, AGAIN);
        say(&mut scene, servers, "bob", "after")?;
        room.add(scene);
    }
    Ok(())
}

/// A message between honest ones, sealed under a certificate that is made as it is told.
fn under(
    room: &mut Room,
    servers: &Servers,
    (id, comment, flag, requirement): (&str, &str, &str, &str),
    reasons: &[Reason],
    alter: &[Alteration],
    certificate: impl FnOnce(&Scene) -> Result<Vec<u8>, GenerateError>,
) -> Result<(), GenerateError> {
    let mut scene = room.scene(id, comment, &[flag], &[requirement]);
    scene.begin("bob", With::FIRST, &[])?;
    say(&mut scene, servers, "bob", "before")?;
    let certificate = certificate(&scene)?;
    let made = scene.text("bob", "made wrongly", &[])?;
    let made = sealed(&mut scene, made, certificate, alter)?;
    scene.invalid(made, reasons);
    say(&mut scene, servers, "bob", "after")?;
    room.add(scene);
    Ok(())
}

fn certificates(room: &mut Room, servers: &Servers) -> Result<(), GenerateError> {
    let refused = |refusal: countersign_reference::Refusal| library("a certificate", &refusal);
    let trusted = &servers.trusted;
    let flag = "certificate-signature";
    let row = ("wrong-root", "The certificate leads to another trust root, and is right by that.", flag, "SEAL-03");
    under(room, servers, row, SIGNATURE, &[], |scene| {
        let (user, key) = scene.identity("bob");
        servers.untrusted.certify(user, &key, FAR).map_err(refused)
    })?;
    let row = ("other-server", "A key signed the certificate that is not the server's beside it.", flag, "SEAL-03");
    under(room, servers, row, SIGNATURE, &[], |scene| {
        let (user, key) = scene.identity("bob");
        trusted.certify_wrongly(user, &key, FAR, WrongCertificate::OtherServer).map_err(refused)
    })?;
    let row = ("certificate-flipped", "A bit of the certificate's signature is flipped.", flag, "SEAL-03");
    under(room, servers, row, SIGNATURE, &[], |scene| {
        let mut certificate = servers.honest(scene.identity("bob"))?;
        certificate.iter_mut().last().into_iter().for_each(|byte| *byte ^= 1);
        Ok(certificate)
    })?;
    let row = ("certificate-cut", "The certificate is cut off.", flag, "SEAL-03");
    under(room, servers, row, SIGNATURE_FORM, &[], |scene| {
        let mut certificate = servers.honest(scene.identity("bob"))?;
        certificate.truncate(60);
        Ok(certificate)
    })?;

    let row = ("expired", "The certificate has been over for decades.", "certificate-over", "SEAL-04");
    under(room, servers, row, &[Reason::Unauthorized], &[], |scene| {
        let (user, key) = scene.identity("bob");
        trusted.certify(user, &key, OVER).map_err(refused)
    })?;

    let flag = "certificate-of-other-key";
    let row = ("of-other-user", "It is another user's certificate, sealed with the sender's own key.", flag, "SEAL-06");
    under(room, servers, row, FORM, &[], |scene| servers.honest(scene.identity("carol")))?;
    let private = [0x51; 32];
    let key = KeyPair::from_private(private).public.serialized().to_vec();
    let other = Alteration::IdentityKey(KeyChoice::Private(Bytes(private.to_vec())));
    let comment = "The certificate is for another identity key than the session's, and that key sealed.";
    let row = ("other-key", comment, flag, "SEAL-05");
    under(room, servers, row, OTHER, std::slice::from_ref(&other), |scene| {
        servers.honest((scene.identity("bob").0, key.clone()))
    })?;
    let comment = "The certificate is the sender's, and another key sealed.";
    let row = ("sealed-by-other", comment, flag, "SEAL-06");
    under(room, servers, row, FORM, &[other], |scene| servers.honest(scene.identity("bob")))?;

    let flag = "certificate-subject";
    let row = ("other-device", "The certificate is for a second device.", flag, "SEAL-05");
    under(room, servers, row, FORM, &[], |scene| {
        let (user, key) = scene.identity("bob");
        trusted.certify_wrongly(user, &key, FAR, WrongCertificate::OtherDevice).map_err(refused)
    })?;
    let comment = "The certificate names the receiver itself, under the sender's key.";
    let row = ("of-receiver", comment, flag, "SEAL-06");
    under(room, servers, row, OTHER, &[], |scene| {
        let (_, key) = scene.identity("bob");
        servers.honest((scene.identity("").0, key))
    })
}

fn bent(room: &mut Room, servers: &Servers) -> Result<(), GenerateError> {
    let flip = |field, bit| Alteration::Flip(FieldBit { field, bit });
    let number = |field, number| Alteration::SetNumber(FieldNumber { field, number });
    let (altered, form) = ("sealed-altered", "sealed-form");
    let rows: [(&str, &str, &str, Alteration, &[Reason]); 9] = [
        ("ephemeral-flipped", "A bit of the ephemeral key is flipped.", altered, flip(Field::EnvelopeEphemeral, 100), KEY),
        ("static-flipped", "A bit of the encrypted identity key is flipped.", altered, flip(Field::EnvelopeStatic, 5), ALTERED),
        ("message-flipped", "A bit of the encrypted message is flipped.", altered, flip(Field::EnvelopeMessage, 77), ALTERED),
        (
            "message-cut",
            "The encrypted message is cut off.",
            altered,
            Alteration::Truncate(FieldLength { field: Field::EnvelopeMessage, length: 64 }),
            ALTERED,
        ),
        ("version-later", "It says that it is of version 3.", form, number(Field::EnvelopeVersion, 0x33), VERSION),
        (
            "no-certificate",
            "There is no certificate beside the message.",
            form,
            Alteration::Remove(Field::SealedCertificate),
            FORM,
        ),
        ("no-message", "There is no message beside the certificate.", form, Alteration::Remove(Field::SealedContent), FORM),
        ("type-group", "It says that a message under a sender key is inside.", form, number(Field::SealedType, 7), FORM),
        (
            "type-unknown",
            "It says that a kind of message is inside that there is not.",
            form,
            number(Field::SealedType, 99),
            FORM,
        ),
    ];
    for (id, comment, flag, alteration, reasons) in rows {
        let row = (id, comment, flag, if flag == altered { "SEAL-09" } else { "SEAL-06" });
        under(room, servers, row, reasons, &[alteration], |scene| servers.honest(scene.identity("bob")))?;
    }

    let comment = "A bit of the authentication code at the end is flipped, and nothing else.";
    let mut scene = room.scene("mac-flipped", comment, &[altered], &["SEAL-09"]);
    scene.begin("bob", With::FIRST, &[])?;
    say(&mut scene, servers, "bob", "before")?;
    let certificate = servers.honest(scene.identity("bob"))?;
    let made = scene.text("bob", "made wrongly", &[])?;
    let mut made = sealed(&mut scene, made, certificate, &[])?;
    made.body.last_mut().into_iter().for_each(|byte| *byte ^= 1);
    scene.invalid(made, ALTERED);
    say(&mut scene, servers, "bob", "after")?;
    room.add(scene);

    let comment = "It is sealed to somebody else's identity key.";
    let mut scene = room.scene("to-other", comment, &[altered], &["SEAL-09"]);
    scene.begin("bob", With::FIRST, &[])?;
    say(&mut scene, servers, "bob", "before")?;
    let certificate = servers.honest(scene.identity("bob"))?;
    let made = scene.text("bob", "not for you", &[])?;
    let content = SealedContent { kind: SealedKind::Prekey, certificate, message: made.body.clone(), group: None };
    let (_, to) = scene.identity("carol");
    let made = scene.seal(made, &to, &content, &[])?;
    scene.invalid(made, ALTERED);
    say(&mut scene, servers, "bob", "after")?;
    room.add(scene);
    Ok(())
}
