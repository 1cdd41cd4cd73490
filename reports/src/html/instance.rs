//! One scenario of the run: why, steps, checks, bytes, trace.

use super::text::Shown;
use super::{Page, badge};
use crate::bytes::{Excerpt, excerpt};
use crate::entry::Names;
use crate::measure::{counted, grouped, time};
use crate::steps::step_state;
use countersign_trace::{CheckKind, Entry, InstanceResult, Trace, Verdict};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Bytes of a body that are shown of what did not pass, and of what did.
const LONGEST_DUMP: (usize, usize) = (512, 64);
/// Entries that are shown with their bytes, likewise.
const MOST_EVIDENCE: (usize, usize) = (16, 3);
/// Rows of a trace; of more, the middle is left out.
const MOST_ROWS: usize = 2_000;

impl Page<'_, '_> {
    pub(super) fn instance(&self, at: usize, instance: &InstanceResult) -> Markup {
        let text = self.view.scenario(instance);
        let anchor = self.anchors.get(at).map_or("", String::as_str);
        let name = instance.name();
        html! {
            details.scenario open[instance.verdict == Verdict::Fail] {
                summary {
                    (badge(instance.verdict)) " "
                    span.name { (Shown::line(&name)) }
                    @if let Some(text) = text { " " span.title { (Shown::line(&text.title)) } }
                    " " span.time { (time(instance.wall_us)) }
                }
                // Links point in here, not at the element around it: a browser then opens it.
                .inside id=(anchor) tabindex="-1" {
                    h3.visually-hidden { (Shown::line(&name)) }
                    @if let Some(text) = text {
                        p.why { b { "Why it matters: " } (Shown::block(&text.why)) }
                        (self.verifies(instance))
                        @if !text.steps.is_empty() {
                            h4 { "Steps" }
                            ol.steps { @for (index, step) in text.steps.iter().enumerate() { (step_item(instance, index, step)) } }
                        }
                    } @else { p { "The suite given to this report does not have this scenario." } }
                    h4 { "Checks" }
                    @if instance.checks.is_empty() { p { "None was made." } }
                    @for check in &instance.checks {
                        .check {
                            p.tight {
                                (badge(check.verdict)) " " b { (Shown::line(&check.id)) } ", " (kind(check.kind))
                                @if let Some(step) = check.step { " of step " (step + 1) }
                            }
                            (self.check(check))
                        }
                    }
                    (self.evidence(instance))
                    (self.trace(instance, &name))
                    @if let Some(text) = text.filter(|t| !t.source_yaml.is_empty()) {
                        details.more {
                            summary { "The scenario's file" }
                            pre.file tabindex="0" { code { (Shown::block(&text.source_yaml)) } }
                        }
                    }
                    p.source { "Instance " code { (instance.instance) } ", seed " code.hash { (instance.seed) } ". "
                        (time(instance.wall_us)) " of wall time, of which " (time(instance.crypto_us)) " cryptography and " (time(instance.own_us)) " ourselves." }
                }
            }
        }
    }

    fn evidence(&self, instance: &InstanceResult) -> Markup {
        let bad: BTreeSet<u64> = numbers(instance, |v| v != Verdict::Pass);
        let good: BTreeSet<u64> = numbers(instance, |v| v == Verdict::Pass).difference(&bad).copied().collect();
        let names = Names::of(&instance.trace);
        let of = |wanted: &BTreeSet<u64>, most: usize| -> Vec<&Entry> {
            instance.trace.iter().filter(|e| wanted.contains(&e.n) && e.event.body().is_some()).take(most).collect()
        };
        let (first, second) = (of(&bad, MOST_EVIDENCE.0), of(&good, MOST_EVIDENCE.1));
        let more = (bad.len() + good.len()).saturating_sub(first.len() + second.len()) as u64;
        html! {
            @if !(first.is_empty() && second.is_empty()) {
                h4 { "The bytes" }
                @for entry in first { (self.entry(entry, &names, LONGEST_DUMP.0)) }
                @for entry in second { (self.entry(entry, &names, LONGEST_DUMP.1)) }
                @if more > 0 { p.source { (counted(more, "further piece")) " of evidence: see the trace." } }
            }
        }
    }

    fn entry(&self, entry: &Entry, names: &Names<'_>, longest: usize) -> Markup {
        let told = names.tell(entry, self.view.blobs);
        let found: Excerpt = entry.event.body().map(|b| excerpt(b, self.view.blobs, longest)).unwrap_or_default();
        html! {
            figure.bytes {
                figcaption { b { "#" (entry.n) } " +" (time(entry.at_us)) " · " b { (told.flow) } " · " (told.what) " · " (found.note) }
                @if !found.members.is_empty() {
                    dl.members { @for (name, value) in &found.members { dt { (name) } dd { (value) } } }
                }
                @if let Some(dump) = &found.dump {
                    p.source { (dump.caption()) }
                    pre tabindex="0" { code { (dump.text) } }
                }
            }
        }
    }

    fn trace(&self, instance: &InstanceResult, name: &str) -> Markup {
        let trace: &Trace = &instance.trace;
        let names = Names::of(trace);
        let shown: BTreeSet<u64> = numbers(instance, |v| v != Verdict::Pass);
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

/// Numbers of the entries that show checks of these verdicts.
fn numbers(instance: &InstanceResult, of: impl Fn(Verdict) -> bool) -> BTreeSet<u64> {
    instance.checks.iter().filter(|c| of(c.verdict)).flat_map(|c| c.evidence.iter().copied()).collect()
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
