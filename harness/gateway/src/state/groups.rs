//! Groups: lists of members, and one message for all of them.

use super::chat::{Origin, Refusal};
use super::disturbance::Rule;
use super::effect::Effect;
use super::gateway::{Gateway, StoredStanza, disturbed};
use super::limits::MOST_GROUPS;
use super::transit::Transit;
use countersign_contract::portable::{GroupList, MOST_MEMBERS, MessageType, Stanza};
use countersign_contract::{GroupId, Problem, Reason, StanzaId, UserId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A group at the gateway.
#[derive(Clone)]
pub(crate) struct Group {
    version: u32,
    members: BTreeSet<UserId>,
}

impl Group {
    fn list(&self, group: GroupId) -> GroupList {
        GroupList { group, version: self.version, members: self.members.iter().copied().collect() }
    }
}

/// Why something about a group fails, and whether its sender broke the binding.
type Failed = (Problem, bool);

fn plain(reason: Reason, detail: &str) -> Failed {
    (Problem::new(reason, detail), false)
}

fn invalid(reason: Reason, detail: &str) -> Failed {
    (Problem::new(reason, detail), true)
}

impl Gateway {
    /// The members of a group now.
    #[must_use]
    pub fn group(&self, group: GroupId) -> Option<GroupList> {
        self.groups.get(&group).map(|known| known.list(group))
    }

    /// Keeps the lists of a group's next change from these users: they are told nothing of it.
    pub fn arm_untold(&mut self, group: GroupId, users: impl IntoIterator<Item = UserId>) {
        self.untold.extend(users.into_iter().map(|user| (group, user)));
    }

    /// Changes a group as a server can that nobody asked: all members are told as of any change.
    pub fn change_group_by_itself(&mut self, group: GroupId, add: &[UserId], remove: &[UserId]) -> Vec<Effect> {
        let Some(known) = self.groups.get_mut(&group) else { return Vec::new() };
        let before = known.members.clone();
        known.members.extend(add);
        known.members.retain(|member| !remove.contains(member));
        known.version += 1;
        let mut out = vec![Effect::Disturbed { stanza: None, how: format!("the gateway changed group {group} by itself") }];
        self.tell(group, &before, &mut out);
        out
    }

    pub(crate) fn group_created(&mut self, by: UserId, list: GroupList, out: &mut Vec<Effect>) -> Result<GroupList, Failed> {
        let members = self.checked(by, &list, &BTreeSet::new())?;
        if list.version != 1 || self.groups.contains_key(&list.group) {
            return Err(invalid(Reason::Malformed, "a new group has a new id and version 1"));
        }
        if self.groups.len() >= MOST_GROUPS {
            return Err(invalid(Reason::TooLarge, "more groups than one instance takes"));
        }
        if !members.contains(&by) {
            return Err(invalid(Reason::Malformed, "whoever creates a group is a member of it"));
        }
        self.groups.insert(list.group, Group { version: 1, members });
        self.tell(list.group, &BTreeSet::new(), out);
        self.group(list.group).ok_or_else(|| plain(Reason::Internal, "the group is gone"))
    }

    pub(crate) fn group_changed(
        &mut self,
        by: UserId,
        group: GroupId,
        list: GroupList,
        out: &mut Vec<Effect>,
    ) -> Result<GroupList, Failed> {
        let known = self.groups.get(&group).filter(|known| known.members.contains(&by));
        let known = known.ok_or_else(|| plain(Reason::UnknownGroup, "no such group"))?.clone();
        if list.group != group {
            return Err(invalid(Reason::Malformed, "the list is another group's"));
        }
        if list.version != known.version.saturating_add(1) {
            return Err(plain(Reason::StaleGroup, "the group was changed meanwhile"));
        }
        let members = self.checked(by, &list, &known.members)?;
        self.groups.insert(group, Group { version: list.version, members });
        self.tell(group, &known.members, out);
        self.group(group).ok_or_else(|| plain(Reason::Internal, "the group is gone"))
    }

    pub(crate) fn group_for(&self, user: UserId, group: GroupId) -> Result<GroupList, Failed> {
        let list = self.group(group).filter(|list| list.members.contains(&user));
        list.ok_or_else(|| plain(Reason::UnknownGroup, "no such group"))
    }

    fn checked(&self, by: UserId, list: &GroupList, before: &BTreeSet<UserId>) -> Result<BTreeSet<UserId>, Failed> {
        if list.members.len() > MOST_MEMBERS {
            return Err(invalid(Reason::TooLarge, "more members than a group takes"));
        }
        let members: BTreeSet<UserId> = list.members.iter().copied().collect();
        if members.len() < list.members.len() {
            return Err(invalid(Reason::Malformed, "a list of members names each once"));
        }
        let strangers = members.iter().filter(|member| **member != by && !before.contains(member));
        for member in strangers {
            let Some(user) = self.users.get(member) else { return Err(plain(Reason::UnknownUser, "no such user")) };
            if user.blocked.contains(&by) {
                // As to somebody who is not there: that one was blocked is not told.
                return Err(plain(Reason::UnknownUser, "no such user"));
            }
        }
        Ok(members)
    }

    /// Tells all members of a list, and those who were one before.
    fn tell(&mut self, group: GroupId, before: &BTreeSet<UserId>, out: &mut Vec<Effect>) {
        let Some(list) = self.group(group) else { return };
        let told: BTreeSet<UserId> = before.iter().chain(&list.members).copied().collect();
        for user in told {
            let id = self.names.stanza();
            if self.untold.remove(&(group, user)) {
                out.push(disturbed(id, format!("{user} is not told that group {group} changed")));
                continue;
            }
            let stanza = Arc::new(Stanza::Group { id, group, version: list.version, members: list.members.clone() });
            let stored = StoredStanza { from: None, to: user, also: Vec::new(), stanza: Arc::clone(&stanza), at_ms: self.now_ms };
            self.stanzas.insert(id, stored);
            self.deliver(user, &stanza, out);
        }
    }

    /// Takes a group message in and delivers it to all other members.
    pub(crate) fn take_in_group(
        &mut self,
        origin: Origin,
        stanza: Stanza,
        version: Option<u32>,
        size: usize,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Stanza::GroupMessage { id, group, .. } = stanza else { return Ok(()) };
        self.admit(origin, id, size, out)?;
        let version = version.ok_or_else(|| Refusal::invalid(id, Reason::Malformed, "`version` is missing"))?;
        let list = self.group(group).filter(|list| list.members.contains(&origin.user()));
        let list = list.ok_or_else(|| Refusal::plain(id, Reason::UnknownGroup, "no such group"))?;
        if list.version != version {
            return Err(Refusal::plain(id, Reason::StaleGroup, "the group was changed meanwhile"));
        }
        let to = list.members.into_iter().filter(|member| *member != origin.user()).collect();
        self.stanza_bytes += size;
        self.spread(origin.user(), to, stanza, out, Some(origin));
        Ok(())
    }

    /// Delivers a group message to whomever, whatever the list says: what a server can do.
    pub fn force_group_message(&mut self, from: UserId, to: Vec<UserId>, stanza: Stanza) -> Vec<Effect> {
        let mut out =
            vec![disturbed(stanza.id(), "delivered although its sender, or its list, is not of the group's present list")];
        self.spread(from, to, stanza, &mut out, None);
        out
    }

    fn spread(&mut self, from: UserId, to: Vec<UserId>, stanza: Stanza, out: &mut Vec<Effect>, origin: Option<Origin>) {
        let id = stanza.id();
        let rest = self.armed.take(&stanza);
        let stanza = Arc::new(stanza);
        let mut others = to.clone().into_iter();
        let first = others.next().unwrap_or(from);
        let stored =
            StoredStanza { from: Some(from), to: first, also: others.collect(), stanza: Arc::clone(&stanza), at_ms: self.now_ms };
        self.stanzas.insert(id, stored);
        out.extend(origin.map(|origin| origin.answer(Stanza::Accepted { id })));
        for member in to {
            if self.users.get(&member).is_some_and(|user| user.blocked.contains(&from)) {
                out.push(disturbed(id, format!("not delivered to {member}, who has blocked its sender")));
                continue;
            }
            let mut rest = rest.clone();
            rest.extend(self.armed.take_copy(id, member));
            self.proceed(Transit { to: member, stanza: Arc::clone(&stanza), rest }, out);
        }
    }

    /// Delivers a group message of before once more, to this user alone: in the stanza of this group, or as a pairwise message.
    pub fn redeliver_group_message(
        &mut self,
        stanza: StanzaId,
        to: UserId,
        group: Option<GroupId>,
        pairwise: Option<MessageType>,
        under: StanzaId,
    ) -> Vec<Effect> {
        let stored = self.stanzas.get(&stanza).map(|stored| Stanza::clone(&stored.stanza));
        let Some(Stanza::GroupMessage { group: own, from, body, .. }) = stored else {
            return vec![disturbed(stanza, "cannot be delivered again: no group message")];
        };
        let copy = match pairwise {
            Some(r#type) => Stanza::Message { id: under, to: None, from, r#type, body },
            None => Stanza::GroupMessage { id: under, group: group.unwrap_or(own), version: None, from, body },
        };
        self.inject(to, copy)
    }

    /// Arms a rule for one member's copy of a group message.
    pub fn arm_copy(&mut self, stanza: StanzaId, to: UserId, rule: Rule) {
        self.armed.arm_copy(stanza, to, rule);
    }

    /// Arms a rule for the next message stanza of one user to another.
    pub fn arm_next(&mut self, from: UserId, to: UserId, rule: Rule) {
        self.armed.arm_next(from, to, rule);
    }
}
