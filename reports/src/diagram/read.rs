//! A trace read as the rows of a diagram.

mod labels;
mod marks;

use super::model::{Diagram, Row, Shape, Sign};
use super::places::{Places, stanza_names};
use crate::measure::grouped;
use crate::visible::visible;
use countersign_contract::operations::EventList;
use countersign_contract::portable::Stanza;
use countersign_contract::seen::What;
use countersign_contract::{StanzaId, UserId};
use countersign_trace::{Blobs, Body, Check, Entry, Event, Input, InstanceResult, Observation, Outcome, Verdict};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Longest text of a row, in characters.
const LONGEST_LABEL: usize = 72;
/// Longest sentence of a step or of a failure.
const LONGEST_SENTENCE: usize = 240;
/// What stands above whatever comes after the last step.
const AFTER: &str = "After the last step";
/// Operations that say nothing by themselves: what follows from them is drawn.
const QUIET: [&str; 7] = ["open", "close", "describe", "settle", "events", "send", "fetch_keys"];

/// The course of an instance in at most `longest` rows or so; `steps` are the scenario's, in words.
pub(crate) fn diagram(instance: &InstanceResult, blobs: &Blobs, steps: &[String], longest: usize) -> Diagram {
    let trace = &instance.trace;
    let mut reader = Reader {
        places: Places::of(trace, blobs),
        names: stanza_names(trace),
        evidence: open_checks(instance).flat_map(|c| c.evidence.iter().copied()).collect(),
        steps,
        blobs,
        rows: Vec::new(),
        entries: BTreeMap::new(),
        under_way: None,
        bent: BTreeMap::new(),
        delivered: BTreeSet::new(),
        calls: BTreeMap::new(),
        requests: BTreeMap::new(),
        told: BTreeMap::new(),
    };
    for entry in trace {
        reader.entry(entry);
    }
    reader.finish(instance, longest)
}

/// Checks that did not pass and say something about the course of events.
fn open_checks(instance: &InstanceResult) -> impl Iterator<Item = &Check> {
    let silent = [Verdict::Pass, Verdict::NotApplicable, Verdict::Waived, Verdict::Unsupported, Verdict::Blocked];
    instance.checks.iter().filter(move |c| !silent.contains(&c.verdict))
}

struct Reader<'a> {
    places: Places,
    names: BTreeMap<StanzaId, String>,
    evidence: BTreeSet<u64>,
    steps: &'a [String],
    blobs: &'a Blobs,
    rows: Vec<Row>,
    /// Entries that are drawn, each with its row.
    entries: BTreeMap<u64, usize>,
    /// The arrow of a stanza that reached the gateway and nothing else since.
    under_way: Option<(StanzaId, usize)>,
    /// What the network did to stanzas that it delivers.
    bent: BTreeMap<StanzaId, Sign>,
    delivered: BTreeSet<(StanzaId, Option<UserId>)>,
    /// Calls under way: operation, user, and the stanza it is about.
    calls: BTreeMap<u64, (&'a str, Option<UserId>, Option<StanzaId>)>,
    requests: BTreeMap<u64, (Option<UserId>, String)>,
    /// Up to which number each user's events were drawn.
    told: BTreeMap<UserId, u64>,
}

