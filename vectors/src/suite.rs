//! The built-in vectors, and the suite of data files with them.

use crate::file::About;
use crate::kind::KINDS;
use crate::read::{Loaded, line_of, read};
use countersign_scenarios::diagnostic::Span;
use countersign_scenarios::{Diagnostic, Scenario, Suite, SuiteFiles};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The folders of vectors that are built in. A test says that these are all there are.
static BUILTIN: [(&str, include_dir::Dir<'static>); 10] = [
    ("prekey-bundle", include_dir::include_dir!("$CARGO_MANIFEST_DIR/prekey-bundle")),
    ("x3dh", include_dir::include_dir!("$CARGO_MANIFEST_DIR/x3dh")),
    ("pqxdh", include_dir::include_dir!("$CARGO_MANIFEST_DIR/pqxdh")),
    ("double-ratchet", include_dir::include_dir!("$CARGO_MANIFEST_DIR/double-ratchet")),
    ("spqr", include_dir::include_dir!("$CARGO_MANIFEST_DIR/spqr")),
    ("sender-keys", include_dir::include_dir!("$CARGO_MANIFEST_DIR/sender-keys")),
    ("sealed-sender", include_dir::include_dir!("$CARGO_MANIFEST_DIR/sealed-sender")),
    ("safety-number", include_dir::include_dir!("$CARGO_MANIFEST_DIR/safety-number")),
    ("content-padding", include_dir::include_dir!("$CARGO_MANIFEST_DIR/content-padding")),
    ("media-blob", include_dir::include_dir!("$CARGO_MANIFEST_DIR/media-blob")),
];

/// Requirements and profiles that only vectors concern.
static BESIDE: [(&str, include_dir::Dir<'static>); 2] = [
    ("requirements", include_dir::include_dir!("$CARGO_MANIFEST_DIR/requirements")),
    ("profiles", include_dir::include_dir!("$CARGO_MANIFEST_DIR/profiles")),
];

fn texts<'a>(
    folders: &'a [(&'static str, include_dir::Dir<'static>)],
    ending: &'a str,
) -> impl Iterator<Item = (String, &'a str)> + 'a {
    folders.iter().flat_map(move |(folder, dir)| {
        dir.files().filter_map(move |file| {
            let name = file.path().to_str().filter(|name| name.ends_with(ending))?;
            Some((format!("{folder}/{name}"), file.contents_utf8()?))
        })
    })
}

/// The text of every built-in vector file, by path: `double-ratchet/order.json`.
#[must_use]
pub fn builtin_files() -> BTreeMap<String, String> {
    texts(&BUILTIN, ".json").map(|(path, text)| (path, text.to_owned())).collect()
}

/// What a list of vectors says of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Kind and name.
    pub id: String,
    /// What it says of itself.
    pub about: About,
}

/// The built-in vectors by what they say of themselves, in the order of their ids. Nothing is checked or compiled: that takes many
/// times as long.
///
/// # Errors
/// What is no JSON of this form; a test says that there is nothing.
pub fn index() -> Result<Vec<Entry>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Header {
        kind: String,
        groups: Vec<Group>,
    }
    #[derive(serde::Deserialize)]
    struct Group {
        tests: Vec<Test>,
    }
    #[derive(serde::Deserialize)]
    struct Test {
        about: About,
    }
    let mut entries = Vec::new();
    for (_, text) in texts(&BUILTIN, ".json") {
        let header: Header = serde_json::from_str(text)?;
        let tests = header.groups.into_iter().flat_map(|group| group.tests);
        entries.extend(tests.map(|test| Entry { id: format!("{}/{}", header.kind, test.about.id), about: test.about }));
    }
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(entries)
}

/// The built-in suite with the requirements that only vectors verify, and without vectors and their profiles.
///
/// # Errors
/// Every fault in it; a test says that there is none.
pub fn without_vectors() -> Result<Suite, Vec<Diagnostic>> {
    let mut suite = Suite::builtin()?;
    let files: Vec<(String, &str)> = texts(&BESIDE, ".yaml").filter(|(path, _)| path.starts_with("requirements/")).collect();
    suite.add_requirements(files.iter().map(|(path, text)| (path.as_str(), *text)))?;
    Ok(suite)
}

/// Reads vector files.
///
/// # Errors
/// Every fault in every file.
pub fn load(files: &BTreeMap<String, String>) -> Result<Vec<Loaded>, Vec<Diagnostic>> {
    let (mut loaded, mut faults) = (Vec::new(), Vec::new());
    for (path, text) in files {
        match read(path, text) {
            Ok(file) => loaded.push(file),
            Err(mut found) => faults.append(&mut found),
        }
    }
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (file, vector) in loaded.iter().flat_map(|file| file.vectors.iter().map(move |vector| (file, vector))) {
        if let Some(first) = ids.insert(vector.scenario.id.clone(), file.path.clone()).filter(|first| *first != file.path) {
            let text = files.get(&file.path).map(String::as_str).unwrap_or_default();
            let span = line_of(text, &format!("\"id\": \"{}\"", vector.about.id));
            let message = format!("the id `{}` is taken", vector.scenario.id);
            faults.push(Diagnostic::at(&file.path, text, span, message, format!("{first} has it")));
        }
    }
    if faults.is_empty() { Ok(loaded) } else { Err(faults) }
}

