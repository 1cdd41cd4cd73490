//! A record made by hand that holds every verdict, for tests, the bench and for looking at.

mod texts;

use countersign_contract::claims::{Binding, Capability, Description, Feature, Limits, Suite};
use countersign_contract::portable::{MessageType, ReceiptType, Stanza};
use countersign_contract::seen::UserContent;
use countersign_contract::{Bytes, InstanceId, Problem, Reason, StanzaId, UserId};
use countersign_reports::{ProfileText, RequirementText, ScenarioText, View};
use countersign_trace::event::Fault;
use countersign_trace::record::{Doctor, Examination, Header, LeftOut, Plan, RECORD_VERSION, SuiteFiles, Summary, Times};
use countersign_trace::{
    Blame, Blobs, Body, Check, CheckKind, Digest, Entry, Event, Input, InstanceResult, Observation, Outcome, Record, Trace,
    Verdict,
};
use serde_json::json;
use uuid::Uuid;

/// A record and its texts.
pub(crate) struct Specimen {
    pub(crate) record: Record,
    pub(crate) blobs: Blobs,
    pub(crate) requirements: Vec<RequirementText>,
    pub(crate) scenarios: Vec<ScenarioText>,
    pub(crate) profile: ProfileText,
}

const CHAIN: &str = "5d0d4ea3c1f0a7cbb1f8f0b0d54f1a2f90c6a0f3c6a7c0f2e1d2c3b4a5968778";

impl Specimen {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            record: &self.record,
            blobs: &self.blobs,
            requirements: &self.requirements,
            scenarios: &self.scenarios,
            profile: Some(&self.profile),
            chain: Some(CHAIN),
            comparison: None,
        }
    }
}

/// Makes a specimen.
type Make = fn() -> Specimen;

/// Every specimen but the hostile one, by name.
pub(crate) const ALL: [(&str, Make); 4] =
    [("every_verdict", every_verdict), ("killed", killed), ("unhealthy", unhealthy), ("conforming", conforming)];

fn stanza(digit: char) -> StanzaId {
    let digit = u128::from(digit.to_digit(16).unwrap_or_default());
    StanzaId(Uuid::from_u128((digit * 0x1111_1111) << 96 | 0x4000_8000_0000_0000_0000))
}

fn user(digit: char) -> UserId {
    UserId(stanza(digit).0)
}

fn check(id: &str, step: Option<usize>, requirements: &[&str], verdict: Verdict, expected: &str, observed: &str) -> Check {
    Check {
        id: id.into(),
        kind: if step.is_some() { CheckKind::Expectation } else { CheckKind::Monitor },
        step,
        requirements: requirements.iter().map(|r| (*r).to_owned()).collect(),
        verdict,
        expected: expected.into(),
        observed: observed.into(),
        reason: None,
        finding: None,
        blame: None,
        evidence: vec![],
        likely_cause: None,
        waiver: None,
    }
}

fn instance(name: &str, number: u8, trace: Trace, checks: Vec<Check>) -> InstanceResult {
    let (scenario, case) = name.split_once('@').map_or((name, None), |(s, c)| (s, Some(c.to_owned())));
    InstanceResult {
        scenario: scenario.into(),
        case,
        instance: InstanceId(Uuid::from_u128(u128::from(number) << 120 | 0x4000_8000_0000_0000_0000)),
        seed: Digest::of(&[number]),
        trace,
        verdict: checks.iter().map(|c| c.verdict).max().unwrap_or(Verdict::Pass),
        checks,
        wall_us: 12_340 + u64::from(number) * 991,
        own_us: 1_210,
        crypto_us: 3_400,
    }
}

