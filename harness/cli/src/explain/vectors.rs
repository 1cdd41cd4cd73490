//! Stored vectors, and the flags by which they say what class of bugs they find.

use super::requirements::{each, named, source};
use super::{Explanation, Sources, names, run_only};
use countersign_contract::claims::Suite;
use countersign_vectors::file::Flag;
use countersign_vectors::{Loaded, Vector};
use std::collections::BTreeSet;

/// A vector and the file in which it stands.
fn vector<'a>(from: &Sources<'a>, id: &str) -> Option<(&'a Loaded, &'a Vector)> {
    let kind = id.split_once('/')?.0;
    let files = from.vectors.iter().filter(|file| file.kind.name == kind);
    files.flat_map(|file| file.vectors.iter().map(move |vector| (file, vector))).find(|(_, vector)| vector.scenario.id == id)
}

/// The profile that takes a vector: one for each suite.
pub(super) fn profile_of(from: &Sources<'_>, id: &str) -> Option<&'static str> {
    vector(from, id).map(|(_, vector)| match vector.suite {
        Suite::SignalPq => "vectors-pq",
        Suite::SignalClassic => "vectors-classic",
    })
}

/// The command that runs a folder of scenarios, or a kind of vectors.
pub(super) fn run_folder(from: &Sources<'_>, name: &str) -> String {
    // Of two suites the newer one, whose file comes last.
    let kind = from.vectors.iter().rfind(|file| file.kind.name == name);
    let profile = kind.and_then(|file| profile_of(from, &file.vectors.last()?.scenario.id));
    let profile = profile.map(|profile| format!(" --profile {profile}")).unwrap_or_default();
    format!("countersign run{profile} --only '{name}/*'")
}

/// What a vector says of itself beyond its scenario.
pub(super) fn details(from: &Sources<'_>, id: &str) -> Vec<String> {
    let Some((file, vector)) = vector(from, id) else { return Vec::new() };
    let result = super::requirements::word(&vector.about.result);
    let mut lines = vec![format!("result {result}"), format!("stored in vectors/{}, SHA-256 {}", file.path, file.digest)];
    lines.push(format!("by {}", file.source));
    for name in &vector.about.flags {
        if let Some(flag) = file.flags.get(name) {
            lines.push(format!("flag {name}: {} {}", flag.bug, flag.effect));
        }
    }
    lines
}

/// All flags of all vectors.
pub(super) fn flags(from: &Sources<'_>) -> Vec<String> {
    let names: BTreeSet<&String> = from.vectors.iter().flat_map(|file| file.flags.keys()).collect();
    names.into_iter().cloned().collect()
}

/// Sentences, each once.
fn distinct<'a>(sentences: impl Iterator<Item = &'a str>) -> String {
    let mut found: Vec<&str> = Vec::new();
    for sentence in sentences {
        if !found.contains(&sentence) {
            found.push(sentence);
        }
    }
    found.join(" ")
}

/// A class of bugs, and the vectors that find it.
pub(super) fn flag(from: &Sources<'_>, id: &str) -> Option<Explanation> {
    let files: Vec<&Loaded> = from.vectors.iter().filter(|file| file.flags.contains_key(id)).collect();
    // One class of bugs is put in other words where it is about other keys.
    let meant: Vec<&Flag> = files.iter().filter_map(|file| file.flags.get(id)).collect();
    let (bugs, effects) =
        (distinct(meant.iter().map(|flag| flag.bug.as_str())), distinct(meant.iter().map(|flag| flag.effect.as_str())));
    files.first()?;
    let found: Vec<&Vector> =
        files.iter().flat_map(|file| &file.vectors).filter(|vector| vector.about.flags.iter().any(|flag| flag == id)).collect();
    let verified: BTreeSet<String> = found.iter().flat_map(|vector| vector.about.verifies.iter().cloned()).collect();
    let verified: Vec<String> = verified.into_iter().collect();
    let requirements = named(from, &verified);
    let ids: Vec<String> = found.iter().map(|vector| vector.scenario.id.clone()).collect();
    let mutants = from.mutants.iter().filter(|m| verified.contains(&m.requirement)).map(|m| format!("mutant:{}", m.id));
    let mut details = vec!["vectors".to_owned()];
    details.extend(found.iter().map(|vector| format!("  {}: {}", vector.scenario.id, vector.about.comment)));
    Some(Explanation {
        id: id.to_owned(),
        kind: "flag",
        summary: bugs,
        attack: effects,
        cost: each(&requirements, |r| r.attack.clone()),
        source: each(&requirements, source),
        cause: each(&requirements, |r| r.usual_cause.clone()),
        fix: each(&requirements, |r| r.fix.clone()),
        mutants: names(&mutants.collect::<Vec<_>>(), "none breaks a requirement of these vectors as its own"),
        run: run_only(from, &ids),
        details,
    })
}
