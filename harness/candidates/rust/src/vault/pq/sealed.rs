//! Sealed sender: who sent a message stands inside, under a certificate.

use super::super::outcome::{Opened, Unsealed, Unvouched};
use super::{Vault, address, reason_of, run};
use crate::defect::Defect;
use countersign_contract::portable::{DEVICE, MessageType};
use countersign_contract::sealed::{Certified, FIRST_BYTE, examine};
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{
    CiphertextMessageType, ContentHint, PreKeySignalMessage, PublicKey, SenderCertificate, SignalProtocolError, Timestamp,
    UnidentifiedSenderMessageContent, sealed_sender_decrypt_to_usmc, sealed_sender_encrypt_from_usmc,
};
use std::str::FromStr as _;

/// What stands in a sealed message, as far as this client looks at it.
pub(super) struct Inside {
    pub(super) certificate: SenderCertificate,
    pub(super) kind: Option<MessageType>,
    pub(super) message: Vec<u8>,
    pub(super) hint: u32,
}

impl Vault {
    /// Seals an encrypted message; see [`super::super::Vault::seal_sender`].
    pub(crate) fn seal_sender(
        &mut self,
        to: UserId,
        kind: MessageType,
        body: Vec<u8>,
        certificate: &[u8],
    ) -> Result<Vec<u8>, Reason> {
        let certificate = SenderCertificate::deserialize(certificate).map_err(|_| Reason::Malformed)?;
        let kind = match kind {
            MessageType::Prekey => CiphertextMessageType::PreKey,
            MessageType::Normal => CiphertextMessageType::Whisper,
        };
        let content = UnidentifiedSenderMessageContent::new(kind, certificate, body, ContentHint::Default, None);
        let content = content.map_err(|_| Reason::Internal)?;
        run(sealed_sender_encrypt_from_usmc(&address(to)?, &content, &self.identities, &mut self.rng))
            .map_err(|error| reason_of(&error).unwrap_or(Reason::Internal))
    }

    /// Opens the outside and checks the certificate; see [`super::super::Vault::unseal`].
    pub(crate) fn unseal(&mut self, body: &[u8], trust_root: &[u8], clock: u64) -> Result<Unsealed, Unvouched> {
        let unknown = |reason| Unvouched { reason, claims: None };
        let Inside { certificate, kind, message, hint } = self.inside(body).map_err(unknown)?;
        let claims = certificate.sender_uuid().ok().and_then(|user| UserId::from_str(user).ok());
        let unvouched = |reason| Unvouched { reason, claims };
        let failed = |error: SignalProtocolError| unvouched(reason_of(&error).unwrap_or(Reason::BadSignature));

        let root = PublicKey::deserialize(trust_root).map_err(|_| unvouched(Reason::Internal))?;
        let expires = certificate.expiration().map_err(failed)?;
        if !self.vouches(&root, &certificate, expires).map_err(failed)? {
            return Err(unvouched(Reason::BadSignature));
        }
        let device = u32::from(certificate.sender_device_id().map_err(failed)?);
        let certified = Certified {
            user: certificate.sender_uuid().map_err(failed)?,
            device: if self.defects.has(Defect::TakesAnyCertifiedDevice) { DEVICE } else { device },
            expires: if self.defects.has(Defect::IgnoresCertificateExpiry) { u64::MAX } else { expires.epoch_millis() },
        };
        let from = examine(self.user, certified, clock).map_err(unvouched)?;
        let kind = kind.ok_or_else(|| unvouched(Reason::Malformed))?;
        let key = certificate.key().map_err(failed)?.serialize().into_vec();
        Ok(Unsealed { from, key, kind, body: message, hint })
    }

    /// Whether the certificate is signed by a server that the root vouches for.
    fn vouches(
        &self,
        root: &PublicKey,
        certificate: &SenderCertificate,
        expires: Timestamp,
    ) -> Result<bool, SignalProtocolError> {
        if self.defects.has(Defect::SkipsTrustRoot) {
            let server = certificate.signer()?.public_key()?;
            return Ok(server.verify_signature(certificate.certificate()?, certificate.signature()?));
        }
        if self.defects.has(Defect::ChecksServerCertificateOnly) {
            return certificate.signer()?.validate(root);
        }
        // The library has one answer for a bad signature and for one that is over: the time is looked at apart.
        certificate.validate(root, expires)
    }

    /// What is inside. The library compares the key that sealed it with the certified one.
    fn inside(&self, body: &[u8]) -> Result<Inside, Reason> {
        if body.first() != Some(&FIRST_BYTE) {
            return Err(Reason::BadVersion);
        }
        if self.defects.has(Defect::ShowsCertifiedSender) {
            return self.inside_whoever_sealed(body).ok_or(Reason::Malformed);
        }
        if self.defects.has(Defect::SkipsSealMac) {
            return self.inside_whatever_mac(body).ok_or(Reason::Malformed);
        }
        let content = run(sealed_sender_decrypt_to_usmc(body, &self.identities)).map_err(|error| match error {
            // A MAC that does not match, and a key that is not the certified one: the library tells them apart by words alone.
            SignalProtocolError::InvalidSealedSenderMessage(_) => Reason::Malformed,
            error => reason_of(&error).unwrap_or(Reason::Malformed),
        })?;
        let malformed = |_| Reason::Malformed;
        let kind = match content.msg_type().map_err(malformed)? {
            CiphertextMessageType::PreKey => Some(MessageType::Prekey),
            CiphertextMessageType::Whisper => Some(MessageType::Normal),
            _ => None,
        };
        let certificate = content.sender().map_err(malformed)?.clone();
        let hint = content.content_hint().map_err(malformed)?.to_u32();
        Ok(Inside { certificate, kind, message: content.contents().map_err(malformed)?.to_vec(), hint })
    }

    /// Decrypts what a certified user sent; see [`super::super::Vault::open_certified`].
    pub(crate) fn open_certified(&mut self, unsealed: &Unsealed) -> Result<Opened, Reason> {
        if self.defects.has(Defect::ShowsCertifiedSender) {
            return self.open_whoever_sent(unsealed);
        }
        let believes = self.defects.has(Defect::BelievesCertifiedKey);
        // A first message says under which key it is, and must not bring a key that nobody certified.
        if unsealed.kind == MessageType::Prekey
            && !believes
            && PreKeySignalMessage::try_from(&unsealed.body[..]).is_ok_and(|m| *m.identity_key().serialize() != *unsealed.key)
        {
            return Err(Reason::WrongRecipient);
        }
        let (sessions, one_time, kyber) = (self.sessions.clone(), self.one_time.clone(), self.kyber.clone());
        let (counters, surroundings) = (self.counters.clone(), self.surroundings.clone());
        let opened = self.open(unsealed.from, unsealed.kind, &unsealed.body)?;
        // libsignal makes the session that read a message the one to send with.
        let record = self.sessions.0.get(&unsealed.from.to_string());
        let whose = record.and_then(|record| record.remote_identity_key_bytes().ok().flatten());
        if believes || whose.as_deref() == Some(&*unsealed.key) {
            return Ok(opened);
        }
        (self.sessions, self.one_time, self.kyber) = (sessions, one_time, kyber);
        (self.counters, self.surroundings) = (counters, surroundings);
        Err(Reason::WrongRecipient)
    }
}
