//! Vector files, read strictly. Every fault has its place, its cause, and what to do about it.

use crate::compile::{Compiled, compile};
use crate::file::{About, Flag, Outcome, VERSION, VectorFile};
use crate::file::{BundleGroup, ConversationGroup, SafetyNumberGroup};
use crate::kind::{KINDS, Kind, Shape, kind};
use countersign_contract::Reason;
use countersign_scenarios::Diagnostic;
use countersign_scenarios::diagnostic::Span;
use countersign_scenarios::nearest::nearest;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Largest vector file, in bytes.
pub const LARGEST_FILE: usize = 2 * 1024 * 1024;

const AGAIN: &str = "`countersign vectors generate` writes our files anew; take one of somebody else from where it came from";

/// A file of vectors.
#[derive(Clone, Debug, PartialEq)]
pub enum File {
    /// Messages arrive.
    Conversation(VectorFile<ConversationGroup>),
    /// Keys are fetched.
    Bundle(VectorFile<BundleGroup>),
    /// Safety numbers are looked at.
    SafetyNumber(VectorFile<SafetyNumberGroup>),
}

/// A file that was read, with its vectors.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Path below the folder of vectors.
    pub path: String,
    /// Its kind.
    pub kind: Kind,
    /// What the vectors are about.
    pub title: String,
    /// The specification that says what is right.
    pub source: String,
    /// What each flag means.
    pub flags: BTreeMap<String, Flag>,
    /// SHA-256 of the canonical form, in hexadecimal digits.
    pub digest: String,
    /// Its vectors, compiled.
    pub vectors: Vec<Vector>,
}

/// One vector.
pub type Vector = Compiled;

/// The canonical text of a file: members in their order, two spaces, a line feed at the end, and its digest.
///
/// # Errors
/// Does not happen for data of ours; serde_json's own.
pub fn canonical<G: Clone + Serialize>(file: &VectorFile<G>) -> Result<String, serde_json::Error> {
    let bare = VectorFile { digest: String::new(), ..file.clone() };
    let digest = hex(&Sha256::digest(text(&bare)?));
    text(&VectorFile { digest, ..bare })
}

fn text<G: Serialize>(file: &VectorFile<G>) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(file)? + "\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads one file. `path` is `KIND/NAME.json`.
///
/// # Errors
/// Every fault in it.
pub fn read(path: &str, source: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let one = |span: Span, message: String, hint: String| vec![Diagnostic::at(path, source, span, message, hint)];
    if source.len() > LARGEST_FILE {
        return Err(one(Span::START, format!("larger than {LARGEST_FILE} bytes"), "split it".to_owned()));
    }
    let known = || KINDS.map(|kind| kind.name).join(", ");
    let folder = path.strip_suffix(".json").and_then(|p| p.split_once('/')).map(|(folder, _)| folder);
    let Some(folder) = folder else {
        let hint = format!("a vector file is KIND/NAME.json; kinds are {}", known());
        return Err(one(Span::START, format!("`{path}` is no path of a vector file"), hint));
    };
    #[derive(Deserialize)]
    struct Header {
        version: u64,
        kind: String,
    }
    // First the syntax alone, so that a file which is cut off is not taken for one without a version.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(source) {
        return Err(one(
            place(&error),
            format!("not JSON: {}", bare(&error)),
            format!("the file is cut off or altered: {AGAIN}"),
        ));
    }
    let header: Header = serde_json::from_str(source)
        .map_err(|error| one(place(&error), bare(&error), "a vector file begins with `version` and `kind`".to_owned()))?;
    if header.version != u64::from(VERSION) {
        let hint = format!("this program reads version {VERSION}: take the program or the file of another release");
        return Err(one(line_of(source, "\"version\""), format!("version {} of the format", header.version), hint));
    }
    let Some(found) = kind(&header.kind) else {
        let near = nearest(&header.kind, KINDS.iter().map(|kind| kind.name.to_owned()));
        let hint = near.first().map_or_else(|| format!("there are {}", known()), |meant| format!("did you mean `{meant}`?"));
        return Err(one(line_of(source, "\"kind\""), format!("no kind of vectors is called `{}`", header.kind), hint));
    };
    if found.name != folder {
        let hint = format!("put it into the folder `{}`", found.name);
        return Err(one(
            line_of(source, "\"kind\""),
            format!("vectors of the kind `{}` in the folder `{folder}`", found.name),
            hint,
        ));
    }
    match found.shape {
        Shape::Conversation => whole::<ConversationGroup>(path, source, found, File::Conversation),
        Shape::Bundle => whole::<BundleGroup>(path, source, found, File::Bundle),
        Shape::SafetyNumber => whole::<SafetyNumberGroup>(path, source, found, File::SafetyNumber),
    }
}

