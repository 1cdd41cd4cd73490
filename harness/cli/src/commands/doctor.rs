//! `countersign doctor`.

use crate::args::{Doctor, Format};
use crate::commands::report::pretty;
use crate::commands::target;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use crate::signals::Signals;
use countersign_reports::{code, visible};
use countersign_trace::record::Doctor as Examined;
use serde_json::json;
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
        let mut signals = Signals::listen();
        tokio::spawn(async move {
            signals.wanted().await;
            // Nobody listens any more if the examination is over.
            let _ = interrupt_in.send(Some("interrupted by the user".to_owned()));
        });
        countersign_engine::examine(&options, interrupt.clone()).await
    })?;
    match args.format {
        Format::Text => output::data(&text(&doctor))?,
        Format::Json => output::data(&pretty(&json!({
            "healthy": doctor.healthy(), "examinations": doctor.examinations, "description": doctor.description
        })))?,
    }
    if interrupt.borrow().is_some() {
        return Ok(Exit::Interrupted);
    }
    Ok(if doctor.healthy() { Exit::Conforms } else { Exit::Environment })
}

/// What was found, and what it comes to. Where less is wanted: what is not as it has to be.
fn text(doctor: &Examined) -> String {
    let mut text = String::new();
    let style = output::style();
    for examination in doctor.examinations.iter().filter(|e| !output::quiet() || !e.healthy) {
        let word = if examination.healthy { "ok  " } else { "FAIL" };
        let _ = writeln!(text, "{word} {}: {}", examination.name, code(&visible(&examination.found, LONGEST), style));
        if let Some(fix) = &examination.fix {
            let _ = writeln!(text, "     fix: {}", code(&visible(fix, LONGEST), style));
        }
    }
    let verdict = if doctor.healthy() {
        "healthy: it can be tested"
    } else {
        "not healthy: it cannot be tested yet; nothing is said about its conformance"
    };
    let _ = writeln!(text, "{verdict}");
    text
}
