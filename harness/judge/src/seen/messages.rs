//! Messages of the scenario: who sends what to whom under which name, and which stanzas may rightly carry it.

use super::{Called, Seen, What, Witnessed};
use countersign_contract::portable::Stanza;
use countersign_contract::seen::{FileRef, UserContent};
use countersign_contract::{GroupId, StanzaId, UserId};
use countersign_scenarios::language::Network;
use countersign_scenarios::{Side, Step};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A message that a step sends.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) name: String,
    /// Position of the step.
    pub(crate) step: usize,
    pub(crate) from_name: String,
    pub(crate) to_name: String,
    /// Its id; `None` if the step never got so far.
    pub(crate) id: Option<StanzaId>,
    pub(crate) from: Option<UserId>,
    /// To whom; `None` for one to a group.
    pub(crate) to: Option<UserId>,
    /// The group that it goes to, and its other members at that time.
    pub(crate) group: Option<(GroupId, BTreeSet<UserId>)>,
    /// The one member whose copy is not as its sender made it; everybody's, if `honest` is false and nobody stands here.
    pub(crate) copy_for: Option<UserId>,
    /// What is in it: from the call to the candidate, or from the reference's own word.
    pub(crate) content: Option<UserContent>,
    /// Whether the stanza itself is as its sender made it, and made well.
    pub(crate) honest: bool,
    /// Whether the candidate sends it.
    pub(crate) by_candidate: bool,
    /// Whether it is to go out sealed.
    pub(crate) sealed: bool,
}

impl Sent {
    /// Whether it is meant for this user.
    pub(crate) fn goes_to(&self, user: UserId) -> bool {
        self.to == Some(user) || self.group.as_ref().is_some_and(|(_, readers)| readers.contains(&user))
    }

    /// Whether what reaches this user is as its sender made it, and made well.
    fn honest_for(&self, user: UserId) -> bool {
        self.honest || self.copy_for.is_some_and(|only| only != user)
    }
}

