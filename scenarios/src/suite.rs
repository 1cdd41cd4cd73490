//! All data files together: built in, from a folder, or from a record; checked, with names resolved and cases expanded.

use crate::diagnostic::{Diagnostic, Fault, Span};
use crate::language::Scenario;
use crate::lint::{self, Files};
use crate::profile::Profile;
use crate::requirement::Requirement;
use countersign_trace::Digest;
use countersign_trace::record;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Largest data file, in bytes.
pub const LARGEST_FILE: usize = 256 * 1024;

/// Most data files of a suite.
pub const MOST_FILES: usize = 2_000;

const REQUIREMENTS: &str = "requirements";
const PROFILES: &str = "profiles";

/// Folders of a suite that hold no scenarios of their own.
const OTHER_FOLDERS: [&str; 5] = [REQUIREMENTS, PROFILES, "schemas", "src", "tests"];

/// The folders that are built in. A test says that these are all there are.
static BUILTIN: &[(&str, include_dir::Dir<'static>)] = &[
    ("adversary", include_dir::include_dir!("$CARGO_MANIFEST_DIR/adversary")),
    ("content", include_dir::include_dir!("$CARGO_MANIFEST_DIR/content")),
    ("e2ee", include_dir::include_dir!("$CARGO_MANIFEST_DIR/e2ee")),
    ("groups", include_dir::include_dir!("$CARGO_MANIFEST_DIR/groups")),
    ("keys", include_dir::include_dir!("$CARGO_MANIFEST_DIR/keys")),
    ("life", include_dir::include_dir!("$CARGO_MANIFEST_DIR/life")),
    ("media", include_dir::include_dir!("$CARGO_MANIFEST_DIR/media")),
    ("pairs", include_dir::include_dir!("$CARGO_MANIFEST_DIR/pairs")),
    ("sealed", include_dir::include_dir!("$CARGO_MANIFEST_DIR/sealed")),
    ("state", include_dir::include_dir!("$CARGO_MANIFEST_DIR/state")),
    ("timing", include_dir::include_dir!("$CARGO_MANIFEST_DIR/timing")),
    (REQUIREMENTS, include_dir::include_dir!("$CARGO_MANIFEST_DIR/requirements")),
    (PROFILES, include_dir::include_dir!("$CARGO_MANIFEST_DIR/profiles")),
];

/// The source text of a suite, by path below its folder: `e2ee/out-of-order.yaml`. What a record carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SuiteFiles(pub BTreeMap<String, String>);

impl SuiteFiles {
    /// SHA-256 over all paths and texts, each with its length: the same for the same files, wherever they come from.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hash = sha2::Sha256::new();
        for (path, text) in &self.0 {
            for part in [path, text] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part.as_bytes());
            }
        }
        Digest(hash.finalize().into())
    }
}

impl From<&record::SuiteFiles> for SuiteFiles {
    fn from(recorded: &record::SuiteFiles) -> Self {
        Self(recorded.files.iter().map(|f| (f.path.clone(), f.text.clone())).collect())
    }
}

impl From<&SuiteFiles> for record::SuiteFiles {
    fn from(files: &SuiteFiles) -> Self {
        Self { files: files.0.iter().map(|(path, text)| record::SuiteFile { path: path.clone(), text: text.clone() }).collect() }
    }
}

/// One scenario file.
#[derive(Clone, Debug)]
pub struct LoadedScenario {
    /// The scenario; of one with cases, its first case.
    pub scenario: Arc<Scenario>,
    /// Path below the suite's folder.
    pub source_path: String,
    /// The file as it stands.
    pub source_text: String,
    /// Each case with its values put in; one without a name if there are no cases.
    pub cases: Vec<(Option<String>, Arc<Scenario>)>,
}

/// One scenario or case to execute.
#[derive(Clone, Debug)]
pub struct Planned {
    /// `id`, or `id@case`.
    pub name: String,
    /// The scenario, with the values of the case put in.
    pub scenario: Arc<Scenario>,
    /// The case, if it has cases.
    pub case: Option<String>,
}

/// Scenarios, requirements and profiles that fit together.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Scenarios by id.
    pub scenarios: BTreeMap<String, LoadedScenario>,
    /// Requirements by id.
    pub requirements: BTreeMap<String, Requirement>,
    /// Profiles by id.
    pub profiles: BTreeMap<String, Profile>,
    /// The files that all this was read from.
    pub files: SuiteFiles,
}

