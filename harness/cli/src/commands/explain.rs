//! `countersign explain`.

use crate::args::Explain;
use crate::commands::list::BUILTIN;
use crate::commands::{report, suite};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_contract::Reason;
use countersign_mutants::mutants;
use countersign_reports::explain_failure;
use countersign_sample::Defect;
use countersign_scenarios::nearest::nearest;
use countersign_scenarios::{Requirement, Suite, describe_step};
use countersign_trace::Record;
use std::fmt::Write as _;

pub(crate) fn explain(args: &Explain) -> Result<Exit, Fault> {
    let suite = suite::builtin()?;
    let id = args.id.strip_prefix("mutant:").unwrap_or(&args.id);
    let text = scenario(&suite, id, args)
        .or_else(|| suite.requirements.get(id).map(requirement))
        .or_else(|| profile(&suite, id))
        .or_else(|| candidate(id))
        .or_else(|| mutant(id))
        .or_else(|| reason(id))
        .or_else(|| finding(id));
    match text {
        Some(text) => {
            output::data(&text)?;
            Ok(Exit::Conforms)
        }
        None => Err(Fault::Unknown {
            name: args.id.clone(),
            hint: match nearest(id, ids(&suite)).as_slice() {
                [] => "`countersign list` shows scenarios, `list requirements`, `list profiles` and `list candidates` the rest"
                    .to_owned(),
                near => format!("perhaps {}", near.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or ")),
            },
        }),
    }
}

/// Everything that can be explained.
fn ids(suite: &Suite) -> Vec<String> {
    let cases = suite.scenarios.iter().flat_map(|(id, loaded)| {
        loaded.cases.iter().filter_map(move |(case, _)| case.as_ref().map(|case| format!("{id}@{case}")))
    });
    suite
        .scenarios
        .keys()
        .chain(suite.requirements.keys())
        .chain(suite.profiles.keys())
        .cloned()
        .chain(cases)
        .chain(Defect::ALL.iter().map(ToString::to_string))
        .chain(Reason::ALL.iter().map(ToString::to_string))
        .chain(countersign_judge::Finding::ALL.iter().map(|f| f.as_str().to_owned()))
        .collect()
}

fn profile(suite: &Suite, id: &str) -> Option<String> {
    let profile = suite.profiles.get(id)?;
    Some(format!(
        "profile `{id}`, version {}: {}\n  {} scenarios with their cases, {} requirements\n  try: countersign run --profile {id}\n",
        profile.version,
        profile.title,
        suite.instances(profile).len(),
        profile.requirements.len()
    ))
}

fn candidate(id: &str) -> Option<String> {
    (id == "builtin").then(|| format!("builtin\n  {BUILTIN}\n  try: countersign run --candidate builtin\n"))
}

fn scenario(suite: &Suite, id: &str, args: &Explain) -> Option<String> {
    let (base, case) = id.split_once('@').map_or((id, None), |(base, case)| (base, Some(case)));
    let loaded = suite.scenarios.get(base)?;
    let scenario = match case {
        None => &loaded.scenario,
        Some(case) => &loaded.cases.iter().find(|(name, _)| name.as_deref() == Some(case))?.1,
    };
    let mut text =
        format!("{id}: {}\n\n{}\n\nverifies {}\n\nsteps\n", scenario.title, scenario.why, scenario.verifies.join(", "));
    for (number, step) in scenario.steps.iter().enumerate() {
        let _ = writeln!(text, "  {:>2}. {}", number + 1, describe_step(&scenario.cast, step));
    }
    for name in &scenario.verifies {
        if let Some(r) = suite.requirements.get(name) {
            let _ = write!(text, "\n{}", requirement(r));
        }
    }
    // What became of it in the last run, if there was one.
    if let Ok(record) = Record::open(&args.record) {
        let _ = write!(text, "\n{}", became(&record, id, args));
    }
    Some(text)
}

fn became(record: &Record, id: &str, args: &Explain) -> String {
    let blobs = record.blobs(args.record.parent().unwrap_or(std::path::Path::new("."))).unwrap_or_default();
    let texts = report::Texts::of(record);
    let view = texts.view(record, &blobs, None);
    let found: String = record
        .instances
        .iter()
        .filter(|i| i.name() == id || i.scenario == id)
        .filter_map(|i| explain_failure(&view, &i.name(), output::style()))
        .collect();
    if found.is_empty() {
        return format!("not in the record {}\n", args.record.display());
    }
    format!("in the record {} of {}\n\n{found}", args.record.display(), record.header.started)
}

fn requirement(r: &Requirement) -> String {
    let value = serde_json::to_value(r).unwrap_or_default();
    let word = |key: &str| value.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    format!(
        "{} ({}, decided by: {})\n  {}\n  what it costs: {}\n  usual cause: {}\n  fix: {}\n  source: {}, {}, grade {}\n",
        r.id,
        word("level"),
        word("decided-by"),
        r.sentence,
        r.attack,
        r.usual_cause,
        r.fix,
        r.source,
        r.date,
        word("grade")
    )
}

fn mutant(id: &str) -> Option<String> {
    let defect: Defect = id.parse().ok()?;
    let mut text = format!("mutant:{id}\n  {}\n", defect.summary());
    if let Some(known) = mutants().ok()?.iter().find(|m| m.id == id) {
        let _ = writeln!(text, "  breaks {}; `{}` must say so, and find `{}`", known.requirement, known.scenario, known.finding);
        let _ = writeln!(text, "  fails on it: {}", known.fails.join(", "));
    }
    let _ = writeln!(text, "  try: countersign run --candidate mutant:{id}");
    Some(text)
}

fn reason(id: &str) -> Option<String> {
    let reason: Reason = id.parse().ok()?;
    Some(format!("reason `{reason}` (HTTP status {})\n  {}\n", reason.status(), reason.meaning()))
}

fn finding(id: &str) -> Option<String> {
    let finding = countersign_judge::Finding::ALL.iter().find(|f| f.as_str() == id)?;
    let cause = finding.likely_cause().unwrap_or("see the requirement that the check names");
    Some(format!("finding `{id}`: {}\n  usual cause: {cause}\n", finding.meaning()))
}
