//! One user of an instance: keys at the gateway, the chat channel, what the user does, and what the user sees.

mod receiving;

use crate::content::{self, Attachment};
use crate::contract::{decode, encode, malformed, new_id, Outcome, Problem};
use crate::gateway::{pause, ChatReader, ChatWriter, Frame, Gateway};
use crate::media::{self, Sealed};
use crate::signal_library::{Bundle, Encrypted, PublicPrekey, Signal, Surroundings};
use serde_json::{json, Value};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Requests for one message, and resends of one message.
const MOST_RETRIES: u32 = 5;
/// Before the deadline of `settle`.
const SETTLE_WITHIN: Duration = Duration::from_secs(28);
const MOST_EVENTS: usize = 256;
/// Refusals after which a message is asked for again.
const ASKED_AGAIN: [&str; 3] = ["no-session", "unknown-prekey", "bad-mac"];

/// What the users of an instance share.
pub struct Instance {
    pub gateway: Gateway,
    /// Virtual: milliseconds since the Unix epoch.
    pub clock: AtomicU64,
}

pub struct User {
    name: String,
    token: String,
    batch: u64,
    instance: Arc<Instance>,
    /// Whoever holds it has the turn: stanzas leave in the order of the ratchet. Taken before `shared.state`, never after it.
    signal: Mutex<Signal>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Wakes those who wait for something in the state.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    channel: Option<Arc<ChatWriter>>,
    ended: Vec<Arc<ChatWriter>>,
    gone: bool,
    events: Vec<Value>,
    /// Delivered and not processed.
    queue: VecDeque<Value>,
    busy: bool,
    processed: HashSet<String>,
    /// Processed, and the channel was gone before that could be said.
    unacknowledged: HashSet<String>,
    decrypted: HashSet<String>,
    /// Sender and message id: a resend has another stanza id.
    shown: HashSet<(String, String)>,
    asked: HashMap<String, u32>,
    /// By stanza.
    sent: HashMap<String, Arc<Message>>,
    /// Resends that wait for the user to accept an identity key.
    held: Vec<Arc<Message>>,
    waiting: HashMap<String, Waiting>,
    /// What followed from a stanza and is not accepted yet.
    follow_ups: u32,
}

struct Message {
    id: String,
    to: String,
    plaintext: Vec<u8>,
    progress: Mutex<(u32, bool)>,
}

/// A stanza on its way. `own` ones outlive a loss of the channel.
struct Waiting {
    stanza: Value,
    own: bool,
    said: Option<Outcome<()>>,
}

struct Around {
    instance: Arc<Instance>,
    shared: Arc<Shared>,
}

impl Surroundings for Around {
    fn now_ms(&self) -> u64 {
        self.instance.clock.load(Ordering::SeqCst)
    }