impl Suite {
    /// The suite inside this program.
    ///
    /// # Errors
    /// Every fault in it; a test says that there is none.
    pub fn builtin() -> Result<Self, Vec<Diagnostic>> {
        let mut files = SuiteFiles::default();
        for (folder, dir) in BUILTIN {
            for file in dir.files() {
                if let (Some(name), Some(text)) = (file.path().to_str(), file.contents_utf8())
                    && name.ends_with(".yaml")
                {
                    files.0.insert(format!("{folder}/{name}"), text.to_owned());
                }
            }
        }
        Self::from_files(&files)
    }

    /// A suite in a folder that is laid out like ours: `requirements`, `profiles`, and folders of scenarios.
    ///
    /// # Errors
    /// Every fault in every file, and what could not be read.
    pub fn from_folder(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let mut files = SuiteFiles::default();
        let mut faults = Vec::new();
        read_folder(path, &mut files, &mut faults);
        match Self::from_files(&files) {
            Ok(suite) if faults.is_empty() => Ok(suite),
            Ok(_) => Err(faults),
            Err(mut more) => {
                // A file that cannot be read must not make names look undefined that it would have defined.
                if faults.is_empty() {
                    Err(more)
                } else {
                    faults.append(&mut more);
                    faults.sort();
                    Err(faults)
                }
            }
        }
    }

    /// A suite from the text of its files, such as a record carries.
    ///
    /// # Errors
    /// Every fault in every file.
    pub fn from_files(files: &SuiteFiles) -> Result<Self, Vec<Diagnostic>> {
        let (read, mut diagnostics) = read_files(files);
        let no_text = String::new();
        for (path, fault) in lint::check_suite(&read) {
            let text = files.0.get(&path).unwrap_or(&no_text);
            diagnostics.push(Diagnostic::new(&path, text, fault));
        }
        if !diagnostics.is_empty() {
            diagnostics.sort();
            diagnostics.dedup();
            return Err(diagnostics);
        }
        let mut suite =
            Self { scenarios: BTreeMap::new(), requirements: BTreeMap::new(), profiles: BTreeMap::new(), files: files.clone() };
        for (path, scenario) in read.scenarios {
            let Some((_, first)) = scenario.cases.first() else { continue };
            let loaded = LoadedScenario {
                scenario: Arc::clone(first),
                source_text: files.0.get(&path).cloned().unwrap_or_default(),
                source_path: path,
                cases: scenario.cases,
            };
            suite.scenarios.insert(loaded.scenario.id.clone(), loaded);
        }
        let requirements = read.requirements.into_values().flat_map(|r| r.requirements);
        suite.requirements.extend(requirements.map(|(_, r)| (r.id.clone(), r)));
        let profiles = read.profiles.into_values().filter_map(|p| p.profile);
        suite.profiles.extend(profiles.map(|p| (p.id.clone(), p)));
        Ok(suite)
    }

    /// Adds requirements of files that stand beside the suite's, whether or not a scenario of the suite verifies them: whoever
    /// explains or lists them need not read what does.
    ///
    /// # Errors
    /// Every fault in these files; whether an id is taken is not looked at.
    pub fn add_requirements<'t>(&mut self, files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<(), Vec<Diagnostic>> {
        let mut faults = Vec::new();
        for (path, text) in files {
            let read = lint::read_requirements(text);
            faults.extend(read.faults.into_iter().map(|fault| Diagnostic::new(path, text, fault)));
            self.requirements.extend(read.requirements.into_iter().map(|(_, r)| (r.id.clone(), r)));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// What a profile takes, in the order of ids and cases.
    #[must_use]
    pub fn instances(&self, profile: &Profile) -> Vec<Planned> {
        let patterns = profile.scenarios.iter().chain(&profile.vectors);
        let globs: Vec<_> = patterns.filter_map(|pattern| lint::scenario_glob(pattern).ok()).collect();
        let taken = self.scenarios.iter().filter(|(id, _)| globs.iter().any(|glob| glob.is_match(id.as_str())));
        taken.flat_map(|(id, loaded)| loaded.instances(id)).collect()
    }
}

impl LoadedScenario {
    /// The suites for which any of its cases makes sense; empty if that is all of them.
    #[must_use]
    pub fn suites(&self) -> BTreeSet<countersign_contract::claims::Suite> {
        if self.cases.iter().any(|(_, scenario)| scenario.suites.is_empty()) {
            return BTreeSet::new();
        }
        self.cases.iter().flat_map(|(_, scenario)| scenario.suites.iter().copied()).collect()
    }

