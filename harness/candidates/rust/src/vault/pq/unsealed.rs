//! A sealed message opened without the library: without a look at who sealed it, and read with whichever session fits, for the defect
//! `shows-certified-sender`; without a look at its authentication codes, for `skips-seal-mac`. libsignal's own calls do not let a
//! client have these.

use super::super::outcome::{Opened, Unsealed};
use super::Vault;
use super::sealed::Inside;
use aes::Aes256;
use cbc::cipher::{KeyIvInit as _, StreamCipher as _};
use countersign_contract::portable::MessageType;
use countersign_contract::{Reason, UserId};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use libsignal_protocol::{PrivateKey, PublicKey, SenderCertificate};
use prost::Message as _;
use sha2::Sha256;
use std::str::FromStr as _;

/// Bytes of the MAC at the end of each encrypted part.
const MAC_BYTES: usize = 10;
const SALT: &[u8] = b"UnidentifiedDelivery";

/// The outside.
#[derive(Clone, PartialEq, prost::Message)]
struct Envelope {
    #[prost(bytes = "vec", tag = "1")]
    ephemeral: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    encrypted_static: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    encrypted_message: Vec<u8>,
}

/// The inside.
#[derive(Clone, PartialEq, prost::Message)]
struct Content {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(bytes = "vec", tag = "2")]
    certificate: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    message: Vec<u8>,
}

impl Vault {
    /// What is inside, whoever sealed it.
    pub(super) fn inside_whoever_sealed(&self, body: &[u8]) -> Option<Inside> {
        self.inside_by(body, decrypt).map(|(inside, _)| inside)
    }

    /// What is inside, whatever its authentication codes say; that the certified key sealed it is looked at.
    pub(super) fn inside_whatever_mac(&self, body: &[u8]) -> Option<Inside> {
        let (inside, sender) = self.inside_by(body, |keys, bytes| {
            let length = bytes.len().checked_sub(MAC_BYTES)?;
            bytes.get(..length).and_then(|ciphertext| keystream(keys, ciphertext))
        })?;
        let certified = inside.certificate.key().ok()?.serialize();
        (*certified == *sender).then_some(inside)
    }

    /// What is inside, and the key that sealed it.
    fn inside_by(&self, body: &[u8], decrypt: impl Fn(&[u8; 96], &[u8]) -> Option<Vec<u8>>) -> Option<(Inside, Vec<u8>)> {
        let envelope = Envelope::decode(body.get(1..)?).ok()?;
        let (private, own) = (self.identities.own.private_key(), self.identities.own.identity_key().serialize());
        let salt = [SALT, &own, &envelope.ephemeral].concat();
        let keys = derive(private, &envelope.ephemeral, &salt)?;
        let sender = decrypt(&keys, &envelope.encrypted_static)?;
        let salt = [keys.get(..32)?, &envelope.encrypted_static].concat();
        let keys = derive(private, &sender, &salt)?;
        let content = Content::decode(decrypt(&keys, &envelope.encrypted_message)?.as_slice()).ok()?;
        let kind = match content.kind {
            1 => Some(MessageType::Prekey),
            2 => Some(MessageType::Normal),
            _ => None,
        };
        let certificate = SenderCertificate::deserialize(&content.certificate).ok()?;
        Some((Inside { certificate, kind, message: content.message, hint: 0 }, sender))
    }

    /// Decrypts with the session of the certified user, or else with any. That the certified key is the user's is checked; that it is
    /// the sender's is not.
    pub(super) fn open_whoever_sent(&mut self, unsealed: &Unsealed) -> Result<Opened, Reason> {
        let known = self.identities.peer(&unsealed.from.to_string()).map(|peer| peer.latest.serialize());
        if known.is_some_and(|known| *known != *unsealed.key) {
            return Err(Reason::WrongRecipient);
        }
        let first = self.open(unsealed.from, unsealed.kind, &unsealed.body);
        let Err(reason) = first else { return first };
        let others: Vec<UserId> = self.sessions.0.keys().filter_map(|name| UserId::from_str(name).ok()).collect();
        let found = others.into_iter().find_map(|other| self.open(other, unsealed.kind, &unsealed.body).ok());
        found.ok_or(reason)
    }
}

/// A chain key, a cipher key and a MAC key, of 32 bytes each.
fn derive(private: &PrivateKey, public: &[u8], salt: &[u8]) -> Option<[u8; 96]> {
    let secret = private.calculate_agreement(&PublicKey::deserialize(public).ok()?).ok()?;
    let mut keys = [0; 96];
    Hkdf::<Sha256>::new(Some(salt), &secret).expand(&[], &mut keys).ok()?;
    Some(keys)
}

/// AES-256-CTR under a counter from zero, and the first bytes of an HMAC-SHA256.
fn decrypt(keys: &[u8; 96], bytes: &[u8]) -> Option<Vec<u8>> {
    let (ciphertext, tag) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(keys.get(64..)?).ok()?;
    mac.update(ciphertext);
    mac.verify_truncated_left(tag).ok()?;
    keystream(keys, ciphertext)
}

fn keystream(keys: &[u8; 96], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let mut plain = ciphertext.to_vec();
    ctr::Ctr128BE::<Aes256>::new_from_slices(keys.get(32..64)?, &[0; 16]).ok()?.apply_keystream(&mut plain);
    Some(plain)
}
