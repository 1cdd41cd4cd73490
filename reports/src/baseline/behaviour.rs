//! What a candidate does in an instance, as text that is the same each time that it does the same.
//!
//! What crosses stands by user and direction, never by how the directions interleave: that is chance. What is repeated by chance is
//! left out: asking what a user saw, letting the candidate settle, acknowledging, and opening a channel again.

use super::LARGEST_TEXT;
use super::crossing::Crossings;
use super::normal::{Names, content, path, shape};
use crate::signal;
use crate::visible::visible;
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_contract::{StanzaId, UserId};
use countersign_trace::{Body, Digest, Event, Input, InstanceResult, Observation, Outcome};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of an instance's text that are kept for the line which tells of all that had no room.
const ROOM_FOR_THE_REST: usize = 200;
/// Lines of an instance's text; what is beyond is counted.
const MOST_LINES: usize = 5_000;
/// Longest line, in characters.
const LONGEST_LINE: usize = 600;
/// Bytes in an answer that stand with their number: what a store or a handle takes differs from run to run.
const SIZED: usize = 128;
/// Longer bodies are no JSON of the binding.
const LONGEST_BODY: usize = 64 * 1024;

/// What the network does to keys. One bit of a key makes another key, or none: which of them, and so why a candidate refuses it, asks
/// for it again and tells its user, is chance.
const BENT_KEYS: [&str; 3] = ["tampered with base-key", "tampered with identity-key", "tampered with ratchet-key"];

/// The user and what it is about; in this order they are written.
type Section = (String, String);

#[derive(Default)]
struct Collected {
    names: Names,
    users: BTreeMap<UserId, String>,
    tokens: BTreeMap<String, UserId>,
    channels: BTreeMap<u64, UserId>,
    sections: BTreeMap<Section, Vec<String>>,
    /// For a call: operation, user, step, what it is about.
    calls: BTreeMap<u64, Called>,
    /// For a request that has no answer yet: its section and its line.
    requests: BTreeMap<u64, (Section, usize)>,
    /// What a user saw, by life of the user and position.
    seen: BTreeMap<(UserId, u32, u64), Value>,
    /// What was sent, by the id of its message: much of it is made at random.
    sent: BTreeMap<String, Value>,
    /// How often a user was created.
    lives: BTreeMap<UserId, u32>,
    crossings: Crossings,
    /// Stanzas of which a key was bent on the way, and who sent them.
    bent: BTreeSet<StanzaId>,
    benders: BTreeSet<UserId>,
}

struct Called {
    op: String,
    user: Option<UserId>,
    step: Option<usize>,
    about: Option<String>,
}

/// What the candidate did in an instance, in normal form: a line for each thing, with placeholders. Ends with a line feed.
#[must_use]
pub fn behaviour(instance: &InstanceResult) -> String {
    let mut all = Collected::default();
    all.names.learn(&instance.instance, "instance".to_owned());
    for entry in &instance.trace {
        all.learn(&entry.event);
    }
    for entry in &instance.trace {
        all.take(&entry.event);
    }
    all.see();
    all.render(&instance.name())
}

impl Collected {
    /// Names and tokens, wherever they are given.
    fn learn(&mut self, event: &Event) {
        match event {
            Event::Named { name, stanza } => match name.strip_prefix("user:") {
                Some(user) => {
                    self.users.insert(UserId(stanza.0), user.to_owned());
                    self.names.learn(stanza, visible(name, 80));
                }
                None => self.names.learn(stanza, format!("stanza:{}", visible(name, 80))),
            },
            Event::Observed { observation: Observation::Canary { text }, .. } => self.names.canary(text),
            Event::Observed {
                observation: Observation::Sent { stanza, content, .. } | Observation::SentToGroup { stanza, content, .. },
                ..
            } => self.send(stanza.to_string(), json_of(content)),
            Event::Disturbed { stanza: Some(stanza), how } if BENT_KEYS.contains(&how.as_str()) => {
                self.bent.insert(*stanza);
            }
            Event::Call { args, .. } => {
                if let (Some(Value::String(stanza)), Some(content)) = (args.get("stanza"), args.get("content")) {
                    self.send(stanza.clone(), content.clone());
                }
            }
            _ => {}
        }
    }

