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
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(crate) fn list(args: &List) -> Result<Exit, Fault> {
    let suite = suite::builtin()?;
    let mutants = mutants().map_err(|e| Fault::Builtin(e.to_string()))?;
    let (text, json) = match (args.coverage, args.what) {
        (true, _) => unjustified(&suite, &mutants),
        (false, What::Scenarios) => scenarios(&suite),
        (false, What::Profiles) => profiles(&suite),
        (false, What::Requirements) => requirements(&suite),
        (false, What::Candidates) => candidates(&mutants),
    };
    match args.format {
        Format::Text => output::data(&text),
        Format::Json => output::data(&pretty(&json)),
    }
    Ok(Exit::Conforms)
}

fn scenarios(suite: &Suite) -> (String, Value) {
    let mut text = String::new();
    let rows = suite.scenarios.values().map(|loaded| {
        let scenario = &loaded.scenario;
        let cases: Vec<&str> = loaded.cases.iter().filter_map(|(case, _)| case.as_deref()).collect();
        let _ = writeln!(text, "{:<46} {}", scenario.id, scenario.title);
        if !cases.is_empty() {
            let _ = writeln!(text, "{:<46}   cases: {}", "", cases.join(", "));
        }
        json!({ "id": scenario.id, "title": scenario.title, "verifies": scenario.verifies, "cases": cases,
                "twin": scenario.twin, "exclusive": scenario.exclusive })
    });
    let json = Value::Array(rows.collect());
    (text, json)
}

fn profiles(suite: &Suite) -> (String, Value) {
    let mut text = String::new();
    let rows = suite.profiles.values().map(|profile| {
        let instances = suite.instances(profile).len();
        let _ = writeln!(text, "{:<20} {} ({instances} scenarios with their cases, {} requirements)", profile.id, profile.title, profile.requirements.len());
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

fn candidates(mutants: &[Mutant]) -> (String, Value) {
    let mut text = format!("{:<48} {}\n", "builtin", "The built-in sample, on official Signal code.");
    let mut rows = vec![json!({ "id": "builtin" })];
    for defect in Defect::ALL {
        let _ = writeln!(text, "{:<48} {}", format!("mutant:{defect}"), defect.summary());
        let known = mutants.iter().find(|m| m.id == defect.as_str());
        rows.push(json!({ "id": format!("mutant:{defect}"), "defect": defect.summary(), "expected": known }));
    }
    (text, Value::Array(rows))
}

/// Scenarios without a reason to be there: neither a twin, nor the only one in their folder to kill some mutant.
fn unjustified(suite: &Suite, mutants: &[Mutant]) -> (String, Value) {
    let mut text = String::new();
    let mut rows = Vec::new();
    for (id, coverage) in coverage(suite, mutants).into_iter().filter(|(_, c)| !c.justified()) {
        let _ = writeln!(text, "{id}: no twin, and kills no mutant that no other in its folder kills (kills {:?})", coverage.kills);
        rows.push(json!({ "id": id, "kills": coverage.kills }));
    }
    if rows.is_empty() {
        text.push_str("every scenario is a twin or kills a mutant that no other in its folder kills\n");
    }
    (text, Value::Array(rows))
}
