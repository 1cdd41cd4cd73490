//! A gateway reduced to a post office: keys, mailboxes and blobs in memory, and hooks between the parties.

use crate::wire::{Chat, Wire, WireError, WireFactory, WireReply, WireRequest};
use crate::{Defects, Honest, Sample};
use async_trait::async_trait;
use countersign_contract::claims::Suite;
use countersign_contract::operations::*;
use countersign_contract::portable::*;
use countersign_contract::seen::{Seen, UserContent, What};
use countersign_contract::{InstanceId, Problem, Reason, StanzaId, UserId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, Weak};
use tokio::sync::mpsc;
use uuid::Uuid;

type StanzaHook = Box<dyn FnMut(UserId, Stanza) -> Vec<Stanza> + std::marker::Send>;
type BundleHook = Box<dyn FnMut(KeyBundle) -> KeyBundle + std::marker::Send>;

#[derive(Default)]
pub(super) struct Post {
    pub(super) office: Mutex<Office>,
    own: Weak<Post>,
}

#[derive(Default)]
pub(super) struct Office {
    users: BTreeMap<UserId, Box_>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    /// What happens to a stanza on its way to a user: nothing, something else, or several things.
    pub(super) on_delivery: Option<StanzaHook>,
    /// What happens to a bundle on its way.
    pub(super) on_bundle: Option<BundleHook>,
    /// Answers to give instead of an answer.
    pub(super) failures: VecDeque<(u16, Reason)>,
    /// Words to give instead of `accepted`.
    pub(super) refusals: VecDeque<Reason>,
    /// Every request as it came.
    pub(super) requests: Vec<WireRequest>,
    /// Every frame from a client as it came.
    pub(super) frames: Vec<String>,
    /// Every stanza from a client, with its sender.
    pub(super) sent: Vec<(UserId, Stanza)>,
}

struct Box_ {
    keys: Enlist,
    mail: VecDeque<Stanza>,
    delivered: BTreeSet<StanzaId>,
    chat: Option<mpsc::Sender<String>>,
}

impl Post {
    pub(super) fn new() -> Arc<Self> {
        Arc::new_cyclic(|own| Self { office: Mutex::default(), own: own.clone() })
    }

    pub(super) fn wires(self: &Arc<Self>) -> WireFactory {
        let post = self.clone();
        Arc::new(move |_, _, _| Ok(post.clone()))
    }

