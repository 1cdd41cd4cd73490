//! One scenario in full: what was expected beside what was observed, and the bytes.

use super::Style;
use super::paint::Paint;
use crate::bytes::excerpt;
use crate::entry::Names;
use crate::measure::time;
use crate::steps::step_state;
use crate::view::{View, symbol};
use crate::visible::{visible, visible_block};
use crate::waivers::answered_for;
use countersign_trace::{Check, InstanceResult, Verdict};
use std::collections::BTreeSet;

const LONGEST_WORDS: usize = 2_000;
/// Bytes of a body that are shown.
const LONGEST_DUMP: usize = 256;
/// Entries of the trace that are shown in full.
const MOST_EVIDENCE: usize = 16;

/// The detail of the instance called `name` (scenario, or scenario and case), failed or not; `None` if the record does not hold
/// it. Ends with a line feed.
#[must_use]
pub fn explain_failure(view: &View<'_>, name: &str, style: Style) -> Option<String> {
    let instance = view.record.instances.iter().find(|i| i.name() == name)?;
    let paint = Paint(style.colour);
    let mut out = Vec::new();
    let text = view.scenario(instance);
    let title = text.map_or(String::new(), |t| format!(": {}", visible(&t.title, 200)));
    out.push(format!(
        "{} {}{title}",
        paint.verdict(instance.verdict, instance.verdict.as_str()),
        paint.bold(&visible(&instance.name(), 200))
    ));
    if view.is_expected(instance) {
        out.push("The record lists this failure as expected.".into());
    }
    if let Some(text) = text {
        out.push(String::new());
        out.extend(wrapped(&visible_block(&text.why, LONGEST_WORDS), style.width));
        out.push(String::new());
        for id in &text.verifies {
            out.extend(requirement(view, id, style));
        }
        if !text.steps.is_empty() {
            out.push(String::new());
            out.push(paint.bold("Steps"));
        }
        for (index, step) in text.steps.iter().enumerate() {
            let (mark, word) = step_state(instance, index);
            out.push(format!("  {:>2} {mark} {}  {}", index + 1, visible(step, LONGEST_WORDS), paint.faint(&word)));
        }
    }
    // What did not pass comes first: it is what the reader came for.
    let (passed, other): (Vec<_>, Vec<_>) = instance.checks.iter().partition(|c| c.verdict == Verdict::Pass);
    for check in other {
        out.push(String::new());
        out.extend(check_lines(view, check, style, paint));
    }
    if !passed.is_empty() {
        out.push(String::new());
        out.push(paint.bold("Passed"));
        out.extend(
            passed.iter().map(|c| format!("  {} {}: {}", symbol(c.verdict), visible(&c.id, 80), visible(&c.expected, 300))),
        );
    }
    out.extend(evidence(view, instance, paint));
    Some(out.join("\n") + "\n")
}

/// The detail of a check of the run as a whole; `None` if the record does not hold it. Ends with a line feed.
#[must_use]
pub fn explain_check(view: &View<'_>, id: &str, style: Style) -> Option<String> {
    let check = view.run_checks().find(|check| check.id == id)?;
    Some(check_lines(view, check, style, Paint(style.colour)).join("\n") + "\n")
}

fn requirement(view: &View<'_>, id: &str, style: Style) -> Vec<String> {
    let id_shown = visible(id, 60);
    let Some(text) = view.requirement(id) else { return vec![format!("{id_shown}  (its text is not in this suite)")] };
    let mut lines =
        wrapped(&format!("{id_shown} {}: {}", visible(&text.level, 20), visible(&text.sentence, LONGEST_WORDS)), style.width);
    lines.push(format!("    {}, {}", visible(&text.source, 200), visible(&text.date, 40)));
    lines
}

