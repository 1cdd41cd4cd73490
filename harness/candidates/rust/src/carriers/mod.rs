//! The two carriers of calls that need a process of their own.

mod http;
mod stdio;

pub use http::serve_http;
pub use stdio::serve_stdio;
