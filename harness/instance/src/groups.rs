//! Groups: steps about them, and what reference users do in them.

use crate::instance::SentMessage;
use crate::script::Action;
use crate::sending::bent_plaintext;
use crate::wrongly::{Manner, in_handover};
use crate::{Instance, content, derive};
use countersign_contract::content::content::Body as ContentBody;
use countersign_contract::content::{Attachment, Content, Group, SenderKey, Typing, pad};
use countersign_contract::groups::digest;
use countersign_contract::operations::{ChangeGroup, CreateGroup, SendToGroup};
use countersign_contract::portable::{GroupList, MessageType, Stanza};
use countersign_contract::seen::UserContent;
use countersign_contract::{Bytes, Call, GroupId, Reason, StanzaId, UserId};
use countersign_gateway::Rule;
use countersign_reference::alter::{Part, edited, edits};
use countersign_reference::{Alteration, Refusal, wire};
use countersign_scenarios::language::{self, BendContent, BendGroup};
use countersign_trace::event::Event;
use countersign_trace::{KeyMark, Observation};
use prost::Message as _;
use std::collections::BTreeSet;

/// What was sent to a group.
#[derive(Clone)]
pub(crate) struct ToGroup {
    pub(crate) group: GroupId,
    /// Who was meant to read it.
    pub(crate) readers: BTreeSet<UserId>,
}

/// Under which name a group stands among those of stanzas.
fn key(name: &str) -> String {
    format!("group:{name}")
}

impl Instance {
    fn group_id(&self, name: &str) -> Option<GroupId> {
        self.names.get(&key(name)).map(|id| GroupId(id.0))
    }

    fn users(&self, names: &[String]) -> Vec<UserId> {
        names.iter().filter_map(|name| self.user(name)).collect()
    }

    /// A user creates a group.
    pub(crate) fn create_group(&mut self, step: &language::CreateGroup) {
        let Some(user) = self.user(&step.by) else { return self.skip(format!("the user {}", step.by)) };
        let group = step.id.unwrap_or_else(|| GroupId(derive::uuid(&self.plan.seed, &["group", &step.name])));
        self.name(key(&step.name), StanzaId(group.0));
        let members = self.users(&step.members);
        if self.members.get(&step.by).is_some_and(crate::members::Member::is_candidate) {
            let instance = self.plan.instance;
            return self.actions.push_back(Action::Call(Call::CreateGroup(CreateGroup { instance, user, group, members })));
        }
        let members = std::iter::once(user).chain(members).collect();
        self.put_group(user, "POST", "/groups", &GroupList { group, version: 1, members });
    }

    /// A member changes a group, or the gateway does it by itself.
    pub(crate) fn change_group(&mut self, step: &language::ChangeGroup) {
        let Some(group) = self.group_id(&step.group) else { return self.skip(format!("the group {}", step.group)) };
        let (add, remove) = (self.users(&step.add), self.users(&step.remove));
        let untold = self.users(&step.untold);
        self.gateway.arm_untold(group, untold);
        let Some(by) = &step.by else {
            let effects = self.gateway.change_group_by_itself(group, &add, &remove);
            return self.apply(effects);
        };
        let Some(user) = self.user(by) else { return self.skip(format!("the user {by}")) };
        if self.members.get(by).is_some_and(crate::members::Member::is_candidate) {
            let instance = self.plan.instance;
            let change = ChangeGroup { instance, user, group, add, remove };
            return self.actions.push_back(Action::Call(Call::ChangeGroup(change)));
        }
        let Some(list) = self.gateway.group(group) else { return self.skip(format!("the group {}", step.group)) };
        let members = list.members.into_iter().filter(|member| !remove.contains(member)).chain(add).collect();
        self.put_group(user, "PUT", &format!("/groups/{group}"), &GroupList { group, version: list.version + 1, members });
    }

    /// Everybody is told by a stanza, the user too: the answer says nothing new.
    fn put_group(&mut self, user: UserId, method: &str, path: &str, list: &GroupList) {
        let body = serde_json::to_vec(list).unwrap_or_default();
        if self.reference_asks(user, method, path, body).is_none() {
            self.skip("a group that the gateway takes");
        }
    }