impl<'a> Reader<'a> {
    fn entry(&mut self, entry: &'a Entry) {
        let n = entry.n;
        match &entry.event {
            Event::Input(input) => self.input(n, input),
            Event::Call { call, op, args, .. } => self.call(n, *call, op, args),
            Event::Reply { request, status, body, disturbed, .. } => {
                let (user, label) = self.requests.remove(request).unwrap_or((None, String::new()));
                if *disturbed || !(200..300).contains(status) || self.evidence.contains(&n) {
                    let sign = if *disturbed { Sign::Changed } else { Sign::Plain };
                    let bent = if *disturbed { ", bent on purpose" } else { "" };
                    let detail = format!("{status} to {label}, {} bytes{bent}", grouped(body.len()));
                    self.arrow(n, self.places.gateway, self.places.column(user), sign, &detail);
                }
            }
            Event::Frame { channel, text } => {
                let user = self.places.behind_channel(*channel);
                self.delivery(n, user, text);
            }
            Event::Close { channel } => {
                let user = self.places.behind_channel(*channel);
                let whose = user.map_or("a".to_owned(), |u| format!("{}'s", self.places.name(u)));
                self.note(n, self.places.gateway, Sign::Plain, &format!("closes {whose} channel"));
            }
            Event::Step { index } => {
                let sentence = self.steps.get(*index).map_or("", String::as_str);
                self.push(n, Shape::Step, Sign::Plain, visible(&format!("{}. {sentence}", index + 1), LONGEST_SENTENCE));
            }
            Event::Finished => self.push(n, Shape::Step, Sign::Plain, AFTER.into()),
            Event::Skipped { index, missing } => {
                let label = format!("step {} skipped, for want of {missing}", index + 1);
                self.note(n, self.places.gateway, Sign::Refused, &label);
            }
            Event::Disturbed { stanza, how } => self.disturbed(n, *stanza, how),
            Event::FromReference { user, what, body } if what == "stanza" => self.sent(n, Some(*user), body),
            Event::FromReference { user, what, .. } => {
                self.arrow(n, self.places.column(Some(*user)), self.places.gateway, Sign::Plain, &self.named(what));
            }
            Event::ToReference { user, what, body } if what == "stanza" => self.delivery(n, Some(*user), body),
            Event::ToReference { user, what, .. } => {
                let succeeded = what.rsplit_once(": ").is_some_and(|(_, status)| status.starts_with('2'));
                if !succeeded || self.evidence.contains(&n) {
                    self.arrow(n, self.places.gateway, self.places.column(Some(*user)), Sign::Plain, &self.named(what));
                }
            }
            Event::Observed { user, observation } => self.observed(n, *user, observation),
            Event::SetTimer { .. } | Event::Named { .. } => {}
        }
    }

    fn input(&mut self, n: u64, input: &'a Input) {
        match input {
            Input::Request { request, method, path, token, .. } => {
                let user = self.places.behind_token(token.as_deref());
                let label = self.named(&format!("{method} {path}"));
                self.arrow(n, self.places.column(user), self.places.gateway, Sign::Plain, &label);
                self.requests.insert(*request, (user, label));
            }
            Input::ChatFrame { channel, text } => {
                let user = self.places.behind_channel(*channel);
                self.sent(n, user, text);
            }
            Input::Returned { call, outcome } => self.returned(n, *call, outcome),
            Input::Refused { what, problem } => {
                let label = format!("refuses {what} on the way in: {}", problem.reason);
                self.note(n, self.places.gateway, Sign::Refused, &label);
            }
            Input::BrokenOff { what } => {
                self.note(n, self.places.gateway, Sign::Dropped, &format!("broken off on the way in: {what}"));
            }
            Input::Aborted { cause, .. } => self.note(n, self.places.gateway, Sign::Dropped, &format!("aborted: {cause}")),
            // Channels and timers: what follows from them is drawn.
            _ => {}
        }
    }

    fn call(&mut self, n: u64, call: u64, op: &'a str, args: &Value) {
        let id = |key: &str| args.get(key).and_then(Value::as_str);
        let user = id("user").and_then(|u| u.parse::<UserId>().ok());
        let stanza = id("stanza").and_then(|s| s.parse::<StanzaId>().ok());
        self.calls.insert(call, (op, user, stanza));
        if !QUIET.contains(&op) {
            self.note(n, self.places.column(user), Sign::Plain, &format!("is told to {}", op.replace('_', " ")));
        }
    }

    fn returned(&mut self, n: u64, call: u64, outcome: &Outcome) {
        let Some((op, user, stanza)) = self.calls.remove(&call) else { return };
        let on = self.places.column(user);
        let about = stanza.map_or(String::new(), |id| format!(" {}", self.stanza(id)));
        match outcome {
            Outcome::Ok(answer) if op == "events" => self.told(n, user, answer),
            Outcome::Ok(_) => {}
            Outcome::Problem(problem) => {
                self.note(n, on, Sign::Refused, &format!("{}{about}: {}", op.replace('_', " "), problem.reason));
            }
            Outcome::Fault { detail, .. } => {
                self.note(n, on, Sign::Dropped, &format!("no answer to {}{about}: {detail}", op.replace('_', " ")));
            }
        }
    }

