use super::*;
use crate::blank;
use countersign_contract::{StanzaId, UserId};
use countersign_trace::{Body, Entry, Event, Input, Observation, Outcome};
use serde_json::json;

fn id(number: u8) -> String {
    format!("{number:02x}000000-0000-4000-8000-000000000000")
}

fn stanza(number: u8) -> StanzaId {
    serde_json::from_value(json!(id(number))).unwrap()
}

/// A user of the candidate, alice, with what she does in these events.
fn instance(name: &str, seed: u8, events: Vec<Event>) -> InstanceResult {
    let (alice, token) = (id(seed), format!("token-{seed}"));
    let begin = vec![
        Event::Named { name: "user:alice".into(), stanza: stanza(seed) },
        Event::Named { name: "user:bob".into(), stanza: stanza(seed + 1) },
        Event::Named { name: "m1".into(), stanza: stanza(seed + 2) },
        Event::Input(Input::Request {
            request: 1,
            method: "POST".into(),
            path: "/enlist".into(),
            token: None,
            body: Body::Text(json!({ "user": alice, "registration_id": seed, "identity_key": "A".repeat(44) }).to_string()),
        }),
        Event::Reply {
            request: 1,
            status: 200,
            content_type: String::new(),
            body: Body::Text(json!({ "token": token }).to_string()),
            disturbed: false,
        },
        Event::Input(Input::ChatOpened { channel: 1, token: Some(token) }),
    ];
    let trace = begin.into_iter().chain(events).enumerate();
    let trace = trace.map(|(n, event)| Entry { n: n as u64, at_us: u64::from(seed) * n as u64, event }).collect();
    InstanceResult { trace, verdict: Verdict::Pass, ..blank::instance(name) }
}

fn frame(stanza: serde_json::Value) -> Event {
    Event::Input(Input::ChatFrame { channel: 1, text: Body::Text(stanza.to_string()) })
}

fn receipt(seed: u8, of: u8) -> Event {
    frame(json!({ "kind": "receipt", "id": id(of.wrapping_add(150)), "to": id(seed + 1), "type": "delivered", "of": id(of) }))
}

fn saw(seed: u8, call: u64, events: serde_json::Value) -> [Event; 2] {
    let args = json!({ "user": id(seed), "after": 0 });
    [
        Event::Call { call, op: "events".into(), args, step: Some(0) },
        Event::Input(Input::Returned { call, outcome: Outcome::Ok(json!({ "events": events })) }),
    ]
}

#[test]
fn what_is_random_has_placeholders() {
    let of = |seed: u8| {
        let shown = json!({ "kind": "message", "message": id(seed + 2), "from": id(seed + 1), "content": { "kind": "text", "text": "one" } });
        let mut events = vec![receipt(seed, seed + 2), receipt(seed, seed + 9)];
        events.extend(saw(seed, 1, json!([])));
        events.extend(saw(seed, 2, json!([{ "seq": 1, "what": shown }])));
        behaviour(&instance("a/b", seed, events))
    };
    let text = of(16);
    assert_eq!(text, of(64));
    insta::assert_snapshot!(text);
}

#[test]
fn order_between_directions_and_polling_is_chance_and_order_within_one_is_not() {
    let message = |seq: u64, of: u8| json!({ "seq": seq, "what": { "kind": "message", "message": id(of), "from": id(17) } });
    let with = |events: Vec<Event>| behaviour(&instance("a/b", 16, events));
    let [call, answer] = saw(16, 1, json!([message(1, 18), message(2, 19)]));
    let one = with(vec![receipt(16, 18), call.clone(), answer.clone()]);
    assert_eq!(one, with(vec![call.clone(), answer.clone(), receipt(16, 18)]));
    let polled: Vec<Event> = saw(16, 2, json!([])).into_iter().chain(saw(16, 3, json!([message(1, 18)]))).collect();
    assert_eq!(one, with([polled, vec![receipt(16, 18), call, answer]].concat()));
    let [call, answer] = saw(16, 1, json!([message(1, 19), message(2, 18)]));
    assert_ne!(one, with(vec![receipt(16, 18), call.clone(), answer.clone()]), "shown in another order");
    assert_ne!(
        with(vec![receipt(16, 18), receipt(16, 19)]),
        with(vec![receipt(16, 19), receipt(16, 18)]),
        "receipts in another order"
    );
}

