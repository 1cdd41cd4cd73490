//! Sender keys: the user's own for each group, and those of others.

use super::super::written::Written;
use super::misread::{unreadable, with_version};
use super::{REMEMBERED, Vault, address, is_low_order, reason_of, run};
use crate::defect::Defect;
use async_trait::async_trait;
use countersign_contract::content::{Content, ContentError};
use countersign_contract::{GroupId, Reason, UserId};
use libsignal_protocol::{
    ProtocolAddress, SenderKeyDistributionMessage, SenderKeyMessage, SenderKeyRecord, SenderKeyStore, SignalProtocolError,
    create_sender_key_distribution_message, group_decrypt, group_encrypt, process_sender_key_distribution_message,
};
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Members to whom the defect `hands-keys-to-few` gives its sender key.
const FEW: usize = 32;
/// Up to which number the defect `refuses-late-sender-keys` takes a sender key.
const LATE: u32 = 25_000;

#[derive(Clone, Default)]
pub(super) struct SenderKeys(pub(super) BTreeMap<(String, Uuid), SenderKeyRecord>);

#[async_trait(?Send)]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(
        &mut self,
        sender: &ProtocolAddress,
        id: Uuid,
        record: &SenderKeyRecord,
    ) -> Result<(), SignalProtocolError> {
        self.0.insert((sender.name().to_owned(), id), record.clone());
        Ok(())
    }

    async fn load_sender_key(
        &mut self,
        sender: &ProtocolAddress,
        id: Uuid,
    ) -> Result<Option<SenderKeyRecord>, SignalProtocolError> {
        Ok(self.0.get(&(sender.name().to_owned(), id)).cloned())
    }
}

/// A sender key of the user's own.
#[derive(Clone)]
struct OwnKey {
    distribution: Uuid,
    given: BTreeSet<UserId>,
    /// As it was first handed out: for the defect `hands-out-first-sender-key`.
    first: Option<Vec<u8>>,
}

/// Which message it was: sender, distribution, chain, iteration.
type Place = (UserId, Uuid, u32, u32);

/// All sender keys of a user.
#[derive(Clone, Default)]
pub(super) struct GroupKeys {
    pub(super) keys: SenderKeys,
    own: BTreeMap<GroupId, OwnKey>,
    /// For which group each sender key of others was handed out.
    pub(super) bound: BTreeMap<(UserId, Uuid), GroupId>,
    read: BTreeSet<Place>,
    /// For the defect `replays-group-message`: what was read, by the digest of the message.
    plain: BTreeMap<[u8; 32], Vec<u8>>,
    /// For the defects `reuses-group-message-keys` and `keeps-keys-of-known-group-messages`: the messages that were read.
    bodies: BTreeSet<[u8; 32]>,
    /// For the defects `keeps-old-sender-keys`, `reuses-group-message-keys` and `keeps-keys-of-known-group-messages`: each sender key as it was before a message.
    old: Vec<((String, Uuid), SenderKeyRecord)>,
}

impl GroupKeys {
    /// All of it as it is stored.
    ///
    /// # Errors
    /// `internal` if libsignal cannot write a record.
    pub(super) fn written(&self) -> Result<Vec<u8>, Reason> {
        let mut written = Written::default();
        for ((from, id), record) in &self.keys.0 {
            written.text(from).bytes(id.as_bytes()).bytes(&record.serialize().map_err(|_| Reason::Internal)?);
        }
        for (group, own) in &self.own {
            written.text(&group.to_string()).bytes(own.distribution.as_bytes());
            own.given.iter().for_each(|user| _ = written.text(&user.to_string()));
        }
        for ((from, id), group) in &self.bound {
            written.text(&from.to_string()).bytes(id.as_bytes()).text(&group.to_string());
        }
        for ((from, id), record) in &self.old {
            written.text(from).bytes(id.as_bytes()).bytes(&record.serialize().map_err(|_| Reason::Internal)?);
        }
        for (from, id, chain, iteration) in &self.read {
            written.text(&from.to_string()).bytes(id.as_bytes()).number(*chain).number(*iteration);
        }
        Ok(written.0)
    }
}

impl Vault {
    /// Those of the members who do not have the user's present sender key for a group.
    pub(crate) fn without_sender_key(&self, group: GroupId, members: &BTreeSet<UserId>) -> Vec<UserId> {
        let own = self.groups.own.get(&group);
        let few = if self.defects.has(Defect::HandsKeysToFew) { FEW } else { usize::MAX };
        let others = members.iter().copied().filter(|user| *user != self.user).take(few);
        others.filter(|user| !own.is_some_and(|key| key.given.contains(user))).collect()
    }

