//! Samples drawn as a histogram over a logarithmic axis, with percentiles and the limit.

use super::samples::Latency;
use crate::measure::{counted, time};
use maud::{Markup, html};

const WIDTH: u64 = 640;
const LEFT: u64 = 32;
const RIGHT: u64 = 96;
/// Where the bars stand and how high they can be.
const BASE: u64 = 132;
const HIGHEST: u64 = 84;
/// Bars for each factor of ten.
const BINS: u64 = 8;

/// The drawing; `name` is told to those who do not see it. The numbers stand after it.
pub(crate) fn chart(latency: &Latency<'_>, name: &str) -> Markup {
    let limit_us = latency.measure.limit_ms.saturating_mul(1_000);
    let p95 = latency.p95();
    let largest = latency.arrived.last().copied().unwrap_or(1).max(limit_us);
    let smallest = latency.arrived.first().copied().unwrap_or(1_000).min(limit_us).max(1);
    let axis = Axis::over(smallest, largest);
    let bins = axis.bins(&latency.arrived);
    let tallest = bins.iter().map(|(_, n)| *n).max().unwrap_or(1).max(latency.missing).max(1);
    let height = |n: u64| (n * HIGHEST).div_ceil(tallest);
    let bar = WIDTH - RIGHT + 34;
    html! {
        svg.lat role="img" aria-label={ "Histogram of " (name) ". The numbers stand after it." }
            viewBox={ "0 0 " (WIDTH) " 178" } width=(WIDTH) height="178" {
            @for (decade, x) in axis.ticks() {
                path.gr d={ "M" (x) " 30V" (BASE) } {}
                text.tk x=(x) y=(BASE + 16) { (time(decade)) }
            }
            path.ax d={ "M" (LEFT) " " (BASE) "H" (WIDTH - RIGHT) } {}
            @for (x, n) in &bins {
                @if *n > 0 { rect.br x=(x) y=(BASE - height(*n)) width=(axis.bin_width()) height=(height(*n)) {} }
            }
            @if latency.missing > 0 {
                rect.nv x=(bar) y=(BASE - height(latency.missing)) width="22" height=(height(latency.missing)) {}
                text.tk x=(bar + 11) y=(BASE + 16) { "never: " (latency.missing) }
            }
            @if let Some(p95) = &p95 {
                @let from = axis.x(p95.lower);
                @let to = p95.upper.map_or(WIDTH - RIGHT, |upper| axis.x(upper));
                // The interval is a bracket under the axis; open to the right if there is no upper bound.
                path.iv d={ "M" (from) " " (BASE + 22) "v7H" (to) @if p95.upper.is_some() { "v-7" } } {}
                path.p95 d={ "M" (axis.x(p95.estimate)) " 34V" (BASE) } {}
                text.lb x=(axis.x(p95.estimate)) y=(BASE + 44) { "p95 with its 95 % interval" }
            }
            @if let Some(median) = latency.median() {
                path.p50 d={ "M" (axis.x(median)) " 34V" (BASE) } {}
                text.lb x=(axis.x(median)) y="27" { "p50" }
            }
            path.lm d={ "M" (axis.x(limit_us)) " 14V" (BASE) } {}
            text.lb x=(axis.x(limit_us)) y="11" { "limit " (time(limit_us)) }
        }
    }
}

/// What the chart says, for the caption and for the drawing's name.
pub(crate) fn sentence(latency: &Latency<'_>) -> String {
    let end = if latency.measure.receipt { "its delivery receipt is at the gateway" } else { "it is shown" };
    let all = latency.arrived.len() as u64 + latency.missing;
    format!("the time from the planned send of a message until {end}, {}", counted(all, "message"))
}

/// A logarithmic axis of whole decades.
struct Axis {
    /// The least power of ten, and how many decades there are.
    first: u32,
    decades: u32,
}

impl Axis {
    fn over(smallest: u64, largest: u64) -> Self {
        let first = smallest.max(1).ilog10().min(11);
        let last = (largest.max(2) - 1).ilog10().min(11) + 1;
        Self { first, decades: last.saturating_sub(first).max(1) }
    }

    fn span(&self) -> u64 {
        WIDTH - LEFT - RIGHT
    }

    fn bin_width(&self) -> u64 {
        (self.span() / (u64::from(self.decades) * BINS)).saturating_sub(1).max(2)
    }

    /// Where a time stands; what is beyond the axis stands at its end.
    fn x(&self, micros: u64) -> u64 {
        let end = WIDTH - RIGHT;
        if micros == u64::MAX {
            return end;
        }
        #[expect(clippy::cast_precision_loss, reason = "drawn to a pixel")]
        let share = ((micros.max(1) as f64).log10() - f64::from(self.first)) / f64::from(self.decades);
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let x = share.clamp(0.0, 1.0) * self.span() as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a few hundred")]
        let x = x.round() as u64;
        (LEFT + x).min(end)
    }

    fn ticks(&self) -> Vec<(u64, u64)> {
        (0..=self.decades).map(|at| 10_u64.saturating_pow(self.first + at)).map(|micros| (micros, self.x(micros))).collect()
    }

    /// How many samples fall into each bar, with where it stands.
    fn bins(&self, samples: &[u64]) -> Vec<(u64, u64)> {
        let count = u64::from(self.decades) * BINS;
        let mut bins = vec![0_u64; usize::try_from(count).unwrap_or(0)];
        let span = self.span();
        for sample in samples {
            let at = ((self.x(*sample) - LEFT) * count / span).min(count - 1);
            if let Some(slot) = usize::try_from(at).ok().and_then(|at| bins.get_mut(at)) {
                *slot += 1;
            }
        }
        bins.into_iter().zip(0..).map(|(n, at)| (LEFT + at * span / count, n)).collect()
    }
}
