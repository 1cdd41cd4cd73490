//! Expectations about messages: shown, refused, not shown, and what a candidate may try.

use crate::support::flows::{refused, shown};
use crate::support::{World, id, text, user};
use countersign_contract::Reason;
use countersign_contract::portable::ReceiptType;
use countersign_trace::event::Fault;
use countersign_trace::{Blame, Event, Input, Outcome, Verdict};
use serde_json::{Value, json};

fn to_bob(name: &str) -> Value {
    json!({"send": {"from": "alice", "to": "bob", "as": name, "content": {"text": "x"}}})
}

fn bob_sees(names: &[&str]) -> Value {
    json!({"expect": {"shows": {"user": "bob", "messages": names, "in-order": true}}})
}

/// Alice sends m1 and m2 to bob, who is to see both. `deliver` is what the candidate makes of it.
fn two(deliver: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([to_bob("m1"), to_bob("m2"), bob_sees(&["m1", "m2"])]));
    w.step(0);
    w.reference_makes("m1", "alice", "bob");
    w.delivers("m1", "alice", "bob");
    w.step(1);
    w.reference_makes("m2", "alice", "bob");
    w.delivers("m2", "alice", "bob");
    deliver(&mut w);
    w.step(2);
    w.settle("bob", "m2");
    w.finish();
    w
}

fn honest(w: &mut World) {
    w.shows("m1", "m1", "alice", "bob");
    w.shows("m2", "m2", "alice", "bob");
}

#[test]
fn honest_messages_pass_every_check() {
    let w = two(honest);
    w.all_pass();
    assert!(!w.of_step(2).evidence.is_empty());
    assert_eq!(w.of_step(2).requirements, ["T-1"]);
}

#[test]
fn a_message_that_is_not_shown_fails() {
    let w = two(|w| w.shows("m1", "m1", "alice", "bob"));
    let check = w.says("step-2", Verdict::Fail, "not-shown");
    assert_eq!(check.likely_cause.as_deref(), Some("a usual cause"));
    assert_eq!(check.blame, Some(Blame::Candidate));
}

#[test]
fn a_good_message_that_is_refused_fails_with_its_reason() {
    let w = two(|w| {
        w.shows("m1", "m1", "alice", "bob");
        w.refuses("m2", "bob", Reason::BadMac);
    });
    assert_eq!(w.says("step-2", Verdict::Fail, "refused-good").reason, Some(Reason::BadMac));
}

#[test]
fn shown_twice_fails_twice() {
    let w = two(|w| {
        honest(w);
        w.sees("bob", shown("m1", "alice"));
    });
    w.says("step-2", Verdict::Fail, "shown-twice");
    w.says("shown-twice", Verdict::Fail, "shown-twice");
}

#[test]
fn shown_again_after_the_last_step_is_noticed() {
    let mut w = two(honest);
    w.trace.truncate(w.trace.iter().position(|e| e.event == Event::Finished).unwrap());
    w.sees("bob", shown("m1", "alice"));
    w.finish();
    w.says("step-2", Verdict::Fail, "shown-twice");
}

#[test]
fn another_order_fails() {
    let w = two(|w| {
        w.shows("m2", "m2", "alice", "bob");
        w.shows("m1", "m1", "alice", "bob");
    });
    w.says("step-2", Verdict::Fail, "out-of-order");
}

#[test]
fn another_content_or_sender_fails() {
    let w = two(|w| {
        honest(w);
        let mut what = shown("m1", "alice");
        what["content"] = text("the words of m1, long enough to be looked fo");
        w.replace_event("bob", 0, what);
    });
    let check = w.says("step-2", Verdict::Fail, "content-differs");
    assert!(check.observed.contains("differ from byte 44"), "{}", check.observed);
    w.says("never-sent", Verdict::Fail, "content-differs");
    let w = two(|w| {
        honest(w);
        w.replace_event("bob", 0, shown("m1", "dora"));
    });
    w.says("step-2", Verdict::Fail, "wrong-sender");
    w.says("never-sent", Verdict::Fail, "wrong-sender");
}

