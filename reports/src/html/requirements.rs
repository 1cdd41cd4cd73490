//! The table by requirement.

use super::text::Shown;
use super::{Page, slug, standing_badge};
use crate::measure::{counted, grouped};
use crate::standing::{RequirementStanding, Standing};
use crate::view::symbol;
use countersign_trace::{InstanceResult, Verdict};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Scenarios that did not pass and are named in a row; more are counted.
const MOST_NAMED: usize = 24;

/// A part of the table that a reader can ask for: its class, and its name.
const PARTS: [(&str, &str); 6] = [
    ("fail", "missed"),
    ("warn", "with a warning"),
    ("open", "not decided"),
    ("pass", "met"),
    ("candidate-verifies", "decided by what the candidate refuses"),
    ("candidate-produces", "decided by what the candidate sends"),
];

impl Page<'_, '_> {
    pub(super) fn requirements(&self) -> Markup {
        let (counted, own): (Vec<_>, Vec<_>) = self.standings.iter().partition(|s| s.counts());
        html! {
            section aria-labelledby="requirements" {
                h2 #requirements { "Requirements" }
                @if counted.is_empty() { p { "The suite given to this report states none." } }
                @else {
                    (filter(&counted))
                    (self.requirement_table(&counted, "Requirements that a candidate meets or misses"))
                }
                @if !own.is_empty() {
                    h3 { "Not counted: self-tests of the gateway" }
                    p { "These exercise our own code only. They say nothing about the candidate and are no part of coverage." }
                    (self.requirement_table(&own, "Self-tests of the gateway"))
                }
            }
        }
    }

