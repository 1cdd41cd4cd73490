//! One execution of one scenario, as a deterministic state machine without any I/O.
//!
//! Inputs go in one after another ([`Instance::handle`]): answers of the candidate, its requests and frames, timers that fired.
//! What is to be done comes out: calls to the candidate, replies and frames to its clients, timers to set. Everything else, the
//! gateway, the network between the parties, the reference users and the script, happens inside, at once. With the same plan and
//! the same inputs the same bytes come out: `engine` drives an instance with sockets, and `verify` drives it again from a record.
//!
//! * [`plan`]: what an instance is made of, and what comes out of it.
//! * `script`: turns the scenario's steps into actions.
//! * `effects`: what the gateway wants done, and what reference users do with what they receive.
//! * `groups`: groups, and what reference users do in them.
//! * `content`: what is sent, made from the seed.
//! * `state`: what is asked of the candidate's state, and what it is searched for.
//! * `stored`: peers whose keys and messages stand in the scenario.

mod content;
mod derive;
mod effects;
mod groups;
mod instance;
mod life;
mod members;
pub mod plan;
mod reference_side;
mod rewrite;
mod script;
mod sealed;
mod sending;
mod state;
mod stored;
mod talk;
mod timed;
mod wrongly;

pub use instance::Instance;
pub use plan::{Finished, InstancePlan, Output, Spoken, instance_id, instance_seed, no_meter};
pub use sealed::trust_root;
