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
mod settings;
mod signals;

use args::{Command, NewWhat, VectorsWhat};
use settings::Unread;
use std::process::ExitCode;

fn main() -> ExitCode {
    let read = match settings::read(std::env::args_os().collect()) {
        Ok(read) => read,
        Err(Unread::Fault(fault)) => {
            output::fault(&fault);
            return fault.exit().into();
        }
        Err(Unread::Clap(error)) => {
            output::usage(&error);
            // Help and version are no errors.
            return if error.use_stderr() { exit::Exit::Usage.into() } else { exit::Exit::Conforms.into() };
        }
    };
    output::configure(&read.args.show);
    let outcome = match read.args.command {
        Command::Run(run) => commands::run::run(run),
        Command::Fuzz(fuzz) => commands::fuzz::fuzz(fuzz),
        Command::Doctor(doctor) => commands::doctor::doctor(doctor),
        Command::List(list) => commands::list::list(&list),
        Command::Explain(explain) => commands::explain::explain(&explain),
        Command::Lint(lint) => commands::lint::lint(&lint),
        Command::Vectors(vectors) => match vectors.what {
            VectorsWhat::Generate(generate) => commands::vectors::generate(&generate),
        },
        Command::Schema(schema) => commands::schema::schema(&schema),
        Command::Report(report) => commands::report::report(&report),
        Command::Waive(waive) => commands::waivers::waive(&waive),
        Command::Verify(verify) => commands::verify::verify(&verify),
        Command::New(new) => match new.what {
            NewWhat::Candidate(candidate) => commands::new::candidate(&candidate),
        },
        Command::Config(_) => commands::config::config(read.file.as_deref(), &read.in_force),
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
