//! A vault of the suite that its instance speaks.

use super::{Opened, Readiness, Started, Unsealed, Unvouched, classic, pq};
use crate::defect::Defects;
use countersign_contract::claims::Suite;
use countersign_contract::content::Content;
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::{Enlist, KeyBundle, MessageType, PublishKeys};
use countersign_contract::{GroupId, Reason, UserId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

/// Everything secret of a user.
pub(crate) enum Vault {
    /// For `signal-pq`.
    Pq(Box<pq::Vault>),
    /// For `signal-classic`.
    Classic(Box<classic::Vault>),
}

/// What a backup of the keys holds.
pub(crate) enum Backup {
    /// For `signal-pq`.
    Pq(pq::Backup),
    /// For `signal-classic`.
    Classic(classic::Backup),
}

macro_rules! either {
    ($self:ident, $vault:ident => $call:expr) => {
        match $self {
            Self::Pq($vault) => $call,
            Self::Classic($vault) => $call,
        }
    };
}

impl Vault {
    /// New keys from the randomness of the operating system.
    pub(crate) fn new(suite: Suite, user: UserId, defects: Arc<dyn Defects>) -> Self {
        match suite {
            Suite::SignalPq => Self::Pq(Box::new(pq::Vault::new(user, defects))),
            Suite::SignalClassic => Self::Classic(Box::new(classic::Vault::new(user, defects))),
        }
    }

    /// Everything that enlistment publishes, with `count` one-time prekeys of each kind. `clock` is in milliseconds.
    ///
    /// # Errors
    /// `internal` if libsignal cannot sign.
    pub(crate) fn enlist(&mut self, count: u32, clock: u64) -> Result<Enlist, Reason> {
        either!(self, vault => vault.enlist(count, clock))
    }

    /// Takes these keys in place of its own: what enlistment publishes of them, and nothing else. `clock` is in milliseconds.
    ///
    /// # Errors
    /// `bad-key` for a key or signature of the wrong length or type; `malformed` for a registration id out of range, an id that comes twice, or
    /// Kyber keys that the suite does not have, or lacks. The keys are then as before.
    pub(crate) fn import(&mut self, keys: &ImportedKeys, clock: u64) -> Result<Enlist, Reason> {
        if !(1..=16380).contains(&keys.registration_id) {
            return Err(Reason::Malformed);
        }
        either!(self, vault => vault.import(keys, clock))
    }

    /// New keys of the kinds asked for, as far as the suite has them. Older signed and last-resort prekeys stay, for messages that
    /// are under way.
    ///
    /// # Errors
    /// `internal` if libsignal cannot sign.
    pub(crate) fn rotate(&mut self, signed: bool, kyber: bool, count: u32, clock: u64) -> Result<PublishKeys, Reason> {
        match self {
            Self::Pq(vault) => vault.rotate(signed, kyber, count, clock),
            Self::Classic(vault) => vault.rotate(signed, count, clock),
        }
    }

    /// The user's identity key, 33 bytes.
    pub(crate) fn identity_key(&self) -> Vec<u8> {
        either!(self, vault => vault.identity_key())
    }

    /// The user accepts the peer's latest identity key. False if none is known.
    pub(crate) fn accept(&mut self, peer: UserId) -> bool {
        either!(self, vault => vault.accept(peer))
    }

    /// The 60 digits that both users read; `None` if the peer's identity is not known.
    pub(crate) fn safety_number(&self, peer: UserId) -> Option<String> {
        either!(self, vault => vault.safety_number(peer))
    }

    /// Checks a bundle of `of` and sets up a session from it, even if there is one.
    ///
    /// # Errors
    /// `malformed`, `bad-key` or `bad-signature`; the user is told nothing of an identity key that a bad bundle names.
    pub(crate) fn start(&mut self, of: UserId, bundle: &KeyBundle, now: SystemTime) -> Result<Started, Reason> {
        either!(self, vault => vault.start(of, bundle, now))
    }

    /// Whether a message can be encrypted to `to`. A session that was never answered for 30 days, or that belongs to a former
    /// identity of the peer, does not count.
    pub(crate) fn readiness(&self, to: UserId, now: SystemTime) -> Readiness {
        either!(self, vault => vault.readiness(to, now))
    }

    /// Encrypts a padded content.
    ///
    /// # Errors
    /// `no-session` or `untrusted-identity`.
    pub(crate) fn seal(&mut self, to: UserId, padded: &[u8], now: SystemTime) -> Result<(MessageType, Vec<u8>), Reason> {
        either!(self, vault => vault.seal(to, padded, now))
    }

    /// Forgets the sessions with a peer: for defective clients alone.
    pub(crate) fn forget_session(&mut self, peer: UserId) {
        either!(self, vault => vault.forget_session(peer));
    }

    /// Decrypts the body of a message stanza.
    ///
    /// # Errors
    /// What was wrong with it. The keys and sessions are then as before.
    pub(crate) fn open(&mut self, from: UserId, kind: MessageType, body: &[u8]) -> Result<Opened, Reason> {
        either!(self, vault => vault.open(from, kind, body))
    }

    /// Seals an encrypted message under the user's certificate.
    ///
    /// # Errors
    /// `unsupported` in `signal-classic`; `malformed` for what is no certificate; `internal` if the library fails.
    pub(crate) fn seal_sender(
        &mut self,
        to: UserId,
        kind: MessageType,
        body: Vec<u8>,
        certificate: &[u8],
    ) -> Result<Vec<u8>, Reason> {
        self.only_pq()?.seal_sender(to, kind, body, certificate)
    }

    /// Opens the outside of a sealed message and checks its certificate; `clock` is in milliseconds.
    ///
    /// # Errors
    /// The reasons of the contract's module `sealed`, up to the certificate, and `unsupported` in `signal-classic`.
    pub(crate) fn unseal(&mut self, body: &[u8], trust_root: &[u8], clock: u64) -> Result<Unsealed, Unvouched> {
        let vault = self.only_pq().map_err(|reason| Unvouched { reason, claims: None })?;
        vault.unseal(body, trust_root, clock)
    }

    /// Decrypts what a certified user sent.
    ///
    /// # Errors
    /// Those of [`Self::open`], and `wrong-recipient` if the session is under another identity key than the certified one.
    pub(crate) fn open_certified(&mut self, unsealed: &Unsealed) -> Result<Opened, Reason> {
        self.only_pq()?.open_certified(unsealed)
    }

    /// Decrypts for somebody else, and leaves everything as it was: for the defect `shared-key-store`.
    pub(crate) fn lend(&mut self, from: UserId, kind: MessageType, body: &[u8]) -> Option<Opened> {
        either!(self, vault => vault.lend(from, kind, body))
    }

    /// Those of the members who do not have the user's present sender key for a group.
    pub(crate) fn without_sender_key(&self, group: GroupId, members: &BTreeSet<UserId>) -> Vec<UserId> {
        match self {
            Self::Pq(vault) => vault.without_sender_key(group, members),
            Self::Classic(_) => Vec::new(),
        }
    }

    /// The user's sender key for a group as it stands now.
    ///
    /// # Errors
    /// `unsupported` in `signal-classic`, in which this client has no groups; `internal` if the library fails.
    pub(crate) fn sender_key(&mut self, group: GroupId) -> Result<Vec<u8>, Reason> {
        self.only_pq()?.sender_key(group)
    }

    /// Notes that a member has the user's present sender key, or is about to.
    pub(crate) fn gave_sender_key(&mut self, group: GroupId, to: UserId) {
        if let Self::Pq(vault) = self {
            vault.gave_sender_key(group, to);
        }
    }

    /// Lets the user make a new sender key for a group, since somebody who has this one is no member any more.
    pub(crate) fn forget_sender_key(&mut self, group: GroupId) {
        if let Self::Pq(vault) = self {
            vault.forget_sender_key(group);
        }
    }

    /// Forgets the sender keys of a group's members: for defective clients alone.
    pub(crate) fn forget_group(&mut self, group: GroupId) {
        if let Self::Pq(vault) = self {
            vault.forget_group(group);
        }
    }

    /// Encrypts a padded content for a group.
    ///
    /// # Errors
    /// `unsupported` in `signal-classic`; `no-session` without a sender key.
    pub(crate) fn seal_for_group(&mut self, group: GroupId, padded: &[u8]) -> Result<Vec<u8>, Reason> {
        self.only_pq()?.seal_for_group(group, padded)
    }

    /// Takes a member's sender key.
    ///
    /// # Errors
    /// `unsupported` in `signal-classic`; `malformed`, `bad-key`, and `not-permitted` for one that the sender uses in another group.
    pub(crate) fn take_sender_key(&mut self, from: UserId, group: GroupId, distribution: &[u8]) -> Result<(), Reason> {
        self.only_pq()?.take_sender_key(from, group, distribution)
    }

    /// Decrypts a group message: its plaintext, and whether only a defect let a replay pass. `examine` says whether its content may
    /// be; if not, all keys are as before.
    ///
    /// # Errors
    /// `unsupported` in `signal-classic`; the reasons of the contract's module `groups`.
    pub(crate) fn open_group(
        &mut self,
        from: UserId,
        group: GroupId,
        body: &[u8],
        examine: impl Fn(&Content) -> Result<(), Reason>,
    ) -> Result<(Vec<u8>, bool), Reason> {
        self.only_pq()?.open_group(from, group, body, examine)
    }

    /// The group whose sender key a body was made under.
    pub(crate) fn group_of(&self, from: UserId, body: &[u8]) -> Option<GroupId> {
        match self {
            Self::Pq(vault) => vault.group_of(from, body),
            Self::Classic(_) => None,
        }
    }

    fn only_pq(&mut self) -> Result<&mut pq::Vault, Reason> {
        match self {
            Self::Pq(vault) => Ok(vault),
            Self::Classic(_) => Err(Reason::Unsupported),
        }
    }

    /// A copy of all of it that goes its own way.
    pub(crate) fn copy(&self) -> Self {
        match self {
            Self::Pq(vault) => Self::Pq(Box::new(vault.copy())),
            Self::Classic(vault) => Self::Classic(Box::new(vault.copy())),
        }
    }

    /// All of it as it is stored, in named parts.
    ///
    /// # Errors
    /// `internal` if libsignal cannot write a record.
    pub(crate) fn export(&self) -> Result<Vec<(String, Vec<u8>)>, Reason> {
        either!(self, vault => vault.export())
    }

    /// Copies the keys as they are: for the defect `restores-backup-on-reinstall`.
    pub(crate) fn back_up(&self) -> Backup {
        match self {
            Self::Pq(vault) => Backup::Pq(vault.back_up()),
            Self::Classic(vault) => Backup::Classic(vault.back_up()),
        }
    }

    /// Takes the keys of a backup in place of its own. One of the other suite is of no use.
    pub(crate) fn restore(&mut self, backup: Backup) {
        match (self, backup) {
            (Self::Pq(vault), Backup::Pq(backup)) => vault.restore(backup),
            (Self::Classic(vault), Backup::Classic(backup)) => vault.restore(backup),
            _ => {}
        }
    }

    /// Signs with the user's identity key what nobody should: for the defect `signs-its-messages`.
    ///
    /// # Errors
    /// `internal` if the library cannot.
    pub(crate) fn sign(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Reason> {
        either!(self, vault => vault.sign(bytes))
    }

    /// How many one-time prekeys nobody has used: for the defect `refills-by-own-count`.
    pub(crate) fn one_time_prekeys_left(&self) -> usize {
        either!(self, vault => vault.one_time_prekeys_left())
    }

    /// For the defect `loses-skipped-keys-on-return`.
    pub(crate) fn lose_skipped(&mut self) {
        either!(self, vault => vault.lose_skipped());
    }

    /// Deletes prekeys that were replaced a week ago: for the defect `forgets-prekeys-after-a-week`.
    pub(crate) fn forget_replaced(&mut self, clock: u64) {
        either!(self, vault => vault.forget_replaced(clock));
    }

    /// Whether anything is known of a peer.
    pub(crate) fn has_met(&self, peer: UserId) -> bool {
        either!(self, vault => vault.has_met(peer))
    }
}
