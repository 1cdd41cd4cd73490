//! Handmade traces: a small world of one instance, whose every entry a test can leave out, add or bend.

pub(crate) mod bytes;
pub(crate) mod flows;

use countersign_contract::claims::Description;
use countersign_contract::portable::{Enlist, Enlisted, Prekey, SignedKey, Stanza};
use countersign_contract::{Bytes, StanzaId, UserId};
use countersign_judge::{judge, worst};
use countersign_scenarios::{Profile, Requirement, Scenario, Side};
use countersign_trace::{Blobs, Body, Check, Entry, Event, Input, Observation, Outcome, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) profile: Profile,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) description: Description,
    pub(crate) trace: Vec<Entry>,
    pub(crate) blobs: Blobs,
    pub(crate) now: u64,
    pub(crate) step: Option<usize>,
    pub(crate) calls: u64,
    pub(crate) requests: u64,
    pub(crate) events: BTreeMap<String, Vec<Value>>,
    pub(crate) told: BTreeMap<String, usize>,
    pub(crate) counter: u32,
}

/// An id for a name.
pub(crate) fn id(name: &str) -> StanzaId {
    let digest = countersign_trace::Digest::of(name.as_bytes());
    StanzaId(uuid::Uuid::from_slice(&digest.0[..16]).unwrap())
}

pub(crate) fn user(name: &str) -> UserId {
    UserId(id(&format!("user:{name}")).0)
}

pub(crate) fn channel(name: &str) -> u64 {
    u64::from(name.as_bytes()[0])
}

pub(crate) fn profile() -> Profile {
    serde_json::from_value(json!({
        "id": "test", "title": "", "version": 1, "bindings": ["portable"], "suites": ["signal-pq"],
        "wire": {"message-version": 4, "spqr": true, "padding-block": 160},
        "requirements": ["T-1", "META-04"], "scenarios": ["*"],
        "limits": {"delivery-p95-ms": 100, "receipt-p95-ms": 100, "own-lag-ms": 50},
        "inventory": {
            "to-gateway/message": ["kind", "id", "to", "type", "body"],
            "to-gateway/receipt": ["kind", "id", "to", "type", "of", "count"],
            "to-gateway/ack": ["kind", "id"],
            "to-gateway/enlist": ["user", "registration_id", "identity_key", "signed_prekey", "kyber_prekey", "one_time_prekeys",
                "one_time_kyber_prekeys"],
            "to-gateway/put-blocks": ["users"],
            "to-gateway/put-keys": ["signed_prekey", "kyber_prekey", "one_time_prekeys", "one_time_kyber_prekeys"]
        },
        "unsupported-counts-as": "warn", "assumptions": [], "does-not-show": []
    }))
    .unwrap()
}

pub(crate) fn requirement(id: &str, level: &str) -> Requirement {
    serde_json::from_value(json!({
        "id": id, "sentence": "", "source": "", "date": "2026-01-01", "grade": "P", "level": level,
        "decided-by": "candidate-verifies", "attack": "", "usual-cause": "a usual cause", "fix": ""
    }))
    .unwrap()
}

pub(crate) fn description() -> Description {
    serde_json::from_value(json!({
        "name": "", "version": "", "build": "", "operator": "", "contract": "1.0", "clock": 0, "bindings": ["portable"],
        "suites": ["signal-pq"], "features": ["text", "safety-number"], "capabilities": [],
        "limits": {"text_bytes": 1000, "file_bytes": 1000, "instances": 1}
    }))
    .unwrap()
}

impl World {
    /// A world with alice and dora as reference users, bob and carl as the candidate's, set up and online.
    pub(crate) fn new(steps: &Value) -> Self {
        let mut world = Self::bare(steps);
        world.set_up();
        world
    }

    pub(crate) fn bare(steps: &Value) -> Self {
        let scenario = serde_json::from_value(json!({
            "id": "test/test", "title": "", "why": "", "verifies": ["T-1"],
            "cast": {"alice": "reference", "bob": "candidate", "carl": "candidate", "dora": "reference"},
            "steps": steps
        }))
        .unwrap();
        Self {
            scenario,
            profile: profile(),
            requirements: vec![requirement("T-1", "MUST"), requirement("META-04", "MUST")],
            description: description(),
            trace: vec![],
            blobs: Blobs::new(),
            now: 0,
            step: None,
            calls: 0,
            requests: 0,
            events: BTreeMap::new(),
            told: BTreeMap::new(),
            counter: 0,
        }
    }

    pub(crate) fn set_up(&mut self) {
        self.input(Input::Start { now_ms: 0 });
        let cast: Vec<(String, Side)> = self.scenario.cast.iter().map(|(n, c)| (n.clone(), c.side)).collect();
        for (name, _) in &cast {
            self.log(Event::Named { name: format!("user:{name}"), stanza: StanzaId(user(name).0) });
        }
        for (name, side) in &cast {
            if *side == Side::Candidate {
                self.create(name, &bytes::enlist(name));
                self.connect(name);
            }
        }
    }

    /// A candidate's user is created: call, enlistment, answer.
    pub(crate) fn create(&mut self, name: &str, keys: &Enlist) {
        let call = self
            .begin("create_user", &json!({"instance": StanzaId(uuid::Uuid::nil()), "user": user(name), "one_time_prekeys": 2}));
        let token = Enlisted { token: format!("token-{name}") };
        self.request("POST", "/enlist", None, &serde_json::to_vec(keys).unwrap(), 200, &serde_json::to_vec(&token).unwrap());
        self.end(call, Outcome::Ok(json!({"identity_key": keys.identity_key})));
    }