#[test]
fn what_nobody_sent_or_somebody_else_got_is_noticed() {
    let w = two(|w| {
        honest(w);
        let mut what = shown("m1", "alice");
        what["message"] = json!(id("made up"));
        w.sees("bob", what);
    });
    w.says("never-sent", Verdict::Fail, "never-sent");
    let w = two(|w| {
        honest(w);
        w.sees("carl", shown("m1", "alice"));
    });
    w.says("never-sent", Verdict::Fail, "never-sent");
    assert_eq!(w.of_step(2).verdict, Verdict::Pass);
}

#[test]
fn a_should_only_warns() {
    let mut w = two(|w| w.shows("m1", "m1", "alice", "bob"));
    w.requirements[0] = crate::support::requirement("T-1", "SHOULD");
    w.says("step-2", Verdict::Warn, "not-shown");
}

#[test]
fn a_message_that_was_never_delivered_is_our_own_fault() {
    let mut w = World::new(&json!([to_bob("m1"), bob_sees(&["m1"])]));
    w.step(0);
    w.reference_makes("m1", "alice", "bob");
    w.step(1);
    w.look("bob");
    w.finish();
    w.says("step-1", Verdict::HarnessError, "");
}

#[test]
fn a_candidate_without_a_channel_is_to_blame_for_what_waits() {
    let mut w = World::new(&json!([to_bob("m1"), bob_sees(&["m1"])]));
    w.input(Input::ChatClosed { channel: crate::support::channel("bob") });
    w.step(0);
    w.reference_makes("m1", "alice", "bob");
    w.step(1);
    w.look("bob");
    w.finish();
    w.says("step-1", Verdict::Fail, "not-shown");
}

#[test]
fn answers_that_cannot_be_judged_are_no_failure() {
    for (outcome, verdict, finding) in [
        (Outcome::Fault { fault: Fault::Gone, detail: "x".into() }, Verdict::EnvironmentError, ""),
        (Outcome::Ok(json!({"events": 7})), Verdict::EnvironmentError, ""),
        (Outcome::Problem(countersign_contract::Problem::new(Reason::Internal, "x")), Verdict::Fail, "operation-failed"),
        (Outcome::Problem(countersign_contract::Problem::unsupported("events")), Verdict::Fail, "claimed-unsupported"),
    ] {
        let mut w = two(honest);
        let last = w.trace.iter().rposition(|e| e.event == Event::Step { index: 2 }).unwrap();
        let answer = w.trace[last..].iter().position(|e| matches!(e.event, Event::Input(Input::Returned { .. }))).unwrap() + last;
        // The answer of `settle` comes first, that of `events` next.
        let Event::Input(Input::Returned { outcome: o, .. }) = &mut w.trace[answer + 2].event else { panic!() };
        *o = outcome;
        w.says("step-2", verdict, finding);
    }
}

#[test]
fn an_interrupted_trace_is_an_environment_error_from_there_on() {
    let mut w = two(honest);
    let step = w.trace.iter().rposition(|e| e.event == Event::Step { index: 2 }).unwrap();
    w.trace.truncate(step);
    for (cause, verdict) in [("the process ended", Verdict::EnvironmentError), ("harness: out of memory", Verdict::HarnessError)]
    {
        let mut w2 = World { trace: w.trace.clone(), ..two(honest) };
        w2.input(Input::aborted(cause));
        w2.says("step-2", verdict, "");
        w2.says("execution", verdict, "");
    }
    w.says("step-2", Verdict::HarnessError, "");
}

#[test]
fn a_skipped_step_is_blocked_and_names_what_is_missing() {
    let mut w = two(honest);
    let step = w.trace.iter().rposition(|e| e.event == Event::Step { index: 2 }).unwrap();
    w.trace[step].event = Event::Skipped { index: 2, missing: "the stanza m9".into() };
    assert!(w.says("step-2", Verdict::Blocked, "").observed.contains("the stanza m9"));
}

