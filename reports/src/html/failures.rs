//! What failed, by likely cause, and what neither passed nor failed.

use super::text::Shown;
use super::{Page, badge, slug};
use crate::causes::{Cause, Found};
use crate::measure::{counted, grouped};
use crate::view::Failure;
use crate::waivers::answered_for;
use countersign_judge::Finding;
use countersign_trace::{Check, InstanceResult, Verdict};
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// Failures of one cause that are told with what was observed; of more, the names alone.
const MOST_TOLD: usize = 8;
/// Other findings, and further causes, that the top of the page names.
const MOST_NEXT: usize = 3;
/// Requirements of a finding that a line of the top of the page names.
const MOST_MISSED: usize = 8;
/// Names that are listed beyond.
const MOST_NAMED: usize = 200;

impl Page<'_, '_> {
    /// What to fix first, for the top of the page: requirement, scenario, finding, fix.
    pub(super) fn first_cause(&self) -> Markup {
        let Some(cause) = self.causes.first() else { return html! {} };
        let first = cause.failures.first();
        html! {
            .first {
                p.side { "Fix this first" @if self.causes.len() > 1 || self.failed() > 1 { ": " (self.share(cause)) } }
                p.what {
                    @if let Some(requirement) = cause.requirement {
                        (self.requirement_link(&requirement.id)) " " (Shown::line(&requirement.sentence))
                    } @else if let Some(id) = cause.requirements.first() { (self.requirement_link(id)) }
                    @else { "No requirement is named." }
                }
                @if let Some(first) = first {
                    p {
                        b { "Found " }
                        @if let Some(finding) = cause.finding { code { (Shown::line(finding)) } " " }
                        "in " (self.place(first.instance))
                        @if let Some(check) = first.check { ": " (Shown::line(&check.observed)) }
                    }
                }
                @if let Some(requirement) = cause.requirement.filter(|r| !r.fix.is_empty()) { p { b { "Fix " } (Shown::line(&requirement.fix)) } }
                @else if let Some(likely) = cause.likely { p { b { "Likely cause " } (Shown::line(likely)) } }
                (self.besides(cause))
            }
        }
    }

