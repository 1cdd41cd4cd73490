//! The carriers of calls that need a process of their own.

mod dial;
mod guard;
mod http;
mod stdio;

pub use dial::{DialOut, dial_out};
pub use guard::{Guard, GuardError};
pub use http::{serve_guarded, serve_http};
pub use stdio::serve_stdio;
