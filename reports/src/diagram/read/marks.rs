//! Where checks that did not pass point to.

use super::{AFTER, LONGEST_SENTENCE, Reader, open_checks};
use crate::diagram::model::{Diagram, Row, Shape, Sign};
use crate::diagram::shorten::shorten;
use crate::view::symbol;
use crate::visible::visible;
use countersign_trace::{Check, InstanceResult};
use std::collections::BTreeMap;

/// Most failures that are told at one place.
const MOST_FAILURES: usize = 3;

impl Reader<'_> {
    pub(super) fn finish(mut self, instance: &InstanceResult, longest: usize) -> Diagram {
        for n in &self.evidence {
            if let Some(row) = self.entries.get(n).and_then(|at| self.rows.get_mut(*at)) {
                row.evidence = true;
            }
        }
        let mut failures: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for check in open_checks(instance).filter(|_| !self.rows.is_empty()) {
            let place = check.step.map_or_else(|| check.id.clone(), |step| format!("step {}", step + 1));
            let label = format!("{} {} {}: {}", symbol(check.verdict), place, check.verdict, check.observed);
            failures.entry(self.place_of(check)).or_default().push(visible(&label, LONGEST_SENTENCE));
        }
        for (at, labels) in failures.into_iter().rev() {
            let n = self.rows.get(at).map_or(0, |row| row.n);
            let more = labels.len().saturating_sub(MOST_FAILURES);
            let further = (more > 0).then(|| format!("✗ {more} more of this scenario's checks point here"));
            let labels = labels.into_iter().take(MOST_FAILURES).chain(further);
            let rows = labels.map(|label| Row { n, shape: Shape::Failure, sign: Sign::Plain, label, evidence: false });
            let after = (at + 1).min(self.rows.len());
            self.rows.splice(after..after, rows);
        }
        // Enlistment and the like, unless something happened there.
        let first = self.rows.iter().position(|row| row.shape == Shape::Step).unwrap_or(0);
        let mut at = 0;
        self.rows.retain(|row| {
            at += 1;
            at > first || row.evidence || row.sign != Sign::Plain || row.shape == Shape::Failure
        });
        // Nothing came after the last step.
        self.rows.pop_if(|row| row.shape == Shape::Step && row.label == AFTER);
        Diagram { lifelines: self.places.lifelines, rows: shorten(self.rows, longest) }
    }

    /// The row after which a failed check is told: the last one that it points to, else the end of its step, else the end.
    pub(super) fn place_of(&self, check: &Check) -> usize {
        let end = self.rows.len().saturating_sub(1);
        if let Some(last) = check.evidence.iter().max() {
            return self.entries.range(..=last).next_back().map_or(end, |(_, at)| *at);
        }
        let steps: Vec<usize> =
            self.rows.iter().enumerate().filter(|(_, row)| row.shape == Shape::Step).map(|(at, _)| at).collect();
        check.step.and_then(|step| steps.get(step + 1)).map_or(end, |next| next.saturating_sub(1))
    }
}
