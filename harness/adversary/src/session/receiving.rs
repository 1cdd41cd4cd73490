//! The receiving half of the ratchet (<https://signal.org/docs/specifications/doubleratchet/>).

use super::{MOST_CHAINS, MOST_FORMER, ReceiverChain, SenderChain, Session};
use crate::chain::ReceivingChain;
use crate::curve::{KeyPair, PublicKey};
use crate::kdf::{MessageKeys, root_step};
use crate::refusal::Refusal;
use crate::secret::Secret32;
use crate::wire::SignalMessage;
use countersign_contract::Reason;
use rand::{CryptoRng, Rng};
use subtle::ConstantTimeEq as _;

impl Session {
    /// Decrypts. The session stays as it is; what it becomes if the message counts is the first half of the answer.
    ///
    /// # Errors
    /// `duplicate` if no key for the message is kept (any more); `too-old` too far ahead; `bad-mac` in every other case.
    pub(crate) fn decrypt<R: Rng + CryptoRng>(
        &self,
        message: &SignalMessage<'_>,
        rng: &mut R,
    ) -> Result<(Self, Vec<u8>), Refusal> {
        if message.version != self.profile.version() {
            return Err(Refusal::new(
                Reason::BadMac,
                format!("a message of version {} in a session of {}", message.version, self.profile),
            ));
        }
        let mut next = self.clone();
        let (chain_key, seed) = next.receive(&message.ratchet_key, message.counter, rng)?;
        let key = next.receive_spqr(message.pq_ratchet)?;
        let keys = MessageKeys::derive(&seed, key.as_deref());
        let mac = keys.mac(&self.remote_identity.serialized(), &self.local_identity.serialized(), message.covered);
        if !bool::from(mac[..].ct_eq(message.mac)) {
            return Err(Refusal::new(Reason::BadMac, "the MAC does not match"));
        }
        let plaintext =
            keys.decrypt(message.ciphertext).ok_or_else(|| Refusal::new(Reason::BadMac, "the ciphertext cannot be decrypted"))?;
        next.pending = None;
        next.note(chain_key, seed, &keys);
        Ok((next, plaintext))
    }

    /// The seed of one message's keys, the chain moved past it; and its chain key, if the chain stood there.
    fn receive<R: Rng + CryptoRng>(
        &mut self,
        ratchet_key: &PublicKey,
        counter: u32,
        rng: &mut R,
    ) -> Result<(Option<Secret32>, Secret32), Refusal> {
        if !self.receivers.iter().any(|chain| chain.ratchet_key == *ratchet_key) {
            self.step(ratchet_key, rng);
        }
        let chain = self.receivers.iter_mut().find(|chain| chain.ratchet_key == *ratchet_key);
        let chain = chain.ok_or_else(|| Refusal::new(Reason::Internal, "the chain just made is gone"))?;
        let chain_key = chain.chain.key_at(counter);
        Ok((chain_key, chain.chain.seed_of(counter)?))
    }

    /// A step of the Diffie-Hellman ratchet, on both sides of the root chain.
    fn step<R: Rng + CryptoRng>(&mut self, ratchet_key: &PublicKey, rng: &mut R) {
        let (root, chain) = root_step(&self.root, &self.sender.ratchet.agree(ratchet_key));
        self.receivers.push_back(ReceiverChain { ratchet_key: *ratchet_key, chain: ReceivingChain::new(chain) });
        if self.receivers.len() > MOST_CHAINS {
            self.receivers.pop_front();
        }
        self.previous_counter = self.sender.chain.index.saturating_sub(1);
        self.root_before_sending = Some(root);
        self.send_under(KeyPair::generate(rng));
    }

    /// Makes the sender chain of a ratchet key, in place of the present one.
    pub(super) fn send_under(&mut self, ratchet: KeyPair) {
        let (Some(before), Some(their)) = (self.root_before_sending, self.receivers.back()) else { return };
        let (root, chain) = root_step(&before, &ratchet.agree(&their.ratchet_key));
        self.root = root;
        let former = std::mem::replace(&mut self.sender, SenderChain { ratchet, chain });
        self.former.push_front(former);
        self.former.truncate(MOST_FORMER);
    }
}
