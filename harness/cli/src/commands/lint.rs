//! `countersign lint`.

use crate::args::Lint;
use crate::commands::suite;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;

pub(crate) fn lint(args: &Lint) -> Result<Exit, Fault> {
    let suite = suite::load(args.folder.as_deref())?;
    let instances: usize = suite.scenarios.values().map(|s| s.cases.len().max(1)).sum();
    output::data(&format!(
        "no fault in {} scenarios ({instances} with their cases), {} requirements and {} profiles",
        suite.scenarios.len(),
        suite.requirements.len(),
        suite.profiles.len()
    ))?;
    Ok(Exit::Conforms)
}
