//! Baselines on disk: a file for each instance, in folders as scenario ids, and a header that says what they were made of.
//!
//! A baseline is read as a whole before the run, so that a faulty one costs no run and is never written on. Accepting writes each
//! file beside its place and then puts it there; the header comes last, and by it a run that was cut short between is seen.

use crate::args::{Nightly, Snapshots as What};
use crate::fault::Fault;
use crate::output;
use countersign_reports::baseline::{Baseline, Comparison, Header, LARGEST_TEXT, compare, is_judged, is_name, is_whole};
use countersign_trace::{Record, open_regular};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Name of the header's file.
const HEADER: &str = "baseline.json";
/// Most bytes of it.
const LARGEST_HEADER: u64 = 16 * 1024 * 1024;

/// Signal's library in the reference. A test holds it against the workspace's `Cargo.toml`.
pub(crate) const LIBSIGNAL: &str = "libsignal-protocol 0.85.3";

/// What to do with the baseline of a profile, and the baseline as it was before the run.
pub(crate) struct Snapshots {
    what: What,
    folder: PathBuf,
    before: Option<Baseline>,
}

/// Reads the baseline, if a run was told to heed one.
pub(crate) fn prepare(args: &Nightly, profile: &str) -> Result<Option<Snapshots>, Fault> {
    let Some(what) = args.snapshots else { return Ok(None) };
    let (folder, before) = of_profile(&args.baseline, profile)?;
    if before.is_none() && what == What::Check {
        return Err(Fault::NoBaseline(folder));
    }
    Ok(Some(Snapshots { what, folder, before }))
}

/// Compares what a record holds with the baseline of its profile.
pub(crate) fn compared(baselines: &Path, record: &Record) -> Result<Comparison, Fault> {
    let (folder, before) = of_profile(baselines, &record.header.profile)?;
    let before = before.ok_or(Fault::NoBaseline(folder))?;
    // A record does not say which library its reference had. Of another version of this program it is not known.
    let same = record.header.countersign == env!("CARGO_PKG_VERSION");
    let reference = if same { LIBSIGNAL } else { before.header.reference.as_str() };
    Ok(compare(&before, record, reference))
}

/// The folder of a profile's baseline, and the baseline if there is one. Profiles lie side by side.
fn of_profile(baselines: &Path, profile: &str) -> Result<(PathBuf, Option<Baseline>), Fault> {
    if !is_name(profile) {
        let profile = countersign_reports::visible(profile, 80);
        return Err(fault(baselines, format!("a profile called `{profile}` cannot have a folder")));
    }
    let folder = baselines.join(profile);
    let before = read(&folder)?;
    if let Some(before) = before.as_ref().filter(|b| b.header.profile != profile) {
        return Err(fault(
            &folder,
            format!("it is of the profile `{}`", countersign_reports::visible(&before.header.profile, 80)),
        ));
    }
    Ok((folder, before))
}

impl Snapshots {
    /// Compares or accepts what a run did.
    pub(crate) fn settle(self, record: &Record) -> Result<Option<Comparison>, Fault> {
        match (self.what, self.before) {
            (What::Check, Some(before)) => Ok(Some(compare(&before, record, LIBSIGNAL))),
            (What::Check, None) => Ok(None),
            (What::Accept, before) => accept(&self.folder, before, record).map(|()| None),
        }
    }
}

fn accept(folder: &Path, before: Option<Baseline>, record: &Record) -> Result<(), Fault> {
    let ended = record.summary.as_ref().is_some_and(|s| s.interrupted.is_none());
    let now = Baseline::of(record, LIBSIGNAL);
    if !ended || now.texts.is_empty() {
        output::progress(&format!("note: nothing was accepted into {}: the run did not come to its end", folder.display()));
        return Ok(());
    }
    let whole = is_whole(record);
    let count = now.texts.len();
    let old: BTreeMap<String, String> = before.as_ref().map(|b| b.texts.clone()).unwrap_or_default();
    let now = match before {
        // What could not be judged tonight is as it was.
        Some(mut before) if whole => {
            before.texts.retain(|name, _| record.instances.iter().any(|i| !is_judged(i) && i.name() == *name));
            now.over(before)
        }
        Some(before) => now.over(before),
        None => now,
    };
    let mut written = 0;
    for (name, text) in &now.texts {
        if old.get(name) != Some(text) {
            replace(&file(folder, name), text)?;
            written += 1;
        }
    }
    replace(&folder.join(HEADER), &now.header.to_text())?;
    let gone: Vec<&String> = old.keys().filter(|name| !now.texts.contains_key(*name)).collect();
    for name in &gone {
        let path = file(folder, name);
        std::fs::remove_file(&path).map_err(|cause| fault(&path, cause.to_string()))?;
        // Only an empty folder goes.
        let _ = path.parent().map(std::fs::remove_dir);
    }
    output::progress(&format!(
        "accepted what the candidate did in {count} scenarios: {written} texts written, {} removed, in {}",
        gone.len(),
        folder.display()
    ));
    Ok(())
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.txt"))
}

fn fault(path: &Path, cause: impl Into<String>) -> Fault {
    Fault::Baseline { path: path.to_owned(), cause: cause.into() }
}

/// The baseline in a folder; `None` if there is none.
fn read(folder: &Path) -> Result<Option<Baseline>, Fault> {
    let path = folder.join(HEADER);
    let Some(text) = text(&path, LARGEST_HEADER)? else { return Ok(None) };
    let header = Header::parse(&text).map_err(|error| fault(&path, error.to_string()))?;
    let mut texts = BTreeMap::new();
    for name in header.instances.keys() {
        let path = file(folder, name);
        let text = self::text(&path, LARGEST_TEXT as u64)?.ok_or_else(|| fault(&path, "it is missing"))?;
        header.check(name, &text).map_err(|error| fault(&path, error.to_string()))?;
        texts.insert(name.clone(), text);
    }
    Ok(Some(Baseline { header, texts }))
}

fn text(path: &Path, most: u64) -> Result<Option<String>, Fault> {
    let file = match open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(path, error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| fault(path, error.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(fault(path, format!("it has more than {most} bytes")));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| fault(path, "it is not UTF-8"))
}

/// Nobody meets half a file, and a full disk costs none.
fn replace(path: &Path, text: &str) -> Result<(), Fault> {
    let failed = |cause: std::io::Error| Fault::WriteBaseline { path: path.to_owned(), cause };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    super::waivers::readable(file.path()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_library_named_is_the_one_that_is_used() {
        let workspace = include_str!("../../../../Cargo.toml");
        let version = super::LIBSIGNAL.rsplit(' ').next().unwrap();
        let line = workspace.lines().find(|line| line.starts_with("libsignal-protocol = ")).unwrap();
        assert!(line.contains(&format!("version = \"={version}-")), "{line}");
    }
}
