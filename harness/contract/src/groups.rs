//! Groups by sender keys: who is in one, how keys are handed out, and what is refused. Rules, and code that decides by them.
//!
//! # What protects a group
//! One ciphertext goes to all members, so that the server sees the group, its members, and who sends. What it must not be able to do
//! is read, forge, move a message to another group, bring somebody in unnoticed, or let somebody stay who was taken out. The
//! protocol (Signal's sender keys) gives secrecy and a signature for each sender; everything else is for the client to do.
//!
//! # Sender keys
//! A member makes a sender key of its own for each group: a distribution id (a random UUID that no other group has), a chain, and a
//! signature key. It sends the `SenderKeyDistributionMessage` to each other member as a pairwise message (content `sender_key`, with
//! `group`), before the first group message that this member is to read. It is a message of the user's client and not of the user:
//! never shown, and answered with no `delivered` receipt.
//!
//! * A member who joins later is sent the sender key **as it stands then**, so that it cannot read what came before.
//! * When the list loses a member, every other member makes a **new sender key with a new distribution id** before it sends again.
//!   Nothing is sent under the old one any more.
//! * A sender key is accepted only inside a pairwise session, only from somebody who is a member by the receiver's present list, for
//!   the group that stands beside it, and never under a distribution id that this sender used for another group.
//!
//! # The list of members
//! The gateway says who is a member, and is not trusted in it. So:
//!
//! * Whoever comes or goes is **shown to the user** (`member-added`, `member-removed`, with group and user) before anything is
//!   encrypted for the new list. That holds for every difference to the list that the client had, whoever made it; a client that
//!   hears of a group for the first time shows every member but its own user. What the client's own user asked for is shown as
//!   anything else, the members of a new group included.
//! * Every content for a group carries, inside the encryption, the group's id, the version of the list for which it was made, and the
//!   digest of that list ([`digest`]). A receiver refuses a content that was made for another list than its present one as
//!   `stale-group`, and asks for it again with a `retry` receipt: an honest message that crossed a change then comes once more, made
//!   for the new list; members who were told different lists cannot talk to each other unnoticed.
//! * A list whose version is not later than the present one changes nothing.
//!
//! # What is refused
//!
//! | what arrives | as |
//! |---|---|
//! | a group message, or a content with `group`, for a group that the receiver is not in | `unknown-group` |
//! | the same from somebody who is no member (any more), however well it is signed | `not-permitted` |
//! | a group message under a sender key that was never handed out, or not for this receiver | `no-session` |
//! | one whose signature does not verify | `bad-signature` |
//! | one that stands in the stanza of another group than its sender key, or its content, is for | `wrong-recipient` |
//! | one that was received before | `duplicate` |
//! | one whose content was made for another list | `stale-group` |
//! | a content `sender_key` that did not come in a pairwise session, or with a distribution id of another group | `not-permitted` |
//! | a sender key whose signature key is of low order, so that anybody can sign under it | `bad-key` |
//! | a sender key message in a `message` stanza | any reason for what cannot be read |
//! | a content for a group that is neither text, reply, file nor sender key | `malformed` |
//!
//! Where several apply, any of their reasons is right. Whatever is refused changes nothing: no key and no list.
//!
//! # Asking again
//! A receiver sends a `retry` receipt for a group message that it refused as `no-session` or `stale-group`. The sender answers whoever
//! was meant to read that message and is a member still: with its present sender key, and with the content, made for the present
//! list, both in **pairwise** messages. That content is shown as one of the group. A retry receipt for a sender key is answered with
//! the present one.

use crate::content::{Content, Group, content::Body};
use crate::portable::GroupList;
use crate::{GroupId, Reason, UserId};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// How a content reached a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In a pairwise session.
    Pairwise,
    /// Under a sender key, in the stanza of this group.
    SenderKey(GroupId),
}

/// What is different in a new list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This user is a member now.
    Added(UserId),
    /// This user is a member no more.
    Removed(UserId),
}

