//! The data files that a command works with.

use crate::fault::Fault;
use countersign_scenarios::{Profile, Suite};
use countersign_vectors::Loaded;
use std::path::Path;
use std::sync::Arc;

/// Everything that is built in, the stored vectors included.
pub(crate) fn builtin() -> Result<Suite, Fault> {
    with_vectors().map(|(suite, _)| suite)
}

/// The same, and the vectors as they were read.
pub(crate) fn with_vectors() -> Result<(Suite, Vec<Loaded>), Fault> {
    countersign_vectors::builtin().map_err(Fault::Suite)
}

/// What is built in but the vectors and their profiles, which take long to read.
pub(crate) fn without_vectors() -> Result<Suite, Fault> {
    countersign_vectors::without_vectors().map_err(Fault::Suite)
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
