//! The operations of the upper tester: what we ask a candidate to do as its user would, and what its user then sees.
//!
//! A failed operation answers with a [`Problem`]. An operation that a candidate does not have, an operation that does not exist
//! and an unknown argument are answered `unsupported` (the first two) or `malformed`; we probe that with invented ones.

mod messages;
mod table;

pub use messages::*;
pub use table::{Answer, Call, Operation};

use crate::Problem;

/// What a candidate answers to a call.
pub type Outcome = Result<Answer, Problem>;
