//! Sender keys on either stack: made, handed out, used, read.

use super::library::unaltered;
use super::own::Own;
use super::{Opened, address, at_once, store_name};
use crate::keys::Installation;
use crate::points;
use crate::refusal::Refusal;
use countersign_adversary::Alteration;
use countersign_contract::UserId;
use libsignal_protocol::{
    SenderKeyDistributionMessage, create_sender_key_distribution_message, group_decrypt, group_encrypt,
    process_sender_key_distribution_message,
};
use rand_chacha::ChaCha20Rng;
use uuid::Uuid;

/// A message under a sender key, as far as it says by itself whose it is.
#[derive(Clone, Copy)]
pub(crate) struct Under<'a> {
    pub(crate) from: UserId,
    pub(crate) distribution: Uuid,
    pub(crate) body: &'a [u8],
}

/// The sender keys of one installation.
pub(crate) trait SenderKeyring {
    /// The user's own sender key of a distribution as it stands now, made if there is none: a serialised
    /// `SenderKeyDistributionMessage`.
    ///
    /// # Errors
    /// `unsupported` for an alteration that cannot be made: any, on the library.
    fn distribution(
        &mut self,
        own: UserId,
        id: Uuid,
        alterations: &[Alteration],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Refusal>;

    /// Encrypts bytes under the user's own sender key of a distribution.
    ///
    /// # Errors
    /// `no-session` without one, and as for [`Self::distribution`].
    fn encrypt_under(
        &mut self,
        own: UserId,
        id: Uuid,
        padded: &[u8],
        alterations: &[Alteration],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Refusal>;

    /// Takes over another user's sender key.
    ///
    /// # Errors
    /// `malformed`, `bad-version`, and `bad-key` for a signature key of low order too, under which anybody can sign.
    fn take_distribution(&mut self, from: UserId, bytes: &[u8]) -> Result<(), Refusal>;

    /// Decrypts, and lets the plaintext be looked at. A refusal, by whichever of the two, changes nothing.
    ///
    /// # Errors
    /// That of `look`, and the reasons for which a message under a sender key cannot be read.
    fn open_under(
        &mut self,
        message: Under<'_>,
        look: &mut dyn FnMut(&[u8]) -> Result<Opened, Refusal>,
    ) -> Result<Opened, Refusal>;
}

impl SenderKeyring for Installation {
    fn distribution(
        &mut self,
        own: UserId,
        id: Uuid,
        alterations: &[Alteration],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Refusal> {
        unaltered(alterations)?;
        let own = address(own)?;
        let made = create_sender_key_distribution_message(&own, id, &mut self.sender_keys, rng);
        at_once(made).map(|message| message.serialized().to_vec())
    }

    fn encrypt_under(
        &mut self,
        own: UserId,
        id: Uuid,
        padded: &[u8],
        alterations: &[Alteration],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Refusal> {
        unaltered(alterations)?;
        let own = address(own)?;
        let made = group_encrypt(&mut self.sender_keys, &own, id, padded, rng);
        at_once(made).map(|message| message.serialized().to_vec())
    }

    fn take_distribution(&mut self, from: UserId, bytes: &[u8]) -> Result<(), Refusal> {
        let message = SenderKeyDistributionMessage::try_from(bytes)?;
        points::curve(&message.signing_key()?.serialize(), "signature key")?;
        at_once(process_sender_key_distribution_message(&address(from)?, &message, &mut self.sender_keys))
    }

    fn open_under(
        &mut self,
        message: Under<'_>,
        look: &mut dyn FnMut(&[u8]) -> Result<Opened, Refusal>,
    ) -> Result<Opened, Refusal> {
        let stored = (store_name(message.from), message.distribution);
        let before = self.sender_keys.0.get(&stored).cloned();
        let read = at_once(group_decrypt(message.body, &mut self.sender_keys, &address(message.from)?));
        let opened = read.and_then(|padded| look(&padded));
        if opened.is_err() {
            self.sender_keys.0.extend(before.map(|record| (stored, record)));
        }
        opened
    }
}

impl SenderKeyring for Own {
    fn distribution(
        &mut self,
        _own: UserId,
        id: Uuid,
        alterations: &[Alteration],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Refusal> {
        Ok(self.party.distribution(id, alterations, rng)?)
    }

    fn encrypt_under(
        &mut self,
        _own: UserId,
        id: Uuid,
        padded: &[u8],
        alterations: &[Alteration],
        rng: &mut ChaCha20Rng,
    ) -> Result<Vec<u8>, Refusal> {
        Ok(self.party.group_encrypt(id, padded, alterations, rng)?)
    }

    fn take_distribution(&mut self, from: UserId, bytes: &[u8]) -> Result<(), Refusal> {
        self.party.process_distribution(&store_name(from), bytes)?;
        Ok(())
    }

    fn open_under(
        &mut self,
        message: Under<'_>,
        look: &mut dyn FnMut(&[u8]) -> Result<Opened, Refusal>,
    ) -> Result<Opened, Refusal> {
        let mut after = self.party.clone();
        let (_, padded) = after.group_decrypt(&store_name(message.from), message.body)?;
        let opened = look(&padded)?;
        self.party = after;
        Ok(opened)
    }
}
