//! One scenario of the run: why, its course, checks, bytes, trace. What passed is told in few words; the record has the rest.

use super::requirements::sign;
use super::text::Shown;
use super::{Page, badge};
use crate::bytes::{Excerpt, excerpt};
use crate::diagram::{Diagram, Shape, diagram, svg};
use crate::entry::Names;
use crate::measure::{counted, grouped, time};
use crate::steps::step_state;
use countersign_trace::{Check, CheckKind, Entry, InstanceResult, Trace, Verdict};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Bytes of a body that are shown of what did not pass.
const LONGEST_DUMP: usize = 512;
/// Entries that are shown with their bytes.
const MOST_EVIDENCE: usize = 16;
/// Rows of a trace; of more, the middle is left out.
const MOST_ROWS: usize = 600;
/// Rows of a diagram, of what passed and of what did not.
const DIAGRAM_ROWS: (usize, usize) = (36, 72);

impl Page<'_, '_> {
    pub(super) fn instance(&self, at: usize, instance: &InstanceResult) -> Markup {
        let name = instance.name();
        let text = self.texts.get(name.as_str()).copied();
        // Cases of one scenario share what is said of it: it stands with the first of them.
        let first = self.firsts.get(instance.scenario.as_str()).copied().unwrap_or(at);
        let passed = matches!(instance.verdict, Verdict::Pass | Verdict::NotApplicable);
        let in_full = !passed && self.in_full.as_ref().is_none_or(|list| list.contains(&at));
        html! {
            details.scenario open[instance.verdict == Verdict::Fail && in_full] {
                summary {
                    (badge(instance.verdict)) " "
                    span.name { (Shown::line(&name)) }
                    @if let Some(text) = text { " " span.title { (Shown::line(&text.title)) } }
                    " " span.time { (time(instance.wall_us)) }
                }
                // Links point in here, not at the element around it: a browser then opens it.
                .inside id=(self.anchor(at)) tabindex="-1" {
                    h4.visually-hidden id={ "t-" (self.anchor(at)) } { (Shown::line(&name)) }
                    @match text {
                        Some(text) if first == at || !passed => {
                            p.why { b { "Why it matters: " } (Shown::block(&text.why)) }
                            (self.verifies(instance))
                        }
                        Some(_) => p.tight { "What it is about stands with " (self.link(first)) "." },
                        None => p { "The suite given to this report does not have this scenario." },
                    }
                    (self.course(at, instance, if in_full { DIAGRAM_ROWS.1 } else { DIAGRAM_ROWS.0 }))
                    @if !passed { (self.checks(instance)) }
                    @if in_full { (self.evidence(instance)) }
                    @else if !passed {
                        p.source { "So much failed that bytes and trace are only shown with the first scenarios of each cause. In the terminal: "
                            code { "countersign explain " (Shown::line(&name)) } }
                    }
                    (passed_checks(instance))
                    @if in_full {
                        @if let Some(text) = text.filter(|t| !t.steps.is_empty()) {
                            details.more {
                                summary { "Every step, and what became of it" }
                                ol.steps { @for (index, step) in text.steps.iter().enumerate() { (step_item(instance, index, step)) } }
                            }
                        }
                        (self.trace(instance, &name))
                    }
                    @if let Some(text) = text.filter(|t| first == at && !t.source_yaml.is_empty()) {
                        details.more {
                            summary { "The scenario's file" }
                            pre.file tabindex="0" { code { (Shown::block(&text.source_yaml)) } }
                        }
                    }
                    @if !passed {
                        p.source { "Instance " code { (instance.instance) } ", seed " code.hash { (instance.seed) } ". "
                            (time(instance.wall_us)) " of wall time, of which " (time(instance.crypto_us)) " cryptography and " (time(instance.own_us)) " ourselves." }
                    }
                }
            }
        }
    }

    /// The checks that did not pass, in full.
    fn checks(&self, instance: &InstanceResult) -> Markup {
        html! {
            h4 { "What did not pass" }
            @if instance.checks.is_empty() { p { "No check was made." } }
            @for check in instance.checks.iter().filter(|c| c.verdict != Verdict::Pass) {
                .check {
                    p.tight {
                        (badge(check.verdict)) " "
                        b { @match check.step { Some(step) => { "step " (step + 1) }, None => (Shown::line(&check.id)) } }
                        ", " (kind(check.kind))
                    }
                    (self.check(check))
                    @if let Some(cause) = &check.likely_cause { p.cause { b { "Likely cause: " } (Shown::block(cause)) } }
                }
            }
        }
    }

    /// The sequence diagram, and the same in words.
    fn course(&self, at: usize, instance: &InstanceResult, rows: usize) -> Markup {
        let steps = self.texts.get(instance.name().as_str()).map_or(&[][..], |text| &text.steps);
        let diagram = diagram(instance, self.view.blobs, steps, rows);
        if diagram.rows.is_empty() {
            return html! {};
        }
        html! {
            .wide tabindex="0" role="group" aria-labelledby={ "t-" (self.anchor(at)) } { (svg(&diagram)) }
            details.more {
                summary { "The course in words" }
                (in_words(&diagram))
            }
        }
    }

    fn evidence(&self, instance: &InstanceResult) -> Markup {
        let wanted = numbers(instance);
        let names = Names::of(&instance.trace);
        let found: Vec<&Entry> =
            instance.trace.iter().filter(|e| wanted.contains(&e.n) && e.event.body().is_some()).take(MOST_EVIDENCE).collect();
        let more = wanted.len().saturating_sub(found.len()) as u64;
        html! {
            @if !found.is_empty() {
                h4 { "The bytes" }
                @for entry in found { (self.entry(entry, &names)) }
                @if more > 0 { p.source { (counted(more, "further piece")) " of evidence without a body of its own, or beyond the first " (MOST_EVIDENCE) ": see the trace." } }
            }
        }
    }

