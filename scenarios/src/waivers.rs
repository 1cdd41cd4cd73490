//! Files of waivers: a list, read with positions and checked; and the entry that is added to one.
//!
//! ```yaml
//! - id: W-1
//!   owner: messaging team
//!   reason: The library acknowledges before it has stored the message; the next release does it the other way round.
//!   link: https://tracker.example/4711
//!   until: 2027-01-31
//!   covers:
//!     - { scenario: e2ee/lost, check: step-4, finding: not-shown }
//! ```

use crate::diagnostic::{Diagnostic, Fault, Span, known_hint};
use crate::plan::Filter;
use crate::suite::{LARGEST_FILE, Suite};
use crate::yaml::{Kind, Sink, from_node, parse};
use countersign_trace::{Cover, WHOLE_RUN, Waiver};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Most waivers of a file.
pub const MOST_WAIVERS: usize = 500;

/// Most covers of a waiver.
pub const MOST_COVERS: usize = 500;

/// Longest texts of a waiver, in characters: owner, reason, link, and names within a cover.
const LONGEST: [usize; 4] = [200, 2_000, 500, 200];

/// A fault of a waiver: the path to the value, what is wrong with it, and how to mend it.
pub type WaiverFault = (Vec<String>, String, String);

/// Names that waivers may mention.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The scenarios, requirements and profiles.
    pub suite: &'a Suite,
    /// Names of the checks that are no steps of a scenario.
    pub checks: &'a BTreeSet<&'a str>,
    /// Names of findings.
    pub findings: &'a BTreeSet<&'a str>,
}

/// Reads a file of waivers; `file` is what faults call it. A file without an entry is one without waivers.
///
/// # Errors
/// Every fault in it.
pub fn read(file: &str, text: &str) -> Result<Vec<Waiver>, Vec<Diagnostic>> {
    read_with(file, text, None)
}

/// [`read`], and every name in it has to be one that there is.
///
/// # Errors
/// Every fault in it.
pub fn lint(file: &str, text: &str, known: Known<'_>) -> Result<Vec<Waiver>, Vec<Diagnostic>> {
    read_with(file, text, Some(known))
}

fn read_with(file: &str, text: &str, known: Option<Known<'_>>) -> Result<Vec<Waiver>, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let waivers = read_list(text, known, &mut faults);
    if faults.is_empty() {
        return Ok(waivers);
    }
    let mut all: Vec<Diagnostic> = faults.into_iter().map(|fault| Diagnostic::new(file, text, hinted(fault))).collect();
    all.sort();
    all.dedup();
    Err(all)
}

fn hinted(fault: Fault) -> Fault {
    if fault.hint.is_some() { fault } else { fault.hint("`countersign schema waivers` says what may stand here") }
}

fn read_list(text: &str, known: Option<Known<'_>>, faults: &mut Vec<Fault>) -> Vec<Waiver> {
    if text.len() > LARGEST_FILE {
        faults.push(Fault::new(Span::START, format!("larger than {} KiB", LARGEST_FILE / 1024)).hint("take out what is over"));
        return Vec::new();
    }
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Vec::new();
    }
    let root = match parse(text, faults) {
        Ok(root) => root,
        Err(fault) => {
            faults.push(fault);
            return Vec::new();
        }
    };
    if !matches!(root.kind, Kind::Seq(_)) {
        let hint = "begin each waiver with `- id: …`";
        faults.push(Fault::new(root.span, "a file of waivers is a list").hint(hint));
        return Vec::new();
    }
    if root.items().len() > MOST_WAIVERS {
        faults.push(Fault::new(root.span, format!("more than {MOST_WAIVERS} waivers")).hint("mend some of it instead"));
        return Vec::new();
    }
    let sink = Sink::default();
    let mut waivers: Vec<Waiver> = Vec::new();
    for node in root.items() {
        let Some(waiver) = from_node::<Waiver>(node, &sink) else { continue };
        let mut add = |path: &[String], message: String, hint: String| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            faults.push(Fault::new(node.at(&path).span, message).hint(hint));
        };
        if waivers.iter().any(|other| other.id == waiver.id) {
            add(&["id".to_owned()], format!("a second waiver is called `{}`", waiver.id), "give each its own name".to_owned());
        }
        for (path, message, hint) in waiver_faults(&waiver) {
            add(&path, message, hint);
        }
        if let Some(known) = known {
            for (path, message, hint) in unknown_names(&waiver, known) {
                add(&path, message, hint);
            }
        }
        waivers.push(waiver);
    }
    faults.extend(sink.into_inner());
    waivers
}