    fn instances<'a>(&'a self, id: &'a str) -> impl Iterator<Item = Planned> + 'a {
        self.cases.iter().map(move |(case, scenario)| Planned {
            name: case.as_ref().map_or_else(|| id.to_owned(), |case| format!("{id}@{case}")),
            scenario: Arc::clone(scenario),
            case: case.clone(),
        })
    }
}

fn read_files(files: &SuiteFiles) -> (Files, Vec<Diagnostic>) {
    let mut read = Files::default();
    let mut diagnostics = Vec::new();
    if files.0.len() > MOST_FILES {
        let fault = Fault::new(Span::START, format!("more than {MOST_FILES} files"));
        diagnostics.push(Diagnostic::new("", "", fault));
        return (read, diagnostics);
    }
    for (path, text) in &files.0 {
        let mut add = |fault: Fault| diagnostics.push(Diagnostic::new(path, text, fault));
        if text.len() > LARGEST_FILE {
            add(Fault::new(Span::START, format!("larger than {} KiB", LARGEST_FILE / 1024)).hint("split it"));
            continue;
        }
        let Some((folder, stem)) = path.strip_suffix(".yaml").and_then(|p| p.rsplit_once('/')) else {
            add(Fault::new(Span::START, "data files stand in a folder and end in `.yaml`"));
            continue;
        };
        match folder {
            REQUIREMENTS => {
                let mut file = lint::read_requirements(text);
                std::mem::take(&mut file.faults).into_iter().for_each(add);
                read.requirements.insert(path.clone(), file);
            }
            PROFILES => {
                let mut file = lint::read_profile(stem, text);
                std::mem::take(&mut file.faults).into_iter().for_each(add);
                read.profiles.insert(path.clone(), file);
            }
            _ => {
                let mut file = lint::read_scenario(&format!("{folder}/{stem}"), text);
                std::mem::take(&mut file.faults).into_iter().for_each(add);
                read.scenarios.insert(path.clone(), file);
            }
        }
    }
    (read, diagnostics)
}

/// Reads what a folder holds. What cannot be read is a fault of its file.
fn read_folder(path: &Path, files: &mut SuiteFiles, faults: &mut Vec<Diagnostic>) {
    let mut add = |file: &str, message: String, hint: &str| {
        faults.push(Diagnostic::new(file, "", Fault::new(Span::START, message).hint(hint)));
    };
    let folders = match sorted(path) {
        Ok(folders) => folders,
        Err(error) => {
            return add(
                &path.display().to_string(),
                format!("cannot be read: {error}"),
                "name the folder of a suite; for `lint` also one of vectors, or a file of waivers",
            );
        }
    };
    for folder in folders {
        let holds_data = folder == REQUIREMENTS || folder == PROFILES || !OTHER_FOLDERS.contains(&folder.as_str());
        if folder.starts_with('.') || !holds_data || !path.join(&folder).is_dir() {
            continue;
        }
        let names = match sorted(&path.join(&folder)) {
            Ok(names) => names,
            Err(error) => {
                add(&folder, format!("cannot be read: {error}"), "check its permissions");
                continue;
            }
        };
        for name in names {
            let file = format!("{folder}/{name}");
            if name.ends_with(".yml") {
                add(&file, "passed over: data files end in `.yaml`".to_owned(), "rename it");
            }
            if !name.ends_with(".yaml") {
                continue;
            }
            match read_file(&path.join(&file)) {
                Ok(text) => {
                    files.0.insert(file, text);
                }
                Err(message) => add(&file, message, "a data file is UTF-8 text of at most 256 KiB"),
            }
        }
    }
    if files.0.is_empty() && faults.is_empty() {
        let hint = "a suite has the folders `requirements` and `profiles`, and folders of scenarios";
        let fault = Fault::new(Span::START, "there is no data file in it").hint(hint);
        faults.push(Diagnostic::new(&path.display().to_string(), "", fault));
    }
}

fn sorted(path: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read_file(path: &Path) -> Result<String, String> {
    use std::io::Read as _;
    // Opening a pipe waits for its writer, and a device may never end.
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err("not a regular file".to_owned()),
        Ok(_) => {}
        Err(e) => return Err(format!("cannot be read: {e}")),
    }
    let file = std::fs::File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() > LARGEST_FILE {
        return Err(format!("larger than {} KiB", LARGEST_FILE / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}
