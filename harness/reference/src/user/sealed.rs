//! Sealed sender: a message whose sender only its receiver learns, under a certificate that a server signed.
//!
//! The library's own call for receiving draws on the randomness of the operating system, which no re-execution could repeat: so the
//! three steps that it is made of are called here one by one.

use super::{Opened, ReferenceUser, address, at_once};
use crate::draw;
use crate::refusal::Refusal;
use countersign_contract::content::Content;
use countersign_contract::portable::{DEVICE, LARGEST_STANZA, MessageType};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{
    CiphertextMessageType, ContentHint, DeviceId, KeyPair, PublicKey, SenderCertificate, ServerCertificate, Timestamp,
    UnidentifiedSenderMessageContent, sealed_sender_decrypt_to_usmc, sealed_sender_encrypt_from_usmc,
};

/// The id of the server's certificate. libsignal has revoked one id and knows others by heart; this is neither.
const SERVER_KEY_ID: u32 = 1;

/// Who certifies senders: a trust root, and a server's key that it signed.
#[derive(Clone)]
pub struct CertificateAuthority {
    seed: [u8; 32],
    label: String,
    root: KeyPair,
    server: KeyPair,
    certificate: ServerCertificate,
}

impl CertificateAuthority {
    /// An authority whose keys follow from a seed and a label.
    ///
    /// # Errors
    /// `internal` if the library fails.
    pub fn new(seed: [u8; 32], label: &str) -> Result<Self, Refusal> {
        let mut rng = draw::generator(&seed, "sealed sender", label, 0);
        let (root, server) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let certificate = ServerCertificate::new(SERVER_KEY_ID, server.public_key, &root.private_key, &mut rng)?;
        Ok(Self { seed, label: label.to_owned(), root, server, certificate })
    }

    /// The public key that receivers trust, 33 bytes.
    #[must_use]
    pub fn trust_root(&self) -> Vec<u8> {
        self.root.public_key.serialize().into_vec()
    }

    /// A serialised certificate: this user has this identity key until then (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// `bad-key` for another form of key.
    pub fn certify(&self, user: UserId, identity_key: &[u8], until_ms: u64) -> Result<Vec<u8>, Refusal> {
        let key = PublicKey::deserialize(identity_key).map_err(|error| Refusal::new(Reason::BadKey, error))?;
        let mut rng = draw::generator(&self.seed, "certificate", &format!("{} {user} {until_ms}", self.label), 0);
        let device = u8::try_from(DEVICE).ok().and_then(|device| DeviceId::new(device).ok());
        let device = device.ok_or_else(|| Refusal::new(Reason::Internal, "the contract's device number is out of range"))?;
        let until = Timestamp::from_epoch_millis(until_ms);
        let (signer, server) = (self.certificate.clone(), &self.server.private_key);
        let certificate = SenderCertificate::new(user.to_string(), None, key, device, until, signer, server, &mut rng)?;
        Ok(certificate.serialized()?.to_vec())
    }
}

impl ReferenceUser {
    /// Pads and encrypts a content, and seals it under a certificate, which is taken as it is given.
    ///
    /// # Errors
    /// As for [`Self::encrypt`], and `malformed` for what is no certificate.
    pub fn seal(&mut self, to: UserId, content: &Content, certificate: &[u8], now_ms: u64) -> Result<Vec<u8>, Refusal> {
        let (kind, body) = self.encrypt(to, content, now_ms)?;
        let mut rng = self.next_draw();
        let kind = match kind {
            MessageType::Prekey => CiphertextMessageType::PreKey,
            MessageType::Normal => CiphertextMessageType::Whisper,
        };
        let certificate = SenderCertificate::deserialize(certificate)?;
        let inner = UnidentifiedSenderMessageContent::new(kind, certificate, body, ContentHint::Default, None)?;
        at_once(sealed_sender_encrypt_from_usmc(&address(to)?, &inner, &self.stack.library()?.identities, &mut rng))
    }

    /// Opens a sealed message: its sender, as certified under this trust root, and what is in it.
    ///
    /// # Errors
    /// `bad-signature` for a certificate that does not lead to the trust root, `unauthorized` for one that is over, `wrong-recipient` for
    /// one of another sender than the session's, and all reasons of [`Self::decrypt`].
    pub fn unseal(&mut self, body: &[u8], trust_root: &[u8], now_ms: u64) -> Result<(UserId, Opened), Refusal> {
        if body.len() > LARGEST_STANZA {
            return Err(Refusal::new(Reason::TooLarge, format!("a message of over {LARGEST_STANZA} bytes")));
        }
        let root = PublicKey::deserialize(trust_root).map_err(|error| Refusal::new(Reason::BadKey, error))?;
        let inner = at_once(sealed_sender_decrypt_to_usmc(body, &self.stack.library()?.identities))?;
        let certificate = inner.sender()?;
        let (until, now) = (certificate.expiration()?, Timestamp::from_epoch_millis(now_ms));
        // Whether it is over is asked apart, since the library has one answer to both.
        if !certificate.validate(&root, until)? {
            return Err(Refusal::new(Reason::BadSignature, "the certificate does not lead to the trust root"));
        }
        if now > until {
            return Err(Refusal::new(Reason::Unauthorized, "the certificate is over"));
        }
        let from: UserId = certificate.sender_uuid()?.parse().map_err(|error| Refusal::new(Reason::Malformed, error))?;
        if u32::from(certificate.sender_device_id()?) != DEVICE {
            return Err(Refusal::new(Reason::Malformed, "the certificate is of another device"));
        }
        let kind = match inner.msg_type()? {
            CiphertextMessageType::PreKey => MessageType::Prekey,
            CiphertextMessageType::Whisper => MessageType::Normal,
            _ => return Err(Refusal::new(Reason::Malformed, "a sealed message of another kind")),
        };
        let certified = certificate.key()?.serialize().into_vec();
        let before = self.clone();
        let opened = self.decrypt(from, kind, inner.contents()?, now_ms)?;
        if self.known_identity(from) != Some(certified) {
            *self = before;
            return Err(Refusal::new(Reason::WrongRecipient, "the certificate has another identity key than the session"));
        }
        Ok((from, opened))
    }
}
