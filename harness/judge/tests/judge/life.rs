//! Users who leave and come back, sessions that begin anew, and what has an end.

use crate::support::flows::{message, receipt, refused};
use crate::support::{World, bytes, channel, id, user};
use countersign_contract::portable::{Enlist, MessageType, ReceiptType, Stanza};
use countersign_contract::{Bytes, Problem, Reason};
use countersign_trace::event::Fault;
use countersign_trace::{Event, Input, Observation, Outcome, Verdict};
use serde_json::json;

/// Bob with other keys.
fn anew() -> Enlist {
    Enlist { user: user("bob"), ..bytes::enlist("bob again") }
}

/// Bob is deleted; whether the gateway is told, and what his client does afterwards.
fn deletion(told: bool, afterwards: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([
        {"delete-user": "bob"},
        {"send": {"from": "carl", "to": "alice", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"silent": {"user": "bob"}}}
    ]));
    w.step(0);
    let call = w.begin("delete_user", &json!({"user": user("bob")}));
    if told {
        w.request("DELETE", "/user", Some("bob"), b"", 200, b"{}");
    }
    w.end(call, Outcome::Ok(json!({})));
    w.step(1);
    w.candidate_sends("m1", "carl", "alice");
    afterwards(&mut w);
    w.step(2);
    w.step = None;
    w.log(Event::Finished);
    w.look("carl");
    w.call("close", &json!({}), Outcome::Ok(json!({})));
    w
}

#[test]
fn who_is_deleted_is_silent_and_the_gateway_was_told() {
    deletion(true, |_| {}).all_pass();
    deletion(false, |_| {}).says("step-0", Verdict::Fail, "empty-success");
    let frame = deletion(true, |w| w.acks("m1", "bob"));
    frame.says("step-2", Verdict::Fail, "sent-undue");
    let request = deletion(true, |w| w.request("GET", "/keys/x", Some("bob"), b"", 403, b"{}"));
    request.says("step-2", Verdict::Fail, "sent-undue");
    let connection = deletion(true, |w| w.input(Input::ChatOpened { channel: 7, token: Some("token-bob".into()) }));
    connection.says("step-2", Verdict::Fail, "sent-undue");
    // Carl, who lives on, may say what he likes, and so may Bob once he is created anew.
    deletion(true, |w| w.request("GET", "/keys/x", Some("carl"), b"", 404, b"{}")).says("step-2", Verdict::Pass, "");
    let created = deletion(true, |w| {
        w.create("bob", &anew());
        w.connect("bob");
    });
    created.says("step-2", Verdict::Pass, "");
}

/// Alice asks for m1 again and Bob sends so many stanzas.
fn resends(count: u32) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"resends": {"user": "bob", "to": "alice", "of": "m1", "at-least": 1, "at-most": 2}}}
    ]));
    w.step(0);
    w.candidate_sends("m1", "bob", "alice");
    for i in 0..count {
        let body = bytes::signal("again", i, &bytes::noise(&format!("again {i}"), 176), Some(1));
        let stanza = message(&format!("again {i}"), None, Some("alice"), body);
        w.frame_in("bob", &stanza);
        // The very same stanza after an error of the gateway is no further resend.
        w.frame_in("bob", &stanza);
    }
    w.step(1);
    w.finish();
    w
}

#[test]
fn resends_are_counted_by_stanza() {
    resends(0).says("step-1", Verdict::Fail, "not-resent");
    resends(1).all_pass();
    resends(2).all_pass();
    resends(3).says("step-1", Verdict::Fail, "too-many-resends");
}

/// Two messages that bob refuses for different reasons, and what he answers to each.
fn answered(to_m1: impl FnOnce(&mut World), to_m2: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"send": {"from": "alice", "to": "bob", "as": "m2", "content": {"text": "x"}}},
        {"expect": {"answers-alike": {"user": "bob", "stanzas": ["m1", "m2"]}}}
    ]));
    w.step(0);
    w.reference_makes("m1", "alice", "bob");
    w.delivers("m1", "alice", "bob");
    to_m1(&mut w);
    w.refuses("m1", "bob", Reason::BadMac);
    w.step(1);
    w.reference_makes("m2", "alice", "bob");
    w.delivers("m2", "alice", "bob");
    to_m2(&mut w);
    w.refuses("m2", "bob", Reason::BadPadding);
    w.step(2);
    w.finish();
    w
}

