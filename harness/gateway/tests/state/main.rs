//! The gateway without I/O: what it does for its users, every rule of the disturbance, and what it makes of bad input.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod bad_input;
mod blocks;
mod bundles;
mod chat;
mod faults;
mod groups;
mod network;
mod properties;
mod requests;
mod sealed;
mod world;
