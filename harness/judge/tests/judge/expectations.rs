//! Expectations about everything but messages being shown.

use crate::support::flows::{message, receipt, says, shown};
use crate::support::{World, bytes, id, signed, text, user};
use countersign_contract::portable::{MessageType, PublishKeys, ReceiptType, Stanza};
use countersign_contract::seen::{FileRef, MediaKind, UserContent};
use countersign_contract::{Bytes, Problem, Reason};
use countersign_trace::{Event, KeyMark, Observation, Outcome, Verdict};
use serde_json::{Value, json};

fn notice(about: &str) -> Value {
    json!({"kind": "notice", "notice": "identity-changed", "about": user(about)})
}

/// Alice enlists with one key, and if `changed` with another one later.
fn identities(w: &mut World, changed: bool) {
    let mut keys = bytes::enlist("alice");
    for _ in 0..=usize::from(changed) {
        let body = w.body(&serde_json::to_vec(&keys).unwrap());
        w.log(Event::FromReference { user: user("alice"), what: "POST /enlist".into(), body });
        keys.identity_key = Bytes(bytes::ec("another identity"));
    }
}

pub(crate) fn told(make: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"notice": {"user": "bob", "notice": "identity-changed", "about": "alice", "before": "m1"}}}
    ]));
    w.step(0);
    make(&mut w);
    w.step(1);
    w.settle("bob", "m1");
    w.finish();
    w
}

#[test]
fn a_notice_comes_before_its_message_or_fails() {
    told(|w| {
        identities(w, true);
        w.sees("bob", notice("alice"));
        w.arrives("m1", "alice", "bob");
    })
    .all_pass();
    told(|w| {
        identities(w, true);
        w.arrives("m1", "alice", "bob");
        w.sees("bob", notice("alice"));
    })
    .says("step-1", Verdict::Fail, "late-notice");
    told(|w| {
        w.sees("bob", notice("dora"));
        w.arrives("m1", "alice", "bob");
    })
    .says("step-1", Verdict::Fail, "no-notice");
    // To warn of everybody always is no warning.
    told(|w| {
        identities(w, false);
        w.sees("bob", notice("alice"));
        w.arrives("m1", "alice", "bob");
    })
    .says("notices", Verdict::Fail, "false-notice");
}

#[test]
fn a_notice_before_a_message_that_the_user_sends_is_inconclusive_if_asked_for_too_late() {
    let mut w = World::new(&json!([
        {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"notice": {"user": "bob", "notice": "identity-changed", "about": "alice", "before": "m1"}}}
    ]));
    identities(&mut w, true);
    w.sees("bob", notice("alice"));
    w.step(0);
    w.candidate_sends("m1", "bob", "alice");
    w.step(1);
    w.look("bob");
    w.finish();
    w.says("step-1", Verdict::Inconclusive, "");
}

pub(crate) fn with_receipt(kind: &str, make: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"receipt": {"user": "alice", "receipt": kind, "of": "m1"}}},
        {"expect": {"no-receipt": {"user": "alice", "receipt": kind, "of": "m1"}}}
    ]));
    w.step(0);
    w.reference_makes("m1", "alice", "bob");
    w.delivers("m1", "alice", "bob");
    make(&mut w);
    w.step(1);
    w.settle("bob", "m1");
    w.step(2);
    w.finish();
    w
}

#[test]
fn receipts_are_there_or_not() {
    let w = with_receipt("delivered", |w| w.shows("m1", "m1", "alice", "bob"));
    w.says("step-1", Verdict::Pass, "");
    w.says("step-2", Verdict::Fail, "undue-receipt");
    let w = with_receipt("retry", |w| w.shows("m1", "m1", "alice", "bob"));
    w.says("step-1", Verdict::Fail, "no-receipt");
    w.says("step-2", Verdict::Pass, "");
    let w = with_receipt("retry", |w| {
        w.refuses("m1", "bob", Reason::BadMac);
        w.receipt_in("m1", "alice", "bob", ReceiptType::Retry);
    });
    w.says("step-1", Verdict::Pass, "");
    // From somebody else, or about something else, it is no receipt.
    let w = with_receipt("delivered", |w| {
        w.shows("m1", "m1", "alice", "bob");
        for entry in &mut w.trace {
            if let Event::Observed { observation: Observation::Receipt { from, .. }, .. } = &mut entry.event {
                *from = user("carl");
            }
        }
    });
    w.says("step-1", Verdict::Fail, "no-receipt");
}

