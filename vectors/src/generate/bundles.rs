//! Prekey bundles.

use super::room::{profile, rng, uuid};
use super::{GenerateError, Sheet};
use crate::file::{About, BundleGroup, BundleTest, Outcome};
use countersign_adversary::{Config, Party};
use countersign_contract::claims::Suite;
use countersign_contract::portable::{Enlist, KeyBundle, Prekey, SignedKey};
use countersign_contract::{Bytes, Reason, UserId};
use countersign_scenarios::language::WeakKey;
use std::collections::BTreeMap;

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "signature-not-checked",
        "The signature of a prekey is not verified, or not under the identity key of the bundle.",
        "Whoever serves bundles puts keys of its own in their place, and reads along.",
    ),
    (
        "signature-over-part",
        "The signature is verified over something else than all bytes of the key as it stands in the bundle.",
        "A signature made for one purpose serves another.",
    ),
    ("malformed-key", "The length or the type of a key is not checked.", "Crashes, or one key read as another."),
    ("low-order-key", "A key of low order, or all zero, is agreed with.", "A part of the agreement is known to everybody."),
    (
        EITHER,
        "A registration id that is wider than the 14 bits that official clients draw is cut off.",
        "Two installations of one peer are taken for one.",
    ),
    (
        "missing-key",
        "A bundle without the key that the suite needs is good enough.",
        "The post-quantum part is stripped by whoever serves bundles.",
    ),
];

/// The flag of what may be taken or refused.
const EITHER: &str = "registration-id";

const SIGNATURE: &[Reason] = &[Reason::BadSignature];
const SIGNATURE_FORM: &[Reason] = &[Reason::BadSignature, Reason::Malformed];
const KEY: &[Reason] = &[Reason::BadKey, Reason::Malformed];
const KEY_OR_SIGNATURE: &[Reason] = &[Reason::BadKey, Reason::Malformed, Reason::BadSignature];
const MISSING: &[Reason] = &[Reason::BadKey, Reason::Malformed, Reason::BadVersion];

pub(super) fn files(files: &mut BTreeMap<String, String>) -> Result<(), GenerateError> {
    for (name, suite, title, source) in [
        (
            "pq",
            Suite::SignalPq,
            "Prekey bundles for PQXDH, with and without faults.",
            "Signal: The PQXDH Key Agreement Protocol, revision 3, section 3.2",
        ),
        (
            "classic",
            Suite::SignalClassic,
            "Prekey bundles for X3DH, with and without faults.",
            "Signal: The X3DH Key Agreement Protocol, revision 1, section 3.2",
        ),
    ] {
        let mut maker = Maker::new(name, suite);
        maker.valid();
        maker.signatures();
        maker.curve_keys();
        if suite == Suite::SignalPq {
            maker.kyber_keys();
        }
        let sheet = Sheet { kind: "prekey-bundle", name, title, source, flags: FLAGS.to_vec(), groups: vec![maker.group()] };
        sheet.only_used(|group| group.tests.iter().map(|test| &test.about).collect()).write(files)?;
    }
    Ok(())
}

struct Maker {
    label: &'static str,
    suite: Suite,
    peer: Party,
    other: Party,
    enlist: Enlist,
    twin: Enlist,
    tests: Vec<BundleTest>,
}

impl Maker {
    fn new(label: &'static str, suite: Suite) -> Self {
        let made = |name: &str| {
            let mut rng = rng(&["prekey-bundle", label, name]);
            let mut party = Party::new(Config::new(profile(suite)), &mut rng);
            party.add_one_time(2, 1, &mut rng);
            party
        };
        let (peer, other) = (made("bob"), made("carol"));
        let user = |name: &str| UserId(uuid(&["prekey-bundle", label, name]));
        let (enlist, twin) = (peer.enlistment(user("bob")), other.enlistment(user("carol")));
        Self { label, suite, peer, other, enlist, twin, tests: Vec::new() }
    }

    fn group(self) -> BundleGroup {
        let user = UserId(uuid(&["prekey-bundle", self.label, "alice"]));
        BundleGroup { suite: self.suite, user, peer: self.enlist, twin: self.twin, tests: self.tests }
    }

    fn honest(&self) -> KeyBundle {
        let enlist = &self.enlist;
        KeyBundle {
            user: enlist.user,
            registration_id: enlist.registration_id,
            identity_key: enlist.identity_key.clone(),
            signed_prekey: enlist.signed_prekey.clone(),
            // The second: the first is for the honest bundle that follows.
            one_time_prekey: enlist.one_time_prekeys.get(1).cloned(),
            kyber_prekey: enlist.kyber_prekey.clone(),
        }
    }

    fn add(&mut self, id: &str, comment: &str, (flag, requirement): (&str, &str), bundle: KeyBundle, reasons: &[Reason]) {
        let result = match reasons {
            [] => Outcome::Valid,
            _ if flag == EITHER => Outcome::Acceptable,
            _ => Outcome::Invalid,
        };
        let flags = if flag.is_empty() { Vec::new() } else { vec![flag.to_owned()] };
        let about = About {
            id: format!("{}-{id}", self.label),
            comment: comment.to_owned(),
            flags,
            verifies: vec![requirement.to_owned()],
            features: Vec::new(),
            result,
        };
        self.tests.push(BundleTest { about, bundle, reasons: reasons.to_vec() });
    }

