//! Groups: sender keys of a user's own and of others, by the rules of the contract's module `groups`.

use super::sender_keys::Under;
use super::{Opened, ReferenceUser, name_in};
use crate::refusal::Refusal;
use crate::signature;
use countersign_adversary::Alteration;
use countersign_contract::content::{Content, Group, LARGEST_CONTENT, PADDING_BLOCK, SenderKey, content::Body};
use countersign_contract::groups::{Change, Groups, Known, Way};
use countersign_contract::portable::{GroupList, LARGEST_STANZA};
use countersign_contract::{GroupId, Reason, UserId};
use libsignal_protocol::{SenderKeyDistributionMessage, SenderKeyMessage};
use rand::RngCore as _;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A sender key of the user's own.
#[derive(Clone)]
struct OwnKey {
    distribution: Uuid,
    given: BTreeSet<UserId>,
}

/// All that a user knows of groups.
#[derive(Clone, Default)]
pub(super) struct GroupState {
    lists: Groups,
    own: BTreeMap<GroupId, OwnKey>,
    /// For which group each sender key of others was handed out.
    bound: BTreeMap<(UserId, Uuid), GroupId>,
    /// What was read: sender, distribution, chain, iteration.
    read: BTreeSet<(UserId, Uuid, u32, u32)>,
}

impl ReferenceUser {
    /// Takes a group's list: what is different in it. When another member is gone, the user's sender key for the group is too.
    ///
    /// A user that is taken out itself keeps its key: it is then the one that must not be listened to any more.
    pub fn take_group(&mut self, list: &GroupList) -> Vec<Change> {
        let own = self.config.user;
        let changes = self.groups.lists.take(list, own);
        if changes.iter().any(|change| matches!(change, Change::Removed(user) if *user != own)) {
            self.groups.own.remove(&list.group);
        }
        changes
    }

    /// A group that the user is in.
    ///
    /// # Errors
    /// `unknown-group`.
    pub fn group(&self, group: GroupId) -> Result<&Known, Refusal> {
        self.groups.lists.get(group, self.config.user).map_err(|reason| Refusal::new(reason, "the user is not in this group"))
    }

    /// Members who do not have the user's present sender key.
    ///
    /// # Errors
    /// `unknown-group`.
    pub fn without_sender_key(&self, group: GroupId) -> Result<Vec<UserId>, Refusal> {
        let own = self.groups.own.get(&group);
        let needs = |user: &UserId| *user != self.config.user && !own.is_some_and(|key| key.given.contains(user));
        Ok(self.group(group)?.members.iter().copied().filter(needs).collect())
    }

    /// Notes that the user's present sender key is on its way to a member.
    pub fn gave_sender_key(&mut self, group: GroupId, to: UserId) {
        if let Some(own) = self.groups.own.get_mut(&group) {
            own.given.insert(to);
        }
    }

    /// Lets the user make a new sender key for a group the next time that it needs one.
    pub fn forget_sender_key(&mut self, group: GroupId) {
        self.groups.own.remove(&group);
    }

    /// Lets the user go on in a group under its sender key of another one, as it must not. False if it has none.
    pub fn share_sender_key(&mut self, group: GroupId) -> bool {
        let other = self.groups.own.iter().find(|(of, _)| **of != group).map(|(_, key)| key.distribution);
        let shared = other.map(|distribution| OwnKey { distribution, given: BTreeSet::new() });
        let found = shared.is_some();
        self.groups.own.extend(shared.map(|key| (group, key)));
        found
    }

    /// The id under which the user's present sender key for a group is distributed.
    #[must_use]
    pub fn distribution_id(&self, group: GroupId) -> Option<Uuid> {
        self.groups.own.get(&group).map(|own| own.distribution)
    }

    /// The user's sender key for a group as it stands now: a serialised `SenderKeyDistributionMessage`.
    ///
    /// # Errors
    /// `internal` if the library fails.
    pub fn sender_key(&mut self, group: GroupId) -> Result<Vec<u8>, Refusal> {
        self.sender_key_wrongly(group, &[])
    }

    /// Likewise, and does these things wrongly; none of them, if the list is empty.
    ///
    /// # Errors
    /// Those of [`Self::sender_key`], and `unsupported` for an alteration that cannot be made: any, on Signal's library.
    pub fn sender_key_wrongly(&mut self, group: GroupId, alterations: &[Alteration]) -> Result<Vec<u8>, Refusal> {
        let mut rng = self.next_draw();
        let own = self.groups.own.entry(group).or_insert_with(|| {
            let mut id = [0; 16];
            rng.fill_bytes(&mut id);
            OwnKey { distribution: uuid::Builder::from_random_bytes(id).into_uuid(), given: BTreeSet::new() }
        });
        self.stack.get_mut().distribution(self.config.user, own.distribution, alterations, &mut rng)
    }

    /// Pads and encrypts a content for a group, as it is given.
    ///
    /// # Errors
    /// `no-session` without a sender key, `too-large` over [`LARGEST_CONTENT`].
    pub fn encrypt_for_group(&mut self, group: GroupId, content: &Content) -> Result<Vec<u8>, Refusal> {
        let padded = content.to_padded();
        if padded.len() > LARGEST_CONTENT + PADDING_BLOCK {
            return Err(Refusal::new(Reason::TooLarge, format!("a content of over {LARGEST_CONTENT} bytes")));
        }
        self.encrypt_for_group_wrongly(group, &padded, &[])
    }

