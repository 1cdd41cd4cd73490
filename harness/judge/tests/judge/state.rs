//! A thief's copy, exports, and a restored log.

use crate::support::flows::{message, refused, shown};
use crate::support::{World, bytes, id, user};
use base64::Engine as _;
use countersign_contract::claims::Capability;
use countersign_contract::{Problem, Reason};
use countersign_trace::{Digest, Event, Input, Observation, Outcome, Verdict};
use serde_json::{Value, json};

fn capable(steps: &Value) -> World {
    let mut w = World::new(steps);
    w.description.capabilities = vec![Capability::Snapshot, Capability::Clone, Capability::Export];
    w
}

/// A stanza is fed to a copy of Bob's, with these events as the answer.
fn feed(w: &mut World, name: &str, events: &[Value]) {
    let events: Vec<Value> = events.iter().enumerate().map(|(i, what)| json!({"seq": i + 1, "what": what})).collect();
    let stanza: Value = serde_json::from_str(&message(name, Some("alice"), None, vec![0x44; 40]).to_json()).unwrap();
    w.call("deliver", &json!({"clone": "c", "stanza": stanza}), Outcome::Ok(json!({"events": events})));
}

/// m1 is read, a copy is made, m2 follows; then both are fed to the copy, with these answers.
fn theft(old: &[Value], new: &[Value]) -> World {
    let mut w = capable(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"clone": {"of": "bob", "as": "thief"}},
        {"send": {"from": "alice", "to": "bob", "as": "m2", "content": {"text": "x"}}},
        {"deliver": {"clone": "thief", "stanzas": ["m1", "m2"]}},
        {"expect": {"thief-cannot-read": {"clone": "thief", "messages": ["m1"]}}},
        {"expect": {"thief-reads": {"clone": "thief", "messages": ["m2"]}}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "bob");
    w.step(1);
    w.call("clone", &json!({"user": user("bob")}), Outcome::Ok(json!({"clone": "c"})));
    w.step(2);
    w.arrives("m2", "alice", "bob");
    w.step(3);
    feed(&mut w, "m1", old);
    feed(&mut w, "m2", new);
    w.step(4);
    w.step(5);
    w.finish();
    w
}

#[test]
fn a_copy_refuses_the_past_and_reads_what_follows() {
    let (old, new) = ([refused("m1", Reason::Duplicate)], [shown("m2", "alice")]);
    theft(&old, &new).all_pass();
    theft(&[shown("m1", "alice")], &new).says("step-4", Verdict::Fail, "thief-reads");
    theft(&[refused("m1", Reason::Internal)], &new).says("step-4", Verdict::Fail, "wrong-reason");
    // What is refused is another stanza.
    theft(&[refused("m2", Reason::Duplicate)], &new).says("step-4", Verdict::Fail, "no-answer");
    theft(&[], &new).says("step-4", Verdict::Fail, "no-answer");
    theft(&old, &[]).says("step-5", Verdict::Fail, "no-true-copy");
    theft(&old, &[refused("m2", Reason::BadMac)]).says("step-5", Verdict::Fail, "no-true-copy");
    // An invented text is not what was sent.
    let mut other = shown("m2", "alice");
    other["content"]["text"] = json!("invented");
    theft(&old, &[other]).says("step-5", Verdict::Fail, "content-differs");
}

#[test]
fn a_copy_that_cannot_be_made_is_a_missing_capability() {
    let mut w = capable(&json!([
        {"clone": {"of": "bob", "as": "thief"}},
        {"expect": {"thief-reads": {"clone": "thief", "messages": ["m1"]}}}
    ]));
    let unsupported = Outcome::Problem(Problem::new(Reason::Unsupported, ""));
    w.step(0);
    w.call("clone", &json!({"user": user("bob")}), unsupported);
    w.step(1);
    w.finish();
    w.says("step-0", Verdict::Fail, "claimed-unsupported");
    w.description.capabilities.clear();
    w.says("step-0", Verdict::Warn, "");
}