fn check_lines(view: &View<'_>, check: &Check, style: Style, paint: Paint) -> Vec<String> {
    let step = check.step.map_or(String::new(), |s| format!(", step {}", s + 1));
    let mut lines = vec![format!(
        "{} {}{step}  {}",
        paint.verdict(check.verdict, check.verdict.as_str()),
        paint.bold(&visible(&check.id, 80)),
        visible(&check.requirements.join(" "), 200)
    )];
    lines.extend(side_by_side(&check.expected, &check.observed, style.width, paint));
    let mut facts = Vec::new();
    facts.extend(check.reason.map(|r| format!("reason given: {r}")));
    facts.extend(check.blame.map(|b| format!("blame: {}", format!("{b:?}").to_lowercase())));
    facts.extend(check.finding.as_ref().map(|f| format!("finding: {}", visible(f, 200))));
    facts.extend(answered_for(view, check));
    if !facts.is_empty() {
        lines.push(format!("  {}", facts.join(" · ")));
    }
    if let Some(cause) = &check.likely_cause {
        lines.extend(
            wrapped(&format!("likely cause: {}", visible(cause, LONGEST_WORDS)), style.width.saturating_sub(2))
                .into_iter()
                .map(|l| format!("  {l}")),
        );
    }
    lines
}

/// Two columns if there is room for them, else one after the other.
fn side_by_side(expected: &str, observed: &str, width: usize, paint: Paint) -> Vec<String> {
    let (expected, observed) = (visible_block(expected, LONGEST_WORDS), visible_block(observed, LONGEST_WORDS));
    if width < 60 {
        let mut lines = vec![format!("  {}", paint.bold("expected"))];
        lines.extend(wrapped(&expected, width.saturating_sub(4)).into_iter().map(|l| format!("    {l}")));
        lines.push(format!("  {}", paint.bold("observed")));
        lines.extend(wrapped(&observed, width.saturating_sub(4)).into_iter().map(|l| format!("    {l}")));
        return lines;
    }
    let column = (width.min(160) - 5) / 2;
    let (left, right) = (wrapped(&expected, column), wrapped(&observed, column));
    let mut lines =
        vec![format!("  {}{} │ {}", paint.bold("expected"), " ".repeat(column.saturating_sub(8)), paint.bold("observed"))];
    for row in 0..left.len().max(right.len()) {
        let cell = |lines: &[String]| lines.get(row).cloned().unwrap_or_default();
        let (l, r) = (cell(&left), cell(&right));
        let gap = " ".repeat(column.saturating_sub(l.chars().count()));
        lines.push(format!("  {l}{gap} │ {r}").trim_end().to_owned());
    }
    lines
}

/// Lines of at most `width` characters, broken between words where that is possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(16);
    let mut lines = Vec::new();
    for paragraph in text.trim_end().split('\n') {
        let (mut line, mut length) = (String::new(), 0);
        for word in paragraph.split_whitespace() {
            let word: Vec<char> = word.chars().collect();
            for part in word.chunks(width) {
                if length > 0 && length + 1 + part.len() > width {
                    lines.push(std::mem::take(&mut line));
                    length = 0;
                }
                if length > 0 {
                    line.push(' ');
                    length += 1;
                }
                line.extend(part);
                length += part.len();
            }
        }
        lines.push(line);
    }
    lines
}

fn evidence(view: &View<'_>, instance: &InstanceResult, paint: Paint) -> Vec<String> {
    let wanted: BTreeSet<u64> =
        instance.checks.iter().filter(|c| c.verdict != Verdict::Pass).flat_map(|c| c.evidence.iter().copied()).collect();
    let names = Names::of(&instance.trace);
    let mut lines = Vec::new();
    for entry in instance.trace.iter().filter(|e| wanted.contains(&e.n)).take(MOST_EVIDENCE) {
        let told = names.tell(entry, view.blobs);
        lines.push(format!("  #{} +{}  {}  {}", entry.n, time(entry.at_us), paint.bold(told.flow), told.what));
        let Some(body) = entry.event.body() else { continue };
        let found = excerpt(body, view.blobs, LONGEST_DUMP);
        lines.push(format!("      {}", paint.faint(&found.note)));
        lines.extend(found.members.iter().map(|(name, value)| format!("      {name:<10} {value}")));
        if let Some(dump) = found.dump {
            lines.push(format!("      {}", dump.caption()));
            lines.extend(dump.text.lines().map(|l| format!("        {l}")));
        }
    }
    if lines.is_empty() {
        return lines;
    }
    if wanted.len() > MOST_EVIDENCE {
        lines.push(format!("  and {} more entries: see the record", wanted.len() - MOST_EVIDENCE));
    }
    lines.insert(0, String::new());
    lines.insert(1, paint.bold("Evidence"));
    lines
}