    /// What a user of the candidate saw, by its own account.
    fn told(&mut self, n: u64, user: Option<UserId>, answer: &Value) {
        let Ok(list) = EventList::deserialize(answer) else { return };
        let evidence = self.evidence.contains(&n);
        let upto = user.map_or(0, |u| self.told.get(&u).copied().unwrap_or(0));
        let mut words = Vec::new();
        let mut sign = Sign::Plain;
        for seen in list.events.iter().take(16).filter(|seen| evidence || seen.seq > upto) {
            match &seen.what {
                What::Message { message, .. } => words.push(format!("sees {}", self.stanza(*message))),
                What::Refused { stanza, reason } => {
                    sign = Sign::Refused;
                    words.push(format!("refuses {}: {reason}", self.stanza(*stanza)));
                }
                What::Notice { notice, about, .. } => {
                    let notice = serde_json::to_value(notice).ok();
                    let notice = notice.as_ref().and_then(Value::as_str).unwrap_or("something");
                    words.push(format!("is told: {notice}, {}", self.places.name(*about)));
                }
                What::Receipt { of, .. } if evidence => words.push(format!("sees receipts of {}", of.len())),
                What::Receipt { .. } => {}
            }
        }
        if let (Some(user), Some(last)) = (user, list.events.iter().map(|seen| seen.seq).max()) {
            let entry = self.told.entry(user).or_default();
            *entry = last.max(*entry);
        }
        if !words.is_empty() {
            self.note(n, self.places.column(user), sign, &words.join("; "));
        } else if evidence {
            self.note(n, self.places.column(user), Sign::Plain, "sees nothing new");
        }
    }

    /// A frame that a client sent to the gateway.
    fn sent(&mut self, n: u64, from: Option<UserId>, body: &Body) {
        let on = self.places.column(from);
        match self.parsed(body) {
            Some(
                stanza @ (Stanza::Message { .. }
                | Stanza::SealedMessage { .. }
                | Stanza::Receipt { .. }
                | Stanza::GroupMessage { .. }),
            ) => {
                let label = self.label(&stanza);
                self.arrow(n, on, self.places.gateway, Sign::Plain, &label);
                self.under_way = Some((stanza.id(), self.rows.len().saturating_sub(1)));
            }
            Some(Stanza::Ack { id }) => {
                if self.evidence.contains(&n) {
                    self.arrow(n, on, self.places.gateway, Sign::Plain, &format!("ack of {}", self.stanza(id)));
                }
            }
            Some(other) => self.arrow(n, on, self.places.gateway, Sign::Plain, &self.label(&other)),
            None => {
                self.arrow(n, on, self.places.gateway, Sign::Plain, &format!("{} bytes that are no stanza", grouped(body.len())))
            }
        }
    }

    /// A frame that the gateway gave to a client.
    fn delivery(&mut self, n: u64, to: Option<UserId>, body: &Body) {
        let column = self.places.column(to);
        let Some(stanza) = self.parsed(body) else {
            return self.arrow(n, self.places.gateway, column, Sign::Plain, &format!("{} bytes", grouped(body.len())));
        };
        let id = stanza.id();
        match &stanza {
            Stanza::Accepted { .. } if !self.evidence.contains(&n) => {}
            Stanza::Message { .. } | Stanza::SealedMessage { .. } | Stanza::Receipt { .. } | Stanza::GroupMessage { .. } => {
                let before = !self.delivered.insert((id, to));
                let sign = self.bent.get(&id).copied().unwrap_or(if before { Sign::Again } else { Sign::Plain });
                let last = self.rows.len().saturating_sub(1);
                if sign == Sign::Plain
                    && self.under_way == Some((id, last))
                    && let Some(Row { shape: Shape::Arrow { to: end, .. }, .. }) = self.rows.last_mut()
                {
                    // Nothing happened in between: one arrow past the gateway.
                    *end = column;
                    self.entries.insert(n, last);
                    return;
                }
                let extra = match sign {
                    Sign::Changed => ", changed",
                    Sign::Again => ", once more",
                    Sign::Astray => ", astray",
                    _ => "",
                };
                let label = self.label(&stanza) + extra;
                self.arrow(n, self.places.gateway, column, sign, &label);
            }
            Stanza::Refused { problem, .. } => {
                let label = format!("{} is refused: {}", self.stanza(id), problem.reason);
                self.arrow(n, self.places.gateway, column, Sign::Refused, &label);
            }
            other => self.arrow(n, self.places.gateway, column, Sign::Plain, &self.label(other)),
        }
    }

