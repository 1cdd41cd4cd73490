//! For tests only: candidates that are broken in the ways in which real ones are, and runs on them.

pub mod broken_children;
pub mod broken_http;
mod options;

pub use options::options;
