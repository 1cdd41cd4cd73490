//! What a candidate implements to be certified: the upper tester's operations, the `portable` binding towards the gateway, and
//! the content that users exchange.
//!
//! A partner reads this crate and writes an endpoint in any language. It is licensed MIT OR Apache-2.0 and links nothing else
//! of Countersign, so that it may be copied into a partner's own code.
//!
//! * [`operations`]: what we ask of a candidate, one typed call for each thing that a user can do or see.
//! * [`portable`]: how the candidate's client talks to the gateway: JSON over HTTP, and stanzas over a WebSocket.
//! * [`content`]: the protobuf inside the ciphertext, and the rule by which it is padded.
//! * [`conversation`]: what may be said about a message, and what a receipt is sent for.
//! * [`groups`]: members of a group, sender keys, and what is refused in one.
//! * [`sealed`]: messages whose sender only the receiver learns.
//! * [`media`]: the format of an encrypted file.
//! * [`carrier`]: the envelope of a call on standard input and output.
//! * [`openapi`]: the machine-readable form of all that, generated from the types.

pub mod bytes;
pub mod carrier;
pub mod claims;
pub mod content;
pub mod conversation;
pub mod groups;
pub mod ids;
pub mod media;
pub mod openapi;
pub mod operations;
pub mod portable;
pub mod reason;
pub mod sealed;
pub mod seen;

pub use bytes::Bytes;
pub use ids::{GroupId, InstanceId, MessageId, StanzaId, UserId};
pub use operations::{Answer, Call, Operation};
pub use reason::{Problem, Reason};

/// Version of this contract, as `describe` must state it. The first number changes when an old candidate stops working.
pub const CONTRACT_VERSION: &str = "1.0";