    fn send(&mut self, message: String, content: Value) {
        self.sent.entry(message).or_insert_with(|| without_place(content));
    }

    /// What came of a message: in words that do not quote what was made at random, if it is what was sent.
    fn arrived(&self, message: &str, arrived: Value) -> String {
        let arrived = without_place(arrived);
        match self.sent.get(message) {
            Some(sent) if *sent == arrived => format!("{}, as sent", kind_and_length(&arrived)),
            Some(_) => format!("not as sent: {}", content(&arrived)),
            None => content(&arrived),
        }
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Call { call, op, args, step } => self.call(*call, op, args, *step),
            Event::Input(input) => self.input(input),
            Event::Frame { channel, text: Body::Text(text) } => {
                if let (Some(user), Ok(stanza)) = (self.channels.get(channel), Stanza::from_json(text)) {
                    self.crossings.delivered(*user, &stanza);
                    if let Stanza::Message { id, from: Some(from), .. } = &stanza
                        && self.bent.contains(id)
                    {
                        self.benders.insert(*from);
                    }
                }
            }
            Event::Reply { request, status, body, .. } => self.reply(*request, *status, body),
            Event::Observed { user: Some(user), observation } => self.observed(*user, observation),
            Event::Observed { user: None, observation: Observation::Invalid { detail, .. } } => {
                self.add(("gateway".to_owned(), "finds invalid".to_owned()), visible(detail, LONGEST_LINE));
            }
            _ => {}
        }
    }

    fn add(&mut self, section: Section, line: String) {
        self.sections.entry(section).or_default().push(line);
    }

    fn user(&self, id: UserId) -> String {
        self.users.get(&id).map_or_else(|| "others".to_owned(), |name| visible(name, 80))
    }

    fn of(&self, user: Option<UserId>, what: &str) -> Section {
        // Sections are sorted: an id would put them in another order each time.
        (user.map_or_else(|| "nobody".to_owned(), |user| self.user(user)), self.names.heading(what))
    }

    fn call(&mut self, call: u64, op: &str, args: &Value, step: Option<usize>) {
        let id = |member: &str| args.get(member).and_then(Value::as_str).map(str::to_owned);
        let user = id("user").and_then(|id| user_of(&id));
        if op == "create_user"
            && let Some(user) = user
        {
            *self.lives.entry(user).or_default() += 1;
        }
        if let Some(user) = user {
            self.crossings.called(call, op, user, args);
        }
        self.calls.insert(call, Called { op: visible(op, 40), user, step, about: id("stanza") });
    }

    fn input(&mut self, input: &Input) {
        match input {
            Input::Returned { call, outcome } => self.returned(*call, outcome),
            Input::Request { request, method, path: at, token, body } => {
                let json = json(body);
                let enlisting = json.as_ref().and_then(|json| user_of(json.get("user")?.as_str()?));
                let user = token.as_ref().and_then(|token| self.tokens.get(token)).copied().or(enlisting);
                let peer = at.strip_prefix("/keys/").and_then(user_of);
                if self.crossings.happened(user, peer) {
                    return;
                }
                let body = match &json {
                    _ if body.is_empty() => String::new(),
                    Some(json) => format!(" {}", shape(json, usize::MAX)),
                    None => format!(" <bytes {}>", body.len()),
                };
                let section = self.of(user, &format!("requests {} {}", visible(method, 16), path(at)));
                let line = self.sections.get(&section).map_or(0, Vec::len);
                self.requests.insert(*request, (section.clone(), line));
                self.add(section, format!("{}{body}", visible(method, 16)));
                if let (Some(user), "/enlist") = (enlisting, at.as_str()) {
                    self.tokens.insert(format!("request {request}"), user);
                }
            }
            Input::ChatOpened { channel, token } => {
                if let Some(user) = token.as_ref().and_then(|token| self.tokens.get(token)) {
                    self.channels.insert(*channel, *user);
                }
            }
            Input::ChatFrame { channel, text } => self.frame(self.channels.get(channel).copied(), text),
            Input::Refused { problem, .. } => {
                self.add(("gateway".to_owned(), "refuses on the way in".to_owned()), problem.reason.to_string());
            }
            _ => {}
        }
    }

    fn returned(&mut self, call: u64, outcome: &Outcome) {
        if matches!(outcome, Outcome::Ok(_)) {
            self.crossings.settled(call);
        }
        let Some(called) = self.calls.get(&call) else { return };
        let (op, user, step) = (called.op.clone(), called.user, called.step);
        let about = called.about.as_ref().map_or(String::new(), |about| format!(" {about}"));
        if let (Outcome::Ok(answer), "events", Some(user)) = (outcome, op.as_str(), user) {
            let life = self.lives.get(&user).copied().unwrap_or(0);
            for seen in answer.get("events").and_then(Value::as_array).into_iter().flatten() {
                if let (Some(seq), Some(what)) = (seen.get("seq").and_then(Value::as_u64), seen.get("what")) {
                    self.seen.entry((user, life, seq)).or_insert_with(|| what.clone());
                }
            }
            return;
        }
        let ended = match outcome {
            // What is asked for over and over is left out while it goes well.
            Outcome::Ok(_) if matches!(op.as_str(), "settle" | "events" | "open" | "close") => return,
            Outcome::Ok(answer) if answer.as_object().is_some_and(serde_json::Map::is_empty) => "done".to_owned(),
            Outcome::Ok(answer) => shape(answer, SIZED),
            Outcome::Problem(problem) => format!("problem {}", problem.reason),
            Outcome::Fault { fault, .. } => format!("fault {fault:?}").to_lowercase(),
        };
        let step = step.map_or_else(|| "set-up".to_owned(), |step| format!("step-{step}"));
        let section = self.of(user, "answers");
        let line = format!("{step} {op}{about}: {ended}");
        let polled = matches!(op.as_str(), "settle" | "events");
        if !polled || self.sections.get(&section).is_none_or(|lines| !lines.contains(&line)) {
            self.add(section, line);
        }
    }

    fn reply(&mut self, request: u64, status: u16, body: &Body) {
        // The token that the gateway gives tells whose requests those with it are.
        if let Some(user) = self.tokens.remove(&format!("request {request}"))
            && let Some(token) = json(body).and_then(|json| Some(json.get("token")?.as_str()?.to_owned()))
        {
            self.tokens.insert(token, user);
        }
        let Some((section, line)) = self.requests.remove(&request) else { return };
        if let Some(line) = self.sections.get_mut(&section).and_then(|lines| lines.get_mut(line)) {
            line.push_str(&format!(": {status}"));
        }
    }

    fn frame(&mut self, user: Option<UserId>, text: &Body) {
        let stanza = match text {
            Body::Text(text) => Stanza::from_json(text).ok(),
            _ => None,
        };
        let to = |to: Option<UserId>| to.map_or_else(|| "nobody".to_owned(), |to| self.user(to));
        let (section, line) = match stanza {
            None => ("sends no stanza".to_owned(), "a frame".to_owned()),
            Some(Stanza::Ack { .. }) => return,
            Some(Stanza::Message { id, to: peer, .. }) if self.crossings.happened(user, peer) => {
                (format!("messages to {}", to(peer)), format!("{id} in the session of either: it may cross with another"))
            }
            Some(Stanza::Message { id, to: peer, r#type, body, .. }) => {
                (format!("messages to {}", to(peer)), format!("{id} {}", message(r#type, &body.0)))
            }
            Some(Stanza::Receipt { r#type: ReceiptType::Retry, of, .. }) if self.bent.contains(&of) => return,
            Some(Stanza::Receipt { to: peer, r#type, of, count, .. }) => {
                let kind = match r#type {
                    ReceiptType::Delivered => "delivered",
                    ReceiptType::Retry => "retry",
                };
                let count = count.map_or(String::new(), |count| format!(", number {count}"));
                (format!("receipts to {}", to(peer)), format!("{kind} of {of}{count}"))
            }
            Some(Stanza::SealedMessage { id, to: peer, .. }) => {
                (format!("messages to {}", to(peer)), format!("{id} sealed message"))
            }
            Some(Stanza::GroupMessage { id, group, .. }) => {
                (format!("messages to group {group}"), format!("{id} sender-key message"))
            }
            Some(other) => ("sends what only a gateway does".to_owned(), shape(&json_of(&other), usize::MAX)),
        };
        self.add(self.of(user, &section), line);
    }

    fn observed(&mut self, user: UserId, observation: &Observation) {
        let (what, line) = match observation {
            Observation::Shown { stanza, message, from, content: shown, padded, .. } => {
                let shown = self.arrived(&message.to_string(), json_of(shown));
                let message = if message == stanza { String::new() } else { format!(" of message {message}") };
                (format!("reads from {}", self.user(*from)), format!("{stanza}{message}: {shown}, {padded} bytes padded"))
            }
            Observation::Refused { stanza, reason, .. } => ("refuses".to_owned(), format!("{stanza}: {reason}")),
            Observation::Receipt { receipt, of, .. } if receipt == "retry" && self.bent.contains(of) => return,
            Observation::Receipt { from, receipt, of, .. } => {
                (format!("has receipts from {}", self.user(*from)), format!("{} of {of}", visible(receipt, 40)))
            }
            Observation::Media { stanza, digest_ok, mac_ok, plaintext, .. } => {
                let opened = if plaintext.is_some() { "opened" } else { "not opened" };
                ("fetches files".to_owned(), format!("{stanza}: digest {digest_ok}, MAC {mac_ok}, {opened}"))
            }
            Observation::SenderKey { from, iteration, .. } => {
                (format!("is handed sender keys by {}", self.user(*from)), format!("at {iteration} messages"))
            }
            Observation::Signed { from, place, over, .. } => {
                let line = format!("over {} in field {}", visible(over, LONGEST_LINE), visible(place, LONGEST_LINE));
                (format!("finds signatures of {}", self.user(*from)), line)
            }
            Observation::Failed { what, reason, .. } => {
                ("cannot".to_owned(), format!("{}: {reason}", visible(what, LONGEST_LINE)))
            }
            Observation::SessionFrom { peer, one_time_prekey, kyber_prekey, .. } => {
                let there = |id: &Option<u32>| if id.is_some() { "with" } else { "without" };
                let line = format!("{} one-time prekey, {} Kyber prekey", there(one_time_prekey), there(kyber_prekey));
                (format!("sets up sessions with {}", self.user(*peer)), line)
            }
            Observation::Invalid { detail, .. } => ("finds invalid".to_owned(), visible(detail, LONGEST_LINE)),
            // Made by us.
            Observation::Sent { .. }
            | Observation::MessageSecrets { .. }
            | Observation::SentToGroup { .. }
            | Observation::SafetyNumber { .. }
            | Observation::Canary { .. }
            | Observation::Made { .. } => return,
        };
        self.add(self.of(Some(user), &what), line);
    }

    /// What users saw: receipts apart from all else, since which of them comes first is chance.
    fn see(&mut self) {
        for ((user, _, _), what) in std::mem::take(&mut self.seen) {
            let id = |member: &str| what.get(member).and_then(Value::as_str).unwrap_or("nothing").to_owned();
            let kind = what.get("kind").and_then(Value::as_str).unwrap_or_default();
            let group = what.get("group").map_or(String::new(), |_| format!(" in {}", id("group")));
            let about = |member: &str| what.get(member).and_then(Value::as_str).and_then(user_of);
            let (section, line) = match kind {
                "refused" if about("stanza").is_some_and(|id| self.bent.contains(&StanzaId(id.0))) => {
                    ("is shown".to_owned(), format!("refused {}: its key was bent", id("stanza")))
                }
                "notice" if id("notice") == "undecryptable" && about("about").is_some_and(|id| self.benders.contains(&id)) => {
                    continue;
                }
                "message" => {
                    let shown = what.get("content").map_or_else(String::new, |shown| self.arrived(&id("message"), shown.clone()));
                    ("is shown".to_owned(), format!("{} from {}{group}: {shown}", id("message"), id("from")))
                }
                "receipt" => {
                    let of: Vec<&str> =
                        what.get("of").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
                    (format!("sees receipts from {}", id("from")), of.join(" "))
                }
                "notice" => ("is shown".to_owned(), format!("notice {} about {}{group}", id("notice"), id("about"))),
                "refused" => ("is shown".to_owned(), format!("refused {}: {}", id("stanza"), id("reason"))),
                _ => ("is shown".to_owned(), shape(&what, usize::MAX)),
            };
            self.add(self.of(Some(user), &section), line);
        }
    }

    fn render(self, name: &str) -> String {
        let Self { mut names, sections, .. } = self;
        let mut lines = vec![format!(
            "# What the candidate does in {}, by user and direction; what is random has placeholders.",
            visible(name, 200)
        )];
        let mut last = None;
        for ((user, what), section) in sections {
            if last.as_ref() != Some(&user) {
                lines.push(user.clone());
                last = Some(user);
            }
            lines.push(format!("  {}", visible(&what, LONGEST_LINE)));
            lines.extend(section.iter().map(|line| format!("    {}", whole(&names.named(line)))));
        }
        let mut bytes = 0;
        let fits = |(at, line): (usize, &String)| {
            bytes += line.len() + 1;
            at >= MOST_LINES || bytes > LARGEST_TEXT - ROOM_FOR_THE_REST
        };
        if let Some(kept) = lines.iter().enumerate().position(fits) {
            let rest = lines.split_off(kept);
            lines.push(format!("and {} more lines, SHA-256 {}", rest.len(), Digest::of(rest.join("\n").as_bytes())));
        }
        lines.join("\n") + "\n"
    }
}

/// A line as it stands in a text. Of a longer one, the digest shows that what was cut changed.
fn whole(line: &str) -> String {
    let shown = visible(line, LONGEST_LINE);
    if line.chars().nth(LONGEST_LINE).is_none() { shown } else { format!("{shown} SHA-256 {}", Digest::of(line.as_bytes())) }
}

/// A message by its fields: numbers that say where it stands in a chain, and lengths.
fn message(kind: countersign_contract::portable::MessageType, body: &[u8]) -> String {
    let fields = signal::fields(kind, body).into_iter().map(|(name, words)| {
        let short = name.rsplit(" › ").next().unwrap_or_default().to_owned();
        match short.as_str() {
            "version" | "counter" | "previous counter" => format!("{name} {words}"),
            // Its length depends on how far it has come.
            "post-quantum ratchet" => name,
            _ => match words.split_once(' ') {
                Some((count, rest)) if rest.starts_with("byte") && !rest.ends_with(':') => format!("{name} <bytes {count}>"),
                Some(_) => name,
                None => format!("{name} <number>"),
            },
        }
    });
    let kind = json_of(&kind);
    format!("{}: {}", kind.as_str().unwrap_or_default(), fields.collect::<Vec<_>>().join("; "))
}

/// Where the file to send was fetched, nobody sees who is shown it.
fn without_place(mut content: Value) -> Value {
    if let Some(file) = content.get_mut("file").and_then(Value::as_object_mut) {
        file.remove("url");
    }
    content
}

/// Kind of a content, and the length of what is in it.
fn kind_and_length(content: &Value) -> String {
    let kind = visible(content.get("kind").and_then(Value::as_str).unwrap_or("content"), 40);
    let text = content.get("text").and_then(Value::as_str).map(str::len);
    let file = content.get("file").and_then(|file| file.get("length")?.as_u64());
    match (text, file) {
        (Some(bytes), _) => format!("{kind} of {bytes} bytes"),
        (None, Some(bytes)) => format!("{kind} of {bytes} bytes in a file"),
        (None, None) => kind,
    }
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn json(body: &Body) -> Option<Value> {
    match body {
        Body::Text(text) if text.len() <= LONGEST_BODY => serde_json::from_str(text).ok(),
        _ => None,
    }
}

pub(super) fn user_of(text: &str) -> Option<UserId> {
    serde_json::from_value::<StanzaId>(Value::from(text)).ok().map(|id| UserId(id.0))
}
