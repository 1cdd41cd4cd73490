//! Groups: who is in one, sending to it, and what arrives from it.

use super::User;
use super::gateway::{json, parse};
use super::link::Link;
use crate::defect::Defect;
use crate::limits;
use crate::vault::Opened;
use countersign_contract::content::{Content, Group, LARGEST_CONTENT, SenderKey, content::Body};
use countersign_contract::groups::{Change, Way, is_for_groups};
use countersign_contract::portable::{GroupList, JSON, MOST_RETRIES, Stanza};
use countersign_contract::seen::{NoticeKind, UserContent, What};
use countersign_contract::{GroupId, Problem, Reason, StanzaId, UserId};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// How often a client begins anew since the group was changed meanwhile.
const MOST_ATTEMPTS: u32 = 5;

/// What a stanza carried to members of a group, kept so that it can be sent again.
#[derive(Clone)]
pub(super) struct SentToGroup {
    group: GroupId,
    readers: BTreeSet<UserId>,
    content: Content,
    resends: BTreeMap<UserId, u32>,
}

impl User {
    /// Creates a group.
    ///
    /// # Errors
    /// What the gateway answered.
    pub(crate) async fn create_group(&self, group: GroupId, members: &[UserId]) -> Result<(), Problem> {
        let members = std::iter::once(self.id).chain(members.iter().copied()).collect();
        self.put_group("POST", "/groups".into(), &GroupList { group, version: 1, members }).await
    }

    /// Adds and removes members.
    ///
    /// # Errors
    /// `unknown-group`, and what the gateway answered.
    pub(crate) async fn change_group(&self, group: GroupId, add: &[UserId], remove: &[UserId]) -> Result<(), Problem> {
        for _ in 0..MOST_ATTEMPTS {
            let list = {
                let state = self.state();
                let known = state.groups.get(group, self.id).map_err(unknown)?;
                let mut members: BTreeSet<UserId> =
                    known.members.difference(&remove.iter().copied().collect()).copied().collect();
                members.extend(add);
                GroupList { group, version: known.version.saturating_add(1), members: members.into_iter().collect() }
            };
            match self.put_group("PUT", format!("/groups/{group}"), &list).await {
                Err(problem) if problem.reason == Reason::StaleGroup => self.fetch_group(group).await?,
                outcome => return outcome,
            }
        }
        Err(Problem::new(Reason::StaleGroup, "the group is being changed all the time"))
    }

    async fn put_group(&self, method: &'static str, path: String, list: &GroupList) -> Result<(), Problem> {
        let answer = self.gateway.request(method, path, Some(&self.token), JSON, json(list)?).await?;
        self.take_group(&parse(&answer)?);
        Ok(())
    }

    async fn fetch_group(&self, group: GroupId) -> Result<(), Problem> {
        let answer = self.gateway.request("GET", format!("/groups/{group}"), Some(&self.token), "", Vec::new()).await?;
        self.take_group(&parse(&answer)?);
        Ok(())
    }

    /// Takes a list of members: the user is shown what is different in it before anything is encrypted for it.
    pub(super) fn take_group(&self, list: &GroupList) {
        let group = Some(list.group);
        {
            let mut state = self.state();
            let known = state.groups.get(list.group, self.id).is_ok();
            let changes = state.groups.take(list, self.id);
            let mut removed = false;
            for change in changes {
                let (notice, about) = match change {
                    Change::Added(_) if known && self.has(Defect::HidesAddedMembers) => continue,
                    Change::Added(_) if !known && list.version > 1 && self.has(Defect::HidesMembersOfOlderGroups) => continue,
                    Change::Added(user) => (NoticeKind::MemberAdded, user),
                    Change::Removed(user) => (NoticeKind::MemberRemoved, user),
                };
                removed |= notice == NoticeKind::MemberRemoved;
                state.events.push(What::Notice { notice, about, group });
            }
            if removed {
                state.vault.forget_sender_key(list.group);
            }
        }
        self.changed.send_replace(());
    }

    /// Sends content to a group and waits until the gateway has accepted it.
    ///
    /// # Errors
    /// `not-connected`, `unknown-group`, `malformed`, `too-large`, and what the gateway answered.
    pub(crate) async fn send_to_group(&self, group: GroupId, stanza: StanzaId, content: &UserContent) -> Result<(), Problem> {
        let link = self.online()?;
        self.state().groups.get(group, self.id).map_err(unknown)?;
        if !is_for_groups(content) {
            return Err(Problem::new(Reason::Malformed, "this is not said in a group"));
        }
        let attachment = match content {
            UserContent::Media { media, mime, name, file } => Some(self.upload(*media, mime, name, file).await?),
            UserContent::Text { text } | UserContent::Reply { text, .. } if text.len() > limits::TEXT_BYTES => {
                return Err(Problem::new(Reason::TooLarge, format!("a text is at most {} bytes", limits::TEXT_BYTES)));
            }
            _ => None,
        };
        let content = Content::from_user(stanza, self.clock(), content, attachment);
        let content = content.ok_or_else(|| Problem::new(Reason::Internal, "making a content"))?;
        for _ in 0..MOST_ATTEMPTS {
            match self.transmit_to_group(&link, group, stanza, &content).await {
                Err(problem) if problem.reason == Reason::StaleGroup => self.fetch_group(group).await?,
                outcome => return outcome,
            }
        }
        Err(Problem::new(Reason::StaleGroup, "the group is being changed all the time"))
    }

