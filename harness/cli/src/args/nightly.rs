//! For runs that come every night: what somebody answers for, and what has changed.

use std::path::PathBuf;

/// What a run is held against.
#[derive(Debug, clap::Args)]
pub(crate) struct Nightly {
    /// Failures that somebody answers for until a day: a file as `countersign waive` writes it. None is read unless it is named.
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
    /// Keep what the candidate did in each scenario as the baseline, or compare it with the baseline: exit code 6 if something
    /// changed and nothing else is wrong.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) snapshots: Option<Snapshots>,
    /// Folder of baselines, with a folder in it for each profile.
    #[arg(long, value_name = "FOLDER", default_value = "reports/baseline")]
    pub(crate) baseline: PathBuf,
}

/// What to do with a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Snapshots {
    /// Keep what was done as the baseline.
    Accept,
    /// Compare with the baseline.
    Check,
}

/// A failure to be waived.
#[derive(Debug, clap::Args)]
pub(crate) struct Waive {
    /// What failed, as the report names it: `e2ee/lost`, `e2ee/mac-inner-field@counter`, a glob, or `run` for a check of the whole run.
    pub(crate) result: String,
    /// Only this check of it, such as `step-4`; every one that failed unless said. May be repeated.
    #[arg(long, value_name = "ID")]
    pub(crate) check: Vec<String>,
    /// Who answers for it.
    #[arg(long, value_name = "WHO")]
    pub(crate) owner: String,
    /// Why it is acceptable for now.
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
    /// Where it is being worked on.
    #[arg(long, value_name = "URL")]
    pub(crate) link: String,
    /// The last day on which the waiver holds, in UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) until: countersign_trace::Day,
    /// Name of the waiver; the next number, as `W-7`, unless said.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// The record in which it failed.
    #[arg(long, value_name = "RECORD", default_value = super::again::LAST_RECORD)]
    pub(crate) record: PathBuf,
    /// The file to which the waiver is added; it is made if it is not there.
    #[arg(long, value_name = "FILE", default_value = "waivers.yaml")]
    pub(crate) waivers: PathBuf,
    /// Read settings from this file rather than from `countersign.toml`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