/// One group as a client knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Version of the list.
    pub version: u32,
    /// All members, the client's own user included while it is one.
    pub members: BTreeSet<UserId>,
}

/// The groups that one client knows of.
#[derive(Clone, Debug, Default)]
pub struct Groups(BTreeMap<GroupId, Known>);

/// SHA-256 over the group's id (16 bytes), the version (4 bytes, big-endian), and the members' ids (16 bytes each) in rising order.
#[must_use]
pub fn digest(group: GroupId, version: u32, members: &BTreeSet<UserId>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(group.0.as_bytes());
    hash.update(version.to_be_bytes());
    for member in members {
        hash.update(member.0.as_bytes());
    }
    hash.finalize().into()
}

impl Known {
    /// What a content for this list carries.
    #[must_use]
    pub fn stamp(&self, group: GroupId) -> Group {
        let members = digest(group, self.version, &self.members).to_vec();
        Group { id: group.to_string(), version: self.version, members }
    }
}

impl Groups {
    /// Takes a list: what is different in it, `own` left out. Nothing, if it is not later than the one that is known.
    pub fn take(&mut self, list: &GroupList, own: UserId) -> Vec<Change> {
        let members: BTreeSet<UserId> = list.members.iter().copied().collect();
        let before = self.0.get(&list.group);
        if before.is_some_and(|known| known.version >= list.version) {
            return Vec::new();
        }
        let none = BTreeSet::new();
        let known = before.map_or(&none, |known| &known.members);
        let added = members.difference(known).copied().map(Change::Added);
        let removed = known.difference(&members).copied().map(Change::Removed);
        let other = |change: &Change| !matches!(change, Change::Added(user) if *user == own);
        let changes = removed.chain(added).filter(other).collect();
        self.0.insert(list.group, Known { version: list.version, members });
        changes
    }

    /// A group that `own` is a member of.
    ///
    /// # Errors
    /// `unknown-group`.
    pub fn get(&self, group: GroupId, own: UserId) -> Result<&Known, Reason> {
        self.0.get(&group).filter(|known| known.members.contains(&own)).ok_or(Reason::UnknownGroup)
    }

    /// Whether `from` may say anything in a group that `own` is in.
    ///
    /// # Errors
    /// `unknown-group` or `not-permitted`.
    pub fn permits(&self, group: GroupId, own: UserId, from: UserId) -> Result<&Known, Reason> {
        let known = self.get(group, own)?;
        if known.members.contains(&from) { Ok(known) } else { Err(Reason::NotPermitted) }
    }

    /// Examines a content that was decrypted: the group in which it is shown, if it is for one.
    ///
    /// # Errors
    /// The reason of the table in this module.
    pub fn examine(&self, own: UserId, from: UserId, way: Way, content: &Content) -> Result<Option<GroupId>, Reason> {
        let is_key = matches!(content.body, Some(Body::SenderKey(_)));
        let stated = match (&content.group, way) {
            (None, Way::Pairwise) if is_key => return Err(Reason::Malformed),
            (None, Way::Pairwise) => return Ok(None),
            (None, Way::SenderKey(_)) => return Err(Reason::WrongRecipient),
            (Some(stated), _) => stated,
        };
        let group: GroupId = stated.id.parse().map_err(|_| Reason::Malformed)?;
        if let Way::SenderKey(stanza) = way {
            if stanza != group {
                return Err(Reason::WrongRecipient);
            }
            if is_key {
                return Err(Reason::NotPermitted);
            }
        }
        if !matches!(content.body, Some(Body::Text(_) | Body::Reply(_) | Body::Attachment(_) | Body::SenderKey(_))) {
            return Err(Reason::Malformed);
        }
        let known = self.permits(group, own, from)?;
        if known.stamp(group) == *stated { Ok(Some(group)) } else { Err(Reason::StaleGroup) }
    }

