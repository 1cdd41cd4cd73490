//! One page that needs nothing else: no script, no font, no image, no address outside itself. It works from a mail attachment
//! on a machine without a network, and it works on paper.
//!
//! The content security policy admits the page's own style sheet, by its digest, and nothing else at all: even a hole in the
//! escaping would give an attacker neither script nor request nor style.

pub(crate) mod changes;
mod failures;
mod healing;
mod instance;
mod odds;
mod requirements;
mod run;
mod text;
mod timing;
mod waivers;

use crate::causes::Cause;
use crate::document::head;
use crate::latency::{Latency, latencies};
use crate::measure::{counted, grouped};
use crate::odds::{Odds, odds};
use crate::standing::{RequirementStanding, Standing};
use crate::view::{ScenarioText, View, symbol};
use countersign_trace::{InstanceResult, Verdict};
use maud::{DOCTYPE, Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use text::Shown;

/// If more scenarios failed than this, only the first of each cause and of each of its sides are told in full: nobody reads sixty traces.
const MOST_IN_FULL: u64 = 20;
const FIRST_OF_CAUSE: usize = 3;

const STYLE: &str = include_str!("style.css");

/// The record as one HTML page.
#[must_use]
pub fn html(view: &View<'_>) -> String {
    let names: Vec<String> = view.record.instances.iter().map(InstanceResult::name).collect();
    Page::new(view, &names).render().into_string()
}

/// What the parts of the page share.
struct Page<'a, 'v> {
    view: &'a View<'v>,
    /// For each instance of the record the id of its place in the page.
    anchors: Vec<String>,
    /// The texts of the instances' scenarios, by the instances' names.
    texts: BTreeMap<&'a str, &'v ScenarioText>,
    /// For each scenario the instance with which it is described: its first.
    firsts: BTreeMap<&'v str, usize>,
    standings: Vec<RequirementStanding<'v>>,
    causes: Vec<Cause<'v>>,
    /// Instances that are told in full, bytes and trace included, if not all that did not pass are: the first of each cause.
    in_full: Option<BTreeSet<usize>>,
    latencies: Vec<Latency<'v>>,
    odds: Vec<Odds>,
}

impl<'a, 'v> Page<'a, 'v> {
    fn new(view: &'a View<'v>, names: &'a [String]) -> Self {
        let by_id: BTreeMap<&str, &'v ScenarioText> = view.scenarios.iter().rev().map(|s| (s.id.as_str(), s)).collect();
        let text = |name: &'a str| {
            let bare = name.split_once('@').map_or(name, |(id, _)| id);
            by_id.get(name).or_else(|| by_id.get(bare)).map(|text| (name, *text))
        };
        let instances = view.record.instances.iter().enumerate().rev();
        let causes = view.causes();
        let many = view.count(Verdict::Fail) > MOST_IN_FULL;
        let of_cause = |c: &Cause<'v>| -> Vec<Option<usize>> {
            let sides = c.sides.iter().filter_map(|side| side.places.first().copied());
            c.failures.iter().take(FIRST_OF_CAUSE).map(|f| f.instance).chain(sides).collect()
        };
        let firsts = || causes.iter().flat_map(of_cause).flatten().collect();
        Self {
            view,
            anchors: anchors(view),
            texts: names.iter().filter_map(|name| text(name)).collect(),
            firsts: instances.map(|(at, i)| (i.scenario.as_str(), at)).collect(),
            standings: view.standings(),
            in_full: many.then(firsts),
            causes,
            latencies: latencies(view),
            odds: odds(view),
        }
    }
}

/// An id for each instance: its name with harmless characters only, numbered where two would be the same.
fn anchors(view: &View<'_>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut out = Vec::new();
    for (at, instance) in view.record.instances.iter().enumerate() {
        let mut id = format!("s-{}", slug(&instance.name()));
        if !taken.insert(id.clone()) {
            id = format!("{id}-{at}");
            taken.insert(id.clone());
        }
        out.push(id);
    }
    out
}

/// The text with everything but letters, digits, `.` and `_` as `-`; at most 80 characters.
fn slug(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '-' }).collect()
}

