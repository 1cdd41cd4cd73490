//! What a diagram shows of a trace, line by line.

use super::model::{Diagram, Role, Shape, Sign};
use super::{diagram, svg};
use crate::blank;
use countersign_contract::portable::{MessageType, ReceiptType, Stanza};
use countersign_contract::{Bytes, Problem, Reason, StanzaId, UserId};
use countersign_trace::{Blobs, Body, Check, CheckKind, Entry, Event, Input, InstanceResult, Outcome, Trace, Verdict};
use serde_json::json;
use uuid::Uuid;

fn id(number: u128) -> StanzaId {
    StanzaId(Uuid::from_u128(number << 96 | 0x4000_8000_0000_0000_0000))
}

const ALICE: u128 = 0xa;
const BOB: u128 = 0xb;

fn user(number: u128) -> UserId {
    UserId(id(number).0)
}

fn named(name: &str, number: u128) -> Event {
    Event::Named { name: name.into(), stanza: id(number) }
}

fn message(number: u128, to: Option<u128>, from: Option<u128>) -> Body {
    let stanza = Stanza::Message {
        id: id(number),
        to: to.map(user),
        from: from.map(user),
        r#type: MessageType::Normal,
        body: Bytes(vec![7; 20]),
    };
    Body::Text(stanza.to_json())
}

fn sent_by_alice(number: u128) -> Event {
    Event::FromReference { user: user(ALICE), what: "stanza".into(), body: message(number, Some(BOB), None) }
}

fn to_bob(number: u128) -> Event {
    Event::Frame { channel: 1, text: message(number, None, Some(ALICE)) }
}

fn disturbed(number: u128, how: &str) -> Event {
    Event::Disturbed { stanza: Some(id(number)), how: how.into() }
}

/// alice is ours, bob is the candidate's and online; then what is given.
fn trace(events: Vec<Event>) -> Trace {
    let text = |t: String| Body::Text(t);
    let mut all = vec![
        named("user:alice", ALICE),
        named("user:bob", BOB),
        Event::FromReference { user: user(ALICE), what: "POST /enlist".into(), body: text("{}".into()) },
        Event::Input(Input::Request {
            request: 1,
            method: "POST".into(),
            path: "/enlist".into(),
            token: None,
            body: text(format!("{{\"user\":\"{}\"}}", user(BOB))),
        }),
        Event::Reply {
            request: 1,
            status: 200,
            content_type: "application/json".into(),
            body: text("{\"token\":\"t\"}".into()),
            disturbed: false,
        },
        Event::Input(Input::ChatOpened { channel: 1, token: Some("t".into()) }),
        Event::Step { index: 0 },
    ];
    all.extend(events);
    all.into_iter().enumerate().map(|(n, event)| Entry { n: n as u64, at_us: n as u64, event }).collect()
}

/// The number that the first of the given events has.
const FIRST: u64 = 7;

fn failed(step: Option<usize>, evidence: Vec<u64>) -> Check {
    Check {
        id: "monitor".into(),
        kind: CheckKind::Expectation,
        step,
        requirements: vec![],
        verdict: Verdict::Fail,
        expected: "nothing".into(),
        observed: "bob was shown m1".into(),
        reason: None,
        finding: None,
        blame: None,
        evidence,
        likely_cause: None,
        waiver: None,
    }
}

fn instance(events: Vec<Event>, checks: Vec<Check>) -> InstanceResult {
    InstanceResult { trace: trace(events), checks, ..blank::instance("e2ee/x") }
}

fn drawn(events: Vec<Event>, checks: Vec<Check>) -> Diagram {
    diagram(&instance(events, checks), &Blobs::new(), &["alice sends m1".into(), "bob sees m1".into()], 40)
}

/// The diagram in words, one line a row.
fn lines(diagram: &Diagram) -> Vec<String> {
    let mark = |evidence: bool| if evidence { " (evidence)" } else { "" };
    let line = |row: &super::model::Row| format!("{}|{}{}{}", diagram.who(row), row.sign.glyph(), row.label, mark(row.evidence));
    diagram.rows.iter().map(line).collect()
}

#[test]
fn reference_users_stand_left_of_the_gateway_and_the_candidates_right() {
    let found = drawn(vec![], vec![]);
    let lifelines: Vec<_> = found.lifelines.iter().map(|l| (l.name.as_str(), l.role)).collect();
    assert_eq!(lifelines, [("alice", Role::Reference), ("gateway", Role::Gateway), ("bob", Role::Candidate)]);
}

#[test]
fn an_undisturbed_message_is_one_arrow_and_enlistment_is_left_out() {
    let found = drawn(vec![named("m1", 1), sent_by_alice(1), to_bob(1)], vec![]);
    assert_eq!(lines(&found), ["|1. alice sends m1", "alice → bob|m1"]);
}

