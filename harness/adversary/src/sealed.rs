//! Sealed sender, first form (version byte 0x11): the sender's identity and its message, for the receiver's eyes only.
//!
//! Sealing alone, since that is what can be forged; what is inside is authenticated by the certificate in it, which the caller brings,
//! and by the message in it. Reading is the same in every suite and done by official code. The second form, to many receivers, is not
//! here.
//!
//! ```text
//! version byte || protobuf { 1 ephemeral key, 2 encrypted static key, 3 encrypted message }
//! inside 3        protobuf { 1 type, 2 sender certificate, 3 content, 4 content hint, 5 group id }
//! ```

use crate::alter::{Agreement, Alteration, Layer, Part, Surface, edited};
use crate::curve::{KeyPair, PublicKey};
use crate::kdf::{ctr_and_mac, hkdf, split};
use crate::party::Party;
use crate::refusal::Refusal;
use crate::wire::{Fields, envelope, sealed};
use rand::{CryptoRng, Rng};

/// Version 1 in both halves.
const VERSION: u8 = 0x11;
const SALT: &[u8] = b"UnidentifiedDelivery";

/// What kind of message is sealed, under the format's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedKind {
    /// One that can set up a session.
    Prekey,
    /// One of a session.
    Normal,
    /// One under a sender key.
    SenderKey,
}

impl SealedKind {
    const fn number(self) -> u32 {
        match self {
            Self::Prekey => 1,
            Self::Normal => 2,
            Self::SenderKey => 7,
        }
    }
}

/// What is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedContent {
    /// What kind of message it is.
    pub kind: SealedKind,
    /// The sender's certificate, serialised. It is not looked at.
    pub certificate: Vec<u8>,
    /// The message.
    pub message: Vec<u8>,
    /// Which group it belongs to.
    pub group: Option<Vec<u8>>,
}

impl Party {
    /// Seals a message to the holder of an identity key. Alterations of the content stand under valid MACs; one of the identity key
    /// seals under another one than the party's own.
    ///
    /// # Errors
    /// `bad-key` for an identity key that must not be used; `unsupported` if an alteration cannot be made.
    pub fn seal<R: Rng + CryptoRng>(
        &self,
        receiver_identity: &[u8],
        content: &SealedContent,
        alterations: &[Alteration],
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        let receiver = PublicKey::read(receiver_identity, "identity key")?;
        let surface = Surface::of(alterations);
        let ephemeral = KeyPair::generate(rng);
        let identity = match Agreement::of(alterations)?.identity {
            Some(choice) => choice.pair(&[], rng)?,
            None => self.identity(),
        };
        let mut fields = Fields::default();
        fields.number(sealed::TYPE, content.kind.number());
        fields.bytes(sealed::CERTIFICATE, &content.certificate);
        fields.bytes(sealed::CONTENT, &content.message);
        if let Some(group) = &content.group {
            fields.bytes(sealed::GROUP, group);
        }
        // The content has no version byte of its own.
        surface.bend(Layer::Sealed, &mut 0, &mut fields)?;
        let mut inside = Vec::new();
        fields.write(&mut inside);
        let inside = edited(Part::Sealed, alterations, inside)?;

        let salt = [SALT, &receiver.serialized(), &ephemeral.public.serialized()].concat();
        let keys: [u8; 96] = hkdf(Some(&salt), &ephemeral.agree(&receiver), &[]);
        let ([chain, cipher, mac], _) = split(&keys);
        let encrypted_static = ctr_and_mac(&cipher, &mac, &identity.public.serialized());
        let keys: [u8; 96] = hkdf(Some(&[&chain[..], &encrypted_static].concat()), &identity.agree(&receiver), &[]);
        let ([_, cipher, mac], _) = split(&keys);

        let mut fields = Fields::default();
        fields.bytes(envelope::EPHEMERAL, &ephemeral.public.serialized());
        fields.bytes(envelope::STATIC, &encrypted_static);
        fields.bytes(envelope::MESSAGE, &ctr_and_mac(&cipher, &mac, &inside));
        let mut version = VERSION;
        surface.bend(Layer::Envelope, &mut version, &mut fields)?;
        let mut protobuf = Vec::new();
        fields.write(&mut protobuf);
        let mut bytes = vec![version];
        bytes.append(&mut edited(Part::Envelope, alterations, protobuf)?);
        Ok(bytes)
    }
}