#[test]
fn answers_to_bad_messages_are_held_against_each_other() {
    let asks = |of: &'static str| move |w: &mut World| w.frame_in("bob", &receipt(of, ReceiptType::Retry, None, Some("alice")));
    let differ = |w: World| w.says("step-2", Verdict::Fail, "answers-differ");
    answered(asks("m1"), asks("m2")).all_pass();
    answered(|_| {}, |_| {}).all_pass();
    // The same frame once more, after an error of the gateway.
    answered(asks("m1"), |w| (0..2).for_each(|_| asks("m2")(w))).all_pass();
    // Given once more, as after a broken connection, and asked for once more.
    let again = |w: &mut World| {
        asks("m2")(w);
        w.delivers("m2", "alice", "bob");
        let Stanza::Receipt { to, from, r#type, of, .. } = receipt("m2", ReceiptType::Retry, None, Some("alice")) else { return };
        w.frame_in("bob", &Stanza::Receipt { id: id("second"), to, from, r#type, of, count: Some(2) });
    };
    let twice = answered(asks("m1"), again);
    assert_eq!(twice.of_step(2).verdict, Verdict::Pass);
    let said = differ(answered(asks("m1"), |_| {})).observed;
    assert!(said.contains("for m1: a retry receipt with count 1 to alice, ") && said.contains("for m2: no receipt"), "{said}");
    differ(answered(|_| {}, asks("m2")));
    // Of another kind, to somebody else, counted otherwise.
    differ(answered(asks("m1"), |w| w.frame_in("bob", &receipt("m2", ReceiptType::Delivered, None, Some("alice")))));
    differ(answered(asks("m1"), |w| w.frame_in("bob", &receipt("m2", ReceiptType::Retry, None, Some("dora")))));
    // Of the same meaning, and longer.
    let longer = |w: &mut World| {
        let text = receipt("m2", ReceiptType::Retry, None, Some("alice")).to_json().replacen(',', ", ", 1);
        w.raw_in("bob", &text);
    };
    differ(answered(asks("m1"), longer));
    // What is about another message is no answer to this one.
    answered(asks("m1"), |w| {
        asks("m2")(w);
        w.delivers("m9", "dora", "bob");
        w.frame_in("bob", &receipt("m9", ReceiptType::Retry, None, Some("dora")));
    })
    .says("step-2", Verdict::Pass, "");
}

#[test]
fn what_was_never_delivered_has_no_answer_to_compare() {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"send": {"from": "alice", "to": "bob", "as": "m2", "content": {"text": "x"}}},
        {"expect": {"answers-alike": {"user": "bob", "stanzas": ["m1", "m2"]}}}
    ]));
    w.step(0);
    w.reference_makes("m1", "alice", "bob");
    w.delivers("m1", "alice", "bob");
    w.refuses("m1", "bob", Reason::BadMac);
    w.step(1);
    w.reference_makes("m2", "alice", "bob");
    w.step(2);
    w.finish();
    w.says("step-2", Verdict::Blocked, "");
}

/// The gateway gives bob something odd, and then an honest message.
fn odd(ack: bool, later: bool, hung_up: bool) -> World {
    let mut w = World::new(&json!([
        {"unknown-stanza": {"to": "bob", "as": "odd"}},
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"acknowledges": {"user": "bob", "stanza": "odd"}}}
    ]));
    w.step(0);
    w.named("odd");
    let text = w.body(json!({"kind": "announcement", "id": id("odd")}).to_string().as_bytes());
    w.log(Event::Frame { channel: channel("bob"), text });
    if ack {
        w.acks("odd", "bob");
    }
    w.step(1);
    w.reference_makes("m1", "alice", "bob");
    w.delivers("m1", "alice", "bob");
    if later {
        w.shows("m1", "m1", "alice", "bob");
    }
    if hung_up {
        w.input(Input::ChatClosed { channel: channel("bob") });
    }
    w.step(2);
    w.finish();
    w
}