    pub(crate) fn connect(&mut self, name: &str) {
        let call = self.begin("connect", &json!({"user": user(name)}));
        self.input(Input::ChatOpened { channel: channel(name), token: Some(format!("token-{name}")) });
        self.end(call, Outcome::Ok(json!({})));
    }

    pub(crate) fn log(&mut self, event: Event) {
        let n = self.trace.len() as u64;
        self.trace.push(Entry { n, at_us: self.now, event });
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.log(Event::Input(input));
    }

    pub(crate) fn body(&mut self, bytes: &[u8]) -> Body {
        Body::new(bytes, &mut self.blobs)
    }

    pub(crate) fn step(&mut self, index: usize) {
        self.step = Some(index);
        self.log(Event::Step { index });
    }

    pub(crate) fn begin(&mut self, op: &str, args: &Value) -> u64 {
        self.calls += 1;
        let (call, step) = (self.calls, self.step);
        self.log(Event::Call { call, op: op.into(), args: args.clone(), step });
        call
    }

    pub(crate) fn end(&mut self, call: u64, outcome: Outcome) {
        self.input(Input::Returned { call, outcome });
    }

    pub(crate) fn call(&mut self, op: &str, args: &Value, outcome: Outcome) {
        let call = self.begin(op, args);
        self.end(call, outcome);
    }

    pub(crate) fn request(&mut self, method: &str, path: &str, who: Option<&str>, body: &[u8], status: u16, answer: &[u8]) {
        self.requests += 1;
        let request = self.requests;
        let body = self.body(body);
        let token = who.map(|name| format!("token-{name}"));
        self.input(Input::Request { request, method: method.into(), path: path.into(), token, body });
        let body = self.body(answer);
        self.log(Event::Reply { request, status, content_type: "application/json".into(), body, disturbed: status >= 400 });
    }

    /// A frame from the candidate.
    pub(crate) fn frame_in(&mut self, name: &str, stanza: &Stanza) {
        let text = stanza.to_json();
        self.raw_in(name, &text);
    }

    pub(crate) fn raw_in(&mut self, name: &str, text: &str) {
        let text = self.body(text.as_bytes());
        self.input(Input::ChatFrame { channel: channel(name), text });
    }

    /// A frame to the candidate.
    pub(crate) fn frame_out(&mut self, name: &str, stanza: &Stanza) {
        let text = self.body(stanza.to_json().as_bytes());
        self.log(Event::Frame { channel: channel(name), text });
    }

    pub(crate) fn named(&mut self, name: &str) {
        self.log(Event::Named { name: name.into(), stanza: id(name) });
    }

    pub(crate) fn observed(&mut self, name: &str, observation: Observation) {
        self.log(Event::Observed { user: Some(user(name)), observation });
    }

    /// The candidate's user sees something; told with the next `look`.
    pub(crate) fn sees(&mut self, name: &str, what: Value) {
        self.events.entry(name.into()).or_default().push(what);
    }

    pub(crate) fn replace_event(&mut self, name: &str, index: usize, what: Value) {
        self.events.get_mut(name).unwrap()[index] = what;
    }

    /// Settle through a stanza, then ask for events.
    pub(crate) fn settle(&mut self, name: &str, through: &str) {
        self.call("settle", &json!({"user": user(name), "through": id(through)}), Outcome::Ok(json!({})));
        self.look(name);
    }

    pub(crate) fn look(&mut self, name: &str) {
        let told = self.told.get(name).copied().unwrap_or(0);
        let all = self.events.get(name).cloned().unwrap_or_default();
        let new: Vec<Value> = all.iter().enumerate().skip(told).map(|(i, what)| json!({"seq": i + 1, "what": what})).collect();
        self.call("events", &json!({"user": user(name), "after": told, "wait_ms": 0}), Outcome::Ok(json!({"events": new})));
        self.told.insert(name.into(), all.len());
    }

    pub(crate) fn finish(&mut self) {
        self.step = None;
        self.log(Event::Finished);
        self.look("bob");
        self.look("carl");
        self.call("close", &json!({}), Outcome::Ok(json!({})));
    }

    pub(crate) fn judge(&self) -> Vec<Check> {
        judge(&self.profile, &self.requirements, &self.scenario, &self.trace, &self.blobs, &self.description)
    }

    /// The check of a step.
    pub(crate) fn of_step(&self, index: usize) -> Check {
        self.check(&format!("step-{index}"))
    }

    pub(crate) fn check(&self, id: &str) -> Check {
        self.judge().into_iter().find(|c| c.id == id).unwrap_or_else(|| panic!("no check {id}"))
    }

    /// Everything passes.
    pub(crate) fn all_pass(&self) {
        let checks = self.judge();
        let bad: Vec<_> = checks.iter().filter(|c| c.verdict != Verdict::Pass).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        assert_eq!(worst(&checks), Verdict::Pass);
    }

    /// A check has this verdict and finding.
    #[track_caller]
    pub(crate) fn says(&self, id: &str, verdict: Verdict, finding: &str) -> Check {
        let check = self.check(id);
        assert_eq!((check.verdict, check.finding.as_deref().unwrap_or("")), (verdict, finding), "{check:#?}");
        check
    }
}

pub(crate) fn text(text: &str) -> Value {
    json!({"kind": "text", "text": text})
}

pub(crate) fn signed(id: u32, key: Vec<u8>) -> SignedKey {
    SignedKey { id, key: Bytes(key), signature: Bytes(vec![7; 64]) }
}

pub(crate) fn prekey(id: u32, key: Vec<u8>) -> Prekey {
    Prekey { id, key: Bytes(key) }
}
