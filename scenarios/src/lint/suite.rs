//! Files of requirements, profiles, and what holds between files.

use super::scenario::ReadScenario;
use crate::diagnostic::{Fault, Span, known_hint};
use crate::profile::Profile;
use crate::requirement::{DecidedBy, Requirement};
use crate::yaml::{self, Kind, Node, Sink};
use countersign_contract::claims::Suite;
use countersign_trace::Verdict;
use globset::GlobMatcher;
use std::collections::{BTreeMap, BTreeSet};

/// What a requirement file says, each with the place of its id.
pub(crate) struct ReadRequirements {
    pub(crate) requirements: Vec<(Span, Requirement)>,
    /// Ids of all entries, those that could not be read included.
    pub(crate) ids: Vec<(String, Span)>,
    pub(crate) faults: Vec<Fault>,
}

/// Reads a file of requirements, one by one.
pub(crate) fn read_requirements(text: &str) -> ReadRequirements {
    let mut read = ReadRequirements { requirements: Vec::new(), ids: Vec::new(), faults: Vec::new() };
    let root = match yaml::parse(text, &mut read.faults) {
        Ok(root) => root,
        Err(fault) => {
            read.faults.push(fault);
            return read;
        }
    };
    for (key, _) in root.entries() {
        let word = key.text().unwrap_or_default();
        if word != "requirements" {
            let fault = Fault::new(key.span, format!("unknown key `{word}`"));
            read.faults.push(fault.hint(known_hint(word, ["requirements"])));
        }
    }
    let list = match root.get("requirements") {
        Some(list) if matches!(list.kind, Kind::Seq(_)) => list,
        Some(other) => {
            read.faults.push(Fault::new(other.span, "`requirements` is a list"));
            return read;
        }
        None => {
            read.faults.push(Fault::new(root.span, "the key `requirements` is missing"));
            return read;
        }
    };
    let sink = Sink::default();
    for node in list.items() {
        read.ids.extend(node.get("id").and_then(|id| Some((id.text()?.to_owned(), id.span))));
        let Some(requirement) = yaml::from_node::<Requirement>(node, &sink) else { continue };
        check_requirement(&requirement, node, &mut read.faults);
        read.requirements.push((node.at(&["id"]).span, requirement));
    }
    read.faults.append(&mut sink.into_inner());
    read
}

fn check_requirement(requirement: &Requirement, node: &Node, faults: &mut Vec<Fault>) {
    let words = [
        ("id", &requirement.id),
        ("sentence", &requirement.sentence),
        ("source", &requirement.source),
        ("attack", &requirement.attack),
        ("usual-cause", &requirement.usual_cause),
        ("fix", &requirement.fix),
    ];
    for (key, text) in words {
        if text.trim().is_empty() {
            faults.push(Fault::new(node.at(&[key]).span, format!("`{key}` is empty")));
        }
    }
    if !is_date(&requirement.date) {
        let fault = Fault::new(node.at(&["date"]).span, format!("`{}` is no date", requirement.date));
        faults.push(fault.hint("year, month and day, such as 2022-09-14; or less, such as 2025"));
    }
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let fits = |part: Option<&&str>, digits: usize, range: std::ops::RangeInclusive<u32>| match part {
        None => true,
        Some(part) => {
            part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) && part.parse().is_ok_and(|n| range.contains(&n))
        }
    };
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() <= 3 && fits(parts.first(), 4, 1970..=2100) && fits(parts.get(1), 2, 1..=12) && fits(parts.get(2), 2, 1..=31)
}

/// A profile as read; the tree stays for the places.
pub(crate) struct ReadProfile {
    pub(crate) profile: Option<Profile>,
    pub(crate) root: Option<Node>,
    pub(crate) faults: Vec<Fault>,
}

