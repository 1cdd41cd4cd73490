//! `countersign waive`, and the file of waivers that a run is given.

use crate::args::Waive;
use crate::commands::report;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_reports::visible;
use countersign_scenarios::plan::Filter;
use countersign_scenarios::waivers::{appended, read};
use countersign_trace::{Check, Cover, Day, InstanceResult, Verdict, WHOLE_RUN, Waiver, open_regular};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

/// More bytes than a file of waivers may have: one that is longer is faulty, and need not be read to its end.
const MOST_BYTES: u64 = 1024 * 1024;

/// The first lines of a file that is made.
const HEAD: &str = "# Failures that somebody answers for, up to a day: see `countersign schema waivers`.\n\
                    # In force in runs with --waivers, or with `waivers` in the table [run] of countersign.toml.\n";

/// The waivers that a run is given.
pub(crate) fn given(path: Option<&Path>) -> Result<Vec<Waiver>, Fault> {
    let Some(path) = path else { return Ok(Vec::new()) };
    read(&path.display().to_string(), &text(path)?).map_err(Fault::Suite)
}

/// The text of a file of waivers.
pub(crate) fn text(path: &Path) -> Result<String, Fault> {
    let fault = |cause| Fault::Waivers { path: path.to_owned(), cause };
    let mut bytes = Vec::new();
    open_regular(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)).map_err(fault)?;
    String::from_utf8(bytes).map_err(|_| fault(std::io::Error::new(ErrorKind::InvalidData, "it is not UTF-8")))
}

pub(crate) fn waive(args: &Waive) -> Result<Exit, Fault> {
    let today = Day::of_moment(&jiff::Timestamp::now().to_string());
    if today.is_some_and(|today| args.until < today) {
        return Err(Fault::Waive(
            format!("--until {} is over already", args.until),
            "name the last day on which it is to hold".into(),
        ));
    }
    let record = report::read(&args.record)?;
    let covers = covers(args, &record.instances, record.summary.as_ref().map_or(&[], |s| &s.checks))?;
    let (name, before) = (args.waivers.display().to_string(), before(&args.waivers)?);
    let known = read(&name, &before).map_err(Fault::Suite)?;
    let count = covers.len();
    let waiver = Waiver {
        id: args.id.clone().unwrap_or_else(|| next(&known)),
        owner: args.owner.clone(),
        reason: args.reason.clone(),
        link: args.link.clone(),
        until: args.until,
        // The same scenario may fail for other reasons under another profile.
        profile: Some(record.header.profile.clone()),
        covers,
    };
    // The file is not written yet: whoever opens it does not find what is wrong.
    let after = appended(&format!("{name}, with the new waiver"), &before, &waiver).map_err(Fault::Suite)?;
    replace(&args.waivers, &after)?;
    let checks = if count == 1 { "1 check".to_owned() } else { format!("{count} checks") };
    let mut said = format!("{} covers {checks} until {}: {name}\n", waiver.id, waiver.until);
    for cover in &waiver.covers {
        let finding = cover.finding.as_ref().map_or(String::new(), |f| format!(", {f}"));
        let check = cover.check.as_deref().unwrap_or_default();
        said.push_str(&format!("  {} {}{}\n", visible(&cover.scenario, 200), visible(check, 80), visible(&finding, 80)));
    }
    if !output::quiet() {
        output::data(&said)?;
        output::progress(&format!("note: it is in force in runs with --waivers {name}"));
    }
    Ok(Exit::Conforms)
}

