//! The limits that the sample states.

/// Longest text in bytes of UTF-8.
pub(crate) const TEXT_BYTES: usize = 64 * 1024;
/// Largest file in bytes of plaintext.
pub(crate) const FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Most snapshots, and most copies, of one instance.
pub(crate) const KEPT: usize = 64;
/// Most instances open at once.
pub(crate) const INSTANCES: usize = 1024;
