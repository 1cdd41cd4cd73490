//! Sealed sender: who sent is certified, and nothing else counts.

use crate::common::{NOW, id, introduced, text, user};
use countersign_contract::Reason;
use countersign_reference::alter::{Edit, How, Part, edited};
use countersign_reference::{Alteration, CertificateAuthority, OtherIdentity, ReferenceUser, Sealing, WrongCertificate};

const HOUR: u64 = 60 * 60 * 1000;

fn authority(label: &str) -> CertificateAuthority {
    CertificateAuthority::new([9; 32], label)
}

fn certificate(by: &CertificateAuthority, of: &ReferenceUser) -> Vec<u8> {
    by.certify(of.user(), &of.identity_key(), NOW + HOUR).unwrap()
}

#[test]
fn a_sealed_message_names_its_sender_to_its_receiver_alone() {
    let (mut alice, mut bob) = introduced();
    let ca = authority("ours");
    for words in ["first", "second"] {
        let sealed = alice.seal(bob.user(), &text(words), &certificate(&ca, &alice), NOW).unwrap();
        let name = alice.user().0;
        assert!(!sealed.windows(16).any(|window| window == name.as_bytes()));
        assert!(!sealed.windows(33).any(|window| window == alice.identity_key()));
        let (from, opened) = bob.unseal(&sealed, &ca.trust_root(), NOW).unwrap();
        assert_eq!((from, opened.content), (alice.user(), text(words)));
    }
}

#[test]
fn a_certificate_of_another_root_or_of_before_is_refused_and_changes_nothing() {
    let (mut alice, mut bob) = introduced();
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let foreign = alice.seal(bob.user(), &text("a"), &certificate(&theirs, &alice), NOW).unwrap();
    assert_eq!(bob.unseal(&foreign, &ours.trust_root(), NOW).unwrap_err().reason, Reason::BadSignature);
    let good = alice.seal(bob.user(), &text("b"), &certificate(&ours, &alice), NOW).unwrap();
    assert_eq!(bob.unseal(&good, &ours.trust_root(), NOW + HOUR + 1).unwrap_err().reason, Reason::Unauthorized);
    assert_eq!(bob.unseal(&good, &ours.trust_root(), NOW + HOUR).unwrap().1.content, text("b"));
    // What was refused for its certificate is still there to be read under the right one.
    assert_eq!(bob.unseal(&foreign, &theirs.trust_root(), NOW).unwrap().1.content, text("a"));
}

