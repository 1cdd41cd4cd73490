//! The transports: what a client on a socket or in memory gets, and that none can keep the server busy.

mod abuse;
mod client;
mod http;
mod memory;
mod websocket;
