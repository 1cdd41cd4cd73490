//! Bytes from a peer that means harm: no panic, no change of state.

use crate::common::*;
use countersign_contract::Reason;
use countersign_contract::portable::MessageType;
use countersign_reference::wire::{self, Field, How, tamper};
use proptest::prelude::*;

/// Version byte, some fields with likely and unlikely contents, a MAC.
fn shaped() -> impl Strategy<Value = Vec<u8>> {
    let value =
        prop_oneof![proptest::collection::vec(any::<u8>(), 0..40), Just([&[5][..], &[9; 32]].concat()), Just(vec![8; 1569]),];
    let field = (1_u8..10, prop::option::of(value), any::<u32>());
    proptest::collection::vec(field, 0..10).prop_map(|fields| {
        let mut out = vec![0x44];
        for (number, bytes, value) in fields {
            match bytes {
                Some(bytes) => {
                    out.push(number << 3 | 2);
                    out.extend([(bytes.len() % 128) as u8 | 0x80, (bytes.len() / 128) as u8]);
                    out.extend(bytes);
                }
                None => out.extend([number << 3, (value % 128) as u8]),
            }
        }
        out.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_that_are_no_message(bytes in prop_oneof![shaped(), proptest::collection::vec(any::<u8>(), 0..300)]) {
        let (alice, mut bob) = (user("alice"), user("bob"));
        for kind in [MessageType::Prekey, MessageType::Normal] {
            prop_assert!(bob.decrypt(alice.user(), kind, &bytes, NOW).is_err());
            for field in Field::ALL {
                for how in [How::FlipBit(-1), How::Bytes(vec![1; 8]), How::Number(300), How::Remove] {
                    let _ = tamper(&bytes, kind, *field, &how);
                }
            }
        }
        prop_assert_eq!(bob.known_identity(alice.user()), None);
        prop_assert_eq!(bob.enlistment().one_time_prekeys.len(), 3);
    }

    #[test]
    fn a_genuine_message_with_any_damage(
        first in any::<bool>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let (mut alice, mut bob) = if first { introduced() } else { acquainted() };
        let sent = say(&mut alice, &bob, "genuine");
        let mut bytes = sent.1.clone();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        prop_assume!(bytes != sent.1);
        let before = bob.clone();
        match hear(&mut bob, &alice, &(sent.0, bytes.clone())) {
            Ok(opened) => {
                // Only what nothing authenticates may have been hit: the registration id and the low half of the outer version.
                prop_assert_eq!(opened.content, text("genuine"));
                let (was, is) = (wire::parse(sent.0, &sent.1).unwrap(), wire::parse(sent.0, &bytes).unwrap());
                prop_assert_eq!(was.inner(), is.inner());
                prop_assert_eq!(&was.outer().unwrap().base_key, &is.outer().unwrap().base_key);
            }
            Err(_) => {
                prop_assert_eq!(bob.enlistment(), before.enlistment());
                prop_assert_eq!(bob.known_identity(alice.user()), before.known_identity(alice.user()));
                prop_assert_eq!(heard(&mut bob, &alice, &sent), Ok("genuine".to_owned()));
            }
        }
    }

    /// The post-quantum ratchet reads its message before the MAC can be checked, and panics on much.
    #[test]
    fn any_message_of_the_post_quantum_ratchet(
        first in any::<bool>(),
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..120),
            proptest::collection::vec(any::<u8>(), 0..120).prop_map(|rest| [&[1][..], &rest].concat()),
            (0_u8..3, 0_u8..4, 0_u8..4, 0_u8..8, proptest::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(version, epoch, index, kind, rest)| [&[version, epoch, index, kind][..], &rest].concat()),
        ],
    ) {
        let (mut alice, mut bob) = if first { introduced() } else { acquainted() };
        let sent = say(&mut alice, &bob, "genuine");
        let bent = tamper(&sent.1, sent.0, Field::PqRatchet, &How::Bytes(bytes)).unwrap();
        prop_assume!(bent != sent.1);
        prop_assert_eq!(heard(&mut bob, &alice, &(sent.0, bent)), Err(Reason::BadMac));
        prop_assert_eq!(heard(&mut bob, &alice, &sent), Ok("genuine".to_owned()));
    }
}