    fn identity_changed(&self, peer: &str) {
        self.shared.notice("identity-changed", peer);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn event(&self, what: Value) {
        let mut state = lock(&self.state);
        let seq = state.events.len() + 1;
        state.events.push(json!({ "seq": seq, "what": what }));
        self.changed.notify_all();
    }

    fn notice(&self, notice: &str, about: &str) {
        self.event(json!({ "kind": "notice", "notice": notice, "about": about }));
    }

    fn wait_while(&self, within: Duration, condition: impl FnMut(&mut State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_timeout_while(lock(&self.state), within, condition).unwrap_or_else(PoisonError::into_inner).0
    }
}

// Keys at the gateway.
impl User {
    /// Makes a user and enlists it.
    pub fn enlist(name: &str, instance: &Arc<Instance>, batch: u64) -> Outcome<Arc<Self>> {
        let shared = Arc::new(Shared::default());
        let around = Around { instance: Arc::clone(instance), shared: Arc::clone(&shared) };
        let mut signal = Signal::new(name, Box::new(around))?;
        let mut body = one_time(&mut signal, batch)?;
        body["user"] = json!(name);
        body["registration_id"] = json!(signal.registration_id()?);
        body["identity_key"] = json!(encode(&signal.identity_key()?));
        body["signed_prekey"] = wire(&signal.new_signed_prekey()?);
        body["kyber_prekey"] = wire(&signal.new_kyber_prekey(true)?);
        let answer = instance.gateway.json("POST", "/enlist", "", Some(&body))?;
        let token = answer["token"].as_str().ok_or_else(|| Problem::new("gateway-error", "enlistment gave no token"))?;
        let (name, token, instance) = (name.to_owned(), token.to_owned(), Arc::clone(instance));
        Ok(Arc::new(Self { name, token, batch, instance, signal: Mutex::new(signal), shared }))
    }

    pub fn identity_key(&self) -> Outcome<String> {
        Ok(encode(&lock(&self.signal).identity_key()?))
    }

    pub fn rotate(&self, signed: bool, kyber: bool, count: u64) -> Outcome<()> {
        let body = {
            let mut signal = lock(&self.signal);
            let mut body = one_time(&mut signal, count)?;
            if signed {
                body["signed_prekey"] = wire(&signal.new_signed_prekey()?);
            }
            if kyber {
                body["kyber_prekey"] = wire(&signal.new_kyber_prekey(true)?);
            }
            body
        };
        self.instance.gateway.json("PUT", "/keys", &self.token, Some(&body)).map(drop)
    }

    pub fn delete(&self) -> Outcome<()> {
        self.instance.gateway.json("DELETE", "/user", &self.token, None)?;
        self.leave();
        Ok(())
    }
}

fn one_time(signal: &mut Signal, count: u64) -> Outcome<Value> {
    let (mut ec, mut kyber) = (Vec::new(), Vec::new());
    for _ in 0..count {
        ec.push(wire(&signal.new_one_time_prekey()?));
        kyber.push(wire(&signal.new_kyber_prekey(false)?));
    }
    Ok(json!({ "one_time_prekeys": ec, "one_time_kyber_prekeys": kyber }))
}

fn wire(prekey: &PublicPrekey) -> Value {
    match &prekey.signature {
        Some(signature) => json!({ "id": prekey.id, "key": encode(&prekey.key), "signature": encode(signature) }),
        None => json!({ "id": prekey.id, "key": encode(&prekey.key) }),
    }
}

fn bundle(json: &Value, peer: &str) -> Outcome<Bundle> {
    let bytes = |value: &Value| value.as_str().ok_or_else(|| malformed("a bundle without its keys")).and_then(decode);
    let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| malformed("a bundle without its ids"));
    let prekey = |value: &Value| -> Outcome<PublicPrekey> {
        let signature = value.get("signature").map(bytes).transpose()?;
        Ok(PublicPrekey { id: number(&value["id"])?, key: bytes(&value["key"])?, signature })
    };
    if !json["user"].as_str().is_some_and(|user| user.eq_ignore_ascii_case(peer)) {
        return Err(malformed("the bundle of another user"));
    }
    Ok(Bundle {
        registration_id: number(&json["registration_id"])?,
        identity_key: bytes(&json["identity_key"])?,
        signed_prekey: prekey(&json["signed_prekey"])?,
        one_time_prekey: json.get("one_time_prekey").filter(|key| !key.is_null()).map(prekey).transpose()?,
        kyber_prekey: prekey(&json["kyber_prekey"])?,
    })
}

// The chat channel.
impl User {
    pub fn connect(self: &Arc<Self>) -> Outcome<()> {
        if self.online() {
            return Ok(());
        }
        self.open_channel()?;
        let held = std::mem::take(&mut lock(&self.shared.state).held);
        held.iter().try_for_each(|message| self.resend(message))
    }

    fn online(&self) -> bool {
        lock(&self.shared.state).channel.is_some()
    }

    fn open_channel(self: &Arc<Self>) -> Outcome<()> {
        let (reader, writer) = self.instance.gateway.chat(&self.token)?;
        let writer = Arc::new(writer);
        let unsaid: Vec<Value> = {
            let mut state = lock(&self.shared.state);
            state.channel = Some(Arc::clone(&writer));
            state.waiting.values().map(|waiting| waiting.stanza.clone()).collect()
        };
        // What the client itself had to say when the channel was lost.
        for stanza in &unsaid {
            self.write(stanza);
        }
        let (user, channel) = (Arc::clone(self), Arc::clone(&writer));
        std::thread::spawn(move || user.read_stanzas(reader, &channel));
        let user = Arc::clone(self);
        std::thread::spawn(move || user.process_stanzas(&writer));
        Ok(())
    }

    pub fn disconnect(&self) {
        let channel = {
            let mut state = lock(&self.shared.state);
            // Not acknowledged: it will be delivered again.
            state.queue.clear();
            for waiting in state.waiting.values_mut().filter(|waiting| !waiting.own) {
                waiting.said = Some(Err(Problem::new("not-connected", "the user went offline")));
            }
            self.shared.changed.notify_all();
            state.channel.take()
        };
        if let Some(channel) = channel {
            channel.close();
            let ended = |state: &State| state.ended.iter().any(|ended| Arc::ptr_eq(ended, &channel));
            drop(self.shared.wait_while(Duration::from_secs(5), |state| !ended(state)));
        }
    }

