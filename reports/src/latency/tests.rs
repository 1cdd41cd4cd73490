//! Samples, percentiles and the chart of a burst made by hand.

use super::{Latency, chart, latencies, sentence};
use crate::blank;
use crate::view::{MeasureText, ScenarioText, View};
use countersign_contract::portable::{MessageType, ReceiptType, Stanza};
use countersign_contract::{Bytes, StanzaId, UserId};
use countersign_trace::{Blobs, Body, Entry, Event, Input, InstanceResult, Outcome, Record, Verdict};
use serde_json::json;
use uuid::Uuid;

fn id(number: u128) -> StanzaId {
    StanzaId(Uuid::from_u128(number << 96 | 0x4000_8000_0000_0000_0000))
}

fn user(number: u128) -> UserId {
    UserId(id(number).0)
}

/// Three messages planned every 10 ms; the first is shown after 3 ms, the second after 40, the third never. A stranger's
/// sight of it and a stranger's receipt count for nothing.
fn record() -> Record {
    let (ours, theirs, stranger) = (user(0xa), user(0xb), user(0xc));
    let text = |t: String| Body::Text(t);
    let mut at = vec![
        (0, Event::Named { name: "user:bob".into(), stanza: id(0xb) }),
        (
            0,
            Event::Input(Input::Request {
                request: 1,
                method: "POST".into(),
                path: "/enlist".into(),
                token: None,
                body: text(format!("{{\"user\":\"{theirs}\"}}")),
            }),
        ),
        (
            0,
            Event::Reply {
                request: 1,
                status: 200,
                content_type: "application/json".into(),
                body: text("{\"token\":\"t\"}".into()),
                disturbed: false,
            },
        ),
        (0, Event::Input(Input::ChatOpened { channel: 1, token: Some("t".into()) })),
    ];
    for n in 1..=3_u64 {
        let stanza = id(u128::from(n));
        let body = Bytes(vec![1]);
        let message = Stanza::Message { id: stanza, to: Some(theirs), from: None, r#type: MessageType::Normal, body };
        at.push((n * 10_000, Event::Named { name: format!("b{n}"), stanza }));
        at.push((n * 10_000, Event::FromReference { user: ours, what: "stanza".into(), body: text(message.to_json()) }));
        at.push((n * 10_000, Event::Disturbed { stanza: Some(stanza), how: format!("planned at {}", n * 10_000) }));
    }
    at.push((30_000, Event::Named { name: "before1".into(), stanza: id(9) }));
    at.push((30_000, Event::Disturbed { stanza: Some(id(9)), how: "planned at 0".into() }));
    let sees = |call: u64, who: UserId, n: u128, when: u64| {
        let what = json!({ "kind": "message", "message": id(n), "from": ours, "content": { "kind": "text", "text": "x" } });
        [
            (when, Event::Call { call, op: "events".into(), args: json!({ "user": who }), step: None }),
            (
                when,
                Event::Input(Input::Returned {
                    call,
                    outcome: Outcome::Ok(json!({ "events": [{ "seq": call, "what": what }] })),
                }),
            ),
        ]
    };
    at.extend(sees(1, theirs, 1, 13_000));
    at.extend(sees(2, stranger, 2, 21_000));
    at.extend(sees(3, theirs, 2, 60_000));
    at.extend(sees(4, theirs, 1, 70_000));
    for (channel, of, when) in [(2, 1, 11_000), (1, 1, 14_000), (1, 2, 22_000), (1, 3, 33_000)] {
        let receipt = Stanza::Receipt {
            id: id(50 + of),
            to: Some(ours),
            from: None,
            r#type: ReceiptType::Delivered,
            of: id(of),
            count: None,
        };
        at.push((when, Event::Input(Input::ChatFrame { channel, text: text(receipt.to_json()) })));
    }
    let trace = at.into_iter().zip(0..).map(|((at_us, event), n)| Entry { n, at_us, event }).collect();
    blank::record(vec![InstanceResult { trace, verdict: Verdict::Inconclusive, ..blank::instance("timing/x") }])
}

fn text(receipt: bool) -> ScenarioText {
    let measures = vec![MeasureText { step: 0, burst: "b".into(), receipt, limit_ms: 500 }];
    ScenarioText { id: "timing/x".into(), measures, ..ScenarioText::default() }
}

fn with<T>(receipt: bool, of: impl Fn(&[Latency<'_>]) -> T) -> T {
    let (record, scenarios, blobs) = (record(), [text(receipt)], Blobs::new());
    let view = View {
        record: &record,
        blobs: &blobs,
        requirements: &[],
        scenarios: &scenarios,
        profile: None,
        chain: None,
        comparison: None,
    };
    of(&latencies(&view))
}

#[test]
fn times_count_from_the_plan_to_what_the_recipient_saw_first() {
    with(false, |found| {
        assert_eq!((found.len(), found[0].arrived.as_slice(), found[0].missing), (1, &[3_000, 40_000][..], 1));
        assert_eq!(found[0].median(), Some(40_000));
        assert_eq!(found[0].p95().unwrap().estimate, u64::MAX, "one of three never arrived");
        assert_eq!(sentence(&found[0]), "the time from the planned send of a message until it is shown, 3 messages");
    });
}

#[test]
fn a_receipt_counts_if_the_recipient_sent_it() {
    with(true, |found| assert_eq!((found[0].arrived.as_slice(), found[0].missing), (&[2_000, 3_000, 4_000][..], 0)));
}

#[test]
fn the_chart_has_a_bar_for_every_sample_and_says_what_never_came() {
    let drawing = with(false, |found| chart(&found[0], "x").into_string());
    assert_eq!(drawing.matches("class=\"br\"").count(), 2);
    assert!(drawing.contains("never: 1") && drawing.contains("limit 500 ms") && drawing.contains("p95"), "{drawing}");
}

#[test]
fn extreme_times_stay_on_the_chart() {
    let measure = MeasureText { limit_ms: u64::MAX, ..MeasureText::default() };
    for arrived in [vec![], vec![0], vec![u64::MAX - 1], vec![0, u64::MAX / 2]] {
        let latency = Latency { instance: 0, measure: &measure, check: None, arrived, missing: 0 };
        let drawing = chart(&latency, "x").into_string();
        assert!(drawing.len() < 20_000 && !drawing.contains("NaN"), "{drawing}");
    }
}
