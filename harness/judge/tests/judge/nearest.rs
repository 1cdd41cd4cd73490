//! A failed expectation says what was seen instead, and the nearest thing that would have met it: one test for each kind.

use crate::expectations::{failing, files, first_message, numbers, on_wire, refill, told, with_receipt};
use crate::support::flows::{message, refused, shown};
use crate::support::{World, bytes, user};
use crate::timing::{attempts, burst};
use countersign_contract::portable::ReceiptType;
use countersign_contract::{Problem, Reason};
use countersign_trace::{Outcome, Verdict};
use serde_json::{Value, json};

/// The check failed, and says this at its end.
#[track_caller]
fn ends(w: &World, id: &str, end: &str) {
    let check = w.check(id);
    assert_eq!(check.verdict, Verdict::Fail, "{check:#?}");
    assert!(check.observed.ends_with(&format!("; instead: {end}")), "{}", check.observed);
}

/// Three messages of alice for bob, then an expectation.
fn three(expect: Value, make: impl FnOnce(&mut World)) -> World {
    let send = |name: &str| json!({"send": {"from": "alice", "to": "bob", "as": name, "content": {"text": "x"}}});
    let mut w = World::new(&json!([send("m1"), send("m2"), send("m3"), {"expect": expect}]));
    for (index, name) in ["m1", "m2", "m3"].into_iter().enumerate() {
        w.step(index);
        w.reference_makes(name, "alice", "bob");
        w.delivers(name, "alice", "bob");
    }
    make(&mut w);
    w.step(3);
    w.settle("bob", "m3");
    w.finish();
    w
}

#[test]
fn shows_names_what_was_shown_and_refused() {
    let expect = || json!({"shows": {"user": "bob", "messages": ["m2"]}});
    let w = three(expect(), |w| {
        w.shows("m1", "m1", "alice", "bob");
        w.refuses("m2", "bob", Reason::BadMac);
        w.shows("m3", "m3", "alice", "bob");
    });
    ends(&w, "step-3", "bob's client showed m1 and m3, refused m2 as bad-mac");
    let w = three(expect(), |w| {
        let mut other = shown("m2", "alice");
        other["message"] = json!(crate::support::id("m1"));
        w.sees("bob", other);
    });
    ends(&w, "step-3", "bob's client showed m1; nearest: the content of m2 was shown as m1");
    let w = three(expect(), |w| w.sees("carl", shown("m2", "alice")));
    ends(&w, "step-3", "bob's client showed, refused and told nothing; nearest: m2 was shown to carl");
}

#[test]
fn refuses_names_the_refusals_that_there_were() {
    let w = three(json!({"refuses": {"user": "bob", "stanza": "m2", "reasons": ["bad-mac"]}}), |w| {
        w.shows("m1", "m1", "alice", "bob");
        w.sees("bob", refused("m3", Reason::BadMac));
    });
    ends(&w, "step-3", "bob's client showed m1, refused m3 as bad-mac; nearest: m3 was refused as bad-mac");
}

#[test]
fn shows_nothing_of_names_what_was_shown() {
    let w = three(json!({"shows-nothing-of": {"user": "bob", "stanza": "m2"}}), |w| {
        w.log(countersign_trace::Event::Disturbed { stanza: Some(crate::support::id("m2")), how: "tampered".into() });
        for name in ["m2", "m2"] {
            w.sees("bob", shown(name, "alice"));
        }
    });
    ends(&w, "step-3", "bob's client showed m2 and m2");
}

#[test]
fn notice_names_the_notices_that_there_were() {
    let about = |who: &str| json!({"kind": "notice", "notice": "identity-changed", "about": user(who)});
    let w = told(|w| {
        w.sees("bob", about("dora"));
        w.arrives("m1", "alice", "bob");
    });
    ends(
        &w,
        "step-1",
        "bob's client showed m1, told of a changed identity of dora; nearest: bob was told of a changed identity of dora",
    );
}

#[test]
fn receipt_names_the_receipt_that_came_nearest() {
    let w = with_receipt("delivered", |w| {
        w.refuses("m1", "bob", Reason::BadMac);
        w.receipt_in("m1", "alice", "bob", ReceiptType::Retry);
    });
    ends(
        &w,
        "step-1",
        "our client of alice told of a receipt of type retry for m1; nearest: a receipt of type retry for m1 arrived",
    );
}