    async fn transmit_to_group(
        &self,
        link: &Arc<Link>,
        group: GroupId,
        stanza: StanzaId,
        content: &Content,
    ) -> Result<(), Problem> {
        let (version, members, stamp) = {
            let state = self.state();
            let known = state.groups.get(group, self.id).map_err(unknown)?;
            (known.version, known.members.clone(), known.stamp(group))
        };
        let without = self.state().vault.without_sender_key(group, &members);
        for to in without {
            match self.send_sender_key(link, group, &stamp, to).await {
                // Whoever is gone, blocked, or somebody else than before cannot read along; the others can.
                Err(problem) if !matches!(problem.reason, Reason::UnknownUser | Reason::UntrustedIdentity | Reason::Blocked) => {
                    return Err(problem);
                }
                _ => {}
            }
        }
        let content = Content { group: Some(stamp), ..content.clone() };
        if content.encoded_len() > LARGEST_CONTENT {
            return Err(Problem::new(Reason::TooLarge, format!("a content is at most {LARGEST_CONTENT} bytes")));
        }
        let (text, word) = {
            let _turn = self.turn.lock().await;
            let text = {
                let mut state = self.state();
                if state.groups.get(group, self.id).map_err(unknown)?.version != version {
                    return Err(Problem::new(Reason::StaleGroup, "the group was changed meanwhile"));
                }
                let body = state.vault.seal_for_group(group, &content.to_padded());
                let body = body.map_err(|reason| Problem::new(reason, format!("encrypting for the group {group}")))?.into();
                let readers = members.into_iter().filter(|member| *member != self.id).collect();
                state.to_groups.insert(stanza, SentToGroup { group, readers, content, resends: BTreeMap::new() });
                Stanza::GroupMessage { id: stanza, group, version: Some(version), from: None, body }.to_json()
            };
            let word = link.post(stanza, text.clone()).await?;
            (text, word)
        };
        let outcome = link.word(stanza, &text, word, self.defects.clone()).await;
        if outcome.is_err() {
            self.state().to_groups.remove(&stanza);
        }
        outcome
    }

    async fn send_sender_key(&self, link: &Arc<Link>, group: GroupId, stamp: &Group, to: UserId) -> Result<(), Problem> {
        if self.has_blocked(to) {
            return Err(Problem::new(Reason::Blocked, format!("the user has blocked {to}")));
        }
        let key = self.state().vault.sender_key(group);
        let distribution = key.map_err(|reason| Problem::new(reason, "making a sender key"))?;
        let stanza = StanzaId(Uuid::new_v4());
        let body = Some(Body::SenderKey(SenderKey { distribution }));
        let content = Content { message_id: stanza.to_string(), sent_at: self.clock(), group: Some(stamp.clone()), body };
        let sent = SentToGroup { group, readers: BTreeSet::from([to]), content: content.clone(), resends: BTreeMap::new() };
        self.state().to_groups.insert(stanza, sent);
        self.transmit(link, to, stanza, &content, super::outgoing::Way::default()).await?;
        self.state().vault.gave_sender_key(group, to);
        Ok(())
    }

    /// The message of a group that a stanza carried to this user.
    pub(super) fn message_in_group(&self, to: UserId, stanza: StanzaId) -> Option<StanzaId> {
        let state = self.state();
        let sent = state.to_groups.get(&stanza).filter(|sent| sent.readers.contains(&to))?;
        sent.content.message().filter(|_| !is_key(&sent.content))
    }

