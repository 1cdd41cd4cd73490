//! What is said of one check, before it becomes a [`Check`] of the record.

use crate::finding::Finding;
use countersign_contract::Reason;
use countersign_scenarios::Requirement;
use countersign_scenarios::requirement::Level;
use countersign_trace::{Blame, Check, CheckKind, Verdict};
use std::collections::BTreeMap;

/// Most characters of a sentence in a check. Quotes of the candidate are cut much shorter.
const LONGEST_SENTENCE: usize = 1_200;
/// Most entries that a check names as evidence: the first ones.
const MOST_EVIDENCE: usize = 24;
/// Most characters quoted from a candidate.
const LONGEST_QUOTE: usize = 80;

/// What is said of one check.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) verdict: Verdict,
    pub(crate) expected: String,
    pub(crate) observed: String,
    pub(crate) reason: Option<Reason>,
    pub(crate) finding: Option<Finding>,
    pub(crate) blame: Option<Blame>,
    pub(crate) evidence: Vec<u64>,
}

impl Said {
    fn new(verdict: Verdict, expected: impl Into<String>, observed: impl Into<String>, blame: Option<Blame>) -> Self {
        Self {
            verdict,
            expected: expected.into(),
            observed: observed.into(),
            reason: None,
            finding: None,
            blame,
            evidence: vec![],
        }
    }

    /// As required.
    pub(crate) fn pass(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, expected, observed, None)
    }

    /// Not as required, and the candidate is to blame.
    pub(crate) fn fail(finding: Finding, expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self { finding: Some(finding), ..Self::new(Verdict::Fail, expected, observed, Some(Blame::Candidate)) }
    }

    /// Something that it builds on is missing.
    pub(crate) fn blocked(expected: impl Into<String>, missing: impl Into<String>) -> Self {
        Self::new(Verdict::Blocked, expected, missing, Some(Blame::Candidate))
    }

    /// Our own fault.
    pub(crate) fn harness(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::new(Verdict::HarnessError, expected, observed, Some(Blame::Harness))
    }

    /// The environment's fault.
    pub(crate) fn environment(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::new(Verdict::EnvironmentError, expected, observed, Some(Blame::Environment))
    }

    /// The trace does not tell.
    pub(crate) fn inconclusive(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, expected, observed, None)
    }

    /// Another verdict than the constructors give.
    pub(crate) fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    /// With the reason that was given.
    pub(crate) fn reason(mut self, reason: Option<Reason>) -> Self {
        self.reason = reason;
        self
    }

    /// With the reference to blame, where our own side did what only our own side can do wrong.
    pub(crate) fn blame(mut self, blame: Blame) -> Self {
        self.blame = Some(blame);
        self
    }

    /// With what was there instead.
    pub(crate) fn instead(mut self, instead: &str) -> Self {
        self.observed = format!("{}; instead: {instead}", self.observed);
        self
    }

    /// With entries that show it.
    pub(crate) fn evidence(mut self, entries: impl IntoIterator<Item = u64>) -> Self {
        for n in entries {
            if self.evidence.len() < MOST_EVIDENCE && !self.evidence.contains(&n) {
                self.evidence.push(n);
            }
        }
        self
    }

    /// The finished check. A failure of nothing but SHOULDs is a `warn`.
    pub(crate) fn check(
        self,
        id: String,
        kind: CheckKind,
        step: Option<usize>,
        requirements: Vec<String>,
        known: &BTreeMap<&str, &Requirement>,
    ) -> Check {
        let concerned: Vec<&&Requirement> = requirements.iter().filter_map(|r| known.get(r.as_str())).collect();
        let should_only =
            concerned.len() == requirements.len() && !concerned.is_empty() && concerned.iter().all(|r| r.level == Level::Should);
        let verdict = if self.verdict == Verdict::Fail && should_only { Verdict::Warn } else { self.verdict };
        let likely_cause = self.finding.and_then(|finding| {
            finding.likely_cause().map(str::to_owned).or_else(|| concerned.first().map(|r| r.usual_cause.clone()))
        });
        Check {
            id,
            kind,
            step,
            requirements,
            verdict,
            expected: shorten(&self.expected, LONGEST_SENTENCE),
            observed: shorten(&self.observed, LONGEST_SENTENCE),
            reason: self.reason,
            finding: self.finding.map(|f| f.as_str().to_owned()),
            blame: if verdict == Verdict::Pass { None } else { self.blame },
            evidence: self.evidence,
            likely_cause,
            waiver: None,
        }
    }
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most).chain(['…']).collect()
}

/// Quotes what a candidate wrote: short, and without control characters.
pub(crate) fn quote(text: &str) -> String {
    let clean: String = text.chars().take(LONGEST_QUOTE + 1).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    format!("`{}`", shorten(&clean, LONGEST_QUOTE))
}

/// Names joined by commas.
pub(crate) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|i| i.to_string()).collect::<Vec<_>>().join(", ")
}
