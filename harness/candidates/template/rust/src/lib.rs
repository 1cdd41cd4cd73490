//! NAME OF YOUR MESSENGER as a candidate for Countersign: see README.md.

pub mod client;
pub mod content;
pub mod contract;
pub mod gateway;
pub mod media;
pub mod operations;
pub mod signal_library;
