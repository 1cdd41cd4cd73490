//! Settings from three places: arguments first, then variables of the environment, then `countersign.toml`.
//!
//! Variables and file are turned into arguments, so that each is checked by the one rule that there is for it; a fault says where
//! the value came from. No setting is a secret: tokens stand in files of their own, or in variables that are read for nothing else.

mod file;

use crate::args::Args;
use crate::fault::Fault;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// A name in the file, and the argument that it stands for.
pub(crate) struct Setting {
    /// Table and key: `gateway.listen`.
    pub(crate) key: &'static str,
    /// The argument, without its dashes.
    pub(crate) flag: &'static str,
    pub(crate) form: Form,
}

/// What a value looks like in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// Relative to the folder of the file in which it stands.
    Path,
    Number,
    /// Texts.
    List,
}

const fn setting(key: &'static str, flag: &'static str, form: Form) -> Setting {
    Setting { key, flag, form }
}

/// All that can be set, in the order in which it is shown.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("run.profile", "profile", Form::Text),
    setting("run.suite", "suite", Form::Path),
    setting("run.seed", "seed", Form::Text),
    setting("run.only", "only", Form::List),
    setting("run.jobs", "jobs", Form::Number),
    setting("run.out", "out", Form::Path),
    setting("run.snapshots", "snapshots", Form::Text),
    setting("run.baseline", "baseline", Form::Path),
    setting("run.waivers", "waivers", Form::Path),
    setting("candidate.target", "candidate", Form::Text),
    setting("candidate.carrier", "carrier", Form::Text),
    setting("candidate.peer", "peer", Form::Text),
    setting("candidate.token-file", "token-file", Form::Path),
    setting("candidate.client-cert", "client-cert", Form::Path),
    setting("candidate.client-key", "client-key", Form::Path),
    setting("candidate.ca", "ca", Form::Path),
    setting("candidate.pin", "pin", Form::Text),
    setting("candidate.allow-address", "allow-address", Form::List),
    setting("dial-in.key-file", "dial-key-file", Form::Path),
    setting("dial-in.wait-seconds", "dial-wait", Form::Number),
    setting("dial-in.reconnect-seconds", "dial-reconnect", Form::Number),
    setting("gateway.listen", "listen", Form::Text),
    setting("gateway.advertise", "advertise", Form::Text),
    setting("gateway.tls", "tls", Form::Text),
    setting("gateway.tls-cert", "tls-cert", Form::Path),
    setting("gateway.tls-key", "tls-key", Form::Path),
    setting("gateway.tls-ca", "tls-ca", Form::Path),
    setting("gateway.connections-per-address", "connections-per-address", Form::Number),
    setting("limits.cpu-seconds", "child-cpu", Form::Number),
    setting("limits.memory-mib", "child-memory", Form::Number),
    setting("limits.file-mib", "child-file", Form::Number),
    setting("limits.open-files", "child-open-files", Form::Number),
];

/// Commands that heed settings.
const COMMANDS: &[&str] = &["run", "fuzz", "doctor", "config", "waive"];

/// The file that is read unless another one is named.
const FILE: &str = "countersign.toml";

/// The variable that names another one.
const FILE_VARIABLE: &str = "COUNTERSIGN_CONFIG";

