//! Random walks through the states of conversations, for what nobody thought of.
//!
//! A [`model`] of users, sessions, keys and messages in flight says what makes sense next, which steps of the scenario language it is,
//! and what must follow from it. [`strategy`] draws walks of some fifty steps from a seed and shrinks them, as proptest does; a walk is
//! an ordinary scenario, and [`search`] has the engine execute it on any candidate, the judge and its monitors decide, and the shortest
//! walk that still fails for the same [`cause`] is handed over as a file that `run` and `lint` read ([`mod@write`]).
//!
//! It stands above `engine` and below `cli`. It executes nothing by itself, judges nothing, and prints nothing.
//!
//! * [`action`]: what can happen.
//! * [`abilities`]: what depends on the candidate.
//! * [`walk`]: from what happens to a scenario.
//! * [`shrink`]: from a failure to the shortest walk with the same cause.
//! * [`wire`]: malformed input under valid MACs between honest messages, judged and handed over in the same way.

pub mod abilities;
pub mod action;
mod again;
pub mod cause;
mod draw;
pub mod model;
pub mod search;
pub mod shrink;
pub mod strategy;
pub mod walk;
pub mod wire;
pub mod write;
mod yaml;

pub use abilities::{Abilities, Casting};
pub use cause::Cause;
pub use search::{Found, Mode, Options, Outcome, Telling, search};
pub use strategy::{STEPS, Walks};
pub use walk::Walk;
