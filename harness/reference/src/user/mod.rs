//! One reference user.

mod groups;
mod keys;
mod library;
mod messages;
mod own;
mod sealed;
mod sender_keys;
mod session;
mod stack;
#[cfg(test)]
mod tests;

pub use sealed::{CertificateAuthority, OtherIdentity, Sealing, Unsealed, WrongCertificate};

use crate::draw::Draws;
use crate::history::History;
use crate::refusal::Refusal;
use crate::signature::Signature;
pub use stack::Stack;

use countersign_contract::claims::Suite;
use countersign_contract::content::Content;
use countersign_contract::portable::DEVICE;
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{DeviceId, ProtocolAddress};
use rand_chacha::ChaCha20Rng;
use stack::AnyStack;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

/// Who a reference user is, and what its randomness is drawn from.
#[derive(Clone, Debug)]
pub struct Config {
    /// Seed of the instance.
    pub seed: [u8; 32],
    /// Name of the scenario.
    pub scenario: String,
    /// Name in the cast, such as `alice`.
    pub name: String,
    /// Name at the gateway.
    pub user: UserId,
    /// What the users of the instance speak.
    pub suite: Suite,
    /// The code that this one runs on.
    pub stack: Stack,
    /// How many one-time EC prekeys an installation starts with, 100 at most.
    pub one_time_prekeys: u32,
    /// Whether as many one-time Kyber prekeys are published as EC ones; else the last-resort one alone.
    pub publishes_one_time_kyber: bool,
}

/// A reference user: keys, sessions and identities, and what it makes of bundles and messages.
///
/// Every method that takes `&mut self` and draws randomness counts as one operation, whether it succeeds or not. A refusal leaves
/// sessions, keys and identities as they were, but for two cases: a message that decrypts and whose content is then refused has
/// been received, and a bundle under a new identity key makes that key the newest known one.
#[derive(Clone)]
pub struct ReferenceUser {
    config: Config,
    draws: Draws,
    operation: u64,
    stack: AnyStack,
    /// What was received, by peer.
    received: BTreeMap<UserId, History>,
    /// Ratchet keys of messages that this user sent: such a message can come back to it.
    sent_ratchet_keys: BTreeSet<Vec<u8>>,
    groups: groups::GroupState,
}

/// A message that was decrypted, authenticated and understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// What is in it.
    pub content: Content,
    /// Length of the plaintext with its padding, in bytes.
    pub padded: u64,
    /// Id of this user's one-time EC prekey that the message used up.
    pub used_one_time_prekey: Option<u32>,
    /// Whether the sender's identity key is another one than before.
    pub identity_changed: bool,
    /// A signature under the sender's identity key over what is said, if one was found.
    pub signature: Option<Signature>,
}

impl Config {
    fn install(&self, rng: &mut ChaCha20Rng) -> AnyStack {
        AnyStack::new(self.suite, self.stack, self.one_time_prekeys, self.publishes_one_time_kyber, rng)
    }
}

impl ReferenceUser {
    /// A user with all its keys made.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let draws = Draws::new(&config.seed, &config.scenario, &config.name);
        let mut rng = draws.generator(0);
        let stack = config.install(&mut rng);
        let groups = groups::GroupState::default();
        Self { config, draws, operation: 1, stack, received: BTreeMap::new(), sent_ratchet_keys: BTreeSet::new(), groups }
    }

    /// The user's name at the gateway.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.config.user
    }

    /// The generator of the next operation.
    fn next_draw(&mut self) -> ChaCha20Rng {
        let rng = self.draws.generator(self.operation);
        self.operation += 1;
        rng
    }
}

impl fmt::Debug for ReferenceUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceUser")
            .field("name", &self.config.name)
            .field("user", &self.config.user)
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// The name under which libsignal knows a user.
fn store_name(user: UserId) -> String {
    user.to_string()
}

/// The same without an allocation, to look something up.
fn name_in(room: &mut [u8; 36], user: UserId) -> &str {
    user.0.hyphenated().encode_lower(room)
}

fn address(user: UserId) -> Result<ProtocolAddress, Refusal> {
    let device = u8::try_from(DEVICE).ok().and_then(|device| DeviceId::new(device).ok());
    let device = device.ok_or_else(|| Refusal::new(Reason::Internal, "the contract's device number is out of range"))?;
    Ok(ProtocolAddress::new(store_name(user), device))
}

/// Finishes a call into libsignal. Its futures wait for nothing but our stores, and those never wait.
fn at_once<T, E: Into<Refusal>>(call: impl Future<Output = Result<T, E>>) -> Result<T, Refusal> {
    use futures_util::FutureExt as _;
    match call.now_or_never() {
        Some(outcome) => outcome.map_err(Into::into),
        None => Err(Refusal::new(Reason::Internal, "a call into libsignal waited for something")),
    }
}

/// Milliseconds since the Unix epoch as libsignal takes time.
fn time(now_ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms)
}
