//! Entries of a trace in words: who to whom, and what.

use crate::bytes::json_line;
use crate::measure::{grouped, time};
use crate::visible::visible;
use countersign_contract::portable::{MessageType, ReceiptType, Stanza};
use countersign_contract::seen::UserContent;
use countersign_contract::{StanzaId, UserId};
use countersign_trace::event::Fault;
use countersign_trace::{Blobs, Body, Entry, Event, Input, Observation, Outcome, Trace};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Who to whom.
pub(crate) const FROM_CANDIDATE: &str = "candidate → gateway";
const TO_CANDIDATE: &str = "gateway → candidate";
const ASKED: &str = "test → candidate";
const ANSWERED: &str = "candidate → test";
const FROM_REFERENCE: &str = "reference → gateway";
const TO_REFERENCE: &str = "gateway → reference";
const NETWORK: &str = "network";
const REFERENCE: &str = "reference";
const GATEWAY: &str = "gateway";
const SCENARIO: &str = "scenario";

/// An entry in words. Both texts are fit for one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Who to whom, or where.
    pub(crate) flow: &'static str,
    /// What.
    pub(crate) what: String,
}

const LONGEST: usize = 180;
/// Longer frames are not read as stanzas to be put in words.
const LONGEST_STANZA: usize = 64 * 1024;

/// The names that scenarios gave to stanzas.
#[derive(Debug, Default)]
pub(crate) struct Names<'a>(BTreeMap<StanzaId, Cow<'a, str>>);

impl<'a> Names<'a> {
    /// Those of a trace.
    pub(crate) fn of(trace: &'a Trace) -> Self {
        Self(
            trace
                .iter()
                .filter_map(|e| {
                    if let Event::Named { name, stanza } = &e.event {
                        Some((*stanza, Cow::Borrowed(name.as_str())))
                    } else {
                        None
                    }
                })
                .collect(),
        )
    }

    /// Takes in a name as it is given.
    pub(crate) fn learn(&mut self, entry: &Entry) {
        if let Event::Named { name, stanza } = &entry.event {
            self.0.insert(*stanza, Cow::Owned(name.clone()));
        }
    }

    fn stanza(&self, id: StanzaId) -> String {
        match self.0.get(&id) {
            Some(name) => visible(name, 60),
            None => format!("stanza {}", short(&id)),
        }
    }

    /// An entry in words.
    pub(crate) fn tell(&self, entry: &Entry, blobs: &Blobs) -> Told {
        let told = |flow, what: String| Told { flow, what };
        match &entry.event {
            Event::Input(input) => self.tell_input(input, blobs),
            Event::Call { call, op, args, .. } => {
                told(ASKED, format!("call {call}: {} {}", visible(op, 40), json_line(args, LONGEST)))
            }
            Event::Reply { request, status, body, disturbed, .. } => {
                let bent = if *disturbed { ", bent on purpose" } else { "" };
                told(TO_CANDIDATE, format!("answer to request {request}: {status}, {}{bent}", size(body)))
            }
            Event::Frame { channel, text } => told(TO_CANDIDATE, format!("channel {channel}: {}", self.frame(text, blobs))),
            Event::Close { channel } => told(TO_CANDIDATE, format!("channel {channel} closed")),
            Event::SetTimer { timer, after_us } => told(SCENARIO, format!("timer {timer} set to {}", time(*after_us))),
            Event::Step { index } => told(SCENARIO, format!("step {} begins", index + 1)),
            Event::Skipped { index, missing } => {
                told(SCENARIO, format!("step {} skipped, for want of {}", index + 1, visible(missing, LONGEST)))
            }
            Event::Named { name, stanza } => told(SCENARIO, format!("{} is stanza {}", visible(name, 60), short(stanza))),
            Event::Disturbed { stanza, how } => {
                let which = stanza.map_or(String::new(), |id| format!("{}: ", self.stanza(id)));
                told(NETWORK, which + &visible(how, LONGEST))
            }
            Event::FromReference { user, what, body } => told(FROM_REFERENCE, self.sent(*user, what, body, blobs)),
            Event::ToReference { user, what, body } => told(TO_REFERENCE, self.sent(*user, what, body, blobs)),
            Event::Observed { user, observation } => {
                let (flow, who) = user.map_or((GATEWAY, String::new()), |u| (REFERENCE, format!("user {} ", short(&u))));
                told(flow, who + &self.observed(observation))
            }
            Event::Finished => told(SCENARIO, "finished".into()),
        }
    }

