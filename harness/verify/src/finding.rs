//! What was found to be different.

use std::fmt;

/// Which part of the record does not follow from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// The suite's files.
    Suite,
    /// What was selected and what was left out.
    Plan,
    /// A seed or an instance's name.
    Seed,
    /// A trace: the reference does not do that with these inputs.
    Trace,
    /// A check: judging again gives another one.
    Verdict,
    /// The waivers, or the day by which they hold.
    Waivers,
    /// The run's verdict, exit code or counts.
    Summary,
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Suite => "suite",
            Self::Plan => "plan",
            Self::Seed => "seed",
            Self::Trace => "trace",
            Self::Verdict => "verdict",
            Self::Waivers => "waivers",
            Self::Summary => "summary",
        })
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which instance, by the name of its scenario and case; `None` for the record as a whole.
    pub instance: Option<String>,
    /// Which part.
    pub kind: FindingKind,
    /// In words: what stands there, and what follows.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instance {
            Some(instance) => write!(f, "{instance}: {}: {}", self.kind, self.what),
            None => write!(f, "{}: {}", self.kind, self.what),
        }
    }
}

/// What came of recomputing a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// All differences; none means confirmed.
    pub findings: Vec<Finding>,
    /// Instances executed and judged again.
    pub instances: usize,
    /// Checks judged again.
    pub checks: usize,
    /// Entries of traces compared with their re-execution.
    pub entries: usize,
    /// Whether the record has its last line.
    pub complete: bool,
    /// Whether the record's suite is the one of this program.
    pub suite_is_builtin: bool,
}

impl Verification {
    /// Whether nothing differs.
    #[must_use]
    pub fn confirmed(&self) -> bool {
        self.findings.is_empty()
    }

    pub(crate) fn add(&mut self, instance: Option<&str>, kind: FindingKind, what: impl Into<String>) {
        self.findings.push(Finding { instance: instance.map(str::to_owned), kind, what: what.into() });
    }
}