/// An exchange of six messages after a theft; which of Alice's three the copy reads, and the epoch of each message.
fn exchange(reads: [bool; 3], epochs: [u64; 6], most: u32) -> World {
    let mut w = capable(&json!([
        {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
        {"clone": {"of": "bob", "as": "thief"}},
        {"exchange": {"between": ["alice", "bob"], "messages": 6, "as": "x"}},
        {"deliver": {"clone": "thief", "exchange": "x"}},
        {"expect": {"thief-locked-out": {"clone": "thief", "exchange": "x", "after-at-most": most}}},
        {"expect": {"post-quantum-healed": {"clone": "thief", "exchange": "x", "after-at-most": most}}}
    ]));
    w.step(0);
    w.candidate_sends("m1", "bob", "alice");
    w.step(1);
    w.call("clone", &json!({"user": user("bob")}), Outcome::Ok(json!({"clone": "c"})));
    w.step(2);
    for (number, epoch) in (1..).zip(epochs) {
        let name = format!("x{number}");
        let body = bytes::signal(&name, 0, &bytes::noise(&name, 176), Some(epoch));
        if number % 2 == 0 {
            w.candidate_sends_body(&name, "bob", "alice", body);
        } else {
            w.named(&name);
            let content = crate::support::flows::content(&name);
            w.observed("alice", Observation::Sent { stanza: id(&name), to: user("bob"), content, media_key: None });
            let body = w.body(message(&name, None, Some("bob"), body).to_json().as_bytes());
            w.log(Event::FromReference { user: user("alice"), what: "stanza".into(), body });
        }
    }
    w.step(3);
    for (number, read) in [1, 3, 5].into_iter().zip(reads) {
        let name = format!("x{number}");
        let made = if read { shown(&name, "alice") } else { refused(&name, Reason::BadMac) };
        feed(&mut w, &name, &[made]);
    }
    w.step(4);
    w.step(5);
    w.finish();
    w
}

#[test]
fn a_copy_is_locked_out_in_time_and_stays_so() {
    let healed = [1, 1, 2, 3, 3, 3];
    let w = exchange([true, false, false], healed, 4);
    let said = w.says("step-4", Verdict::Pass, "");
    assert!(said.observed.contains("after 2 messages, 1 of them of its own user"), "{}", said.observed);
    let said = w.says("step-5", Verdict::Pass, "");
    assert!(said.observed.contains("after 3 messages") && said.observed.contains("epoch 1"), "{}", said.observed);
    exchange([true, true, true], healed, 4).says("step-4", Verdict::Fail, "thief-reads");
    exchange([true, false, true], healed, 4).says("step-4", Verdict::Fail, "thief-reads");
    exchange([true, true, false], healed, 3).says("step-4", Verdict::Fail, "thief-reads");
    exchange([false, false, false], healed, 4).says("step-4", Verdict::Fail, "no-true-copy");
    // Of the epoch that was being agreed upon, the copy may hold a secret.
    exchange([true, false, false], [1, 1, 2, 2, 2, 2], 4).says("step-5", Verdict::Fail, "epoch-behind");
    exchange([true, false, false], [1, 1, 1, 1, 1, 3], 4).says("step-5", Verdict::Fail, "epoch-behind");
}

/// Keys of m1 are looked for in these parts.
fn export(parts: &Value, expectation: &str) -> World {
    let mut w = capable(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"export": {"of": "bob", "as": "e1"}},
        {"expect": {expectation: {"export": "e1", "keys-of": ["m1"]}}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "bob");
    let secrets = vec![("seed".to_owned(), Digest::of(&[7; 32]))];
    w.observed("alice", Observation::MessageSecrets { stanza: id("m1"), secrets });
    w.step(1);
    w.call("export", &json!({"user": user("bob")}), Outcome::Ok(json!({"parts": parts})));
    w.step(2);
    w.finish();
    w
}

fn part(name: &str, bytes: &[u8]) -> Value {
    json!({"name": name, "bytes": base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)})
}

