//! The data files that a command works with.

use crate::fault::Fault;
use countersign_scenarios::{Profile, Suite};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn builtin() -> Result<Suite, Fault> {
    Suite::builtin().map_err(Fault::Suite)
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
