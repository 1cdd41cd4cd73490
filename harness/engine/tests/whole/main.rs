//! Whole runs, from the doctor to the last instance.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends when something is not as it has to be"
)]

mod common;
mod doctor;
mod run;
#[cfg(target_os = "linux")]
mod series;