#[test]
fn a_key_is_found_wherever_and_in_whatever_form_it_stands() {
    let key = [7_u8; 32];
    let hex = format!("{{\"seed\":\"{}\"}}", "07".repeat(32));
    let base64 = format!("{{\"seed\":\"{}\"}}", base64::engine::general_purpose::STANDARD.encode(key));
    for held in [[&[1, 2, 3][..], &key, &[4]].concat(), hex.into_bytes(), base64.into_bytes()] {
        let parts = json!([part("a", b"nothing"), part("b", &held)]);
        export(&parts, "export-lacks").says("step-2", Verdict::Fail, "key-left");
        export(&parts, "export-holds").says("step-2", Verdict::Pass, "");
    }
    for none in [json!([]), json!([part("a", &[8; 64])]), json!([part("a", &[7; 31])])] {
        export(&none, "export-lacks").says("step-2", Verdict::Pass, "");
        export(&none, "export-holds").says("step-2", Verdict::Fail, "no-true-copy");
    }
}

#[test]
fn an_export_beyond_its_limits_is_no_answer_of_the_contract() {
    for bad in [json!([part("", b"x")]), json!([part("a", b"x"), part("a", b"y")]), json!([part("a\u{7}", b"x")])] {
        export(&bad, "export-lacks").says("step-1", Verdict::EnvironmentError, "");
    }
}

fn two_exports(first: &Value, second: &Value) -> World {
    let mut w = capable(&json!([
        {"export": {"of": "bob", "as": "e1"}},
        {"export": {"of": "bob", "as": "e2"}},
        {"expect": {"same-export": {"between": ["e1", "e2"]}}}
    ]));
    for (step, parts) in [first, second].into_iter().enumerate() {
        w.step(step);
        w.call("export", &json!({"user": user("bob")}), Outcome::Ok(json!({"parts": parts})));
    }
    w.step(2);
    w.finish();
    w
}

#[test]
fn exports_are_compared_byte_for_byte() {
    let one = json!([part("a", b"x"), part("b", b"y")]);
    two_exports(&one, &one).says("step-2", Verdict::Pass, "");
    for other in [json!([part("a", b"x"), part("b", b"z")]), json!([part("a", b"x")]), json!([])] {
        two_exports(&one, &other).says("step-2", Verdict::Fail, "state-changed");
        two_exports(&other, &one).says(
            "step-2",
            Verdict::Fail,
            if other == json!([]) { "no-true-copy" } else { "state-changed" },
        );
    }
    two_exports(&json!([]), &json!([])).says("step-2", Verdict::Fail, "no-true-copy");
}

/// Bob's log is put back to its first event; `after` is what he then says of his second.
fn restored(after: &[Value]) -> World {
    let mut w = capable(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"snapshot": {"of": "bob", "as": "s1"}},
        {"send": {"from": "alice", "to": "bob", "as": "m2", "content": {"text": "x"}}},
        {"restore": {"user": "bob", "to": "s1"}}
    ]));
    w.step(0);
    w.arrives("m1", "alice", "bob");
    w.step(1);
    w.look("bob");
    w.call("snapshot", &json!({"user": user("bob")}), Outcome::Ok(json!({"snapshot": "h"})));
    w.step(2);
    w.arrives("m2", "alice", "bob");
    w.look("bob");
    w.step(3);
    w.call("restore", &json!({"user": user("bob"), "snapshot": "h"}), Outcome::Ok(json!({})));
    w.input(Input::ChatClosed { channel: crate::support::channel("bob") });
    w.events.get_mut("bob").unwrap().truncate(1);
    w.events.get_mut("bob").unwrap().extend(after.iter().cloned());
    w.told.insert("bob".into(), 1);
    w.finish();
    w
}

#[test]
fn a_restored_log_goes_on_from_where_it_was() {
    restored(&[]).all_pass();
    let notice = json!({"kind": "notice", "notice": "undecryptable", "about": user("alice")});
    restored(&[notice]).says("events", Verdict::Pass, "");
    restored(&[shown("m1", "alice")]).says("shown-twice", Verdict::Fail, "shown-twice");
}
