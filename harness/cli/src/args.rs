//! Arguments.

mod again;
mod fuzz;
mod new;
mod nightly;
pub(crate) mod remote;
mod show;
mod vectors;

pub(crate) use again::{Again, Replay};
pub(crate) use fuzz::Fuzz;
pub(crate) use show::{Completions, Show};

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub(crate) use vectors::{Generate, Vectors, What as VectorsWhat};

pub(crate) use nightly::{Nightly, Snapshots, Waive};

pub(crate) use new::{Candidate as NewCandidate, Language, New, What as NewWhat};

/// Certifies end-to-end-encrypted messengers for interoperability under the Digital Markets Act.
///
/// Plays the gatekeeper against a messenger, breaks things on purpose, and writes a verdict that anyone can recompute.
/// `countersign run` without arguments certifies the built-in sample.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) show: Show,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 conforms; 1 internal error; 2 usage or faulty data files; 3 doctor failed, environment \
error or blocked; 4 the candidate failed; 5 a waiver is out of date: expired, stale, or what it waives passes; 6 inconclusive, needs review, or changed since the baseline; 7 nothing selected; 8 evidence \
invalid; 130 interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Certify a candidate and write record and reports.
    Run(Run),
    /// Walk at random through states that no scenario names, and hand over the shortest scenarios that fail.
    Fuzz(Fuzz),
    /// Examine whether a candidate can be tested at all.
    Doctor(Doctor),
    /// List scenarios, profiles, requirements, or candidates with mutants.
    List(List),
    /// Explain a requirement, scenario, profile, reason, mutant, finding, or a result of the last run.
    Explain(Explain),
    /// Find every fault in scenario, requirement and profile files.
    Lint(Lint),
    /// Make the stored vectors anew.
    Vectors(Vectors),
    /// Print a JSON Schema or OpenAPI document.
    Schema(Schema),
    /// Render a record again.
    Report(Report),
    /// Add a waiver for what failed to a file: with an owner, a reason, a link and its last day.
    Waive(Waive),
    /// Recompute a record: judge it again and execute the reference again. Needs no network.
    Verify(Verify),
    /// Begin something of your own: a candidate.
    New(New),
    /// Execute an instance of a record again, entry by entry, with its messages taken apart.
    Replay(Replay),
    /// Print completions for a shell.
    Completions(Completions),
    /// Print the manual page, as roff.
    Man,
    /// Be the built-in sample candidate: on standard input and output, over HTTP, or dialling out.
    Sample(Sample),
    /// Show every setting as it is in force, and where it came from. Takes the arguments of `run`.
    Config(Run),
}

/// What to test.
#[derive(Debug, clap::Args)]
pub(crate) struct Candidate {
    /// `builtin`, `exec:COMMAND`, `http://HOST:PORT`, `https://HOST:PORT`, `dial-in` or `mutant:ID`.
    #[arg(long, value_name = "CANDIDATE", default_value = "builtin")]
    pub(crate) candidate: String,
    /// A second candidate: users of the two talk to each other, as the profiles `pairs-classic` and `pairs-pq` have them do.
    #[arg(long, value_name = "CANDIDATE")]
    pub(crate) peer: Option<String>,
    /// How to talk to the built-in sample or a mutant of it.
    #[arg(long, value_enum, conflicts_with = "peer")]
    pub(crate) carrier: Option<Carrier>,
    /// The profile to certify under.
    #[arg(long, value_name = "PROFILE", default_value = "dma-basic")]
    pub(crate) profile: String,
    /// Take scenarios, requirements and profiles from this folder rather than the built-in ones.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) suite: Option<PathBuf>,
    /// Where the gateway listens for the candidate's clients.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Everything random comes from it: 64 hexadecimal digits, or a whole number. Random unless said.
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<String>,
    #[command(flatten)]
    pub(crate) remote: remote::Remote,
}

/// How to talk to the built-in sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Carrier {
    /// A call in the same process.
    InProcess,
    /// A child process, on standard input and output.
    Child,
    /// A child process, over HTTP.
    Http,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) candidate: Candidate,
    /// Only scenarios that match: an id, `id@case` or a glob such as `e2ee/*`. May be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(crate) only: Vec<String>,
    /// Instances at once.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) jobs: u32,
    /// Folder for the record and the reports; what an earlier run left there is replaced.
    #[arg(long, value_name = "FOLDER", default_value = "reports/out")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) nightly: Nightly,
    #[command(flatten)]
    pub(crate) again: Again,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) candidate: Candidate,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// What to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Scenarios with their cases.
    #[default]
    Scenarios,
    /// Profiles.
    Profiles,
    /// Requirements.
    Requirements,
    /// Built-in candidates and mutants.
    Candidates,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// What to list.
    #[arg(value_enum, default_value_t)]
    pub(crate) what: What,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Print the scenarios that are no twins and kill no mutant that no other of their folder kills. Should print none.
    #[arg(long)]
    pub(crate) coverage: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// Id of a requirement, scenario (with or without `@case`), profile, reason, mutant, finding or check.
    #[arg(required_unless_present = "all")]
    pub(crate) id: Option<String>,
    /// Explain everything that there is, without a record.
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// The record that is looked at for what became of a scenario.
    #[arg(long, value_name = "RECORD", default_value = "reports/out/record.jsonl")]
    pub(crate) record: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Lint {
    /// A folder of scenarios, requirements and profiles, one of vectors, or a file of waivers; everything built in unless said.
    pub(crate) folder: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// Which; without it, all names are listed.
    #[arg(conflicts_with = "html")]
    pub(crate) name: Option<String>,
    /// Print the whole contract as a page to read rather than for programs.
    #[arg(long)]
    pub(crate) html: bool,
    /// How to print the names; a schema itself is JSON.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Renderers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Render {
    /// For a terminal.
    #[default]
    Terminal,
    /// One self-contained page.
    Html,
    /// For continuous integration.
    Junit,
    /// For programs.
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// The record: `record.jsonl` of a run.
    pub(crate) record: PathBuf,
    /// Which renderer.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Render,
    /// Say what is otherwise than in the baseline, as `run --snapshots check` does: the folder of baselines, with a folder in it for each
    /// profile.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write to this file rather than to standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The record: `record.jsonl` of a run, with its `blobs` folder beside it.
    pub(crate) record: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sample {
    /// Serve over HTTP on this address rather than on standard input and output; the address is printed when it is ready.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<std::net::SocketAddr>,
    /// Over HTTP or dialling, end when standard input ends: with whoever started this, however that ended.
    #[arg(long)]
    pub(crate) until_input_ends: bool,
    /// Make this mistake.
    #[arg(long, value_name = "ID")]
    pub(crate) defect: Option<String>,
    #[command(flatten)]
    pub(crate) remote: remote::SampleRemote,
}
