//! What this run was, and what it does not show.

use super::text::Shown;
use super::{Page, badge, bar};
use crate::measure::{counted, grouped, per_cent, time};
use crate::standing::coverage_of;
use countersign_contract::claims::Description;
use countersign_trace::record::{Doctor, Times};
use maud::{Markup, html};
use serde::Serialize;

/// Most lines of one list: a profile or a candidate may state very many.
const MOST_LINES: usize = 50;

impl Page<'_, '_> {
    pub(super) fn run(&self) -> Markup {
        let record = self.view.record;
        let header = &record.header;
        let coverage = coverage_of(&self.standings);
        html! {
            section aria-labelledby="run" {
                h2 #run { "This run" }
                .columns {
                    div {
                        h3 { "The candidate, in its own words" }
                        @match record.doctor.as_ref().and_then(|d| d.description.as_ref()) {
                            Some(claims) => (claims_list(claims)),
                            None => p { "It did not state what it is." },
                        }
                    }
                    div {
                        h3 { "How it was tested" }
                        dl.facts {
                            dt { "Profile" } dd { (Shown::line(&header.profile)) @if let Some(profile) = self.view.profile { ": " (Shown::line(&profile.title)) } }
                            dt { "Candidate" } dd { code { (Shown::line(&header.target)) } }
                            dt { "Carrier" } dd { (Shown::line(&header.carrier)) ", " (counted(u64::from(header.jobs), "instance")) " at once" }
                            dt { "Started" } dd { (Shown::line(&header.started)) }
                            @if let Some(summary) = &record.summary {
                                dt { "Seed" } dd { code.hash { (summary.seed) } }
                            } @else {
                                dt { "Seed" } dd { "not published: the run did not end. SHA-256 of it: " code.hash { (header.seed_commitment) } }
                            }
                            dt { "Suite" } dd { "SHA-256 " code.hash { (header.suite) } }
                            @if coverage.all > 0 {
                                dt { "Coverage" }
                                dd { (grouped(coverage.decided)) " of " (counted(coverage.all, "requirement")) " decided: "
                                    (grouped(coverage.passed)) " met, " (grouped(coverage.failed)) " missed"
                                    @if coverage.waived > 0 { ", " (grouped(coverage.waived)) " missed and waived" } }
                            }
                            @if let Some(summary) = &record.summary {
                                dt { "Exit code" } dd { (summary.exit_code) }
                            }
                        }
                    }
                }
                @if let Some(summary) = record.summary.as_ref().filter(|s| s.times.instances_us > 0) { (times(&summary.times)) }
                @if !record.notes.is_empty() {
                    h3 { "What happened besides" }
                    p { "These are no verdicts of a scenario. A candidate that had to be started again broke down." }
                    ul {
                        @for note in record.notes.iter().take(MOST_LINES) { li { (Shown::line(note)) } }
                        @if record.notes.len() > MOST_LINES { li { "and " (record.notes.len() - MOST_LINES) " more" } }
                    }
                }
                @if let Some(doctor) = &record.doctor { (doctor_table(doctor)) }
                (self.how_to_verify())
            }
        }
    }

    fn how_to_verify(&self) -> Markup {
        let record = self.view.record;
        html! {
            h3 #verify { "How to check it" }
            p { "Nothing in this page has to be believed. The record beside it holds the scenarios, every byte that crossed a boundary, "
                "and the seed. Without a network, this judges every trace again and executes our side again from the seed:" }
            pre tabindex="0" { code { "countersign verify record.jsonl" } }
            @if let Some(chain) = self.view.chain {
                p { "This page was made from the record whose last line has the chain " code.hash { (Shown::line(chain)) }
                    @if record.cut_off { ", and which is cut off in the middle of a line" } "." }
            } @else if record.cut_off { p { "The record is cut off in the middle of a line." } }
        }
    }