/// What failed of that name, and what was blocked beside it, each as a cover of its own.
fn covers(args: &Waive, instances: &[InstanceResult], run: &[Check]) -> Result<Vec<Cover>, Fault> {
    let filter = Filter::new(std::slice::from_ref(&args.result))
        .map_err(|error| Fault::Waive(error.to_string(), "name what failed as the report does".into()))?;
    let all = instances.iter().map(|i| (i.name(), &i.checks[..])).chain([(WHOLE_RUN.to_owned(), run)]);
    let named: Vec<(String, &[Check])> = all.filter(|(name, _)| filter.takes_name(name)).collect();
    let shown = visible(&args.result, 200);
    if named.is_empty() {
        let near = countersign_scenarios::nearest::nearest(&args.result, instances.iter().map(InstanceResult::name));
        let perhaps =
            near.first().map_or_else(|| "`countersign report` shows what failed".to_owned(), |n| format!("perhaps `{n}`"));
        return Err(Fault::Waive(format!("nothing in {} is called `{shown}`", args.record.display()), perhaps));
    }
    let wanted = |check: &Check| args.check.is_empty() || args.check.contains(&check.id);
    let unknown = args.check.iter().find(|id| !named.iter().any(|(_, checks)| checks.iter().any(|check| check.id == **id)));
    if let Some(id) = unknown {
        let failed = named.iter().flat_map(|(_, checks)| *checks).filter(|check| check.verdict == Verdict::Fail);
        let ids: BTreeSet<String> = failed.map(|check| format!("`{}`", visible(&check.id, 80))).collect();
        let hint = if ids.is_empty() {
            "nothing failed there".to_owned()
        } else {
            format!("what failed there: {}", ids.into_iter().collect::<Vec<_>>().join(", "))
        };
        return Err(Fault::Waive(format!("`{shown}` has no check `{}`", visible(id, 80)), hint));
    }
    let mut covers = Vec::new();
    for (name, checks) in &named {
        let failed = checks.iter().any(|c| c.verdict == Verdict::Fail || c.verdict == Verdict::Waived);
        let bad = |c: &&Check| c.verdict == Verdict::Fail || (failed && c.verdict == Verdict::Blocked);
        covers.extend(checks.iter().filter(bad).filter(|c| wanted(c)).map(|check| Cover {
            scenario: name.clone(),
            check: Some(check.id.clone()),
            requirement: None,
            finding: check.finding.clone(),
            // Nobody knows yet what it comes to, so that nobody answers for that.
            blocked: check.verdict == Verdict::Blocked,
        }));
    }
    if covers.is_empty() {
        let waived = named.iter().flat_map(|(_, checks)| *checks).find(|c| c.verdict == Verdict::Waived && wanted(c));
        let hint = match waived.and_then(|check| check.waiver.as_ref()) {
            Some(id) => format!("{} covers it already", visible(id, 80)),
            None => format!("`countersign explain {shown}` shows what became of it"),
        };
        return Err(Fault::Waive(format!("nothing failed in `{shown}` that could be waived"), hint));
    }
    Ok(covers)
}

/// The file as it is; what it begins with if it is not there.
fn before(path: &Path) -> Result<String, Fault> {
    match text(path) {
        Err(Fault::Waivers { cause, .. }) if cause.kind() == ErrorKind::NotFound => Ok(HEAD.to_owned()),
        found => found,
    }
}

/// `W-` and the number after the highest one.
fn next(known: &[Waiver]) -> String {
    let numbers = known.iter().filter_map(|waiver| waiver.id.strip_prefix("W-")?.parse::<u32>().ok());
    format!("W-{}", numbers.max().unwrap_or(0).saturating_add(1))
}

/// Writes beside it and then puts it in its place, so that nobody meets half of it, and a full disk costs nothing.
fn replace(path: &Path, text: &str) -> Result<(), Fault> {
    let fault = |cause| Fault::WriteWaivers { path: path.to_owned(), cause };
    // A link stays one: what it points to is replaced.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fault)?;
    file.write_all(text.as_bytes()).map_err(fault)?;
    if let Ok(metadata) = std::fs::metadata(path) {
        std::fs::set_permissions(file.path(), metadata.permissions()).map_err(fault)?;
    } else {
        readable(file.path()).map_err(fault)?;
    }
    file.persist(path).map_err(|error| fault(error.error))?;
    Ok(())
}

/// A temporary file is for its owner alone; a file of a repository is for everybody.
#[cfg(unix)]
pub(crate) fn readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub(crate) fn readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
