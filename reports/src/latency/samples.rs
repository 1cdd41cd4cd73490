//! Samples from a trace.

use crate::view::{MeasureText, View};
use countersign_contract::operations::EventList;
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_contract::seen::What;
use countersign_contract::{StanzaId, UserId};
use countersign_judge::{Percentile, p95};
use countersign_trace::{Blobs, Body, Check, Entry, Event, Input, Outcome};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One measurement: its samples, sorted, in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Latency<'a> {
    /// The instance, by position in the record.
    pub(crate) instance: usize,
    pub(crate) measure: &'a MeasureText,
    /// The check that judges it, if the record has it.
    pub(crate) check: Option<&'a Check>,
    /// Times of the messages that arrived, sorted.
    pub(crate) arrived: Vec<u64>,
    /// Messages that did not.
    pub(crate) missing: u64,
}

impl Latency<'_> {
    /// Every sample: a message that did not arrive takes for ever.
    fn all(&self) -> Vec<u64> {
        let missing = usize::try_from(self.missing).unwrap_or(0);
        self.arrived.iter().copied().chain(std::iter::repeat_n(u64::MAX, missing)).collect()
    }

    /// The 95th percentile with its bounds.
    pub(crate) fn p95(&self) -> Option<Percentile> {
        p95(self.all())
    }

    /// The median: the smallest sample that half of all samples do not exceed.
    pub(crate) fn median(&self) -> Option<u64> {
        let all = self.all();
        all.get(all.len().div_ceil(2).checked_sub(1)?).copied()
    }
}

/// Every measurement of the record whose samples are in its trace.
pub(crate) fn latencies<'a>(view: &View<'a>) -> Vec<Latency<'a>> {
    let mut out = Vec::new();
    for (at, instance) in view.record.instances.iter().enumerate() {
        let Some(text) = view.scenario(instance) else { continue };
        for measure in &text.measures {
            let burst = Burst::of(&instance.trace, view.blobs, &measure.burst);
            let arrivals = if measure.receipt { &burst.receipts } else { &burst.sights };
            let mut found = Latency {
                instance: at,
                measure,
                check: instance.checks.iter().find(|c| c.step == Some(measure.step)),
                arrived: Vec::new(),
                missing: 0,
            };
            for (stanza, planned) in &burst.planned {
                match arrivals.get(stanza) {
                    Some(arrived) => found.arrived.push(arrived.saturating_sub(*planned)),
                    None => found.missing += 1,
                }
            }
            found.arrived.sort_unstable();
            if !burst.planned.is_empty() {
                out.push(found);
            }
        }
    }
    out
}

/// What a trace says of one burst, by stanza, in microseconds.
#[derive(Default)]
struct Burst {
    planned: BTreeMap<StanzaId, u64>,
    to: BTreeMap<StanzaId, UserId>,
    /// When the recipient first saw the message.
    sights: BTreeMap<StanzaId, u64>,
    /// When its delivery receipt was first at the gateway.
    receipts: BTreeMap<StanzaId, u64>,
}

impl Burst {
    fn of(trace: &[Entry], blobs: &Blobs, name: &str) -> Self {
        let mut burst = Self::default();
        let mut named = BTreeSet::new();
        for entry in trace {
            match &entry.event {
                Event::Named { name: of, stanza } => {
                    let number = of.strip_prefix(name).filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
                    if number.is_some() {
                        named.insert(*stanza);
                    }
                }
                Event::Disturbed { stanza: Some(stanza), how } if named.contains(stanza) => {
                    if let Some(planned) = how.strip_prefix("planned at ").and_then(|p| p.parse().ok()) {
                        burst.planned.entry(*stanza).or_insert(planned);
                    }
                }
                Event::FromReference { what, body, .. } if what == "stanza" => {
                    if let Some(Stanza::Message { id, to: Some(to), .. }) = stanza(body, blobs)
                        && named.contains(&id)
                    {
                        burst.to.insert(id, to);
                    }
                }
                _ => {}
            }
        }
        burst.arrivals(trace, blobs);
        burst
    }

    fn arrivals(&mut self, trace: &[Entry], blobs: &Blobs) {
        if self.planned.is_empty() {
            return;
        }
        let users = crate::diagram::Places::of(trace, blobs);
        let mut calls: BTreeMap<u64, UserId> = BTreeMap::new();
        for entry in trace {
            match &entry.event {
                Event::Call { call, op, args, .. } if op == "events" => {
                    let user = args.get("user").and_then(Value::as_str).and_then(|u| u.parse().ok());
                    calls.extend(user.map(|user| (*call, user)));
                }
                Event::Input(Input::Returned { call, outcome: Outcome::Ok(answer) }) => {
                    let Some(user) = calls.remove(call) else { continue };
                    let Ok(list) = EventList::deserialize(answer) else { continue };
                    for seen in list.events {
                        if let What::Message { message, .. } = seen.what
                            && self.to.get(&message) == Some(&user)
                        {
                            self.sights.entry(message).or_insert(entry.at_us);
                        }
                    }
                }
                Event::Input(Input::ChatFrame { channel, text }) => {
                    if let Some(Stanza::Receipt { r#type: ReceiptType::Delivered, of, .. }) = stanza(text, blobs)
                        && self.to.get(&of).copied() == users.behind_channel(*channel)
                        && self.to.contains_key(&of)
                    {
                        self.receipts.entry(of).or_insert(entry.at_us);
                    }
                }
                _ => {}
            }
        }
    }
}

fn stanza(body: &Body, blobs: &Blobs) -> Option<Stanza> {
    Stanza::from_json(std::str::from_utf8(body.bytes(blobs)?).ok()?).ok()
}