#[test]
fn which_of_two_crossing_messages_comes_first_is_chance() {
    let delivered = |of: u8| {
        let message = json!({ "kind": "message", "id": id(of), "from": id(17), "type": "normal", "body": "AAAA" });
        Event::Frame { channel: 1, text: Body::Text(message.to_string()) }
    };
    let call = |call: u64, op: &str, more: serde_json::Value| {
        let mut args = json!({ "user": id(16) });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Event::Call { call, op: op.into(), args, step: Some(0) }
    };
    let done = |call: u64| Event::Input(Input::Returned { call, outcome: Outcome::Ok(json!({})) });
    let sends = |kind: &str| frame(json!({ "kind": "message", "id": id(19), "to": id(17), "type": kind, "body": "AAAA" }));
    let send = || call(1, "send", json!({ "to": id(17), "stanza": id(19) }));
    let settled = || vec![call(2, "settle", json!({ "through": id(18) })), done(2)];
    let of = |events: Vec<Event>| behaviour(&instance("a/b", 16, events));
    let crossing = |kind| of(vec![delivered(18), send(), sends(kind), done(1)]);
    assert_eq!(crossing("normal"), crossing("prekey"));
    let after = |kind| of([vec![delivered(18)], settled(), vec![send(), sends(kind), done(1)]].concat());
    assert_ne!(after("normal"), after("prekey"), "it has read the message");
    let before = |kind| of(vec![send(), sends(kind), done(1), delivered(18)]);
    assert_ne!(before("normal"), before("prekey"), "there was none");
    let held = |kind| of([vec![delivered(18), delivered(20)], settled(), vec![send(), sends(kind), done(1)]].concat());
    assert_eq!(held("normal"), held("prekey"), "one is still under way");
}

#[test]
fn why_a_bent_key_is_refused_is_chance_and_that_it_is_refused_is_not() {
    let of = |how: &str, reason: &str, retry: bool| {
        let message = json!({ "kind": "message", "id": id(18), "from": id(17), "type": "normal", "body": "AAAA" });
        let bent = vec![
            Event::Disturbed { stanza: Some(stanza(18)), how: how.into() },
            Event::Frame { channel: 1, text: Body::Text(message.to_string()) },
        ];
        let again = frame(json!({ "kind": "receipt", "id": id(99), "to": id(17), "type": "retry", "of": id(18), "count": 1 }));
        let mut seen = vec![json!({ "seq": 1, "what": { "kind": "refused", "stanza": id(18), "reason": reason } })];
        if retry {
            seen.push(json!({ "seq": 2, "what": { "kind": "notice", "notice": "undecryptable", "about": id(17) } }));
        }
        let asked =
            Observation::Receipt { stanza: stanza(99), from: UserId(stanza(16).0), receipt: "retry".into(), of: stanza(18) };
        let asked = Event::Observed { user: Some(UserId(stanza(17).0)), observation: asked };
        let more = retry.then_some([again, asked]).into_iter().flatten().chain(saw(16, 1, json!(seen)));
        behaviour(&instance("a/b", 16, bent.into_iter().chain(more).collect()))
    };
    let key = "tampered with base-key";
    assert_eq!(of(key, "bad-key", false), of(key, "bad-mac", true));
    assert!(of(key, "bad-key", false).contains("refused <stanza:m1>: its key was bent"));
    let mac = "tampered with mac";
    assert_ne!(of(mac, "bad-mac", true), of(mac, "bad-key", true));
    assert_ne!(of(mac, "bad-mac", true), of(mac, "bad-mac", false));
}

