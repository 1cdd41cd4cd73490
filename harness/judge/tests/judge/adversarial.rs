//! What a candidate may write to mislead or crash the judge.

use crate::support::flows::shown;
use crate::support::{World, channel, id, user};
use countersign_contract::{Problem, Reason};
use countersign_judge::judge;
use countersign_trace::event::Fault;
use countersign_trace::{Blobs, Body, Digest, Entry, Event, Input, KeyMark, Observation, Outcome, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

/// m1 to bob; `answers` are all that bob's `events` ever says.
fn answered(answers: &[Value]) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"shows": {"user": "bob", "messages": ["m1"]}}}
    ]));
    w.step(0);
    w.reference_makes("m1", "alice", "bob");
    w.delivers("m1", "alice", "bob");
    w.acks("m1", "bob");
    w.step(1);
    let mut after = 0;
    for answer in answers {
        w.call("events", &json!({"user": user("bob"), "after": after, "wait_ms": 0}), Outcome::Ok(json!({"events": answer})));
        after = answer.as_array().and_then(|a| a.last()).map_or(after, |e| e["seq"].as_u64().unwrap_or(0));
    }
    w.step = None;
    w.log(Event::Finished);
    w
}

fn event(seq: u64) -> Value {
    json!({"seq": seq, "what": shown("m1", "alice")})
}

#[test]
fn repeated_numbers_hide_nothing() {
    answered(&[json!([event(1)])]).says("events", Verdict::Pass, "");
    let w = answered(&[json!([event(1), event(1)])]);
    w.says("events", Verdict::Fail, "events-out-of-order");
    w.says("step-1", Verdict::Fail, "shown-twice");
    let w = answered(&[json!([event(1)]), json!([event(1)])]);
    w.says("events", Verdict::Fail, "events-out-of-order");
    w.says("shown-twice", Verdict::Fail, "shown-twice");
    answered(&[json!([event(2)])]).says("events", Verdict::Fail, "events-out-of-order");
    answered(&[json!([event(u64::MAX)]), json!([event(u64::MAX), event(0)])]).says(
        "events",
        Verdict::Fail,
        "events-out-of-order",
    );
}

#[test]
fn an_answer_that_is_no_list_is_no_pass() {
    let mut w = answered(&[json!([event(1)])]);
    let at = w.trace.iter().rposition(|e| matches!(e.event, Event::Input(Input::Returned { .. }))).unwrap();
    w.trace[at].event = Event::Input(Input::Returned { call: u64::MAX, outcome: Outcome::Ok(json!({"events": [event(1)]})) });
    assert_ne!(w.check("step-1").verdict, Verdict::Pass);
}

#[test]
fn what_another_users_answers_say_counts_for_that_user() {
    let mut w = answered(&[json!([])]);
    w.call("events", &json!({"user": user("carl"), "after": 0, "wait_ms": 0}), Outcome::Ok(json!({"events": [event(1)]})));
    w.says("step-1", Verdict::Fail, "not-shown");
    w.says("never-sent", Verdict::Fail, "never-sent");
}

