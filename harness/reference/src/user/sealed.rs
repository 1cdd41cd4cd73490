//! Sealed sender: a message whose sender only its receiver learns, under a certificate that a server signed.
//!
//! The library's own call for receiving draws on the randomness of the operating system, which no re-execution could repeat: so the
//! three steps that it is made of are called here one by one.

use super::stack::AnyStack;
use super::{Opened, ReferenceUser, address, at_once};
use crate::draw;
use crate::refusal::Refusal;
use crate::stores::Identities;
use crate::wire::write_bytes;
use countersign_adversary::{Alteration, SealedContent, SealedKind};
use countersign_contract::content::Content;
use countersign_contract::portable::{DEVICE, LARGEST_STANZA, MessageType};
use countersign_contract::sealed::{Certified, FIRST_BYTE, examine};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{
    CiphertextMessageType, ContentHint, DeviceId, IdentityKeyPair, KeyPair, PublicKey, SenderCertificate, ServerCertificate,
    Timestamp, UnidentifiedSenderMessageContent, sealed_sender_decrypt_to_usmc, sealed_sender_encrypt_from_usmc,
};
use std::sync::OnceLock;

/// The id of the server's certificate. libsignal has revoked one id and knows others by heart; this is neither.
const SERVER_KEY_ID: u32 = 1;

/// Who certifies senders: a trust root, and a server's key that it signed.
#[derive(Clone)]
pub struct CertificateAuthority {
    seed: [u8; 32],
    label: String,
    root: PublicKey,
    /// Made when the first certificate is asked for: most instances tell the trust root, and certify nobody.
    server: OnceLock<Server>,
}

/// The key that signs senders' certificates, and what the trust root says of it.
#[derive(Clone)]
struct Server {
    key: KeyPair,
    certificate: ServerCertificate,
}

impl CertificateAuthority {
    /// An authority whose keys follow from a seed and a label.
    #[must_use]
    pub fn new(seed: [u8; 32], label: &str) -> Self {
        let root = KeyPair::generate(&mut draw::generator(&seed, "sealed sender", label, 0)).public_key;
        Self { seed, label: label.to_owned(), root, server: OnceLock::new() }
    }

    fn server(&self) -> Result<&Server, Refusal> {
        if let Some(server) = self.server.get() {
            return Ok(server);
        }
        let mut rng = draw::generator(&self.seed, "sealed sender", &self.label, 0);
        let (root, key) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let certificate = ServerCertificate::new(SERVER_KEY_ID, key.public_key, &root.private_key, &mut rng)?;
        Ok(self.server.get_or_init(|| Server { key, certificate }))
    }

    /// The public key that receivers trust, 33 bytes.
    #[must_use]
    pub fn trust_root(&self) -> Vec<u8> {
        self.root.serialize().into_vec()
    }

    /// A serialised certificate: this user has this identity key until then (milliseconds since the Unix epoch).
    ///
    /// # Errors
    /// `bad-key` for another form of key; `internal` if the library fails.
    pub fn certify(&self, user: UserId, identity_key: &[u8], until_ms: u64) -> Result<Vec<u8>, Refusal> {
        let draw = format!("{} {user} {until_ms}", self.label);
        self.signed(user, identity_key, until_ms, DEVICE, &self.server()?.key, &draw)
    }

    /// A certificate that is wrong in one thing, and right in all others.
    ///
    /// # Errors
    /// As for [`Self::certify`].
    pub fn certify_wrongly(
        &self,
        user: UserId,
        identity_key: &[u8],
        until_ms: u64,
        wrong: WrongCertificate,
    ) -> Result<Vec<u8>, Refusal> {
        let draw = format!("{} {user} {until_ms} {wrong:?}", self.label);
        match wrong {
            WrongCertificate::OtherDevice => self.signed(user, identity_key, until_ms, DEVICE + 1, &self.server()?.key, &draw),
            WrongCertificate::OtherServer => {
                let other = KeyPair::generate(&mut draw::generator(&self.seed, "another server", &draw, 0));
                self.signed(user, identity_key, until_ms, DEVICE, &other, &draw)
            }
        }
    }

