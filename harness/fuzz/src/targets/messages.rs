//! Messages and files: bytes under encryption. No input can be authentic but one that was made before.

use crate::seeds::{PLAINTEXT, genuine, stage};
use countersign_adversary::Party;
use countersign_contract::media::KEY_BYTES;
use countersign_contract::portable::MessageType;
use countersign_contract::seen::MediaKind;
use countersign_reference::media;
use countersign_reference::wire::{self, PqRatchet, tamper_named, tamper_sender_key_message};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

const KINDS: [MessageType; 2] = [MessageType::Prekey, MessageType::Normal];
const FIELDS: [&str; 6] = ["ratchet-key", "counter", "ciphertext", "pq-ratchet", "mac", "version"];

pub(super) fn parse(input: &[u8]) {
    for kind in KINDS {
        if let Ok(message) = wire::parse(kind, input) {
            let inner = message.inner();
            let _ = PqRatchet::read(inner.pq_ratchet.unwrap_or_default());
            assert_eq!(message.outer().is_some(), kind == MessageType::Prekey);
        }
        for field in FIELDS {
            if let Ok(bent) = tamper_named(input, kind, field) {
                assert_ne!(bent, input, "{field} was to be changed");
            }
            if let Ok(bent) = tamper_sender_key_message(input, field) {
                assert_ne!(bent, input, "{field} was to be changed");
            }
        }
    }
    let _ = PqRatchet::read(input);
}

pub(super) fn own_stack(input: &[u8]) {
    for party in &stage().own {
        let before = party.save().expect("plain data");
        let unchanged =
            |tried: &Party| assert_eq!(tried.save().expect("plain data"), before, "what was refused changed something");
        for kind in KINDS {
            let mut tried = party.clone();
            // Some fields of a prekey message are under no MAC: what is read may come in another envelope, but nothing else is.
            match tried.decrypt("peer", kind, input, &mut ChaCha20Rng::seed_from_u64(1)) {
                Ok(opened) => assert_eq!(opened.plaintext, PLAINTEXT, "a message that nobody made was read"),
                Err(_) => unchanged(&tried),
            }
        }
        let mut tried = party.clone();
        match tried.group_decrypt("peer", input) {
            Ok((_, plaintext)) => assert_eq!(plaintext, PLAINTEXT, "a group message that nobody made was read"),
            Err(_) => unchanged(&tried),
        }
        let mut tried = party.clone();
        if tried.process_distribution("peer", input).is_err() {
            unchanged(&tried);
        }
    }
}

pub(super) fn reference(input: &[u8]) {
    let stage = stage();
    for kind in KINDS {
        let mut tried = stage.reference.clone();
        match tried.decrypt(stage.peer, kind, input, stage.now_ms) {
            Ok(opened) => assert_eq!(opened.content, genuine(), "a message that nobody made was read"),
            Err(_) => assert_eq!(tried.enlistment(), stage.reference.enlistment(), "what was refused changed the keys"),
        }
    }
    let mut tried = stage.reference.clone();
    if let Ok((from, opened)) = tried.unseal(input, &stage.trust_root, stage.now_ms) {
        assert_eq!((from, opened.content), (stage.peer, genuine()), "a sealed message that nobody made was read");
    }
}

/// One byte says which kind, 64 are the key, 32 the digest, and the rest is the file.
pub(super) fn media(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    let kind = MediaKind::ALL[usize::from(*kind) % MediaKind::ALL.len()];
    let Some((key, rest)) = rest.split_first_chunk::<KEY_BYTES>() else { return };
    let Some((digest, blob)) = rest.split_first_chunk::<32>() else { return };
    for length in [0, blob.len() as u64, u64::MAX] {
        if let Ok(plaintext) = media::open(kind, key, digest, length, blob) {
            assert!(media::digest_ok(digest, blob) && media::mac_ok(kind, key, blob));
            assert_eq!(plaintext.len() as u64, length);
        }
        let _ = media::examine(kind, key, digest, length, blob);
    }
    let sealed = media::seal(kind, key, blob);
    let opened = media::open(kind, key, &sealed.digest, blob.len() as u64, &sealed.blob);
    assert_eq!(opened.as_deref(), Ok(blob), "what was sealed is opened");
}