    /// Encrypts bytes for a group as they are given, and does these things wrongly; none of them, if the list is empty.
    ///
    /// # Errors
    /// `no-session` without a sender key, and `unsupported` for an alteration that cannot be made: any, on Signal's library.
    pub fn encrypt_for_group_wrongly(
        &mut self,
        group: GroupId,
        padded: &[u8],
        alterations: &[Alteration],
    ) -> Result<Vec<u8>, Refusal> {
        let mut rng = self.next_draw();
        let own = self.groups.own.get(&group).ok_or_else(|| Refusal::new(Reason::NoSession, "no sender key for this group"))?;
        self.stack.get_mut().encrypt_under(self.config.user, own.distribution, padded, alterations, &mut rng)
    }

    /// Makes a new sender key, encrypts it for the group under the present one in place of a body, and goes on with the new one as if
    /// everybody had it: the ciphertext, and the new `SenderKeyDistributionMessage`.
    ///
    /// # Errors
    /// As for [`Self::encrypt_for_group`].
    pub fn encrypt_new_sender_key(&mut self, group: GroupId, content: &Content) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
        let before = self.groups.own.remove(&group);
        let distribution = self.sender_key(group)?;
        let after = self.groups.own.remove(&group);
        let given = before.as_ref().map(|key| key.given.clone()).unwrap_or_default();
        self.groups.own.extend(before.map(|key| (group, key)));
        let body = Some(Body::SenderKey(SenderKey { distribution: distribution.clone() }));
        let encrypted = self.encrypt_for_group(group, &Content { body, ..content.clone() });
        self.groups.own.extend(after.map(|key| (group, OwnKey { given, ..key })));
        Ok((encrypted?, distribution))
    }

    /// Whether what came in a pairwise session may be: the group that it is for, if it is for one.
    ///
    /// # Errors
    /// The reasons of the contract's module `groups`.
    pub fn examine_group(&self, from: UserId, content: &Content) -> Result<Option<GroupId>, Refusal> {
        let examined = self.groups.lists.examine(self.config.user, from, Way::Pairwise, content);
        examined.map_err(|reason| Refusal::new(reason, "what it says of its group"))
    }

    /// Takes another member's sender key, which came in a pairwise session and was examined. Its distribution id, and how many
    /// messages its sender had sent under it.
    ///
    /// # Errors
    /// `malformed`, and `not-permitted` for one that the sender uses in another group.
    pub fn accept_sender_key(&mut self, from: UserId, group: GroupId, distribution: &[u8]) -> Result<(Uuid, u32), Refusal> {
        let message = SenderKeyDistributionMessage::try_from(distribution)?;
        let (id, iteration) = (message.distribution_id()?, message.iteration()?);
        if self.groups.bound.get(&(from, id)).is_some_and(|bound| *bound != group) {
            return Err(Refusal::new(Reason::NotPermitted, "a sender key of another group"));
        }
        self.stack.get_mut().take_distribution(from, distribution)?;
        self.groups.bound.insert((from, id), group);
        Ok((id, iteration))
    }

    /// Decrypts a group message, with whatever key fits, and only then asks whether it may be: so that a refusal for want of a key
    /// shows that there was none.
    ///
    /// # Errors
    /// The reasons of the contract's module `groups`.
    pub fn decrypt_group(&mut self, from: UserId, group: GroupId, body: &[u8]) -> Result<Opened, Refusal> {
        if body.len() > LARGEST_STANZA {
            return Err(Refusal::new(Reason::TooLarge, format!("a message of over {LARGEST_STANZA} bytes")));
        }
        let message = SenderKeyMessage::try_from(body)?;
        let id = message.distribution_id();
        let place = (from, id, message.chain_id(), message.iteration());
        let bound = self.groups.bound.get(&(from, id)).copied();
        let bound = bound.ok_or_else(|| Refusal::new(Reason::NoSession, "a sender key that was never handed out"))?;
        let (lists, own) = (&self.groups.lists, self.config.user);
        let key = self.stack.get().known().get(name_in(&mut [0; 36], from)).map(|known| known.newest);
        // Whether the plaintext was looked at: what is said of it then is no word of the stack's.
        let mut decrypted = false;
        let opened = self.stack.get_mut().open_under(Under { from, distribution: id, body }, &mut |padded| {
            decrypted = true;
            if bound != group {
                return Err(Refusal::new(Reason::WrongRecipient, "made under the sender key of another group"));
            }
            let content = Content::from_padded(padded)?;
            let examined = lists.examine(own, from, Way::SenderKey(group), &content);
            examined.map_err(|reason| Refusal::new(reason, "what it says of its group"))?;
            let signature = key.and_then(|key| signature::find(padded, &content, &key));
            Ok(Opened { content, padded: padded.len() as u64, used_one_time_prekey: None, identity_changed: false, signature })
        });
        match opened {
            Ok(opened) => {
                self.groups.read.insert(place);
                Ok(opened)
            }
            Err(refusal) if !decrypted && refusal.reason == Reason::Duplicate && !self.groups.read.contains(&place) => {
                Err(Refusal::new(Reason::TooOld, "from before the sender key was handed out, or too far back"))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// What a content for a group carries, by the user's present list.
    ///
    /// # Errors
    /// `unknown-group`.
    pub fn stamp(&self, group: GroupId) -> Result<Group, Refusal> {
        self.group(group).map(|known| known.stamp(group))
    }
}
