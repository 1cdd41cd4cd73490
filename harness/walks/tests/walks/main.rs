//! Walks are valid scenarios; the honest sample passes all of them; and mistakes that need several steps are found, and shrunk to what
//! they need.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod drawn;
mod honest;
mod planted;
mod support;
mod wire;
