//! `countersign list`.

use crate::args::{Format, List, What};
use crate::commands::report::pretty;
use crate::commands::suite;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_mutants::{Mutant, coverage, mutants};
use countersign_sample::Defect;
use countersign_scenarios::Suite;
use countersign_vectors::file::Outcome;
use countersign_vectors::suite::Entry;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(crate) fn list(args: &List) -> Result<Exit, Fault> {
    let mutants = || mutants().map_err(|e| Fault::Builtin(e.to_string()));
    // Reading all vectors takes longer than everything else: it is done where they are counted, and nowhere else.
    let (text, json) = match (args.coverage, args.what) {
        // Of vectors no mutant is asked: the scenarios that they are compiled to have nothing to justify.
        (true, _) => unjustified(&Suite::builtin().map_err(Fault::Suite)?, &mutants()?),
        (false, What::Scenarios) => {
            let vectors = countersign_vectors::index().map_err(|e| Fault::Builtin(e.to_string()))?;
            scenarios(&Suite::builtin().map_err(Fault::Suite)?, vectors)
        }
        (false, What::Profiles) => profiles(&suite::builtin()?),
        (false, What::Requirements) => requirements(&suite::without_vectors()?),
        (false, What::Candidates) => candidates(&mutants()?),
    };
    match args.format {
        Format::Text => output::data(&text)?,
        Format::Json => output::data(&pretty(&json))?,
    }
    Ok(Exit::Conforms)
}

/// Scenarios and vectors by their ids.
fn scenarios(suite: &Suite, vectors: Vec<Entry>) -> (String, Value) {
    let mut rows: BTreeMap<String, (String, Value)> = BTreeMap::new();
    for loaded in suite.scenarios.values() {
        let scenario = &loaded.scenario;
        let cases: Vec<&str> = loaded.cases.iter().filter_map(|(case, _)| case.as_deref()).collect();
        let mut text = format!("{:<46} {}\n", scenario.id, scenario.title);
        if !cases.is_empty() {
            let _ = writeln!(text, "{:<46}   cases: {}", "", cases.join(", "));
        }
        let json = json!({ "id": scenario.id, "title": scenario.title, "verifies": scenario.verifies, "cases": cases,
                           "twin": scenario.twin, "exclusive": scenario.exclusive });
        rows.insert(scenario.id.clone(), (text, json));
    }
    for Entry { id, about } in vectors {
        let text = format!("{id:<46} {}\n", about.comment);
        let twin = about.result == Outcome::Valid;
        let json = json!({ "id": id, "title": about.comment, "verifies": about.verifies, "cases": [],
                           "twin": twin, "exclusive": false });
        rows.insert(id, (text, json));
    }
    let (text, rows): (Vec<String>, Vec<Value>) = rows.into_values().unzip();
    (text.concat(), Value::Array(rows))
}

fn profiles(suite: &Suite) -> (String, Value) {
    let mut text = String::new();
    let rows = suite.profiles.values().map(|profile| {
        let instances = suite.instances(profile).len();
        let _ = writeln!(
            text,
            "{:<20} {} ({instances} scenarios with their cases, {} requirements)",
            profile.id,
            profile.title,
            profile.requirements.len()
        );
        json!({ "id": profile.id, "title": profile.title, "version": profile.version, "instances": instances })
    });
    let json = Value::Array(rows.collect());
    (text, json)
}

fn requirements(suite: &Suite) -> (String, Value) {
    let mut text = String::new();
    let rows = suite.requirements.values().map(|r| {
        let value = serde_json::to_value(r).unwrap_or_default();
        let level = value.get("level").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(text, "{:<12} {level:<7} {}", r.id, r.sentence);
        value
    });
    let json = Value::Array(rows.collect());
    (text, json)
}

/// The built-in candidate in a sentence.
pub(crate) const BUILTIN: &str = "The built-in sample, on official Signal code.";

/// A mutant is a defect that some scenario is known to find. Other defects are for the doctor, and stand apart.
fn candidates(mutants: &[Mutant]) -> (String, Value) {
    let row = |name: &str, summary: &str| format!("{name:<48} {summary}\n");
    let mut text = row("builtin", BUILTIN);
    let mut rows = vec![json!({ "id": "builtin", "kind": "sample" })];
    let known = |defect: &Defect| mutants.iter().find(|m| m.id == defect.as_str());
    let (found, apart): (Vec<Defect>, Vec<Defect>) = Defect::ALL.iter().copied().partition(|defect| known(defect).is_some());
    let sections = [
        ("mutant", "Mutants: the sample with one defect, and scenarios that find it", found),
        (
            "defect",
            "Other defects of the sample, that no scenario is held to find: some keep the doctor from admitting it",
            apart,
        ),
    ];
    for (kind, title, defects) in sections.into_iter().filter(|(_, _, defects)| !defects.is_empty()) {
        let _ = writeln!(text, "\n{title}");
        for defect in defects {
            text.push_str(&row(&format!("mutant:{defect}"), defect.summary()));
            rows.push(
                json!({ "id": format!("mutant:{defect}"), "kind": kind, "defect": defect.summary(), "expected": known(&defect) }),
            );
        }
    }
    (text, Value::Array(rows))
}

/// Scenarios without a reason to be there: neither a twin, nor the only one in their folder to kill some mutant.
fn unjustified(suite: &Suite, mutants: &[Mutant]) -> (String, Value) {
    let mut text = String::new();
    let mut rows = Vec::new();
    for (id, coverage) in coverage(suite, mutants).into_iter().filter(|(_, c)| !c.justified()) {
        let _ =
            writeln!(text, "{id}: no twin, and kills no mutant that no other in its folder kills (kills {:?})", coverage.kills);
        rows.push(json!({ "id": id, "kills": coverage.kills }));
    }
    if rows.is_empty() {
        text.push_str("every scenario is a twin or kills a mutant that no other in its folder kills\n");
    }
    (text, Value::Array(rows))
}
