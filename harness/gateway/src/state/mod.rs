//! The gateway of one instance, without I/O.

mod chat;
mod directory;
mod disturbance;
mod effect;
mod gateway;
mod groups;
pub mod limits;
mod mailbox;
mod media;
mod names;
mod requests;
mod transit;

pub use disturbance::{BundleRule, Downloads, Endpoint, Fault, MediaBend, MediaRule, Rule};
pub use effect::{ChannelId, Effect, HttpReply, HttpRequest, RequestId};
pub use gateway::{Certify, Gateway, StoredStanza};
