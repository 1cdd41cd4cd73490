//! A gateway with users, and short ways to act as one of them.

use countersign_contract::claims::Suite;
use countersign_contract::portable::{
    Enlist, Enlisted, KeyBundle, MessageType, Prekey, PublishKeys, ReceiptType, SignedKey, Stanza, Uploaded,
};
use countersign_contract::{Bytes, Problem, StanzaId, UserId};
use countersign_gateway::{ChannelId, Effect, Gateway, HttpReply, HttpRequest};
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub(crate) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(0xAAAA_0000 + n))
}

pub(crate) fn stanza(n: u128) -> StanzaId {
    StanzaId(Uuid::from_u128(0x5555_0000 + n))
}

/// A key of the right form that differs for every `(kind, n)`.
fn key(first: u8, length: usize, kind: u8, n: u32) -> Bytes {
    let mut bytes = vec![kind; length];
    bytes[0] = first;
    bytes[1..5].copy_from_slice(&n.to_be_bytes());
    bytes.into()
}

pub(crate) fn prekey(id: u32) -> Prekey {
    Prekey { id, key: key(5, 33, 1, id) }
}

pub(crate) fn kyber(id: u32) -> SignedKey {
    SignedKey { id, key: key(8, 1569, 2, id), signature: vec![9; 64].into() }
}

pub(crate) fn signed(id: u32) -> SignedKey {
    SignedKey { id, key: key(5, 33, 3, id), signature: vec![7; 64].into() }
}

pub(crate) fn enlistment(user: UserId, one_time: u32) -> Enlist {
    Enlist {
        user,
        registration_id: 42,
        identity_key: key(5, 33, 4, 0),
        signed_prekey: signed(1),
        kyber_prekey: Some(kyber(1000)),
        one_time_prekeys: (1..=one_time).map(prekey).collect(),
        one_time_kyber_prekeys: (1..=one_time).map(kyber).collect(),
    }
}

