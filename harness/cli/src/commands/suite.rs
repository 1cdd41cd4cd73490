//! The data files that a command works with.

use crate::fault::Fault;
use countersign_scenarios::{Profile, Suite};
use std::path::Path;
use std::sync::Arc;

/// Everything that is built in, the stored vectors included.
pub(crate) fn builtin() -> Result<Suite, Fault> {
    countersign_vectors::builtin().map(|(suite, _)| suite).map_err(Fault::Suite)
}

/// The suite in which a profile stands. Vectors are only there where the profile takes some: they would make every record larger.
pub(crate) fn of_profile(folder: Option<&Path>, profile: &str) -> Result<Suite, Fault> {
    if folder.is_some() {
        return load(folder);
    }
    let scenarios = Suite::builtin().map_err(Fault::Suite)?;
    if scenarios.profiles.contains_key(profile) { Ok(scenarios) } else { builtin() }
}

pub(crate) fn load(folder: Option<&Path>) -> Result<Suite, Fault> {
    folder.map_or_else(builtin, |folder| Suite::from_folder(folder).map_err(Fault::Suite))
}

pub(crate) fn profile(suite: &Suite, name: &str) -> Result<Arc<Profile>, Fault> {
    let known = || suite.profiles.keys().cloned().collect::<Vec<_>>().join(", ");
    suite
        .profiles
        .get(name)
        .map(|profile| Arc::new(profile.clone()))
        .ok_or_else(|| Fault::Profile { name: name.to_owned(), known: known() })
}