    fn answer(&self, http: &WireRequest) -> Result<Vec<u8>, (u16, Reason)> {
        let mut office = self.office.lock().unwrap();
        office.requests.push(http.clone());
        if let Some(failure) = office.failures.pop_front() {
            return Err(failure);
        }
        let user = http.token.as_deref().and_then(|t| t.parse::<UserId>().ok());
        let (head, tail) = http.path.trim_start_matches('/').split_once('/').unwrap_or((&http.path[1..], ""));
        match (http.method, head) {
            ("POST", "enlist") => {
                let keys: Enlist = serde_json::from_slice(&http.body).unwrap();
                let token = keys.user.to_string();
                let fresh = Box_ { mail: VecDeque::new(), delivered: BTreeSet::new(), chat: None, keys };
                office.users.insert(fresh.keys.user, fresh);
                Ok(serde_json::to_vec(&Enlisted { token }).unwrap())
            }
            ("GET", "keys") => {
                let of: UserId = tail.parse().unwrap();
                let owner = office.users.get_mut(&of).ok_or((404, Reason::UnknownUser))?;
                let keys = &mut owner.keys;
                let one_time = (!keys.one_time_prekeys.is_empty()).then(|| keys.one_time_prekeys.remove(0));
                let kyber = &mut keys.one_time_kyber_prekeys;
                let kyber = if kyber.is_empty() { keys.kyber_prekey.clone() } else { Some(kyber.remove(0)) };
                let left = keys.one_time_prekeys.len() as u32;
                let bundle = KeyBundle {
                    user: of,
                    registration_id: keys.registration_id,
                    identity_key: keys.identity_key.clone(),
                    signed_prekey: keys.signed_prekey.clone(),
                    one_time_prekey: one_time,
                    kyber_prekey: kyber,
                };
                if left == 0 {
                    let id = StanzaId(Uuid::new_v4());
                    office.deliver(of, Stanza::KeysLow { id, one_time_prekeys: 0, one_time_kyber_prekeys: 0 });
                }
                let bundle = match &mut office.on_bundle {
                    Some(hook) => hook(bundle),
                    None => bundle,
                };
                Ok(serde_json::to_vec(&bundle).unwrap())
            }
            ("PUT", "keys") => {
                let more: PublishKeys = serde_json::from_slice(&http.body).unwrap();
                let keys = &mut office.users.get_mut(&user.unwrap()).unwrap().keys;
                keys.one_time_prekeys.extend(more.one_time_prekeys);
                keys.one_time_kyber_prekeys.extend(more.one_time_kyber_prekeys);
                keys.signed_prekey = more.signed_prekey.unwrap_or_else(|| keys.signed_prekey.clone());
                keys.kyber_prekey = more.kyber_prekey.or_else(|| keys.kyber_prekey.clone());
                let count = KeyCount {
                    one_time_prekeys: keys.one_time_prekeys.len() as u32,
                    one_time_kyber_prekeys: keys.one_time_kyber_prekeys.len() as u32,
                };
                Ok(serde_json::to_vec(&count).unwrap())
            }
            ("PUT", "media") => {
                let url = format!("/media/{}", Uuid::new_v4());
                office.blobs.insert(url.clone(), http.body.to_vec());
                Ok(serde_json::to_vec(&Uploaded { url }).unwrap())
            }
            ("GET", "media" | "files") => office.blobs.get(&http.path).cloned().ok_or((404, Reason::MediaMissing)),
            ("DELETE", "user") => {
                office.users.remove(&user.unwrap());
                Ok(b"{}".to_vec())
            }
            other => panic!("no such request: {other:?}"),
        }
    }

