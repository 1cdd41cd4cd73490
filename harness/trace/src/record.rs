//! The record of a run: a file of JSON lines that is written as the run goes, chained by digests.
//!
//! Each line is `{"chain":"…","line":…}` where `chain` is SHA-256 over the chain of the line before (64 hexadecimal digits; zeros
//! for the first) and the exact bytes of `line`. A run that was killed leaves a record without a [`Summary`], and perhaps a last
//! line that is cut off: both are read, and said. Long bodies lie in `blobs/` beside it, each under its digest.
//!
//! Version: [`RECORD_VERSION`]. A reader refuses another one. New optional members may be added without a new version; a reader
//! of this version ignores none: unknown members are errors, so that nothing judged can hide in one.

mod bodies;
mod lines;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use bodies::{BlobFolder, Bodies, shown};
pub use lines::*;
pub use read::{Record, RecordError, open_regular};
pub use write::RecordWriter;

/// Version of the record's format.
pub const RECORD_VERSION: u32 = 2;

/// Name of the record's file in a run's folder.
pub const RECORD_FILE: &str = "record.jsonl";

/// Name of the folder of long bodies beside it.
pub const BLOBS_FOLDER: &str = "blobs";

/// What the first line builds on.
pub(crate) const FIRST_CHAIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The chain after a line.
pub(crate) fn chain(previous: &str, line: &str) -> String {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    hash.update(previous.as_bytes());
    hash.update(line.as_bytes());
    crate::Digest(hash.finalize().into()).to_string()
}

/// JSON Schema of one line of a record, the value of its member `line`.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Line);
    schema.insert("title".to_owned(), format!("Countersign record, version {RECORD_VERSION}").into());
    schema.to_value()
}
