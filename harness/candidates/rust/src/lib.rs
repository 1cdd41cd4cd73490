//! The built-in sample candidate: a small messenger client on official Signal code.
//!
//! It implements every operation of the contract and depends on nothing else of Countersign, so that it stands where a partner's
//! candidate stands. It can be called in process ([`Sample::call`]), as a child ([`serve_stdio`]), over HTTP ([`serve_http`], or
//! [`serve_guarded`] with TLS and a token), and it can dial out to whoever calls it ([`dial_out`]).
//! [`Defect`]s turn it into one of the clients that Countersign must catch.

mod carriers;
mod client;
mod defect;
mod instance;
mod limits;
mod network;
mod vault;
mod wire;

#[cfg(test)]
mod tests;

pub use carriers::{DialOut, Guard, GuardError, dial_out, serve_guarded, serve_http, serve_stdio};
pub use defect::{Defect, Defects, Honest, UnknownDefect};
pub use instance::Sample;
pub use network::network_wire;
pub use wire::{Chat, Wire, WireError, WireFactory, WireReply, WireRequest};