    /// The user's sender key for a group as it stands now.
    ///
    /// # Errors
    /// `internal` if the library fails.
    pub(crate) fn sender_key(&mut self, group: GroupId) -> Result<Vec<u8>, Reason> {
        let me = address(self.user)?;
        let fresh = || OwnKey { distribution: Uuid::new_v4(), given: BTreeSet::new(), first: None };
        let own = self.groups.own.entry(group).or_insert_with(fresh);
        let made = create_sender_key_distribution_message(&me, own.distribution, &mut self.groups.keys, &mut self.rng);
        let made = run(made).map_err(|_| Reason::Internal)?.serialized().to_vec();
        let first = own.first.get_or_insert_with(|| made.clone());
        Ok(if self.defects.has(Defect::HandsOutFirstSenderKey) { first.clone() } else { made })
    }

    /// Notes that a member has the user's present sender key, or is about to.
    pub(crate) fn gave_sender_key(&mut self, group: GroupId, to: UserId) {
        if let Some(own) = self.groups.own.get_mut(&group) {
            own.given.insert(to);
        }
    }

    /// Lets the user make a new sender key for a group, since somebody who has this one is no member any more.
    pub(crate) fn forget_sender_key(&mut self, group: GroupId) {
        if !self.defects.has(Defect::KeepsSenderKeyAfterRemoval) {
            self.groups.own.remove(&group);
        }
    }

    /// Forgets the sender keys of a group's members: for defective clients alone.
    pub(crate) fn forget_group(&mut self, group: GroupId) {
        self.groups.bound.retain(|_, bound| *bound != group);
    }

    /// Encrypts a padded content for a group.
    ///
    /// # Errors
    /// `no-session` without a sender key.
    pub(crate) fn seal_for_group(&mut self, group: GroupId, padded: &[u8]) -> Result<Vec<u8>, Reason> {
        if !self.groups.own.contains_key(&group) {
            // A group of one: there is nobody to whom the key was handed.
            self.sender_key(group)?;
        }
        let me = address(self.user)?;
        let own = self.groups.own.get(&group).ok_or(Reason::NoSession)?;
        let made = run(group_encrypt(&mut self.groups.keys, &me, own.distribution, padded, &mut self.rng));
        made.map(|message| message.serialized().to_vec()).map_err(|error| reason_of(&error).unwrap_or(Reason::Internal))
    }

    /// Takes a member's sender key.
    ///
    /// # Errors
    /// `malformed`, `bad-key`, and `not-permitted` for one that the sender uses in another group.
    pub(crate) fn take_sender_key(&mut self, from: UserId, group: GroupId, distribution: &[u8]) -> Result<(), Reason> {
        let reason = |error| unreadable(&error);
        let read = |bytes: &[u8]| SenderKeyDistributionMessage::try_from(bytes).map_err(reason);
        let message = match read(distribution) {
            Err(Reason::BadVersion) if self.defects.has(Defect::IgnoresGroupVersion) => read(&with_version(distribution))?,
            message => message?,
        };
        let id = message.distribution_id().map_err(reason)?;
        // Under such a key anybody can sign, and libsignal takes it.
        let weak = is_low_order(message.signing_key().map_err(reason)?);
        if weak && !self.defects.has(Defect::AcceptsLowOrderSigningKey) {
            return Err(Reason::BadKey);
        }
        if message.iteration().map_err(reason)? > LATE && self.defects.has(Defect::RefusesLateSenderKeys) {
            return Err(Reason::TooOld);
        }
        let other = self.groups.bound.get(&(from, id)).is_some_and(|bound| *bound != group);
        if other && !self.defects.has(Defect::SharesSenderKeys) {
            return Err(Reason::NotPermitted);
        }
        let peer = address(from)?;
        if self.defects.has(Defect::StoresSenderKeysById) {
            self.groups.keys.0.retain(|(of, stored), _| *stored != id || of == peer.name());
        }
        run(process_sender_key_distribution_message(&peer, &message, &mut self.groups.keys)).map_err(reason)?;
        self.groups.bound.insert((from, id), group);
        Ok(())
    }

    /// Decrypts a group message: its plaintext, and whether only a defect let a replay pass. `examine` says whether its content may be;
    /// if not, all keys are as before.
    ///
    /// # Errors
    /// The reasons of the contract's module `groups`.
    pub(crate) fn open_group(
        &mut self,
        from: UserId,
        group: GroupId,
        body: &[u8],
        examine: impl Fn(&Content) -> Result<(), Reason>,
    ) -> Result<(Vec<u8>, bool), Reason> {
        let refused = match self.read_group(from, group, body, &examine) {
            Err(reason) => reason,
            read => return read,
        };
        let plain = self.misread(from, group, body, refused).ok_or(refused)?;
        self.content(&plain).and_then(|content| examine(&content))?;
        Ok((plain, false))
    }

