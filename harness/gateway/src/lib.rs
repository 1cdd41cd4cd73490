//! The simulated gatekeeper, `portable` binding: key directory, chat, mailbox, media, and the disturbance between the parties.
//!
//! [`Gateway`] is the gateway of **one** instance as a state machine: no clock, no randomness of the operating system, no I/O.
//! Requests and frames go in, [`Effect`]s come out, in the order in which they happen; the same inputs give the same effects
//! byte for byte, which is what re-execution from a record rests on.
//!
//! With the feature `server` there are two transports that carry the same bytes to it: [`server`], which owns its accept loop and
//! speaks HTTP and WebSocket, and [`memory`], for a candidate in the same process. Neither knows what the bytes mean.

#[cfg(feature = "server")]
pub mod memory;
#[cfg(feature = "server")]
pub mod server;
mod state;
#[cfg(feature = "server")]
mod transport;

pub use state::{
    BundleRule, Certify, ChannelId, Downloads, Effect, Endpoint, Fault, Gateway, HttpReply, HttpRequest, MediaBend, MediaRule,
    RequestId, Rule, StoredStanza, limits,
};
