//! The sender keys that a party has: its own, and those of others.

use super::MOST_SENDER_KEYS;
use super::message::{Distribution, GroupMessage};
use crate::alter::{Alteration, Chains, Field, Layer, MOST_SPENT, Part, Surface, edited, impossible};
use crate::chain::ReceivingChain;
use crate::curve::{KeyPair, PublicKey};
use crate::kdf::{ChainKey, GroupKeys};
use crate::refusal::Refusal;
use crate::secret::Secret32;
use crate::wire::{Fields, distribution, group};
use countersign_contract::Reason;
use rand::{CryptoRng, Rng};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;

/// The version byte: version 3 in both halves, as official code writes it.
const VERSION: u8 = 0x33;

/// All sender keys of a party.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SenderKeys {
    own: BTreeMap<Uuid, OwnSenderKey>,
    /// By the sender's name, then by distribution; newest first.
    others: BTreeMap<String, BTreeMap<Uuid, VecDeque<OtherSenderKey>>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct OwnSenderKey {
    chain_id: u32,
    chain: ChainKey,
    signing: KeyPair,
    /// The signing key before the last rotation: an alteration may use it once more.
    former: Option<KeyPair>,
    /// The chain as it stood at the last messages, newest first: an alteration may use their keys once more.
    #[serde(default)]
    spent: VecDeque<ChainKey>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct OtherSenderKey {
    chain_id: u32,
    chain: ReceivingChain,
    signing: PublicKey,
}

impl OwnSenderKey {
    fn new<R: Rng + CryptoRng>(former: Option<KeyPair>, rng: &mut R) -> Self {
        // Official code keeps to 31 bits, since one of its languages has signed numbers only.
        let chain_id = rng.random::<u32>() >> 1;
        let chain = ChainKey { key: Secret32(rng.random()), index: 0 };
        Self { chain_id, chain, signing: KeyPair::generate(rng), former, spent: VecDeque::new() }
    }
}

impl SenderKeys {
    /// The distribution of the party's own sender key, which is made if there is none.
    pub(crate) fn distribute<R: Rng + CryptoRng>(
        &mut self,
        id: Uuid,
        alterations: &[Alteration],
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        let own = self.own.entry(id).or_insert_with(|| OwnSenderKey::new(None, rng));
        let mut fields = Fields::default();
        fields.bytes(distribution::ID, id.as_bytes());
        fields.number(distribution::CHAIN_ID, own.chain_id);
        fields.number(distribution::ITERATION, own.chain.index);
        fields.bytes(distribution::CHAIN_KEY, &own.chain.key.0);
        fields.bytes(distribution::SIGNING_KEY, &own.signing.public.serialized());
        let mut version = VERSION;
        Surface::of(alterations).bend(Layer::Distribution, &mut version, &mut fields)?;
        written(version, &fields, Part::Distribution, alterations)
    }

    pub(crate) fn rotate<R: Rng + CryptoRng>(&mut self, id: Uuid, rng: &mut R) {
        let former = self.own.get(&id).map(|own| own.signing);
        self.own.insert(id, OwnSenderKey::new(former, rng));
    }

    pub(crate) fn process(&mut self, sender: &str, bytes: &[u8]) -> Result<Uuid, Refusal> {
        let Distribution { id, chain_id, iteration, chain_key, signing } = Distribution::read(bytes)?;
        let states = self.others.entry(sender.to_owned()).or_default().entry(id).or_default();
        // One that is known already is not set back; it only counts as the newest.
        let known = states.iter().position(|state| state.chain_id == chain_id && state.signing == signing);
        let known = known.and_then(|place| states.remove(place));
        states.retain(|state| state.chain_id != chain_id);
        let chain = ReceivingChain::new(ChainKey { key: Secret32(chain_key), index: iteration });
        states.truncate(MOST_SENDER_KEYS - 1);
        states.push_front(known.unwrap_or(OtherSenderKey { chain_id, chain, signing }));
        Ok(id)
    }

    pub(crate) fn encrypt<R: Rng + CryptoRng>(
        &mut self,
        id: Uuid,
        plaintext: &[u8],
        alterations: &[Alteration],
        rng: &mut R,
    ) -> Result<Vec<u8>, Refusal> {
        let (chains, surface) = (Chains::of(alterations)?, Surface::of(alterations));
        let own = self.own.get_mut(&id).ok_or_else(|| no_key("the party has no sender key of its own", id))?;
        let mut chain = own.chain.clone();
        for _ in 0..chains.jump {
            chain.step();
        }
        let used = match chains.rewind {
            None => chain.clone(),
            Some(back) => {
                let spent = own.spent.get(back - 1).cloned();
                spent.ok_or_else(|| impossible(format_args!("{} messages were sent under the sender key", own.spent.len())))?
            }
        };
        let keys = GroupKeys::derive(&used.seed());
        let plaintext = edited(Part::Plaintext, alterations, plaintext.to_vec())?;
        let ciphertext = match surface.padding(&plaintext)? {
            None => keys.encrypt(&plaintext),
            Some(blocks) => keys.encrypt_blocks(&blocks),
        };
        let mut fields = Fields::default();
        fields.bytes(group::DISTRIBUTION, id.as_bytes());
        fields.number(group::CHAIN_ID, own.chain_id);
        fields.number(group::ITERATION, used.index);
        fields.bytes(group::CIPHERTEXT, &ciphertext);
        let mut version = VERSION;
        surface.bend(Layer::Group, &mut version, &mut fields)?;
        let mut bytes = written(version, &fields, Part::Group, alterations)?;
        let signing = match chains.sign_with {
            None => own.signing,
            Some(choice) => choice.pair(own.former.as_slice(), rng)?,
        };
        let mut signature = signing.sign(&bytes, rng).to_vec();
        surface.bend_bytes(Field::GroupSignature, &mut signature)?;
        bytes.append(&mut signature);
        if chains.rewind.is_none() {
            own.spent.truncate(MOST_SPENT - 1);
            own.spent.push_front(chain.clone());
            chain.step();
        }
        own.chain = chain;
        Ok(bytes)
    }

    pub(crate) fn decrypt(&mut self, sender: &str, bytes: &[u8]) -> Result<(Uuid, Vec<u8>), Refusal> {
        let message = GroupMessage::read(bytes)?;
        let id = message.distribution;
        let states = self.others.get_mut(sender).and_then(|distributions| distributions.get_mut(&id));
        let state = states.and_then(|states| states.iter_mut().find(|state| state.chain_id == message.chain_id));
        let state = state.ok_or_else(|| no_key("no sender key of that member and chain is known", id))?;
        if !state.signing.verifies(message.signed, message.signature) {
            return Err(Refusal::new(Reason::BadSignature, "the signature does not verify under the sender key's"));
        }
        let mut chain = state.chain.clone();
        let keys = GroupKeys::derive(&chain.seed_of(message.iteration)?);
        let plaintext = keys.decrypt(message.ciphertext);
        let plaintext = plaintext.ok_or_else(|| Refusal::new(Reason::BadMac, "the ciphertext cannot be decrypted"))?;
        state.chain = chain;
        Ok((id, plaintext))
    }
}

/// A version byte and a protobuf with the edits of it.
fn written(version: u8, fields: &Fields, part: Part, alterations: &[Alteration]) -> Result<Vec<u8>, Refusal> {
    let mut protobuf = Vec::new();
    fields.write(&mut protobuf);
    let mut bytes = vec![version];
    bytes.append(&mut edited(part, alterations, protobuf)?);
    Ok(bytes)
}

fn no_key(detail: &str, id: Uuid) -> Refusal {
    Refusal::new(Reason::NoSession, format!("{detail} (distribution {id})"))
}
