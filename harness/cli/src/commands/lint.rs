//! `countersign lint`.

use crate::args::{Format, Lint};
use crate::commands::report::pretty;
use crate::commands::suite;
use crate::commands::waivers::text;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_judge::Finding;
use countersign_scenarios::waivers::{self, Known};
use countersign_scenarios::{Diagnostic, Suite};
use countersign_vectors::suite::{is_vector_folder, load_folder, with_vectors};
use countersign_vectors::{Loaded, builtin};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What was looked at: scenarios with all that belongs to them, vectors, or both.
#[derive(Default)]
struct Found {
    suite: Option<Suite>,
    vectors: Option<Vec<Loaded>>,
    waivers: Option<usize>,
}

pub(crate) fn lint(args: &Lint) -> Result<Exit, Fault> {
    match (find(args), args.format) {
        (Ok(found), Format::Json) => output::data(&pretty(&whole(&found)))?,
        (Ok(found), Format::Text) => {
            if !output::quiet() {
                output::data(&words(&found))?;
            }
        }
        // For a program the faults are what it asked for.
        (Err(Fault::Suite(faults)), Format::Json) => {
            output::data(&pretty(&json!({ "faults": faults.iter().map(fault).collect::<Vec<_>>() })))?;
            return Ok(Exit::Usage);
        }
        (Err(fault), _) => return Err(fault),
    }
    Ok(Exit::Conforms)
}

fn find(args: &Lint) -> Result<Found, Fault> {
    match args.folder.as_deref() {
        None => {
            let (_, vectors) = builtin().map_err(Fault::Suite)?;
            Ok(Found { suite: Some(Suite::builtin().map_err(Fault::Suite)?), vectors: Some(vectors), ..Found::default() })
        }
        Some(file) if file.is_file() => {
            let checks: BTreeSet<&str> = countersign_judge::check_names().collect();
            let findings: BTreeSet<&str> = Finding::ALL.iter().map(|f| f.as_str()).collect();
            let known = Known { suite: &suite::builtin()?, checks: &checks, findings: &findings };
            let waivers = waivers::lint(&file.display().to_string(), &text(file)?, known);
            Ok(Found { waivers: Some(waivers.map_err(Fault::Suite)?.len()), ..Found::default() })
        }
        Some(folder) if is_vector_folder(folder) => {
            let vectors = load_folder(folder).map_err(Fault::Suite)?;
            // What a vector names has to be there, and what it is compiled to has to be a scenario without fault.
            with_vectors(Suite::builtin().map_err(Fault::Suite)?, &vectors).map_err(Fault::Suite)?;
            Ok(Found { vectors: Some(vectors), ..Found::default() })
        }
        folder => Ok(Found { suite: Some(suite::load(folder)?), ..Found::default() }),
    }
}

fn instances(suite: &Suite) -> usize {
    suite.scenarios.values().map(|s| s.cases.len().max(1)).sum()
}

fn count(vectors: &[Loaded]) -> usize {
    vectors.iter().map(|file| file.vectors.len()).sum()
}

fn words(found: &Found) -> String {
    let mut parts = Vec::new();
    if let Some(suite) = &found.suite {
        parts.push(format!(
            "{} scenarios ({} with their cases), {} requirements and {} profiles",
            suite.scenarios.len(),
            instances(suite),
            suite.requirements.len(),
            suite.profiles.len()
        ));
    }
    if let Some(vectors) = &found.vectors {
        parts.push(format!("{} vectors in {} files", count(vectors), vectors.len()));
    }
    parts.extend(found.waivers.map(|count| if count == 1 { "1 waiver".to_owned() } else { format!("{count} waivers") }));
    format!("no fault in {}", parts.join(", nor in "))
}

fn whole(found: &Found) -> Value {
    let mut value = json!({ "faults": [] });
    let Some(members) = value.as_object_mut() else { return value };
    if let Some(suite) = &found.suite {
        members.insert("scenarios".to_owned(), suite.scenarios.len().into());
        members.insert("instances".to_owned(), instances(suite).into());
        members.insert("requirements".to_owned(), suite.requirements.len().into());
        members.insert("profiles".to_owned(), suite.profiles.len().into());
    }
    if let Some(vectors) = &found.vectors {
        members.insert("vectors".to_owned(), count(vectors).into());
    }
    if let Some(count) = found.waivers {
        members.insert("waivers".to_owned(), count.into());
    }
    value
}

fn fault(fault: &Diagnostic) -> Value {
    json!({ "file": fault.file, "line": fault.line, "column": fault.column, "length": fault.length,
            "message": fault.message, "hint": fault.hint })
}
