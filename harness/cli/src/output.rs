//! The only place that prints.

use crate::args::Show;
use crate::fault::Fault;
use countersign_reports::Style;
use std::io::{ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

static QUIET: AtomicBool = AtomicBool::new(false);

/// Takes in how to write; before anything is written.
pub(crate) fn configure(show: &Show) {
    anstream::ColorChoice::write_global(show.color.into());
    QUIET.store(show.quiet, Ordering::Relaxed);
}

/// Whether only data and errors are wanted.
pub(crate) fn quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Data, to standard output. A reader that has gone has heard what it wanted.
///
/// # Errors
/// [`Fault::Print`] if it cannot be written, as on a full disk.
pub(crate) fn data(text: &str) -> Result<(), Fault> {
    let mut out = anstream::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    match written.and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => Err(Fault::Print(cause)),
        _ => Ok(()),
    }
}

/// Progress and notes, to standard error, unless they are not wanted.
pub(crate) fn progress(text: &str) {
    if !quiet() {
        log(text);
    }
}

/// What was asked for on standard error. Whether anybody can read it makes no difference to a run.
pub(crate) fn log(text: &str) {
    let mut out = anstream::stderr().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = out.write_all(format!("{text}{end}").as_bytes());
}

/// A fault, to standard error.
pub(crate) fn fault(fault: &Fault) {
    log(&format!("error: {fault}"));
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
    Style { colour: choice != anstream::ColorChoice::Never, width: 110 }
}