    /// A certificate whose statement is changed before it is signed: whatever stands there then, the server vouches for it.
    ///
    /// # Errors
    /// As for [`Self::certify`], and what `change` answers.
    pub fn certify_changed(
        &self,
        user: UserId,
        identity_key: &[u8],
        until_ms: u64,
        change: impl FnOnce(Vec<u8>) -> Result<Vec<u8>, Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let honest = SenderCertificate::deserialize(&self.certify(user, identity_key, until_ms)?)?;
        let statement = change(honest.certificate()?.to_vec())?;
        let mut rng = draw::generator(&self.seed, "changed certificate", &format!("{} {user} {until_ms}", self.label), 0);
        let signature = self.server()?.key.private_key.calculate_signature(&statement, &mut rng);
        let signature = signature.map_err(|error| Refusal::new(Reason::Internal, error))?;
        // The library writes only what it reads.
        let mut certificate = Vec::new();
        write_bytes(&mut certificate, 1, &statement);
        write_bytes(&mut certificate, 2, &signature);
        Ok(certificate)
    }

    fn signed(
        &self,
        user: UserId,
        identity_key: &[u8],
        until_ms: u64,
        device: u32,
        by: &KeyPair,
        draw: &str,
    ) -> Result<Vec<u8>, Refusal> {
        let key = PublicKey::deserialize(identity_key).map_err(|error| Refusal::new(Reason::BadKey, error))?;
        let mut rng = draw::generator(&self.seed, "certificate", draw, 0);
        let device = u8::try_from(device).ok().and_then(|device| DeviceId::new(device).ok());
        let device = device.ok_or_else(|| Refusal::new(Reason::Internal, "the contract's device number is out of range"))?;
        let until = Timestamp::from_epoch_millis(until_ms);
        let signer = self.server()?.certificate.clone();
        let made = SenderCertificate::new(user.to_string(), None, key, device, until, signer, &by.private_key, &mut rng)?;
        Ok(made.serialized()?.to_vec())
    }
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongCertificate {
    /// It is for another device than the one that there is.
    OtherDevice,
    /// A key signed it that is not the server's, whose own certificate stands beside it all the same.
    OtherServer,
}

/// An identity key of nobody's installation: to seal with, where the certificate is for another key than the session's.
#[derive(Clone)]
pub struct OtherIdentity(IdentityKeyPair);

impl OtherIdentity {
    /// The key that follows from a seed and a label.
    #[must_use]
    pub fn new(seed: &[u8; 32], label: &str) -> Self {
        Self(IdentityKeyPair::generate(&mut draw::generator(seed, "another identity", label, 0)))
    }

    /// The public key, 33 bytes.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        self.0.identity_key().serialize().into_vec()
    }
}

/// How a message is sealed.
#[derive(Clone, Copy)]
pub struct Sealing<'a> {
    /// The certificate, which is taken as it is given.
    pub certificate: &'a [u8],
    /// Seals with this identity in place of the user's own.
    pub as_other: Option<&'a OtherIdentity>,
    /// What is done wrongly in it; users on our own stack alone can do that.
    pub alter: &'a [Alteration],
}

impl<'a> Sealing<'a> {
    /// As an honest user does.
    #[must_use]
    pub const fn under(certificate: &'a [u8]) -> Self {
        Self { certificate, as_other: None, alter: &[] }
    }
}

/// A sealed message whose certificate is good, and whose inside nobody has looked at yet.
#[derive(Clone, Debug)]
pub struct Unsealed {
    /// Who is certified.
    pub from: UserId,
    /// For which identity key, 33 bytes.
    key: Vec<u8>,
    kind: MessageType,
    body: Vec<u8>,
}

impl ReferenceUser {
    /// Pads and encrypts a content, and seals it under a certificate, which is taken as it is given.
    ///
    /// # Errors
    /// As for [`Self::encrypt`] and [`Self::seal_message`].
    pub fn seal(&mut self, to: UserId, content: &Content, certificate: &[u8], now_ms: u64) -> Result<Vec<u8>, Refusal> {
        let (kind, body) = self.encrypt(to, content, now_ms)?;
        self.seal_message(to, kind, body, Sealing::under(certificate))
    }

