//! What requirements say, put together for whatever names some of them.

use super::Sources;
use countersign_scenarios::Requirement;

/// Requirements by id, those that the suite has.
pub(super) fn named<'a>(from: &Sources<'a>, ids: &[String]) -> Vec<&'a Requirement> {
    let mut found: Vec<&Requirement> = Vec::new();
    for id in ids {
        if let Some(requirement) = from.suite.requirements.get(id).filter(|r| !found.iter().any(|f| f.id == r.id)) {
            found.push(requirement);
        }
    }
    found
}

/// One part of each, a line each, with its id if there are several.
pub(super) fn each(requirements: &[&Requirement], part: impl Fn(&Requirement) -> String) -> String {
    match requirements {
        [one] => part(one),
        many => many.iter().map(|r| format!("{}: {}", r.id, part(r))).collect::<Vec<_>>().join("\n"),
    }
}

/// Where a requirement comes from.
pub(super) fn source(requirement: &Requirement) -> String {
    let grade = word(&requirement.grade);
    format!("{} ({}, grade {grade})", requirement.source, requirement.date)
}

/// A word as it stands in data files.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
