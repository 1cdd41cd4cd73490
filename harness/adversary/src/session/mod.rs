//! Sessions: agreed upon, sent in, received in, archived.

mod agreement;
mod receiving;
mod record;
mod sending;
mod triple;

pub(crate) use agreement::{CheckedBundle, initiate, respond};
pub(crate) use record::Record;

use crate::chain::ReceivingChain;
use crate::curve::{KeyPair, PublicKey};
use crate::kdf::{ChainKey, MessageKeys};
use crate::profile::WireProfile;
use crate::secret::{Secret32, SecretBytes};
use countersign_contract::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How far ahead of the last received message of a chain a message may lie.
pub const FURTHEST_AHEAD: u32 = 25_000;
/// How many keys of skipped messages a receiver chain keeps; the oldest goes first.
pub const MOST_SKIPPED: usize = 2_000;
/// How many receiver chains a session keeps; the oldest goes first.
pub const MOST_CHAINS: usize = 5;
/// How many sessions that are no longer sent in are kept for each peer; the oldest goes first.
pub const MOST_ARCHIVED: usize = 40;
/// How many of its former sender chains a session remembers. An honest stack remembers none; here they serve alterations alone.
const MOST_FORMER: usize = 8;

/// One session with a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    /// What is spoken in it: of two parties of another profile, the initiator decides.
    pub(crate) profile: WireProfile,
    /// Under which identity key this party speaks.
    pub(crate) local_identity: PublicKey,
    pub(crate) remote_identity: PublicKey,
    /// By which both sides know the session.
    pub(crate) base_key: PublicKey,
    /// The pair of that key, at the initiator: an alteration may use it once more.
    base: Option<KeyPair>,
    pub(crate) remote_registration_id: u32,
    root: Secret32,
    /// The root key before the step that made the sender chain: with it, the step can be made again under another ratchet key.
    root_before_sending: Option<Secret32>,
    sender: SenderChain,
    /// Length of the chain before, less one, as the official code has it.
    previous_counter: u32,
    receivers: VecDeque<ReceiverChain>,
    /// What every message carries until the peer answers.
    pub(crate) pending: Option<Pending>,
    /// State of the post-quantum ratchet; empty where there is none.
    spqr: SecretBytes,
    former: VecDeque<SenderChain>,
    /// The secrets of the message that was made or read last, by what they are. Of no use to the protocol.
    #[serde(skip)]
    pub(crate) last: Vec<(MessageSecret, Secret32)>,
}

/// A secret from which a message can be read, or what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageSecret {
    /// The chain key at the place of the message: its seed follows from it, and that of every later message of the chain.
    ChainKey,
    /// The seed of its keys.
    Seed,
    /// The key of its cipher.
    CipherKey,
    /// The key of its MAC.
    MacKey,
}

impl MessageSecret {
    /// What it is, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::ChainKey => "chain key",
            Self::Seed => "seed of the message keys",
            Self::CipherKey => "cipher key",
            Self::MacKey => "MAC key",
        }
    }
}

/// A chain that is sent in.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SenderChain {
    ratchet: KeyPair,
    chain: ChainKey,
}

/// A chain that is received in.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ReceiverChain {
    ratchet_key: PublicKey,
    chain: ReceivingChain,
}

/// What an initiator repeats until it is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) registration_id: u32,
    pub(crate) one_time: Option<u32>,
    pub(crate) signed: Option<u32>,
    pub(crate) kyber_id: Option<u32>,
    pub(crate) kyber: Option<Bytes>,
}

impl Session {
    /// Whether the post-quantum ratchet still runs: a peer that lacks it switches it off with its first message.
    pub(crate) fn runs_spqr(&self) -> bool {
        !self.spqr.as_vec().is_empty()
    }

    /// Notes the secrets of a message.
    pub(super) fn note(&mut self, chain: Option<Secret32>, seed: Secret32, keys: &MessageKeys) {
        let [cipher, mac] = keys.secrets();
        let chain = chain.map(|key| (MessageSecret::ChainKey, key));
        let derived =
            [(MessageSecret::Seed, seed), (MessageSecret::CipherKey, Secret32(cipher)), (MessageSecret::MacKey, Secret32(mac))];
        self.last = chain.into_iter().chain(derived).collect();
    }

    /// The key that this party's messages carry at present.
    pub(crate) fn ratchet_key(&self) -> PublicKey {
        self.sender.ratchet.public
    }
}
