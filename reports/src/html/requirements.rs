//! The table by requirement, and the list of what is not as it should be.

use super::text::Shown;
use super::{Page, badge, slug, standing_badge};
use crate::standing::{RequirementStanding, Standing};
use crate::view::Failure;
use countersign_trace::{Check, InstanceResult, Verdict};
use maud::{Markup, html};

impl Page<'_, '_> {
    pub(super) fn requirements(&self) -> Markup {
        let (counted, own): (Vec<_>, Vec<_>) = self.view.standings().into_iter().partition(RequirementStanding::counts);
        html! {
            section aria-labelledby="requirements" {
                h2 #requirements { "Requirements" }
                @if counted.is_empty() { p { "The suite given to this report states none." } }
                @else { (self.requirement_table(&counted, "Requirements that a candidate meets or misses")) }
                @if !own.is_empty() {
                    h3 { "Not counted: self-tests of the gateway" }
                    p { "These exercise our own code only. They say nothing about the candidate and are no part of coverage." }
                    (self.requirement_table(&own, "Self-tests of the gateway"))
                }
            }
        }
    }

    fn requirement_table(&self, standings: &[RequirementStanding<'_>], caption: &str) -> Markup {
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
                tbody role="rowgroup" {
                    @for standing in standings {
                        tr role="row" {
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
                                    }
                                    None => span.source { "The suite given to this report does not describe it." },
                                }
                            }
                            td.c-who role="cell" { @if let Some(text) = standing.text { (Shown::line(&text.decided_by)) } }
                            td.c-scenarios role="cell" { (self.bearing(standing)) }
                        }
                    }
                }
            }
        }
    }

    /// The scenarios that bear on a requirement.
    fn bearing(&self, standing: &RequirementStanding<'_>) -> Markup {
        html! {
            @if standing.instances.is_empty() && standing.missing.is_empty() && standing.run.is_empty() { span.source { "none in this run" } }
            @else {
                ul {
                    @for (at, verdict) in &standing.instances { li { (self.link(*at)) " " (small(Standing::Judged(*verdict))) } }
                    @for verdict in &standing.run { li { "the run as a whole " (small(Standing::Judged(*verdict))) } }
                    @for (name, why) in &standing.missing { li { (Shown::line(name)) " " (small(*why)) } }
                }
            }
        }
    }

    pub(super) fn failures(&self) -> Markup {
        let failed = self.view.with_verdict(Verdict::Fail);
        let open: Vec<(Verdict, Vec<Failure<'_>>)> = Verdict::ALL
            .into_iter()
            .rev()
            .filter(|v| !matches!(v, Verdict::Fail | Verdict::Pass | Verdict::NotApplicable))
            .map(|v| (v, self.view.with_verdict(v)))
            .filter(|(_, list)| !list.is_empty())
            .collect();
        html! {
            section aria-labelledby="failures" {
                h2 #failures { "Failures" }
                @if failed.is_empty() { p { "Nothing that was judged failed." } }
                @for failure in &failed { (self.failure(failure)) }
                @if !open.is_empty() {
                    h3 { "Neither passed nor failed" }
                    ul.open {
                        @for (verdict, list) in &open {
                            @for failure in list {
                                li {
                                    (badge(*verdict)) " "
                                    @match failure.instance { Some(at) => (self.link(at)), None => "the whole run" }
                                    @if let Some(check) = failure.check { ": " (Shown::line(&check.observed)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn failure(&self, failure: &Failure<'_>) -> Markup {
        let instance = failure.instance.and_then(|at| self.view.record.instances.get(at));
        let title = instance.and_then(|i| self.view.scenario(i)).map(|t| t.title.as_str());
        html! {
            article.failure {
                h3 {
                    (badge(Verdict::Fail)) " "
                    @match failure.instance { Some(at) => (self.link(at)), None => "The run as a whole" }
                    @if failure.expected { " " span.level { "listed as expected" } }
                }
                @if let Some(title) = title { p.tight { (Shown::line(title)) } }
                @match failure.check {
                    Some(check) => (self.check(check)),
                    None => p { "No single check has this verdict." },
                }
                @if let Some(instance) = instance { p.command { "In the terminal: " code { "countersign explain " (Shown::line(&instance.name())) } } }
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
            }
            @if let Some(cause) = &check.likely_cause { p.cause { b { "Likely cause: " } (Shown::block(cause)) } }
        }
    }

    fn requirement_link(&self, id: &str) -> Markup {
        html! { a href={ "#r-" (slug(id)) } { (Shown::line(id)) } }
    }

    pub(super) fn verifies(&self, instance: &InstanceResult) -> Markup {
        let ids = self.view.scenario(instance).map_or(&[][..], |s| &s.verifies);
        html! {
            @if !ids.is_empty() {
                p.tight { "Verifies " @for (at, id) in ids.iter().enumerate() { @if at > 0 { ", " } (self.requirement_link(id)) } }
            }
        }
    }
}

/// A standing in small print.
fn small(standing: Standing) -> Markup {
    html! { span.small.{ "v-" (standing.as_str()) } { (standing.symbol()) " " (standing.as_str().replace('-', " ")) } }
}