fn whole<G: Clone + Serialize + DeserializeOwned>(
    path: &str,
    source: &str,
    kind: Kind,
    wrap: fn(VectorFile<G>) -> File,
) -> Result<Loaded, Vec<Diagnostic>> {
    let mut faults = Faults { path, source, found: Vec::new() };
    let file: VectorFile<G> = match serde_json::from_str(source) {
        Ok(file) => file,
        Err(error) => {
            let hint = format!("`countersign schema vectors/{}` says what may stand here", kind.name);
            return Err(vec![Diagnostic::at(path, source, place(&error), bare(&error), hint)]);
        }
    };
    match canonical(&file) {
        Ok(text) if text == source => {}
        Ok(text) => {
            let digest = text.lines().rev().find(|line| line.contains("\"digest\"")).unwrap_or_default();
            if source.lines().any(|line| line == digest) {
                let line = source.lines().zip(text.lines()).position(|(is, should)| is != should).unwrap_or(0) + 1;
                let span = Span { line, column: 1, length: 1 };
                faults.add(span, "not in the canonical form from here on".to_owned(), AGAIN);
            } else {
                let message = "the digest is not that of the file: something in it was altered".to_owned();
                faults.add(line_of(source, "\"digest\""), message, AGAIN);
            }
        }
        Err(error) => faults.add(Span::START, error.to_string(), AGAIN),
    }
    let (title, from, flags, digest) = (file.title.clone(), file.source.clone(), file.flags.clone(), file.digest.clone());
    for (key, text) in [("title", &title), ("source", &from)] {
        if text.trim().is_empty() {
            faults.add(line_of(source, &format!("\"{key}\"")), format!("`{key}` is empty"), "say it in a sentence");
        }
    }
    let file = wrap(file);
    faults.check(&file, &flags);
    faults.check_groups(kind, &file);
    let vectors = compile(kind, &file);
    if vectors.is_empty() {
        faults.add(Span::START, "a file without vectors".to_owned(), "leave it out");
    }
    if !faults.found.is_empty() {
        return Err(faults.found);
    }
    Ok(Loaded { path: path.to_owned(), kind, title, source: from, flags, digest, vectors })
}

/// Faults of one file, collected.
struct Faults<'a> {
    path: &'a str,
    source: &'a str,
    found: Vec<Diagnostic>,
}

