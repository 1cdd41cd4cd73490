//! Every field of a message bent, one at a time, between an accepted message before and one after.

use crate::common::*;
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use countersign_reference::ReferenceUser;
use countersign_reference::wire::{self, Field, How, Layer, Message, TamperError, tamper, tamper_named};

fn refusal(alice: &ReferenceUser, bob: &mut ReferenceUser, kind: MessageType, body: &[u8]) -> Option<Reason> {
    bob.decrypt(alice.user(), kind, body, NOW).err().map(|refusal| refusal.reason)
}

#[test]
fn every_inner_field_is_covered_by_the_mac() {
    for field in Field::ALL.iter().copied().filter(|field| field.layer() == Layer::Inner) {
        for kind in [MessageType::Normal, MessageType::Prekey] {
            let (mut alice, mut bob) = if kind == MessageType::Normal { acquainted() } else { introduced() };
            let sent = say(&mut alice, &bob, "bent");
            assert_eq!(sent.0, kind);
            let bent = tamper_named(&sent.1, kind, field.as_str()).unwrap();
            assert_ne!(bent, sent.1);
            assert_eq!(refusal(&alice, &mut bob, kind, &bent), Some(Reason::BadMac), "{field} of a {kind:?} message");
            assert_eq!(heard(&mut bob, &alice, &sent).as_deref(), Ok("bent"), "{field}: the twin after");
        }
    }
}

/// What the receiver makes of each outer field of a first message: this is the list of what libsignal authenticates there, and it
/// leaves out the registration id and, in the version byte, the sender's own version.
#[test]
fn outer_fields_of_a_first_message() {
    for (field, expected) in [
        (Field::OuterVersion, Some(Reason::BadVersion)),
        (Field::PrekeyId, Some(Reason::UnknownPrekey)),
        (Field::IdentityKey, Some(Reason::BadMac)),
        (Field::Message, Some(Reason::BadMac)),
        (Field::RegistrationId, None),
        (Field::SignedPrekeyId, Some(Reason::UnknownPrekey)),
        (Field::KyberPrekeyId, Some(Reason::UnknownPrekey)),
        (Field::KyberCiphertext, Some(Reason::BadMac)),
    ] {
        let (mut alice, mut bob) = introduced();
        let sent = say(&mut alice, &bob, "bent");
        let bent = tamper_named(&sent.1, sent.0, field.as_str()).unwrap();
        assert_eq!(refusal(&alice, &mut bob, sent.0, &bent), expected, "{field}");
        let after = if expected.is_some() { Ok("bent") } else { Err(Reason::Duplicate) };
        assert_eq!(heard(&mut bob, &alice, &sent).as_deref().map_err(|r| *r), after, "{field}: the twin after");
    }
    let (mut alice, mut bob) = introduced();
    let sent = say(&mut alice, &bob, "bent");
    let own_version = tamper(&sent.1, sent.0, Field::OuterVersion, &How::FlipBit(0)).unwrap();
    assert_eq!(refusal(&alice, &mut bob, sent.0, &own_version), None);
}

/// Fifteen of sixteen values are no point of the curve's prime-order group, which libsignal refuses before it gets to the MAC.
#[test]
fn the_base_key_of_a_first_message() {
    let mut reasons = std::collections::BTreeSet::new();
    for bit in 8..136 {
        let (mut alice, mut bob) = introduced();
        let sent = say(&mut alice, &bob, "bent");
        let bent = tamper(&sent.1, sent.0, Field::BaseKey, &How::FlipBit(bit)).unwrap();
        reasons.insert(refusal(&alice, &mut bob, sent.0, &bent).expect("a bent base key is refused"));
        assert_eq!(heard(&mut bob, &alice, &sent).as_deref(), Ok("bent"));
    }
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), [Reason::BadMac, Reason::BadKey]);
}

