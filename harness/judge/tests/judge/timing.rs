//! Latency and pauses.

use crate::support::flows::{receipt, shown};
use crate::support::{World, id};
use countersign_contract::portable::ReceiptType;
use countersign_trace::{Event, Input, Verdict};
use serde_json::json;

/// A burst of `count` messages every 10 ms; the message and its receipt arrive `late_us(i)` after the plan, and the sends themselves
/// `lag_us` after it.
pub(crate) fn burst(count: u32, lag_us: u64, late_us: impl Fn(u32) -> Option<u64>) -> World {
    let mut w = World::new(&json!([
        {"burst": {"from": "alice", "to": "bob", "messages": count, "every-ms": 10, "as": "p"}},
        {"expect": {"delivery-latency": {"burst": "p"}}},
        {"expect": {"receipt-latency": {"burst": "p"}}}
    ]));
    w.now = 1_000_000;
    w.step(0);
    for i in 1..=count {
        let name = format!("p{i}");
        let planned = 1_000_000 + u64::from(i) * 10_000_000;
        w.now = planned + lag_us;
        w.reference_makes(&name, "alice", "bob");
        w.log(Event::Disturbed { stanza: Some(id(&name)), how: format!("planned at {planned}") });
        w.delivers(&name, "alice", "bob");
        if let Some(late) = late_us(i) {
            w.now = planned + late;
            w.sees("bob", shown(&name, "alice"));
            w.frame_in("bob", &receipt(&name, ReceiptType::Delivered, None, Some("alice")));
            w.look("bob");
        }
        w.acks(&name, "bob");
    }
    w.step(1);
    w.step(2);
    w.finish();
    w
}

fn both(w: &World, verdict: Verdict, finding: &str) {
    w.says("step-1", verdict, finding);
    w.says("step-2", verdict, finding);
}

#[test]
fn latency_passes_fails_or_is_inconclusive_by_its_bounds() {
    burst(60, 1000, |_| Some(5_000)).all_pass();
    both(&burst(60, 1000, |_| Some(150_000)), Verdict::Fail, "too-slow");
    // Two of 60 over the limit: too many for the upper bound, too few for the lower one.
    both(&burst(60, 1000, |i| Some(if i <= 2 { 150_000 } else { 5_000 })), Verdict::Inconclusive, "");
    // Fewer than 59 samples can never pass.
    both(&burst(58, 1000, |_| Some(5_000)), Verdict::Inconclusive, "");
    assert!(burst(60, 1000, |_| Some(150_000)).check("step-1").observed.contains("60 messages"));
}

#[test]
fn each_latency_decides_its_own_requirement_alone() {
    let mut w = burst(60, 1000, |_| Some(150_000));
    w.scenario.verifies = vec!["CT-04".into(), "CT-05".into()];
    assert_eq!(w.check("step-1").requirements, ["CT-04"]);
    assert_eq!(w.check("step-2").requirements, ["CT-05"]);
    // In a scenario about something else, they decide what it verifies.
    w.scenario.verifies = vec!["T-1".into()];
    assert_eq!(w.check("step-2").requirements, ["T-1"]);
}

#[test]
fn what_never_arrives_is_slower_than_any_limit() {
    both(&burst(60, 1000, |i| (i > 20).then_some(5_000)), Verdict::Fail, "too-slow");
}

#[test]
fn our_own_lag_is_nobodys_fault() {
    both(&burst(60, 60_000, |_| Some(150_000)), Verdict::EnvironmentError, "");
    both(&burst(60, 60_000, |_| Some(70_000)), Verdict::EnvironmentError, "");
}

/// Attempts of bob's upload with these pauses between them; all but the last fail.
pub(crate) fn attempts(pauses_us: &[u64], timer_lag_us: u64) -> World {
    let mut w = World::new(&json!([
        {"fault": {"on": "put-media", "times": 3, "as": "f"}},
        {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"growing-pauses": {"fault": "f", "attempts": 4}}}
    ]));
    w.log(Event::SetTimer { timer: 1, after_us: 10 });
    w.now += 10 + timer_lag_us;
    w.input(Input::Timer { timer: 1 });
    w.step(0);
    w.step(1);
    w.request("PUT", "/media", Some("bob"), b"blob", if pauses_us.is_empty() { 200 } else { 503 }, b"");
    let mut k = 1;
    if !pauses_us.is_empty() {
        w.log(Event::Disturbed { stanza: None, how: "fault f attempt 1".into() });
    }
    for (i, pause) in pauses_us.iter().enumerate() {
        w.now += pause;
        let last = i + 1 == pauses_us.len();
        w.request("PUT", "/media", Some("bob"), b"blob", if last { 200 } else { 503 }, b"");
        if !last {
            k += 1;
            w.log(Event::Disturbed { stanza: None, how: format!("fault f attempt {k}") });
        }
    }
    w.log(Event::Disturbed { stanza: None, how: "fault f2 attempt 1".into() });
    w.candidate_sends("m1", "bob", "alice");
    w.step(2);
    w.finish();
    w
}

#[test]
fn pauses_grow() {
    attempts(&[50_000, 100_000, 200_000], 0).all_pass();
    attempts(&[60_000, 110_000, 205_000], 0).all_pass();
}

#[test]
fn pauses_that_do_not_grow_or_are_too_short_fail() {
    attempts(&[50_000, 50_000, 50_000], 0).says("step-2", Verdict::Fail, "pauses-do-not-grow");
    attempts(&[50_000, 60_000, 70_000], 0).says("step-2", Verdict::Fail, "pauses-do-not-grow");
    attempts(&[1_000, 2_000, 4_000], 0).says("step-2", Verdict::Fail, "pauses-do-not-grow");
    let check = attempts(&[50_000, 50_000, 50_000], 0).check("step-2");
    assert!(check.observed.contains("50, 50, 50 ms"), "{}", check.observed);
}

#[test]
fn too_few_attempts_fail() {
    attempts(&[50_000, 100_000], 0).says("step-2", Verdict::Fail, "not-repeated");
    attempts(&[], 0).says("step-2", Verdict::Fail, "not-repeated");
}

#[test]
fn lag_of_ours_is_allowed_for_and_above_its_limit_an_environment_error() {
    attempts(&[50_000, 70_000, 95_000], 5_000).says("step-2", Verdict::Pass, "");
    attempts(&[50_000, 50_000, 50_000], 60_000).says("step-2", Verdict::EnvironmentError, "");
}