    /// Answers a retry receipt for something of a group: with the present sender key and, for a message, with its content, both
    /// pairwise. False if the stanza was not for a group.
    pub(super) async fn answer_group_retry(&self, link: &Arc<Link>, from: UserId, of: StanzaId) -> bool {
        let sent = {
            let mut state = self.state();
            let Some(sent) = state.to_groups.get_mut(&of) else { return false };
            let resends = sent.resends.entry(from).or_insert(0);
            *resends += 1;
            if *resends > MOST_RETRIES || !sent.readers.contains(&from) || self.has(Defect::IgnoresGroupRetry) {
                return true;
            }
            sent.clone()
        };
        let SentToGroup { group, content, .. } = sent;
        let stamp = {
            let state = self.state();
            let known = state.groups.permits(group, self.id, from);
            let Ok(known) = known else { return true };
            known.stamp(group)
        };
        if is_key(&content) {
            // The session itself may be what is wrong.
            let _ = self.renew_session(from).await;
        }
        // Whatever goes wrong with the one goes wrong with the other; the peer asks once more.
        let leaves_out = !is_key(&content) && self.has(Defect::ResendsWithoutSenderKey);
        let handed = if leaves_out { Ok(()) } else { self.send_sender_key(link, group, &stamp, from).await };
        if is_key(&content) || handed.is_err() {
            return true;
        }
        let stamp = content.group.clone().filter(|_| self.has(Defect::ResendsForOldList)).unwrap_or(stamp);
        let content = Content { group: Some(stamp), ..content };
        let stanza = StanzaId(Uuid::new_v4());
        let again = SentToGroup { group, readers: BTreeSet::from([from]), content: content.clone(), resends: BTreeMap::new() };
        self.state().to_groups.insert(stanza, again);
        let _ = self.transmit(link, from, stanza, &content, super::outgoing::Way::default()).await;
        true
    }

    /// The group whose sender key a body was made under: for the defects `guesses-message-kind` and `ignores-group-of-stanza`.
    pub(super) fn group_of(&self, from: UserId, body: &[u8]) -> Option<GroupId> {
        self.state().vault.group_of(from, body)
    }

    /// Decrypts a group message.
    pub(super) fn open_group(&self, from: UserId, group: GroupId, body: &[u8]) -> Result<Opened, Reason> {
        let mut guard = self.state();
        let state = &mut *guard;
        match state.groups.permits(group, self.id, from) {
            Err(Reason::NotPermitted) if self.has(Defect::ListensToRemovedMembers) => {}
            permitted => drop(permitted?),
        }
        let groups = &state.groups;
        let (way, version) = (Way::SenderKey(group), groups.get(group, self.id).ok().map(|known| known.version));
        let examine = |content: &Content| self.judge_group(groups.examine(self.id, from, way, content), way, content, version);
        let (plaintext, replayed) = state.vault.open_group(from, group, body, examine)?;
        Ok(Opened { plaintext, identity_changed: false, replayed })
    }

    /// What clients with a defect make of an examination.
    /// `version` is that of the present list.
    fn judge_group(
        &self,
        examined: Result<Option<GroupId>, Reason>,
        way: Way,
        content: &Content,
        version: Option<u32>,
    ) -> Result<(), Reason> {
        let Err(reason) = examined else { return Ok(()) };
        let lax = match reason {
            Reason::NotPermitted if is_key(content) && way == Way::Pairwise => self.has(Defect::TakesSenderKeyFromStrangers),
            Reason::NotPermitted if is_key(content) => self.has(Defect::TakesSenderKeyAnywhere),
            Reason::NotPermitted => self.has(Defect::ListensToRemovedMembers),
            Reason::WrongRecipient => self.has(Defect::TrustsStanzaForGroup),
            Reason::Malformed if matches!(content.body, Some(Body::Typing(_) | Body::Reaction(_))) => {
                way != Way::Pairwise && self.has(Defect::TakesAnyContentInGroups)
            }
            Reason::StaleGroup => {
                self.has(Defect::IgnoresGroupList)
                    || (self.has(Defect::ComparesListVersionOnly) && content.group.as_ref().map(|group| group.version) == version)
            }
            _ => false,
        };
        if lax { Ok(()) } else { Err(reason) }
    }

    /// Examines a content that was decrypted: the group in which it is shown, if it is for one. A sender key is taken, and shown
    /// nowhere: `None` inside.
    pub(super) fn examine_group(&self, from: UserId, way: Way, content: &Content) -> Result<Option<Option<GroupId>>, Reason> {
        let group: Option<GroupId> = match way {
            Way::SenderKey(group) => Some(group),
            Way::Pairwise => content.group.as_ref().and_then(|group| group.id.parse().ok()),
        };
        let (examined, version) = {
            let state = self.state();
            let version = group.and_then(|group| state.groups.get(group, self.id).ok()).map(|known| known.version);
            (state.groups.examine(self.id, from, way, content), version)
        };
        self.judge_group(examined, way, content, version)?;
        if let (Some(Body::SenderKey(key)), Some(group)) = (&content.body, group) {
            let mut state = self.state();
            let taken = state.vault.take_sender_key(from, group, &key.distribution);
            if taken == Err(Reason::Malformed) && self.has(Defect::ForgetsGroupOnBadSenderKey) {
                state.vault.forget_group(group);
            }
            return taken.map(|()| None);
        }
        if group.is_some() && matches!(content.body, Some(Body::Attachment(_))) && self.has(Defect::DropsGroupFiles) {
            return Err(Reason::Malformed);
        }
        Ok(Some(group))
    }
}

fn is_key(content: &Content) -> bool {
    matches!(content.body, Some(Body::SenderKey(_)))
}

fn unknown(reason: Reason) -> Problem {
    Problem::new(reason, "the user is not in this group")
}