/// Alice's m1 is tampered with; bob is to refuse it.
fn tampered(make: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}, "network": {"tamper": "mac"}}},
        {"expect": {"refuses": {"user": "bob", "stanza": "m1", "reasons": ["bad-mac"]}}},
        {"expect": {"shows-nothing-of": {"user": "bob", "stanza": "m1"}}}
    ]));
    w.step(0);
    w.reference_makes("m1", "alice", "bob");
    w.log(Event::Disturbed { stanza: Some(id("m1")), how: "tampered with mac".into() });
    w.delivers("m1", "alice", "bob");
    make(&mut w);
    w.step(1);
    w.settle("bob", "m1");
    w.step(2);
    w.look("bob");
    w.finish();
    w
}

#[test]
fn a_bad_message_refused_for_the_right_reason_passes() {
    let w = tampered(|w| {
        w.refuses("m1", "bob", Reason::BadMac);
        w.receipt_in("m1", "alice", "bob", ReceiptType::Retry);
    });
    w.all_pass();
}

#[test]
fn a_bad_message_refused_wrongly_shown_or_dropped_fails() {
    let wrong = tampered(|w| w.refuses("m1", "bob", Reason::Malformed));
    let check = wrong.says("step-1", Verdict::Fail, "wrong-reason");
    assert!(check.observed.contains("malformed") && check.observed.contains("bad-mac"));
    tampered(|w| w.shows("m1", "m1", "alice", "bob")).says("step-1", Verdict::Fail, "shown");
    tampered(|w| w.shows("m1", "m1", "alice", "bob")).says("step-2", Verdict::Fail, "shown");
    tampered(|w| w.acks("m1", "bob")).says("step-1", Verdict::Fail, "no-answer");
}

#[test]
fn guessing_every_reason_does_not_help() {
    let w = tampered(|w| {
        w.refuses("m1", "bob", Reason::BadMac);
        w.sees("bob", refused("m1", Reason::Malformed));
    });
    w.says("step-1", Verdict::Fail, "wrong-reason");
    let w = tampered(|w| {
        w.refuses("m1", "bob", Reason::BadMac);
        w.sees("bob", refused("m1", Reason::BadMac));
    });
    w.says("step-1", Verdict::Fail, "refused-too-often");
}

#[test]
fn showing_and_refusing_is_showing() {
    for late in [false, true] {
        let mut w = tampered(|w| {
            w.refuses("m1", "bob", Reason::BadMac);
            if !late {
                w.sees("bob", shown("m1", "alice"));
            }
        });
        if late {
            w.trace.truncate(w.trace.iter().position(|e| e.event == Event::Finished).unwrap());
            w.sees("bob", shown("m1", "alice"));
            w.finish();
        }
        w.says("step-1", Verdict::Fail, "shown");
        w.says("step-2", Verdict::Fail, "shown");
    }
}

#[test]
fn a_refusal_that_comes_after_the_step_is_too_late() {
    let mut w = tampered(|w| w.acks("m1", "bob"));
    w.trace.truncate(w.trace.iter().position(|e| e.event == Event::Finished).unwrap());
    w.sees("bob", refused("m1", Reason::BadMac));
    w.finish();
    w.says("step-1", Verdict::Fail, "no-answer");
}

#[test]
fn what_was_never_tampered_with_is_our_own_fault() {
    let mut w = tampered(|w| w.shows("m1", "m1", "alice", "bob"));
    w.trace.retain(|e| !matches!(e.event, Event::Disturbed { .. }));
    w.says("step-1", Verdict::HarnessError, "");
}

