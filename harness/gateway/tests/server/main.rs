//! The transports: what a client on a socket or in memory gets, and that none can keep the server busy.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod abuse;
mod client;
mod entrance;
mod http;
mod memory;
mod websocket;