fn record(instances: Vec<InstanceResult>) -> Record {
    let mut record = blank::record(instances);
    let selected = record.instances.iter().map(InstanceResult::name).collect();
    record.plan = Some(countersign_trace::record::Plan { selected, left_out: vec![], filtered: 0 });
    let check: countersign_trace::record::Summary = serde_json::from_value(json!({
        "seed": Digest::of(b""), "interrupted": null, "verdict": "pass", "exit_code": 0, "counts": [], "checks": [],
        "times": { "wall_us": 0, "instances_us": 0, "candidate_us": 0, "crypto_us": 0, "own_us": 0 },
    }))
    .unwrap();
    record.summary = Some(check);
    record
}

#[test]
fn a_change_says_what_it_is_and_what_moved() {
    let before = record(vec![instance("a/b", 16, vec![receipt(16, 18)]), instance("a/gone", 16, vec![])]);
    let baseline = Baseline::of(&before, "lib 1");
    assert_eq!(compare(&baseline, &before, "lib 1").changes, []);
    let now = record(vec![instance("a/b", 32, vec![receipt(32, 34), receipt(32, 34)]), instance("a/new", 32, vec![])]);
    let found = compare(&baseline, &now, "lib 1");
    let told: Vec<(&str, Kind)> = found.changes.iter().map(|c| (c.name.as_str(), c.kind)).collect();
    assert_eq!(told, [("a/b", Kind::Changed), ("a/gone", Kind::Gone), ("a/new", Kind::New)]);
    assert!(found.changes[0].diff.contains("\n+    delivered of <stanza:m1>\n"), "{}", found.changes[0].diff);
    assert_eq!(found.changes[0].moved, ["candidate: the same version and build, run alike, does something else"]);
    assert_eq!(compare(&baseline, &now, "lib 2").changes[0].moved, ["reference: lib 1 before, lib 2 now"]);
    let mut other = now.clone();
    other.header.carrier = "child".into();
    assert_eq!(compare(&baseline, &other, "lib 1").changes[0].moved, ["configuration: carrier:  before, child now"]);
    let mut part = now;
    part.header.only = vec!["a/b".into()];
    assert!(!compare(&baseline, &part, "lib 1").changes.iter().any(|c| c.kind == Kind::Gone), "it was not asked for");
}

#[test]
fn what_could_not_be_judged_is_not_compared() {
    let before = record(vec![instance("a/b", 16, vec![receipt(16, 18)])]);
    let baseline = Baseline::of(&before, "");
    for verdict in [Verdict::EnvironmentError, Verdict::HarnessError, Verdict::Inconclusive] {
        let mut now = record(vec![instance("a/b", 16, vec![])]);
        now.instances[0].verdict = verdict;
        let found = compare(&baseline, &now, "");
        assert_eq!((found.changes.len(), found.not_compared.as_slice()), (0, &["a/b".to_owned()][..]));
        assert!(Baseline::of(&now, "").texts.is_empty());
    }
}

#[test]
fn another_suite_names_the_scenarios_that_changed() {
    let with = |text: &str| {
        let mut record = record(vec![instance("a/b@x", 16, vec![]), instance("a/c", 16, vec![])]);
        let file = |path: &str, text: &str| countersign_trace::record::SuiteFile { path: path.into(), text: text.into() };
        record.suite.files = vec![file("a/b.yaml", text), file("a/c.yaml", "same")];
        record.header.suite = record.suite.digest();
        record
    };
    let found = compare(&Baseline::of(&with("one"), ""), &with("two"), "");
    assert_eq!((found.scenarios, found.changes), (vec!["a/b@x".to_owned()], vec![]));
    assert_eq!(found.moved, ["suite: its files are other ones"]);
}