impl Seen<'_> {
    /// Collects the messages of the scenario.
    pub(super) fn collect_messages(&mut self) {
        let scenario = self.scenario;
        // Who is in which group, as far as the scenario goes.
        let mut groups: BTreeMap<&str, BTreeSet<UserId>> = BTreeMap::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            match step {
                Step::Send(send) => {
                    let tampered = is_tampered(send.network.as_ref());
                    let honest = !tampered && send.bend.is_none() && send.certificate.is_none();
                    self.collect(index, send.name.clone(), &send.from, &send.to, honest);
                    if let Some(sent) = self.messages.get_mut(&send.name) {
                        sent.sealed = send.sealed;
                    }
                }
                Step::SendStored(send) => {
                    self.collect(index, send.name.clone(), &send.from, &send.to, !send.bad);
                    if let Some(sent) = self.messages.get_mut(&send.name) {
                        sent.sealed = send.sealed;
                    }
                    if let Some(name) = &send.group {
                        let to = self.to_group(name, &send.from, &groups);
                        if let Some(sent) = self.messages.get_mut(&send.name) {
                            (sent.to, sent.group) = (None, to);
                        }
                    }
                }
                Step::CreateGroup(create) => {
                    let members = create.members.iter().chain([&create.by]).filter_map(|name| self.user(name)).collect();
                    groups.insert(&create.name, members);
                }
                Step::ChangeGroup(change) => {
                    let members = groups.entry(&change.group).or_default();
                    members.extend(change.add.iter().filter_map(|name| self.user(name)));
                    for name in &change.remove {
                        members.retain(|member| Some(*member) != self.user(name));
                    }
                }
                Step::SendToGroup(send) => {
                    let tampered = is_tampered(send.network.as_ref());
                    self.collect(index, send.name.clone(), &send.from, &send.group, !tampered && send.bend.is_none());
                    let to = self.to_group(&send.group, &send.from, &groups);
                    let copy_for = send.copy_for.as_ref().and_then(|name| self.user(name)).filter(|_| send.bend.is_none());
                    if let Some(sent) = self.messages.get_mut(&send.name) {
                        (sent.to, sent.group, sent.copy_for) = (None, to, copy_for);
                    }
                }
                Step::Exchange(exchange) => {
                    let [first, second] = &exchange.between;
                    for i in 1..=exchange.messages {
                        let (from, to) = if i % 2 == 1 { (first, second) } else { (second, first) };
                        self.collect(index, format!("{}{i}", exchange.name), from, to, true);
                    }
                }
                Step::Many(many) => {
                    for i in 1..=many.messages {
                        self.collect(index, format!("{}{i}", many.name), &many.from, &many.to, true);
                    }
                }
                Step::Burst(burst) => {
                    for i in 1..=burst.messages {
                        self.collect(index, format!("{}{i}", burst.name), &burst.from, &burst.to, true);
                    }
                }
                _ => {}
            }
        }
        let carried: Vec<(StanzaId, String)> =
            self.names.iter().filter_map(|(name, id)| Some((*id, self.message(name)?.name.clone()))).collect();
        self.message_of_stanza = carried.into_iter().collect();
    }

    /// A group by its name in the scenario, and its members but one.
    fn to_group(&self, name: &str, from: &str, groups: &BTreeMap<&str, BTreeSet<UserId>>) -> Option<(GroupId, BTreeSet<UserId>)> {
        let from = self.user(from);
        let members = groups.get(name).into_iter().flatten().copied();
        let id = self.names.get(format!("group:{name}").as_str())?;
        Some((GroupId(id.0), members.filter(|member| Some(*member) != from).collect()))
    }

    fn collect(&mut self, step: usize, name: String, from: &str, to: &str, honest: bool) {
        let id = self.names.get(name.as_str()).copied();
        let by_candidate = self.side(from) == Some(Side::Candidate);
        let content = id.and_then(|id| {
            if by_candidate {
                self.send_of(id).and_then(content_of)
            } else {
                self.sent_by_reference.get(&id).map(|content| (*content).clone())
            }
        });
        let sent = Sent {
            step,
            from_name: from.to_owned(),
            to_name: to.to_owned(),
            id,
            from: self.user(from),
            to: self.user(to),
            group: None,
            copy_for: None,
            content,
            honest,
            by_candidate,
            sealed: false,
            name: name.clone(),
        };
        self.messages.entry(name).or_insert(sent);
    }

    /// The message that a stanza of this name carries: its own, the one it repeats, or the one it sends again.
    pub(crate) fn message(&self, name: &str) -> Option<&Sent> {
        let mut name = name.to_owned();
        // A chain of replays is as long as the scenario at most.
        for _ in 0..=self.scenario.steps.len() {
            if let Some((base, _)) = name.split_once('/').filter(|(_, what)| what.starts_with("resend")) {
                name = base.to_owned();
            }
            if let Some(sent) = self.messages.get(&name) {
                return Some(sent);
            }
            name = self.scenario.steps.iter().find_map(|step| match step {
                Step::Replay(replay) if replay.name.as_deref() == Some(&name) => Some(replay.stanza.clone()),
                Step::Misdeliver(misdeliver) if misdeliver.name == name => Some(misdeliver.stanza.clone()),
                Step::Redeliver(again) if again.name == name => Some(again.stanza.clone()),
                _ => None,
            })?;
        }
        None
    }

    /// Stanzas by which a message may rightly reach a user: the message itself, if nothing was done to it, and what was sent again.
    /// `except` is left out, since it is the one that must not be shown.
    fn rightful(&self, message: &Sent, user: UserId, except: StanzaId) -> Vec<StanzaId> {
        if !message.goes_to(user) {
            return vec![];
        }
        let own = message.id.filter(|_| message.honest_for(user));
        let resend = format!("{}/resend", message.name);
        let again = self.names.iter().filter(|(name, _)| name.starts_with(&resend)).map(|(_, id)| *id);
        let redelivered = self.scenario.steps.iter().filter_map(|step| match step {
            Step::Redeliver(r)
                if r.stanza == message.name && r.group.is_none() && !r.pairwise && self.user(&r.to) == Some(user) =>
            {
                self.names.get(r.name.as_str()).copied()
            }
            _ => None,
        });
        own.into_iter().chain(again).chain(redelivered.filter(|_| message.honest_for(user))).filter(|id| *id != except).collect()
    }

    /// Where a user saw something of a message that the stanza `except` carries, and could not have it from a rightful stanza.
    /// Over the whole trace.
    pub(crate) fn wrongly_shown(&self, user: UserId, message: Option<&Sent>, except: StanzaId) -> Vec<&Witnessed> {
        let rightful = message.map(|m| self.rightful(m, user, except)).unwrap_or_default();
        let first = self
            .deliveries
            .iter()
            .filter(|d| d.user == user && rightful.contains(&d.stanza.id()))
            .map(|d| d.at)
            .min()
            .unwrap_or(usize::MAX);
        let own = message.and_then(|m| m.id);
        let sender = message.and_then(|m| m.from);
        let mut had_its_own = false;
        self.sights(user)
            .iter()
            .filter(|sight| {
                let What::Message { message, from, .. } = &sight.what else { return false };
                if Some(*message) == own && sight.at >= first && Some(*from) == sender && !had_its_own {
                    had_its_own = true;
                    return false;
                }
                Some(*message) == own || *message == except
            })
            .collect()
    }

    /// Whether a stanza is on its way to a user: the first position at which it was delivered before `end`.
    pub(crate) fn first_delivery(&self, user: UserId, stanza: StanzaId, end: usize) -> Option<usize> {
        self.delivered(user, stanza).filter(|at| *at < end).min()
    }

    /// The message stanza as its sender put it on the wire: position, and the stanza. The first one: an id that was seen can be
    /// written on another stanza afterwards.
    pub(crate) fn on_wire(&self, id: StanzaId) -> Option<(usize, &Stanza)> {
        let candidate = self.frames.iter().filter_map(|f| Some((f.at, f.stanza.as_ref().ok()?)));
        let reference = self.reference_stanzas.iter().map(|(at, _, stanza)| (*at, stanza));
        let carries =
            |s: &Stanza| matches!(s, Stanza::Message { .. } | Stanza::SealedMessage { .. } | Stanza::GroupMessage { .. });
        candidate.chain(reference).filter(|(_, s)| carries(s) && s.id() == id).min_by_key(|(at, _)| *at)
    }
}