    fn tell_input(&self, input: &Input, blobs: &Blobs) -> Told {
        let told = |flow, what: String| Told { flow, what };
        match input {
            Input::Start { now_ms } => told(SCENARIO, format!("begins; clock {now_ms} ms")),
            Input::Returned { call, outcome } => told(ANSWERED, format!("call {call}: {}", outcome_in_words(outcome))),
            Input::Request { request, method, path, body, .. } => told(
                FROM_CANDIDATE,
                format!("request {request}: {} {}, {}", visible(method, 16), visible(path, LONGEST), size(body)),
            ),
            Input::ChatOpened { channel, .. } => told(FROM_CANDIDATE, format!("opens channel {channel}")),
            Input::ChatFrame { channel, text } => told(FROM_CANDIDATE, format!("channel {channel}: {}", self.frame(text, blobs))),
            Input::Refused { what, problem } => {
                told(FROM_CANDIDATE, format!("{}: refused on the way in, {}", visible(what, LONGEST), problem.reason))
            }
            Input::BrokenOff { what } => told(FROM_CANDIDATE, format!("{}: ended before its body did", visible(what, LONGEST))),
            Input::ChatClosed { channel } => told(FROM_CANDIDATE, format!("channel {channel} is gone")),
            Input::Timer { timer } => told(SCENARIO, format!("timer {timer} fires")),
            Input::Aborted { cause, .. } => told(SCENARIO, format!("aborted: {}", visible(cause, LONGEST))),
        }
    }

    fn sent(&self, user: UserId, what: &str, body: &Body, blobs: &Blobs) -> String {
        let detail =
            if what == "stanza" { self.frame(body, blobs) } else { format!("{}, {}", visible(what, LONGEST), size(body)) };
        format!("user {}: {detail}", short(&user))
    }

    /// A frame in words: as a stanza if it is one, else its beginning.
    fn frame(&self, body: &Body, blobs: &Blobs) -> String {
        let text = body.bytes(blobs).filter(|b| b.len() <= LONGEST_STANZA).and_then(|b| std::str::from_utf8(b).ok());
        let Some(text) = text else { return size(body) };
        let Ok(stanza) = Stanza::from_json(text) else {
            return format!("not a stanza, {}: {}", size(body), visible(text, 80));
        };
        match stanza {
            Stanza::Message { id, to, from, r#type, body } => {
                let kind = match r#type {
                    MessageType::Prekey => "first message",
                    MessageType::Normal => "message",
                };
                let length = grouped(body.0.len() as u64);
                format!("{} ({kind}{}, {length} bytes of ciphertext)", self.stanza(id), parties(to, from))
            }
            Stanza::Receipt { id, to, from, r#type, of, .. } => {
                let kind = match r#type {
                    ReceiptType::Delivered => "delivered",
                    ReceiptType::Retry => "retry",
                };
                format!("{} ({kind} receipt of {}{})", self.stanza(id), self.stanza(of), parties(to, from))
            }
            Stanza::SealedMessage { id, to, body } => {
                let length = grouped(body.0.len() as u64);
                format!("{} (sealed message{}, {length} bytes of ciphertext)", self.stanza(id), parties(to, None))
            }
            Stanza::GroupMessage { id, from, body, .. } => {
                let length = grouped(body.0.len() as u64);
                format!("{} (group message{}, {length} bytes of ciphertext)", self.stanza(id), parties(None, from))
            }
            Stanza::Group { version, members, .. } => {
                let all: Vec<String> = members.iter().take(8).map(short).collect();
                let more = if members.len() > all.len() { " and others" } else { "" };
                format!("version {version} of a group's list: {}{more}", all.join(", "))
            }
            Stanza::Ack { id } => format!("ack of {}", self.stanza(id)),
            Stanza::Accepted { id } => format!("accepted {}", self.stanza(id)),
            Stanza::Refused { id, problem } => {
                format!("refused {}: {}, {}", self.stanza(id), problem.reason, visible(&problem.detail, LONGEST))
            }
            Stanza::KeysLow { one_time_prekeys, one_time_kyber_prekeys, .. } => {
                format!("keys low: {one_time_prekeys} EC and {one_time_kyber_prekeys} Kyber prekeys left")
            }
        }
    }

    fn observed(&self, observation: &Observation) -> String {
        match observation {
            Observation::Shown { stanza, content, padded, .. } => {
                format!("is shown {} of {} ({padded} bytes padded)", content_in_words(content), self.stanza(*stanza))
            }
            Observation::Refused { stanza, reason, detail } => {
                format!("refuses {}: {reason}, {}", self.stanza(*stanza), visible(detail, LONGEST))
            }
            Observation::Receipt { receipt, of, .. } => {
                format!("has a receipt of {}: {}", self.stanza(*of), visible(receipt, 40))
            }
            Observation::Media { stanza, digest_ok, mac_ok, .. } => {
                let word = |ok: &bool| if *ok { "right" } else { "wrong" };
                format!("fetched the file of {}: digest {}, MAC {}", self.stanza(*stanza), word(digest_ok), word(mac_ok))
            }
            Observation::Sent { stanza, to, content, .. } => {
                format!("makes {} for {}: {}", self.stanza(*stanza), short(to), content_in_words(content))
            }
            Observation::SentToGroup { stanza, content, .. } => {
                format!("makes {} for a group: {}", self.stanza(*stanza), content_in_words(content))
            }
            Observation::SenderKey { from, iteration, .. } => {
                format!("is handed the sender key of {}, after {iteration} messages", short(from))
            }
            Observation::Signed { stanza, place, over, .. } => {
                let (place, over) = (visible(place, LONGEST), visible(over, LONGEST));
                format!("finds a signature of the sender's over {over} in {}, field {place}", self.stanza(*stanza))
            }
            Observation::Failed { what, reason, detail } => {
                format!("cannot {}: {reason}, {}", visible(what, LONGEST), visible(detail, LONGEST))
            }
            Observation::SessionFrom { peer, one_time_prekey, kyber_prekey, .. } => {
                let one_time = one_time_prekey.map_or("none".to_owned(), |id| id.to_string());
                let kyber = kyber_prekey.map_or(String::new(), |id| format!(", Kyber prekey {id}"));
                format!("sets up a session with {}: one-time prekey {one_time}{kyber}", short(peer))
            }
            Observation::MessageSecrets { stanza, secrets } => {
                format!("notes {} secrets of {}, as digests", secrets.len(), self.stanza(*stanza))
            }
            Observation::SafetyNumber { peer, digits } => {
                format!("sees safety number {} with {}", visible(digits, 80), short(peer))
            }
            Observation::Canary { text } => format!("will send a marker that no server may see: {}", visible(text, 60)),
            Observation::Made { path, file } => {
                format!("will send a file of {} bytes, fetched from {}", grouped(file.length), visible(path, 80))
            }
            Observation::Invalid { what, detail } => {
                format!("{} breaks the binding: {}", visible(what, 80), visible(detail, LONGEST))
            }
        }
    }
}

