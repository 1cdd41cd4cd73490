//! What was found, as a folder of data files that `run --suite` and `lint` read.

use crate::search::{Found, Mode};
use crate::yaml;
use countersign_scenarios::{Cast, Profile, Requirement, Scenario, Suite, SuiteFiles};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of the scenarios, within the one of the suite.
pub const FOLDER: &str = "walks";

/// Why nothing could be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file system.
    #[error("cannot write {path}: {cause}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// What was written would not be read again: a fault of ours.
    #[error("the scenarios that were found are not valid themselves: {0}")]
    Faulty(String),
}

/// A suite of its own with these scenarios under the profile's name, so that `run --suite` finds everything that it needs.
///
/// # Errors
/// [`WriteError::Faulty`] if the linter would not take it.
pub fn suite(found: &[Found], profile: &Profile, requirements: &[Requirement], seed: &str) -> Result<SuiteFiles, WriteError> {
    let mut files = SuiteFiles::default();
    let mut verified = BTreeSet::new();
    for found in found {
        verified.extend(found.scenario.verifies.iter().cloned());
        let path = format!("{}.yaml", found.scenario.id);
        let (wire, what) = match found.mode {
            Mode::Walks => ("", "walk"),
            Mode::Wire => (" --wire", "conversation"),
        };
        let head =
            format!("# Found by `countersign fuzz{wire} --profile {} --seed {seed}` in {what} {}.\n", profile.id, found.first);
        files.0.insert(path, head + &scenario(&found.scenario));
    }
    // A suite of the user's own need not have those that only malformed input is about.
    let builtin = Suite::builtin().map(|suite| suite.requirements).unwrap_or_default();
    let own = |id: &String| requirements.iter().any(|r| r.id == *id);
    let ours = builtin.values().filter(|r| !own(&r.id));
    let taken = requirements.iter().chain(ours).filter(|r| verified.contains(&r.id)).filter_map(|r| serde_json::to_value(r).ok());
    let requirements = json!({ "requirements": taken.collect::<Vec<_>>() });
    files.0.insert("requirements/walks.yaml".to_owned(), yaml::file(&object(requirements), &["requirements"]));
    let profile = Profile {
        requirements: verified.into_iter().collect(),
        scenarios: vec![format!("{FOLDER}/*")],
        vectors: Vec::new(),
        ..profile.clone()
    };
    let text = yaml::file(&object(serde_json::to_value(&profile).unwrap_or_default()), &["assumptions", "does-not-show"]);
    files.0.insert(format!("profiles/{}.yaml", profile.id), text);
    match Suite::from_files(&files) {
        Ok(_) => Ok(files),
        Err(faults) => Err(WriteError::Faulty(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))),
    }
}

/// A scenario as a file.
#[must_use]
pub fn scenario(scenario: &Scenario) -> String {
    let mut table = object(serde_json::to_value(scenario).unwrap_or_default());
    let cast = scenario.cast.iter().map(|(name, member)| (name.clone(), cast(member))).collect();
    table.insert("cast".to_owned(), Value::Object(cast));
    yaml::file_without_defaults(&table, &["steps"])
}

/// A member as a word, or as a table of what is special about it.
fn cast(member: &Cast) -> Value {
    let plain = object(serde_json::to_value(Cast::plain(member.side)).unwrap_or_default());
    let mut special = object(serde_json::to_value(member).unwrap_or_default());
    special.retain(|key, value| key == "side" || plain.get(key) != Some(value));
    match special.len() {
        1 => special.remove("side").unwrap_or_default(),
        _ => Value::Object(special),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Writes a suite into a folder. Scenarios that an earlier search left there are gone; everything else stays.
///
/// # Errors
/// [`WriteError::Io`].
pub fn write(folder: &Path, files: &SuiteFiles) -> Result<(), WriteError> {
    clear(folder)?;
    for (path, text) in &files.0 {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|cause| WriteError::Io { path: parent.to_owned(), cause })?;
        }
        std::fs::write(&path, text).map_err(|cause| WriteError::Io { path, cause })?;
    }
    Ok(())
}

/// Takes away the scenarios, requirements and profiles that an earlier search left in a folder: nothing of one search may look as if
/// another had found it.
///
/// # Errors
/// [`WriteError::Io`].
pub fn clear(folder: &Path) -> Result<(), WriteError> {
    // Only what is laid out as a search leaves it.
    if !folder.join("requirements/walks.yaml").is_file() {
        return Ok(());
    }
    for name in [FOLDER, "profiles", "requirements"] {
        let path = folder.join(name);
        match std::fs::remove_dir_all(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(WriteError::Io { path, cause }),
            _ => {}
        }
    }
    Ok(())
}
