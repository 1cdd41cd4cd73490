//! Arguments of `vectors`.

use clap::Subcommand;
use std::path::PathBuf;

/// Stored vectors.
#[derive(Debug, clap::Args)]
pub(crate) struct Vectors {
    #[command(subcommand)]
    pub(crate) what: What,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Make every vector file of ours anew, bit for bit from its seed.
    Generate(Generate),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// The folder of vectors.
    #[arg(default_value = "vectors")]
    pub(crate) folder: PathBuf,
    /// Write nothing: say which files differ, and fail if any does.
    #[arg(long)]
    pub(crate) check: bool,
}
