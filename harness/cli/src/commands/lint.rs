//! `countersign lint`.

use crate::args::{Format, Lint};
use crate::commands::report::pretty;
use crate::commands::suite;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_scenarios::{Diagnostic, Suite};
use serde_json::{Value, json};

pub(crate) fn lint(args: &Lint) -> Result<Exit, Fault> {
    match (suite::load(args.folder.as_deref()), args.format) {
        (Ok(suite), Format::Json) => output::data(&pretty(&whole(&suite)))?,
        (Ok(suite), Format::Text) => {
            if !output::quiet() {
                output::data(&format!(
                    "no fault in {} scenarios ({} with their cases), {} requirements and {} profiles",
                    suite.scenarios.len(),
                    instances(&suite),
                    suite.requirements.len(),
                    suite.profiles.len()
                ))?;
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

fn instances(suite: &Suite) -> usize {
    suite.scenarios.values().map(|s| s.cases.len().max(1)).sum()
}

fn whole(suite: &Suite) -> Value {
    json!({ "faults": [], "scenarios": suite.scenarios.len(), "instances": instances(suite),
            "requirements": suite.requirements.len(), "profiles": suite.profiles.len() })
}

fn fault(fault: &Diagnostic) -> Value {
    json!({ "file": fault.file, "line": fault.line, "column": fault.column, "length": fault.length,
            "message": fault.message, "hint": fault.hint })
}