    /// What else was found there, which causes come next, and whatever else is missed, each in a few words.
    fn besides(&self, cause: &Cause<'_>) -> Markup {
        let next = || self.causes.iter().enumerate().skip(1).take(MOST_NEXT);
        let own = own(cause);
        let with_it: Vec<&str> = cause.requirements.iter().copied().filter(|id| Some(*id) != own).collect();
        let told = |id: &str, finding: Option<&str>| {
            let by = |list: &[&str]| list.iter().take(MOST_MISSED).any(|known| *known == id);
            let beside = |cause: &Cause<'_>| {
                cause.others.iter().take(MOST_NEXT).any(|other| finding == Some(other.finding) && by(&other.requirements))
            };
            (finding == cause.finding && (Some(id) == own || by(&with_it)))
                || beside(cause)
                || next().any(|(_, cause)| (finding == cause.finding && by(&cause.requirements)) || beside(cause))
        };
        let missed = self.missed(&told);
        html! {
            @if !with_it.is_empty() || !cause.others.is_empty() || self.causes.len() > 1 || !missed.is_empty() {
                ul.besides {
                    @if !with_it.is_empty() { li { "missed with it:" (self.some(&with_it)) } }
                    @for other in cause.others.iter().take(MOST_NEXT) {
                        li {
                            "there as well: " code { (Shown::line(other.finding)) }
                            (self.some(&other.requirements))
                            @if other.times > 1 { ", " (grouped(other.times as u64)) " times" }
                        }
                    }
                    @for (at, cause) in next() {
                        li {
                            "then: " a href={ "#cause-" (at + 1) } {
                                @match (cause.finding, cause.requirements.first()) {
                                    (Some(finding), _) => code { (Shown::line(finding)) },
                                    (None, Some(id)) => (Shown::line(id)),
                                    (None, None) => "no requirement named",
                                }
                            }
                            @if cause.finding.is_some() { (self.some(&cause.requirements)) }
                            @if let Some(found) = cause.failures.first() { " in " (self.place(found.instance)) }
                            @for (at, other) in cause.others.iter().take(MOST_NEXT).enumerate() {
                                @if at == 0 { "; there as well: " } @else { ", " }
                                code { (Shown::line(other.finding)) } (self.some(&other.requirements))
                            }
                        }
                    }
                    @if !missed.is_empty() {
                        li {
                            "missed besides: "
                            @for (at, (finding, ids)) in missed.iter().enumerate() {
                                @if at > 0 { "; " }
                                @if let Some(finding) = finding { code { (Shown::line(finding)) } " " }
                                @for (at, id) in ids.iter().enumerate() { @if at > 0 { ", " } (self.requirement_link(id)) }
                            }
                        }
                    }
                    @if self.causes.len() > MOST_NEXT + 1 { li { (counted((self.causes.len() - MOST_NEXT - 1) as u64, "further cause")) } }
                }
            }
        }
    }

    /// The first of some requirements.
    fn some(&self, ids: &[&str]) -> Markup {
        html! { @for (at, id) in ids.iter().take(MOST_MISSED).enumerate() { @if at > 0 { "," } " " (self.requirement_link(id)) } }
    }

    /// Every requirement that a failed check says is missed, by what was found of it, unless that is told elsewhere. Nothing is left
    /// out, since what was looked for may be what a defect shows least often; a profile bounds the list.
    fn missed(&self, told: &dyn Fn(&str, Option<&str>) -> bool) -> BTreeMap<Option<&str>, BTreeSet<&str>> {
        let instances = self.view.record.instances.iter().filter(|i| i.verdict == Verdict::Fail).flat_map(|i| &i.checks);
        let mut missed: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
        for check in instances.chain(self.view.run_checks()).filter(|c| c.verdict == Verdict::Fail) {
            let finding = check.finding.as_deref();
            for id in check.requirements.iter().filter(|id| !told(id, finding)) {
                missed.entry(finding).or_default().insert(id);
            }
        }
        missed
    }

    pub(super) fn failures(&self) -> Markup {
        let all = self.causes.len() as u64;
        html! {
            section aria-labelledby="failures" {
                h2 #failures { "Failures, by likely cause" }
                @if self.causes.is_empty() { p { "Nothing that was judged failed." } }
                @else if all > 1 {
                    p { (counted(all, "likely cause")) ". What is found in the most failed scenarios comes first; of nearly equals what a monitor found, and of equals what goes wrong first in them. One defect often shows in several ways: fix the first, run again, and look at what is left." }
                }
                @for (at, cause) in self.causes.iter().enumerate() { (self.cause(at, cause)) }
                (self.undecided())
            }
        }
    }

    fn cause(&self, at: usize, cause: &Cause<'_>) -> Markup {
        let first = cause.failures.first();
        let own = own(cause);
        let told = |id: &str| Some(id) == own || cause.sides.iter().any(|side| side.requirements.contains(&id));
        let with_it: Vec<&str> = cause.requirements.iter().copied().filter(|id| !told(id)).collect();
        html! {
            article.failure {
                h3 id={ "cause-" (at + 1) } {
                    (badge(Verdict::Fail)) " "
                    @match cause.requirement {
                        Some(requirement) => (Shown::line(&requirement.id)),
                        None => @match cause.requirements.first() { Some(id) => (Shown::line(id)), None => "No requirement named" },
                    }
                    @if let Some(finding) = cause.finding { ": " (Shown::line(finding)) }
                    " " span.level { (self.share(cause)) }
                }
                @if let Some(meaning) = cause.finding.and_then(meaning) { p.tight { (meaning) } }
                dl.facts {
                    @if let Some(requirement) = cause.requirement {
                        dt { "Requirement" }
                        dd { (self.requirement_link(&requirement.id)) " " span.level { (Shown::line(&requirement.level)) } " " (Shown::line(&requirement.sentence)) }
                        @if !requirement.attack.is_empty() { dt { "What it costs" } dd { (Shown::block(&requirement.attack)) } }
                    }
                    @if let Some(likely) = cause.likely { dt { "Likely cause" } dd { (Shown::block(likely)) } }
                    @else if let Some(requirement) = cause.requirement.filter(|r| !r.usual_cause.is_empty()) { dt { "Usual cause" } dd { (Shown::block(&requirement.usual_cause)) } }
                    @if let Some(requirement) = cause.requirement {
                        @if !requirement.fix.is_empty() { dt { "Fix" } dd { b { (Shown::block(&requirement.fix)) } } }
                        dt { "Source" } dd.source { (Shown::line(&requirement.source)) ", " (Shown::line(&requirement.date)) ", grade " (Shown::line(&requirement.grade)) }
                    }
                    @for side in &cause.sides {
                        dt { "On another side" }
                        dd {
                            @for (at, id) in side.requirements.iter().enumerate() { @if at > 0 { ", " } (self.requirement_link(id)) }
                            " in "
                            @for (at, place) in side.places.iter().take(MOST_TOLD).enumerate() { @if at > 0 { ", " } (self.place(*place)) }
                            @if side.places.len() > MOST_TOLD { " and " (grouped((side.places.len() - MOST_TOLD) as u64)) " more" }
                            ": " (Shown::block(side.likely))
                        }
                    }
                    @if !with_it.is_empty() {
                        dt { "Missed with it" }
                        dd { @for (at, id) in with_it.iter().take(24).enumerate() { @if at > 0 { ", " } (self.requirement_link(id)) } }
                    }
                }
                @match first.and_then(|f| f.check) {
                    Some(check) => (self.check(check)),
                    None => p { "No single check has this verdict." },
                }
                (self.found_in(cause))
                @if let Some(instance) = first.and_then(|f| f.instance).and_then(|at| self.view.record.instances.get(at)) {
                    p.command { "In the terminal: " code { "countersign explain " (Shown::line(&instance.name())) } }
                }
            }
        }
    }

    /// The scenarios in which a cause is found.
    fn found_in(&self, cause: &Cause<'_>) -> Markup {
        let rest = cause.failures.get(MOST_TOLD..).unwrap_or_default();
        html! {
            ul.found {
                @for found in cause.failures.iter().take(MOST_TOLD) { li { (self.found(found)) } }
                @if !rest.is_empty() {
                    li {
                        (counted(rest.len() as u64, "further scenario")) ": "
                        @for (at, found) in rest.iter().take(MOST_NAMED).enumerate() { @if at > 0 { ", " } (self.place(found.instance)) }
                        @if rest.len() > MOST_NAMED { " and more" }
                    }
                }
            }
        }
    }

    fn found(&self, found: &Found<'_>) -> Markup {
        html! {
            (self.place(found.instance))
            @if let Some(check) = found.check { ": " (Shown::line(&check.observed)) }
            @if found.expected { " " span.level { "listed as expected" } }
            @if !found.also.is_empty() {
                span.source { " Found there as well: " @for (at, finding) in found.also.iter().take(6).enumerate() { @if at > 0 { ", " } (Shown::line(finding)) } "." }
            }
        }
    }

    /// In how many of the failed scenarios a cause is found.
    fn share(&self, cause: &Cause<'_>) -> String {
        format!("found in {} of {} that failed", grouped(cause.found_in as u64), grouped(self.failed()))
    }

    fn failed(&self) -> u64 {
        self.view.count(Verdict::Fail) + self.view.run_checks().filter(|c| c.verdict == Verdict::Fail).count() as u64
    }

    fn place(&self, instance: Option<usize>) -> Markup {
        match instance {
            Some(at) => self.link(at),
            None => html! { "the run as a whole" },
        }
    }

    fn undecided(&self) -> Markup {
        let open: Vec<(Verdict, Vec<Failure<'_>>)> = Verdict::ALL
            .into_iter()
            .rev()
            .filter(|v| !matches!(v, Verdict::Fail | Verdict::Pass | Verdict::NotApplicable))
            .map(|v| (v, self.view.with_verdict(v)))
            .filter(|(_, list)| !list.is_empty())
            .collect();
        html! {
            @if !open.is_empty() {
                h3 { "Neither passed nor failed" }
                ul.open {
                    @for (verdict, list) in &open {
                        @for failure in list {
                            li {
                                (badge(*verdict)) " " (self.place(failure.instance))
                                @if let Some(check) = failure.check {
                                    @if let Some(waived) = answered_for(self.view, check) { ", " (waived) }
                                    ": " (Shown::line(&check.observed))
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// A check with what was expected beside what was observed.
    pub(super) fn check(&self, check: &Check) -> Markup {
        html! {
            .sides {
                div { p.side { "Expected" } p.words { (Shown::block(&check.expected)) } }
                div { p.side { "Observed" } p.words { (Shown::block(&check.observed)) } }
            }
            ul.facts-line {
                @if !check.requirements.is_empty() {
                    li { "requirement " @for (at, id) in check.requirements.iter().enumerate() { @if at > 0 { ", " } (self.requirement_link(id)) } }
                }
                @if let Some(reason) = check.reason { li { "reason given " code { (reason.as_str()) } } }
                @if let Some(blame) = check.blame { li { "at fault " b { (format!("{blame:?}").to_lowercase()) } } }
                @if let Some(finding) = &check.finding { li { "finding " code { (Shown::line(finding)) } } }
                @if let Some(waived) = answered_for(self.view, check) { li { b { (waived) } } }
            }
        }
    }

    pub(super) fn requirement_link(&self, id: &str) -> Markup {
        html! { a href={ "#r-" (slug(id)) } { (Shown::line(id)) } }
    }

    pub(super) fn verifies(&self, instance: &InstanceResult) -> Markup {
        let ids = self.texts.get(instance.name().as_str()).map_or(&[][..], |s| &s.verifies);
        html! {
            @if !ids.is_empty() {
                p.tight { "Verifies " @for (at, id) in ids.iter().enumerate() { @if at > 0 { ", " } (self.requirement_link(id)) } }
            }
        }
    }
}

/// The requirement under which a cause is told.
fn own<'a>(cause: &Cause<'a>) -> Option<&'a str> {
    cause.requirement.map(|requirement| requirement.id.as_str()).or(cause.requirements.first().copied())
}

/// What a finding means, if it is one that this version knows.
fn meaning(finding: &str) -> Option<&'static str> {
    Finding::ALL.iter().find(|f| f.as_str() == finding).map(|f| f.meaning())
}
