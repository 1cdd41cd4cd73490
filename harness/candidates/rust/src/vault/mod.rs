//! A user's keys and sessions, and what is done with them. Nothing in here waits for anything.
//!
//! There are two kinds, one for each suite that the sample speaks: [`pq`] on official Signal code, [`classic`] on code of its own.

mod classic;
mod counters;
mod either;
mod identities;
mod ids;
mod imported;
mod outcome;
mod points;
mod pq;
mod written;

pub(crate) use either::{Backup, Vault};
pub(crate) use outcome::{Opened, Readiness, Started, Unsealed, Unvouched};
#[cfg(test)]
pub(crate) use points::is_low_order;
pub(crate) use pq::{first_bytes, has_whole_blocks, lacks_ciphertext};
#[cfg(test)]
pub(crate) use pq::{forge_previous_counter, run};