#[test]
fn what_is_never_acknowledged_is_found_once_something_came_after_it() {
    odd(true, true, false).all_pass();
    odd(false, true, false).says("step-2", Verdict::Fail, "not-acknowledged");
    odd(false, false, true).says("step-2", Verdict::Fail, "not-acknowledged");
    odd(false, false, false).says("step-2", Verdict::Inconclusive, "");
}

#[test]
fn a_connection_that_has_to_fail_does() {
    let world = |outcome: Outcome| {
        let mut w = World::new(&json!([
            {"try-connect": {"user": "bob", "as": "back"}},
            {"expect": {"problem": {"step": "back", "reasons": ["not-enlisted"]}}}
        ]));
        w.step(0);
        w.call("connect", &json!({"user": user("bob")}), outcome);
        w.step(1);
        w.finish();
        w
    };
    world(Outcome::Problem(Problem::new(Reason::NotEnlisted, ""))).all_pass();
    world(Outcome::Ok(json!({}))).says("step-1", Verdict::Fail, "accepted");
    world(Outcome::Problem(Problem::new(Reason::Internal, ""))).says("step-1", Verdict::Fail, "wrong-reason");
}

#[test]
fn what_the_gateway_refused_was_not_sent_anyway() {
    let world = |refused: Option<Reason>| {
        let mut w = World::new(&json!([
            {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
            {"expect": {"problem": {"step": "m1", "reasons": ["unknown-user"]}}}
        ]));
        w.step(0);
        w.named("m1");
        let call = w.begin("send", &World::send_args("m1", "bob", "alice"));
        w.frame_in("bob", &message("m1", None, Some("alice"), bytes::signal("r", 1, &bytes::noise("c", 176), Some(1))));
        if let Some(reason) = refused {
            w.frame_out("bob", &Stanza::Refused { id: id("m1"), problem: Problem::new(reason, "") });
        }
        w.end(call, Outcome::Problem(Problem::new(Reason::UnknownUser, "")));
        w.step(1);
        w.finish();
        w
    };
    world(Some(Reason::UnknownUser)).all_pass();
    world(None).says("step-1", Verdict::Fail, "sent-anyway");
    world(Some(Reason::Busy)).says("step-1", Verdict::Fail, "sent-anyway");
}

/// Two first messages of bob, of these sessions.
fn first_messages(second: &str) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
        {"send": {"from": "bob", "to": "alice", "as": "m2", "content": {"text": "x"}}},
        {"expect": {"wire": {"stanza": "m2", "new-session-since": "m1"}}}
    ]));
    for (step, (name, session)) in [("m1", "one"), ("m2", second)].into_iter().enumerate() {
        w.step(step);
        w.named(name);
        let call = w.begin("send", &World::send_args(name, "bob", "alice"));
        let inner = bytes::signal(session, u32::try_from(step).unwrap(), &bytes::noise(name, 176), Some(1));
        let (r#type, body) = match session {
            "" => (MessageType::Normal, inner),
            _ => (MessageType::Prekey, bytes::first("bob", session, None, &inner)),
        };
        let stanza = Stanza::Message { id: id(name), to: Some(user("alice")), from: None, r#type, body: Bytes(body) };
        w.frame_in("bob", &stanza);
        w.end(call, Outcome::Ok(json!({})));
    }
    w.step(2);
    w.finish();
    w
}

#[test]
fn a_session_that_has_to_be_new_is() {
    first_messages("two").says("step-2", Verdict::Pass, "");
    first_messages("one").says("step-2", Verdict::Fail, "old-session");
    first_messages("").says("step-2", Verdict::Fail, "old-session");
}