    /// All groups.
    pub fn iter(&self) -> impl Iterator<Item = (GroupId, &Known)> {
        self.0.iter().map(|(group, known)| (*group, known))
    }
}

/// Whether a user can send this in a group.
#[must_use]
pub const fn is_for_groups(content: &crate::seen::UserContent) -> bool {
    use crate::seen::UserContent as C;
    matches!(content, C::Text { .. } | C::Reply { .. } | C::Media { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{SenderKey, Text, Typing};
    use uuid::Uuid;

    const OWN: UserId = user(1);
    const PEER: UserId = user(2);

    const fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    const fn group(n: u128) -> GroupId {
        GroupId(Uuid::from_u128(n))
    }

    fn list(version: u32, members: &[UserId]) -> GroupList {
        GroupList { group: group(9), version, members: members.to_vec() }
    }

    fn known() -> Groups {
        let mut groups = Groups::default();
        groups.take(&list(1, &[PEER, OWN]), OWN);
        groups
    }

    fn content(groups: &Groups, body: Body) -> Content {
        let stamp = groups.get(group(9), OWN).unwrap().stamp(group(9));
        Content { message_id: String::new(), sent_at: 0, group: Some(stamp), body: Some(body) }
    }

    fn text() -> Body {
        Body::Text(Text { text: "t".into() })
    }

    #[test]
    fn every_difference_is_told_once_and_old_lists_change_nothing() {
        let mut groups = Groups::default();
        assert_eq!(groups.take(&list(2, &[OWN, PEER]), OWN), [Change::Added(PEER)]);
        assert_eq!(groups.take(&list(2, &[OWN]), OWN), []);
        assert_eq!(groups.take(&list(1, &[OWN, user(3)]), OWN), []);
        assert_eq!(groups.take(&list(3, &[OWN, user(3)]), OWN), [Change::Removed(PEER), Change::Added(user(3))]);
        assert_eq!(groups.take(&list(4, &[user(3)]), OWN), [Change::Removed(OWN)]);
        assert_eq!(groups.get(group(9), OWN), Err(Reason::UnknownGroup));
    }

    #[test]
    fn a_content_belongs_to_its_group_its_list_and_its_way() {
        let groups = known();
        let good = content(&groups, text());
        let inside = Way::SenderKey(group(9));
        for way in [inside, Way::Pairwise] {
            assert_eq!(groups.examine(OWN, PEER, way, &good), Ok(Some(group(9))));
            assert_eq!(groups.examine(OWN, user(3), way, &good), Err(Reason::NotPermitted));
        }
        assert_eq!(groups.examine(OWN, PEER, Way::SenderKey(group(8)), &good), Err(Reason::WrongRecipient));
        let key = content(&groups, Body::SenderKey(SenderKey::default()));
        assert_eq!(groups.examine(OWN, PEER, inside, &key), Err(Reason::NotPermitted));
        assert_eq!(groups.examine(OWN, PEER, Way::Pairwise, &key), Ok(Some(group(9))));
        let typing = content(&groups, Body::Typing(Typing { active: true }));
        assert_eq!(groups.examine(OWN, PEER, inside, &typing), Err(Reason::Malformed));
        let outside = Content { group: None, ..good.clone() };
        assert_eq!(groups.examine(OWN, PEER, inside, &outside), Err(Reason::WrongRecipient));
        assert_eq!(groups.examine(OWN, PEER, Way::Pairwise, &outside), Ok(None));
        let mut later = groups.clone();
        later.take(&list(2, &[PEER, OWN, user(3)]), OWN);
        assert_eq!(later.examine(OWN, PEER, inside, &good), Err(Reason::StaleGroup));
        let mut split = Groups::default();
        split.take(&list(1, &[PEER, OWN, user(3)]), OWN);
        assert_eq!(split.examine(OWN, PEER, inside, &good), Err(Reason::StaleGroup));
    }
}
