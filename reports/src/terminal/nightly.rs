//! What a run is held against every night: waivers, and a baseline.

use super::paint::Paint;
use super::{LONGEST_NAME, Sheet, Style, fit};
use crate::html::changes::word;
use crate::measure::{counted, grouped};
use crate::view::View;
use crate::visible::visible;
use crate::waivers::Waived;

/// Checks of one waiver that are listed one by one.
const MOST_WAIVED: usize = 8;
/// Changes since a baseline that are listed, those among them with their difference, and lines of one.
const MOST_CHANGES: usize = 20;
const MOST_DIFFERENCES: usize = 5;
const MOST_DIFFERENT: usize = 16;

/// A waiver of a record: who answers for it, and what it covers; `None` if the record has none of that name. Ends with a line feed.
#[must_use]
pub fn explain_waiver(view: &View<'_>, id: &str, style: Style) -> Option<String> {
    let waivers = view.waivers();
    let waived = waivers.iter().find(|waived| waived.waiver.id == id)?;
    Some(waiver_lines(view, waived, style, Paint(style.colour)).join("\n") + "\n")
}

impl Sheet<'_, '_> {
    /// Whoever reads a verdict reads what it does not count.
    pub(super) fn waivers(&mut self) {
        let waivers = self.view.waivers();
        if waivers.is_empty() {
            return;
        }
        self.heading(&format!("Waivers ({})", waivers.len()));
        for waived in &waivers {
            for line in waiver_lines(self.view, waived, self.style, self.paint) {
                self.line(&line);
            }
        }
    }

    /// What is otherwise than at the baseline, the first of it line by line.
    pub(super) fn changes(&mut self) {
        let Some(found) = self.view.comparison.filter(|found| !found.changes.is_empty()) else { return };
        self.heading(&format!("Changes since the baseline ({})", grouped(found.changes.len() as u64)));
        for (at, change) in found.changes.iter().take(MOST_CHANGES).enumerate() {
            let name = visible(&change.name, LONGEST_NAME);
            self.line(&format!("  {:<17} {name}", word(change.kind)));
            for moved in &change.moved {
                self.line(&format!("                    {}", visible(moved, 400)));
            }
            if at < MOST_DIFFERENCES {
                for line in change.diff.lines().skip(2).take(MOST_DIFFERENT) {
                    let room = self.style.width.saturating_sub(20).max(24);
                    self.line(&format!("                    {}", fit_start(line, room)));
                }
                if change.diff.lines().count() > MOST_DIFFERENT + 2 {
                    self.line("                    … the whole stands in the report");
                }
            }
        }
        if found.changes.len() > MOST_CHANGES {
            self.line(&format!("  and {} more", found.changes.len() - MOST_CHANGES));
        }
        if !found.scenarios.is_empty() {
            let named: Vec<String> = found.scenarios.iter().take(MOST_CHANGES).map(|name| visible(name, LONGEST_NAME)).collect();
            let (all, names) = (counted(found.scenarios.len() as u64, "scenario"), named.join(", "));
            self.line(&format!("  {all} of another text than at the baseline: {names}"));
        }
    }
}

fn waiver_lines(view: &View<'_>, waived: &Waived<'_>, style: Style, paint: Paint) -> Vec<String> {
    let waiver = waived.waiver;
    let word = format!("{:<17}", waived.state());
    let word = if waived.is_outdated() { paint.caution(&word) } else { word };
    let because = if waived.because().is_empty() { String::new() } else { format!(": {}", visible(waived.because(), 400)) };
    let (id, owner) = (visible(&waiver.id, 80), visible(&waiver.owner, 200));
    let mut lines = vec![
        format!("  {word} {id}, {owner}, until {}{because}", waiver.until),
        format!("                    {}", visible(&waiver.reason, 600)),
        format!("                    {}", visible(&waiver.link, 600)),
    ];
    for (at, check) in waived.covered.iter().take(MOST_WAIVED) {
        let place = visible(&view.place_name(*at), LONGEST_NAME);
        let finding = check.finding.as_ref().map_or(String::new(), |finding| format!(" {}", visible(finding, 80)));
        let head = format!("                    waives {place} {}{finding}: ", visible(&check.id, 80));
        let room = style.width.saturating_sub(head.chars().count()).max(24);
        lines.push(format!("{head}{}", fit(&check.observed, room)));
    }
    if waived.covered.len() > MOST_WAIVED {
        lines.push(format!("                    and {} more", waived.covered.len() - MOST_WAIVED));
    }
    lines
}

/// A line of a difference, whose first characters say something: cut at its end.
fn fit_start(line: &str, room: usize) -> String {
    if line.chars().count() <= room {
        return line.to_owned();
    }
    line.chars().take(room.saturating_sub(1)).collect::<String>() + "…"
}
