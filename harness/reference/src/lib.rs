//! The reference users, on Signal's own code or on a stack of ours that can be told to misbehave, and the codecs of what they send.
//!
//! A [`ReferenceUser`] is a plain state machine: no input or output, no clock, no randomness of the operating system. Time is an
//! argument; every random draw comes from a generator that is keyed anew for each operation of a user (see [`draw`]). So the same
//! seed and the same calls give the same bytes, on any thread and in any interleaving with other users, and a record of a run can
//! be executed again.
//!
//! * [`user`]: keys, sessions, messages, identities.
//! * [`media`]: encrypted files, by the format of the contract.
//! * [`wire`]: Signal messages as fields, without any key, and how to bend one of them. It does not use libsignal.
//! * [`refusal`]: what is refused, under the contract's neutral reasons.

pub mod draw;
mod history;
mod keys;
pub mod media;
mod points;
pub mod refusal;
mod signature;
mod stores;
pub mod user;
pub mod wire;

pub use countersign_adversary::alter::{NamedPrekey, PrekeyKind};
pub use countersign_adversary::{Alteration, MessageSecret, WireProfile};
pub use refusal::Refusal;
pub use signature::Signature;
pub use user::{CertificateAuthority, Config, Opened, OtherIdentity, ReferenceUser, Sealing, Stack, Unsealed, WrongCertificate};

/// What is done wrongly, as data; and edits of bytes, for what is altered before a stack gets it.
pub mod alter {
    pub use countersign_adversary::Refusal;
    pub use countersign_adversary::alter::*;
}
