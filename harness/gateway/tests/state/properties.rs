//! Whatever is done in whatever order: no panic, no one-time prekey handed out twice, no stanza lost before it is acknowledged.

use crate::world::{World, body, enlistment, frames, kyber, message, prekey, split, stanza, user};
use countersign_contract::portable::{Enlisted, KeyBundle, PublishKeys, Stanza};
use countersign_contract::{StanzaId, UserId};
use countersign_gateway::{ChannelId, Endpoint, Fault, Rule};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const USERS: u8 = 3;

#[derive(Clone, Debug)]
enum Op {
    Send { from: u8, to: u8, rule: Option<Rule> },
    Release { nth: u8 },
    Ack { by: u8, nth: u8 },
    Open { by: u8 },
    Close { by: u8 },
    Fetch { by: u8, of: u8 },
    Publish { by: u8, count: u8 },
    Enlist { by: u8 },
    Delete { by: u8 },
    Busy { stanzas: bool },
    Noise { by: u8, frame: Vec<u8> },
    Request { by: u8, method: String, path: String, sent: Vec<u8> },
}

fn op() -> impl Strategy<Value = Op> {
    let who = || 0..USERS;
    let rule = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Rule::Hold)),
        1 => Just(Some(Rule::Repeat(2))),
        1 => (0..20_usize, any::<u8>()).prop_map(|(offset, bit)| Some(Rule::FlipByte { offset, bit })),
    ];
    prop_oneof![
        8 => (who(), who(), rule).prop_map(|(from, to, rule)| Op::Send { from, to, rule }),
        3 => any::<u8>().prop_map(|nth| Op::Release { nth }),
        5 => (who(), any::<u8>()).prop_map(|(by, nth)| Op::Ack { by, nth }),
        3 => who().prop_map(|by| Op::Open { by }),
        2 => who().prop_map(|by| Op::Close { by }),
        5 => (who(), who()).prop_map(|(by, of)| Op::Fetch { by, of }),
        2 => (who(), 0..4_u8).prop_map(|(by, count)| Op::Publish { by, count }),
        1 => who().prop_map(|by| Op::Enlist { by }),
        1 => who().prop_map(|by| Op::Delete { by }),
        1 => any::<bool>().prop_map(|stanzas| Op::Busy { stanzas }),
        1 => (who(), prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(by, frame)| Op::Noise { by, frame }),
        // Not DELETE, since that would take users away behind the model's back.
        1 => (who(), prop::sample::select(vec!["GET", "PUT", "POST", "PATCH", ""]), "/?(enlist|keys|media|files|user|chat|.{0,9})(/.{0,9})?", prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(by, method, path, sent)| Op::Request { by, method: method.to_owned(), path, sent }),
    ]
}

/// What must be true of the gateway, kept by simpler means than the gateway's own.
struct Model {
    world: World,
    sent: u128,
    tokens: BTreeMap<UserId, String>,
    channels: BTreeMap<UserId, ChannelId>,
    /// What each user has yet to acknowledge, in order.
    unacked: BTreeMap<UserId, Vec<StanzaId>>,
    held: Vec<(StanzaId, UserId)>,
    enlisted: BTreeMap<UserId, u32>,
    next_prekey: u32,
    handed: BTreeSet<(UserId, u32, bool, u32)>,
}

fn name(n: u8) -> UserId {
    user(u128::from(n))
}