#[test]
fn what_the_network_does_is_drawn_with_its_sign() {
    for (how, sign, glyph) in [
        ("held", Sign::Held, "‖ "),
        ("delayed", Sign::Held, "‖ "),
        ("released", Sign::Released, "▷ "),
        ("dropped", Sign::Dropped, "✕ "),
        ("dropped after 30 days in the mailbox", Sign::Dropped, "✕ "),
        ("tampered with mac", Sign::Changed, "≠ "),
        ("cut to 8 bytes", Sign::Changed, "≠ "),
        ("flipped a bit at 3", Sign::Changed, "≠ "),
        ("delivered again", Sign::Again, "↻ "),
        ("repeated 2 times", Sign::Again, "↻ "),
        ("m1 delivered to carol as if from alice", Sign::Astray, "↷ "),
        ("refused with busy", Sign::Refused, "⊘ "),
        ("something new", Sign::Plain, ""),
    ] {
        let found = drawn(vec![named("m1", 1), sent_by_alice(1), disturbed(1, how)], vec![]);
        let row = found.rows.last().unwrap();
        assert_eq!((row.sign, row.label.as_str()), (sign, format!("m1 {how}").as_str()));
        assert!(lines(&found).last().unwrap().starts_with(&format!("gateway|{glyph}m1 ")), "{how}");
    }
}

#[test]
fn a_held_message_arrives_later_and_a_changed_one_says_so() {
    let events = vec![
        named("m1", 1),
        named("bad", 2),
        sent_by_alice(1),
        disturbed(1, "held"),
        sent_by_alice(2),
        disturbed(2, "held to be tampered with"),
        disturbed(2, "tampered with mac"),
        disturbed(2, "tampered with, and released"),
        to_bob(2),
        disturbed(1, "released"),
        to_bob(1),
    ];
    assert_eq!(
        lines(&drawn(events, vec![]))[1..],
        [
            "alice → gateway|m1",
            "gateway|‖ m1 held",
            "alice → gateway|bad",
            "gateway|≠ bad tampered with mac",
            "gateway → bob|≠ bad, changed",
            "gateway|▷ m1 released",
            "gateway → bob|m1",
        ]
    );
}

#[test]
fn a_replay_is_told_under_its_new_name() {
    let again = format!("delivered again as {}", id(2));
    let events = vec![named("m1", 1), sent_by_alice(1), to_bob(1), named("again", 2), disturbed(1, &again), to_bob(2), to_bob(2)];
    assert_eq!(
        lines(&drawn(events, vec![]))[1..],
        [
            "alice → bob|m1",
            "gateway|↻ m1 delivered again as again",
            "gateway → bob|↻ again, once more",
            "gateway → bob|↻ again, once more"
        ]
    );
}

#[test]
fn what_users_see_and_refuse_stands_at_their_lifeline() {
    let seen = json!({ "events": [
        { "seq": 1, "what": { "kind": "message", "message": id(1), "from": user(ALICE), "content": { "kind": "text", "text": "x" } } },
        { "seq": 2, "what": { "kind": "refused", "stanza": id(2), "reason": "bad-mac" } },
        { "seq": 3, "what": { "kind": "notice", "notice": "identity-changed", "about": user(ALICE) } },
    ] });
    let events = vec![
        named("m1", 1),
        named("bad", 2),
        Event::Call { call: 1, op: "events".into(), args: json!({ "user": user(BOB) }), step: Some(0) },
        Event::Input(Input::Returned { call: 1, outcome: Outcome::Ok(seen) }),
        Event::Call { call: 2, op: "send".into(), args: json!({ "user": user(BOB), "stanza": id(3) }), step: Some(0) },
        named("m3", 3),
        Event::Input(Input::Returned { call: 2, outcome: Outcome::Problem(Problem::new(Reason::UntrustedIdentity, "no")) }),
    ];
    assert_eq!(
        lines(&drawn(events, vec![]))[1..],
        ["bob|⊘ sees m1; refuses bad: bad-mac; is told: identity-changed, alice", "bob|⊘ send m3: untrusted-identity"]
    );
}

#[test]
fn bent_answers_are_signed_and_ids_in_words_get_names() {
    let keys = Event::Disturbed { stanza: None, how: format!("keys of {} for {}: another identity key", user(ALICE), user(BOB)) };
    let blob = format!("/media/{}", "x".repeat(40));
    let request = |path: String| Input::Request {
        request: 2,
        method: "GET".into(),
        path,
        token: Some("t".into()),
        body: Body::Text(String::new()),
    };
    let reply = |status: u16, disturbed: bool| Event::Reply {
        request: 2,
        status,
        content_type: String::new(),
        body: Body::Text("x".repeat(2_636)),
        disturbed,
    };
    let events = vec![
        Event::Input(request(format!("/keys/{}", user(ALICE)))),
        keys,
        reply(200, true),
        Event::Input(request(blob)),
        reply(404, false),
        Event::Input(request("/media/short".into())),
        reply(200, false),
        Event::Call { call: 1, op: "accept_identity".into(), args: json!({ "user": user(BOB) }), step: Some(0) },
    ];
    assert_eq!(
        lines(&drawn(events, vec![]))[1..],
        [
            "bob → gateway|GET /keys/alice",
            "gateway|≠ keys of alice for bob: another identity key",
            "gateway → bob|≠ 200 to GET /keys/alice, 2,636 bytes, bent on purpose",
            "bob → gateway|GET /media/xxxxxx…",
            "gateway → bob|404 to GET /media/xxxxxx…, 2,636 bytes",
            "bob → gateway|GET /media/short",
            "bob|is told to accept identity",
        ]
    );
}