#[test]
fn a_token_of_somebody_else_gives_its_frames_to_that_user() {
    let mut w = World::new(&json!([{"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}}]));
    w.input(Input::ChatOpened { channel: 999, token: Some("token-carl".into()) });
    w.step(0);
    w.named("m1");
    let call = w.begin("send", &World::send_args("m1", "bob", "alice"));
    let stanza = crate::support::flows::message("m1", None, Some("alice"), vec![0; 4]);
    let text = w.body(stanza.to_json().as_bytes());
    w.input(Input::ChatFrame { channel: 999, text });
    w.end(call, Outcome::Ok(json!({})));
    w.finish();
    w.says("step-0", Verdict::Fail, "empty-success");
}

#[test]
fn what_a_candidate_says_is_quoted_short_and_clean() {
    let mut w = World::new(&json!([{"connect": "bob"}]));
    w.step(0);
    let noise = format!("\u{1b}[2J{}", "x".repeat(100_000));
    w.call("connect", &json!({"user": user("bob")}), Outcome::Problem(Problem::new(Reason::Internal, noise)));
    w.finish();
    let check = w.says("step-0", Verdict::Fail, "operation-failed");
    assert!(check.observed.len() < 300 && !check.observed.contains('\u{1b}'), "{}", check.observed);
}

fn small_id() -> impl Strategy<Value = countersign_contract::StanzaId> {
    prop_oneof![Just(id("m1")), Just(id("m2")), Just(id("m1/resend"))]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!({"events": [event(1)]})),
        Just(json!({"events": [event(1), event(u64::MAX), event(0)]})),
        Just(json!({"identity_key": "BQ"})),
        Just(json!({"digits": "1"})),
        Just(json!({"user": user("bob"), "after": u64::MAX, "through": id("m1")})),
        Just(json!({"user": user("bob"), "stanza": id("m2"), "to": user("alice"), "of": user("alice")})),
        Just(json!({"user": 7})),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        Just(Body::Text(crate::support::flows::message("m2", None, Some("alice"), vec![0x44, 0x22, 0xff, 1]).to_json())),
        Just(Body::Text(serde_json::to_string(&crate::support::bytes::enlist("bob")).unwrap())),
        Just(Body::Text(serde_json::to_string(&crate::support::bytes::bundle("bob", 0)).unwrap())),
        Just(Body::Text(r#"{"token":"t"}"#.into())),
        Just(Body::Stored { sha256: Digest([0; 32]), length: u64::MAX }),
        ".{0,30}".prop_map(Body::Text),
        proptest::collection::vec(any::<u8>(), 0..80).prop_map(|b| Body::Bytes(countersign_contract::Bytes(b))),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        value().prop_map(Outcome::Ok),
        Just(Outcome::Problem(Problem::new(Reason::Unsupported, ""))),
        Just(Outcome::Fault { fault: Fault::Gone, detail: String::new() }),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let path = prop_oneof![Just("/enlist"), Just("/keys"), Just("/media"), Just("/files/x"), Just("/keys/x"), Just("")];
    let method = prop_oneof![Just("GET"), Just("PUT"), Just("POST")];
    prop_oneof![
        (0u64..4, outcome()).prop_map(|(call, outcome)| Input::Returned { call, outcome }),
        (0u64..4, method, path, body()).prop_map(|(request, method, path, body)| Input::Request {
            request,
            method: method.into(),
            path: path.into(),
            token: Some("t".into()),
            body
        }),
        (0u64..3).prop_map(|channel| Input::ChatOpened { channel, token: Some("t".into()) }),
        (0u64..3, body()).prop_map(|(channel, text)| Input::ChatFrame { channel, text }),
        (0u64..3).prop_map(|channel| Input::ChatClosed { channel }),
        Just(Input::refused("PUT /keys", &countersign_contract::Problem::new(Reason::TooLarge, "x"))),
        (0u64..3).prop_map(|timer| Input::Timer { timer }),
        Just(Input::aborted("x")),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let op = prop_oneof![
        Just("send"),
        Just("events"),
        Just("settle"),
        Just("create_user"),
        Just("fetch_keys"),
        Just("verify_identity"),
        Just("x")
    ];
    let named = prop_oneof![Just("m1"), Just("m2"), Just("m1/resend"), Just("user:bob"), Just("user:alice"), Just("")];
    prop_oneof![
        3 => input().prop_map(Event::Input),
        2 => (0u64..4, op, value(), proptest::option::of(0usize..20))
            .prop_map(|(call, op, args, step)| Event::Call { call, op: op.into(), args, step }),
        1 => (0u64..4, any::<u16>(), body())
            .prop_map(|(request, status, body)| Event::Reply { request, status, content_type: String::new(), body, disturbed: false }),
        1 => (0u64..3, body()).prop_map(|(channel, text)| Event::Frame { channel, text }),
        2 => (0usize..20).prop_map(|index| Event::Step { index }),
        1 => (0usize..20).prop_map(|index| Event::Skipped { index, missing: String::new() }),
        2 => (named, small_id()).prop_map(|(name, stanza)| Event::Named { name: name.into(), stanza }),
        1 => (proptest::option::of(small_id()), prop_oneof![Just("fault f attempt 1"), Just("planned at 99999999999999999999"), Just("planned at 1")])
            .prop_map(|(stanza, how)| Event::Disturbed { stanza, how: how.into() }),
        1 => body().prop_map(|body| Event::FromReference { user: user("alice"), what: "stanza".into(), body }),
        1 => body().prop_map(|body| Event::ToReference { user: user("alice"), what: "stanza".into(), body }),
        1 => (small_id(), small_id()).prop_map(|(stanza, message)| Event::Observed {
            user: Some(user("alice")),
            observation: Observation::Shown { stanza, message, from: user("bob"), group: None, content: crate::support::flows::content("m2"), padded: u64::MAX }
        }),
        1 => small_id().prop_map(|stanza| Event::Observed {
            user: None,
            observation: Observation::Media { stanza, key: KeyMark::of(&[0; 32]), digest_ok: false, mac_ok: false, plaintext: None }
        }),
        1 => (0u64..3, any::<u64>()).prop_map(|(timer, after_us)| Event::SetTimer { timer, after_us }),
        1 => Just(Event::Finished),
        1 => Just(Event::Close { channel: channel("bob") }),
    ]
}

/// Steps and expectations of every kind.
fn every_step() -> Value {
    json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}, "network": "hold"}},
        {"send": {"from": "bob", "to": "alice", "as": "m2", "content": {"text": "x"}}},
        {"replay": {"stanza": "r", "as": "r"}},
        {"fetch-keys": {"user": "bob", "of": "alice", "as": "f"}},
        {"rotate-keys": {"user": "bob", "signed": true}},
        {"verify-identity": {"user": "bob", "peer": "alice", "as": "n"}},
        {"exchange": {"between": ["alice", "bob"], "messages": 2, "as": "x"}},
        {"burst": {"from": "alice", "to": "bob", "messages": 2, "every-ms": 1, "as": "p"}},
        {"fault": {"on": "message", "times": 1, "as": "f"}},
        {"expect": {"shows": {"user": "alice", "messages": ["m2", "m1", "nobody"]}}},
        {"expect": {"refuses": {"user": "bob", "stanza": "m1", "reasons": ["bad-mac"]}}},
        {"expect": {"shows-nothing-of": {"user": "bob", "stanza": "r"}}},
        {"expect": {"notice": {"user": "bob", "notice": "identity-changed", "about": "alice", "before": "m2"}}},
        {"expect": {"receipt": {"user": "alice", "receipt": "delivered", "of": "m1"}}},
        {"expect": {"problem": {"step": "f", "reasons": []}}},
        {"expect": {"wire": {"stanza": "m2", "one-time-prekey": true, "epoch-at-least": 1}}},
        {"expect": {"nothing-sent": {"user": "bob", "to": "alice", "after": "m2"}}},
        {"expect": {"same-safety-number": {"between": ["n", "n"]}}},
        {"expect": {"growing-pauses": {"fault": "f", "attempts": 2}}},
        {"expect": {"delivery-latency": {"burst": "p"}}},
        {"expect": {"different-files": {"between": ["m1", "m2"]}}},
        {"expect": {"keys-left": {"user": "bob", "at-least": 1}}}
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_trace_crashes_the_judge_or_passes_what_it_does_not_show(
        events in proptest::collection::vec((any_event(), any::<u64>(), any::<u64>()), 0..60),
    ) {
        let w = World::bare(&every_step());
        let trace: Vec<Entry> = events.into_iter().map(|(event, n, at_us)| Entry { n, at_us, event }).collect();
        let checks = judge(&w.profile, &w.requirements, &w.scenario, &trace, &Blobs::new(), &w.description);
        let again = judge(&w.profile, &w.requirements, &w.scenario, &trace, &Blobs::new(), &w.description);
        prop_assert_eq!(&checks, &again);
        // Every expectation has its verdict, and a message that was never delivered is never said to be refused rightly.
        prop_assert_eq!(checks.iter().filter(|c| c.step.is_some_and(|s| s >= 9)).count(), 13);
        let refuses = checks.iter().find(|c| c.id == "step-10").unwrap();
        prop_assert_ne!(refuses.verdict, Verdict::Pass);
        prop_assert_ne!(countersign_judge::worst(&checks), Verdict::Pass);
    }
}

#[test]
fn an_id_that_was_seen_cannot_be_taken_over_afterwards() {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"wire": {"stanza": "m1", "epoch-at-least": 9}}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "bob");
    let body = crate::support::bytes::signal("r", 1, &crate::support::bytes::noise("c", 176), Some(9));
    w.frame_in("bob", &crate::support::flows::message("m1", None, Some("alice"), body));
    w.step(1);
    w.settle("bob", "m1");
    w.finish();
    assert_ne!(w.check("step-1").verdict, Verdict::Pass);
}
