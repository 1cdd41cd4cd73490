//! Groups in a scene: who is in one, sender keys, and messages under them.

use super::{GenerateError, Made, SENT_AT, Scene};
use crate::file::{StoredChange, StoredGroup};
use countersign_adversary::Alteration;
use countersign_contract::content::{Content, Group, SenderKey, content::Body};
use countersign_contract::groups::digest;
use countersign_contract::portable::MessageType;
use countersign_contract::seen::UserContent;
use countersign_contract::{GroupId, StanzaId, UserId};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Scene {
    /// A peer creates a group with others.
    pub(in crate::generate) fn group(&mut self, name: &str, by: &str, members: &[&str], with_receiver: bool) {
        let id = GroupId(self.uuid(&format!("group {name}")));
        let mut list: BTreeSet<UserId> = members.iter().chain([&by]).filter_map(|peer| self.user(peer)).collect();
        list.extend(with_receiver.then_some(self.receiver));
        self.lists.insert(name.to_owned(), (id, 1, list));
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.groups.push(StoredGroup { name: name.to_owned(), id, by: by.to_owned(), members, with_receiver });
    }

    /// A member changes a group, and the receiver is told before the next message arrives.
    pub(in crate::generate) fn change(&mut self, name: &str, by: &str, add: &[&str], remove: &[&str]) {
        let users = |peers: &[&str]| peers.iter().filter_map(|peer| self.user(peer)).collect::<BTreeSet<_>>();
        let (added, removed) = (users(add), users(remove));
        if let Some((_, version, list)) = self.lists.get_mut(name) {
            *version += 1;
            list.extend(added);
            list.retain(|member| !removed.contains(member));
        }
        let owned = |peers: &[&str]| peers.iter().map(|peer| (*peer).to_owned()).collect();
        self.change = Some(StoredChange { group: name.to_owned(), by: by.to_owned(), add: owned(add), remove: owned(remove) });
    }

    /// What a content for the present list of a group says of it.
    pub(in crate::generate) fn stamp(&self, name: &str) -> Option<Group> {
        let (id, version, list) = self.lists.get(name)?;
        Some(Group { id: id.to_string(), version: *version, members: digest(*id, *version, list).to_vec() })
    }

    /// A peer hands out its sender key of this distribution as it stands now, for a group.
    pub(in crate::generate) fn sender_key(
        &mut self,
        (from, group, distribution): (&'static str, &str, Uuid),
        alter: &[Alteration],
    ) -> Result<Made, GenerateError> {
        let stanza = self.next_stanza();
        let distribution = self.distribution(from, distribution, alter)?;
        let body = Some(Body::SenderKey(SenderKey { distribution }));
        let content = Content { message_id: stanza.to_string(), sent_at: SENT_AT, group: self.stamp(group), body };
        let unseen = UserContent::Text { text: String::new() };
        let made = self.raw(from, stanza, unseen, &content.to_padded(), &[])?;
        Ok(Made { content: None, ..made })
    }

    /// The distribution of a peer's sender key as it stands now; the key is made if there is none.
    pub(in crate::generate) fn distribution(
        &mut self,
        from: &str,
        distribution: Uuid,
        alter: &[Alteration],
    ) -> Result<Vec<u8>, GenerateError> {
        let mut rng = self.rng("sender key");
        let made = self.senders.get_mut(from).map(|(_, party)| party.distribution(distribution, alter, &mut rng));
        self.done("distribution", from, made)
    }

    /// A peer makes another chain, with another signature key, under the same distribution id.
    pub(in crate::generate) fn rotate(&mut self, from: &str, distribution: Uuid) {
        self.made += 1;
        let mut rng = self.rng("rotated");
        if let Some((_, party)) = self.senders.get_mut(from) {
            party.rotate_sender_key(distribution, &mut rng);
        }
    }

    /// A peer makes a text for a group under a sender key of its own.
    pub(in crate::generate) fn group_text(
        &mut self,
        whence: (&'static str, &str, Uuid),
        text: &str,
        alter: &[Alteration],
    ) -> Result<Made, GenerateError> {
        let stamp = self.stamp(whence.1);
        self.stamped_text(whence, stamp, text, alter)
    }

    /// The same with anything said of the group inside.
    pub(in crate::generate) fn stamped_text(
        &mut self,
        whence: (&'static str, &str, Uuid),
        stamp: Option<Group>,
        text: &str,
        alter: &[Alteration],
    ) -> Result<Made, GenerateError> {
        let stanza = self.next_stanza();
        let content = UserContent::Text { text: text.to_owned() };
        let inside = Content::from_user(stanza, SENT_AT, &content, None).map(|made| Content { group: stamp, ..made });
        let padded = inside.map(|inside| inside.to_padded()).unwrap_or_default();
        self.group_raw(whence, stanza, Some(content), &padded, alter)
    }

    /// A peer encrypts a plaintext for a group as it is given.
    pub(in crate::generate) fn group_raw(
        &mut self,
        (from, group, distribution): (&'static str, &str, Uuid),
        stanza: StanzaId,
        content: Option<UserContent>,
        plaintext: &[u8],
        alter: &[Alteration],
    ) -> Result<Made, GenerateError> {
        let mut rng = self.rng("group message");
        let made = self.senders.get_mut(from).map(|(_, party)| party.group_encrypt(distribution, plaintext, alter, &mut rng));
        let body = self.done("group message", from, made)?;
        Ok(Made { from, stanza, kind: MessageType::Normal, body, content, group: Some(group.to_owned()), sealed: false })
    }
}