#[test]
fn receipts_without_a_name_are_told_by_what_they_are_about() {
    let receipt =
        Stanza::Receipt { id: id(9), to: Some(user(ALICE)), from: None, r#type: ReceiptType::Delivered, of: id(1), count: None };
    let events = vec![named("m1", 1), Event::Input(Input::ChatFrame { channel: 1, text: Body::Text(receipt.to_json()) })];
    assert_eq!(lines(&drawn(events, vec![]))[1..], ["bob → gateway|receipt of m1"]);
}

#[test]
fn a_failed_check_is_told_after_the_last_thing_that_it_points_to() {
    let events =
        || vec![named("m1", 1), sent_by_alice(1), to_bob(1), Event::Step { index: 1 }, sent_by_alice(3), Event::Finished];
    let by_evidence = drawn(events(), vec![failed(Some(1), vec![FIRST + 2])]);
    assert_eq!(lines(&by_evidence)[1..3], ["alice → bob|m1 (evidence)", "|✗ step 2 fail: bob was shown m1"]);
    let by_step = drawn(events(), vec![failed(Some(0), vec![])]);
    assert_eq!(lines(&by_step)[2], "|✗ step 1 fail: bob was shown m1");
    assert_eq!(by_step.rows[3].shape, Shape::Step);
    let by_nothing = drawn(events(), vec![failed(None, vec![])]);
    assert_eq!(lines(&by_nothing).last().unwrap(), "|✗ monitor fail: bob was shown m1");
    let many = drawn(events(), (0..9).map(|_| failed(None, vec![])).collect());
    assert_eq!(lines(&many).last().unwrap(), "|✗ 6 more of this scenario's checks point here");
}

#[test]
fn a_long_course_is_cut_and_every_message_is_counted() {
    let events: Vec<Event> = (1..=200).flat_map(|n| [sent_by_alice(n), to_bob(n)]).collect();
    let place = FIRST + 2 * 120;
    let whole = diagram(&instance(events.clone(), vec![failed(None, vec![place])]), &Blobs::new(), &[], usize::MAX);
    let found = diagram(&instance(events, vec![failed(None, vec![place])]), &Blobs::new(), &[], 30);
    assert!(found.rows.len() <= 34, "{}", found.rows.len());
    let arrows = |d: &Diagram| d.rows.iter().filter(|r| matches!(r.shape, Shape::Arrow { .. })).count();
    let gaps = found.rows.iter().filter(|r| r.shape == Shape::Gap);
    let left_out: usize = gaps.map(|r| r.label.split(' ').nth(1).unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(arrows(&found) + left_out, arrows(&whole), "{:?}", lines(&found));
    assert_eq!(arrows(&whole), 200);
    let failure = found.rows.iter().position(|r| r.shape == Shape::Failure).unwrap();
    assert!(found.rows[failure - 1].evidence && found.rows[failure + 1].shape != Shape::Gap);
}

#[test]
fn more_users_than_there_is_room_for_stand_at_the_gateway() {
    let events =
        (20..60).map(|n| Event::FromReference { user: user(n), what: "GET /keys".into(), body: Body::Text(String::new()) });
    let found = drawn(events.collect(), vec![]);
    assert_eq!(found.lifelines.len(), 8);
    assert!(found.rows.iter().any(|r| matches!(r.shape, Shape::Note { .. })));
}

#[test]
fn labels_are_escaped_and_bounded() {
    let evil = "</text><script>alert(1)</script>\u{202e}\u{1b}".repeat(500);
    let events = vec![named(&evil, 1), sent_by_alice(1), disturbed(1, &evil), to_bob(1)];
    let found = drawn(events, vec![failed(None, vec![])]);
    let drawing = svg(&found).into_string();
    assert!(!drawing.contains("<script") && !drawing.contains('\u{202e}') && !drawing.contains('\u{1b}'));
    assert!(drawing.len() < 6_000, "{}", drawing.len());
}

#[test]
fn the_drawing() {
    let events = vec![named("m1", 1), sent_by_alice(1), disturbed(1, "dropped"), Event::Step { index: 1 }];
    let drawing = svg(&drawn(events, vec![failed(Some(1), vec![])])).into_string();
    insta::assert_snapshot!(drawing.replace("><", ">\n<"));
}
