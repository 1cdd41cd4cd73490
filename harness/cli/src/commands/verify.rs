//! `countersign verify`.

use crate::args::Verify;
use crate::commands::{report, suite};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_trace::BlobFolder;
use std::fmt::Write as _;

/// Findings that are printed one by one; of more, the rest is counted.
const MOST_FINDINGS: usize = 20;

pub(crate) fn verify(args: &Verify) -> Result<Exit, Fault> {
    let record = report::read(&args.record)?;
    let builtin = suite::of_profile(None, &record.header.profile)?;
    let found = countersign_verify::verify(&record, &BlobFolder::beside(&args.record), &builtin)
        .map_err(|cause| Fault::Evidence { path: args.record.clone(), cause })?;
    let mut text = String::new();
    for finding in found.findings.iter().take(MOST_FINDINGS) {
        let _ = writeln!(text, "differs: {}", countersign_reports::visible(&finding.to_string(), 600));
    }
    if found.findings.len() > MOST_FINDINGS {
        let _ = writeln!(text, "and {} more", found.findings.len() - MOST_FINDINGS);
    }
    let _ = writeln!(
        text,
        "{} instances executed again ({} entries of their traces), {} checks judged again",
        found.instances, found.entries, found.checks
    );
    if !found.suite_is_builtin {
        let _ =
            writeln!(text, "note: the record was made with other scenarios than this program's; it was recomputed by its own");
    }
    if !found.complete {
        let planned = record.plan.as_ref().map_or(0, |plan| plan.selected.len());
        let _ = writeln!(
            text,
            "note: the run did not end, or its end was cut off: {} of {planned} planned instances are there",
            record.instances.len()
        );
    }
    let (verdict, exit) = match (found.confirmed(), found.complete) {
        (true, true) => ("confirmed: every verdict follows from the record", Exit::Conforms),
        // What is missing may be what failed.
        (true, false) => (
            "INCOMPLETE: every verdict that is there follows from the record, and the run's own is not there",
            Exit::Concluded(6),
        ),
        (false, _) => ("REFUSED: the record does not follow from itself", Exit::EvidenceInvalid),
    };
    let _ = writeln!(text, "{verdict}");
    if output::quiet() {
        text = format!("{verdict}\n");
    }
    output::data(&text)?;
    Ok(exit)
}