    /// A member sends to a group.
    pub(crate) fn send_to_group(&mut self, step: &language::SendToGroup) {
        let (Some(from), Some(group)) = (self.user(&step.from), self.group_id(&step.group)) else {
            return self.skip(format!("the user {} and the group {}", step.from, step.group));
        };
        let made = match content::make(&self.plan.seed, &step.name, &step.content, &self.names) {
            Ok(made) => made,
            Err(message) => return self.skip(format!("the message {message}")),
        };
        let stanza = self.fresh_id();
        self.name(step.name.clone(), stanza);
        if let Some(text) = made.canary.clone() {
            self.observe(Some(from), Observation::Canary { text });
        }
        let copy_for = step.copy_for.as_ref().and_then(|name| self.user(name));
        if let Some(network) = &step.network {
            self.arm_network_for(stanza, copy_for, network);
        }
        if self.members.get(&step.from).is_some_and(crate::members::Member::is_candidate) {
            let instance = self.plan.instance;
            let content = self.offer_file(from, stanza, made);
            return self.call_send_to_group(SendToGroup { instance, user: from, group, stanza, content });
        }
        let crate::content::Made { content: user_content, file, .. } = made;
        let attachment = match (&user_content, file) {
            (UserContent::Media { media, mime, name, .. }, Some(file)) => {
                let Some(made) = self.upload(&step.from, from, stanza, *media, &file, (None, &[])) else { return };
                Some(Attachment { mime: mime.clone(), name: name.clone(), ..made })
            }
            _ => None,
        };
        let media_key = attachment.as_ref().map(|a| KeyMark::of(&a.key));
        let Some(content) = Content::from_user(stanza, self.now_ms, &user_content, attachment) else {
            return self.skip("a content that can be sent");
        };
        self.observe(Some(from), Observation::SentToGroup { stanza, group, content: user_content, media_key });
        if let Err(refusal) = self.reference_sends_to_group(step, from, group, stanza, content) {
            let what = format!("encrypt for the group {}", step.group);
            self.observe(Some(from), Observation::Failed { what, reason: refusal.reason, detail: refusal.detail });
        }
    }

    /// A stored peer sends to a group: as any member, or to one user alone if the gateway would not deliver it.
    pub(crate) fn send_stored_to_group(&mut self, step: &language::SendStored, from: UserId, to: UserId, name: &str) {
        let found = self.group_id(name).and_then(|group| Some((group, self.gateway.group(group)?)));
        let Some((group, list)) = found else { return self.skip(format!("the group {name}")) };
        let language::SendStored { stanza: id, body, .. } = step;
        if let Some(content) = step.content.as_ref().map(language::StoredContent::user_content) {
            self.observe(Some(from), Observation::SentToGroup { stanza: *id, group, content, media_key: None });
        }
        let body = body.clone();
        if list.members.contains(&from) && list.members.contains(&to) {
            let stanza = Stanza::GroupMessage { id: *id, group, version: Some(list.version), from: None, body };
            return self.reference_sends_stanza(from, &stanza);
        }
        let stanza = Stanza::GroupMessage { id: *id, group, version: None, from: Some(from), body };
        let effects = self.gateway.force_group_message(from, vec![to], stanza);
        self.apply(effects);
    }

