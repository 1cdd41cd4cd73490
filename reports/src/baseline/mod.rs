//! Baselines: what a candidate did in each scenario, kept as text, and what has changed since. Pure: whoever calls reads and writes.
//!
//! A change is no verdict and alters none. It says what moved with it: the scenario, this program, the candidate, how it was run; or
//! nothing of all that, and then the candidate does something else than it did.

mod behaviour;
mod crossing;
mod normal;
#[cfg(test)]
mod tests;

pub use behaviour::behaviour;

use crate::visible::{visible, visible_block};
use countersign_trace::{Digest, InstanceResult, Record, Verdict};
use serde::{Deserialize, Serialize};
use similar::TextDiff;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Version of the form of baselines. Another one is not compared.
pub const BASELINE_VERSION: u32 = 1;
/// Longest name of an instance that is a path, in bytes.
const LONGEST_NAME: usize = 200;
/// Longest text of an instance that is kept, in bytes.
pub const LARGEST_TEXT: usize = 1024 * 1024;
/// Most instances of a baseline.
const MOST_INSTANCES: usize = 20_000;
/// Lines around a change.
const CONTEXT: usize = 2;
/// Longest line of a difference, in characters.
const LONGEST_LINE: usize = 700;
/// Lines of one difference that are kept.
const MOST_LINES: usize = 400;

/// What a baseline was made of. Stands in a file beside the texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the form: [`BASELINE_VERSION`].
    pub baseline: u32,
    /// When the run began.
    pub started: String,
    /// Version of Countersign.
    pub countersign: String,
    /// Signal's library in the reference.
    pub reference: String,
    /// SHA-256 over the suite's files.
    pub suite: Digest,
    /// The profile's id.
    pub profile: String,
    /// The candidate's name in its own words, its version and its build.
    pub candidate: [String; 3],
    /// How it was named on the command line, and the carrier.
    pub run: [String; 2],
    /// For each instance SHA-256 of its scenario's file and of its text.
    pub instances: BTreeMap<String, [Digest; 2]>,
}

/// What a candidate did in each instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// What it was made of.
    pub header: Header,
    /// The texts by name of the instance.
    pub texts: BTreeMap<String, String>,
}

/// Why a baseline cannot be compared with. Texts may quote its files: whoever prints one makes it visible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// The header is not what it should be.
    #[error("its header is not valid: {0}")]
    Header(String),
    /// It was made by another version.
    #[error("it has version {0} of the form of baselines, and this program reads {BASELINE_VERSION}")]
    Version(u32),
    /// A name that could lie outside its folder.
    #[error("its header names an instance `{0}`, and no instance has such a name")]
    Name(String),
    /// A text is another one than its header says.
    #[error("the text of {0} is not the one that was accepted: it was changed, or accepting was cut short")]
    Text(String),
}

impl Header {
    /// Reads the text of a header.
    ///
    /// # Errors
    /// See [`BaselineError`].
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Versioned {
            baseline: u32,
        }
        let header = |error: serde_json::Error| BaselineError::Header(visible(&error.to_string(), 300));
        let version: Versioned = serde_json::from_str(text).map_err(header)?;
        if version.baseline != BASELINE_VERSION {
            return Err(BaselineError::Version(version.baseline));
        }
        let read: Self = serde_json::from_str(text).map_err(header)?;
        if read.instances.len() > MOST_INSTANCES {
            return Err(BaselineError::Header(format!("more than {MOST_INSTANCES} instances")));
        }
        match read.instances.keys().find(|name| !is_name(name)) {
            Some(name) => Err(BaselineError::Name(visible(name, 200))),
            None => Ok(read),
        }
    }

    /// The text of a header, as [`Header::parse`] reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Holds a text against what the header says of it.
    ///
    /// # Errors
    /// [`BaselineError::Text`] if it is another one.
    pub fn check(&self, name: &str, text: &str) -> Result<(), BaselineError> {
        match self.instances.get(name) {
            Some([_, digest]) if *digest == Digest::of(text.as_bytes()) => Ok(()),
            _ => Err(BaselineError::Text(name.to_owned())),
        }
    }
}