fn is_tampered(network: Option<&Network>) -> bool {
    matches!(network, Some(Network::Tamper(_) | Network::Flip(_) | Network::Cut(_) | Network::DamagedEachTime(_)))
}

/// The content that a call of `send` or `send_to_group` asked for.
pub(crate) fn content_of(call: &Called<'_>) -> Option<UserContent> {
    UserContent::deserialize(call.args.get("content")?).ok()
}

/// Whether what was shown is what was sent; where a file lies does not matter.
pub(crate) fn same(sent: &UserContent, shown: &UserContent) -> bool {
    match (sent, shown) {
        (
            UserContent::Media { media, mime, name, file },
            UserContent::Media { media: other_media, mime: other_mime, name: other_name, file: other_file },
        ) => {
            let bare = |f: &FileRef| (f.sha256.clone(), f.length);
            media == other_media && mime == other_mime && name == other_name && bare(file) == bare(other_file)
        }
        _ => sent == shown,
    }
}

impl Seen<'_> {
    /// Whether a candidate's user has a chat channel open at a position.
    pub(crate) fn channel_open(&self, user: UserId, at: usize) -> bool {
        self.channels
            .iter()
            .filter(|(_, (opened, owner))| *opened < at && *owner == Some(user))
            .any(|(channel, _)| self.closed.get(channel).is_none_or(|closed| *closed >= at))
    }
}
