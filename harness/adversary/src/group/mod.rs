//! Sender keys: one chain and one signing key for each member of a group, in the format of official code (version 3, with the UUID
//! of the distribution).

mod message;
mod state;

pub(crate) use state::SenderKeys;

/// How many sender keys of one member and distribution are kept; the oldest goes first.
pub const MOST_SENDER_KEYS: usize = 5;