#[test]
fn a_header_is_read_as_it_was_written_and_nothing_else_is() {
    let baseline = Baseline::of(&record(vec![instance("a/b@c", 16, vec![])]), "lib");
    let text = baseline.header.to_text();
    assert_eq!(Header::parse(&text).unwrap(), baseline.header);
    assert_eq!(baseline.header.check("a/b@c", &baseline.texts["a/b@c"]), Ok(()));
    assert!(baseline.header.check("a/b@c", "another").is_err() && baseline.header.check("a/x", "").is_err());
    assert_eq!(Header::parse(&text.replace("\"baseline\": 1", "\"baseline\": 2")), Err(BaselineError::Version(2)));
    for bad in ["../b@c", "/a/b", "a//b", "a/.b", "a/b\\u0000", "a\\\\b", "C:b", ""] {
        let text = text.replace("a/b@c", bad);
        assert!(matches!(Header::parse(&text), Err(BaselineError::Name(_))), "{bad}: {:?}", Header::parse(&text));
    }
    for bad in ["", "{}", "[]", "null", &text[..text.len() / 2], &text.replace("\"profile\"", "\"profil\"")] {
        assert!(matches!(Header::parse(bad), Err(BaselineError::Header(_))), "{bad}");
    }
}

#[test]
fn a_part_of_the_profile_keeps_what_it_did_not_run() {
    let all = Baseline::of(&record(vec![instance("a/b", 16, vec![]), instance("a/c", 16, vec![])]), "");
    let part = Baseline::of(&record(vec![instance("a/b", 16, vec![receipt(16, 18)])]), "").over(all.clone());
    assert_eq!(part.texts.keys().collect::<Vec<_>>(), ["a/b", "a/c"]);
    assert_ne!(part.texts["a/b"], all.texts["a/b"]);
    for (name, text) in &part.texts {
        part.header.check(name, text).unwrap();
    }
}

#[test]
fn texts_of_a_hostile_candidate_and_baseline_are_inert() {
    let evil = "\u{1b}[31m\u{202e}\0";
    let shown = json!([{ "seq": 1, "what": { "kind": "message", "message": evil, "from": evil, "content": { "kind": evil, "text": evil } } }]);
    let text = behaviour(&instance("a/b", 16, saw(16, 1, shown).to_vec()));
    let diff = difference(&format!("{evil}\nsame\n"), &format!("{evil}{evil}\nsame\n"));
    for text in [text, diff] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\0']), "{text:?}");
    }
}

/// What has no room still shows when it changes, and a text that was accepted can be read again.
#[test]
fn a_text_has_an_end_and_hides_no_change() {
    let long = |count: usize, last: &str| {
        let what = |seq: usize| {
            let text = if seq == count { last.to_owned() } else { "é".repeat(190) };
            json!({ "seq": seq, "what": { "kind": "message", "message": id(9), "from": id(2), "content": { "kind": "text", "text": text } } })
        };
        behaviour(&instance("e2ee/long", 1, saw(1, 1, (1..=count).map(what).collect()).to_vec()))
    };
    for count in [4_000, 6_000] {
        let text = long(count, "a");
        assert!(text.len() <= LARGEST_TEXT && text.contains(" more lines, SHA-256 "), "{} bytes", text.len());
        assert_ne!(text, long(count, "b"));
    }
    let wide = |count: usize, last: u8| {
        let members: serde_json::Map<String, serde_json::Value> = (0..count)
            .map(|at| (format!("m{at:03}"), if at + 1 == count { json!(vec![id(2); usize::from(last)]) } else { json!(id(2)) }))
            .collect();
        behaviour(&instance(
            "e2ee/wide",
            1,
            saw(1, 1, json!([{ "seq": 1, "what": { "kind": "other", "members": members } }])).to_vec(),
        ))
    };
    assert_ne!(wide(30, 1), wide(30, 2), "beyond the longest line");
    assert_ne!(wide(41, 1), wide(42, 1), "beyond the last member that is written out");
}
