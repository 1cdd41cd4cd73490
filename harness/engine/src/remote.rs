//! Partners who are not on this machine: how we reach their upper tester, how their clients reach us, and what a child may use.
//!
#![doc = include_str!("../REMOTE.md")]

pub mod access;
pub mod address;
pub mod reach;
pub mod secret;

pub use access::{Access, AccessError, Trust};
pub use address::{AddressError, Network, Site};
pub use reach::{Entry, Reach, ReachError, Tls};
pub use secret::{REDACTED, Redactor, Secret, SecretError};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Everything about a candidate that is elsewhere; and about what one may use that is here.
#[derive(Clone, Debug, Default)]
pub struct Remote {
    /// How we reach its upper tester.
    pub access: Access,
    /// How its clients reach our gateway.
    pub reach: Reach,
    /// How it reaches us if it dials out.
    pub dial: DialIn,
    /// What a child process may use.
    pub limits: ChildLimits,
}

/// Takes a text for the person who waits.
pub type Announce = Arc<dyn Fn(&str) + Send + Sync>;

/// A candidate that dials out to us.
#[derive(Clone)]
pub struct DialIn {
    /// The key that lets it in.
    pub key: Secret,
    /// How long we wait for it at the beginning.
    pub wait: Duration,
    /// How long we wait for it to come back.
    pub reconnect: Duration,
    /// Told where it is to dial, once we listen there.
    pub announce: Option<Announce>,
}

impl Default for DialIn {
    /// A random key, and times for a person at the other end.
    fn default() -> Self {
        Self { key: Secret::random(), wait: Duration::from_secs(300), reconnect: Duration::from_secs(8), announce: None }
    }
}

impl fmt::Debug for DialIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialIn")
            .field("key", &self.key)
            .field("wait", &self.wait)
            .field("reconnect", &self.reconnect)
            .finish_non_exhaustive()
    }
}

/// What a candidate in a child process may use. On Linux; elsewhere there is no way to set it without `unsafe` code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildLimits {
    /// Seconds of processor time of each of its processes.
    pub cpu_s: u64,
    /// Bytes in memory, all its processes together. The memory in use counts, not the addresses: a JavaScript engine reserves far
    /// more of these than it uses.
    pub memory: u64,
    /// Bytes of each file that it writes.
    pub file: u64,
    /// Files and sockets that each of its processes may have open.
    pub open_files: u64,
}

impl Default for ChildLimits {
    fn default() -> Self {
        Self { cpu_s: 1800, memory: 4 << 30, file: 1 << 30, open_files: 8192 }
    }
}

impl Remote {
    /// Takes our secrets out of whatever comes in.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        Redactor::new(self.access.token.iter().cloned().chain([self.dial.key.clone()]))
    }
}