fn message(id: StanzaId, to: Option<UserId>, from: Option<UserId>) -> String {
    let body: Vec<u8> = (0..210u8).map(|i| i.wrapping_mul(7).wrapping_add(51)).collect();
    Stanza::Message { id, to, from, r#type: MessageType::Prekey, body: Bytes(body) }.to_json()
}

/// A trace in which a message is sent, sent again and shown twice.
fn trace(blobs: &mut Blobs) -> Trace {
    let (alice, bob, m1) = (user('a'), user('b'), stanza('1'));
    let body = |text: &str| Body::Text(text.to_owned());
    let text = UserContent::Text { text: "one".into() };
    let events = vec![
        Event::Input(Input::Start { now_ms: 1_795_392_000_000 }),
        Event::Call { call: 1, op: "create_user".into(), args: json!({ "user": bob, "one_time_prekeys": 4 }), step: None },
        Event::Input(Input::Request {
            request: 1,
            method: "POST".into(),
            path: "/enlist".into(),
            token: None,
            body: body(
                r#"{"user":"bbbbbbbb-0000-4000-8000-000000000000","registration_id":77,"identity_key":"BQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ"}"#,
            ),
        }),
        Event::Reply {
            request: 1,
            status: 200,
            content_type: "application/json".into(),
            body: body(r#"{"token":"t"}"#),
            disturbed: false,
        },
        Event::Input(Input::Returned { call: 1, outcome: Outcome::Ok(json!({ "identity_key": "BQkJ" })) }),
        Event::Input(Input::ChatOpened { channel: 1, token: Some("t".into()) }),
        Event::Step { index: 0 },
        Event::Named { name: "m1".into(), stanza: m1 },
        Event::Observed {
            user: Some(alice),
            observation: Observation::Sent { stanza: m1, to: bob, content: text, media_key: None },
        },
        Event::FromReference { user: alice, what: "stanza".into(), body: body(&message(m1, Some(bob), None)) },
        Event::Frame { channel: 1, text: body(&message(m1, None, Some(alice))) },
        Event::Step { index: 1 },
        Event::Disturbed { stanza: Some(m1), how: "repeated".into() },
        Event::Frame { channel: 1, text: body(&message(m1, None, Some(alice))) },
        Event::Input(Input::ChatFrame {
            channel: 1,
            text: body(
                &Stanza::Receipt {
                    id: stanza('2'),
                    to: Some(alice),
                    from: None,
                    r#type: ReceiptType::Delivered,
                    of: m1,
                    count: None,
                }
                .to_json(),
            ),
        }),
        Event::Call { call: 2, op: "events".into(), args: json!({ "user": bob, "after": 0, "wait_ms": 0 }), step: Some(2) },
        Event::Input(Input::Returned { call: 2, outcome: Outcome::Problem(Problem::new(Reason::Busy, "come back")) }),
        Event::Input(Input::Request {
            request: 2,
            method: "PUT".into(),
            path: "/media".into(),
            token: None,
            body: Body::new(&vec![0x9c; 70_000], blobs),
        }),
        Event::Step { index: 2 },
        Event::Finished,
    ];
    let mut at_us = 0;
    events
        .into_iter()
        .enumerate()
        .map(|(n, event)| {
            at_us += 317 * (n as u64 % 5);
            Entry { n: n as u64, at_us, event }
        })
        .collect()
}

/// Everything that a run can hold.
pub(crate) fn every_verdict() -> Specimen {
    let mut blobs = Blobs::new();
    let trace = trace(&mut blobs);
    let instances = instances(&trace);
    let names: Vec<String> = instances.iter().map(InstanceResult::name).collect();
    let record = Record {
        header: header(),
        suite: SuiteFiles { files: vec![] },
        doctor: Some(doctor()),
        plan: Some(Plan {
            selected: names,
            left_out: vec![
                LeftOut {
                    name: "text/typing".into(),
                    verdict: Verdict::NotApplicable,
                    because: "the candidate does not claim `typing`".into(),
                },
                LeftOut {
                    name: "keys/virtual-time".into(),
                    verdict: Verdict::Unsupported,
                    because: "needs the capability `virtual-clock`".into(),
                },
            ],
            filtered: 0,
        }),
        summary: Some(summary()),
        instances,
        repeats: Vec::new(),
        notes: Vec::new(),
        cut_off: false,
    };
    Specimen { record, blobs, requirements: texts::requirements(), scenarios: texts::scenarios(), profile: texts::profile() }
}

fn instances(trace: &Trace) -> Vec<InstanceResult> {
    let mut twice = check(
        "step-3",
        Some(2),
        &["SIG-07"],
        Verdict::Fail,
        "bob sees m1 once, and the second delivery is refused as `duplicate`",
        "bob saw m1 twice: events 1 and 2 carry the same message id, and a second delivered receipt was sent",
    );
    twice.reason = Some(Reason::Duplicate);
    twice.finding = Some("shown-twice".into());
    twice.blame = Some(Blame::Candidate);
    twice.evidence = vec![10, 13, 14, 17];
    twice.likely_cause =
        Some("The message key is kept after its first use, so the ratchet decrypts the same ciphertext again.".into());
    let mut mac = check("step-2", Some(1), &["SIG-05"], Verdict::Fail, "refused as `bad-mac`", "shown to bob");
    mac.blame = Some(Blame::Candidate);
    mac.evidence = vec![13];
    let mut gone = check(
        "call-2",
        Some(2),
        &["DMA-7(3)"],
        Verdict::EnvironmentError,
        "an answer within 15 s",
        "the candidate is gone: connection reset",
    );
    gone.blame = Some(Blame::Environment);
    gone.kind = CheckKind::Step;
    let mut gone_trace = trace.clone();
    if let Some(entry) = gone_trace.get_mut(16) {
        entry.event = Event::Input(Input::Returned {
            call: 2,
            outcome: Outcome::Fault { fault: Fault::Gone, detail: "connection reset".into() },
        });
    }
    vec![
        instance(
            "e2ee/out-of-order",
            1,
            trace.clone(),
            vec![
                check(
                    "step-3",
                    Some(2),
                    &["SIG-05", "DMA-7(3)"],
                    Verdict::Pass,
                    "bob sees m1 after m2",
                    "events 1 (m2) and 2 (m1)",
                ),
                check(
                    "no-plaintext",
                    None,
                    &["SIG-01"],
                    Verdict::Pass,
                    "no marker in any byte that a server sees",
                    "none in 4,211 bytes",
                ),
            ],
        ),
        instance(
            "e2ee/replay",
            2,
            trace.clone(),
            vec![check("step-2", Some(1), &["SIG-07"], Verdict::Pass, "bob is online", "connected"), twice],
        ),
        instance("e2ee/mac-inner-field@counter", 3, trace.clone(), vec![mac]),
        instance(
            "timing/delivery",
            4,
            trace.clone(),
            vec![check(
                "step-3",
                Some(2),
                &["TIME-01"],
                Verdict::Warn,
                "99 of 100 messages within 500 ms",
                "98 of 100 within 500 ms; slowest 712 ms",
            )],
        ),
        instance(
            "media/voice",
            5,
            vec![],
            vec![check(
                "step-1",
                Some(0),
                &["MED-02"],
                Verdict::Unsupported,
                "a voice message",
                "the operation is `unsupported`",
            )],
        ),
        instance(
            "keys/identity-change",
            6,
            vec![],
            vec![check("step-2", Some(1), &["SIG-09"], Verdict::Blocked, "bob is told", "not tested: `e2ee/replay` failed")],
        ),
        instance("media/image", 7, gone_trace, vec![gone]),
        instance(
            "keys/safety-number",
            8,
            vec![],
            vec![check(
                "step-1",
                Some(0),
                &["SIG-10"],
                Verdict::NeedsReview,
                "equal digits",
                "a person has to compare the screens",
            )],
        ),
        instance(
            "timing/retry",
            9,
            vec![],
            vec![check(
                "step-1",
                Some(0),
                &["TIME-02"],
                Verdict::Inconclusive,
                "growing pauses",
                "3 of 5 samples; too few to tell",
            )],
        ),
        instance(
            "keys/refill",
            10,
            vec![],
            vec![check("step-1", Some(0), &["SIG-11"], Verdict::HarnessError, "a refill", "the gateway's counter overflowed")],
        ),
        instance(
            "keys/waived",
            11,
            vec![],
            vec![check("step-1", Some(0), &["SIG-12"], Verdict::Waived, "a new prekey", "waiver W-3 until 2026-12-31")],
        ),
    ]
}

fn header() -> Header {
    Header {
        record: RECORD_VERSION,
        countersign: "0.1.0".into(),
        started: "2026-11-23T00:00:00Z".into(),
        profile: "dma-basic".into(),
        target: "https://messenger.example/upper-tester".into(),
        carrier: "http".into(),
        seed_commitment: Digest::of(b"seed"),
        jobs: 8,
        only: vec![],
        suite: Digest::of(b"suite"),
        expected_failures: vec![],
        waivers: vec![],
    }
}

fn doctor() -> Doctor {
    let fine = |name: &str, found: &str| Examination { name: name.into(), healthy: true, found: found.into(), fix: None };
    Doctor {
        examinations: vec![
            fine("reachable", "answered in 3 ms"),
            fine("contract", "version 1.0"),
            fine("clock", "12 ms apart"),
            fine("honest unsupported", "an invented operation was answered `unsupported`"),
        ],
        description: Some(Description {
            name: "Example Messenger".into(),
            version: "7.2.0".into(),
            build: "sha256:41c0ffee".into(),
            operator: "Example GmbH".into(),
            contract: "1.0".into(),
            clock: 1_795_392_000_000,
            bindings: vec![Binding::Portable],
            suites: vec![Suite::SignalPq],
            features: vec![Feature::Text, Feature::Image, Feature::Voice, Feature::Retry],
            capabilities: vec![Capability::VirtualClock],
            limits: Limits { text_bytes: 65_536, file_bytes: 104_857_600, instances: 64 },
            assumptions: vec!["Push is simulated.".into(), "Users' devices are trusted.".into()],
        }),
    }
}

fn summary() -> Summary {
    Summary {
        seed: Digest::of(b"the seed"),
        interrupted: None,
        verdict: Verdict::Fail,
        exit_code: 4,
        counts: vec![(Verdict::Pass, 1), (Verdict::Fail, 2)],
        checks: vec![check(
            "keys-once",
            None,
            &["SIG-13"],
            Verdict::Pass,
            "no one-time prekey used twice over instances",
            "88 used once",
        )],
        waivers: vec![],
        times: Times {
            wall_us: 4_070_000,
            instances_us: 9_200_000,
            candidate_us: 6_100_000,
            crypto_us: 2_000_000,
            own_us: 1_100_000,
        },
    }
}

/// A run that was killed after four instances, in the middle of a line.
pub(crate) fn killed() -> Specimen {
    let mut out = every_verdict();
    out.record.instances.truncate(1);
    out.record.summary = None;
    out.record.cut_off = true;
    out
}

/// A run that the doctor stopped.
pub(crate) fn unhealthy() -> Specimen {
    let mut out = every_verdict();
    out.record.doctor = Some(Doctor {
        examinations: vec![
            Examination { name: "reachable".into(), healthy: true, found: "answered in 3 ms".into(), fix: None },
            Examination {
                name: "contract".into(),
                healthy: false,
                found: "the endpoint answered with HTML: `<!doctype html>`".into(),
                fix: Some("point --candidate at the upper tester's own URL, not at the web site".into()),
            },
        ],
        description: None,
    });
    out.record.plan = None;
    out.record.instances.clear();
    let mut end = summary();
    (end.verdict, end.exit_code) = (Verdict::EnvironmentError, 3);
    (end.checks, end.counts, end.times) = (vec![], vec![], Times::default());
    out.record.summary = Some(end);
    out
}

/// A run in which everything passed.
pub(crate) fn conforming() -> Specimen {
    let mut out = every_verdict();
    out.record.instances.truncate(1);
    if let Some(plan) = &mut out.record.plan {
        plan.selected.truncate(1);
    }
    if let Some(summary) = &mut out.record.summary {
        (summary.verdict, summary.exit_code) = (Verdict::Pass, 0);
    }
    out
}