/// Once the session exists, libsignal finds it by the base key and looks at no other outer field.
#[test]
fn outer_fields_of_a_later_prekey_message() {
    for (field, expected) in [
        (Field::OuterVersion, Some(Reason::BadVersion)),
        (Field::PrekeyId, None),
        (Field::RegistrationId, None),
        (Field::SignedPrekeyId, None),
        (Field::KyberPrekeyId, None),
        (Field::KyberCiphertext, None),
        // Guarded by the reference itself.
        (Field::IdentityKey, Some(Reason::BadMac)),
    ] {
        let (mut alice, mut bob) = introduced();
        let first = say(&mut alice, &bob, "first");
        hear(&mut bob, &alice, &first).unwrap();
        let sent = say(&mut alice, &bob, "second");
        let bent = tamper_named(&sent.1, sent.0, field.as_str()).unwrap();
        assert_eq!(refusal(&alice, &mut bob, sent.0, &bent), expected, "{field}");
    }
}

#[test]
fn versions_that_are_not_spoken() {
    for version in [0x33, 0x34, 0x54, 0x04, 0xf4] {
        let (mut alice, mut bob) = introduced();
        let first = say(&mut alice, &bob, "first");
        for field in [Field::Version, Field::OuterVersion] {
            let bent = tamper(&first.1, first.0, field, &How::Number(version)).unwrap();
            assert_eq!(refusal(&alice, &mut bob, first.0, &bent), Some(Reason::BadVersion), "{field} {version:#x}");
        }
        assert_eq!(heard(&mut bob, &alice, &first).as_deref(), Ok("first"));
    }
}

#[test]
fn a_version_by_name_is_the_one_that_decides_how_the_message_is_read() {
    for (name, byte) in [("unknown-version", 0x54), ("older-version", 0x34)] {
        for kind in [MessageType::Normal, MessageType::Prekey] {
            let (mut alice, mut bob) = if kind == MessageType::Normal { acquainted() } else { introduced() };
            let sent = say(&mut alice, &bob, "by other rules");
            let bent = tamper_named(&sent.1, kind, name).unwrap();
            assert_eq!((bent[0], &bent[1..]), (byte, &sent.1[1..]));
            assert_eq!(refusal(&alice, &mut bob, kind, &bent), Some(Reason::BadVersion), "{name} of a {kind:?} message");
            assert_eq!(heard(&mut bob, &alice, &sent).as_deref(), Ok("by other rules"), "{name}: the twin after");
        }
    }
}

#[test]
fn missing_and_malformed_fields() {
    let (mut alice, mut bob) = introduced();
    let first = say(&mut alice, &bob, "first");
    for (field, how, reason) in [
        (Field::RatchetKey, How::Remove, Reason::Malformed),
        (Field::RatchetKey, How::Bytes(vec![5; 32]), Reason::BadKey),
        (Field::RatchetKey, How::Bytes(vec![5; 34]), Reason::BadKey),
        (Field::RatchetKey, How::FlipBit(0), Reason::BadKey),
        (Field::Counter, How::Remove, Reason::Malformed),
        (Field::Counter, How::Number(30_000), Reason::TooOld),
        (Field::Counter, How::Number(u32::MAX), Reason::TooOld),
        (Field::PreviousCounter, How::Remove, Reason::BadMac),
        (Field::Ciphertext, How::Remove, Reason::Malformed),
        (Field::Ciphertext, How::Bytes(Vec::new()), Reason::BadMac),
        (Field::PqRatchet, How::Remove, Reason::BadMac),
        (Field::PqRatchet, How::Bytes(vec![0xff; 80]), Reason::BadMac),
        (Field::Addresses, How::Bytes(Vec::new()), Reason::BadMac),
        (Field::Mac, How::Bytes(vec![0; 8]), Reason::BadMac),
        (Field::BaseKey, How::Remove, Reason::Malformed),
        (Field::IdentityKey, How::Remove, Reason::Malformed),
        (Field::Message, How::Remove, Reason::Malformed),
        (Field::Message, How::Bytes(vec![0x44; 8]), Reason::Malformed),
        (Field::SignedPrekeyId, How::Remove, Reason::Malformed),
        (Field::KyberPrekeyId, How::Remove, Reason::Malformed),
        (Field::KyberCiphertext, How::Remove, Reason::Malformed),
        (Field::KyberCiphertext, How::Bytes(vec![8; 100]), Reason::BadKey),
        (Field::KyberCiphertext, How::FlipBit(0), Reason::BadKey),
        // Without the id the receiver leaves one agreement out, and so has other keys.
        (Field::PrekeyId, How::Remove, Reason::BadMac),
    ] {
        let bent = tamper(&first.1, first.0, field, &how).unwrap();
        assert_eq!(refusal(&alice, &mut bob, first.0, &bent), Some(reason), "{field} {how:?}");
    }
    for kind in [MessageType::Prekey, MessageType::Normal] {
        assert_eq!(refusal(&alice, &mut bob, kind, &[]), Some(Reason::Malformed));
        assert_eq!(refusal(&alice, &mut bob, kind, &vec![0x44; 2 << 20]), Some(Reason::TooLarge));
    }
    assert_eq!(bob.known_identity(alice.user()), None);
    assert_eq!(heard(&mut bob, &alice, &first).as_deref(), Ok("first"));
}