    pub(super) fn limits(&self) -> Markup {
        let record = self.view.record;
        let header = &record.header;
        let coverage = coverage_of(&self.standings);
        let assumptions =
            record.doctor.iter().filter_map(|d| d.description.as_ref()).flat_map(|d| &d.assumptions).take(MOST_LINES);
        let assumptions: Vec<&String> = assumptions.collect();
        let open = coverage.all - coverage.decided;
        html! {
            section.limits aria-labelledby="limits" {
                h2 #limits { "What this does not show" }
                ul {
                    li { "The gatekeeper's own servers are not tested. Countersign plays the gatekeeper; only the candidate is judged." }
                    li { "Every threshold in the profile is ours. No gatekeeper publishes one."
                        @if let Some(profile) = self.view.profile {
                            @for (at, (name, limit)) in profile.limits.iter().enumerate() { @if at == 0 { " " } @else { "; " } (Shown::line(name)) ": " (Shown::line(limit)) }
                            @if !profile.limits.is_empty() { "." }
                        }
                    }
                    @for line in self.view.profile.iter().flat_map(|p| &p.does_not_show).take(MOST_LINES) { li { (Shown::line(line)) } }
                    li { "A pass says that the candidate did as required in these scenarios, on that day. It is no proof that no defect is left." }
                    @if record.summary.is_none() {
                        li { strong { "The run did not come to its end. " } "What was not judged is unknown, and nothing was weighed over the run as a whole." }
                    }
                    @if self.view.partial() {
                        li { strong { "Only a part of the profile was run" }
                            @if !header.only.is_empty() { ": " @for (at, only) in header.only.iter().enumerate() { @if at > 0 { ", " } code { (Shown::line(only)) } } }
                            "." }
                    }
                    @if open > 0 {
                        li { (counted(open, "requirement")) " of " (grouped(coverage.all)) " could not be decided in this run: "
                            a href="#requirements" { "the table" } " says which, and why." }
                    }
                    @if coverage.self_tests > 0 {
                        li { "Self-tests of our own code count for nothing here: " (counted(coverage.self_tests, "requirement")) "." }
                    }
                    @if !header.expected_failures.is_empty() {
                        li { "This candidate is listed as failing: "
                            @for (at, name) in header.expected_failures.iter().enumerate() { @if at > 0 { ", " } code { (Shown::line(name)) } } "." }
                    }
                }
                @if let Some(profile) = self.view.profile.filter(|p| !p.assumptions.is_empty()) {
                    h3 { "Assumptions of the profile" }
                    ul { @for assumption in profile.assumptions.iter().take(MOST_LINES) { li { (Shown::line(assumption)) } } }
                }
                @if !assumptions.is_empty() {
                    h3 { "Assumptions that the candidate states" }
                    ul { @for assumption in assumptions { li { q { (Shown::line(assumption)) } } } }
                }
                @if let Some(plan) = record.plan.as_ref().filter(|p| !p.left_out.is_empty() || p.filtered > 0) {
                    h3 { "Left out" }
                    ul.left-out {
                        @for left_out in &plan.left_out {
                            li { (badge(left_out.verdict)) " " code { (Shown::line(&left_out.name)) } ": " (Shown::line(&left_out.because)) }
                        }
                        @if plan.filtered > 0 { li { (counted(plan.filtered, "scenario")) " kept out by the filters" } }
                    }
                }
            }
        }
    }
}

fn claims_list(claims: &Description) -> Markup {
    html! {
        dl.facts {
            dt { "Name" } dd { (Shown::line(&claims.name)) " " (Shown::line(&claims.version)) }
            dt { "Build" } dd { (Shown::line(&claims.build)) }
            dt { "Operator" } dd { (Shown::line(&claims.operator)) }
            dt { "Contract" } dd { (Shown::line(&claims.contract)) }
            dt { "Binding" } dd { (words(&claims.bindings)) }
            dt { "Suite" } dd { (words(&claims.suites)) }
            dt { "Features" } dd { (words(&claims.features)) }
            dt { "Capabilities" } dd { (words(&claims.capabilities)) }
            dt { "Limits" } dd { "text " (grouped(claims.limits.text_bytes)) " bytes, file " (grouped(claims.limits.file_bytes)) " bytes, "
                (counted(u64::from(claims.limits.instances), "instance")) }
        }
    }
}

/// Closed lists by the names that they have on the wire.
fn words<T: Serialize>(list: &[T]) -> String {
    let names: Vec<String> =
        list.iter().filter_map(|item| Some(serde_json::to_value(item).ok()?.as_str()?.to_owned())).take(64).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn times(times: &Times) -> Markup {
    let parts = [
        ("candidate", times.candidate_us, "t-candidate"),
        ("cryptography", times.crypto_us, "t-crypto"),
        ("ourselves", times.own_us, "t-own"),
    ];
    let sizes = parts.map(|(_, size, class)| (class.to_owned(), size));
    html! {
        h3 { "Where the time went" }
        p.tight { (time(times.wall_us)) " from beginning to end; " (time(times.instances_us)) " added up over instances that ran side by side." }
        (bar(&sizes))
        ul.counts {
            @for (name, part, class) in parts {
                li { span.key.(class) aria-hidden="true" { "■" } " " (name) " " b { (time(part)) } " (" (per_cent(part, times.instances_us)) " %)" }
            }
        }
    }
}

fn doctor_table(doctor: &Doctor) -> Markup {
    html! {
        h3 { @if doctor.healthy() { "Doctor: fit to be tested" } @else { "Doctor: not fit to be tested" } }
        @if doctor.healthy() {
            details.more {
                summary { (counted(doctor.examinations.len() as u64, "examination")) ", all as they have to be" }
                (examinations(doctor))
            }
        } @else { (examinations(doctor)) }
    }
}

fn examinations(doctor: &Doctor) -> Markup {
    html! {
        ul.doctor {
            @for examination in &doctor.examinations {
                li {
                    @if examination.healthy {
                        span.badge.v-pass { span aria-hidden="true" { "✓" } " ok" }
                    } @else {
                        span.badge.v-environment-error { span aria-hidden="true" { "△" } " not ok" }
                    }
                    " " b { (Shown::line(&examination.name)) } ": " (Shown::line(&examination.found))
                    @if let Some(fix) = &examination.fix { p.fix { b { "Fix: " } (Shown::line(fix)) } }
                }
            }
        }
    }
}