    fn bent(&mut self, id: &str, comment: &str, why: (&str, &str), reasons: &[Reason], bend: impl FnOnce(&mut KeyBundle)) {
        let mut bundle = self.honest();
        bend(&mut bundle);
        self.add(id, comment, why, bundle, reasons);
    }

    /// A key with the peer's own signature over it.
    fn signed(&self, id: u32, key: Vec<u8>, what: &str) -> SignedKey {
        let signature = self.peer.sign(&key, &mut rng(&["prekey-bundle", self.label, "sign", what]));
        SignedKey { id, key: Bytes(key), signature: Bytes(signature.to_vec()) }
    }

    fn valid(&mut self) {
        let none = ("", "PK-07");
        self.bent("honest", "A bundle with a one-time prekey.", none, &[], |_| {});
        self.bent("without-one-time-prekey", "A bundle without one-time prekey.", none, &[], |bundle| {
            bundle.one_time_prekey = None
        });
        let comment = "The registration id takes more than the 14 bits that official clients draw: their format has room for it.";
        self.bent("registration-id-wide", comment, (EITHER, "PK-07"), &[Reason::Malformed], |bundle| {
            bundle.registration_id = 0x4000
        });
    }

    fn signatures(&mut self) {
        let why = ("signature-not-checked", "PK-07");
        for (id, comment, at) in [
            ("signature-first-bit", "The first bit of the signed prekey's signature is flipped.", 0),
            ("signature-middle-bit", "A bit in the middle of the signed prekey's signature is flipped.", 32),
        ] {
            self.bent(id, comment, why, SIGNATURE, |b| flip(&mut b.signed_prekey.signature, at));
        }
        self.bent("signature-zero", "The signed prekey's signature is all zero.", why, SIGNATURE_FORM, |b| {
            b.signed_prekey.signature = Bytes(vec![0; 64]);
        });
        self.bent("signature-cut", "The signed prekey's signature is a byte too short.", why, SIGNATURE_FORM, |b| {
            b.signed_prekey.signature.0.truncate(63);
        });
        self.bent("signature-long", "A byte follows the signed prekey's signature.", why, SIGNATURE_FORM, |b| {
            b.signed_prekey.signature.0.push(0)
        });
        self.bent("signature-empty", "The signed prekey's signature is empty.", why, SIGNATURE_FORM, |b| {
            b.signed_prekey.signature.0.clear()
        });
        let of_other = self.other.sign(&self.enlist.signed_prekey.key.0, &mut rng(&["prekey-bundle", self.label, "of other"]));
        self.bent("signature-of-other", "The signed prekey is signed by another user's identity key.", why, SIGNATURE, |b| {
            b.signed_prekey.signature = Bytes(of_other.to_vec());
        });
        let bare = self.enlist.signed_prekey.key.0.get(1..).unwrap_or_default().to_vec();
        let over_bare = self.peer.sign(&bare, &mut rng(&["prekey-bundle", self.label, "over bare"]));
        let part = ("signature-over-part", "PK-07");
        self.bent(
            "signature-over-bare-key",
            "The signature is over the signed prekey without its type byte.",
            part,
            SIGNATURE,
            |b| {
                b.signed_prekey.signature = Bytes(over_bare.to_vec());
            },
        );
        self.bent("signed-prekey-other", "The signed prekey is another one than was signed.", why, SIGNATURE, |b| {
            flip(&mut b.signed_prekey.key, 9);
        });
        let identity = self.twin.identity_key.clone();
        self.bent("identity-key-other", "The identity key is another user's; the signatures are not.", why, SIGNATURE, |b| {
            b.identity_key = identity
        });
        let twin = self.twin.signed_prekey.clone();
        self.bent(
            "signed-prekey-of-other",
            "The signed prekey is another user's, with that user's signature.",
            why,
            SIGNATURE,
            |b| {
                b.signed_prekey = twin;
            },
        );
    }

