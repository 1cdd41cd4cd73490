//! Stored keys, messages and files with the one right answer.
//!
//! A vector never changes: what it says of a candidate today it says in ten years, whatever becomes of the generators. Only receiving
//! can be tested with a stored message. So a peer is published at the gateway under the vector's identity, and the candidate imports
//! the private keys of the receiver (capability `import`). No vector knows a wall clock.
//!
//! * [`file`](mod@file): what a vector file says.
//! * [`kind`](mod@kind): the kinds, with a JSON Schema each.
//! * [`read`](mod@read): files read strictly, every fault with its place, cause and fix.
//! * [`compile`](mod@compile): each vector as an ordinary scenario, so that trace, judge, record, verification and reports are what they always are.
//! * [`suite`](mod@suite): the built-in vectors, and the suite of data files with them.
//! * [`generate`](mod@generate): every file bit for bit from its seed.

pub mod compile;
pub mod file;
pub mod generate;
pub mod kind;
pub mod read;
pub mod suite;

pub use kind::{KINDS, Kind, schemas};
pub use read::{Loaded, Vector, read};
pub use suite::{builtin, builtin_files, index, scenario_files, without_vectors};
