//! What may succeed or be refused, as acceptable vectors have it: both are right, and each has to be done well.

use crate::support::{World, bytes, user};
use countersign_contract::{Problem, Reason};
use countersign_trace::Verdict;
use countersign_trace::event::Outcome;
use serde_json::json;

/// A fetch of keys that may succeed, or fail as `malformed`; success states this identity key.
fn fetched(outcome: Result<&str, Reason>) -> World {
    let mut w = World::new(&json!([
        {"fetch-keys": {"user": "bob", "of": "alice", "as": "look"}},
        {"expect": {"problem": {"step": "look", "reasons": ["malformed"], "or-succeeds": true}}}
    ]));
    w.step(0);
    let call = w.begin("fetch_keys", &json!({"user": user("bob"), "of": user("alice")}));
    let body = serde_json::to_vec(&bytes::bundle("alice", 0)).unwrap();
    w.request("GET", &format!("/keys/{}", user("alice")), Some("bob"), b"", 200, &body);
    let outcome = match outcome {
        Ok(of) => Outcome::Ok(json!({"identity_key": bytes::bundle(of, 0).identity_key})),
        Err(reason) => Outcome::Problem(Problem::new(reason, "")),
    };
    w.end(call, outcome);
    w.step(1);
    w.finish();
    w
}

#[test]
fn keys_may_be_taken_or_refused() {
    fetched(Ok("alice")).all_pass();
    fetched(Err(Reason::Malformed)).all_pass();
    fetched(Err(Reason::BadMac)).says("step-1", Verdict::Fail, "wrong-reason");
    fetched(Ok("bob")).says("step-0", Verdict::Fail, "wrong-identity-key");
}

/// A safety number that is all ones, or refused as `bad-key` where that is right.
fn number(outcome: Outcome, or_refuses: &[&str]) -> World {
    let is = json!({"of": "n", "digits": "1".repeat(60), "or-refuses": or_refuses});
    let mut w = World::new(&json!([
        {"verify-identity": {"user": "bob", "peer": "alice", "as": "n"}},
        {"expect": {"safety-number-is": is}}
    ]));
    w.step(0);
    w.call("verify_identity", &json!({"user": user("bob"), "peer": user("alice")}), outcome);
    w.step(1);
    w.finish();
    w
}

#[test]
fn a_safety_number_may_be_said_or_refused() {
    let said = |digit: &str| Outcome::Ok(json!({"digits": digit.repeat(60)}));
    let refused = |reason| Outcome::Problem(Problem::new(reason, ""));
    number(said("1"), &["bad-key"]).all_pass();
    number(refused(Reason::BadKey), &["bad-key"]).all_pass();
    number(said("2"), &["bad-key"]).says("step-1", Verdict::Fail, "safety-numbers-differ");
    number(refused(Reason::BadMac), &["bad-key"]).says("step-1", Verdict::Fail, "wrong-reason");
    // Where no refusal is right, the step itself fails.
    number(refused(Reason::BadKey), &[]).says("step-0", Verdict::Fail, "operation-failed");
}
