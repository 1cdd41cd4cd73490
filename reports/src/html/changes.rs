//! What the candidate does otherwise than at the baseline.

use super::Page;
use super::text::Shown;
use crate::baseline::{Change, Comparison, Kind};
use crate::measure::counted;
use maud::{Markup, html};

/// Changes that are shown with their difference, and those that are named besides.
const MOST_SHOWN: usize = 40;
const MOST_NAMED: usize = 400;
/// Lines of a difference; the whole stands in the summary as JSON.
const MOST_LINES: usize = 120;

impl Page<'_, '_> {
    pub(super) fn changes(&self) -> Markup {
        let Some(found) = self.view.comparison else { return html! {} };
        html! {
            section.changes aria-labelledby="changes" {
                h2 #changes { "Changes since the baseline" }
                p { (in_words(found)) " A change is no failure: it alters no verdict." }
                @if !found.moved.is_empty() {
                    ul { @for moved in &found.moved { li { (Shown::line(moved)) } } }
                }
                @if !found.scenarios.is_empty() {
                    details.more {
                        summary { (counted(found.scenarios.len() as u64, "scenario")) " of another text than at the baseline" }
                        ul.names { @for name in found.scenarios.iter().take(MOST_NAMED) { li { code { (Shown::line(name)) } } } }
                    }
                }
                @for (at, change) in found.changes.iter().take(MOST_NAMED).enumerate() { (self.change(change, at < MOST_SHOWN)) }
                @if found.changes.len() > MOST_NAMED { p { "and " (found.changes.len() - MOST_NAMED) " more" } }
            }
        }
    }

    fn change(&self, change: &Change, whole: bool) -> Markup {
        let at = self.view.record.instances.iter().position(|i| i.name() == change.name);
        let lines: Vec<&str> = change.diff.lines().take(MOST_LINES).collect();
        html! {
            h3 {
                @match at { Some(at) => (self.link(at)), None => code { (Shown::line(&change.name)) } }
                " " span.level { (word(change.kind)) }
            }
            @for moved in &change.moved { p.tight { (Shown::line(moved)) } }
            @if whole && !lines.is_empty() { pre tabindex="0" { code { (Shown::block(&lines.join("\n"))) } } }
        }
    }
}

/// A comparison in a sentence or two.
pub(crate) fn in_words(found: &Comparison) -> String {
    let (changed, compared) = (found.changes.len() as u64, counted(found.compared as u64, "scenario"));
    let since = crate::visible::visible(&found.since, 60);
    let mut out = if changed == 0 {
        format!("{compared} compared with the baseline of {since}: no change.")
    } else {
        format!("{compared} compared with the baseline of {since}: {}.", counted(changed, "change"))
    };
    if !found.not_compared.is_empty() {
        let open = counted(found.not_compared.len() as u64, "scenario");
        out.push_str(&format!(" {open} could not be compared, since they could not be judged: the environment."));
    }
    out
}

/// How an instance differs.
pub(crate) const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::New => "new",
        Kind::Gone => "gone",
        Kind::Changed => "changed",
    }
}