fn outcome_in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(value) if value.as_object().is_some_and(serde_json::Map::is_empty) => "done".into(),
        Outcome::Ok(value) => json_line(value, LONGEST),
        Outcome::Problem(problem) => format!("problem {}, {}", problem.reason, visible(&problem.detail, LONGEST)),
        Outcome::Fault { fault, detail } => {
            let kind = match fault {
                Fault::Gone => "candidate is gone",
                Fault::Exceeded => "candidate used more than it may",
                Fault::Overran => "candidate used up its processor time",
                Fault::Deadline => "no answer before the deadline",
                Fault::NotTheContract => "not an answer of the contract",
            };
            format!("{kind}: {}", visible(detail, LONGEST))
        }
    }
}

fn content_in_words(content: &UserContent) -> String {
    match content {
        UserContent::Text { text } => format!("text “{}”", visible(text, 60)),
        UserContent::Media { media, file, .. } => format!("{} of {} bytes", media.as_str(), grouped(file.length)),
        UserContent::Reaction { emoji, .. } => format!("reaction {}", visible(emoji, 16)),
        UserContent::Reply { text, .. } => format!("reply “{}”", visible(text, 60)),
        UserContent::Edit { text, .. } => format!("edit “{}”", visible(text, 60)),
        UserContent::Delete { .. } => "deletion".into(),
        UserContent::Typing { active } => if *active { "typing" } else { "typing no more" }.into(),
        UserContent::Read { of } => format!("read receipt of {}", of.len()),
    }
}

fn parties(to: Option<UserId>, from: Option<UserId>) -> String {
    let to = to.map_or(String::new(), |u| format!(" to {}", short(&u)));
    let from = from.map_or(String::new(), |u| format!(" from {}", short(&u)));
    from + &to
}

fn size(body: &Body) -> String {
    if body.is_empty() { "no body".into() } else { format!("{} bytes", grouped(body.len())) }
}

/// The first eight digits of an id: enough to tell two apart in one instance.
fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}