    /// Seals a message that is encrypted already.
    ///
    /// # Errors
    /// `malformed` for what is no certificate; `no-session` if the receiver's identity key is not known; `unsupported` for what the user's
    /// stack cannot do.
    pub fn seal_message(&mut self, to: UserId, kind: MessageType, body: Vec<u8>, how: Sealing<'_>) -> Result<Vec<u8>, Refusal> {
        let mut rng = self.next_draw();
        let own = match &self.stack {
            AnyStack::Own(own) if how.as_other.is_none() => own,
            AnyStack::Library(installation) if how.alter.is_empty() => {
                let kind = match kind {
                    MessageType::Prekey => CiphertextMessageType::PreKey,
                    MessageType::Normal => CiphertextMessageType::Whisper,
                };
                let certificate = SenderCertificate::deserialize(how.certificate)?;
                let inner = UnidentifiedSenderMessageContent::new(kind, certificate, body, ContentHint::Default, None)?;
                let known = &installation.identities;
                let other = how.as_other.map(|other| Identities { own: other.0, ..known.clone() });
                let identities = other.as_ref().unwrap_or(known);
                return at_once(sealed_sender_encrypt_from_usmc(&address(to)?, &inner, identities, &mut rng));
            }
            _ => return Err(Refusal::new(Reason::Unsupported, "this user's stack cannot seal like this")),
        };
        let receiver = self.known_identity(to).ok_or_else(|| Refusal::new(Reason::NoSession, "the receiver is not known"))?;
        let kind = match kind {
            MessageType::Prekey => SealedKind::Prekey,
            MessageType::Normal => SealedKind::Normal,
        };
        let content = SealedContent { kind, certificate: how.certificate.to_vec(), message: body, group: None };
        Ok(own.party().seal(&receiver, &content, how.alter, &mut rng)?)
    }

    /// Opens a sealed message: its sender, as certified under this trust root, and what is in it.
    ///
    /// # Errors
    /// As for [`Self::unwrap_sealed`] and [`Self::decrypt_certified`].
    pub fn unseal(&mut self, body: &[u8], trust_root: &[u8], now_ms: u64) -> Result<(UserId, Opened), Refusal> {
        let unsealed = self.unwrap_sealed(body, trust_root, now_ms)?;
        let opened = self.decrypt_certified(&unsealed, now_ms)?;
        Ok((unsealed.from, opened))
    }

    /// Opens the outside of a sealed message, and checks its certificate against this trust root and time. Changes nothing.
    ///
    /// # Errors
    /// The reasons of the contract's module `sealed`, up to the certificate; `too-large` over [`LARGEST_STANZA`].
    pub fn unwrap_sealed(&self, body: &[u8], trust_root: &[u8], now_ms: u64) -> Result<Unsealed, Refusal> {
        if body.len() > LARGEST_STANZA {
            return Err(Refusal::new(Reason::TooLarge, format!("a message of over {LARGEST_STANZA} bytes")));
        }
        // The library reads the second form as well, which nobody sends here.
        if body.first() != Some(&FIRST_BYTE) {
            return Err(Refusal::new(Reason::BadVersion, "a sealed message of another form"));
        }
        let root = PublicKey::deserialize(trust_root).map_err(|error| Refusal::new(Reason::BadKey, error))?;
        let inner = at_once(sealed_sender_decrypt_to_usmc(body, &self.stack.library()?.identities))?;
        let certificate = inner.sender()?;
        let until = certificate.expiration()?;
        // Whether it is over is asked apart, since the library has one answer to both.
        if !certificate.validate(&root, until)? {
            return Err(Refusal::new(Reason::BadSignature, "the certificate does not lead to the trust root"));
        }
        let (user, device) = (certificate.sender_uuid()?, u32::from(certificate.sender_device_id()?));
        let certified = Certified { user, device, expires: until.epoch_millis() };
        let from = examine(self.user(), certified, now_ms).map_err(|reason| Refusal::new(reason, "the sender's certificate"))?;
        let kind = match inner.msg_type()? {
            CiphertextMessageType::PreKey => MessageType::Prekey,
            CiphertextMessageType::Whisper => MessageType::Normal,
            _ => return Err(Refusal::new(Reason::Malformed, "a sealed message of another kind")),
        };
        let key = certificate.key()?.serialize().into_vec();
        Ok(Unsealed { from, key, kind, body: inner.contents()?.to_vec() })
    }

    /// Decrypts what a certified user sent.
    ///
    /// # Errors
    /// All reasons of [`Self::decrypt`], and `wrong-recipient` if the session that reads it is under another identity key than the
    /// certified one; nothing is changed by that.
    pub fn decrypt_certified(&mut self, unsealed: &Unsealed, now_ms: u64) -> Result<Opened, Refusal> {
        let before = self.clone();
        let opened = self.decrypt(unsealed.from, unsealed.kind, &unsealed.body, now_ms);
        // The session that read it is the one to send with from then on; and what was read may be refused for what it says.
        if self.stack.get().session_identity(unsealed.from).as_ref() != Some(&unsealed.key) {
            let operation = self.operation;
            *self = before;
            self.operation = operation;
            opened?;
            return Err(Refusal::new(Reason::WrongRecipient, "the certificate has another identity key than the session"));
        }
        opened
    }
}