#[test]
fn nobody_speaks_under_the_certificate_of_another() {
    let (mut alice, mut bob) = introduced();
    let carol = user("carol");
    let ca = authority("ours");
    let stolen = alice.seal(bob.user(), &text("as carol"), &certificate(&ca, &carol), NOW).unwrap();
    assert_eq!(bob.unseal(&stolen, &ca.trust_root(), NOW).unwrap_err().reason, Reason::Malformed);
    // A server that certifies a user's key under another name: the session is not that user's.
    let misnamed = ca.certify(id("carol"), &alice.identity_key(), NOW + HOUR).unwrap();
    let good = alice.seal(bob.user(), &text("now"), &certificate(&ca, &alice), NOW).unwrap();
    assert_eq!(bob.unseal(&good, &ca.trust_root(), NOW).unwrap().1.content, text("now"));
    let back = bob.encrypt(alice.user(), &text("back"), NOW).unwrap();
    alice.decrypt(bob.user(), back.0, &back.1, NOW).unwrap();
    let sealed = alice.seal(bob.user(), &text("as carol"), &misnamed, NOW).unwrap();
    assert_eq!(bob.unseal(&sealed, &ca.trust_root(), NOW).unwrap_err().reason, Reason::NoSession);
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_apart() {
    let (mut alice, mut bob) = introduced();
    let ca = authority("ours");
    let key = alice.identity_key();
    for (wrong, reason) in
        [(WrongCertificate::OtherServer, Reason::BadSignature), (WrongCertificate::OtherDevice, Reason::Malformed)]
    {
        let certificate = ca.certify_wrongly(alice.user(), &key, NOW + HOUR, wrong).unwrap();
        let sealed = alice.seal(bob.user(), &text("wrong"), &certificate, NOW).unwrap();
        assert_eq!(bob.unseal(&sealed, &ca.trust_root(), NOW).unwrap_err().reason, reason, "{wrong:?}");
    }
    let own = ca.certify(bob.user(), &key, NOW + HOUR).unwrap();
    let sealed = alice.seal(bob.user(), &text("as bob"), &own, NOW).unwrap();
    assert_eq!(bob.unseal(&sealed, &ca.trust_root(), NOW).unwrap_err().reason, Reason::WrongRecipient);
}

#[test]
fn what_a_server_signs_is_what_stands_there_then() {
    let (mut alice, mut bob) = introduced();
    let ca = authority("ours");
    let key = alice.identity_key();
    let edit = |field: u32, how| Alteration::Edit(Edit { part: Part::Certificate, field: vec![field], how });
    for (alteration, expected) in [
        (edit(6, How::Redundant(1)), Ok(text("said"))),
        (edit(2, How::Number(2)), Err(Reason::Malformed)),
        (edit(6, How::Truncate(8)), Err(Reason::Malformed)),
        (edit(5, How::Flip(100)), Err(Reason::BadSignature)),
    ] {
        let changed = |statement| Ok(edited(Part::Certificate, std::slice::from_ref(&alteration), statement)?);
        let certificate = ca.certify_changed(alice.user(), &key, NOW + HOUR, changed).unwrap();
        assert_ne!(certificate, ca.certify(alice.user(), &key, NOW + HOUR).unwrap());
        let sealed = alice.seal(bob.user(), &text("said"), &certificate, NOW).unwrap();
        let opened = bob.unseal(&sealed, &ca.trust_root(), NOW).map(|(_, opened)| opened.content);
        assert_eq!(opened.map_err(|refusal| refusal.reason), expected, "{alteration:?}");
    }
    let refuses = |_| Err(countersign_reference::Refusal::new(Reason::Unsupported, "no"));
    assert!(ca.certify_changed(alice.user(), &key, NOW, refuses).is_err());
}

#[test]
fn a_certified_key_that_is_not_the_sessions_is_refused_and_uses_nothing_up() {
    let (mut alice, mut bob) = introduced();
    let ca = authority("ours");
    let other = OtherIdentity::new(&[3; 32], "another");
    let certificate = ca.certify(alice.user(), &other.key(), NOW + HOUR).unwrap();
    let (kind, body) = alice.encrypt(bob.user(), &text("two keys"), NOW).unwrap();
    let how = Sealing { as_other: Some(&other), ..Sealing::under(&certificate) };
    let sealed = alice.seal_message(bob.user(), kind, body.clone(), how).unwrap();
    assert_eq!(bob.unseal(&sealed, &ca.trust_root(), NOW).unwrap_err().reason, Reason::WrongRecipient);
    assert_eq!(bob.decrypt(alice.user(), kind, &body, NOW).unwrap().content, text("two keys"));
}

#[test]
fn other_forms_and_kinds_are_refused() {
    let (mut alice, mut bob) = introduced();
    let ca = authority("ours");
    let sealed = alice.seal(bob.user(), &text("first form"), &certificate(&ca, &alice), NOW).unwrap();
    for (first, reason) in [(0x22, Reason::BadVersion), (0x01, Reason::BadVersion)] {
        let mut other = sealed.clone();
        other[0] = first;
        assert_eq!(bob.unseal(&other, &ca.trust_root(), NOW).unwrap_err().reason, reason);
    }
    for cut in 0..sealed.len() {
        assert!(bob.unseal(&sealed[..cut], &ca.trust_root(), NOW).is_err());
    }
    assert_eq!(bob.unseal(&sealed, &ca.trust_root(), NOW).unwrap().1.content, text("first form"));
}
