//! Sealed messages: what the candidate sends of them, and what it answers to them.

use crate::support::flows::{content, message, says};
use crate::support::{World, bytes, id, text, user};
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_contract::{Bytes, Reason};
use countersign_trace::{Event, Observation, Outcome, Verdict};
use serde_json::json;

fn sealed(name: &str, to: Option<&str>, body: Vec<u8>) -> Stanza {
    Stanza::SealedMessage { id: id(name), to: to.map(user), body: Bytes(body) }
}

/// A body of the right form that says nothing.
fn body() -> Vec<u8> {
    [vec![0x11], bytes::noise("sealed", 300)].concat()
}

impl World {
    fn reference_seals(&mut self, name: &str, from: &str, to: &str) {
        self.named(name);
        self.observed(from, Observation::Sent { stanza: id(name), to: user(to), content: content(name), media_key: None });
        let text = self.body(sealed(name, Some(to), body()).to_json().as_bytes());
        self.log(Event::FromReference { user: user(from), what: "stanza".into(), body: text });
        self.frame_out(to, &sealed(name, None, body()));
    }
}

/// Bob sends m1 to alice in this stanza, as he was asked to.
fn sends(asked: bool, stanza: Stanza, more: impl FnOnce(&mut World)) -> World {
    let mut w = World::new(&json!([
        {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}, "sealed": asked}}
    ]));
    let members = json!(["kind", "id", "to", "body"]);
    w.profile.inventory.insert("to-gateway/sealed-message".into(), serde_json::from_value(members).unwrap());
    w.step(0);
    w.named("m1");
    let args =
        json!({"user": user("bob"), "to": user("alice"), "stanza": id("m1"), "content": text(&says("m1")), "sealed": asked});
    let call = w.begin("send", &args);
    w.frame_in("bob", &stanza);
    w.end(call, Outcome::Ok(json!({})));
    w.reference_shows("m1", "bob", "alice");
    more(&mut w);
    w.finish();
    w
}

#[test]
fn what_was_asked_for_is_what_is_sent() {
    sends(true, sealed("m1", Some("alice"), body()), |_| {}).all_pass();
    let open = || message("m1", None, Some("alice"), bytes::signal("r", 1, &bytes::noise("c", 176), Some(1)));
    sends(false, open(), |_| {}).all_pass();
    let openly = sends(true, open(), |_| {});
    openly.says("step-0", Verdict::Fail, "not-sealed");
    openly.says("sealed", Verdict::Fail, "not-sealed");
    sends(false, sealed("m1", Some("alice"), body()), |_| {}).says("step-0", Verdict::Fail, "wrong-on-wire");
    sends(true, sealed("m1", Some("dora"), body()), |_| {}).says("step-0", Verdict::Fail, "empty-success");
    sends(true, sealed("m1", None, body()), |_| {}).says("binding", Verdict::Fail, "breaks-binding");
}

#[test]
fn a_sealed_message_says_nowhere_who_sent_it() {
    let bob = user("bob");
    let key = bytes::enlist("bob").identity_key.0;
    let forms = [
        bob.to_string().into_bytes(),
        bob.to_string().to_uppercase().into_bytes(),
        bob.0.simple().to_string().into_bytes(),
        bob.0.as_bytes().to_vec(),
        key.clone(),
        key[1..].to_vec(),
    ];
    for form in forms {
        let beside = [body(), form].concat();
        sends(true, sealed("m1", Some("alice"), beside), |_| {}).says("sealed", Verdict::Fail, "names-sender");
    }
    let somebody_else = [body(), user("dora").0.as_bytes().to_vec()].concat();
    sends(true, sealed("m1", Some("alice"), somebody_else), |_| {}).says("sealed", Verdict::Pass, "");
    let plain = bytes::signal("r", 1, &bytes::noise("c", 176), Some(1));
    sends(true, sealed("m1", Some("alice"), plain), |_| {}).says("sealed", Verdict::Fail, "wrong-on-wire");
}