impl Setting {
    /// The variable of the environment that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("COUNTERSIGN_{}", self.flag.to_uppercase().replace('-', "_"))
    }

    /// As clap names the argument.
    fn id(&self) -> String {
        self.flag.replace('-', "_")
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Argument,
    Variable(String),
    /// File, line and column.
    File(PathBuf, usize, usize),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => f.write_str("argument"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(path, line, column) => write!(f, "{}:{line}:{column}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting as it is in force.
pub(crate) struct InForce {
    pub(crate) setting: &'static Setting,
    pub(crate) values: Vec<String>,
    pub(crate) origin: Origin,
}

/// What was read.
pub(crate) struct Read {
    pub(crate) args: Args,
    /// For the commands that heed settings.
    pub(crate) in_force: Vec<InForce>,
    /// The file that was read, if one was.
    pub(crate) file: Option<PathBuf>,
}

/// Why there are no arguments.
pub(crate) enum Unread {
    /// What clap has to say, help among it.
    Clap(clap::Error),
    Fault(Fault),
}

impl From<clap::Error> for Unread {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Reads arguments, environment and file.
pub(crate) fn read(given: Vec<OsString>) -> Result<Read, Unread> {
    let matches = Args::command().try_get_matches_from(&given)?;
    let Some((name, sub)) = matches.subcommand().filter(|(name, _)| COMMANDS.contains(name)) else {
        return Ok(Read { args: Args::from_arg_matches(&matches)?, in_force: Vec::new(), file: None });
    };
    let named = sub.get_one::<PathBuf>("config").cloned().or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
    let (path, named) = named.map_or_else(|| (PathBuf::from(FILE), false), |path| (path, true));
    let from_file = file::load(&path, named)?;
    let known = Args::command();
    let known = known.find_subcommand(name).cloned().unwrap_or_default();
    let mut all = given.clone();
    let mut origins = Vec::new();
    for setting in SETTINGS {
        let id = setting.id();
        if !known.get_arguments().any(|arg| arg.get_id() == id.as_str()) {
            continue;
        }
        let found = if sub.value_source(&id) == Some(ValueSource::CommandLine) {
            origins.push((setting, Origin::Argument));
            continue;
        } else if let Some(value) = variable(setting)? {
            Some((value, Origin::Variable(setting.variable())))
        } else {
            from_file
                .as_ref()
                .and_then(|values| values.iter().find(|v| v.setting.key == setting.key))
                .map(|value| (value.values.clone(), Origin::File(path.clone(), value.line, value.column)))
        };
        let Some((values, origin)) = found else {
            origins.push((setting, Origin::Default));
            continue;
        };
        let injected: Vec<OsString> = values.iter().map(|value| format!("--{}={value}", setting.flag).into()).collect();
        check(&given, &injected, setting, &origin)?;
        all.extend(injected);
        origins.push((setting, origin));
    }
    let matches = Args::command().try_get_matches_from(&all)?;
    let in_force = origins
        .into_iter()
        .map(|(setting, origin)| InForce { setting, values: values(&matches, &setting.id()), origin })
        .collect();
    Ok(Read { args: Args::from_arg_matches(&matches)?, in_force, file: from_file.map(|_| path) })
}

fn values(matches: &ArgMatches, id: &str) -> Vec<String> {
    let raw = matches.subcommand().and_then(|(_, sub)| sub.get_raw(id));
    raw.into_iter().flatten().map(|value| value.to_string_lossy().into_owned()).collect()
}

fn variable(setting: &Setting) -> Result<Option<Vec<String>>, Fault> {
    let name = setting.variable();
    let Some(value) = std::env::var_os(&name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let value = value.into_string().map_err(|_| Fault::Setting {
        origin: format!("variable {name}"),
        key: setting.key,
        what: "it is not UTF-8".to_owned(),
    })?;
    Ok(Some(match setting.form {
        Form::List => value.split(',').map(|part| part.trim().to_owned()).collect(),
        _ => vec![value],
    }))
}

/// Whether the argument's own rule takes the value. Rules about several arguments are for the whole.
fn check(given: &[OsString], injected: &[OsString], setting: &Setting, origin: &Origin) -> Result<(), Fault> {
    use clap::error::ErrorKind;
    let tried = Args::command().try_get_matches_from(given.iter().chain(injected));
    let Err(error) = tried else { return Ok(()) };
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::TooManyValues) {
        return Ok(());
    }
    let text = error.to_string();
    let what: Vec<&str> = text.lines().take_while(|line| !line.starts_with("For more")).map(str::trim).collect();
    let what = what.join(" ").trim().trim_start_matches("error: ").to_owned();
    Err(Fault::Setting { origin: origin.to_string(), key: setting.key, what })
}

/// A path of the file, from the folder that the file is in.
fn from_folder(file: &Path, value: &str) -> String {
    file.parent().map_or_else(|| PathBuf::from(value), |folder| folder.join(value)).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::SETTINGS;
    use crate::args::Args;
    use crate::args::remote::ELSEWHERE;
    use clap::CommandFactory as _;
    use std::collections::BTreeSet;

    const GUIDE: &str = include_str!("../../engine/REMOTE.md");

    fn flags(command: &str) -> BTreeSet<String> {
        let args = Args::command();
        let command = args.find_subcommand(command).unwrap();
        command.get_arguments().filter_map(|arg| arg.get_long()).map(str::to_owned).collect()
    }

    #[test]
    fn every_setting_is_an_argument_and_every_argument_about_partners_is_a_setting() {
        let known = flags("run");
        let set: BTreeSet<String> = SETTINGS.iter().map(|s| s.flag.to_owned()).collect();
        assert_eq!(set.len(), SETTINGS.len(), "two settings of one argument");
        assert!(set.is_subset(&known), "{:?} are no arguments", set.difference(&known).collect::<Vec<_>>());
        // `--config` says where settings stand.
        let args = Args::command();
        let about = args.find_subcommand("run").unwrap().get_arguments();
        let about = about.filter(|arg| arg.get_help_heading() == Some(ELSEWHERE)).filter_map(|arg| arg.get_long());
        let about: Vec<&str> = about.filter(|flag| *flag != "config").collect();
        assert!(about.len() > 15, "{about:?}");
        let missing: Vec<_> = about.iter().filter(|flag| !set.contains(**flag)).collect();
        assert!(missing.is_empty(), "{missing:?} are no settings");
    }

    #[test]
    fn the_guide_names_only_arguments_that_there_are() {
        let known: BTreeSet<String> = flags("run").into_iter().chain(flags("sample")).collect();
        let words = GUIDE.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let named: BTreeSet<&str> =
            words.filter_map(|word| word.strip_prefix("--")).filter(|flag| flag.starts_with(char::is_alphabetic)).collect();
        assert!(named.len() > 15, "{named:?}");
        let unknown: Vec<_> = named.iter().filter(|flag| !known.contains(**flag)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
