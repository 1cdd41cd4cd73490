//! `countersign config`.

use crate::commands::remote::{DIAL_KEY, TOKEN};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use crate::settings::InForce;
use countersign_reports::visible;
use std::fmt::Write as _;
use std::path::Path;

/// Longest value that is shown, in characters.
const LONGEST: usize = 200;

/// Shows every setting as it is in force, and where it came from.
pub(crate) fn config(file: Option<&Path>, in_force: &[InForce]) -> Result<Exit, Fault> {
    let mut text = match file {
        Some(path) => format!("# settings of {}\n", path.display()),
        None => "# no countersign.toml in this folder\n".to_owned(),
    };
    let width = in_force.iter().map(|s| s.setting.key.len()).max().unwrap_or_default();
    for setting in in_force {
        let value = if setting.values.is_empty() { "-".to_owned() } else { setting.values.join(", ") };
        let _ = writeln!(text, "{:width$}  {}  ({})", setting.setting.key, visible(&value, LONGEST), setting.origin);
    }
    for (variable, what) in [(TOKEN, "the upper tester's token"), (DIAL_KEY, "the key for dialling in")] {
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            let _ = writeln!(text, "{what}  {}  (variable {variable})", countersign_engine::remote::REDACTED);
        }
    }
    output::data(&text)?;
    Ok(Exit::Conforms)
}