impl Model {
    fn new() -> Self {
        let mut model = Self {
            world: World::new(),
            sent: 0,
            tokens: BTreeMap::new(),
            channels: BTreeMap::new(),
            unacked: BTreeMap::new(),
            held: Vec::new(),
            enlisted: BTreeMap::new(),
            next_prekey: 10,
            handed: BTreeSet::new(),
        };
        (0..USERS).for_each(|n| model.apply(Op::Enlist { by: n }));
        model
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Send { from, to, rule } => self.send(name(from), name(to), rule),
            Op::Release { nth } => {
                if !self.held.is_empty() {
                    let (id, to) = self.held.remove(usize::from(nth) % self.held.len());
                    self.world.gateway.release(id);
                    if self.tokens.contains_key(&to) {
                        self.unacked.entry(to).or_default().push(id);
                    }
                }
            }
            Op::Ack { by, nth } => {
                let (Some(channel), Some(waiting)) = (self.channels.get(&name(by)), self.unacked.get_mut(&name(by))) else {
                    return;
                };
                if !waiting.is_empty() {
                    let id = waiting.remove(usize::from(nth) % waiting.len());
                    assert_eq!(self.world.send(*channel, &Stanza::Ack { id }), []);
                }
            }
            Op::Open { by } => self.open(name(by)),
            Op::Close { by } => {
                if let Some(channel) = self.channels.remove(&name(by)) {
                    self.world.gateway.chat_closed(channel);
                }
            }
            Op::Fetch { by, of } => self.fetch(name(by), name(of)),
            Op::Publish { by, count } => {
                let Some(token) = self.tokens.get(&name(by)) else { return };
                let ids = || (0..u32::from(count)).map(|n| self.next_prekey + n);
                let keys = PublishKeys {
                    one_time_prekeys: ids().map(prekey).collect(),
                    one_time_kyber_prekeys: ids().map(kyber).collect(),
                    ..PublishKeys::default()
                };
                assert_eq!(self.world.publish(&token.clone(), &keys).0.status, 200);
                self.next_prekey += u32::from(count);
            }
            Op::Enlist { by } => {
                let json = serde_json::to_vec(&enlistment(name(by), 2)).unwrap();
                let reply = split(self.world.raw("POST", "/enlist", None, &json)).0;
                self.forget(name(by));
                self.tokens.insert(name(by), body::<Enlisted>(&reply).token);
                *self.enlisted.entry(name(by)).or_default() += 1;
            }
            Op::Delete { by } => {
                if let Some(token) = self.tokens.get(&name(by)).cloned() {
                    assert_eq!(self.world.request("DELETE", "/user", &token, b"").0.status, 200);
                    self.forget(name(by));
                }
            }
            Op::Busy { stanzas } => {
                let on = if stanzas { Endpoint::Stanza } else { Endpoint::GetKeys };
                self.world.gateway.arm_fault(Fault { on, status: 503, times: 1, retry_after_s: None });
            }
            Op::Noise { by, frame } => {
                if let Some(channel) = self.channels.get(&name(by)) {
                    self.world.gateway.frame(*channel, &frame);
                }
            }
            Op::Request { by, method, path, sent } => {
                let token = self.tokens.get(&name(by)).cloned();
                split(self.world.raw(&method, &path, token.as_deref(), &sent));
            }
        }
    }

    fn send(&mut self, from: UserId, to: UserId, rule: Option<Rule>) {
        let Some(channel) = self.channels.get(&from).copied() else { return };
        self.sent += 1;
        let id = stanza(self.sent);
        let holds = rule == Some(Rule::Hold);
        if let Some(rule) = rule {
            self.world.gateway.arm(id, rule);
        }
        let effects = self.world.send(channel, &message(self.sent, to));
        if frames(&effects).contains(&(channel, Stanza::Accepted { id })) {
            assert!(self.tokens.contains_key(&to), "accepted for a user that is not there");
            if holds { self.held.push((id, to)) } else { self.unacked.entry(to).or_default().push(id) }
        }
    }

    fn open(&mut self, who: UserId) {
        let Some(token) = self.tokens.get(&who).cloned() else { return };
        let (channel, effects) = self.world.open(&token);
        self.channels.insert(who, channel);
        let mut given: Vec<StanzaId> = frames(&effects)
            .into_iter()
            .filter(|(_, stanza)| !matches!(stanza, Stanza::KeysLow { .. }))
            .map(|(_, stanza)| stanza.id())
            .collect();
        given.dedup();
        assert_eq!(given, self.unacked.get(&who).cloned().unwrap_or_default());
    }

    fn fetch(&mut self, by: UserId, of: UserId) {
        let Some(token) = self.tokens.get(&by).cloned() else { return };
        let (reply, _) = self.world.request("GET", &format!("/keys/{of}"), &token, b"");
        if reply.status == 200 {
            let bundle: KeyBundle = body(&reply);
            let epoch = self.enlisted[&of];
            let ec = bundle.one_time_prekey.map(|k| (of, epoch, false, k.id));
            let kyber = bundle.kyber_prekey.map(|key| key.id).filter(|id| *id != 1000).map(|id| (of, epoch, true, id));
            for key in [ec, kyber].into_iter().flatten() {
                assert!(self.handed.insert(key), "handed out twice: {key:?}");
            }
        }
    }

    fn forget(&mut self, who: UserId) {
        self.tokens.remove(&who);
        self.channels.remove(&who);
        self.unacked.remove(&who);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost_and_nothing_is_handed_out_twice(ops in prop::collection::vec(op(), 0..120)) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
        }
        (0..USERS).for_each(|n| model.open(name(n)));
    }
}