    /// Goes offline for good.
    pub fn leave(&self) {
        self.disconnect();
        let mut state = lock(&self.shared.state);
        state.gone = true;
        for waiting in state.waiting.values_mut() {
            waiting.said = Some(Err(Problem::new("not-connected", "the user is gone")));
        }
        self.shared.changed.notify_all();
    }

    /// Whether it could be written.
    fn write(&self, stanza: &Value) -> bool {
        let channel = lock(&self.shared.state).channel.clone();
        channel.is_some_and(|channel| channel.send(&stanza.to_string()).is_ok())
    }

    fn read_stanzas(self: Arc<Self>, mut reader: ChatReader, channel: &Arc<ChatWriter>) {
        let in_order = loop {
            let stanza: Value = match reader.receive(channel) {
                Frame::Text(text) => serde_json::from_str(&text).unwrap_or_default(),
                Frame::Closed => break true,
                Frame::Lost => break false,
            };
            let Some(id) = stanza["id"].as_str().map(str::to_lowercase) else {
                eprintln!("a frame of the gateway is not a stanza");
                continue;
            };
            let mut state = lock(&self.shared.state);
            let said = match stanza["kind"].as_str() {
                Some("accepted") => Some(Ok(())),
                Some("refused") => {
                    let problem = &stanza["problem"];
                    let reason = problem["reason"].as_str().unwrap_or("gateway-error");
                    Some(Err(Problem::new(reason, problem["detail"].as_str().unwrap_or_default())))
                }
                _ => None,
            };
            match said {
                Some(said) => drop(state.waiting.get_mut(&id).map(|waiting| waiting.said = Some(said))),
                None => state.queue.push_back(stanza),
            }
            self.shared.changed.notify_all();
        };
        let lost = {
            let mut state = lock(&self.shared.state);
            state.ended.push(Arc::clone(channel));
            let current = state.channel.as_ref().is_some_and(|current| Arc::ptr_eq(current, channel));
            if current {
                state.channel = None;
            }
            self.shared.changed.notify_all();
            current
        };
        // In order, it is the gateway's word; anything else was a loss, and the client comes back.
        if lost && !in_order {
            if let Err(problem) = self.open_channel() {
                eprintln!("the channel is lost: {}", problem.detail);
            }
        }
    }

    /// Writes a stanza. `accepted` waits for the gateway's word.
    fn submit(&self, stanza: Value, own: bool) -> Outcome<String> {
        let id = stanza["id"].as_str().unwrap_or_default().to_owned();
        {
            let mut state = lock(&self.shared.state);
            if state.channel.is_none() && !own {
                return Err(Problem::new("not-connected", "the user is offline"));
            }
            state.waiting.insert(id.clone(), Waiting { stanza: stanza.clone(), own, said: None });
        }
        self.write(&stanza);
        Ok(id)
    }

    /// Waits until the gateway has accepted the stanza. One that was refused as `busy` goes out again, after a pause.
    fn accepted(&self, id: &str) -> Outcome<()> {
        for attempt in 1.. {
            let (pause, stanza) = {
                let unsaid = |state: &mut State| state.waiting.get(id).is_some_and(|waiting| waiting.said.is_none());
                let mut state = self.shared.changed.wait_while(lock(&self.shared.state), unsaid).unwrap_or_else(PoisonError::into_inner);
                let Some(waiting) = state.waiting.get_mut(id) else { break };
                let said = waiting.said.take().unwrap_or(Ok(()));
                let stanza = waiting.stanza.clone();
                match pause(attempt).filter(|_| said.as_ref().is_err_and(Problem::passes)) {
                    Some(pause) => (pause, stanza),
                    None => {
                        state.waiting.remove(id);
                        return said;
                    }
                }
            };
            std::thread::sleep(pause);
            self.write(&stanza);
        }
        Ok(())
    }

    /// What follows from a stanza, on its own: `settle` waits for it.
    fn follow(self: &Arc<Self>, id: String) {
        lock(&self.shared.state).follow_ups += 1;
        let user = Arc::clone(self);
        std::thread::spawn(move || {
            if let Err(problem) = user.accepted(&id) {
                eprintln!("what followed from a stanza failed: {}: {}", problem.reason, problem.detail);
            }
            lock(&user.shared.state).follow_ups -= 1;
            user.shared.changed.notify_all();
        });
    }