#[test]
fn what_could_not_be_tampered_with_blocks_what_was_expected_of_it() {
    let world = |could: bool| {
        let mut w = World::new(&json!([
            {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}, "network": {"tamper": "pq-ratchet"}}},
            {"expect": {"refuses": {"user": "bob", "stanza": "m1", "reasons": ["bad-mac"]}}}
        ]));
        w.step(0);
        w.reference_makes("m1", "alice", "bob");
        if !could {
            w.log(Event::Skipped { index: 0, missing: "the field pq-ratchet is absent from this message".into() });
        }
        w.step(1);
        w.look("bob");
        w.finish();
        w
    };
    let w = world(false);
    assert!(w.says("step-0", Verdict::Blocked, "").observed.contains("pq-ratchet is absent"));
    assert!(w.says("step-1", Verdict::Blocked, "").observed.contains("step-0 was not carried out"));
    world(true).says("step-1", Verdict::HarnessError, "");
}

#[test]
fn what_is_sent_again_may_be_shown_once() {
    let again = |w: &mut World| {
        w.refuses("m1", "bob", Reason::BadMac);
        w.receipt_in("m1", "alice", "bob", ReceiptType::Retry);
        w.named("m1/resend");
        w.delivers("m1/resend", "alice", "bob");
        w.shows("m1/resend", "m1", "alice", "bob");
    };
    let mut w = tampered(again);
    // The last step must settle through what came last, so that every stanza is accounted for.
    w.scenario.steps[2] = serde_json::from_value(json!({"expect": {"shows": {"user": "bob", "messages": ["m1"]}}})).unwrap();
    w.all_pass();
    let w = tampered(|w| {
        again(w);
        w.sees("bob", shown("m1", "alice"));
    });
    w.says("step-1", Verdict::Fail, "shown");
}

/// m1 is shown, then replayed as r1 under a new id.
fn replayed(make: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([
        to_bob("m1"),
        bob_sees(&["m1"]),
        {"replay": {"stanza": "m1", "as": "r1"}},
        {"expect": {"refuses": {"user": "bob", "stanza": "r1", "reasons": ["duplicate"]}}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "bob");
    w.step(1);
    w.settle("bob", "m1");
    w.step(2);
    w.named("r1");
    w.delivers("r1", "alice", "bob");
    make(&mut w);
    w.step(3);
    w.settle("bob", "r1");
    w.finish();
    w
}

#[test]
fn a_replay_is_refused_and_its_original_stays_shown() {
    replayed(|w| w.refuses("r1", "bob", Reason::Duplicate)).all_pass();
}

#[test]
fn a_replay_that_is_shown_fails_under_whatever_id() {
    let w = replayed(|w| w.sees("bob", shown("m1", "alice")));
    w.says("step-3", Verdict::Fail, "shown");
    let w = replayed(|w| {
        w.refuses("r1", "bob", Reason::Duplicate);
        w.sees("bob", shown("r1", "alice"));
    });
    w.says("step-3", Verdict::Fail, "shown");
    w.says("never-sent", Verdict::Fail, "never-sent");
}

#[test]
fn a_misdelivered_message_is_nobodys_to_show() {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "carl", "as": "m1", "content": {"text": "x"}}},
        {"misdeliver": {"stanza": "m1", "to": "bob", "from": "alice", "as": "wrong"}},
        {"expect": {"shows-nothing-of": {"user": "bob", "stanza": "wrong"}}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "carl");
    w.step(1);
    w.named("wrong");
    w.delivers("wrong", "alice", "bob");
    let mut bad = w.trace.len();
    w.step(2);
    w.settle("bob", "wrong");
    w.finish();
    w.all_pass();
    w.trace.truncate(bad);
    bad = 0;
    w.sees("bob", shown("m1", "alice"));
    w.step(2);
    w.settle("bob", "wrong");
    w.finish();
    w.says("step-2", Verdict::Fail, "shown");
    assert_eq!(bad, 0);
}

#[test]
fn nothing_shown_is_only_believed_if_somebody_looked() {
    let mut w = tampered(|w| w.refuses("m1", "bob", Reason::BadMac));
    w.trace.retain(|e| !matches!(&e.event, Event::Call { op, args, .. } if op == "events" && args["user"] == json!(user("bob"))));
    w.says("step-2", Verdict::HarnessError, "");
}
