//! Builds the index in one pass over the trace.

use super::events::Reader;
use super::{Called, Delivery, FrameIn, Handed, Publication, Requested, Seen, What, Witnessed};
use countersign_contract::UserId;
use countersign_contract::portable::{Enlist, Enlisted, KeyBundle, PublishKeys, Stanza};
use countersign_scenarios::{Scenario, Side};
use countersign_trace::{Blobs, Body, Entry, Event, Input, Observation, event::Outcome};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// What is only needed while the index is built.
#[derive(Default)]
struct Building {
    tokens: BTreeMap<String, UserId>,
    calls: BTreeMap<u64, usize>,
    requests: BTreeMap<u64, usize>,
    timers: BTreeMap<u64, u64>,
    reader: Reader,
    /// Lengths of logs by user and snapshot.
    snapshots: BTreeMap<(UserId, String), usize>,
    /// The step that is under way, and where it began.
    step: Option<(usize, usize)>,
}

impl<'a> Seen<'a> {
    /// Builds the index.
    pub(crate) fn new(scenario: &'a Scenario, trace: &'a [Entry], blobs: &'a Blobs) -> Self {
        let mut seen = Self {
            trace,
            blobs,
            scenario,
            names: BTreeMap::new(),
            users: BTreeMap::new(),
            steps: BTreeMap::new(),
            skipped: BTreeMap::new(),
            finished: None,
            aborted: None,
            calls: vec![],
            sends: BTreeMap::new(),
            requests: vec![],
            frames: vec![],
            channels: BTreeMap::new(),
            closed: BTreeMap::new(),
            hung_up: BTreeMap::new(),
            deliveries: vec![],
            reference_stanzas: vec![],
            sent_by_reference: BTreeMap::new(),
            observed: vec![],
            refused: BTreeMap::new(),
            disturbed: vec![],
            witnessed: BTreeMap::new(),
            disorder: vec![],
            looks: BTreeMap::new(),
            messages: BTreeMap::new(),
            message_of_stanza: BTreeMap::new(),
            publications: vec![],
            handed: vec![],
            lag_us: 0,
            candidates: BTreeSet::new(),
        };
        let mut building = Building::default();
        for (at, entry) in trace.iter().enumerate() {
            match &entry.event {
                Event::Input(input) => seen.input(&mut building, at, entry.at_us, input),
                event => seen.event(&mut building, at, entry.at_us, event),
            }
        }
        seen.end_step(&mut building, trace.len());
        for (user, sights) in building.reader.witnessed {
            seen.witnessed.entry(user).or_default().extend(sights);
        }
        seen.disorder = building.reader.disorder;
        seen.candidates = scenario
            .cast
            .iter()
            .filter(|(_, cast)| cast.side == Side::Candidate)
            .filter_map(|(name, _)| seen.user(name))
            .collect();
        seen.collect_messages();
        seen
    }

    fn input(&mut self, building: &mut Building, at: usize, at_us: u64, input: &'a Input) {
        match input {
            // What was refused stands as an observation behind it.
            Input::Start { .. } | Input::Refused { .. } | Input::BrokenOff { .. } => {}
            Input::Returned { call, outcome } => self.returned(building, at, *call, outcome),
            Input::Request { request, method, path, token, body } => {
                let user = token.as_deref().and_then(|t| building.tokens.get(t)).copied();
                building.requests.entry(*request).or_insert(self.requests.len());
                self.requests.push(Requested { at, method, path, user, body, reply: None });
            }
            Input::ChatOpened { channel, token } => {
                let user = token.as_deref().and_then(|t| building.tokens.get(t)).copied();
                self.channels.entry(*channel).or_insert((at, user));
            }
            Input::ChatFrame { channel, text } => {
                let user = self.channels.get(channel).and_then(|(_, user)| *user);
                let stanza = match text.bytes(self.blobs) {
                    Some(bytes) => serde_json::from_slice(bytes).map_err(|e| e.to_string()),
                    None => Err("the frame's bytes are not in the record".to_owned()),
                };
                self.frames.push(FrameIn { at, channel: *channel, user, body: text, stanza });
            }
            Input::ChatClosed { channel } => {
                self.closed.entry(*channel).or_insert(at);
                self.hung_up.entry(*channel).or_insert(at);
            }
            Input::Timer { timer } => {
                if let Some(due) = building.timers.get(timer) {
                    self.lag_us = self.lag_us.max(at_us.saturating_sub(*due));
                }
            }
            Input::Aborted { cause, too_much } => {
                self.aborted.get_or_insert((at, cause, *too_much));
            }
        }
    }