    fn reference_sends_to_group(
        &mut self,
        step: &language::SendToGroup,
        from: UserId,
        group: GroupId,
        stanza: StanzaId,
        mut content: Content,
    ) -> Result<(), Refusal> {
        let name = step.from.as_str();
        let missing = || Refusal::new(Reason::Internal, "no such reference user, or no such group");
        let list = self.gateway.group(group).ok_or_else(missing)?;
        let readers: BTreeSet<UserId> = list.members.iter().copied().filter(|member| *member != from).collect();
        if step.fresh_key {
            self.with_reference(name, |r| r.forget_sender_key(group));
        }
        let Some(alter) = self.group_alterations(step, group) else { return Ok(()) };
        let to_whom = match step.bend {
            Some(BendGroup::NotAMember) => Vec::new(),
            Some(BendGroup::Stranger) => readers.iter().copied().collect(),
            Some(BendGroup::KeyOfOtherGroup) => {
                if self.with_reference(name, |r| r.share_sender_key(group)) != Some(true) {
                    return Err(Refusal::new(Reason::Internal, "the sender has no sender key of another group"));
                }
                self.without_sender_key(name, group)?
            }
            _ => self.without_sender_key(name, group)?,
        };
        if to_whom.is_empty() && alter.iter().any(Alteration::of_distribution) {
            return Err(Refusal::new(Reason::Unsupported, "all members have the sender key that was to be handed out wrongly"));
        }
        let stranger = (step.bend == Some(BendGroup::Stranger)).then(|| stamp(&list));
        for to in to_whom {
            let id = self.fresh_id();
            self.name_key(&step.name, to, id);
            self.send_sender_key((name, from), group, to, id, stranger.clone(), &alter)?;
        }
        content.group = Some(match step.bend {
            Some(BendGroup::NotAMember | BendGroup::Stranger) => stamp(&list),
            Some(BendGroup::EarlierList) => {
                let stamp = self.with_reference(name, |r| r.stamp(group)).ok_or_else(missing)??;
                if stamp.version >= list.version {
                    return Err(Refusal::new(Reason::Internal, "the sender was told of the present list"));
                }
                stamp
            }
            Some(BendGroup::OtherList) => {
                let mut other = list.clone();
                other.members.push(UserId(derive::uuid(&self.plan.seed, &["somebody else"])));
                stamp(&other)
            }
            _ => self.with_reference(name, |r| r.stamp(group)).ok_or_else(missing)??,
        });
        if step.bend == Some(BendGroup::KeyInside) {
            let (body, key) = self.with_reference(name, |r| r.encrypt_new_sender_key(group, &content)).ok_or_else(missing)??;
            content.body = Some(ContentBody::SenderKey(SenderKey { distribution: key }));
            return self.hand_group_message(from, &list, step, stanza, group, body, readers);
        }
        if step.bend == Some(BendGroup::Typing) {
            content.body = Some(ContentBody::Typing(Typing { active: true }));
        }
        let bent = match step.bend {
            Some(BendGroup::NotPadded) => bent_plaintext(&content, BendContent::NoPadding),
            Some(BendGroup::NotAContent) => bent_plaintext(&content, BendContent::NotProtobuf),
            _ if edits(Part::Content, &alter) => Some(pad(edited(Part::Content, &alter, content.encode_to_vec())?)),
            _ => (!alter.is_empty()).then(|| content.to_padded()),
        };
        let made = match bent {
            Some(plaintext) => self.with_reference(name, |r| r.encrypt_for_group_wrongly(group, &plaintext, &alter)),
            None => self.with_reference(name, |r| r.encrypt_for_group(group, &content)),
        };
        let body = made.ok_or_else(missing)??;
        let to_group = Some(ToGroup { group, readers: readers.clone() });
        self.sent.insert(stanza, SentMessage { from, to: from, content, group: to_group, sealed: false });
        self.hand_group_message(from, &list, step, stanza, group, body, readers)
    }

    #[expect(clippy::too_many_arguments, reason = "one call, made in two places")]
    fn hand_group_message(
        &mut self,
        from: UserId,
        list: &GroupList,
        step: &language::SendToGroup,
        id: StanzaId,
        group: GroupId,
        body: Vec<u8>,
        readers: BTreeSet<UserId>,
    ) -> Result<(), Refusal> {
        let body = Bytes(body);
        // By the rules the gateway would not deliver it.
        let forced = matches!(
            step.bend,
            Some(BendGroup::NotAMember | BendGroup::Stranger | BendGroup::EarlierList | BendGroup::OtherList)
        );
        if forced {
            let stanza = Stanza::GroupMessage { id, group, version: None, from: Some(from), body };
            let effects = self.gateway.force_group_message(from, readers.into_iter().collect(), stanza);
            self.apply(effects);
        } else {
            let version = Some(list.version);
            self.reference_sends_stanza(from, &Stanza::GroupMessage { id, group, version, from: None, body });
        }
        Ok(())
    }

