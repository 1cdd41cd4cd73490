//! What can go wrong before there is anything to judge. Each names the place, the cause and the fix.

use crate::exit::Exit;
use countersign_engine::run::RunError;
use countersign_scenarios::Diagnostic;
use countersign_trace::RecordError;
use std::path::PathBuf;

/// A fault that a user meets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{} in the data files:\n\n{}", if .0.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", .0.len()) }, .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Suite(Vec<Diagnostic>),
    #[error("there is no profile `{name}`\nhint: `countersign list profiles` shows all: {known}")]
    Profile { name: String, known: String },
    #[error("`{0}` is not a seed\nhint: write 64 hexadecimal digits as a report shows them, or a whole number")]
    Seed(String),
    #[error("cannot write {path}: {cause}\nhint: choose another place with --out")]
    Write { path: PathBuf, cause: std::io::Error },
    #[error("cannot create {path}: {cause}\nhint: choose a folder that is empty or not there yet, where you may write")]
    Create { path: PathBuf, cause: std::io::Error },
    #[error("{0} is not empty, and nothing is overwritten\nhint: choose a folder that is empty or not there yet")]
    NotEmpty(PathBuf),
    #[error(
        "`{0}` is no name for a messenger here\nhint: say it with --name: letters, digits, spaces, `.`, `_` and `-`, 64 at most"
    )]
    Name(String),
    #[error("another run is writing to {0}\nhint: wait for it, or choose another folder with --out")]
    Busy(PathBuf),
    /// A record of another candidate is to be run again, and nobody said against which.
    #[error("that record is of the candidate {0}; name the one to run against with --candidate")]
    OtherCandidate(String),
    #[error(
        "cannot read {path}: {cause}\nhint: name the `record.jsonl` in the folder of a run, `reports/out` unless --out said otherwise"
    )]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("cannot read the waivers in {path}: {cause}\nhint: name with --waivers a file as `countersign waive` writes it")]
    Waivers { path: PathBuf, cause: std::io::Error },
    #[error("cannot write {path}: {cause}\nhint: choose another file with --waivers")]
    WriteWaivers { path: PathBuf, cause: std::io::Error },
    #[error(
        "the baseline at {path} cannot be used: {cause}\nhint: nothing was changed; put it back as it was, move it away and make a new one with --snapshots accept, or name another folder with --baseline"
    )]
    Baseline { path: PathBuf, cause: String },
    #[error(
        "there is no baseline in {0}\nhint: make one with `countersign run --snapshots accept`, or name another folder with --baseline: the one with a folder in it for each profile"
    )]
    NoBaseline(PathBuf),
    #[error("cannot write the baseline {path}: {cause}\nhint: choose another folder with --baseline")]
    WriteBaseline { path: PathBuf, cause: std::io::Error },
    /// What is wrong, and how to mend it.
    #[error("{0}\nhint: {1}")]
    Waive(String, String),
    #[error("{0}")]
    Record(#[from] RecordError),
    #[error("{path}: {cause}\nhint: {}", fix_of(.cause))]
    Evidence { path: PathBuf, cause: RecordError },
    #[error("{0}")]
    Run(#[from] RunError),
    #[error("{0}")]
    Target(#[from] countersign_engine::TargetError),
    #[error(
        "--carrier {carrier} is for the built-in sample and its mutants\nhint: `exec:` is a child and `http:` is HTTP already"
    )]
    Carrier { carrier: String },
    #[error("the sample did not start over HTTP: {0}")]
    SampleHttp(String),
    #[error("{0}")]
    Remote(String),
    #[error("{}:{line}:{column}: {what}\nhint: {hint}", .path.display())]
    Config { path: PathBuf, line: usize, column: usize, what: String, hint: String },
    #[error("{origin}: `{key}`: {what}")]
    Setting { origin: String, key: &'static str, what: String },
    #[error("the sample cannot serve: {0}")]
    Sample(String),
    #[error("nothing is called `{name}`\nhint: {hint}")]
    Unknown { name: String, hint: String },
    #[error("{0}")]
    Replay(#[from] countersign_verify::ReplayError),
    #[error(
        "`{0}` cannot be executed anew: its seed does not follow from a run's seed in the record\nhint: leave --live out to execute the recorded trace again"
    )]
    NoSeed(String),
    #[error("cannot write to standard output: {0}")]
    Print(std::io::Error),
    #[error("stopped at once: the record has no summary, and no report was written")]
    Stopped,
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
    #[error(
        "{} of vectors in {} differ from what the generator makes: {}\nhint: `countersign vectors generate` writes them anew",
        if .files.len() == 1 { "1 file".to_owned() } else { format!("{} files", .files.len()) }, .folder.display(), .files.join(", ")
    )]
    NotAsGenerated { folder: PathBuf, files: Vec<String> },
    #[error("the built-in data is faulty: {0}")]
    Builtin(String),
}

/// What somebody does about a record that is no evidence.
const fn fix_of(cause: &RecordError) -> &'static str {
    match cause {
        RecordError::Version { .. } => "read it with the version of Countersign that wrote it",
        RecordError::Empty => "name the `record.jsonl` of a run that has begun",
        RecordError::Blob { .. } => "keep the folder `blobs` beside the record, as the run left it",
        _ => "name the record as its run wrote it: one that was changed is no evidence",
    }
}

impl Fault {
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Suite(_)
            | Self::NotAsGenerated { .. }
            | Self::Profile { .. }
            | Self::Seed(_)
            | Self::Run(RunError::Target(_) | RunError::Filter(_))
            | Self::Target(_)
            | Self::Carrier { .. }
            | Self::Remote(_)
            | Self::Config { .. }
            | Self::Setting { .. }
            | Self::Unknown { .. }
            | Self::Create { .. }
            | Self::NotEmpty(_)
            | Self::Name(_)
            | Self::Busy(_)
            | Self::OtherCandidate(_)
            | Self::Waivers { .. }
            | Self::WriteWaivers { .. }
            | Self::Baseline { .. }
            | Self::NoBaseline(_)
            | Self::WriteBaseline { .. }
            | Self::Waive(..)
            | Self::Replay(_)
            | Self::NoSeed(_)
            | Self::Print(_)
            | Self::Write { .. }
            | Self::Read { .. } => Exit::Usage,
            Self::Stopped => Exit::Interrupted,
            Self::Record(_) | Self::Evidence { .. } => Exit::EvidenceInvalid,
            Self::SampleHttp(_) | Self::Sample(_) => Exit::Environment,
            Self::Run(RunError::NoReader) | Self::Runtime(_) | Self::Builtin(_) => Exit::Internal,
        }
    }
}
