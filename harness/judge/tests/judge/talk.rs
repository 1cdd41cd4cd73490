//! What is answered although it is no message, and block lists.

use crate::support::flows::message;
use crate::support::{World, id, user};
use countersign_contract::portable::ReceiptType;
use countersign_contract::seen::UserContent;
use countersign_trace::{Event, Observation, Outcome, Verdict};
use serde_json::{Value, json};

/// Alice sends Bob something that is shown, and perhaps answered.
fn shown(kind: &Value, content: &UserContent, answered: bool) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "c1", "content": kind}},
        {"expect": {"no-receipt": {"user": "alice", "receipt": "delivered", "of": "c1"}}}
    ]));
    w.step(0);
    w.named("c1");
    w.observed("alice", Observation::Sent { stanza: id("c1"), to: user("bob"), content: content.clone(), media_key: None });
    let body = w.body(message("c1", None, Some("bob"), vec![0x44; 40]).to_json().as_bytes());
    w.log(Event::FromReference { user: user("alice"), what: "stanza".into(), body });
    w.delivers("c1", "alice", "bob");
    w.sees("bob", json!({"kind": "message", "message": id("c1"), "from": user("alice"), "content": content}));
    if answered {
        w.receipt_in("c1", "alice", "bob", ReceiptType::Delivered);
    }
    w.acks("c1", "bob");
    w.step(1);
    w.settle("bob", "c1");
    w.finish();
    w
}

#[test]
fn what_is_no_message_gets_no_delivery_receipt() {
    let typing = UserContent::Typing { active: true };
    let kind = json!({"typing": true});
    shown(&kind, &typing, false).all_pass();
    let answered = shown(&kind, &typing, true);
    answered.says("receipts", Verdict::Fail, "undue-receipt");
    answered.says("step-1", Verdict::Fail, "undue-receipt");
    // The monitor knows by itself, whatever the scenario asks.
    let text = UserContent::Text { text: "x".into() };
    shown(&json!({"text": "x"}), &text, true).says("receipts", Verdict::Pass, "");
}

/// Bob blocks Alice; what reaches the gateway before the answer, and how it answers.
fn blocking(step: &str, list: Option<&Value>, status: u16) -> World {
    let mut w = World::new(&json!([{step: {"user": "bob", "peer": "alice"}}]));
    w.step(0);
    let call = w.begin("block", &json!({"user": user("bob"), "peer": user("alice"), "blocked": step == "block"}));
    if let Some(list) = list {
        let body = list.to_string();
        w.request("PUT", "/blocks", Some("bob"), body.as_bytes(), status, b"{}");
    }
    w.end(call, Outcome::Ok(json!({})));
    w.finish();
    w
}

#[test]
fn a_block_is_at_the_gateway_before_it_is_reported() {
    let with = json!({"users": [user("alice")]});
    let without = json!({"users": [user("carl")]});
    let is = |step, list, status, verdict, finding| {
        blocking(step, list, status).says("step-0", verdict, finding);
    };
    is("block", Some(&with), 200, Verdict::Pass, "");
    is("block", Some(&without), 200, Verdict::Fail, "empty-success");
    is("block", Some(&with), 503, Verdict::Fail, "empty-success");
    is("block", None, 200, Verdict::Fail, "empty-success");
    is("unblock", Some(&without), 200, Verdict::Pass, "");
    is("unblock", Some(&with), 200, Verdict::Fail, "empty-success");
}

#[test]
fn a_block_list_is_of_the_bindings_form_and_holds_nothing_else() {
    let more = json!({"users": [user("alice")], "why": "spam"});
    let w = blocking("block", Some(&more), 200);
    w.says("binding", Verdict::Fail, "breaks-binding");
    w.says("inventory", Verdict::Fail, "beyond-inventory");
}