    fn requirement_table(&self, standings: &[&RequirementStanding<'_>], caption: &str) -> Markup {
        // The roles repeat what a table is: on a narrow screen its rows are laid out as blocks, and some browsers then forget.
        html! {
            table.requirements role="table" {
                caption.visually-hidden { (caption) }
                thead role="rowgroup" {
                    tr role="row" {
                        th scope="col" role="columnheader" { "Verdict" }
                        th scope="col" role="columnheader" { "Requirement" }
                        th scope="col" role="columnheader" { "What it demands" }
                        th scope="col" role="columnheader" { "Who decides" }
                        th scope="col" role="columnheader" { "Scenarios" }
                    }
                }
                tbody role="rowgroup" { @for standing in standings { (self.requirement_row(standing)) } }
            }
        }
    }

    fn requirement_row(&self, standing: &RequirementStanding<'_>) -> Markup {
        let decided_by = standing.text.map_or("", |t| t.decided_by.as_str());
        let known = PARTS.iter().map(|(class, _)| *class).find(|class| *class == decided_by).unwrap_or_default();
        html! {
            tr.{ "q-" (part(standing.standing)) " q-" (known) } role="row" {
                td.c-verdict role="cell" { (standing_badge(standing.standing)) }
                th.c-id scope="row" role="rowheader" id={ "r-" (slug(standing.id)) } {
                    (Shown::line(standing.id))
                    @if let Some(text) = standing.text { " " span.level { (Shown::line(&text.level)) } }
                }
                td.c-text role="cell" {
                    @match standing.text {
                        Some(text) => {
                            (Shown::line(&text.sentence))
                            span.source { (Shown::line(&text.source)) ", " (Shown::line(&text.date)) ", grade " (Shown::line(&text.grade)) }
                            @if !text.attack.is_empty() {
                                details.more {
                                    summary { "Why, and what to do" span.visually-hidden { " about " (Shown::line(standing.id)) } }
                                    p.tight { b { "What it costs: " } (Shown::block(&text.attack)) }
                                    p.tight { b { "Usual cause: " } (Shown::block(&text.usual_cause)) }
                                    p.tight { b { "Fix: " } (Shown::block(&text.fix)) }
                                }
                            }
                        }
                        None => span.source { "The suite given to this report does not describe it." },
                    }
                }
                td.c-who role="cell" { (Shown::line(decided_by)) }
                td.c-scenarios role="cell" { (self.bearing(standing)) }
            }
        }
    }

    /// The scenarios that bear on a requirement: what did not pass by name, what passed by number.
    fn bearing(&self, standing: &RequirementStanding<'_>) -> Markup {
        if standing.instances.is_empty() && standing.missing.is_empty() && standing.run.is_empty() {
            return html! { span.source { "none in this run" } };
        }
        let (passed, other): (Vec<_>, Vec<_>) =
            standing.instances.iter().copied().partition(|(_, verdict)| *verdict == Verdict::Pass);
        let mut missing: BTreeMap<&str, (Standing, u64)> = BTreeMap::new();
        for (name, why) in standing.missing.iter().skip(MOST_NAMED) {
            missing.entry(why.as_str()).or_insert((*why, 0)).1 += 1;
            let _ = name;
        }
        html! {
            ul {
                @for (at, verdict) in other.iter().take(MOST_NAMED) { li { (self.link(*at)) " " (small(Standing::Judged(*verdict))) } }
                @if other.len() > MOST_NAMED { li { (counted((other.len() - MOST_NAMED) as u64, "further scenario")) } }
                @for verdict in &standing.run { li { "the run as a whole " (small(Standing::Judged(*verdict))) } }
                @for (name, why) in standing.missing.iter().take(MOST_NAMED) { li { (Shown::line(name)) " " (small(*why)) } }
                @for (why, n) in missing.values() { li { (grouped(*n)) " more " (small(*why)) } }
                @if let [(at, verdict)] = passed.as_slice() { li { (self.link(*at)) " " (small(Standing::Judged(*verdict))) } }
                @else if !passed.is_empty() { li { (self.passed(&passed)) } }
            }
        }
    }

    /// Passing scenarios, folded: those that verify the requirement by name, and how many more were watched.
    fn passed(&self, passed: &[(usize, Verdict)]) -> Markup {
        let mut by_scenario: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        for (at, _) in passed {
            if let Some(instance) = self.view.record.instances.get(*at) {
                by_scenario.entry(&instance.scenario).or_insert((*at, 0)).1 += 1;
            }
        }
        let all = counted(passed.len() as u64, "scenario");
        html! {
            details.more {
                summary { (all) " " (small(Standing::Judged(Verdict::Pass))) }
                @for (index, (name, (at, cases))) in by_scenario.iter().take(MOST_NAMED).enumerate() {
                    @if index > 0 { ", " }
                    a href={ "#" (self.anchor(*at)) } { (Shown::line(name)) }
                    @if *cases > 1 { " (" (grouped(*cases)) " cases)" }
                }
                @if by_scenario.len() > MOST_NAMED { ", and " (counted((by_scenario.len() - MOST_NAMED) as u64, "more kind")) " of scenario" }
            }
        }
    }

    /// A link to an instance's place in the page.
    pub(super) fn link(&self, at: usize) -> Markup {
        let name = self.view.record.instances.get(at).map(InstanceResult::name).unwrap_or_default();
        html! { a href={ "#" (self.anchor(at)) } { (Shown::line(&name)) } }
    }
}

/// Links that narrow the table. What they point to stands before it; the style sheet does the rest, without any script.
fn filter(standings: &[&RequirementStanding<'_>]) -> Markup {
    let size = |class: &str| {
        let of = |s: &&&RequirementStanding<'_>| part(s.standing) == class || s.text.is_some_and(|text| text.decided_by == class);
        standings.iter().filter(of).count() as u64
    };
    let parts: Vec<_> = PARTS.iter().map(|(class, name)| (class, name, size(class))).filter(|(_, _, n)| *n > 0).collect();
    html! {
        @for (class, _, _) in &parts { span.anchor id={ "only-" (class) } {} }
        p.filter {
            "Show "
            a href="#requirements" { "all " (grouped(standings.len() as u64)) }
            @for (class, name, n) in &parts { " · " a.{ "f-" (class) } href={ "#only-" (class) } { (grouped(*n)) " " (name) } }
        }
    }
}

/// Which part of the table a standing belongs to.
const fn part(standing: Standing) -> &'static str {
    match standing {
        Standing::Judged(Verdict::Fail) => "fail",
        Standing::Judged(Verdict::Pass) => "pass",
        Standing::Judged(Verdict::Warn | Verdict::Waived) => "warn",
        Standing::Judged(_) | Standing::Unfinished | Standing::NotInThisRun => "open",
    }
}

/// A standing in small print.
pub(super) fn small(standing: Standing) -> Markup {
    html! { span.small.{ "v-" (standing.as_str()) } { (standing.symbol()) " " (standing.as_str().replace('-', " ")) } }
}

/// A sign in small print, for lists of many.
pub(super) fn sign(verdict: Verdict) -> Markup {
    html! { span.small.{ "v-" (verdict.as_str()) } { (symbol(verdict)) " " (verdict.as_str()) } }
}