#[test]
fn the_candidate_shows_the_receipts_that_it_gets() {
    for (shows, verdict, finding) in [(true, Verdict::Pass, ""), (false, Verdict::Fail, "no-receipt")] {
        let mut w = World::new(&json!([
            {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
            {"expect": {"receipt": {"user": "bob", "receipt": "delivered", "of": "m1"}}}
        ]));
        w.step(0);
        w.candidate_sends("m1", "bob", "alice");
        w.reference_shows("m1", "bob", "alice");
        w.frame_out("bob", &receipt("m1", ReceiptType::Delivered, Some("alice"), None));
        if shows {
            w.sees("bob", json!({"kind": "receipt", "from": user("alice"), "of": [id("m1")]}));
        }
        w.step(1);
        w.settle("bob", "m1/receipt");
        w.finish();
        w.says("step-1", verdict, finding);
    }
}

/// Bob's `send` of m1 has to fail as `untrusted-identity`.
pub(crate) fn failing(outcome: Outcome, frame: bool) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"problem": {"step": "m1", "reasons": ["untrusted-identity"]}}},
        {"expect": {"nothing-sent": {"user": "bob", "to": "alice", "after": "m1"}}},
        {"accept-identity": {"user": "bob", "peer": "alice"}},
        {"send": {"from": "bob", "to": "alice", "as": "m2", "content": {"text": "x"}}}
    ]));
    w.step(0);
    w.named("m1");
    let call = w.begin("send", &World::send_args("m1", "bob", "alice"));
    if frame {
        w.frame_in("bob", &message("m1", None, Some("alice"), bytes::signal("r", 1, &bytes::noise("c", 176), Some(1))));
    }
    w.end(call, outcome);
    w.step(1);
    w.step(2);
    w.step(3);
    w.call("accept_identity", &json!({"user": user("bob"), "peer": user("alice")}), Outcome::Ok(json!({})));
    w.step(4);
    w.candidate_sends("m2", "bob", "alice");
    w.finish();
    w
}

#[test]
fn an_operation_fails_for_the_right_reason_and_without_effect() {
    let problem = |reason| Outcome::Problem(Problem::new(reason, ""));
    failing(problem(Reason::UntrustedIdentity), false).all_pass();
    failing(problem(Reason::BadMac), false).says("step-1", Verdict::Fail, "wrong-reason");
    failing(Outcome::Ok(json!({})), true).says("step-1", Verdict::Fail, "accepted");
    let w = failing(problem(Reason::UntrustedIdentity), true);
    w.says("step-1", Verdict::Fail, "sent-anyway");
    w.says("step-2", Verdict::Fail, "sent-undue");
    let gone = Outcome::Fault { fault: countersign_trace::event::Fault::Deadline, detail: String::new() };
    failing(gone, false).says("step-1", Verdict::EnvironmentError, "");
}

#[test]
fn a_fetch_that_never_asked_cannot_know() {
    for (asks, verdict, finding) in [(true, Verdict::Pass, ""), (false, Verdict::Fail, "empty-success")] {
        let mut w = World::new(&json!([
            {"fetch-keys": {"user": "bob", "of": "alice", "as": "look"}},
            {"expect": {"problem": {"step": "look", "reasons": ["bad-signature"]}}}
        ]));
        w.step(0);
        let call = w.begin("fetch_keys", &json!({"user": user("bob"), "of": user("alice")}));
        if asks {
            let body = serde_json::to_vec(&bytes::bundle("alice", 0)).unwrap();
            w.request("GET", &format!("/keys/{}", user("alice")), Some("bob"), b"", 200, &body);
        }
        w.end(call, Outcome::Problem(Problem::new(Reason::BadSignature, "")));
        w.step(1);
        w.finish();
        w.says("step-1", verdict, finding);
    }
}

