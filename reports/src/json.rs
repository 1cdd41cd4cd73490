//! The machine-readable summary: what the other reports say, as JSON with a version.

use crate::odds::{odds, rarest, rounded_down};
use crate::view::View;
use countersign_trace::Check;
use serde_json::{Value, json};

/// Version of the summary's form. It changes when a member changes its meaning or goes away; members may be added.
const SUMMARY_VERSION: u32 = 1;

/// The summary of a record as JSON. Texts are as in the record, not made visible: a JSON string is inert until it is shown.
#[must_use]
pub fn json_summary(view: &View<'_>) -> Value {
    let record = view.record;
    let headline = view.headline();
    let coverage = view.coverage();
    let requirements: Vec<Value> = view
        .standings()
        .iter()
        .map(|s| {
            let scenarios: Vec<String> =
                s.instances.iter().filter_map(|(at, _)| Some(record.instances.get(*at)?.name())).collect();
            json!({ "id": s.id, "standing": s.standing.as_str(), "counts": s.counts(), "instances": scenarios })
        })
        .collect();
    let odds: Vec<Value> = odds(view)
        .iter()
        .map(|odds| {
            json!({
                "of": odds.what, "direction": odds.direction(), "chances": odds.chances,
                "one_in_ten_found_with": rounded_down(odds.one_in_ten(), 10_000.0), "found_with_95_percent_up_to_one_in": rarest(odds.chances),
            })
        })
        .collect();
    let instances: Vec<Value> = record
        .instances
        .iter()
        .map(|i| {
            let checks: Vec<Value> = i.checks.iter().map(check).collect();
            json!({
                "name": i.name(), "verdict": i.verdict, "expected_failure": view.is_expected(i),
                "wall_us": i.wall_us, "own_us": i.own_us, "crypto_us": i.crypto_us, "checks": checks,
            })
        })
        .collect();
    json!({
        "summary": SUMMARY_VERSION,
        "countersign": record.header.countersign,
        "started": record.header.started,
        "profile": record.header.profile,
        "target": record.header.target,
        "carrier": record.header.carrier,
        "suite": record.header.suite,
        "chain": view.chain,
        "headline": { "tone": headline.tone.as_str(), "title": headline.title, "sentence": headline.sentence },
        "verdict": record.summary.as_ref().map(|s| s.verdict),
        "exit_code": record.summary.as_ref().map(|s| s.exit_code),
        "complete": record.summary.as_ref().is_some_and(|s| s.interrupted.is_none()),
        "cut_off": record.cut_off,
        "partial": view.partial(),
        "counts": view.counts().into_iter().map(|(v, n)| (v.as_str().to_owned(), json!(n))).collect::<serde_json::Map<_, _>>(),
        "coverage": {
            "requirements": coverage.all, "decided": coverage.decided, "passed": coverage.passed, "failed": coverage.failed, "waived": coverage.waived,
            "self_tests": coverage.self_tests,
        },
        "doctor": record.doctor.as_ref().map(|d| &d.examinations),
        "requirements": requirements,
        "instances": instances,
        "odds": odds,
        "repeats": record.repeats.iter().map(|r| json!({ "of": r.result.name(), "number": r.number, "verdict": r.result.verdict })).collect::<Vec<_>>(),
        "left_out": record.plan.as_ref().map(|p| &p.left_out),
        "unfinished": view.unfinished(),
        "checks": record.summary.as_ref().map(|s| s.checks.iter().map(check).collect::<Vec<_>>()),
        "waivers": view.waivers_json(),
        "baseline": view.comparison,
        "times": record.summary.as_ref().map(|s| s.times),
    })
}

fn check(check: &Check) -> Value {
    json!({
        "id": check.id, "kind": check.kind, "step": check.step, "requirements": check.requirements, "verdict": check.verdict,
        "expected": check.expected, "observed": check.observed, "reason": check.reason, "finding": check.finding,
        "blame": check.blame, "likely_cause": check.likely_cause, "waiver": check.waiver,
    })
}