#[test]
fn only_the_named_field_changes() {
    let (mut alice, bob) = introduced();
    let sent = say(&mut alice, &bob, "bent");
    for field in Field::ALL {
        // Twice the same bit is the same message, byte for byte; so is writing what stands there.
        if let Ok(once) = tamper(&sent.1, sent.0, *field, &How::FlipBit(8)) {
            assert_ne!(once, sent.1);
            assert_eq!(tamper(&once, sent.0, *field, &How::FlipBit(8)).unwrap(), sent.1, "{field}");
        } else {
            assert_eq!(*field, Field::Addresses, "all others are there");
        }
    }
    let same = tamper(&sent.1, sent.0, Field::IdentityKey, &How::Bytes(alice.identity_key())).unwrap();
    assert_eq!(same, sent.1);
    let added = tamper(&sent.1, sent.0, Field::Addresses, &How::Bytes(vec![9; 36])).unwrap();
    assert_eq!(added.len(), sent.1.len() + 38);
    assert_eq!(wire::parse(sent.0, &added).unwrap().inner().addresses, Some(&[9; 36][..]));
    assert_eq!(tamper(&added, sent.0, Field::Addresses, &How::Remove).unwrap(), sent.1);
    assert_eq!(tamper(&sent.1, sent.0, Field::Addresses, &How::Remove), Err(TamperError::Absent(Field::Addresses)));
    assert_eq!(tamper(&sent.1, sent.0, Field::Counter, &How::Bytes(vec![1])), Err(TamperError::WrongKind(Field::Counter)));
    assert!(matches!(tamper_named(&sent.1, sent.0, "counters"), Err(TamperError::Unknown(_))));
    let Message::Prekey(outer) = wire::parse(sent.0, &sent.1).unwrap() else { panic!("a first message") };
    let inner = tamper(&sent.1, sent.0, Field::Message, &How::Bytes(vec![1, 2, 3])).unwrap();
    assert!(wire::parse(sent.0, &inner).is_err());
    assert_eq!((outer.version, outer.message.version, outer.message.counter), (0x44, 0x44, 0));
    assert_eq!((outer.kyber_ciphertext.map(|c| c.len()), outer.message.ciphertext.len()), (Some(1569), 176));
    assert!(outer.unknown.is_empty() && outer.message.unknown.is_empty());
    assert_eq!(outer.registration_id, Some(alice.enlistment().registration_id));
}

#[test]
fn names_of_fields_are_one_to_one() {
    for field in Field::ALL {
        assert_eq!(field.as_str().parse::<Field>().unwrap(), *field);
        assert_eq!(tamper(&[0x44; 40], MessageType::Normal, *field, &How::FlipBit(0)).err().map(|e| e.to_string()).is_some(), {
            // Only the first and the last bytes can be bent in what is no message.
            !matches!(field, Field::Version | Field::Mac)
        });
    }
}
