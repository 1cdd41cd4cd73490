//! Tokens and names that the gateway makes: nobody without the seed can guess one, and the same seed gives the same ones.

use countersign_contract::{Bytes, StanzaId};
use sha2::{Digest as _, Sha256};
use uuid::Builder;

/// The source of all names that the gateway chooses itself.
#[derive(Clone)]
pub(crate) struct Names {
    seed: [u8; 32],
    used: u64,
}

impl Names {
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, used: 0 }
    }

    fn next(&mut self, purpose: &'static str) -> [u8; 32] {
        self.used += 1;
        // The seed has a fixed length and the counter too, so no two (counter, purpose) pairs give the same input.
        Sha256::new().chain_update(self.seed).chain_update(self.used.to_be_bytes()).chain_update(purpose).finalize().into()
    }

    /// A bearer token: 43 characters, 256 bits.
    pub(crate) fn token(&mut self) -> String {
        Bytes(self.next("token").to_vec()).to_base64url()
    }

    /// The name of a blob: 43 characters, so that knowing it is having been told it.
    pub(crate) fn blob(&mut self) -> String {
        Bytes(self.next("blob").to_vec()).to_base64url()
    }

    /// The id of a stanza that the gateway itself sends.
    pub(crate) fn stanza(&mut self) -> StanzaId {
        let bytes = self.next("stanza");
        let mut half = [0; 16];
        half.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        StanzaId(Builder::from_random_bytes(half).into_uuid())
    }
}
