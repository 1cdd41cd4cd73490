//! Doing it again: what failed, until it fails, or from a record.

use super::Candidate;
use std::path::PathBuf;

/// Where a run leaves its record unless told otherwise.
pub(super) const LAST_RECORD: &str = "reports/out/record.jsonl";

/// What a run does besides running once.
#[derive(Debug, clap::Args)]
pub(crate) struct Again {
    /// Only what failed, was inconclusive or could not be judged in an earlier record; exit code 7 if there is nothing left.
    #[arg(long, value_name = "RECORD", num_args = 0..=1, default_missing_value = LAST_RECORD, conflicts_with = "only")]
    pub(crate) rerun_failed: Option<PathBuf>,
    /// Run again and again, each time with a new seed, until a run does not conform; at most N times, or until Ctrl-C. The record of
    /// the last run is kept.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "4294967295", conflicts_with = "seed",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat_until_failure: Option<u32>,
    /// Tell of everything that goes in and out on standard error as it happens, a line each.
    #[arg(long)]
    pub(crate) trace: bool,
}

/// An instance of a record, executed again.
#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// The instance as the record names it: `e2ee/lost`, `e2ee/mac-inner-field@counter`, or a repeat such as `e2ee/lost#1`.
    pub(crate) instance: String,
    /// The record.
    #[arg(long, value_name = "RECORD", default_value = LAST_RECORD)]
    pub(crate) record: PathBuf,
    /// Wait for Enter after each step of the scenario, if this is a terminal.
    #[arg(long)]
    pub(crate) step: bool,
    /// Execute it anew against the candidate, with the same seed, rather than from the trace. Nothing is written.
    #[arg(long)]
    pub(crate) live: bool,
    #[command(flatten)]
    pub(crate) candidate: Candidate,
}
