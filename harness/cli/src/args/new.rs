//! Arguments of `new`.

use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct New {
    #[command(subcommand)]
    pub(crate) what: What,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// A candidate to fill in: every operation of the contract, carriers and gateway; your Signal library is missing.
    Candidate(Candidate),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Candidate {
    /// In which language.
    #[arg(long, value_enum)]
    pub(crate) lang: Language,
    /// Name of the messenger; the folder's unless said.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where to write it: a folder that is empty or not there yet.
    pub(crate) folder: PathBuf,
}

/// A language that there is a skeleton in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust, with `serde_json` and nothing else.
    Rust,
    /// Node 20 or later, without packages.
    Node,
    /// Python 3.9 or later, standard library only.
    Python,
}
