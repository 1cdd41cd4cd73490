//! Arguments of `fuzz`.

use super::{Candidate, Format};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Fuzz {
    #[command(flatten)]
    pub(crate) candidate: Candidate,
    /// Send malformed input under valid MACs in place of random walks: contents, messages, prekey messages and files that are wrong
    /// inside, and honest messages in between; group messages and sender keys too where the profile and the candidate have groups, and
    /// sealed messages and certificates where they have sealed sender. A client must neither end nor hang nor grow over them, show none of
    /// what cannot be read, and go on with the conversation; where it can export its state, what was not read must leave that as it was. How
    /// much memory a child may use, --child-memory says: 1,024 MiB here unless said.
    #[arg(long)]
    pub(crate) wire: bool,
    /// Most walks; with --wire, most malformed inputs. Without this and without --minutes, the search goes on for one minute.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) cases: Option<u64>,
    /// Longest time.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub(crate) minutes: Option<u64>,
    /// End with the first failure.
    #[arg(long)]
    pub(crate) first: bool,
    /// Steps of each walk, about.
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "wire", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) steps: u32,
    /// Most executions to shrink one failure.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) shrinks: u32,
    /// Walks, or conversations, at once.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) jobs: u32,
    /// Folder for what is found, as a suite for `run --suite`; what an earlier search left there is gone.
    // Under a name of its own: what is set as the folder of runs is not meant.
    #[arg(id = "walks", long = "out", value_name = "FOLDER", default_value = "reports/walks")]
    pub(crate) out: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}
