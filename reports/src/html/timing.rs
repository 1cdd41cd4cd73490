//! How long messages took.

use super::Page;
use super::badge;
use crate::latency::{Latency, chart, sentence};
use crate::measure::{counted, grouped, time};
use maud::{Markup, html};

impl Page<'_, '_> {
    pub(super) fn timing(&self) -> Markup {
        html! {
            @if !self.latencies.is_empty() {
                section aria-labelledby="timing" {
                    h2 #timing { "Timing" }
                    p { "Messages were sent at planned times, whether or not earlier ones had arrived, and each time counts from the plan. "
                        "The interval holds the true 95th percentile with a confidence of 95 % on either side, from the order of the samples alone; "
                        "samples under load are not independent, so it is no guarantee. The limit is ours: no gatekeeper publishes one." }
                    @for latency in &self.latencies { (self.latency(latency)) }
                }
            }
        }
    }

    fn latency(&self, latency: &Latency<'_>) -> Markup {
        let id = format!("l-{}-{}", latency.instance, latency.measure.step);
        let about = sentence(latency);
        html! {
            figure.latency {
                figcaption id=(id) {
                    @if let Some(check) = latency.check { (badge(check.verdict)) " " }
                    (self.link(latency.instance)) ": " (about)
                }
                .wide tabindex="0" role="group" aria-labelledby=(id) { (chart(latency, &about)) }
                (numbers(latency))
            }
        }
    }
}

fn numbers(latency: &Latency<'_>) -> Markup {
    let never = |micros: u64| if micros == u64::MAX { "never".to_owned() } else { time(micros) };
    let p95 = latency.p95();
    html! {
        dl.numbers {
            div { dt { "Messages" } dd { (grouped(latency.arrived.len() as u64 + latency.missing))
                @if latency.missing > 0 { ", " (counted(latency.missing, "arrival")) " missing" } } }
            @if let Some(median) = latency.median() { div { dt { "p50" } dd { (never(median)) } } }
            @if let Some(p95) = p95 {
                div { dt { "p95" } dd { (never(p95.estimate)) } }
                div { dt { "p95 interval" } dd { (never(p95.lower)) " to " @match p95.upper { Some(upper) => (never(upper)), None => "unknown: too few samples" } } }
            } @else { div { dt { "p95" } dd { "not computed: no samples, or too many" } } }
            @if let (Some(first), Some(last)) = (latency.arrived.first(), latency.arrived.last()) {
                div { dt { "Fastest and slowest" } dd { (time(*first)) ", " (time(*last)) } }
            }
            div { dt { "Limit on p95" } dd { (time(latency.measure.limit_ms.saturating_mul(1_000))) } }
        }
    }
}