    /// Members who are still to be sent a reference user's sender key.
    fn without_sender_key(&mut self, name: &str, group: GroupId) -> Result<Vec<UserId>, Refusal> {
        self.with_reference(name, |r| r.without_sender_key(group)).unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Names a sender key after the message before which it is handed out, and after whom it goes to.
    fn name_key(&mut self, message: &str, to: UserId, stanza: StanzaId) {
        if let Some(to) = self.name_of(to) {
            self.name(format!("{message}/key-{to}"), stanza);
        }
    }

    /// `stamp`: for which list it says to be made, if its sender is no member.
    fn send_sender_key(
        &mut self,
        (name, from): (&str, UserId),
        group: GroupId,
        to: UserId,
        stanza: StanzaId,
        stamp: Option<Group>,
        alter: &[Alteration],
    ) -> Result<(), Refusal> {
        let made = self.with_reference(name, |r| {
            let stamp = stamp.map_or_else(|| r.stamp(group), Ok)?;
            Ok::<_, Refusal>((r.sender_key_wrongly(group, alter)?, stamp))
        });
        let Some(made) = made else { return Ok(()) };
        let (distribution, stamp) = made?;
        let body = Some(ContentBody::SenderKey(SenderKey { distribution }));
        let content = Content { message_id: stanza.to_string(), sent_at: self.now_ms, group: Some(stamp), body };
        let to_group = Some(ToGroup { group, readers: BTreeSet::from([to]) });
        self.sent.insert(stanza, SentMessage { from, to, content: content.clone(), group: to_group, sealed: false });
        let alter: Vec<Alteration> = alter.iter().filter_map(in_handover).collect();
        self.encrypt_and_send(name, from, to, stanza, &content, Manner { alter: &alter, ..Manner::default() });
        self.with_reference(name, |r| r.gave_sender_key(group, to));
        Ok(())
    }

    /// Answers a request for a group message, or for a sender key: with the present sender key, and with the content, pairwise.
    pub(crate) fn answer_group_retry(&mut self, name: &str, user: UserId, to: UserId, of: StanzaId) {
        let Some(sent) = self.sent.get(&of).filter(|sent| sent.from == user) else { return };
        let Some(ToGroup { group, readers }) = sent.group.clone() else { return };
        let mut content = sent.content.clone();
        let member = self.with_reference(name, |r| r.group(group).is_ok_and(|known| known.members.contains(&to)));
        if !readers.contains(&to) || member != Some(true) {
            return;
        }
        let is_key = matches!(content.body, Some(ContentBody::SenderKey(_)));
        if is_key {
            self.with_reference(name, |r| r.reset_session(to));
        }
        let original = self.named.get(&of).cloned();
        let again = self.fresh_id();
        match &original {
            Some(original) if is_key => self.name(format!("{original}/resend"), again),
            Some(original) => self.name_key(original, to, again),
            None => {}
        }
        let handed = self.send_sender_key((name, user), group, to, again, None, &[]);
        if is_key || handed.is_err() {
            return;
        }
        let Some(Ok(stamp)) = self.with_reference(name, |r| r.stamp(group)) else { return };
        content.group = Some(stamp);
        let stanza = self.fresh_id();
        if let Some(original) = original {
            self.name(format!("{original}/resend"), stanza);
        }
        self.encrypt_and_send(name, user, to, stanza, &content, Manner::default());
    }

    /// A reference user is told who is in a group.
    pub(crate) fn take_group(&mut self, name: &str, list: &GroupList) {
        self.with_reference(name, |r| r.take_group(list));
    }

    /// A group message arrives at a reference user.
    pub(crate) fn receive_group_message(
        &mut self,
        name: &str,
        user: UserId,
        from: UserId,
        group: GroupId,
        id: StanzaId,
        body: &[u8],
    ) {
        match self.with_reference(name, |r| r.decrypt_group(from, group, body)) {
            Some(Ok(opened)) => {
                self.note_signature(user, from, id, opened.signature);
                self.shown(name, user, from, id, &opened.content, opened.padded, Some(group));
            }
            Some(Err(refusal)) => self.refuse_in_group(name, user, from, id, refusal),
            None => {}
        }
    }

    /// What came in a pairwise session, and says that it is for a group or for none.
    pub(crate) fn receive_pairwise(
        &mut self,
        name: &str,
        user: UserId,
        from: UserId,
        id: StanzaId,
        content: &Content,
        padded: u64,
    ) {
        let group = match self.with_reference(name, |r| r.examine_group(from, content)) {
            Some(Ok(group)) => group,
            Some(Err(refusal)) => return self.refuse_in_group(name, user, from, id, refusal),
            None => return,
        };
        match (&content.body, group) {
            (Some(ContentBody::SenderKey(key)), Some(group)) => {
                match self.with_reference(name, |r| r.accept_sender_key(from, group, &key.distribution)) {
                    Some(Ok((_, iteration))) => {
                        self.observe(Some(user), Observation::SenderKey { stanza: id, from, group, iteration });
                    }
                    Some(Err(refusal)) => self.refuse_in_group(name, user, from, id, refusal),
                    None => {}
                }
            }
            _ => self.shown(name, user, from, id, content, padded, group),
        }
    }

    fn refuse_in_group(&mut self, name: &str, user: UserId, from: UserId, stanza: StanzaId, refusal: Refusal) {
        let Refusal { reason, detail } = refusal;
        self.observe(Some(user), Observation::Refused { stanza, reason, detail });
        if matches!(reason, Reason::NoSession | Reason::StaleGroup) {
            self.ask_again(name, user, from, stanza, Reason::NoSession);
        }
    }

    /// The gateway delivers a group message once more.
    pub(crate) fn redeliver(&mut self, step: &language::Redeliver) {
        let found = (self.names.get(&step.stanza).copied(), self.user(&step.to));
        let (Some(original), Some(to)) = found else { return self.skip(format!("the stanza {}", step.stanza)) };
        let group = match &step.group {
            Some(name) => match self.group_id(name) {
                Some(group) => Some(group),
                None => return self.skip(format!("the group {name}")),
            },
            None => None,
        };
        if !matches!(self.gateway.stanza(original).map(|s| &*s.stanza), Some(Stanza::GroupMessage { .. })) {
            return self.skip(format!("the group message {}", step.stanza));
        }
        let id = self.fresh_id();
        self.name(step.name.clone(), id);
        let as_if = match &step.group {
            _ if step.pairwise => " as a message between two users".to_owned(),
            Some(group) => format!(" in the stanza of group {group}"),
            None => String::new(),
        };
        self.log(Event::Disturbed { stanza: Some(id), how: format!("{} delivered to {}{as_if}", step.stanza, step.to) });
        let pairwise = step.pairwise.then_some(MessageType::Normal);
        let effects = self.gateway.redeliver_group_message(original, to, group, pairwise, id);
        self.apply(effects);
    }

    /// The network loses the next pairwise message between two users.
    pub(crate) fn lose_next(&mut self, step: &language::LoseNext) {
        match (self.user(&step.from), self.user(&step.to)) {
            (Some(from), Some(to)) => self.gateway.arm_next(from, to, Rule::Drop),
            _ => self.skip("a user"),
        }
    }

    /// Changes one field of a sender key message.
    pub(crate) fn bend_group_message(body: &[u8], field: &str) -> Result<Vec<u8>, String> {
        wire::tamper_sender_key_message(body, field).map_err(|e| e.to_string())
    }
}

fn stamp(list: &GroupList) -> Group {
    let members = list.members.iter().copied().collect();
    Group { id: list.group.to_string(), version: list.version, members: digest(list.group, list.version, &members).to_vec() }
}