/// What is wrong with a waiver by itself, wherever it was read.
#[must_use]
pub fn waiver_faults(waiver: &Waiver) -> Vec<WaiverFault> {
    let mut faults = Vec::new();
    let mut add = |path: &[&str], message: &str, hint: &str| {
        faults.push((path.iter().map(|p| (*p).to_owned()).collect(), message.to_owned(), hint.to_owned()));
    };
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if waiver.id.is_empty() || waiver.id.len() > 64 || !waiver.id.chars().all(harmless) {
        add(&["id"], "this is no name for a waiver", "letters, digits, `.`, `_` and `-`, 64 at most: `W-1`");
    }
    let said =
        |text: &str, most: usize| !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
    if !said(&waiver.owner, LONGEST[0]) {
        add(&["owner"], "somebody has to answer for a waiver", "name a person or a team, on one line of at most 200 characters");
    }
    if !said(&waiver.reason.replace('\n', " "), LONGEST[1]) {
        add(&["reason"], "a waiver has to say why", "write a sentence, of at most 2000 characters");
    }
    let address = waiver.link.strip_prefix("https://").or_else(|| waiver.link.strip_prefix("http://"));
    let address = address.filter(|rest| !rest.is_empty() && !rest.chars().any(char::is_whitespace));
    if address.is_none() || !said(&waiver.link, LONGEST[2]) {
        add(&["link"], "this is no address", "where it is being worked on: `https://tracker.example/4711`");
    }
    if waiver.profile.as_ref().is_some_and(|profile| !said(profile, LONGEST[3])) {
        add(&["profile"], "this is no profile", "leave it out, or name one of `countersign list profiles`");
    }
    if waiver.covers.is_empty() || waiver.covers.len() > MOST_COVERS {
        add(&["covers"], "a waiver covers something, and not everything", "name scenario and check of what failed");
    }
    for (at, cover) in waiver.covers.iter().enumerate() {
        let at = at.to_string();
        if let Err(error) = Filter::new(std::slice::from_ref(&cover.scenario)) {
            add(&["covers", &at, "scenario"], &error.to_string(), "`*` stands for any name within a folder");
        }
        let names = [&cover.check, &cover.requirement, &cover.finding];
        if names.iter().all(|name| name.is_none()) {
            let hint = "say `check`, `requirement` or `finding`: a waiver is for what failed, not for a whole scenario";
            add(&["covers", &at], "this covers every check of a scenario", hint);
        }
        if cover.blocked && cover.finding.is_some() {
            add(&["covers", &at], "what is blocked was not judged, and has no finding", "leave out `blocked` or `finding`");
        }
        if !said(&cover.scenario, LONGEST[3]) || names.into_iter().flatten().any(|name| !said(name, LONGEST[3])) {
            add(&["covers", &at], "a name in it is empty or too long", "write names as a report shows them");
        }
    }
    faults
}

/// Names that nothing has.
fn unknown_names(waiver: &Waiver, known: Known<'_>) -> Vec<WaiverFault> {
    let mut faults: Vec<WaiverFault> = Vec::new();
    let profiles = known.suite.profiles.keys().map(String::as_str).collect::<Vec<_>>();
    if let Some(profile) = waiver.profile.as_deref().filter(|p| !profiles.contains(p)) {
        faults.push((vec!["profile".into()], format!("there is no profile `{profile}`"), known_hint(profile, profiles)));
    }
    let instances: Vec<(String, usize)> = known
        .suite
        .scenarios
        .iter()
        .flat_map(|(id, loaded)| {
            loaded.cases.iter().map(move |(case, scenario)| {
                (case.as_ref().map_or_else(|| id.clone(), |case| format!("{id}@{case}")), scenario.steps.len())
            })
        })
        .collect();
    for (at, cover) in waiver.covers.iter().enumerate() {
        let mut add = |key: &str, message: String, hint: String| {
            faults.push((vec!["covers".into(), at.to_string(), key.into()], message, hint));
        };
        unknown_scenario_or_check(cover, &instances, known, &mut add);
        if let Some(id) = cover.requirement.as_deref().filter(|id| !known.suite.requirements.contains_key(*id)) {
            let near = crate::nearest::nearest(id, known.suite.requirements.keys().cloned());
            add(
                "requirement",
                format!("there is no requirement `{id}`"),
                perhaps(&near, "`countersign list requirements` shows all"),
            );
        }
        if let Some(finding) = cover.finding.as_deref().filter(|f| !known.findings.contains(f)) {
            let near = crate::nearest::nearest(finding, known.findings.iter().map(|f| (*f).to_owned()));
            add("finding", format!("there is no finding `{finding}`"), perhaps(&near, "write it as the report shows it"));
        }
    }
    faults
}