    fn returned(&mut self, building: &mut Building, at: usize, call: u64, outcome: &'a Outcome) {
        let Some(called) = building.calls.get(&call).and_then(|i| self.calls.get_mut(*i)) else { return };
        if called.outcome.is_some() {
            return;
        }
        called.outcome = Some((at, outcome));
        if let (Outcome::Ok(_), "create_user", Some(user)) = (outcome, called.op, called.user("user")) {
            // A new client begins a new log; what the user saw before stays seen.
            building.reader.begin_log(user);
        }
        if let (Outcome::Ok(answer), "snapshot", Some(user)) = (outcome, called.op, called.user("user"))
            && let Some(handle) = answer.get("snapshot").and_then(|handle| handle.as_str())
        {
            building.snapshots.insert((user, handle.to_owned()), building.reader.length(user));
        }
        if let (Outcome::Ok(_), "restore", Some(user)) = (outcome, called.op, called.user("user"))
            && let Some(handle) = called.args.get("snapshot").and_then(|handle| handle.as_str())
            && let Some(length) = building.snapshots.get(&(user, handle.to_owned()))
        {
            building.reader.cut_log(user, *length);
        }
        if let (Outcome::Ok(answer), "events", Some(user)) = (outcome, called.op, called.user("user")) {
            let after = called.args.get("after").and_then(serde_json::Value::as_u64).unwrap_or(0);
            if building.reader.read(at, user, after, answer) {
                self.looks.entry(user).or_default().push(at);
            }
        }
    }

    fn event(&mut self, building: &mut Building, at: usize, at_us: u64, event: &'a Event) {
        match event {
            Event::Call { call, op, args, step } => {
                building.calls.entry(*call).or_insert(self.calls.len());
                let called = Called { at, op, args, step: *step, outcome: None };
                if let Some(stanza) = called.stanza("stanza").filter(|_| matches!(op.as_str(), "send" | "send_to_group")) {
                    self.sends.entry(stanza).or_insert(self.calls.len());
                }
                self.calls.push(called);
            }
            Event::Reply { request, status, body, disturbed, .. } => {
                self.reply(building, at, *request, *status, body, *disturbed);
            }
            Event::Frame { channel, text } => {
                // As a client reads it: a scenario may have the gateway add to it.
                let stanza = text.bytes(self.blobs).and_then(|b| Stanza::from_gateway(std::str::from_utf8(b).ok()?).ok());
                if let Some(Stanza::Refused { id, problem }) = &stanza {
                    self.refused.insert(*id, problem.reason);
                }
                if let (Some((_, Some(user))), Some(stanza)) = (self.channels.get(channel), stanza) {
                    let user = *user;
                    self.deliver(at, user, Some(*channel), stanza);
                }
            }
            Event::SetTimer { timer, after_us } => {
                building.timers.entry(*timer).or_insert(at_us.saturating_add(*after_us));
            }
            Event::Step { index } => {
                self.end_step(building, at);
                building.step = Some((*index, at));
            }
            Event::Skipped { index, missing } => {
                self.end_step(building, at);
                self.skipped.entry(*index).or_insert((at, missing));
            }
            Event::Finished => {
                self.end_step(building, at);
                self.finished.get_or_insert(at);
            }
            Event::Named { name, stanza } => match name.strip_prefix("user:") {
                Some(user) => {
                    self.users.entry(user).or_insert(UserId(stanza.0));
                }
                None => {
                    self.names.entry(name).or_insert(*stanza);
                }
            },
            Event::Disturbed { stanza, how } => self.disturbed.push((at, *stanza, how)),
            Event::FromReference { user, what, body } => {
                if let Some(stanza) = (what == "stanza").then(|| self.json::<Stanza>(body)).flatten() {
                    self.reference_stanzas.push((at, *user, stanza));
                }
            }
            Event::ToReference { user, what, body } => {
                if what == "stanza" {
                    if let Some(stanza) = self.json::<Stanza>(body) {
                        self.deliver(at, *user, None, stanza);
                    }
                } else if what.starts_with("GET /keys/")
                    && let Some(bundle) = self.json::<KeyBundle>(body)
                {
                    self.handed.push(Handed { at, to: Some(*user), bundle, bent: false });
                }
            }
            Event::Observed { user, observation } => self.observe(at, *user, observation),
            Event::Close { channel } => {
                self.closed.entry(*channel).or_insert(at);
            }
            Event::Input(_) => {}
        }
    }

