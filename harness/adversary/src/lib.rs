//! A Signal stack of our own, which can be told to misbehave.
//!
//! An official library refuses to make a malformed or malicious message, so a harness that has nothing else can only test what a
//! well-behaved peer sends. This crate is X3DH, PQXDH and the Double and Triple Ratchet from Signal's published specifications, with
//! every step open to [alterations](alter): data that says what to do wrongly at this step, in this field, with this value. Whatever
//! is altered before the MAC is computed stands under a valid MAC.
//!
//! Without alterations it is honest: the same limits, refusals and repetitions as Signal's library. That is not believed but tested:
//! random conversations with loss, reordering, repetition, restarts and simultaneous starts against Signal's own Rust crate (v4, with
//! and without the post-quantum ratchet) and against Signal's published binaries (v3 under both version bytes, v4, v4 with the
//! post-quantum ratchet). It is the reference of the suite `signal-classic`, for which there is no official Rust code.
//!
//! What it does not check independently: the post-quantum ratchet (SPQR) is Signal's own crate, the same that the official library
//! uses. An error in that would be made on both sides. The cryptographic primitives are those of dalek, RustCrypto and libcrux.
//!
//! No I/O, no clock, no randomness but what each call is given: [`Party`] is plain data.

pub mod alter;
mod bundle;
mod chain;
mod curve;
mod group;
mod kdf;
mod kem;
mod keys;
mod party;
mod profile;
mod refusal;
mod sealed;
mod secret;
mod session;
mod wire;

pub use alter::Alteration;
pub use bundle::Bundle;
pub use curve::{KeyPair, PUBLIC_KEY_BYTES, PublicKey, SIGNATURE_BYTES};
pub use group::MOST_SENDER_KEYS;
pub use kdf::MAC_BYTES;
pub use kem::{KYBER_PRIVATE_BYTES, KYBER_PUBLIC_BYTES};
pub use party::{Config, Opened, Opening, Party};
pub use profile::WireProfile;
pub use refusal::Refusal;
pub use sealed::{SealedContent, SealedKind};
pub use session::{FURTHEST_AHEAD, MOST_ARCHIVED, MOST_CHAINS, MOST_SKIPPED, MessageSecret};
