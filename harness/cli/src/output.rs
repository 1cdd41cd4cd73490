//! The only place that prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line's output layer")]

use crate::fault::Fault;
use anstream::{eprint, eprintln, print};
use countersign_reports::Style;
use std::io::IsTerminal as _;

/// Data, to standard output.
pub(crate) fn data(text: &str) {
    print!("{text}");
    if !text.ends_with('\n') {
        print!("\n");
    }
}

/// Progress, to standard error.
pub(crate) fn progress(text: &str) {
    eprint!("{text}");
    if !text.ends_with('\n') {
        eprint!("\n");
    }
}

/// A fault, to standard error.
pub(crate) fn fault(fault: &Fault) {
    eprintln!("error: {fault}");
}

/// What clap has to say about the arguments.
pub(crate) fn usage(error: &clap::Error) {
    // A closed pipe is the reader's wish to hear no more.
    let _ = error.print();
}

/// How to write to standard output.
pub(crate) fn style() -> Style {
    let choice = anstream::AutoStream::choice(&std::io::stdout());
    Style { colour: choice != anstream::ColorChoice::Never, width: 110 }
}

/// How to write to standard error.
pub(crate) fn progress_style() -> Style {
    let choice = anstream::AutoStream::choice(&std::io::stderr());
    Style { colour: choice != anstream::ColorChoice::Never && std::io::stderr().is_terminal(), width: 110 }
}
