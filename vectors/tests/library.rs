//! Vectors of sender keys and of sealed messages by Signal's library alone, without the harness and without the sample: what it has to read
//! it reads, and what is wrong with keys, signatures, certificates and ciphertexts it refuses by itself. Who is a member of what, and which
//! devices there are, is not the library's to know.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when something is not as it has to be"
)]

use countersign_contract::content::{Content, content::Body};
use countersign_contract::operations::{ImportedKeys, ImportedKyberPrekey};
use countersign_contract::portable::MessageType;
use countersign_contract::seen::UserContent;
use countersign_vectors::builtin_files;
use countersign_vectors::file::{ConversationGroup, ConversationTest, Outcome, StoredMessage, VectorFile};
use futures_util::FutureExt as _;
use libsignal_protocol::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

/// Vectors that are wrong by the rules for groups alone: under a key that was handed out and a signature that verifies.
const BY_THE_RULES: [&str; 18] = [
    "as-pairwise",
    "key-in-group",
    "key-of-other-group",
    "later-list",
    "list-digest-cut",
    "moved",
    "no-group-inside",
    "not-padded",
    "other-group-inside",
    "other-list",
    "pairwise-in-group",
    "removed-sender",
    "stale-list",
    "stranger",
    "typing",
    "unknown-group",
    // The library reads a padding of the cipher as it stands; that the content then is none is found later.
    "ciphertext-flipped",
    // The library takes a signature key of low order.
    "key-signing-key-low-order",
];

/// Sealed vectors that are wrong by the contract's rules alone: the library does not compare the certified key with that of the session.
const SEALED_BY_THE_RULES: [&str; 1] = ["other-key"];

/// When sealed messages are opened: 2033, in milliseconds since the Unix epoch. Certificates in vectors are over since 2000, or hold until
/// 2100.
const OPENED_AT: Timestamp = Timestamp::from_epoch_millis(2_000_000_000_000);

struct Receiver {
    store: InMemSignalProtocolStore,
    rng: ChaCha20Rng,
}

fn now<T>(call: impl Future<Output = Result<T, SignalProtocolError>>) -> Result<T, SignalProtocolError> {
    call.now_or_never().expect("the store never waits")
}

fn pair(private: &[u8]) -> KeyPair {
    let private_key = PrivateKey::deserialize(private).unwrap();
    KeyPair { public_key: private_key.public_key().unwrap(), private_key }
}

impl Receiver {
    fn new(keys: &ImportedKeys) -> Self {
        let time = Timestamp::from_epoch_millis(0);
        let own = pair(&keys.identity_private.0);
        let identity = IdentityKeyPair::new(own.public_key.into(), own.private_key);
        let mut store = InMemSignalProtocolStore::new(identity, keys.registration_id).unwrap();
        let signed = &keys.signed_prekey;
        let record = SignedPreKeyRecord::new(signed.id.into(), time, &pair(&signed.private.0), &signed.signature.0);
        now(store.save_signed_pre_key(signed.id.into(), &record)).unwrap();
        for prekey in &keys.one_time_prekeys {
            let record = PreKeyRecord::new(prekey.id.into(), &pair(&prekey.private.0));
            now(store.save_pre_key(prekey.id.into(), &record)).unwrap();
        }
        for prekey in keys.one_time_kyber_prekeys.iter().chain(&keys.kyber_prekey) {
            let ImportedKyberPrekey { id, public, private, signature } = prekey;
            let kyber = kem::KeyPair::from_public_and_private(&public.0, &private.0).unwrap();
            let record = KyberPreKeyRecord::new((*id).into(), time, &kyber, &signature.0);
            now(store.save_kyber_pre_key((*id).into(), &record)).unwrap();
        }
        Self { store, rng: ChaCha20Rng::seed_from_u64(7) }
    }

    fn pairwise(&mut self, from: &ProtocolAddress, message: &StoredMessage) -> Result<Vec<u8>, SignalProtocolError> {
        let body = message.body.0.as_slice();
        let ciphertext = match message.r#type {
            MessageType::Prekey => CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(body)?),
            MessageType::Normal => CiphertextMessage::SignalMessage(SignalMessage::try_from(body)?),
        };
        now(message_decrypt(
            &ciphertext,
            from,
            &mut self.store.session_store,
            &mut self.store.identity_store,
            &mut self.store.pre_key_store,
            &self.store.signed_pre_key_store,
            &mut self.store.kyber_pre_key_store,
            &mut self.rng,
        ))
    }

    /// The user whom a sealed message's certificate names, and its plaintext.
    fn sealed(&mut self, own: &str, root: &PublicKey, body: &[u8]) -> Result<(String, Vec<u8>), SignalProtocolError> {
        let opened = now(sealed_sender_decrypt(
            body,
            root,
            OPENED_AT,
            None,
            own.to_owned(),
            DeviceId::new(1).unwrap(),
            &mut self.store.identity_store,
            &mut self.store.session_store,
            &mut self.store.pre_key_store,
            &self.store.signed_pre_key_store,
            &mut self.store.kyber_pre_key_store,
        ))?;
        Ok((opened.sender_uuid, opened.message))
    }

    /// The text that the library reads; nothing for a sender key, which it takes.
    fn receive(&mut self, from: &ProtocolAddress, message: &StoredMessage) -> Result<Option<String>, SignalProtocolError> {
        let padded = match message.group {
            Some(_) => now(group_decrypt(&message.body.0, &mut self.store.sender_key_store, from))?,
            None => self.pairwise(from, message)?,
        };
        // What is no content is for whoever calls the library.
        let body = Content::from_padded(&padded).ok().and_then(|content| content.body);
        match body {
            Some(Body::SenderKey(key)) if message.group.is_none() => {
                let key = SenderKeyDistributionMessage::try_from(key.distribution.as_slice())?;
                now(process_sender_key_distribution_message(from, &key, &mut self.store.sender_key_store))?;
                Ok(None)
            }
            Some(Body::Text(text)) => Ok(Some(text.text)),
            _ => Ok(Some(String::new())),
        }
    }
}