/// Reads a profile. `expected_id` is what its path says.
pub(crate) fn read_profile(expected_id: &str, text: &str) -> ReadProfile {
    let mut read = ReadProfile { profile: None, root: None, faults: Vec::new() };
    let root = match yaml::parse(text, &mut read.faults) {
        Ok(root) => root,
        Err(fault) => {
            read.faults.push(fault);
            return read;
        }
    };
    let sink = Sink::default();
    read.profile = yaml::from_node::<Profile>(&root, &sink);
    read.faults.append(&mut sink.into_inner());
    if let Some(profile) = &read.profile {
        if profile.id != expected_id {
            let fault = Fault::new(root.at(&["id"]).span, format!("the id `{}` does not match the file", profile.id));
            read.faults.push(fault.hint(format!("after its file it is `{expected_id}`")));
        }
        if !matches!(profile.unsupported_counts_as, Verdict::Fail | Verdict::Warn | Verdict::Unsupported) {
            let fault = Fault::new(root.at(&["unsupported-counts-as"]).span, "what was not tested cannot count as that");
            read.faults.push(fault.hint("`fail`, `warn` or `unsupported`"));
        }
    }
    read.root = Some(root);
    read
}

/// Compiles an id or glob of scenarios: `*` does not cross `/`, `**` does.
pub(crate) fn scenario_glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    // A pattern is written by hand and short; long ones only cost memory.
    let pattern = pattern.get(..pattern.len().min(256)).unwrap_or("");
    globset::GlobBuilder::new(pattern).literal_separator(true).build().map(|glob| glob.compile_matcher())
}

/// All files of a suite as read, by path.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) scenarios: BTreeMap<String, ReadScenario>,
    pub(crate) requirements: BTreeMap<String, ReadRequirements>,
    pub(crate) profiles: BTreeMap<String, ReadProfile>,
}

/// Checks what holds between files. Each fault comes with the path of its file.
pub(crate) fn check_suite(files: &Files) -> Vec<(String, Fault)> {
    let mut out = Vec::new();
    check_ids(files, &mut out);
    let known: BTreeSet<&str> = files.requirements.values().flat_map(|r| r.ids.iter().map(|(id, _)| id.as_str())).collect();
    let mut verified = BTreeSet::new();
    for (path, scenario) in &files.scenarios {
        for (id, span) in &scenario.verifies {
            verified.insert(id.as_str());
            if !known.contains(id.as_str()) {
                let fault = Fault::new(*span, format!("no requirement has the id `{id}`"));
                out.push((path.clone(), fault.hint(requirement_hint(id, &known))));
            }
        }
    }
    for (path, read) in &files.requirements {
        for (span, requirement) in &read.requirements {
            if !verified.contains(requirement.id.as_str()) {
                let fault = Fault::new(*span, format!("no scenario verifies `{}`", requirement.id));
                out.push((path.clone(), fault.hint("name it under `verifies` of a scenario, or leave it out")));
            }
        }
    }
    for (path, read) in &files.profiles {
        if let (Some(profile), Some(root)) = (&read.profile, &read.root) {
            check_profile(path, profile, root, files, &known, &mut out);
        }
    }
    out
}

fn requirement_hint(id: &str, known: &BTreeSet<&str>) -> String {
    match crate::diagnostic::nearest(id, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "requirements stand in requirements/*.yaml".to_owned(),
    }
}

fn check_ids(files: &Files, out: &mut Vec<(String, Fault)>) {
    let mut scenarios: BTreeMap<&str, Vec<(&str, Span)>> = BTreeMap::new();
    for (path, read) in &files.scenarios {
        if let Some((id, span)) = &read.id {
            scenarios.entry(id).or_default().push((path, *span));
        }
    }
    for (id, places) in scenarios {
        // The file that is called so is not the one to blame.
        let owner = places.iter().find(|(path, _)| path.strip_suffix(".yaml") == Some(id)).or(places.first());
        let Some((owner, _)) = owner else { continue };
        for (path, span) in places.iter().filter(|(path, _)| path != owner) {
            let fault = Fault::new(*span, format!("the id `{id}` is taken"));
            out.push(((*path).to_owned(), fault.hint(format!("{owner} has it"))));
        }
    }
    let mut requirements: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for (path, read) in &files.requirements {
        for (id, span) in &read.ids {
            if let Some((first, line)) = requirements.get(id.as_str()) {
                let fault = Fault::new(*span, format!("the id `{id}` is taken"));
                out.push((path.clone(), fault.hint(format!("{first} has it in line {line}"))));
            } else {
                requirements.insert(id, (path, span.line));
            }
        }
    }
}

