//! `countersign explain`.

use crate::args::{Explain, Format};
use crate::commands::list::BUILTIN;
use crate::commands::report::pretty;
use crate::commands::{report, suite};
use crate::exit::Exit;
use crate::explain::{Explanation, Sources, all, by_itself, of};
use crate::fault::Fault;
use crate::output;
use countersign_mutants::mutants;
use countersign_reports::{explain_check, explain_failure, explain_waiver};
use countersign_scenarios::Suite;
use countersign_scenarios::nearest::nearest;
use countersign_trace::{BlobFolder, Blobs, Record};
use std::fmt::Write as _;

pub(crate) fn explain(args: &Explain) -> Result<Exit, Fault> {
    let mutants = mutants().map_err(|e| Fault::Builtin(e.to_string()))?;
    if let Some(typed) = args.id.as_deref() {
        // A scenario or a mutant has nothing to do with vectors, which take long to read.
        let suite = suite::without_vectors()?;
        let found = by_itself(&Sources { suite: &suite, mutants: &mutants, vectors: &[] }, bare(typed));
        if !found.is_empty() {
            print(&found, args.format, became(bare(typed), args))?;
            return Ok(Exit::Conforms);
        }
    }
    let (suite, vectors) = suite::with_vectors()?;
    let from = Sources { suite: &suite, mutants: &mutants, vectors: &vectors };
    let Some(typed) = args.id.as_deref() else {
        let everything: Vec<Explanation> = all(&from).iter().flat_map(|id| of(&from, id)).collect();
        print(&everything, args.format, None)?;
        return Ok(Exit::Conforms);
    };
    let id = bare(typed);
    let found = of(&from, id);
    if !found.is_empty() {
        // Whoever typed a name without its folder means the scenario.
        let meant = match found.as_slice() {
            [only] => only.id.as_str(),
            _ => id,
        };
        print(&found, args.format, became(meant, args))?;
        return Ok(Exit::Conforms);
    }
    if let Some(text) = profile(&suite, id).or_else(|| candidate(id)).or_else(|| waiver(id, args)) {
        match args.format {
            Format::Text => output::data(&text)?,
            Format::Json => output::data(&pretty(&serde_json::json!([{ "id": id, "summary": text.trim() }])))?,
        }
        return Ok(Exit::Conforms);
    }
    let known = all(&from).into_iter().chain(suite.profiles.keys().cloned()).chain(["builtin".to_owned()]);
    Err(Fault::Unknown {
        name: typed.to_owned(),
        hint: match nearest(id, known).as_slice() {
            [] => "`countersign list` shows scenarios, `list requirements`, `list profiles` and `list candidates` the rest"
                .to_owned(),
            near => format!("perhaps {}", near.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or ")),
        },
    })
}

/// An id without the word that a command line has before it.
fn bare(typed: &str) -> &str {
    typed.strip_prefix("mutant:").unwrap_or(typed)
}

fn print(explanations: &[Explanation], format: Format, became: Option<String>) -> Result<(), Fault> {
    if format == Format::Json {
        return output::data(&pretty(&explanations));
    }
    let mut text = explanations.iter().map(Explanation::text).collect::<Vec<_>>().join("\n");
    if let Some(became) = became {
        let _ = write!(text, "\n{became}");
    }
    output::data(&text)
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

/// A waiver that was given to the last run, if there was one.
fn waiver(id: &str, args: &Explain) -> Option<String> {
    let record = Record::open(&args.record).ok()?;
    let (texts, blobs) = (report::Texts::of(&record), Blobs::new());
    let view = texts.view(&record, &blobs, None, None);
    let found = explain_waiver(&view, id, output::style())?;
    Some(format!("waiver {id}, in the record {} of {}\n{found}", args.record.display(), record.header.started))
}

/// What became of a scenario, or of a check of the whole run, in the last run, if there was one.
fn became(id: &str, args: &Explain) -> Option<String> {
    let scenario = id.contains('/');
    if !scenario && !id.starts_with("run-") {
        return None;
    }
    let record = Record::open(&args.record).ok()?;
    let blobs = BlobFolder::beside(&args.record).shown(&record).unwrap_or_default();
    let texts = report::Texts::of(&record);
    let view = texts.view(&record, &blobs, None, None);
    let found: String = if scenario {
        let concerned = record.instances.iter().filter(|i| i.name() == id || i.scenario == id);
        concerned.filter_map(|i| explain_failure(&view, &i.name(), output::style())).collect()
    } else {
        explain_check(&view, id, output::style()).unwrap_or_default()
    };
    if found.is_empty() {
        return Some(format!("not in the record {}\n", args.record.display()));
    }
    Some(format!("in the record {} of {}\n\n{found}", args.record.display(), record.header.started))
}
