//! Sealed messages between two vaults: what an honest one refuses, and what each defect lets pass.

use super::vaults::{Party, talking};
use crate::vault::{Unsealed, Unvouched};
use crate::{Defect, Defects, Honest};
use countersign_contract::claims::Suite;
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{DeviceId, KeyPair, PublicKey, SenderCertificate, ServerCertificate, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use uuid::Uuid;

const NOW: u64 = 1_700_000_000_000;

/// A trust root, and a server that it signed.
struct Authority {
    root: KeyPair,
    server: KeyPair,
    certificate: ServerCertificate,
    rng: StdRng,
}

impl Authority {
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(7);
        let (root, server) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let certificate = ServerCertificate::new(1, server.public_key, &root.private_key, &mut rng).unwrap();
        Self { root, server, certificate, rng }
    }

    fn root(&self) -> Vec<u8> {
        self.root.public_key.serialize().into_vec()
    }

    fn certify(&mut self, user: UserId, key: &[u8], device: u8, until: u64) -> Vec<u8> {
        let (device, until) = (DeviceId::new(device).unwrap(), Timestamp::from_epoch_millis(until));
        let (key, signer) = (PublicKey::deserialize(key).unwrap(), self.certificate.clone());
        let by = &self.server.private_key;
        let made = SenderCertificate::new(user.to_string(), None, key, device, until, signer, by, &mut self.rng).unwrap();
        made.serialized().unwrap().to_vec()
    }

    fn of(&mut self, party: &Party) -> Vec<u8> {
        self.certify(party.user, &party.vault.identity_key(), 1, NOW)
    }
}

fn seal(from: &mut Party, to: &Party, text: &str, certificate: &[u8]) -> Vec<u8> {
    let (kind, body) = from.seal(to, text);
    from.vault.seal_sender(to.user, kind, body, certificate).unwrap()
}

fn unseal(by: &mut Party, sealed: &[u8], root: &[u8]) -> Result<Unsealed, Reason> {
    by.vault.unseal(sealed, root, NOW).map_err(|Unvouched { reason, .. }| reason)
}

/// What the second of two who talk makes of a message that the first one sealed.
fn outcome(
    defects: impl Defects,
    root: Option<&Authority>,
    wrong: impl FnOnce(&mut Authority, &Party) -> Vec<u8>,
) -> Result<String, Reason> {
    let mut ours = Authority::new();
    let (mut alice, mut bob) = talking(Suite::SignalPq, Honest, defects);
    let certificate = wrong(&mut ours, &alice);
    let sealed = seal(&mut alice, &bob, "sealed", &certificate);
    let unsealed = unseal(&mut bob, &sealed, &root.unwrap_or(&ours).root())?;
    let opened = bob.vault.open_certified(&unsealed)?;
    assert_eq!(unsealed.from == alice.user, opened.plaintext == b"sealed");
    Ok(String::from_utf8(opened.plaintext).unwrap())
}

#[test]
fn a_sealed_message_is_read_once_and_refused_by_others() {
    let mut ours = Authority::new();
    let (mut alice, mut bob) = talking(Suite::SignalPq, Honest, Honest);
    let certificate = ours.of(&alice);
    let sealed = seal(&mut alice, &bob, "sealed", &certificate);
    let unsealed = unseal(&mut bob, &sealed, &ours.root()).unwrap();
    assert_eq!(unsealed.from, alice.user);
    assert_eq!(bob.vault.open_certified(&unsealed).unwrap().plaintext, b"sealed");
    assert_eq!(bob.vault.open_certified(&unsealed), Err(Reason::Duplicate));
    let mut carol = Party::new(Suite::SignalPq, Honest, 1);
    assert_eq!(unseal(&mut carol, &sealed, &ours.root()).unwrap_err(), Reason::Malformed);
    for at in [0, 1, sealed.len() / 2, sealed.len() - 1] {
        let mut bent = sealed.clone();
        bent[at] ^= 0x20;
        assert!(unseal(&mut bob, &bent, &ours.root()).is_err(), "byte {at}");
        assert!(unseal(&mut bob, &sealed[..at], &ours.root()).is_err(), "cut at {at}");
    }
}

#[test]
fn a_certificate_that_is_no_good_passes_with_its_defect_alone() {
    let theirs = Authority { rng: StdRng::seed_from_u64(8), ..Authority::new() };
    let other = Authority { root: KeyPair::generate(&mut StdRng::seed_from_u64(9)), ..theirs };
    let honest = |ours: &mut Authority, alice: &Party| ours.of(alice);
    assert_eq!(outcome(Honest, None, honest), Ok("sealed".to_owned()));
    assert_eq!(outcome(Honest, Some(&other), honest), Err(Reason::BadSignature));
    assert!(outcome(Defect::SkipsTrustRoot, Some(&other), honest).is_ok());

    let other_server = |ours: &mut Authority, alice: &Party| {
        ours.server = KeyPair::generate(&mut StdRng::seed_from_u64(10));
        ours.of(alice)
    };
    assert_eq!(outcome(Honest, None, other_server), Err(Reason::BadSignature));
    assert_eq!(outcome(Defect::SkipsTrustRoot, None, other_server), Err(Reason::BadSignature));
    assert!(outcome(Defect::ChecksServerCertificateOnly, None, other_server).is_ok());

    let over = |ours: &mut Authority, alice: &Party| ours.certify(alice.user, &alice.vault.identity_key(), 1, NOW - 1);
    assert_eq!(outcome(Honest, None, over), Err(Reason::Unauthorized));
    assert!(outcome(Defect::IgnoresCertificateExpiry, None, over).is_ok());

    let second = |ours: &mut Authority, alice: &Party| ours.certify(alice.user, &alice.vault.identity_key(), 2, NOW);
    assert_eq!(outcome(Honest, None, second), Err(Reason::Malformed));
    assert!(outcome(Defect::TakesAnyCertifiedDevice, None, second).is_ok());

    // Sealed with another key than the certified one, which libsignal itself notices.
    let stolen = |ours: &mut Authority, _: &Party| {
        let key = KeyPair::generate(&mut StdRng::seed_from_u64(11)).public_key.serialize();
        ours.certify(UserId(Uuid::from_u128(5)), &key, 1, NOW)
    };
    assert_eq!(outcome(Honest, None, stolen), Err(Reason::Malformed));
}

#[test]
fn what_was_read_under_another_key_than_the_certified_one_can_still_be_read() {
    let mut ours = Authority::new();
    let (mut alice, mut bob) = talking(Suite::SignalPq, Honest, Honest);
    let certificate = ours.of(&alice);
    let sealed = seal(&mut alice, &bob, "sealed", &certificate);
    let good = unseal(&mut bob, &sealed, &ours.root()).unwrap();
    let bad = Unsealed { key: vec![5; 33], ..good.clone() };
    assert_eq!(bob.vault.open_certified(&bad), Err(Reason::WrongRecipient));
    assert_eq!(bob.vault.open_certified(&good).unwrap().plaintext, b"sealed");
    // The same of a first message.
    let mut carol = Party::new(Suite::SignalPq, Honest, 1);
    carol.start(&mut bob);
    let certificate = ours.of(&carol);
    let sealed = seal(&mut carol, &bob, "first", &certificate);
    let good = unseal(&mut bob, &sealed, &ours.root()).unwrap();
    let bad = Unsealed { key: vec![5; 33], ..good.clone() };
    assert_eq!(bob.vault.open_certified(&bad), Err(Reason::WrongRecipient));
    assert!(!bob.vault.has_met(carol.user));
    assert_eq!(bob.vault.open_certified(&good).unwrap().plaintext, b"first");
}
