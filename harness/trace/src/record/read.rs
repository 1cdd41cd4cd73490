//! Reading a record, whole or cut off.

use super::{Doctor, FIRST_CHAIN, Header, Line, Plan, RECORD_VERSION, Repeat, SuiteFiles, Summary, chain};
use crate::{Digest, InstanceResult};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// A record that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The first line.
    pub header: Header,
    /// The suite's files; empty if the run was killed before they were written.
    pub suite: SuiteFiles,
    /// The doctor's findings.
    pub doctor: Option<Doctor>,
    /// The plan.
    pub plan: Option<Plan>,
    /// Instances in the order in which they ended.
    pub instances: Vec<InstanceResult>,
    /// Repeats of failed instances, in the order in which they ended.
    pub repeats: Vec<Repeat>,
    /// What a person should know and no verdict rests on.
    pub notes: Vec<String>,
    /// The last line; `None` if the run was killed.
    pub summary: Option<Summary>,
    /// Whether the file ends in the middle of a line.
    pub cut_off: bool,
}

/// Why a record cannot be read. Each names the line, from 1.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read.
    #[error("cannot read the record {path}: {cause}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("line {line} of the record is not valid: {cause}")]
    Line {
        /// Which line.
        line: usize,
        /// Why.
        cause: String,
    },
    /// A line was changed, left out or moved.
    #[error("line {line} of the record was altered: its digest does not follow from the line before")]
    Chain {
        /// Which line.
        line: usize,
    },
    /// The lines do not come in the order in which a run writes them.
    #[error("line {line} of the record does not belong there: {cause}")]
    Order {
        /// Which line.
        line: usize,
        /// What is wrong.
        cause: &'static str,
    },
    /// Another format version.
    #[error("the record has format version {found}; this program reads version {RECORD_VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// There is nothing in it.
    #[error("the record is empty")]
    Empty,
    /// A long body is missing or altered.
    #[error("the stored body {digest} is missing or altered")]
    Blob {
        /// Which.
        digest: Digest,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chained<'a> {
    chain: &'a str,
    #[serde(borrow)]
    line: &'a RawValue,
}

/// Opens a file, and nothing else: a pipe would be waited for, and a device never ends.
///
/// # Errors
/// If it cannot be opened or is no regular file.
pub fn open_regular(path: &Path) -> std::io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    File::open(path)
}

impl Record {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let io = |cause| RecordError::Io { path: path.to_owned(), cause };
        Self::read(&mut BufReader::new(open_regular(path).map_err(io)?), path)
    }

    /// Reads a record from its bytes.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn parse(mut bytes: &[u8]) -> Result<Self, RecordError> {
        Self::read(&mut bytes, Path::new(""))
    }

    /// Line by line: the text as a whole may be large.
    fn read(from: &mut dyn BufRead, path: &Path) -> Result<Self, RecordError> {
        let mut previous = FIRST_CHAIN.to_owned();
        let mut record: Option<Record> = None;
        let (mut raw, mut number) = (Vec::new(), 0);
        loop {
            raw.clear();
            from.read_until(b'\n', &mut raw).map_err(|cause| RecordError::Io { path: path.to_owned(), cause })?;
            // What follows the last line feed is empty, or a line that was being written when the run was killed.
            if raw.pop_if(|last| *last == b'\n').is_none() {
                let cut_off = !raw.is_empty();
                return record.map(|record| Self { cut_off, ..record }).ok_or(RecordError::Empty);
            }
            number += 1;
            let bad = |cause: String| RecordError::Line { line: number, cause };
            let text = std::str::from_utf8(&raw).map_err(|e| bad(e.to_string()))?;
            let chained: Chained<'_> = serde_json::from_str(text).map_err(|e| bad(e.to_string()))?;
            // One spelling only: a byte changed outside the digested part must not go unnoticed.
            if text != format!("{{\"chain\":\"{}\",\"line\":{}}}", chained.chain, chained.line.get())
                || chain(&previous, chained.line.get()) != chained.chain
            {
                return Err(RecordError::Chain { line: number });
            }
            previous = chained.chain.to_owned();
            let line: Line = serde_json::from_str(chained.line.get()).map_err(|e| bad(e.to_string()))?;
            match (&mut record, line) {
                (None, Line::Header(header)) => {
                    if header.record != RECORD_VERSION {
                        return Err(RecordError::Version { found: header.record });
                    }
                    record = Some(Self {
                        header,
                        suite: SuiteFiles { files: Vec::new() },
                        doctor: None,
                        plan: None,
                        instances: Vec::new(),
                        repeats: Vec::new(),
                        notes: Vec::new(),
                        summary: None,
                        cut_off: false,
                    });
                }
                (None, _) => return Err(RecordError::Order { line: number, cause: "a record begins with its header" }),
                (Some(record), line) => record.take(line, number)?,
            }
        }
    }

    fn take(&mut self, line: Line, number: usize) -> Result<(), RecordError> {
        let order = |cause| Err(RecordError::Order { line: number, cause });
        if self.summary.is_some() {
            return order("nothing follows the summary");
        }
        match line {
            Line::Header(_) => return order("there is one header"),
            Line::Suite(_) if !self.suite.files.is_empty() => return order("there is one suite"),
            Line::Suite(suite) => self.suite = suite,
            Line::Doctor(_) if self.doctor.is_some() => return order("there is one doctor"),
            Line::Doctor(doctor) => self.doctor = Some(doctor),
            Line::Plan(_) if self.plan.is_some() => return order("there is one plan"),
            Line::Plan(plan) => self.plan = Some(plan),
            Line::Instance(_) | Line::Repeat(_) if self.plan.is_none() => return order("instances follow the plan"),
            Line::Instance(instance) => self.instances.push(instance),
            Line::Repeat(repeat) => self.repeats.push(repeat),
            Line::Note(note) => self.notes.push(note.text),
            Line::Summary(summary) => self.summary = Some(summary),
        }
        Ok(())
    }
}