    fn curve_keys(&mut self) {
        let (low, form) = (("low-order-key", "KEY-01"), ("malformed-key", "KEY-01"));
        for (name, weak) in [
            ("zero", WeakKey::Zero),
            ("one", WeakKey::One),
            ("order-eight", WeakKey::OrderEight),
            ("order-eight-twin", WeakKey::OrderEightTwin),
            ("minus-one", WeakKey::MinusOne),
            ("modulus-as-zero", WeakKey::ModulusAsZero),
            ("modulus-as-one", WeakKey::ModulusAsOne),
        ] {
            let key = [&[0x05][..], &weak.bytes()].concat();
            let signed = self.signed(self.enlist.signed_prekey.id, key.clone(), name);
            self.bent(
                &format!("signed-prekey-{name}"),
                "The signed prekey is of low order, and properly signed.",
                low,
                KEY,
                |b| b.signed_prekey = signed,
            );
            let one_time = Prekey { id: 77, key: Bytes(key.clone()) };
            self.bent(&format!("one-time-prekey-{name}"), "The one-time prekey is of low order.", low, KEY, |b| {
                b.one_time_prekey = Some(one_time)
            });
            self.bent(&format!("identity-key-{name}"), "The identity key is of low order.", low, KEY_OR_SIGNATURE, |b| {
                b.identity_key = Bytes(key)
            });
        }
        let key = self.enlist.signed_prekey.key.0.clone();
        let id = self.enlist.signed_prekey.id;
        for (name, comment, bytes) in [
            ("cut", "a byte too short", key.get(..32).unwrap_or_default().to_vec()),
            ("long", "a byte too long", [&key[..], &[0]].concat()),
            ("empty", "empty", Vec::new()),
            ("type", "of a type that there is not", [&[0x06][..], key.get(1..).unwrap_or_default()].concat()),
        ] {
            let signed = self.signed(id, bytes.clone(), name);
            self.bent(
                &format!("signed-prekey-{name}"),
                &format!("The signed prekey is {comment}, and properly signed."),
                form,
                KEY,
                |b| b.signed_prekey = signed,
            );
            let one_time = Prekey { id: 77, key: Bytes(bytes.clone()) };
            self.bent(&format!("one-time-prekey-{name}"), &format!("The one-time prekey is {comment}."), form, KEY, |b| {
                b.one_time_prekey = Some(one_time)
            });
            self.bent(&format!("identity-key-{name}"), &format!("The identity key is {comment}."), form, KEY_OR_SIGNATURE, |b| {
                b.identity_key = Bytes(bytes)
            });
        }
    }

    fn kyber_keys(&mut self) {
        let Some(own) = self.enlist.kyber_prekey.clone() else { return };
        let why = ("signature-not-checked", "PK-07");
        let with = |key: SignedKey| move |b: &mut KeyBundle| b.kyber_prekey = Some(key);
        for (id, comment, at) in [
            ("kyber-signature-first-bit", "The first bit of the Kyber prekey's signature is flipped.", 0),
            ("kyber-signature-middle-bit", "A bit in the middle of the Kyber prekey's signature is flipped.", 32),
        ] {
            let mut key = own.clone();
            flip(&mut key.signature, at);
            self.bent(id, comment, why, SIGNATURE, with(key));
        }
        let cut = SignedKey { signature: Bytes(own.signature.0.get(..63).unwrap_or_default().to_vec()), ..own.clone() };
        self.bent("kyber-signature-cut", "The Kyber prekey's signature is a byte too short.", why, SIGNATURE_FORM, with(cut));
        let of_other = self.other.sign(&own.key.0, &mut rng(&["prekey-bundle", self.label, "kyber of other"]));
        let of_other = SignedKey { signature: Bytes(of_other.to_vec()), ..own.clone() };
        self.bent(
            "kyber-signature-of-other",
            "The Kyber prekey is signed by another user's identity key.",
            why,
            SIGNATURE,
            with(of_other),
        );
        let borrowed = SignedKey { signature: self.enlist.signed_prekey.signature.clone(), ..own.clone() };
        let part = ("signature-over-part", "PK-07");
        self.bent(
            "kyber-signature-borrowed",
            "The Kyber prekey stands with the signed prekey's signature.",
            part,
            SIGNATURE,
            with(borrowed),
        );
        let mut changed = own.clone();
        flip(&mut changed.key, 700);
        self.bent("kyber-prekey-other", "The Kyber prekey is another one than was signed.", why, SIGNATURE, with(changed));
        if let Some(twin) = self.twin.kyber_prekey.clone() {
            self.bent(
                "kyber-prekey-of-other",
                "The Kyber prekey is another user's, with that user's signature.",
                why,
                SIGNATURE,
                with(twin),
            );
        }
        let rest = own.key.0.get(1..).unwrap_or_default().to_vec();
        for (name, flag, comment, bytes) in [
            ("zero", "low-order-key", "all zero", [&[0x08][..], &vec![0; 1568]].concat()),
            ("cut", "malformed-key", "a byte too short", own.key.0.get(..1568).unwrap_or_default().to_vec()),
            ("long", "malformed-key", "a byte too long", [&own.key.0[..], &[0]].concat()),
            ("empty", "malformed-key", "empty", Vec::new()),
            ("type", "malformed-key", "of a type that there is not", [&[0x0b][..], &rest].concat()),
        ] {
            let key = self.signed(own.id, bytes, name);
            let comment = format!("The Kyber prekey is {comment}, and properly signed.");
            self.bent(&format!("kyber-prekey-{name}"), &comment, (flag, "KEY-01"), KEY, with(key));
        }
        self.bent("kyber-prekey-missing", "There is no Kyber prekey.", ("missing-key", "PK-07"), MISSING, |b| {
            b.kyber_prekey = None
        });
    }
}

fn flip(bytes: &mut Bytes, at: usize) {
    if let Some(byte) = bytes.0.get_mut(at) {
        *byte ^= 1;
    }
}