#[test]
fn no_receipt_names_the_receipts_that_there_were() {
    let w = with_receipt("delivered", |w| w.shows("m1", "m1", "alice", "bob"));
    ends(&w, "step-2", "our client of alice told of a receipt of type delivered for m1");
}

#[test]
fn problem_says_what_the_operation_did() {
    ends(&failing(Outcome::Ok(json!({})), true), "step-1", "it answered success, and the stanza is on the wire");
    let other = Outcome::Problem(Problem::new(Reason::BadMac, ""));
    ends(&failing(other, false), "step-1", "no stanza of it is on the wire");
}

#[test]
fn wire_describes_the_message() {
    let normal = json!({"stanza": "m1", "type": "normal"});
    ends(
        &on_wire(normal, &first_message(Some(1)), Some(0)),
        "step-1",
        "on the wire, m1 sets up a session, names the one-time prekey 1, is of version 4, has counter 0, is of post-quantum epoch 3",
    );
    let prekey = json!({"stanza": "m1", "type": "prekey"});
    let later = message("m1", None, Some("alice"), bytes::signal("r", 7, &bytes::noise("c", 176), None));
    ends(
        &on_wire(prekey, &later, None),
        "step-1",
        "on the wire, m1 belongs to a session that there is, is of version 4, has counter 7, has no post-quantum part",
    );
}

#[test]
fn nothing_sent_names_the_stanza() {
    let w = failing(Outcome::Problem(Problem::new(Reason::UntrustedIdentity, "")), true);
    ends(&w, "step-2", "bob sent alice a message, m1");
}

#[test]
fn safety_numbers_say_what_they_have_in_common() {
    let (one, other, third) = ("1".repeat(30), "2".repeat(30), "3".repeat(30));
    let differ = |bob: &str, alice: &str, end: &str| ends(&numbers(bob, alice, true), "step-2", end);
    differ(&format!("{one}{other}"), &format!("{other}{one}"), "the two halves are the same, in the other order");
    differ(
        &format!("{one}{other}"),
        &format!("{third}{one}"),
        "one half is the same: that of one identity key, and the other is not",
    );
    let near = format!("{}4{}", "1".repeat(12), "5".repeat(47));
    differ(&format!("{one}{other}"), &near, "no half is the same, and the first 12 digits are");
    let same = one.repeat(2);
    ends(&numbers(&same, &same, false), "step-2", "n1 is bob's with alice; n2 is alice's with bob");
}

#[test]
fn keys_left_counts_what_was_published_and_handed_out() {
    let w = refill([3, 4], 503);
    ends(
        &w,
        "step-1",
        "bob published 2 EC and 2 Kyber one-time prekeys in 1 request; 1 bundle was handed out, 1 of them with an EC one-time prekey",
    );
}

#[test]
fn different_files_says_what_was_uploaded() {
    let w = files(["a", "a"], [bytes::noise("a", 80), bytes::noise("b", 90)]);
    ends(&w, "step-2", "for f1 80 bytes uploaded; for f2 90 bytes uploaded");
}

#[test]
fn growing_pauses_count_the_requests() {
    ends(&attempts(&[], 0), "step-2", "in the whole instance the candidate made 2 enlistments and 1 upload");
}

#[test]
fn latencies_name_the_slowest() {
    let w = burst(60, 1000, |i| Some(if i == 7 { 400_000 } else { 150_000 }));
    ends(&w, "step-1", "slowest: p7 after 399 ms, p9 after 149 ms, p8 after 149 ms");
    let w = burst(60, 1000, |i| (i > 20).then_some(5_000));
    assert!(w.check("step-2").observed.contains("; instead: slowest: p9 never"), "{}", w.check("step-2").observed);
}

#[test]
fn what_passed_says_nothing_more() {
    for check in failing(Outcome::Problem(Problem::new(Reason::UntrustedIdentity, "")), false).judge() {
        assert!(!check.observed.contains("instead"), "{check:#?}");
    }
}