    fn entry(&self, entry: &Entry, names: &Names<'_>) -> Markup {
        let told = names.tell(entry, self.view.blobs);
        let found: Excerpt = entry.event.body().map(|b| excerpt(b, self.view.blobs, LONGEST_DUMP)).unwrap_or_default();
        html! {
            figure.bytes {
                figcaption { b { "#" (entry.n) } " +" (time(entry.at_us)) " · " b { (told.flow) } " · " (told.what) " · " (found.note) }
                @if !found.members.is_empty() {
                    dl.members { @for (name, value) in &found.members { dt { (name) } dd { (value) } } }
                }
                @if !found.fields.is_empty() {
                    p.source { "body, read as a Signal message without any key" }
                    dl.members { @for (name, value) in &found.fields { dt { (name) } dd { (value) } } }
                }
                @if let Some(dump) = &found.dump {
                    details.more {
                        summary { (dump.caption()) span.visually-hidden { " of #" (entry.n) } }
                        pre tabindex="0" { code { (dump.text) } }
                    }
                }
            }
        }
    }

    fn trace(&self, instance: &InstanceResult, name: &str) -> Markup {
        let trace: &Trace = &instance.trace;
        let names = Names::of(trace);
        let shown = numbers(instance);
        let gap = trace.len().saturating_sub(MOST_ROWS);
        let (head, tail) = if gap == 0 { (trace.len(), 0) } else { (MOST_ROWS / 2, MOST_ROWS / 2) };
        html! {
            @if !trace.is_empty() {
                details.more {
                    summary { "The whole trace: " (counted(trace.len() as u64, "entry").replace("entrys", "entries")) }
                    table.trace {
                        caption.visually-hidden { "Trace of " (Shown::line(name)) }
                        thead { tr { th scope="col" { "#" } th scope="col" { "Time" } th scope="col" { "From and to" } th scope="col" { "What" } } }
                        tbody {
                            @for entry in trace.iter().take(head) { (self.row(entry, &names, &shown)) }
                            @if gap > 0 { tr { td colspan="4" { (grouped(gap as u64)) " entries are left out here; the record has them." } } }
                            @for entry in trace.iter().skip(trace.len() - tail) { (self.row(entry, &names, &shown)) }
                        }
                    }
                }
            }
        }
    }

    fn row(&self, entry: &Entry, names: &Names<'_>, shown: &BTreeSet<u64>) -> Markup {
        let told = names.tell(entry, self.view.blobs);
        html! {
            tr.hit[shown.contains(&entry.n)] {
                td { (entry.n) }
                td { (time(entry.at_us)) }
                td { (told.flow) }
                td { @if shown.contains(&entry.n) { b { "evidence: " } } (told.what) }
            }
        }
    }
}

/// The rows of a diagram as a list; the numbers are those of the trace.
fn in_words(diagram: &Diagram) -> Markup {
    html! {
        ul.course {
            @for row in &diagram.rows {
                @match row.shape {
                    Shape::Step => li.st { (row.label) },
                    Shape::Failure => li { b { (row.label) } },
                    Shape::Gap => li { (row.label) },
                    Shape::Arrow { .. } | Shape::Note { .. } => li {
                        i { (row.n) } " " (diagram.who(row)) ": " (row.sign.glyph()) (row.label) @if row.evidence { b { " (evidence)" } }
                    },
                }
            }
        }
    }
}

/// Checks that passed: those of the scenario one by one, the monitors by name.
fn passed_checks(instance: &InstanceResult) -> Markup {
    let passed = || instance.checks.iter().filter(|c| c.verdict == Verdict::Pass);
    let monitors: Vec<&Check> = passed().filter(|c| c.kind == CheckKind::Monitor).collect();
    html! {
        @if passed().next().is_some() {
            ul.passed {
                @for check in passed().filter(|c| c.kind != CheckKind::Monitor) {
                    li {
                        (sign(Verdict::Pass)) " "
                        @match check.step { Some(step) => { "step " (step + 1) }, None => (Shown::line(&check.id)) }
                        ": " (Shown::short(&check.expected)) span.source { " — " (Shown::short(&check.observed)) }
                    }
                }
                @if !monitors.is_empty() {
                    li { (sign(Verdict::Pass)) " " (counted(monitors.len() as u64, "monitor")) " found nothing: "
                        @for (at, monitor) in monitors.iter().enumerate() { @if at > 0 { ", " } (Shown::line(&monitor.id)) } }
                }
            }
        }
    }
}

/// Numbers of the entries that show checks that did not pass.
fn numbers(instance: &InstanceResult) -> BTreeSet<u64> {
    instance.checks.iter().filter(|c| c.verdict != Verdict::Pass).flat_map(|c| c.evidence.iter().copied()).collect()
}

fn step_item(instance: &InstanceResult, index: usize, step: &str) -> Markup {
    let (sign, word) = step_state(instance, index);
    let class = word.split(',').next().unwrap_or_default().replace(' ', "-");
    html! {
        li { code { (Shown::block(step)) } " " span.small.{ "v-" (class) } { (sign) " " (word) } }
    }
}

const fn kind(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Expectation => "expectation",
        CheckKind::Step => "requirement to go on",
        CheckKind::Monitor => "monitor",
    }
}