    fn reply(&mut self, building: &mut Building, at: usize, request: u64, status: u16, body: &'a Body, bent: bool) {
        let Some(index) = building.requests.get(&request).copied() else { return };
        let Some(requested) = self.requests.get_mut(index).filter(|r| r.reply.is_none()) else { return };
        requested.reply = Some((at, status, body, bent));
        if !(200..300).contains(&status) {
            return;
        }
        let (method, path, user, sent) = (requested.method, requested.path, requested.user, requested.body);
        match (method, path) {
            ("POST", "/enlist") => {
                let Some(keys) = self.json::<Enlist>(sent) else { return };
                let token = body.bytes(self.blobs).and_then(|b| serde_json::from_slice::<Enlisted>(b).ok());
                if let Some(requested) = self.requests.get_mut(index) {
                    requested.user = Some(keys.user);
                }
                if let Some(Enlisted { token }) = token {
                    building.tokens.insert(token, keys.user);
                }
                self.publications.push(Publication::enlisted(at, keys));
            }
            ("PUT", "/keys") => {
                if let (Some(user), Some(keys)) = (user, self.json::<PublishKeys>(sent)) {
                    self.publications.push(Publication::put(at, user, keys));
                }
            }
            ("GET", path) if path.starts_with("/keys/") => {
                if let Some(bundle) = self.json::<KeyBundle>(body) {
                    self.handed.push(Handed { at, to: user, bundle, bent });
                }
            }
            _ => {}
        }
    }

    fn observe(&mut self, at: usize, user: Option<UserId>, observation: &'a Observation) {
        self.observed.push((at, user, observation));
        if let Observation::Sent { stanza, content, .. } | Observation::SentToGroup { stanza, content, .. } = observation {
            self.sent_by_reference.entry(*stanza).or_insert(content);
        }
        let what = match observation {
            Observation::Shown { message, from, group, content, .. } => {
                What::Message { message: *message, from: *from, group: *group, content: content.clone() }
            }
            Observation::Refused { stanza, reason, .. } => What::Refused { stanza: *stanza, reason: *reason },
            Observation::Receipt { from, of, receipt, .. } => {
                What::Receipt { from: *from, of: vec![*of], retry: receipt == "retry" }
            }
            _ => return,
        };
        if let Some(user) = user {
            self.witnessed.entry(user).or_default().push(Witnessed { at, what });
        }
    }

    fn deliver(&mut self, at: usize, user: UserId, channel: Option<u64>, stanza: Stanza) {
        if matches!(
            stanza,
            Stanza::Message { .. }
                | Stanza::SealedMessage { .. }
                | Stanza::Receipt { .. }
                | Stanza::GroupMessage { .. }
                | Stanza::Group { .. }
                | Stanza::KeysLow { .. }
        ) {
            self.deliveries.push(Delivery { at, user, channel, stanza });
        }
    }

    fn end_step(&mut self, building: &mut Building, end: usize) {
        if let Some((index, begin)) = building.step.take() {
            self.steps.entry(index).or_insert(begin..end);
        }
    }

    fn json<T: DeserializeOwned>(&self, body: &Body) -> Option<T> {
        serde_json::from_slice(body.bytes(self.blobs)?).ok()
    }
}
