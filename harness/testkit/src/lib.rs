//! For tests only: candidates that are broken in the ways in which real ones are.

pub mod broken_children;
pub mod broken_http;