/// Vector files in a folder that is laid out like ours: a folder for each kind.
///
/// # Errors
/// Every fault in every file, and what could not be read.
pub fn load_folder(path: &Path) -> Result<Vec<Loaded>, Vec<Diagnostic>> {
    load(&folder_files(path)?)
}

/// Whether a folder holds vectors rather than scenarios.
#[must_use]
pub fn is_vector_folder(path: &Path) -> bool {
    KINDS.iter().any(|kind| path.join(kind.name).is_dir())
}

fn folder_files(path: &Path) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    let (mut files, mut faults) = (BTreeMap::new(), Vec::new());
    let unreadable = |file: &str, cause: String| {
        let hint = "check its name and its permissions; a vector file is UTF-8 text";
        Diagnostic::at(file, "", Span::START, format!("cannot be read: {cause}"), hint)
    };
    let entries = |folder: &Path| -> std::io::Result<Vec<String>> {
        let names = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<std::io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    };
    for kind in KINDS {
        let folder = path.join(kind.name);
        if !folder.is_dir() {
            continue;
        }
        match entries(&folder) {
            Ok(names) => {
                for name in names.into_iter().filter(|name| name.ends_with(".json")) {
                    let file = format!("{}/{name}", kind.name);
                    match std::fs::read_to_string(folder.join(&name)) {
                        Ok(text) => {
                            files.insert(file, text);
                        }
                        Err(cause) => faults.push(unreadable(&file, cause.to_string())),
                    }
                }
            }
            Err(cause) => faults.push(unreadable(kind.name, cause.to_string())),
        }
    }
    if files.is_empty() && faults.is_empty() {
        let hint = "name a folder that has one for each kind, such as `double-ratchet`";
        faults.push(Diagnostic::at(&path.display().to_string(), "", Span::START, "there is no vector file in it", hint));
    }
    if faults.is_empty() { Ok(files) } else { Err(faults) }
}

/// Vectors as files of a suite: each is a scenario whose text a record carries like any other.
///
/// # Errors
/// Does not happen: a scenario can always be written.
pub fn scenario_files(loaded: &[Loaded]) -> Result<SuiteFiles, serde_json::Error> {
    let mut files = SuiteFiles::default();
    for file in loaded {
        for vector in &file.vectors {
            // JSON is YAML, and needs no second writer.
            let text = printable(&serde_json::to_string_pretty(&as_written(&vector.scenario)?)?);
            let from = format!("# Compiled from vectors/{}, SHA-256 {}. Do not edit.\n", file.path, file.digest);
            files.0.insert(format!("{}.yaml", vector.scenario.id), from + &text + "\n");
        }
    }
    Ok(files)
}

/// JSON with every character escaped that may not stand in YAML as it is, or that ends a line there. They only occur inside strings.
fn printable(json: &str) -> String {
    let escaped = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if escaped(c) { out.push_str(&format!("\\u{:04x}", u32::from(c))) } else { out.push(c) }
    }
    out
}

/// Members of the cast that only a reference user has.
const REFERENCE_ONLY: [&str; 4] = ["answers-retries", "asks-again", "enlisted", "stack"];

/// A scenario as somebody would write it: without what it would have anyway, some of which may not be said of everybody.
fn as_written(scenario: &Scenario) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(scenario)?;
    if let Some(scenario) = value.as_object_mut() {
        scenario.retain(|_, member| member.as_array().is_none_or(|list| !list.is_empty()));
        let cast = scenario.get_mut("cast").and_then(Value::as_object_mut);
        for member in cast.into_iter().flat_map(|cast| cast.values_mut()).filter_map(Value::as_object_mut) {
            if member.get("side").is_some_and(|side| side == "candidate") {
                member.retain(|name, _| !REFERENCE_ONLY.contains(&name.as_str()));
            }
        }
    }
    Ok(value)
}

/// The built-in suite of scenarios, requirements and profiles, and with it the built-in vectors.
///
/// # Errors
/// Every fault in it; a test says that there is none.
pub fn builtin() -> Result<(Suite, Vec<Loaded>), Vec<Diagnostic>> {
    let scenarios = Suite::builtin()?;
    let loaded = load(&builtin_files())?;
    Ok((with_vectors(scenarios, &loaded)?, loaded))
}

/// A suite with vectors added to it.
///
/// # Errors
/// Every fault in it, such as a requirement that a vector names and that is not there.
pub fn with_vectors(suite: Suite, loaded: &[Loaded]) -> Result<Suite, Vec<Diagnostic>> {
    let mut files = suite.files;
    files.0.extend(texts(&BESIDE, ".yaml").map(|(path, text)| (path, text.to_owned())));
    let compiled = scenario_files(loaded)
        .map_err(|error| vec![Diagnostic::at("vectors", "", Span::START, error.to_string(), "this is a fault of ours")])?;
    files.0.extend(compiled.0);
    Suite::from_files(&files)
}