    fn disturbed(&mut self, n: u64, stanza: Option<StanzaId>, how: &str) {
        // Plans of a measurement, attempts counted for the judge, and the two ends of a change say nothing new.
        let known = stanza.is_some_and(|id| self.bent.contains_key(&id));
        let within = how == "held to be tampered with"
            || (known && (how == "tampered with, and released" || how.starts_with("injected for ")));
        if within || how.starts_with("planned at ") || how.starts_with("fault ") {
            return;
        }
        let sign = Sign::of_disturbance(how);
        let copy = how.rsplit_once(" as ").and_then(|(_, id)| id.parse::<StanzaId>().ok());
        if let (Some(id), Sign::Changed | Sign::Again | Sign::Astray) = (copy.or(stanza), sign) {
            self.bent.insert(id, sign);
        }
        let which = stanza.map_or(String::new(), |id| format!("{} ", self.stanza(id)));
        let label = which + &self.named(how);
        self.note(n, self.places.gateway, sign, &label);
    }

    fn observed(&mut self, n: u64, user: Option<UserId>, observation: &Observation) {
        let on = self.places.column(user);
        match observation {
            Observation::Shown { message, .. } => self.note(n, on, Sign::Plain, &format!("sees {}", self.stanza(*message))),
            Observation::Refused { stanza, reason, .. } => {
                self.note(n, on, Sign::Refused, &format!("refuses {}: {reason}", self.stanza(*stanza)));
            }
            Observation::Signed { stanza, .. } => {
                self.note(n, on, Sign::Refused, &format!("finds a signature in {}", self.stanza(*stanza)));
            }
            Observation::Failed { what, reason, .. } => {
                self.note(n, on, Sign::Refused, &format!("cannot {}: {reason}", self.named(what)));
            }
            Observation::Invalid { what, detail } => {
                self.note(n, on, Sign::Refused, &format!("{} breaks the binding: {detail}", self.named(what)));
            }
            Observation::SafetyNumber { peer, .. } => {
                self.note(n, on, Sign::Plain, &format!("looks at the safety number with {}", self.places.name(*peer)));
            }
            Observation::Media { digest_ok, mac_ok, .. } if !(*digest_ok && *mac_ok) => {
                let wrong = if *digest_ok { "MAC" } else { "digest" };
                self.note(n, on, Sign::Refused, &format!("finds a file whose {wrong} is wrong"));
            }
            _ if self.evidence.contains(&n) => self.note(n, on, Sign::Plain, "an observation: see the trace"),
            _ => {}
        }
    }

    fn arrow(&mut self, n: u64, from: usize, to: usize, sign: Sign, label: &str) {
        // Somebody for whom there is no lifeline stands at the gateway.
        let shape = if from == to { Shape::Note { on: from } } else { Shape::Arrow { from, to } };
        self.push(n, shape, sign, visible(label, LONGEST_LABEL));
    }

    fn note(&mut self, n: u64, on: usize, sign: Sign, label: &str) {
        self.push(n, Shape::Note { on }, sign, visible(label, LONGEST_LABEL));
    }

    fn push(&mut self, n: u64, shape: Shape, sign: Sign, label: String) {
        self.entries.insert(n, self.rows.len());
        self.rows.push(Row { n, shape, sign, label, evidence: false });
    }
}
