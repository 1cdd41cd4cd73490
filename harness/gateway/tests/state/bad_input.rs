//! Whatever breaks the binding is refused, noted once, and changes nothing.

use crate::world::{World, enlistment, frames, is_invalid, message, pair, problem, receipt, split, stanza, user};
use countersign_contract::claims::Suite;
use countersign_contract::portable::{Enlist, LARGEST_BODY, LARGEST_STANZA, ReceiptType, Stanza};
use countersign_contract::{Problem, Reason, StanzaId};
use countersign_gateway::{Effect, Gateway, limits::LONGEST_DETAIL};
use serde_json::{Value, json};
use uuid::Uuid;

fn refused(effects: &[Effect]) -> (StanzaId, Reason) {
    assert_eq!(effects.iter().filter(|e| matches!(e, Effect::Invalid { .. })).count(), 1, "{effects:?}");
    match &frames(effects)[..] {
        [(_, Stanza::Refused { id, problem })] => (*id, problem.reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn stanzas_that_are_not_stanzas() {
    let mut p = pair();
    let nil = StanzaId(Uuid::nil());
    let good: Value = serde_json::from_str(&message(1, p.bob).to_json()).unwrap();
    let with = |name: &str, value: Value| {
        let mut v = good.clone();
        v[name] = value;
        v.to_string().into_bytes()
    };
    let without = |name: &str| {
        let mut v = good.clone();
        v.as_object_mut().unwrap().remove(name);
        v.to_string().into_bytes()
    };
    let cases = [
        (b"".to_vec(), nil),
        (b"{".to_vec(), nil),
        (b"null".to_vec(), nil),
        (b"[]".to_vec(), nil),
        (b"\xff\xfe".to_vec(), nil),
        ("[".repeat(100_000).into_bytes(), nil),
        (with("extra", json!(1)), stanza(1)),
        (with("kind", json!("letter")), stanza(1)),
        (with("type", json!("other")), stanza(1)),
        (with("body", json!("AA==")), stanza(1)),
        (with("id", json!("one")), nil),
        (with("id", json!(Uuid::nil())), nil),
        (with("to", json!("bob")), stanza(1)),
        (with("from", json!(p.alice.to_string())), stanza(1)),
        (without("to"), stanza(1)),
        (without("body"), stanza(1)),
        (without("id"), nil),
    ];
    for (bytes, id) in cases {
        let effects = p.world.gateway.frame(p.a, &bytes);
        assert_eq!(refused(&effects), (id, Reason::Malformed), "{}", String::from_utf8_lossy(&bytes));
    }
    assert_eq!(p.bob_gets(1).0.len(), 1, "the id is unused");
}

#[test]
fn stanzas_that_only_the_gateway_sends_and_receipts_that_do_not_count() {
    let mut p = pair();
    let retry =
        |count| Stanza::Receipt { id: stanza(1), to: Some(p.bob), from: None, r#type: ReceiptType::Retry, of: stanza(2), count };
    let counted = Stanza::Receipt {
        id: stanza(1),
        to: Some(p.bob),
        from: None,
        r#type: ReceiptType::Delivered,
        of: stanza(2),
        count: Some(1),
    };
    for bad in [
        Stanza::Accepted { id: stanza(1) },
        Stanza::Refused { id: stanza(1), problem: Problem::new(Reason::Busy, "") },
        Stanza::KeysLow { id: stanza(1), one_time_prekeys: 0, one_time_kyber_prekeys: 0 },
        retry(None),
        retry(Some(0)),
        counted,
    ] {
        let effects = p.world.send(p.a, &bad);
        assert_eq!(refused(&effects), (stanza(1), Reason::Malformed));
    }
}

#[test]
fn an_id_serves_once_whoever_used_it() {
    let mut p = pair();
    p.bob_gets(1);
    let effects = p.world.send(p.b, &receipt(1, p.alice, 1));
    assert_eq!(refused(&effects), (stanza(1), Reason::Malformed));
}

#[test]
fn a_stanza_that_is_too_large() {
    let mut p = pair();
    let effects = p.world.gateway.frame(p.a, &vec![b' '; LARGEST_STANZA + 1]);
    assert_eq!(refused(&effects), (StanzaId(Uuid::nil()), Reason::TooLarge));
}

#[test]
fn what_is_said_about_bad_input_is_bounded_and_has_no_control_characters() {
    let mut p = pair();
    let mut bad: Value = serde_json::from_str(&message(1, p.bob).to_json()).unwrap();
    bad["kind"] = json!(format!("\u{1b}[2J\u{7}{}", "x".repeat(10_000)));
    let effects = p.world.gateway.frame(p.a, bad.to_string().as_bytes());
    let Some(Effect::Invalid { detail, .. }) = effects.first() else { panic!("{effects:?}") };
    assert!(detail.contains("not a stanza"));
    assert!(!detail.chars().any(char::is_control));
    assert!(detail.chars().count() <= LONGEST_DETAIL * 10);
}

type Change = fn(&mut Enlist);

#[test]
fn enlistments_that_are_wrong_in_one_place() {
    let mut p = pair();
    let changes: [(&str, Change); 10] = [
        ("registration id 0", |e| e.registration_id = 0),
        ("registration id 16381", |e| e.registration_id = 16_381),
        ("identity key short", |e| e.identity_key.0.truncate(32)),
        ("identity key of another type", |e| e.identity_key.0[0] = 8),
        ("signed prekey empty", |e| e.signed_prekey.key.0.clear()),
        ("signature long", |e| e.signed_prekey.signature.0.push(0)),
        ("Kyber prekey is EC", |e| e.kyber_prekey = Some(e.signed_prekey.clone())),
        ("no Kyber prekey", |e| e.kyber_prekey = None),
        ("one-time prekey twice", |e| e.one_time_prekeys.push(e.one_time_prekeys[0].clone())),
        ("Kyber signature short", |e| e.one_time_kyber_prekeys[0].signature.0.truncate(63)),
    ];
    for (what, change) in changes {
        let mut body = enlistment(user(9), 2);
        change(&mut body);
        let (reply, rest) = split(p.world.raw("POST", "/enlist", None, &serde_json::to_vec(&body).unwrap()));
        assert_eq!(problem(&reply).reason, Reason::Malformed, "{what}");
        assert!(is_invalid(&rest), "{what}");
    }
    // A wrong enlistment of an existing user leaves that user as it was.
    let mut body = enlistment(p.bob, 0);
    body.registration_id = 0;
    p.world.raw("POST", "/enlist", None, &serde_json::to_vec(&body).unwrap());
    assert_eq!(p.world.gateway.keys_left(p.bob).one_time_prekeys, 3);
    assert_eq!(p.bob_gets(1).0.len(), 1);
}

#[test]
fn a_suite_without_kyber_keys_takes_none() {
    let mut world = World::new();
    world.gateway = Gateway::new([7; 32], Suite::SignalClassic);
    let mut classic = enlistment(user(9), 1);
    classic.one_time_kyber_prekeys.clear();
    for kyber in [classic.kyber_prekey.take(), None] {
        let mut body = classic.clone();
        body.kyber_prekey.clone_from(&kyber);
        let (reply, rest) = split(world.raw("POST", "/enlist", None, &serde_json::to_vec(&body).unwrap()));
        assert_eq!((reply.status == 200, is_invalid(&rest)), (kyber.is_none(), kyber.is_some()));
    }
    let mut body = classic;
    body.one_time_kyber_prekeys = enlistment(user(9), 1).one_time_kyber_prekeys;
    let (reply, _) = split(world.raw("POST", "/enlist", None, &serde_json::to_vec(&body).unwrap()));
    assert_eq!(problem(&reply).reason, Reason::Malformed);
}

#[test]
fn requests_that_are_not_of_the_binding() {
    let mut p = pair();
    let token = p.bob_token.clone();
    let big = vec![b'x'; LARGEST_BODY + 1];
    let good = serde_json::to_vec(&enlistment(user(9), 0)).unwrap();
    let extra = String::from_utf8(good).unwrap().replacen('{', "{\"admin\":true,", 1);
    for (method, path, token, sent, reason) in [
        ("POST", "/enlist", None, b"<html>".as_slice(), Reason::Malformed),
        ("POST", "/enlist", None, extra.as_bytes(), Reason::Malformed),
        ("POST", "/enlist", None, &big, Reason::TooLarge),
        ("PUT", "/keys", Some(token.as_str()), &big, Reason::TooLarge),
        ("PUT", "/keys", Some(&token), b"{\"one_time_prekeys\":3}", Reason::Malformed),
        ("PUT", "/keys", None, b"{}", Reason::Unauthorized),
        ("PUT", "/keys", Some("guessed"), b"{}", Reason::Unauthorized),
        ("GET", "/keys/bob", Some(&token), b"", Reason::Malformed),
        ("PUT", "/media", Some(&token), b"", Reason::Malformed),
        ("GET", "/chat", Some(&token), b"", Reason::Malformed),
        ("PATCH", "/keys", Some(&token), b"", Reason::Unsupported),
        ("GET", "/admin", Some(&token), b"", Reason::Unsupported),
    ] {
        let (reply, rest) = split(p.world.raw(method, path, token, sent));
        assert_eq!(problem(&reply).reason, reason, "{method} {path}");
        assert!(is_invalid(&rest), "{method} {path}");
    }
}
