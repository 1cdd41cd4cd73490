//! Steps of the candidate, set-up and end.

use crate::support::flows::message;
use crate::support::{World, bytes, channel, id, user};
use countersign_contract::portable::PublishKeys;
use countersign_contract::{Bytes, Problem, Reason};
use countersign_trace::{Event, Input, Observation, Outcome, Verdict};
use serde_json::json;

fn send_step() -> serde_json::Value {
    json!([{"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}}])
}

#[test]
fn success_without_a_stanza_is_none() {
    let mut w = World::new(&send_step());
    w.step(0);
    w.named("m1");
    w.call("send", &World::send_args("m1", "bob", "alice"), Outcome::Ok(json!({})));
    // Too late: `send` had answered already.
    w.frame_in("bob", &message("m1", None, Some("alice"), bytes::signal("r", 1, &bytes::noise("c", 176), Some(1))));
    w.finish();
    w.says("step-0", Verdict::Fail, "empty-success");
    let mut w = World::new(&send_step());
    w.step(0);
    w.candidate_sends("m1", "bob", "dora");
    for entry in &mut w.trace {
        if let Event::Call { op, args, .. } = &mut entry.event
            && op == "send"
        {
            args["to"] = json!(user("alice"));
        }
    }
    w.finish();
    w.says("step-0", Verdict::Fail, "empty-success");
}

#[test]
fn a_problem_without_an_expectation_fails() {
    for (reason, finding) in [
        (Reason::Internal, "operation-failed"),
        (Reason::Timeout, "operation-failed"),
        (Reason::Unsupported, "claimed-unsupported"),
    ] {
        let mut w = World::new(&send_step());
        w.step(0);
        w.named("m1");
        w.call("send", &World::send_args("m1", "bob", "alice"), Outcome::Problem(Problem::new(reason, "x")));
        w.finish();
        let check = w.says("step-0", Verdict::Fail, finding);
        assert_eq!(check.reason, Some(reason));
    }
}

#[test]
fn what_is_not_claimed_does_not_apply_but_what_a_scenario_needs_does() {
    for (needs, verdict, finding) in [(false, Verdict::NotApplicable, ""), (true, Verdict::Fail, "claimed-unsupported")] {
        let mut w = World::new(&send_step());
        if needs {
            w.scenario.features = serde_json::from_value(json!(["typing"])).unwrap();
        }
        w.step(0);
        w.named("m1");
        let mut args = World::send_args("m1", "bob", "alice");
        args["content"] = json!({"kind": "typing", "active": true});
        w.call("send", &args, Outcome::Problem(Problem::unsupported("typing")));
        w.finish();
        w.says("step-0", verdict, finding);
    }
}

#[test]
fn a_user_is_created_with_its_keys_at_the_gateway() {
    let mut w = World::bare(&json!([]));
    w.set_up();
    w.finish();
    w.all_pass();
    // No enlistment.
    let mut bad = World { trace: w.trace.clone(), ..World::bare(&json!([])) };
    bad.trace.retain(|e| !matches!(&e.event, Event::Input(Input::Request { path, .. }) if path == "/enlist"));
    bad.says("set-up", Verdict::Fail, "empty-success");
    // Another identity key in the answer.
    let mut bad = World { trace: w.trace.clone(), ..World::bare(&json!([])) };
    for entry in &mut bad.trace {
        if let Event::Input(Input::Returned { outcome: Outcome::Ok(value), .. }) = &mut entry.event
            && value.get("identity_key").is_some()
        {
            *value = json!({"identity_key": Bytes(bytes::ec("another"))});
        }
    }
    bad.says("set-up", Verdict::Fail, "wrong-identity-key");
    // A problem.
    let mut bad = World::bare(&json!([]));
    bad.call("open", &json!({}), Outcome::Problem(Problem::new(Reason::Busy, "")));
    bad.says("set-up", Verdict::Fail, "operation-failed");
}

fn rotation(publish: bool, new: bool) -> World {
    let mut w = World::new(&json!([{"rotate-keys": {"user": "bob", "signed": true}}]));
    w.step(0);
    let call = w.begin("rotate_keys", &json!({"user": user("bob"), "signed": true, "kyber": false, "one_time_prekeys": 0}));
    if publish {
        let key = if new { bytes::ec("new") } else { bytes::enlist("bob").signed_prekey.key.0 };
        let keys = PublishKeys { signed_prekey: Some(crate::support::signed(2, key)), ..PublishKeys::default() };
        w.request("PUT", "/keys", Some("bob"), &serde_json::to_vec(&keys).unwrap(), 200, b"{}");
    }
    w.end(call, Outcome::Ok(json!({})));
    w.finish();
    w
}

#[test]
fn rotated_keys_are_new_and_at_the_gateway() {
    rotation(true, true).all_pass();
    rotation(true, false).says("step-0", Verdict::Fail, "empty-success");
    rotation(false, true).says("step-0", Verdict::Fail, "empty-success");
}

fn fetch(handed: bool, stated: &str) -> World {
    let mut w = World::new(&json!([{"fetch-keys": {"user": "bob", "of": "alice", "as": "f"}}]));
    w.step(0);
    let call = w.begin("fetch_keys", &json!({"user": user("bob"), "of": user("alice")}));
    if handed {
        let body = serde_json::to_vec(&bytes::bundle("alice", 0)).unwrap();
        w.request("GET", &format!("/keys/{}", user("alice")), Some("bob"), b"", 200, &body);
    }
    w.end(call, Outcome::Ok(json!({"identity_key": Bytes(bytes::ec(&format!("{stated} identity")))})));
    w.finish();
    w
}

#[test]
fn fetched_keys_come_from_the_gateway() {
    fetch(true, "alice").all_pass();
    fetch(false, "alice").says("step-0", Verdict::Fail, "empty-success");
    fetch(true, "dora").says("step-0", Verdict::Fail, "wrong-identity-key");
}

#[test]
fn unusable_keys_are_the_candidates_unless_the_scenario_bent_them() {
    for (bent, verdict, finding) in [(false, Verdict::Fail, "unusable-keys"), (true, Verdict::HarnessError, "unusable-keys")] {
        let rule = if bent { "kyber-prekey-signature" } else { "no-one-time-prekey" };
        let mut w = World::new(&json!([
            {"bundle": {"of": "bob", "rule": rule}},
            {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
            {"expect": {"shows": {"user": "bob", "messages": ["m1"]}}}
        ]));
        w.step(0);
        w.step(1);
        w.named("m1");
        w.observed("alice", Observation::Failed { what: "set up".into(), reason: Reason::BadSignature, detail: String::new() });
        w.step(2);
        w.look("bob");
        w.finish();
        let check = w.check("step-1");
        assert_eq!(check.verdict, verdict);
        assert_eq!(check.finding.as_deref(), (verdict == Verdict::Fail).then_some(finding));
        w.says("step-2", Verdict::Blocked, "");
    }
}

fn exchange(skip: Option<u32>) -> World {
    let mut w = World::new(&json!([{"exchange": {"between": ["alice", "bob"], "messages": 4, "as": "x"}}]));
    w.step(0);
    for i in 1..=4 {
        let name = format!("x{i}");
        if i % 2 == 1 {
            w.reference_makes(&name, "alice", "bob");
            w.delivers(&name, "alice", "bob");
            if skip != Some(i) {
                w.shows(&name, &name, "alice", "bob");
            }
            w.settle("bob", &name);
        } else {
            w.candidate_sends(&name, "bob", "alice");
            if skip != Some(i) {
                w.reference_shows(&name, "bob", "alice");
            }
        }
    }
    w.finish();
    w
}

#[test]
fn an_exchange_is_shown_to_its_last_message() {
    exchange(None).all_pass();
    exchange(Some(3)).says("step-0", Verdict::Fail, "not-shown");
    let w = exchange(Some(2));
    assert_ne!(w.check("step-0").verdict, Verdict::Pass);
}

#[test]
fn a_user_taken_offline_need_not_settle_but_an_online_one_must() {
    for (disconnects, verdict) in [(true, Verdict::Pass), (false, Verdict::Fail)] {
        let step = if disconnects { json!({"disconnect": "bob"}) } else { json!({"connect": "bob"}) };
        let mut w =
            World::new(&json!([step, {"expect": {"notice": {"user": "carl", "notice": "undecryptable", "about": "alice"}}}]));
        w.step(0);
        let op = if disconnects { "disconnect" } else { "connect" };
        w.call(op, &json!({"user": user("bob")}), Outcome::Ok(json!({})));
        w.step(1);
        let problem = Outcome::Problem(Problem::new(Reason::NotConnected, ""));
        w.call("settle", &json!({"user": user("bob"), "through": id("m1")}), problem);
        w.sees("carl", json!({"kind": "notice", "notice": "undecryptable", "about": user("alice")}));
        w.look("carl");
        w.finish();
        assert_eq!(w.check("step-1").verdict, verdict);
        assert!(channel("bob") != channel("carl"));
    }
}

/// What our own stack could not do wrongly: our fault, unless the candidate agreed to less than the profile asks for.
#[test]
fn what_cannot_be_altered_is_blocked_by_a_weaker_candidate_alone() {
    for (epoch, verdict) in [(Some(1), Verdict::HarnessError), (None, Verdict::Blocked)] {
        let mut w = World::new(&json!([
            {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
            {"send": {"from": "alice", "to": "bob", "as": "m2", "content": {"text": "x"}, "alter": [{"remove": "pq-ratchet"}]}}
        ]));
        w.step(0);
        w.candidate_sends_body("m1", "bob", "alice", bytes::signal("r", 1, &bytes::noise("c", 176), epoch));
        w.step(1);
        w.named("m2");
        let (what, detail) = ("encrypt".to_owned(), "there is no such field".to_owned());
        w.observed("alice", Observation::Failed { what, reason: Reason::Unsupported, detail });
        w.finish();
        assert_eq!(w.of_step(1).verdict, verdict, "{epoch:?}");
    }
}

/// The same of a group message: always our fault.
#[test]
fn what_cannot_be_altered_in_a_group_is_our_fault() {
    for (alter, verdict) in [(json!([{"chain-rewind": 8}]), Verdict::HarnessError), (json!([]), Verdict::Fail)] {
        let mut w = World::new(&json!([
            {"create-group": {"by": "alice", "members": ["bob"], "as": "ours"}},
            {"send-to-group": {"from": "alice", "group": "ours", "as": "m1", "content": {"text": "x"}, "alter": alter}}
        ]));
        w.step(0);
        w.step(1);
        let (what, detail) = ("encrypt".to_owned(), "0 messages were sent".to_owned());
        w.observed("alice", Observation::Failed { what, reason: Reason::Unsupported, detail });
        w.finish();
        assert_eq!(w.of_step(1).verdict, verdict);
    }
}