fn unknown_scenario_or_check(
    cover: &Cover,
    instances: &[(String, usize)],
    known: Known<'_>,
    add: &mut dyn FnMut(&str, String, String),
) {
    let Ok(filter) = Filter::new(std::slice::from_ref(&cover.scenario)) else { return };
    let steps: Vec<usize> = instances.iter().filter(|(name, _)| filter.takes_name(name)).map(|(_, steps)| *steps).collect();
    if steps.is_empty() && !filter.takes_name(WHOLE_RUN) {
        let near = crate::nearest::nearest(&cover.scenario, instances.iter().map(|(name, _)| name.clone()));
        let message = format!("no scenario is called `{}`", cover.scenario);
        return add("scenario", message, perhaps(&near, "`countersign list` shows all"));
    }
    let Some(check) = cover.check.as_deref().filter(|check| !known.checks.contains(check)) else { return };
    let step = check.strip_prefix("step-").and_then(|n| n.parse::<usize>().ok());
    if step.is_none_or(|step| steps.iter().all(|count| step >= *count)) {
        let most = steps.iter().max().copied().unwrap_or(0).saturating_sub(1);
        let near = crate::nearest::nearest(check, known.checks.iter().map(|c| (*c).to_owned()));
        let hint = perhaps(&near, &format!("steps there are step-0 to step-{most}; other checks have the names of a report"));
        add("check", format!("there is no check `{check}` in it"), hint);
    }
}

fn perhaps(near: &[String], otherwise: &str) -> String {
    near.first().map_or_else(|| otherwise.to_owned(), |near| format!("perhaps `{near}`; {otherwise}"))
}

/// The text of a file with one more waiver at its end. What stands there stays as it is, comments among it.
///
/// # Errors
/// The faults of the file, or of the waiver; or that something stands there after which nothing can be added, such as a list in
/// brackets.
pub fn appended(file: &str, text: &str, waiver: &Waiver) -> Result<String, Vec<Diagnostic>> {
    let before = read(file, text)?;
    let indent = text.lines().find_map(|line| {
        let rest = line.trim_start_matches(' ');
        rest.starts_with("- ").then(|| line.len() - rest.len())
    });
    let mut out = text.to_owned();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    for line in entry(waiver).lines() {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}{line}", " ".repeat(indent.unwrap_or(0)));
    }
    let after = read(file, &out)?;
    if after.len() == before.len() + 1 && after.starts_with(&before) && after.last() == Some(waiver) {
        return Ok(out);
    }
    let hint = "write each waiver on lines of its own, beginning with `- id: …`";
    Err(vec![Diagnostic::at(file, text, Span::START, "a waiver cannot be added to the end of this file", hint)])
}

/// A waiver as it is written into a file.
fn entry(waiver: &Waiver) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = format!(
        "- id: {}\n  owner: {}\n  reason: {}\n  link: {}\n  until: {}\n",
        quoted(&waiver.id),
        quoted(&waiver.owner),
        quoted(&waiver.reason),
        quoted(&waiver.link),
        waiver.until
    );
    if let Some(profile) = &waiver.profile {
        let _ = writeln!(out, "  profile: {}", quoted(profile));
    }
    out.push_str("  covers:\n");
    for cover in &waiver.covers {
        let _ = write!(out, "    - {{ scenario: {}", quoted(&cover.scenario));
        for (key, value) in [("check", &cover.check), ("requirement", &cover.requirement), ("finding", &cover.finding)] {
            if let Some(value) = value {
                let _ = write!(out, ", {key}: {}", quoted(value));
            }
        }
        if cover.blocked {
            out.push_str(", blocked: true");
        }
        out.push_str(" }\n");
    }
    out
}