impl Faults<'_> {
    fn add(&mut self, span: Span, message: String, hint: &str) {
        self.found.push(Diagnostic::at(self.path, self.source, span, message, hint));
    }

    /// A fault of one vector stands where its id does.
    fn of(&mut self, about: &About, message: String, hint: &str) {
        let span = line_of(self.source, &format!("\"id\": \"{}\"", about.id));
        self.add(span, message, hint);
    }

    fn check(&mut self, file: &File, flags: &BTreeMap<String, Flag>) {
        let abouts: Vec<&About> = match file {
            File::Conversation(file) => file.groups.iter().flat_map(|g| g.tests.iter().map(|t| &t.about)).collect(),
            File::Bundle(file) => file.groups.iter().flat_map(|g| g.tests.iter().map(|t| &t.about)).collect(),
            File::SafetyNumber(file) => file.groups.iter().flat_map(|g| g.tests.iter().map(|t| &t.about)).collect(),
        };
        let mut ids = BTreeSet::new();
        let mut used = BTreeSet::new();
        for about in abouts {
            if !ids.insert(about.id.as_str()) {
                self.of(about, format!("the id `{}` stands here twice", about.id), "give each vector its own");
            }
            let fits = about.id.starts_with(|c: char| c.is_ascii_lowercase())
                && about.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !fits || about.id.len() > 64 {
                self.of(about, format!("`{}` cannot be an id", about.id), "small letters, digits and hyphens, a letter first");
            }
            if about.comment.trim().is_empty() {
                self.of(about, format!("`{}` does not say what is done", about.id), "write a `comment`");
            }
            if about.verifies.is_empty() {
                self.of(about, format!("`{}` verifies no requirement", about.id), "name at least one under `verifies`");
            }
            if about.result != Outcome::Valid && about.flags.is_empty() {
                self.of(about, format!("`{}` names no class of bugs", about.id), "name at least one under `flags`");
            }
            for flag in &about.flags {
                used.insert(flag.as_str());
                if !flags.contains_key(flag) {
                    self.of(about, format!("the flag `{flag}` is not explained"), "explain it under `flags` of the file");
                }
            }
        }
        for (name, flag) in flags {
            let span = line_of(self.source, &format!("\"{name}\": {{"));
            if flag.bug.trim().is_empty() || flag.effect.trim().is_empty() {
                self.add(
                    span,
                    format!("the flag `{name}` is not explained"),
                    "say under `bug` and `effect` what is wrong, and what follows",
                );
            }
            if !used.contains(name.as_str()) {
                self.add(span, format!("no vector has the flag `{name}`"), "leave it out");
            }
        }
        self.check_results(file);
    }

    fn check_results(&mut self, file: &File) {
        match file {
            File::Conversation(file) => {
                for group in &file.groups {
                    for test in &group.tests {
                        let worst = test.messages.iter().map(|m| m.result).max();
                        if worst != Some(test.about.result) {
                            let message = format!("the result of `{}` is not the worst of its messages", test.about.id);
                            self.of(&test.about, message, "let both say the same");
                        }
                        for message in &test.messages {
                            self.reasons(&test.about, message.result, &message.reasons);
                            if !group.peers.contains_key(&message.from) {
                                let text = format!("`{}` is no peer of the group", message.from);
                                self.of(&test.about, text, "name one of `peers`");
                            }
                        }
                    }
                }
            }
            File::Bundle(file) => {
                for test in file.groups.iter().flat_map(|group| &group.tests) {
                    self.reasons(&test.about, test.about.result, &test.reasons);
                }
            }
            File::SafetyNumber(file) => {
                for test in file.groups.iter().flat_map(|group| &group.tests) {
                    self.reasons(&test.about, test.about.result, &test.reasons);
                    if test.about.result == Outcome::Invalid {
                        let message = format!("`{}`: the safety number that stands here is a right one", test.about.id);
                        self.of(&test.about, message, "write `valid` or `acceptable`");
                    }
                }
            }
        }
    }

    /// Groups and sealed messages stand where they belong, and every name of one, or of a member, is that of one.
    fn check_groups(&mut self, kind: Kind, file: &File) {
        let File::Conversation(file) = file else { return };
        for group in &file.groups {
            if kind.is_sealed() != group.trust_root.as_ref().is_some_and(|root| root.0.len() == 33) {
                let message = "`trust-root` is not that of a group of these vectors".to_owned();
                let hint = "a public key of 33 bytes in the kind `sealed-sender`, and in no other";
                self.add(line_of(self.source, "\"trust-root\""), message, hint);
            }
        }
        for (peers, test) in file.groups.iter().flat_map(|group| group.tests.iter().map(|test| (&group.peers, test))) {
            let about = &test.about;
            if kind.has_groups() == test.groups.is_empty() {
                let message = if test.groups.is_empty() { "has no group" } else { "has a group" };
                let hint = "vectors of the kind `sender-keys` have `groups`, and no others";
                self.of(about, format!("`{}` {message}", about.id), hint);
            }
            if !kind.is_sealed() && test.messages.iter().any(|message| message.sealed) {
                let hint = "only vectors of the kind `sealed-sender` have sealed messages";
                self.of(about, format!("`{}` has a sealed message", about.id), hint);
            }
            let mut names = BTreeSet::new();
            for group in &test.groups {
                if !names.insert(group.name.as_str()) {
                    self.of(about, format!("the group `{}` stands here twice", group.name), "give each its own name");
                }
            }
            let changes = || test.messages.iter().filter_map(|message| message.change.as_ref());
            let used = test.messages.iter().filter_map(|message| message.group.as_ref()).chain(changes().map(|c| &c.group));
            for name in used.filter(|name| !names.contains(name.as_str())) {
                self.of(about, format!("`{name}` is no group of `{}`", about.id), "name one of `groups`");
            }
            let created = test.groups.iter().flat_map(|group| group.members.iter().chain([&group.by]));
            let changed = changes().flat_map(|change| change.add.iter().chain(&change.remove).chain([&change.by]));
            for name in created.chain(changed).filter(|name| !peers.contains_key(*name)) {
                self.of(about, format!("`{name}` is no peer of the group"), "name one of `peers`");
            }
            for message in test.messages.iter().filter(|m| m.content.is_none() && !kind.has_groups()) {
                self.of(about, format!("the message {} has no content", message.stanza), "say what is in it");
            }
        }
    }

    fn reasons(&mut self, about: &About, result: Outcome, reasons: &[Reason]) {
        match (result, reasons.is_empty()) {
            (Outcome::Valid, false) => {
                self.of(about, format!("`{}` has reasons to refuse what is valid", about.id), "leave out `reasons`");
            }
            (Outcome::Invalid | Outcome::Acceptable, true) => {
                self.of(about, format!("`{}` has no reason that is right", about.id), "name those that are under `reasons`");
            }
            _ => {}
        }
    }
}

/// The first line with a text, and its column there.
pub(crate) fn line_of(source: &str, text: &str) -> Span {
    let found = source.lines().enumerate().find_map(|(index, line)| {
        let column = line.get(..line.find(text)?)?.chars().count() + 1;
        Some(Span { line: index + 1, column, length: text.chars().count().max(1) })
    });
    found.unwrap_or(Span::START)
}

fn place(error: &serde_json::Error) -> Span {
    Span { line: error.line().max(1), column: error.column().max(1), length: 1 }
}

/// The error's words without the place, which stands before them.
fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").and_then(|at| text.get(..at)).unwrap_or(&text).to_owned()
}
