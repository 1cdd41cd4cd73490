//! `countersign doctor`.

use crate::args::Doctor;
use crate::commands::target;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use crate::signals;
use countersign_reports::visible;
use std::fmt::Write as _;
use tokio::sync::watch;

/// Most characters of a finding, and of what to do about it: enough for what both sides of a connection saw.
const LONGEST: usize = 1200;

pub(crate) fn doctor(args: Doctor) -> Result<Exit, Fault> {
    let chosen = target::choose(&args.candidate)?;
    let options = target::options(&args.candidate, chosen.target.clone(), 1, Vec::new())?;
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    // An examination that is stopped still ends the candidate's processes.
    let (interrupt_in, interrupt) = watch::channel(None);
    let doctor = runtime.block_on(async {
        tokio::spawn(async move {
            signals::stop_wanted().await;
            // Nobody listens any more if the examination is over.
            let _ = interrupt_in.send(Some("interrupted by the user".to_owned()));
        });
        countersign_engine::examine(&options, interrupt.clone()).await
    })?;
    let mut text = String::new();
    for examination in &doctor.examinations {
        let word = if examination.healthy { "ok  " } else { "FAIL" };
        let _ = writeln!(text, "{word} {}: {}", examination.name, visible(&examination.found, LONGEST));
        if let Some(fix) = &examination.fix {
            let _ = writeln!(text, "     fix: {}", visible(fix, LONGEST));
        }
    }
    let _ = writeln!(
        text,
        "{}",
        if doctor.healthy() {
            "healthy: it can be tested"
        } else {
            "not healthy: it cannot be tested yet; nothing is said about its conformance"
        }
    );
    output::data(&text)?;
    if interrupt.borrow().is_some() {
        return Ok(Exit::Interrupted);
    }
    Ok(if doctor.healthy() { Exit::Conforms } else { Exit::Environment })
}
