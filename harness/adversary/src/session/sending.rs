//! The sending half of the ratchet. The message is put together field by field, and each step asks the alterations.

use super::Session;
use crate::alter::{Alteration, Chains, Field, Layer, Part, Surface, edited, edits};
use crate::kdf::MessageKeys;
use crate::refusal::Refusal;
use crate::wire::{Fields, inner, outer};
use countersign_contract::portable::MessageType;
use countersign_contract::{Bytes, Reason};
use rand::{CryptoRng, Rng};

impl Session {
    /// Encrypts. `low` is the low half of the version byte.
    ///
    /// # Errors
    /// `unsupported` if an alteration cannot be made in this session; the session then is to be thrown away.
    pub(crate) fn encrypt<R: Rng + CryptoRng>(
        &mut self,
        plaintext: &[u8],
        low: u8,
        alterations: &[Alteration],
        rng: &mut R,
    ) -> Result<(MessageType, Vec<u8>), Refusal> {
        let chains = Chains::of(alterations)?;
        let surface = Surface::of(alterations);
        if let Some(choice) = chains.ratchet {
            let former: Vec<_> = self.former.iter().map(|chain| chain.ratchet).collect();
            let ratchet = choice.pair(&former, rng)?;
            self.send_under(ratchet);
        }
        let (pq_message, pq_key) = self.send_spqr(rng)?;
        let back = chains.back;
        let sender = match back {
            None => &mut self.sender,
            Some(back) => self.former.get_mut(back - 1).ok_or_else(|| {
                Refusal::new(Reason::Unsupported, format!("no sender chain {back} before the present one is known"))
            })?,
        };
        for _ in 0..chains.jump {
            sender.chain.step();
        }
        let (chain_key, seed) = (sender.chain.key, sender.chain.seed());
        let keys = MessageKeys::derive(&seed, pq_key.as_deref().filter(|_| !chains.without_pq_key));
        let plaintext = edited(Part::Plaintext, alterations, plaintext.to_vec())?;
        let ciphertext = match surface.padding(&plaintext)? {
            None => keys.encrypt(&plaintext),
            Some(blocks) => keys.encrypt_blocks(&blocks),
        };
        let mut fields = Fields::default();
        fields.bytes(inner::RATCHET_KEY, &sender.ratchet.public.serialized());
        fields.number(inner::COUNTER, sender.chain.index);
        fields.number(inner::PREVIOUS_COUNTER, self.previous_counter);
        fields.bytes(inner::CIPHERTEXT, &ciphertext);
        if !pq_message.is_empty() {
            fields.bytes(inner::PQ_RATCHET, &pq_message);
        }
        let mut version = self.profile.version() << 4 | low;
        surface.bend(Layer::Inner, &mut version, &mut fields)?;
        let mut protobuf = Vec::new();
        fields.write(&mut protobuf);
        let mut message = vec![version];
        message.append(&mut edited(Part::Inner, alterations, protobuf)?);
        let (ours, theirs) = (self.local_identity.serialized(), self.remote_identity.serialized());
        let (first, second) = surface.identities(&ours, &theirs);
        let mut mac = Bytes(keys.mac(first, second, &message).to_vec());
        surface.bend_bytes(Field::Mac, &mut mac.0)?;
        message.append(&mut mac.0);
        sender.chain.step();
        self.note(Some(chain_key), seed, &keys);
        self.wrap(message, low, &surface, alterations)
    }

    /// Puts the prekey message around, until the peer has answered.
    fn wrap(
        &self,
        message: Vec<u8>,
        low: u8,
        surface: &Surface<'_>,
        alterations: &[Alteration],
    ) -> Result<(MessageType, Vec<u8>), Refusal> {
        let Some(pending) = &self.pending else {
            if edits(Part::Outer, alterations) {
                return Err(Refusal::new(Reason::Unsupported, "the session was answered: there is no prekey message to edit"));
            }
            return Ok((MessageType::Normal, message));
        };
        let mut fields = Fields::default();
        if let Some(id) = pending.one_time {
            fields.number(outer::PREKEY_ID, id);
        }
        fields.bytes(outer::BASE_KEY, &self.base_key.serialized());
        fields.bytes(outer::IDENTITY_KEY, &self.local_identity.serialized());
        fields.bytes(outer::MESSAGE, &message);
        fields.number(outer::REGISTRATION_ID, pending.registration_id);
        if let Some(id) = pending.signed {
            fields.number(outer::SIGNED_PREKEY_ID, id);
        }
        if let Some(id) = pending.kyber_id {
            fields.number(outer::KYBER_PREKEY_ID, id);
        }
        if let Some(ciphertext) = &pending.kyber {
            fields.bytes(outer::KYBER_CIPHERTEXT, &ciphertext.0);
        }
        let mut version = self.profile.version() << 4 | low;
        surface.bend(Layer::Outer, &mut version, &mut fields)?;
        let mut protobuf = Vec::new();
        fields.write(&mut protobuf);
        let mut bytes = vec![version];
        bytes.append(&mut edited(Part::Outer, alterations, protobuf)?);
        Ok((MessageType::Prekey, bytes))
    }
}