    /// A padded content.
    fn content(&self, plain: &[u8]) -> Result<Content, Reason> {
        match Content::from_padded(plain) {
            Err(ContentError::Padding) if self.defects.has(Defect::TakesUnpaddedInGroups) => {
                Content::decode(plain).map_err(|_| Reason::Malformed)
            }
            content => content.map_err(ContentError::reason),
        }
    }

    fn read_group(
        &mut self,
        from: UserId,
        group: GroupId,
        body: &[u8],
        examine: impl Fn(&Content) -> Result<(), Reason>,
    ) -> Result<(Vec<u8>, bool), Reason> {
        let message = SenderKeyMessage::try_from(body).map_err(|error| unreadable(&error))?;
        let id = message.distribution_id();
        let place = (from, id, message.chain_id(), message.iteration());
        let bound = self.groups.bound.get(&(from, id)).copied().ok_or(Reason::NoSession)?;
        if bound != group && !self.defects.has(Defect::TrustsStanzaForGroup) {
            return Err(Reason::WrongRecipient);
        }
        if self.is_behind_gap(from, &message) {
            return Err(Reason::TooOld);
        }
        if self.is_late(&place) && self.defects.has(Defect::DropsLateGroupMessages) {
            return Err(Reason::TooOld);
        }
        let stored = (from.to_string(), id);
        let before = self.groups.keys.0.get(&stored).cloned();
        let peer = address(from)?;
        let plain = match run(group_decrypt(body, &mut self.groups.keys, &peer)) {
            Ok(plain) => plain,
            Err(error) => {
                let reason = self.why_not(&place, &error);
                let replayed = self.groups.plain.get(&super::digest(body)).filter(|_| reason == Reason::Duplicate).cloned();
                if let Some(plain) = replayed {
                    return Ok((plain, true));
                }
                let seen = self.groups.bodies.contains(&super::digest(body));
                let of_seen = self.defects.has(Defect::KeepsKeysOfKnownGroupMessages);
                if let Some(plain) = self.open_with_old(&peer, body, &stored, reason) {
                    return if seen == of_seen { Ok((plain, false)) } else { Err(reason) };
                }
                return Err(reason);
            }
        };
        let examined = self.content(&plain).and_then(|content| examine(&content));
        if let Err(reason) = examined {
            self.groups.keys.0.extend(before.map(|record| (stored, record)));
            return Err(reason);
        }
        if self.groups.read.len() >= REMEMBERED {
            self.groups.read.pop_first();
        }
        self.groups.read.insert(place);
        let by_body = [Defect::ReusesGroupMessageKeys, Defect::KeepsKeysOfKnownGroupMessages];
        let by_body = by_body.into_iter().any(|defect| self.defects.has(defect));
        if by_body {
            self.groups.bodies.insert(super::digest(body));
        }
        if by_body || self.defects.has(Defect::KeepsOldSenderKeys) {
            self.groups.old.extend(before.map(|record| (stored, record)));
        }
        if self.defects.has(Defect::ReplaysGroupMessage) {
            self.groups.plain.insert(super::digest(body), plain.clone());
        }
        Ok((plain, false))
    }

    /// The defects that keep old sender keys: reads a message by a sender key as it was once.
    fn open_with_old(&self, peer: &ProtocolAddress, body: &[u8], stored: &(String, Uuid), reason: Reason) -> Option<Vec<u8>> {
        let fitting = self.groups.old.iter().filter(|(of, _)| of == stored && reason == Reason::Duplicate);
        fitting.into_iter().find_map(|(of, record)| {
            let mut copy = SenderKeys::default();
            copy.0.insert(of.clone(), record.clone());
            run(group_decrypt(body, &mut copy, peer)).ok()
        })
    }

    /// The group whose sender key a body was made under.
    pub(crate) fn group_of(&self, from: UserId, body: &[u8]) -> Option<GroupId> {
        let message = SenderKeyMessage::try_from(body).ok()?;
        self.groups.bound.get(&(from, message.distribution_id())).copied()
    }

    /// Whether a later message of its chain was read.
    fn is_late(&self, (from, id, chain, iteration): &Place) -> bool {
        let later = (*from, *id, *chain, iteration.saturating_add(1))..=(*from, *id, *chain, u32::MAX);
        self.groups.read.range(later).next().is_some()
    }

    fn why_not(&self, place: &Place, error: &SignalProtocolError) -> Reason {
        match error {
            SignalProtocolError::NoSenderKeyState { .. } => Reason::NoSession,
            SignalProtocolError::DuplicatedMessage(..) if !self.groups.read.contains(place) => Reason::TooOld,
            SignalProtocolError::InvalidMessage(_, "message from too far into the future") => Reason::TooOld,
            error => reason_of(error).unwrap_or(Reason::BadMac),
        }
    }
}