/// Whether an instance of this name can be kept in a file: folders and names of harmless characters.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let harmless = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b'+'))
    };
    name.len() <= LONGEST_NAME && name.split('/').all(harmless)
}

impl Baseline {
    /// What a run gives as a baseline. Of an instance that could not be judged nothing is kept, since chance decides what it did.
    #[must_use]
    pub fn of(record: &Record, reference: &str) -> Self {
        let scenarios: BTreeMap<&str, Digest> =
            record.suite.files.iter().map(|file| (file.path.as_str(), Digest::of(file.text.as_bytes()))).collect();
        let texts: BTreeMap<String, String> = record
            .instances
            .iter()
            .filter(|instance| is_judged(instance) && is_name(&instance.name()))
            .map(|instance| (instance.name(), behaviour(instance)))
            .collect();
        let file = |name: &str| {
            let id = name.split_once('@').map_or(name, |(id, _)| id);
            // A stored vector has no file of its own among those of the suite: the suite as a whole stands for it.
            scenarios.get(format!("{id}.yaml").as_str()).copied().unwrap_or(record.header.suite)
        };
        let instances = texts.iter().map(|(name, text)| (name.clone(), [file(name), Digest::of(text.as_bytes())])).collect();
        let claims = record.doctor.as_ref().and_then(|d| d.description.as_ref());
        let words = |text: Option<&String>| text.map_or_else(String::new, |text| visible(text, 200));
        let header = &record.header;
        Self {
            header: Header {
                baseline: BASELINE_VERSION,
                started: header.started.clone(),
                countersign: header.countersign.clone(),
                reference: reference.to_owned(),
                suite: header.suite,
                profile: header.profile.clone(),
                candidate: [words(claims.map(|c| &c.name)), words(claims.map(|c| &c.version)), words(claims.map(|c| &c.build))],
                run: [visible(&header.target, 300), header.carrier.clone()],
                instances,
            },
            texts,
        }
    }

    /// With what an earlier one has of instances that this one has not: for a run of a part of the profile.
    #[must_use]
    pub fn over(mut self, earlier: Self) -> Self {
        for (name, text) in earlier.texts {
            if let (false, Some(digests)) = (self.texts.contains_key(&name), earlier.header.instances.get(&name)) {
                self.header.instances.insert(name.clone(), *digests);
                self.texts.insert(name, text);
            }
        }
        self
    }
}

/// Whether what an instance did says something about the candidate.
#[must_use]
pub fn is_judged(instance: &InstanceResult) -> bool {
    !matches!(instance.verdict, Verdict::EnvironmentError | Verdict::HarnessError | Verdict::Inconclusive)
}

/// Whether a run was of its whole profile, and came to its end.
#[must_use]
pub fn is_whole(record: &Record) -> bool {
    record.header.only.is_empty()
        && record.plan.as_ref().is_some_and(|p| p.filtered == 0)
        && record.summary.as_ref().is_some_and(|s| s.interrupted.is_none())
}

/// How an instance differs from the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It was not there before.
    New,
    /// It is there no more.
    Gone,
    /// The candidate does something else.
    Changed,
}

/// An instance that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Scenario and case.
    pub name: String,
    /// How.
    pub kind: Kind,
    /// What moved, in words: the likeliest causes.
    pub moved: Vec<String>,
    /// The difference, as `diff -u` writes it; empty for one that is new or gone.
    pub diff: String,
}

/// What came of comparing a run with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Instances that were compared.
    pub compared: usize,
    /// When the baseline's run began.
    pub since: String,
    /// What is another one than at the baseline, in words.
    pub moved: Vec<String>,
    /// Instances whose scenario is another one than at the baseline.
    pub scenarios: Vec<String>,
    /// What differs, by name.
    pub changes: Vec<Change>,
    /// Instances that could not be compared, since they could not be judged: the environment.
    pub not_compared: Vec<String>,
}