    fn take(&self, from: UserId, frame: String) {
        let mut office = self.office.lock().unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&frame).unwrap();
        value.as_object_mut().unwrap().remove("preview");
        office.frames.push(frame);
        let stanza: Stanza = serde_json::from_value(value).unwrap();
        let id = stanza.id();
        if let Stanza::Ack { id } = stanza {
            let mailbox = office.users.get_mut(&from).unwrap();
            mailbox.mail.retain(|mail| mail.id() != id);
            return;
        }
        office.sent.push((from, stanza.clone()));
        let word = match office.refusals.pop_front() {
            Some(reason) => Stanza::Refused { id, problem: Problem::new(reason, "") },
            None => Stanza::Accepted { id },
        };
        let accepted = matches!(word, Stanza::Accepted { .. });
        let chat = office.users[&from].chat.clone().unwrap();
        chat.try_send(word.to_json()).unwrap();
        let (to, stanza) = match stanza {
            Stanza::Message { id, to, r#type, body, .. } => {
                (to, Stanza::Message { id, to: None, from: Some(from), r#type, body })
            }
            Stanza::Receipt { id, to, r#type, of, count, .. } => {
                (to, Stanza::Receipt { id, to: None, from: Some(from), r#type, of, count })
            }
            other => panic!("a client does not send {other:?}"),
        };
        if accepted {
            let to = to.unwrap();
            let stanzas = match office.on_delivery.take() {
                Some(mut hook) => {
                    let stanzas = hook(to, stanza);
                    office.on_delivery = Some(hook);
                    stanzas
                }
                None => vec![stanza],
            };
            stanzas.into_iter().for_each(|stanza| office.deliver(to, stanza));
        }
    }
}

impl Office {
    /// Puts a stanza into a mailbox, and onto the channel if the user is online.
    pub(super) fn deliver(&mut self, to: UserId, stanza: Stanza) {
        let Some(mailbox) = self.users.get_mut(&to) else { return };
        mailbox.delivered.insert(stanza.id());
        if let Some(chat) = &mailbox.chat {
            let _ = chat.try_send(stanza.to_json());
        }
        mailbox.mail.push_back(stanza);
    }

    /// The prekeys that a user has left.
    pub(super) fn left(&self, of: UserId) -> &Enlist {
        &self.users[&of].keys
    }
}

#[async_trait]
impl Wire for Post {
    async fn request(&self, http: WireRequest) -> Result<WireReply, WireError> {
        Ok(match self.answer(&http) {
            Ok(body) => WireReply { status: 200, retry_after_s: None, body: body.into() },
            Err((status, reason)) => {
                let body = serde_json::to_vec(&Problem::new(reason, "")).unwrap().into();
                WireReply { status, retry_after_s: None, body }
            }
        })
    }

    async fn chat(&self, token: &str) -> Result<Chat, WireError> {
        let user: UserId = token.parse().unwrap();
        let (frames_out, mut from_client) = mpsc::channel(1024);
        let (to_client, frames_in) = mpsc::channel(1024);
        {
            let mut office = self.office.lock().unwrap();
            let mailbox = office.users.get_mut(&user).unwrap();
            for waiting in &mailbox.mail {
                to_client.try_send(waiting.to_json()).unwrap();
            }
            mailbox.chat = Some(to_client);
        }
        let post = self.own.upgrade().unwrap();
        tokio::spawn(async move {
            while let Some(frame) = from_client.recv().await {
                post.take(user, frame);
            }
            let mut office = post.office.lock().unwrap();
            if let Some(mailbox) = office.users.get_mut(&user) {
                mailbox.chat = None;
            }
        });
        Ok(Chat { frames_out, frames_in })
    }
}

/// Runs each of these tests in every suite that the sample speaks.
macro_rules! in_both_suites {
    ($($test:ident)*) => {
        mod pq {
            $(#[tokio::test]
            async fn $test() {
                super::$test(countersign_contract::claims::Suite::SignalPq).await;
            })*
        }

        mod classic {
            $(#[tokio::test]
            async fn $test() {
                super::$test(countersign_contract::claims::Suite::SignalClassic).await;
            })*
        }
    };
}
pub(super) use in_both_suites;

/// Two users of one candidate, or of two.
pub(super) struct Pair {
    pub(super) post: Arc<Post>,
    pub(super) alice: Actor,
    pub(super) bob: Actor,
}

/// A user, spoken to through the operations.
#[derive(Clone)]
pub(super) struct Actor {
    pub(super) sample: Sample,
    pub(super) instance: InstanceId,
    pub(super) id: UserId,
}

impl Pair {
    /// Two honest users who are online, with three one-time prekeys each.
    pub(super) async fn honest() -> Self {
        Self::honest_in(Suite::SignalPq).await
    }

    pub(super) async fn honest_in(suite: Suite) -> Self {
        Self::with_in(suite, Honest, Honest).await
    }

    pub(super) async fn with_in(suite: Suite, alice: impl Defects, bob: impl Defects) -> Self {
        let post = Post::new();
        let alice = Actor::new_in(suite, &Sample::new(post.wires(), Arc::new(alice))).await;
        let bob = Actor::new_in(suite, &Sample::new(post.wires(), Arc::new(bob))).await;
        for actor in [&alice, &bob] {
            actor.create(3).await;
            actor.connect().await;
        }
        Self { post, alice, bob }
    }

    /// Sends a text that must arrive, to show that everything still works.
    pub(super) async fn twin(&self) {
        let id = self.alice.say(&self.bob, "twin").await;
        self.bob.settle(id).await;
        let seen = self.bob.seen().await;
        assert_eq!(seen.last(), Some(&self.alice.text(id, "twin")), "{seen:?}");
    }
}

impl Actor {
    pub(super) async fn new_in(suite: Suite, sample: &Sample) -> Self {
        let instance = InstanceId(Uuid::new_v4());
        let suite = Some(suite);
        let open =
            Open { instance, gateway: "memory:".into(), trust_anchors: None, clock: 1_700_000_000_000, suite, trust_root: None };
        sample.call(Call::Open(open)).await.unwrap();
        Self { sample: sample.clone(), instance, id: UserId(Uuid::new_v4()) }
    }

    pub(super) async fn create(&self, one_time_prekeys: u32) {
        self.sample
            .call(Call::CreateUser(CreateUser { instance: self.instance, user: self.id, one_time_prekeys, import: None }))
            .await
            .unwrap();
    }

    pub(super) async fn connect(&self) {
        self.sample.call(Call::Connect(Connect { instance: self.instance, user: self.id })).await.unwrap();
    }

    pub(super) async fn disconnect(&self) {
        self.sample.call(Call::Disconnect(Disconnect { instance: self.instance, user: self.id })).await.unwrap();
    }

    /// Sends a text that the gateway must take.
    pub(super) async fn say(&self, to: &Actor, text: &str) -> StanzaId {
        let id = StanzaId(Uuid::new_v4());
        self.try_send(to, id, UserContent::Text { text: text.into() }).await.unwrap();
        id
    }

    pub(super) async fn try_send(&self, to: &Actor, stanza: StanzaId, content: UserContent) -> Result<(), Reason> {
        let send = Send { instance: self.instance, user: self.id, to: to.id, stanza, content, sealed: false };
        self.sample.call(Call::Send(send)).await.map(drop).map_err(|problem| problem.reason)
    }

    pub(super) async fn settle(&self, through: StanzaId) {
        self.sample.call(Call::Settle(Settle { instance: self.instance, user: self.id, through })).await.unwrap();
    }

    pub(super) async fn fetch(&self, of: &Actor) -> Result<(), Reason> {
        let fetch = FetchKeys { instance: self.instance, user: self.id, of: of.id };
        self.sample.call(Call::FetchKeys(fetch)).await.map(drop).map_err(|problem| problem.reason)
    }

    pub(super) async fn accept(&self, peer: &Actor) {
        let accept = AcceptIdentity { instance: self.instance, user: self.id, peer: peer.id };
        self.sample.call(Call::AcceptIdentity(accept)).await.unwrap();
    }

    pub(super) async fn rotate(&self) {
        let ask = RotateKeys { instance: self.instance, user: self.id, signed: true, kyber: true, one_time_prekeys: 0 };
        self.sample.call(Call::RotateKeys(ask)).await.unwrap();
    }

    pub(super) async fn safety_number(&self, peer: &Actor) -> String {
        let ask = VerifyIdentity { instance: self.instance, user: self.id, peer: peer.id };
        match self.sample.call(Call::VerifyIdentity(ask)).await.unwrap() {
            Answer::VerifyIdentity(number) => number.digits,
            other => panic!("{other:?}"),
        }
    }

    async fn events(&self, after: u64, wait_ms: u32) -> Vec<Seen> {
        let events = Events { instance: self.instance, user: self.id, after, wait_ms };
        match self.sample.call(Call::Events(events)).await.unwrap() {
            Answer::Events(list) => list.events,
            other => panic!("{other:?}"),
        }
    }

    /// All that the user saw, numbered without gaps.
    pub(super) async fn seen(&self) -> Vec<What> {
        let events = self.events(0, 0).await;
        assert!(events.iter().map(|seen| seen.seq).eq(1..=events.len() as u64));
        events.into_iter().map(|seen| seen.what).collect()
    }

    /// Waits until the user has seen this many things.
    pub(super) async fn sees(&self, count: u64) -> Vec<What> {
        let seen = self.events(count - 1, 10_000).await;
        assert!(!seen.is_empty(), "fewer than {count} events");
        self.seen().await
    }

    /// What somebody sees of a text of this user.
    pub(super) fn text(&self, message: StanzaId, text: &str) -> What {
        What::Message { message, from: self.id, group: None, content: UserContent::Text { text: text.into() } }
    }
}

/// A refusal as an event.
pub(super) fn refused(stanza: StanzaId, reason: Reason) -> What {
    What::Refused { stanza, reason }
}

/// Changes the body of a message stanza.
pub(super) fn edit(stanza: Stanza, change: impl FnOnce(&mut Vec<u8>)) -> Stanza {
    match stanza {
        Stanza::Message { id, to, from, r#type, mut body } => {
            change(&mut body.0);
            Stanza::Message { id, to, from, r#type, body }
        }
        other => other,
    }
}

/// The same message under another stanza id.
pub(super) fn renamed(stanza: Stanza, id: StanzaId) -> Stanza {
    match stanza {
        Stanza::Message { to, from, r#type, body, .. } => Stanza::Message { id, to, from, r#type, body },
        other => other,
    }
}
