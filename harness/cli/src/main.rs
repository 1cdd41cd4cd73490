//! The command `countersign`.
//!
//! Nothing is decided here: arguments in, the engine's events to a record and a terminal, exit codes out. Data goes to standard
//! output, progress and errors to standard error.

mod args;
mod commands;
mod exit;
mod explain;
mod fault;
mod output;
mod signals;

use args::{Args, Command};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            output::usage(&error);
            // Help and version are no errors.
            return if error.use_stderr() { exit::Exit::Usage.into() } else { exit::Exit::Conforms.into() };
        }
    };
    output::configure(&args.show);
    let outcome = match args.command {
        Command::Run(run) => commands::run::run(run),
        Command::Doctor(doctor) => commands::doctor::doctor(doctor),
        Command::List(list) => commands::list::list(&list),
        Command::Explain(explain) => commands::explain::explain(&explain),
        Command::Lint(lint) => commands::lint::lint(&lint),
        Command::Schema(schema) => commands::schema::schema(&schema),
        Command::Report(report) => commands::report::report(&report),
        Command::Verify(verify) => commands::verify::verify(&verify),
        Command::Replay(replay) => commands::replay::replay(&replay),
        Command::Completions(completions) => commands::about::completions(&completions),
        Command::Man => commands::about::man(),
        Command::Sample(sample) => commands::sample::sample(&sample),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(fault) => {
            output::fault(&fault);
            fault.exit().into()
        }
    }
}