    pub fn settle(&self, through: &str) -> Outcome<()> {
        let state = self.shared.wait_while(SETTLE_WITHIN, |state| !state.settled(through) && state.channel.is_some());
        match (state.settled(through), state.channel.is_some()) {
            (_, false) => Err(Problem::new("not-connected", "the user is offline")),
            (true, true) => Ok(()),
            (false, true) => Err(Problem::new("timeout", format!("{through} or what followed from it is not done"))),
        }
    }
}

impl State {
    fn settled(&self, through: &str) -> bool {
        self.processed.contains(through) && self.queue.is_empty() && !self.busy && self.follow_ups == 0
    }
}

// Sending.
impl User {
    pub fn send(&self, to: &str, stanza: &str, what: &Value) -> Outcome<()> {
        if !self.online() {
            return Err(Problem::new("not-connected", "the user is offline"));
        }
        let file = if what["kind"] == "media" { Some(self.upload(what)?) } else { None };
        let plaintext = content::write(stanza, self.instance.clock.load(Ordering::SeqCst), what, file.as_ref())?;
        let message = Arc::new(Message { id: stanza.to_owned(), to: to.to_owned(), plaintext, progress: Mutex::default() });
        let submitted = {
            let mut signal = lock(&self.signal);
            self.encrypt_and_submit(&mut signal, &message, stanza, false)?
        };
        self.accepted(&submitted)
    }

    fn encrypt_and_submit(&self, signal: &mut Signal, message: &Arc<Message>, stanza: &str, own: bool) -> Outcome<String> {
        if !signal.has_session(&message.to)? {
            self.establish(signal, &message.to)?;
        }
        let Encrypted { prekey, body } = signal.encrypt(&message.to, &message.plaintext)?;
        lock(&self.shared.state).sent.insert(stanza.to_owned(), Arc::clone(message));
        let kind = if prekey { "prekey" } else { "normal" };
        self.submit(json!({ "kind": "message", "id": stanza, "to": message.to, "type": kind, "body": encode(&body) }), own)
    }

    fn establish(&self, signal: &mut Signal, peer: &str) -> Outcome<Vec<u8>> {
        let answer = self.instance.gateway.json("GET", &format!("/keys/{peer}"), &self.token, None)?;
        signal.establish(peer, &bundle(&answer, peer)?)
    }

    pub fn fetch_keys(&self, peer: &str) -> Outcome<String> {
        Ok(encode(&self.establish(&mut lock(&self.signal), peer)?))
    }

    /// A peer could not read a message: new session, same content, another stanza. Held back if the identity key changed.
    fn resend(self: &Arc<Self>, message: &Arc<Message>) -> Outcome<()> {
        if lock(&message.progress).0 >= MOST_RETRIES {
            return Ok(());
        }
        let submitted = {
            let mut signal = lock(&self.signal);
            self.establish(&mut signal, &message.to).and_then(|_| self.encrypt_and_submit(&mut signal, message, &new_id(), true))
        };
        match submitted {
            Ok(submitted) => {
                lock(&message.progress).0 += 1;
                self.follow(submitted);
                Ok(())
            }
            Err(problem) if problem.reason == "untrusted-identity" => {
                lock(&self.shared.state).held.push(Arc::clone(message));
                Ok(())
            }
            Err(problem) => Err(problem),
        }
    }

    pub fn safety_number(&self, peer: &str) -> Outcome<String> {
        lock(&self.signal).safety_number(peer)
    }

    pub fn accept_identity(self: &Arc<Self>, peer: &str) -> Outcome<()> {
        lock(&self.signal).accept_identity(peer)?;
        if !self.online() {
            return Ok(());
        }
        let held = std::mem::take(&mut lock(&self.shared.state).held);
        let (ready, held): (Vec<_>, Vec<_>) = held.into_iter().partition(|message| message.to == peer);
        lock(&self.shared.state).held.extend(held);
        ready.iter().try_for_each(|message| self.resend(message))
    }

    fn upload(&self, what: &Value) -> Outcome<Attachment> {
        let text = |member: &str| what[member].as_str().unwrap_or_default().to_owned();
        let file = &what["file"];
        let plaintext = self.instance.gateway.download("files", file["url"].as_str().unwrap_or_default(), &self.token)?;
        if file["sha256"] != encode(&media::sha256(&plaintext)?) {
            return Err(Problem::new("bad-digest", "the file to send has another digest"));
        }
        let Sealed { blob, key, digest } = media::seal(&text("media"), &plaintext)?;
        let url = self.instance.gateway.upload(&self.token, &blob)?;
        let length = plaintext.len() as u64;
        Ok(Attachment { kind: text("media"), url, key, digest, length, mime: text("mime"), name: text("name") })
    }
}

// What the user saw.
impl User {
    /// What the user saw after a cursor.
    pub fn events_after(&self, cursor: u64, wait: Duration) -> Vec<Value> {
        let cursor = usize::try_from(cursor).unwrap_or(usize::MAX);
        let state = self.shared.wait_while(wait, |state| state.events.len() <= cursor && !state.gone);
        state.events.iter().skip(cursor).take(MOST_EVENTS).cloned().collect()
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}