#[test]
fn nothing_goes_to_a_stranger_who_asks() {
    for (to, of, finding) in [("alice", None, ""), ("dora", None, "sent-undue"), ("dora", Some("m9"), "sent-undue")] {
        let mut w = World::new(&json!([
            {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
            {"forge-retry": {"from": "dora", "to": "bob", "of": "m1", "as": "ask"}},
            {"expect": {"nothing-sent": {"user": "bob", "to": "dora", "after": "ask"}}},
            {"send": {"from": "bob", "to": "dora", "as": "m2", "content": {"text": "x"}}}
        ]));
        w.step(0);
        w.candidate_sends("m1", "bob", "alice");
        w.step(1);
        w.named("ask");
        w.frame_out("bob", &receipt("m1", ReceiptType::Retry, Some("dora"), None));
        match of {
            Some(of) => w.frame_in("bob", &receipt(of, ReceiptType::Retry, None, Some(to))),
            None => w.frame_in("bob", &message("again", None, Some(to), bytes::signal("r", 1, &bytes::noise("c", 176), Some(1)))),
        }
        w.step(2);
        w.step(3);
        w.candidate_sends("m2", "bob", "dora");
        w.finish();
        let verdict = if finding.is_empty() { Verdict::Pass } else { Verdict::Fail };
        w.says("step-2", verdict, finding);
    }
}

pub(crate) fn on_wire(expect: Value, stanza: &Stanza, handed: Option<usize>) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
        {"expect": {"wire": expect}}
    ]));
    w.step(0);
    w.named("m1");
    let call = w.begin("send", &World::send_args("m1", "bob", "alice"));
    if let Some(i) = handed {
        let body = serde_json::to_vec(&bytes::bundle("alice", i)).unwrap();
        w.request("GET", &format!("/keys/{}", user("alice")), Some("bob"), b"", 200, &body);
    }
    w.frame_in("bob", stanza);
    w.end(call, Outcome::Ok(json!({})));
    w.step(1);
    w.finish();
    w
}

pub(crate) fn first_message(prekey_id: Option<u32>) -> Stanza {
    let inner = bytes::signal("r", 0, &bytes::noise("c", 176), Some(3));
    Stanza::Message {
        id: id("m1"),
        to: Some(user("alice")),
        from: None,
        r#type: MessageType::Prekey,
        body: Bytes(bytes::first("bob", "base", prekey_id, &inner)),
    }
}

#[test]
fn the_wire_is_as_described() {
    let uses = |uses: bool| json!({"stanza": "m1", "type": "prekey", "one-time-prekey": uses, "epoch-at-least": 3});
    on_wire(uses(true), &first_message(Some(1)), Some(0)).all_pass();
    on_wire(uses(false), &first_message(None), Some(7)).all_pass();
    on_wire(uses(true), &first_message(None), Some(0)).says("step-1", Verdict::Fail, "wrong-on-wire");
    on_wire(uses(false), &first_message(Some(1)), Some(0)).says("step-1", Verdict::Fail, "wrong-on-wire");
    // An id that nobody handed out is made up.
    on_wire(uses(true), &first_message(Some(9)), Some(0)).says("step-1", Verdict::Fail, "wrong-on-wire");
    let normal = json!({"stanza": "m1", "type": "normal"});
    on_wire(normal, &first_message(Some(1)), Some(0)).says("step-1", Verdict::Fail, "wrong-on-wire");
    let far = json!({"stanza": "m1", "epoch-at-least": 4});
    on_wire(far, &first_message(Some(1)), Some(0)).says("step-1", Verdict::Fail, "epoch-behind");
}

pub(crate) fn numbers(bob: &str, alice: &str, same: bool) -> World {
    let expect = if same { "same-safety-number" } else { "different-safety-number" };
    let mut w = World::new(&json!([
        {"verify-identity": {"user": "bob", "peer": "alice", "as": "n1"}},
        {"verify-identity": {"user": "alice", "peer": "bob", "as": "n2"}},
        {"expect": {expect: {"between": ["n1", "n2"]}}}
    ]));
    w.step(0);
    w.call("verify_identity", &json!({"user": user("bob"), "peer": user("alice")}), Outcome::Ok(json!({"digits": bob})));
    w.step(1);
    w.observed("alice", Observation::SafetyNumber { peer: user("bob"), digits: alice.into() });
    w.step(2);
    w.finish();
    w
}

#[test]
fn safety_numbers_are_compared() {
    let (one, other) = ("1".repeat(60), "2".repeat(60));
    numbers(&one, &one, true).all_pass();
    numbers(&one, &other, false).all_pass();
    numbers(&one, &other, true).says("step-2", Verdict::Fail, "safety-numbers-differ");
    numbers(&one, &one, false).says("step-2", Verdict::Fail, "safety-numbers-equal");
    numbers("12345", &other, false).says("step-2", Verdict::Fail, "bad-safety-number");
    numbers(&"x".repeat(60), &other, false).says("step-2", Verdict::Fail, "bad-safety-number");
}