#[test]
fn what_is_sent_again_is_sealed_again() {
    let again = |stanza: Stanza| {
        sends(true, sealed("m1", Some("alice"), body()), move |w| {
            w.frame_in("bob", &stanza);
            let (stanza, message, from) = (stanza.id(), id("m1"), user("bob"));
            w.observed("alice", Observation::Shown { stanza, message, from, group: None, content: content("m1"), padded: 160 });
        })
    };
    again(sealed("again", Some("alice"), body())).says("sealed", Verdict::Pass, "");
    let open = message("again", None, Some("alice"), bytes::signal("r", 2, &bytes::noise("d", 176), Some(1)));
    again(open).says("sealed", Verdict::Fail, "not-sealed");
}

/// Bob is sent m1 by alice, sealed under a certificate, and answers as said.
fn arrives(certificate: Option<&str>, more: impl FnOnce(&mut World)) -> World {
    let send =
        json!({"from": "alice", "to": "bob", "as": "m1", "content": {"text": "x"}, "sealed": true, "certificate": certificate});
    let refuses = json!({"refuses": {"user": "bob", "stanza": "m1", "reasons": ["bad-signature"]}});
    let shows = json!({"shows": {"user": "bob", "messages": ["m1"]}});
    let mut w = World::new(&json!([{"send": send}, {"expect": if certificate.is_some() { refuses } else { shows }}]));
    w.step(0);
    w.reference_seals("m1", "alice", "bob");
    more(&mut w);
    w.step(1);
    w.settle("bob", "m1");
    w.finish();
    w
}

#[test]
fn a_receipt_goes_to_who_sealed_and_to_nobody_else() {
    let shown = |to: &'static str| {
        arrives(None, move |w| {
            w.sees("bob", crate::support::flows::shown("m1", "alice"));
            w.receipt_in("m1", to, "bob", ReceiptType::Delivered);
            w.acks("m1", "bob");
        })
    };
    shown("alice").all_pass();
    shown("dora").says("receipts", Verdict::Fail, "bad-receipt");
}

#[test]
fn a_certificate_that_is_no_good_is_refused_and_nobody_is_asked() {
    let refused = |reason, asks: bool| {
        arrives(Some("wrong-root"), move |w| {
            w.refuses("m1", "bob", reason);
            if asks {
                w.receipt_in("m1", "alice", "bob", ReceiptType::Retry);
            }
        })
    };
    refused(Reason::BadSignature, false).all_pass();
    refused(Reason::BadMac, false).says("step-1", Verdict::Fail, "wrong-reason");
    for reason in [Reason::BadSignature, Reason::Unauthorized, Reason::WrongRecipient, Reason::Malformed, Reason::Blocked] {
        refused(reason, true).says("receipts", Verdict::Fail, "undue-receipt");
    }
    // What the certified user's session cannot read is asked for.
    refused(Reason::NoSession, true).says("receipts", Verdict::Pass, "");
    let shown = arrives(Some("wrong-root"), |w| w.shows("m1", "m1", "alice", "bob"));
    shown.says("step-1", Verdict::Fail, "shown");
}

#[test]
fn a_claim_that_is_answered_unsupported_is_a_failure() {
    let answered = |claims: bool| {
        let mut w = World::new(&json!([
            {"send": {"from": "bob", "to": "alice", "as": "m1", "content": {"text": "x"}, "sealed": true}}
        ]));
        if claims {
            w.description.features.push(countersign_contract::claims::Feature::SealedSender);
        }
        w.step(0);
        w.named("m1");
        let args = json!({"user": user("bob"), "to": user("alice"), "stanza": id("m1"), "content": text("x"), "sealed": true});
        w.call("send", &args, Outcome::Problem(countersign_contract::Problem::unsupported("sealed")));
        w.finish();
        w
    };
    answered(true).says("step-0", Verdict::Fail, "claimed-unsupported");
    assert_eq!(answered(false).of_step(0).verdict, Verdict::NotApplicable);
}