fn check_profile(
    path: &str,
    profile: &Profile,
    root: &Node,
    files: &Files,
    known: &BTreeSet<&str>,
    out: &mut Vec<(String, Fault)>,
) {
    let mut taken = BTreeSet::new();
    let ids: BTreeMap<&str, &ReadScenario> =
        files.scenarios.values().filter_map(|s| s.id.as_ref().map(|(id, _)| (id.as_str(), s))).collect();
    let lists = [("scenarios", "scenario", &profile.scenarios), ("vectors", "vector", &profile.vectors)];
    let patterns = lists.iter().flat_map(|(key, what, list)| list.iter().enumerate().map(move |(i, p)| (*key, *what, i, p)));
    for (key, what, i, pattern) in patterns {
        let span = root.at(&[key, &i.to_string()]).span;
        match scenario_glob(pattern) {
            Err(error) => out.push((path.to_owned(), Fault::new(span, format!("`{pattern}` is no glob: {}", error.kind())))),
            Ok(glob) => {
                let matches: Vec<&str> = ids.keys().copied().filter(|id| glob.is_match(id)).collect();
                if matches.is_empty() {
                    let fault = Fault::new(span, format!("`{pattern}` matches no {what}"));
                    let hint = crate::diagnostic::nearest(pattern, ids.keys().copied());
                    let hint = hint
                        .map_or_else(|| "`countersign list` shows them".to_owned(), |meant| format!("did you mean `{meant}`?"));
                    out.push((path.to_owned(), fault.hint(hint)));
                }
                taken.extend(matches);
            }
        }
    }
    let meant = |read: &ReadScenario| {
        let fits = |suites: &[Suite]| suites.is_empty() || suites.iter().any(|suite| profile.suites.contains(suite));
        read.cases.is_empty() || read.cases.iter().any(|(_, scenario)| fits(&scenario.suites))
    };
    let verified: BTreeSet<&str> = taken
        .iter()
        .filter_map(|id| ids.get(id))
        .filter(|read| meant(read))
        .flat_map(|s| s.verifies.iter().map(|(id, _)| id.as_str()))
        .collect();
    let self_tests: BTreeSet<&str> = files
        .requirements
        .values()
        .flat_map(|r| &r.requirements)
        .filter(|(_, r)| r.decided_by == DecidedBy::GatewaySelfTest)
        .map(|(_, r)| r.id.as_str())
        .collect();
    for (i, id) in profile.requirements.iter().enumerate() {
        let span = root.at(&["requirements", &i.to_string()]).span;
        if profile.requirements.iter().take(i).any(|earlier| earlier == id) {
            out.push((path.to_owned(), Fault::new(span, format!("`{id}` stands here twice"))));
        } else if !known.contains(id.as_str()) {
            let fault = Fault::new(span, format!("no requirement has the id `{id}`"));
            out.push((path.to_owned(), fault.hint(requirement_hint(id, known))));
        } else if !verified.contains(id.as_str()) {
            let fault = Fault::new(span, format!("no scenario of the profile verifies `{id}`"));
            out.push((path.to_owned(), fault.hint("add one to `scenarios`, or leave the requirement out")));
        } else if self_tests.contains(id.as_str()) {
            let fault = Fault::new(span, format!("`{id}` is decided by our own gateway alone"));
            out.push((path.to_owned(), fault.hint("testing ourselves counts for nothing: leave it out of the profile")));
        }
    }
}