pub(crate) fn refill(ids: [u32; 2], status: u16) -> World {
    let mut w = World::new(&json!([
        {"fetch-keys": {"user": "alice", "of": "bob", "as": "f"}},
        {"expect": {"keys-left": {"user": "bob", "at-least": 3}}}
    ]));
    w.step(0);
    let body = w.body(&serde_json::to_vec(&bytes::bundle("bob", 0)).unwrap());
    w.log(Event::ToReference { user: user("alice"), what: format!("GET /keys/{}: 200", user("bob")), body });
    let keys = PublishKeys {
        one_time_prekeys: ids.iter().map(|i| crate::support::prekey(*i, bytes::ec(&format!("new {i}")))).collect(),
        one_time_kyber_prekeys: ids.iter().map(|i| signed(i + 10, bytes::kyber(&format!("new {i}")))).collect(),
        ..PublishKeys::default()
    };
    w.request("PUT", "/keys", Some("bob"), &serde_json::to_vec(&keys).unwrap(), status, b"{}");
    w.step(1);
    w.finish();
    w
}

#[test]
fn enough_keys_are_left_and_no_id_comes_twice() {
    refill([3, 4], 200).all_pass();
    refill([3, 4], 503).says("step-1", Verdict::Fail, "too-few-keys");
    let w = refill([2, 3], 200);
    w.says("step-1", Verdict::Fail, "prekey-reused");
    w.says("prekeys", Verdict::Fail, "prekey-reused");
}

pub(crate) fn files(keys: [&str; 2], blobs: [Vec<u8>; 2]) -> World {
    let send = |name: &str| json!({"send": {"from": "bob", "to": "alice", "as": name, "content": {"file": {"kind": "image", "bytes": 9}}}});
    let mut w = World::new(&json!([send("f1"), send("f2"), {"expect": {"different-files": {"between": ["f1", "f2"]}}}]));
    for (i, name) in ["f1", "f2"].into_iter().enumerate() {
        w.step(i);
        let media = UserContent::Media {
            media: MediaKind::Image,
            mime: "image/png".into(),
            name: "image.png".into(),
            file: FileRef { url: Some(format!("/files/{name}")), sha256: Bytes(vec![1; 32]), length: 9 },
        };
        w.named(name);
        let args = json!({"user": user("bob"), "to": user("alice"), "stanza": id(name), "content": media});
        let call = w.begin("send", &args);
        w.request("PUT", "/media", Some("bob"), &blobs[i], 200, b"{\"url\":\"/media/x\"}");
        w.counter += 1;
        let body = bytes::signal("r", w.counter, &bytes::noise(name, 176), Some(1));
        w.frame_in("bob", &message(name, None, Some("alice"), body));
        w.end(call, Outcome::Ok(json!({})));
        let key = KeyMark::of(keys[i].as_bytes());
        w.observed("alice", Observation::Media { stanza: id(name), key, digest_ok: true, mac_ok: true, plaintext: None });
    }
    w.step(2);
    w.finish();
    w
}

#[test]
fn files_have_nothing_in_common() {
    let blob = |label: &str| bytes::noise(label, 80);
    files(["a", "b"], [blob("a"), blob("b")]).all_pass();
    let w = files(["a", "a"], [blob("a"), blob("b")]);
    w.says("step-2", Verdict::Fail, "file-reused");
    w.says("file-reuse", Verdict::Fail, "file-reused");
    let w = files(["a", "b"], [blob("a"), blob("a")]);
    w.says("step-2", Verdict::Fail, "file-reused");
    w.says("file-reuse", Verdict::Fail, "file-reused");
}

#[test]
fn what_a_reference_user_shows_of_the_candidate_counts() {
    let run = |make: &dyn Fn(&mut World)| {
        let mut w = World::new(&json!([
            {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}}},
            {"expect": {"shows": {"user": "alice", "messages": ["m1"]}}}
        ]));
        w.step(0);
        w.candidate_sends("m1", "bob", "alice");
        make(&mut w);
        w.step(1);
        w.finish();
        w
    };
    run(&|w| w.reference_shows("m1", "bob", "alice")).all_pass();
    let content = UserContent::Text { text: format!("{} ", says("m1")) };
    let altered =
        Observation::Shown { stanza: id("m1"), message: id("m1"), from: user("bob"), group: None, content, padded: 160 };
    run(&|w| w.observed("alice", altered.clone())).says("step-1", Verdict::Fail, "content-differs");
    let refused = Observation::Refused { stanza: id("m1"), reason: Reason::BadMac, detail: String::new() };
    let check = run(&|w| w.observed("alice", refused.clone())).says("step-1", Verdict::Fail, "unreadable");
    assert_eq!(check.reason, Some(Reason::BadMac));
    assert_eq!(shown("m1", "bob")["content"], text(&says("m1")));
}
