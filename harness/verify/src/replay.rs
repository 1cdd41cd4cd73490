//! One instance of a record, executed again to be looked at: every entry with what is in it.

use crate::again::{Common, execute, first_difference, plan};
use crate::decode::{Field, fields};
use countersign_judge::Waivers;
use countersign_scenarios::{Planned, Requirement, Suite, SuiteFiles};
use countersign_trace::record::Repeat;
use countersign_trace::{Blobs, Bodies, Entry, InstanceResult, Record, RecordError};
use std::sync::Arc;

/// Why an instance cannot be executed again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The record does not hold it.
    #[error("the record holds no instance `{name}`{}", .near.first().map(|n| format!("\nhint: perhaps `{n}`")).unwrap_or_default())]
    Unknown {
        /// As it was asked for.
        name: String,
        /// Names that were perhaps meant.
        near: Vec<String>,
    },
    /// A long body of it is missing or altered.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Its scenario cannot be read from the record.
    #[error("the record does not say what `{0}` executes: its suite, profile or statement of claims is missing or faulty")]
    Suite(String),
}

/// An instance that was executed again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// As it stands in the record.
    pub result: InstanceResult,
    /// Its scenario, with the case filled in.
    pub planned: Planned,
    /// The entries as execution gives them now, from the recorded inputs and the seed.
    pub trace: Vec<Entry>,
    /// Where that first differs from the record, if it does.
    pub differs: Option<String>,
    /// Its long bodies.
    pub blobs: Blobs,
}

impl Replay {
    /// The message that an entry carries, field by field; empty if it carries none.
    #[must_use]
    pub fn message(entry: &Entry, blobs: &Blobs) -> Vec<Field> {
        entry.event.body().map(|body| fields(body, blobs)).unwrap_or_default()
    }
}

/// Executes an instance of a record again: `e2ee/lost`, `e2ee/mac-inner-field@counter`, or a repeat as `e2ee/lost#1`.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay(record: &Record, bodies: &dyn Bodies, name: &str) -> Result<Replay, ReplayError> {
    let repeats = record.repeats.iter().map(|r| (Repeat::seed_name(&r.result.name(), r.number), &r.result));
    let instances: Vec<(String, &InstanceResult)> = record.instances.iter().map(|i| (i.name(), i)).chain(repeats).collect();
    let Some((_, result)) = instances.iter().find(|(known, _)| known == name) else {
        let near = countersign_scenarios::nearest::nearest(name, instances.into_iter().map(|(known, _)| known));
        return Err(ReplayError::Unknown { name: name.to_owned(), near });
    };
    let fault = || ReplayError::Suite(name.to_owned());
    let suite = Suite::from_files(&SuiteFiles::from(&record.suite)).map_err(|_| fault())?;
    let profile = suite.profiles.get(&record.header.profile).cloned().map(Arc::new).ok_or_else(fault)?;
    let description = record.doctor.as_ref().and_then(|d| d.description.as_ref()).ok_or_else(fault)?;
    let planned = suite.instances(&profile).into_iter().find(|p| p.name == result.name()).ok_or_else(fault)?;
    let requirements: Vec<Requirement> = Vec::new();
    // Waivers concern verdicts, and here nothing is judged.
    let waivers = Waivers::none();
    let common = Common { waivers: &waivers, suite: &suite, profile: &profile, requirements: &requirements, description, bodies };
    let blobs = bodies.of(result)?;
    let (trace, _) = execute(plan(result, &planned, &common), &result.trace, &blobs);
    let differs = first_difference(&result.trace, &trace);
    Ok(Replay { result: (*result).clone(), planned, trace, differs, blobs })
}
