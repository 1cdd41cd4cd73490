//! Sealed sender, read by Signal's crate.

use crate::library::{Identities, SealedCertificates};
use crate::twins::draws;
use countersign_adversary::{Alteration, Config, KeyPair, Party, SealedContent, SealedKind, WireProfile};
use futures_util::FutureExt as _;
use libsignal_protocol::{
    CiphertextMessageType, ContentHint, IdentityKey, IdentityKeyPair, PrivateKey, PublicKey, SenderCertificate,
    SignalProtocolError, UnidentifiedSenderMessageContent, sealed_sender_decrypt_to_usmc, sealed_sender_encrypt_from_usmc,
};

fn identity_of(pair: &KeyPair) -> IdentityKeyPair {
    let private = PrivateKey::deserialize(&pair.private_bytes()).unwrap();
    IdentityKeyPair::new(IdentityKey::new(PublicKey::deserialize(&pair.public.serialized()).unwrap()), private)
}

/// A sender of a known identity, its certificate, and the receiver's identity.
struct Stage {
    sender: Party,
    identity: IdentityKeyPair,
    certificate: SenderCertificate,
    receiver: IdentityKeyPair,
}

impl Stage {
    fn new() -> Self {
        let theirs = crate::library::Library::new(WireProfile::V4, &mut draws(1));
        let sender = Party::import(Config::new(WireProfile::V4), &theirs.export(), &mut draws(2)).unwrap();
        let certificate = SealedCertificates::new(3).certify(theirs.identity.identity_key());
        Self { sender, identity: theirs.identity, certificate, receiver: identity_of(&KeyPair::generate(&mut draws(4))) }
    }

    fn seal(&self, alterations: &[Alteration]) -> Vec<u8> {
        let content = SealedContent {
            kind: SealedKind::SenderKey,
            certificate: self.certificate.serialized().unwrap().to_vec(),
            message: b"a message".to_vec(),
            group: Some(b"a group".to_vec()),
        };
        self.sender.seal(&self.receiver.identity_key().serialize(), &content, alterations, &mut draws(5)).unwrap()
    }

    fn open(&self, bytes: &[u8]) -> Result<UnidentifiedSenderMessageContent, SignalProtocolError> {
        sealed_sender_decrypt_to_usmc(bytes, &Identities::new(self.receiver)).now_or_never().unwrap()
    }
}

#[test]
fn ours_is_the_same_to_the_byte() {
    let stage = Stage::new();
    let content = UnidentifiedSenderMessageContent::new(
        CiphertextMessageType::SenderKey,
        stage.certificate.clone(),
        b"a message".to_vec(),
        ContentHint::Default,
        Some(b"a group".to_vec()),
    );
    let mut identities = Identities::new(stage.identity);
    identities.peer = Some(*stage.receiver.identity_key());
    let (address, content, rng) = (crate::library::address("receiver"), content.unwrap(), &mut draws(5));
    let theirs = sealed_sender_encrypt_from_usmc(&address, &content, &identities, rng).now_or_never();
    assert_eq!(stage.seal(&[]), theirs.unwrap().unwrap());
    let read = stage.open(&stage.seal(&[])).unwrap();
    assert_eq!(read.contents().unwrap(), b"a message");
}

#[test]
fn forged_sealed_messages() {
    let stage = Stage::new();
    for (case, expected) in [
        (r#"{"set-number":{"field":"envelope-version","number":34}}"#, None),
        (r#"{"flip":{"field":"envelope-ephemeral","bit":100}}"#, None),
        (r#"{"flip":{"field":"envelope-static","bit":0}}"#, None),
        (r#"{"flip":{"field":"envelope-message","bit":0}}"#, None),
        // Under valid MACs from here on.
        (r#"{"identity-key":"fresh"}"#, None),
        (r#"{"remove":"sealed-certificate"}"#, None),
        (r#"{"flip":{"field":"sealed-certificate","bit":8}}"#, None),
        (r#"{"set-number":{"field":"sealed-type","number":9}}"#, None),
        (r#"{"set-bytes":{"field":"sealed-content","bytes":"AQ"}}"#, Some(vec![1])),
        (r#"{"set-bytes":{"field":"sealed-group","bytes":"AQ"}}"#, Some(b"a message".to_vec())),
        (r#"{"set-number":{"field":"sealed-hint","number":1}}"#, Some(b"a message".to_vec())),
        (r#"{"add":{"layer":"sealed","tag":9,"value":{"number":1}}}"#, Some(b"a message".to_vec())),
        (r#"{"edit":{"part":"sealed","field":[3],"how":{"redundant":1}}}"#, Some(b"a message".to_vec())),
        (r#"{"edit":{"part":"sealed","how":{"append":"IAk"}}}"#, Some(b"a message".to_vec())),
        (r#"{"edit":{"part":"sealed","field":[2,2],"how":"remove"}}"#, None),
        (r#"{"edit":{"part":"sealed","field":[3],"how":{"length":4294967295}}}"#, None),
        (r#"{"edit":{"part":"envelope","field":[3],"how":{"repeat":1}}}"#, Some(b"a message".to_vec())),
        (r#"{"edit":{"part":"envelope","field":[3],"how":{"flip":0}}}"#, None),
    ] {
        let altered = stage.seal(&[serde_json::from_str(case).unwrap()]);
        assert!(altered != stage.seal(&[]), "{case}: altered nothing");
        let read = stage.open(&altered).ok().map(|content| content.contents().unwrap().to_vec());
        assert_eq!(read, expected, "{case}");
    }
}