/// How many messages were read and refused.
fn check(group: &ConversationGroup, test: &ConversationTest, counts: &mut BTreeMap<&'static str, u32>) {
    let mut receiver = Receiver::new(&group.keys);
    for (index, message) in test.messages.iter().enumerate() {
        let name = format!("{}, message {}", test.about.id, index + 1);
        let peer = group.peers[&message.from].user.to_string();
        let from = ProtocolAddress::new(peer, DeviceId::new(1).unwrap());
        let text = message.content.as_ref().map(|content| match content {
            UserContent::Text { text } => text.clone(),
            other => panic!("{name}: {other:?}"),
        });
        let received = receiver.receive(&from, message);
        let what = match message.result {
            Outcome::Valid => {
                assert_eq!(received.unwrap_or_else(|error| panic!("{name}: {error}")), text, "{name}");
                "read"
            }
            Outcome::Invalid if BY_THE_RULES.contains(&test.about.id.as_str()) => "left to the rules",
            Outcome::Invalid => {
                assert!(received.is_err(), "{name}: {received:?}");
                "refused"
            }
            Outcome::Acceptable => "either",
        };
        *counts.entry(what).or_default() += 1;
    }
}

#[test]
fn signals_library_reads_and_refuses_sender_keys_as_the_vectors_say() {
    let text = &builtin_files()["sender-keys/pq.json"];
    let file: VectorFile<ConversationGroup> = serde_json::from_str(text).unwrap();
    let mut counts = BTreeMap::new();
    for group in &file.groups {
        for test in &group.tests {
            check(group, test, &mut counts);
        }
        for name in BY_THE_RULES {
            let test = group.tests.iter().find(|test| test.about.id == name);
            assert_eq!(test.map(|test| test.about.result), Some(Outcome::Invalid), "{name}");
        }
    }
    println!("messages to one receiver on Signal's library: {counts:?}");
    assert!(counts["read"] > 200 && counts["refused"] > 40, "{counts:?}");
}

#[test]
fn signals_library_opens_and_refuses_sealed_messages_as_the_vectors_say() {
    let text = &builtin_files()["sealed-sender/pq.json"];
    let file: VectorFile<ConversationGroup> = serde_json::from_str(text).unwrap();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for group in &file.groups {
        let root = PublicKey::deserialize(&group.trust_root.as_ref().unwrap().0).unwrap();
        for test in &group.tests {
            let mut receiver = Receiver::new(&group.keys);
            for (index, message) in test.messages.iter().enumerate() {
                let name = format!("{}, message {}", test.about.id, index + 1);
                let peer = group.peers[&message.from].user.to_string();
                let opened = if message.sealed {
                    receiver.sealed(&group.receiver.to_string(), &root, &message.body.0)
                } else {
                    let from = ProtocolAddress::new(peer.clone(), DeviceId::new(1).unwrap());
                    receiver.pairwise(&from, message).map(|padded| (peer.clone(), padded))
                };
                let opened = opened.map(|(user, padded)| {
                    let content = Content::from_padded(&padded).unwrap_or_else(|error| panic!("{name}: {error:?}"));
                    (user, content.shown(None))
                });
                let what = match message.result {
                    Outcome::Valid => {
                        let read = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
                        assert_eq!(read, (peer, message.content.clone()), "{name}");
                        if message.sealed { "opened" } else { "read without a seal" }
                    }
                    Outcome::Invalid if SEALED_BY_THE_RULES.contains(&test.about.id.as_str()) => {
                        assert!(opened.is_ok(), "{name}: {opened:?}, so that it is not left to the rules");
                        "left to the rules"
                    }
                    Outcome::Invalid => {
                        assert!(opened.is_err(), "{name}: {opened:?}");
                        "refused"
                    }
                    Outcome::Acceptable => "either",
                };
                *counts.entry(what).or_default() += 1;
            }
        }
        for name in SEALED_BY_THE_RULES {
            let test = group.tests.iter().find(|test| test.about.id == name);
            assert_eq!(test.map(|test| test.about.result), Some(Outcome::Invalid), "{name}");
        }
    }
    println!("sealed messages to one receiver on Signal's library: {counts:?}");
    assert!(counts["opened"] > 40 && counts["refused"] > 15 && counts["left to the rules"] == 1, "{counts:?}");
}
