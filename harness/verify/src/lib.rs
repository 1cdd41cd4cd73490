//! Recomputes a record: judges every trace again, and executes the reference again from the seeds.
//!
//! Needs the record alone. There is no network in this crate nor in anything that it builds on: a test looks at the graph of
//! dependencies. What it confirms, it confirms about the record; that the candidate of the record was the partner's messenger is
//! for whoever watched the run.

mod again;
mod decode;
mod finding;
mod replay;
mod waivers;
mod whole;

pub use decode::Field;
pub use finding::{Finding, FindingKind, Verification};
pub use replay::{Replay, ReplayError, replay};

use countersign_judge::RunJudge;
use countersign_scenarios::{Requirement, Suite, SuiteFiles};
use countersign_trace::{Bodies, Record, RecordError};

/// Recomputes a record. `builtin` is the suite of this program: a record made with another one is still recomputed, by its own
/// files, and the difference is said. The long bodies of one instance at a time are taken from `bodies`.
///
/// # Errors
/// If a long body is missing or altered.
pub fn verify(record: &Record, bodies: &dyn Bodies, builtin: &Suite) -> Result<Verification, RecordError> {
    let mut out = Verification { complete: record.summary.is_some(), ..Verification::default() };
    if record.suite.digest() != record.header.suite {
        out.add(None, FindingKind::Suite, "the suite's files are not the ones that the header names");
    }
    out.suite_is_builtin = record.suite.digest() == builtin.files.digest();
    let suite = match Suite::from_files(&SuiteFiles::from(&record.suite)) {
        Ok(suite) => suite,
        Err(faults) => {
            let first = faults.first().map_or_else(String::new, ToString::to_string);
            out.add(None, FindingKind::Suite, format!("the suite in the record cannot be read: {first}"));
            return Ok(out);
        }
    };
    let Some(profile) = suite.profiles.get(&record.header.profile).cloned().map(std::sync::Arc::new) else {
        out.add(None, FindingKind::Suite, format!("the suite in the record has no profile `{}`", record.header.profile));
        return Ok(out);
    };
    let Some(waivers) = waivers::ready(record, &mut out) else { return Ok(out) };
    let requirements: Vec<Requirement> = suite.requirements.values().cloned().collect();
    let description = record.doctor.as_ref().and_then(|d| d.description.as_ref());
    let (mut run, mut instances) = (RunJudge::default(), Verification::default());
    for result in &record.instances {
        let blobs = bodies.of(result)?;
        run.add(result, &blobs);
        if let Some(description) = description {
            let common = again::Common {
                suite: &suite,
                profile: &profile,
                requirements: &requirements,
                description,
                waivers: &waivers,
                bodies,
            };
            let repeats: Vec<_> = record.repeats.iter().filter(|r| r.result.name() == result.name()).collect();
            again::check(result, &blobs, &repeats, &common, &mut instances)?;
        }
    }
    whole::check(record, &suite, &profile, &run, &waivers, &mut out);
    if description.is_none() && !record.instances.is_empty() {
        out.add(None, FindingKind::Plan, "there are instances, but no statement of claims");
    }
    out.findings.append(&mut instances.findings);
    (out.instances, out.checks, out.entries) = (instances.instances, instances.checks, instances.entries);
    Ok(out)
}