pub(crate) fn message(n: u128, to: UserId) -> Stanza {
    Stanza::Message { id: stanza(n), to: Some(to), from: None, r#type: MessageType::Normal, body: vec![n as u8; 8].into() }
}

/// The message as its recipient is to see it.
pub(crate) fn delivered(n: u128, from: UserId) -> Stanza {
    with_body(n, from, &[n as u8; 8])
}

pub(crate) fn with_body(n: u128, from: UserId, body: &[u8]) -> Stanza {
    Stanza::Message { id: stanza(n), to: None, from: Some(from), r#type: MessageType::Normal, body: body.into() }
}

pub(crate) fn receipt(n: u128, to: UserId, of: u128) -> Stanza {
    Stanza::Receipt { id: stanza(n), to: Some(to), from: None, r#type: ReceiptType::Delivered, of: stanza(of), count: None }
}

pub(crate) fn ack(n: u128) -> Stanza {
    Stanza::Ack { id: stanza(n) }
}

pub(crate) fn body<T: DeserializeOwned>(reply: &HttpReply) -> T {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    serde_json::from_slice(&reply.body).unwrap()
}

pub(crate) fn problem(reply: &HttpReply) -> Problem {
    assert_eq!(reply.content_type, "application/problem+json");
    let problem: Problem = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(reply.status, problem.reason.status());
    problem
}

pub(crate) struct World {
    pub(crate) gateway: Gateway,
    requests: u64,
    channels: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { gateway: Gateway::new([7; 32], Suite::SignalPq), requests: 0, channels: 0 }
    }

    pub(crate) fn raw(&mut self, method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Vec<Effect> {
        self.requests += 1;
        let http =
            HttpRequest { method: method.into(), path: path.into(), token: token.map(str::to_owned), body: body.to_vec().into() };
        self.gateway.http(self.requests, http)
    }

    /// A request of the candidate, its reply, and the other effects.
    pub(crate) fn request(&mut self, method: &str, path: &str, token: &str, body: &[u8]) -> (HttpReply, Vec<Effect>) {
        split(self.raw(method, path, Some(token), body))
    }

    pub(crate) fn enlist(&mut self, user: UserId, one_time: u32) -> String {
        let json = serde_json::to_vec(&enlistment(user, one_time)).unwrap();
        let (reply, _) = split(self.raw("POST", "/enlist", None, &json));
        body::<Enlisted>(&reply).token
    }

    pub(crate) fn enlist_reference(&mut self, user: UserId, one_time: u32) {
        self.gateway.register_reference(user);
        let json = serde_json::to_vec(&enlistment(user, one_time)).unwrap();
        let http = HttpRequest { method: "POST".into(), path: "/enlist".into(), token: None, body: json.into() };
        assert_eq!(self.gateway.reference_request(user, http).0.status, 200);
    }

    pub(crate) fn open(&mut self, token: &str) -> (ChannelId, Vec<Effect>) {
        self.channels += 1;
        (self.channels, self.gateway.chat_opened(self.channels, Some(token)).unwrap())
    }

    pub(crate) fn send(&mut self, channel: ChannelId, stanza: &Stanza) -> Vec<Effect> {
        self.gateway.frame(channel, stanza.to_json().as_bytes())
    }

    pub(crate) fn keys(&mut self, token: &str, of: UserId) -> (KeyBundle, Vec<Effect>) {
        let (reply, rest) = self.request("GET", &format!("/keys/{of}"), token, b"");
        (body(&reply), rest)
    }

    pub(crate) fn publish(&mut self, token: &str, keys: &PublishKeys) -> (HttpReply, Vec<Effect>) {
        self.request("PUT", "/keys", token, &serde_json::to_vec(keys).unwrap())
    }

    pub(crate) fn upload(&mut self, token: &str, blob: &[u8]) -> String {
        body::<Uploaded>(&self.request("PUT", "/media", token, blob).0).url
    }
}

pub(crate) fn split(effects: Vec<Effect>) -> (HttpReply, Vec<Effect>) {
    let (mut replies, rest): (Vec<_>, Vec<_>) = effects.into_iter().partition(|e| matches!(e, Effect::Reply { .. }));
    assert_eq!(replies.len(), 1);
    let Some(Effect::Reply { reply, .. }) = replies.pop() else { unreachable!() };
    (reply, rest)
}

/// The stanzas among the effects that go to clients of the candidate, with their channels.
pub(crate) fn frames(effects: &[Effect]) -> Vec<(ChannelId, Stanza)> {
    effects
        .iter()
        .filter_map(|e| {
            if let Effect::Frame { channel, text } = e { Some((*channel, Stanza::from_json(text).unwrap())) } else { None }
        })
        .collect()
}

/// What the disturbance layer says that it did.
pub(crate) fn disturbances(effects: &[Effect]) -> Vec<&str> {
    effects.iter().filter_map(|e| if let Effect::Disturbed { how, .. } = e { Some(how.as_str()) } else { None }).collect()
}

pub(crate) fn is_invalid(effects: &[Effect]) -> bool {
    effects.iter().any(|e| matches!(e, Effect::Invalid { .. }))
}

/// Two users of the candidate, online.
pub(crate) struct Pair {
    pub(crate) world: World,
    pub(crate) alice: UserId,
    pub(crate) bob: UserId,
    pub(crate) alice_token: String,
    pub(crate) bob_token: String,
    pub(crate) a: ChannelId,
    pub(crate) b: ChannelId,
}

pub(crate) fn pair() -> Pair {
    let mut world = World::new();
    let (alice, bob) = (user(1), user(2));
    let (alice_token, bob_token) = (world.enlist(alice, 3), world.enlist(bob, 3));
    let (a, _) = world.open(&alice_token);
    let (b, _) = world.open(&bob_token);
    Pair { world, alice, bob, alice_token, bob_token, a, b }
}

impl Pair {
    /// Alice sends message `n` to Bob; what Bob's channel gets of it.
    pub(crate) fn bob_gets(&mut self, n: u128) -> (Vec<Stanza>, Vec<Effect>) {
        let effects = self.world.send(self.a, &message(n, self.bob));
        (self.to_bob(&effects), effects)
    }

    pub(crate) fn to_bob(&self, effects: &[Effect]) -> Vec<Stanza> {
        frames(effects).into_iter().filter(|(channel, _)| *channel == self.b).map(|(_, stanza)| stanza).collect()
    }
}
