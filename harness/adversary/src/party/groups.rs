//! Groups of a party, by sender keys.

use super::Party;
use crate::alter::Alteration;
use crate::refusal::Refusal;
use rand::{CryptoRng, Rng};
use uuid::Uuid;

impl Party {
    /// The distribution of the party's own sender key, from its next message on: to be sent to each member in the pairwise session.
    /// The sender key is made if there is none.
    ///
    /// # Errors
    /// `unsupported` if an alteration cannot be made.
    pub fn distribution<R: Rng + CryptoRng>(
        &mut self,
        id: Uuid,
        alterations: &[Alteration],
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        self.groups.distribute(id, alterations, rng)
    }

    /// Replaces the party's own sender key, as a member does when another one leaves. It has to be distributed anew.
    pub fn rotate_sender_key<R: Rng + CryptoRng>(&mut self, id: Uuid, rng: &mut R) {
        self.groups.rotate(id, rng);
    }

    /// Takes over the sender key of a member from its distribution: the distribution's id. That it came in a pairwise session with
    /// that member is for the caller to see to.
    ///
    /// # Errors
    /// `malformed`, `bad-version`, `bad-key`.
    pub fn process_distribution(&mut self, sender: &str, bytes: &[u8]) -> Result<Uuid, Refusal> {
        self.groups.process(sender, bytes)
    }

    /// Encrypts a plaintext to all who have the party's sender key.
    ///
    /// # Errors
    /// `no-session` without a sender key of its own; `unsupported` if an alteration cannot be made.
    pub fn group_encrypt<R: Rng + CryptoRng>(
        &mut self,
        id: Uuid,
        plaintext: &[u8],
        alterations: &[Alteration],
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        self.groups.encrypt(id, plaintext, alterations, rng)
    }

    /// Decrypts a message under a member's sender key: which distribution it belongs to, and its plaintext.
    ///
    /// # Errors
    /// In this order: `malformed`, `bad-version`; `no-session` if no such sender key is known; `bad-signature`; `duplicate`; `too-old`
    /// too far ahead; `bad-mac` if the ciphertext cannot be decrypted.
    pub fn group_decrypt(&mut self, sender: &str, bytes: &[u8]) -> Result<(Uuid, Vec<u8>), Refusal> {
        self.groups.decrypt(sender, bytes)
    }
}
