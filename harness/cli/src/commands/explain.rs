//! `countersign explain`.

use crate::args::Explain;
use crate::commands::{report, suite};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_contract::Reason;
use countersign_mutants::mutants;
use countersign_reports::explain_failure;
use countersign_sample::Defect;
use countersign_scenarios::{Requirement, Suite, describe_step};
use countersign_trace::Record;
use std::fmt::Write as _;

pub(crate) fn explain(args: &Explain) -> Result<Exit, Fault> {
    let suite = suite::builtin()?;
    let id = args.id.strip_prefix("mutant:").unwrap_or(&args.id);
    let text = scenario(&suite, id, args)
        .or_else(|| suite.requirements.get(id).map(requirement))
        .or_else(|| mutant(id))
        .or_else(|| reason(id))
        .or_else(|| finding(id));
    match text {
        Some(text) => {
            output::data(&text);
            Ok(Exit::Conforms)
        }
        None => Err(Fault::Unknown {
            name: args.id.clone(),
            hint: "`countersign list` shows scenarios, `list requirements` and `list candidates` the rest".to_owned(),
        }),
    }
}

fn scenario(suite: &Suite, id: &str, args: &Explain) -> Option<String> {
    let (base, case) = id.split_once('@').map_or((id, None), |(base, case)| (base, Some(case)));
    let loaded = suite.scenarios.get(base)?;
    let scenario = match case {
        None => &loaded.scenario,
        Some(case) => &loaded.cases.iter().find(|(name, _)| name.as_deref() == Some(case))?.1,
    };
    let mut text = format!("{id}: {}\n\n{}\n\nverifies {}\n\nsteps\n", scenario.title, scenario.why, scenario.verifies.join(", "));
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