/// Compares a run with a baseline of the same profile.
#[must_use]
pub fn compare(baseline: &Baseline, record: &Record, reference: &str) -> Comparison {
    let now = Baseline::of(record, reference);
    let (old, new) = (&baseline.header, &now.header);
    let mut out = Comparison { since: old.started.clone(), ..Comparison::default() };
    let ours = moved_ours(old, new);
    let theirs = moved_theirs(old, new);
    let suite = (old.suite != new.suite).then(|| "suite: its files are other ones".to_owned());
    out.moved = suite.iter().chain(&ours).chain(&theirs).cloned().collect();
    out.not_compared = record.instances.iter().filter(|i| !is_judged(i)).map(InstanceResult::name).collect();
    let open: BTreeSet<&String> = out.not_compared.iter().collect();
    for (name, text) in &now.texts {
        let Some(before) = baseline.texts.get(name) else {
            let moved = causes(suite.clone(), &[], &[], "the baseline was accepted from a part of the profile, or without it");
            out.changes.push(Change { name: name.clone(), kind: Kind::New, moved, diff: String::new() });
            continue;
        };
        out.compared += 1;
        let scenario = (old.instances.get(name).map(|d| d[0]) != new.instances.get(name).map(|d| d[0]))
            .then(|| "suite: the scenario is another one".to_owned());
        if scenario.is_some() {
            out.scenarios.push(name.clone());
        }
        if before != text {
            let moved = causes(scenario, &ours, &theirs, "candidate: the same version and build, run alike, does something else");
            out.changes.push(Change { name: name.clone(), kind: Kind::Changed, moved, diff: difference(before, text) });
        }
    }
    let plan = record.plan.as_ref();
    let whole = is_whole(record);
    for name in baseline.texts.keys().filter(|name| whole && !now.texts.contains_key(*name) && !open.contains(name)) {
        let left_out = plan.and_then(|p| p.left_out.iter().find(|l| l.name == *name));
        let left_out = left_out.map(|l| format!("left out now: {}", visible(&l.because, 300)));
        let moved = causes(left_out.or_else(|| suite.clone()), &[], &theirs, "the profile does not take it any more");
        out.changes.push(Change { name: name.clone(), kind: Kind::Gone, moved, diff: String::new() });
    }
    out.changes.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

fn causes(first: Option<String>, ours: &[String], theirs: &[String], otherwise: &str) -> Vec<String> {
    let mut all: Vec<String> = first.into_iter().chain(ours.iter().cloned()).chain(theirs.iter().cloned()).collect();
    if all.is_empty() {
        all.push(otherwise.to_owned());
    }
    all
}

fn moved(what: &str, old: &str, new: &str) -> Option<String> {
    (old != new).then(|| format!("{what}: {} before, {} now", visible(old, 200), visible(new, 200)))
}

/// This program.
fn moved_ours(old: &Header, new: &Header) -> Vec<String> {
    let ours =
        [moved("reference: Countersign", &old.countersign, &new.countersign), moved("reference", &old.reference, &new.reference)];
    ours.into_iter().flatten().collect()
}

/// The candidate, and how it was run.
fn moved_theirs(old: &Header, new: &Header) -> Vec<String> {
    let [old_name, old_version, old_build] = &old.candidate;
    let [name, version, build] = &new.candidate;
    let theirs = [
        moved("candidate: name", old_name, name),
        moved("candidate: version", old_version, version),
        moved("candidate: build", old_build, build),
        moved("configuration: candidate", &old.run[0], &new.run[0]),
        moved("configuration: carrier", &old.run[1], &new.run[1]),
        moved("configuration: profile", &old.profile, &new.profile),
    ];
    theirs.into_iter().flatten().collect()
}

/// Two texts as `diff -u` compares them. Control characters are made visible.
fn difference(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let whole = diff.unified_diff().context_radius(CONTEXT).header("baseline", "now").to_string();
    let mut out = String::new();
    for line in whole.lines().take(MOST_LINES) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}", visible_block(line, LONGEST_LINE));
    }
    let more = whole.lines().count().saturating_sub(MOST_LINES);
    if more > 0 {
        let _ = writeln!(out, "and {more} more lines");
    }
    out
}