impl Page<'_, '_> {
    fn render(&self) -> Markup {
        let record = self.view.record;
        let headline = self.view.headline();
        html! {
            (DOCTYPE)
            html lang="en" {
                (head(STYLE, html! { (headline.tone.symbol()) " " (headline.title) " · " (Shown::line(&record.header.target)) " · Countersign" }))
                body {
                    a.skip href="#content" { "Skip to the report" }
                    (self.header())
                    main #content tabindex="-1" {
                        (self.waivers())
                        (self.changes())
                        // What is to be done comes first if there is something to be done.
                        @if !self.causes.is_empty() { (self.failures()) }
                        (self.run())
                        (self.limits())
                        (self.requirements())
                        (self.healing())
                        (self.odds())
                        (self.timing())
                        @if self.causes.is_empty() { (self.failures()) }
                        (self.scenarios())
                    }
                    (self.footer())
                }
            }
        }
    }

    fn header(&self) -> Markup {
        let headline = self.view.headline();
        let header = &self.view.record.header;
        html! {
            header.top.{ "tone-" (headline.tone.as_str()) } {
                p.kicker { "Countersign report · " (Shown::line(&header.target)) " against profile " (Shown::line(&header.profile)) }
                h1 { span.sign aria-hidden="true" { (headline.tone.symbol()) } " " (headline.title) }
                p.lead { (headline.sentence) }
                (self.first_cause())
                (self.counts())
                nav aria-label="Sections" {
                    ul {
                        @if !self.view.record.header.waivers.is_empty() { li { a href="#waivers" { "Waivers" } } }
                        @if self.view.comparison.is_some() { li { a href="#changes" { "Changes" } } }
                        @if !self.causes.is_empty() { li { a href="#failures" { "Failures" } } }
                        li { a href="#run" { "This run" } }
                        li { a href="#limits" { "What this does not show" } }
                        li { a href="#verify" { "How to check it" } }
                        li { a href="#requirements" { "Requirements" } }
                        @if self.has_healing() { li { a href="#healing" { "Forward secrecy" } } }
                        @if !self.odds.is_empty() { li { a href="#odds" { "Rare defects" } } }
                        @if !self.latencies.is_empty() { li { a href="#timing" { "Timing" } } }
                        li { a href="#scenarios" { "Scenarios" } }
                    }
                }
            }
        }
    }

    /// The instances by verdict: numbers with words, and a bar that repeats them.
    fn counts(&self) -> Markup {
        let counts = self.view.counts();
        let unfinished = self.view.unfinished().len() as u64;
        let mut parts: Vec<(String, u64)> = counts.iter().map(|(v, n)| (format!("v-{v}"), *n)).collect();
        parts.push(("v-unfinished".to_owned(), unfinished));
        html! {
            (bar(&parts))
            ul.counts aria-label="Scenarios by verdict" {
                @if counts.is_empty() { li { "No scenario was judged" } }
                @for (verdict, n) in &counts {
                    li { b { (grouped(*n)) } " " (badge(*verdict)) }
                }
                @if unfinished > 0 { li { b { (grouped(unfinished)) } " " (standing_badge(Standing::Unfinished)) } }
            }
        }
    }

    fn scenarios(&self) -> Markup {
        let instances = &self.view.record.instances;
        let unfinished = self.view.unfinished();
        // By folder, and in each folder what did not pass first.
        let mut folders: BTreeMap<&str, Vec<(usize, &InstanceResult)>> = BTreeMap::new();
        for (at, instance) in instances.iter().enumerate() {
            let folder = instance.scenario.split_once('/').map_or("", |(folder, _)| folder);
            folders.entry(folder).or_default().push((at, instance));
        }
        for list in folders.values_mut() {
            list.sort_by_key(|(at, i)| (matches!(i.verdict, Verdict::Pass | Verdict::NotApplicable), i.scenario.as_str(), *at));
        }
        html! {
            section aria-labelledby="scenarios" {
                h2 #scenarios { "Scenarios" }
                @if instances.is_empty() { p { "No scenario was judged in this run." } }
                @else {
                    p { "Each opens to its course: who sent what to whom, what the network did to it, and what users saw. "
                        "▸ marks what a failed check points to. Enlistment, acks and acceptances are left out. Of what passed, bytes and traces are in the record alone." }
                }
                @for (folder, list) in &folders {
                    h3 { (Shown::line(folder)) " " span.level { (counted(list.len() as u64, "scenario")) } }
                    @for (at, instance) in list { (self.instance(*at, instance)) }
                }
                @if !unfinished.is_empty() {
                    h3 { "Planned and not judged" }
                    p { "The run ended before these did. Nothing is known about them." }
                    ul.names { @for name in unfinished { li { code { (Shown::line(name)) } } } }
                }
            }
        }
    }

    fn footer(&self) -> Markup {
        html! {
            footer {
                p { "Made by Countersign " (Shown::line(&self.view.record.header.countersign)) " from the record alone. "
                    "Whoever holds the record can compute every verdict again, offline: " code { "countersign verify" } "." }
            }
        }
    }

    /// The id of an instance's place in the page.
    fn anchor(&self, at: usize) -> &str {
        self.anchors.get(at).map_or("scenarios", String::as_str)
    }
}

/// A bar in parts, each with its class and its size. Words beside it say the same.
fn bar(parts: &[(String, u64)]) -> Markup {
    let all: u64 = parts.iter().map(|(_, size)| size).sum();
    let begins = parts.iter().scan(0, |end, (_, size)| {
        let begin = *end;
        *end += size;
        Some(begin)
    });
    html! {
        @if all > 0 {
            svg.bar viewBox={ "0 0 " (all) " 1" } preserveAspectRatio="none" width="100%" height="10" aria-hidden="true" focusable="false" {
                @for ((class, size), begin) in parts.iter().zip(begins) { rect.(class) x=(begin) y="0" width=(size) height="1" {} }
            }
        }
    }
}

/// A verdict as sign and word.
fn badge(verdict: Verdict) -> Markup {
    html! { span.badge.{ "v-" (verdict.as_str()) } { span aria-hidden="true" { (symbol(verdict)) } " " (verdict.as_str()) } }
}

/// A standing as sign and word.
fn standing_badge(standing: Standing) -> Markup {
    match standing {
        Standing::Judged(verdict) => badge(verdict),
        other => html! {
            span.badge.{ "v-" (other.as_str()) } { span aria-hidden="true" { (other.symbol()) } " " (other.as_str().replace('-', " ")) }
        },
    }
}