#[test]
fn a_user_who_is_created_anew_begins_a_new_log_and_is_shown_nothing_twice() {
    let world = |again: bool| {
        let mut w = World::new(&json!([
            {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
            {"reinstall": "bob"},
            {"replay": {"stanza": "m1", "as": "again"}},
            {"expect": {"refuses": {"user": "bob", "stanza": "again", "reasons": ["unknown-prekey"]}}}
        ]));
        w.step(0);
        w.arrives("m1", "alice", "bob");
        w.settle("bob", "m1");
        w.step(1);
        w.create("bob", &anew());
        w.connect("bob");
        w.events.insert("bob".into(), vec![]);
        w.told.insert("bob".into(), 0);
        w.step(2);
        w.named("again");
        w.delivers("again", "alice", "bob");
        w.step(3);
        if again {
            w.shows("again", "m1", "alice", "bob");
        } else {
            w.sees("bob", refused("again", Reason::UnknownPrekey));
            w.receipt_in("again", "alice", "bob", ReceiptType::Retry);
            w.acks("again", "bob");
        }
        w.settle("bob", "again");
        w.finish();
        w
    };
    world(false).all_pass();
    let bad = world(true);
    bad.says("step-3", Verdict::Fail, "shown");
    bad.says("shown-twice", Verdict::Fail, "shown-twice");
    bad.says("events", Verdict::Pass, "");
}

#[test]
fn many_messages_of_ours_are_all_made() {
    let mut w = World::new(&json!([{"many": {"from": "alice", "to": "bob", "messages": 2, "as": "s", "network": "drop"}}]));
    w.step(0);
    for name in ["s1", "s2"] {
        w.reference_makes(name, "alice", "bob");
    }
    w.finish();
    w.all_pass();
    w.trace.retain(
        |e| !matches!(&e.event, Event::Observed { observation: Observation::Sent { stanza, .. }, .. } if *stanza == id("s2")),
    );
    w.says("step-0", Verdict::HarnessError, "");
}

#[test]
fn what_an_interrupt_cuts_off_is_no_fault_of_ours() {
    // At every point of an honest trace, the last looks after the last step included.
    let mut whole = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"shows": {"user": "bob", "messages": ["m1"]}}}
    ]));
    whole.step(0);
    whole.arrives("m1", "alice", "bob");
    whole.step(1);
    whole.settle("bob", "m1");
    whole.finish();
    whole.all_pass();
    for end in 1..whole.trace.len() {
        let mut cut = World::new(&serde_json::to_value(&whole.scenario.steps).unwrap());
        cut.trace = whole.trace[..end].to_vec();
        cut.blobs = whole.blobs.clone();
        cut.input(Input::aborted("interrupted by the user"));
        let bad: Vec<_> = cut.judge().into_iter().filter(|c| c.verdict == Verdict::HarnessError).collect();
        assert!(bad.is_empty(), "cut at {end}: {bad:#?}");
    }
}

/// Bob was given a message that might end his client.
fn tried() -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"survives": {"user": "bob"}}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "bob");
    w.step(1);
    w
}

#[test]
fn a_client_that_answers_survives() {
    let mut w = tried();
    w.settle("bob", "m1");
    w.look("bob");
    w.finish();
    w.says("step-1", Verdict::Pass, "");
}

#[test]
fn a_client_that_ends_hangs_or_takes_too_much_does_not_survive() {
    for (fault, finding) in
        [(Fault::Gone, "died"), (Fault::Deadline, "hung"), (Fault::Exceeded, "grew"), (Fault::Overran, "overran")]
    {
        let mut w = tried();
        w.call("settle", &json!({"user": user("bob"), "through": id("m1")}), Outcome::Fault { fault, detail: "so".into() });
        w.finish();
        w.says("step-1", Verdict::Fail, finding);
    }
}

#[test]
fn what_the_whole_run_took_is_not_held_against_an_instance() {
    for (too_much, verdict, finding) in [(true, Verdict::Fail, "grew"), (false, Verdict::EnvironmentError, "")] {
        let mut w = tried();
        w.input(Input::Aborted { cause: "the candidate sent more than so many bytes".into(), too_much });
        w.says("step-1", verdict, finding);
    }
}
