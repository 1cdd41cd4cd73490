//! Clients that make do with weaker keys than those a message should have been made with.

use super::Vault;
use super::agreement::Ours;
use super::message::{FirstMessage, Message};
use super::session::Session;
use crate::defect::Defect;
use countersign_contract::portable::MessageType;
use countersign_contract::{Reason, UserId};
use libsignal_protocol::{IdentityKeyPair, KeyPair};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

impl Vault {
    /// The plaintext of a message that is to be refused for `reason`, by the defects that look for a weaker way to read it.
    pub(super) fn open_weakly(&mut self, from: UserId, kind: MessageType, body: &[u8], reason: Reason) -> Option<Vec<u8>> {
        match (kind, reason) {
            (MessageType::Prekey, Reason::BadMac) if self.defects.has(Defect::TriesWithoutOneTimePrekey) => {
                let first = self.first(from, body)?;
                first.one_time_prekey?;
                let ours = Ours { one_time_prekey: None, ..self.ours(&first, false).ok()? };
                let session = Session::answer(&self.identities.own, &ours, first.identity, first.base_key).ok()?;
                let own = self.identities.own.identity_key();
                session.open(own, &first.message, true, &mut self.rng).ok().map(|(_, plain)| plain)
            }
            (MessageType::Prekey, Reason::BadMac) if self.defects.has(Defect::TriesWithoutDiscontinuity) => {
                let first = self.first(from, body)?;
                let ours = self.ours(&first, false).ok()?;
                let session = Session::answer_with(&[], &self.identities.own, &ours, first.identity, first.base_key).ok()?;
                let own = self.identities.own.identity_key();
                session.open(own, &first.message, true, &mut self.rng).ok().map(|(_, plain)| plain)
            }
            (MessageType::Prekey, Reason::UnknownPrekey) if self.defects.has(Defect::TriesEveryOneTimePrekey) => {
                let mut first = self.first(from, body)?;
                let named = first.one_time_prekey.take()?;
                if self.prekeys.one_time.contains_key(&named) {
                    return None;
                }
                let ours = self.ours(&first, false).ok()?;
                let own = self.identities.own;
                let any: Vec<KeyPair> = self.prekeys.one_time.values().copied().collect();
                any.into_iter().find_map(|pair| {
                    let ours = Ours { one_time_prekey: Some(pair), ..ours };
                    let session = Session::answer(&own, &ours, first.identity, first.base_key).ok()?;
                    session.open(own.identity_key(), &first.message, true, &mut self.rng).ok().map(|(_, plain)| plain)
                })
            }
            (MessageType::Prekey, Reason::UnknownPrekey) if self.defects.has(Defect::TakesBaseKeyTwice) => {
                self.read_anew(from, body).ok()
            }
            (MessageType::Normal, Reason::BadMac) if self.defects.has(Defect::TakesIdentitiesEitherWay) => {
                let message = Message::read(body, from, self.user).ok()?;
                let own = *self.identities.own.identity_key();
                self.sessions.get(&from)?.sessions.iter().find_map(|session| {
                    let mut swapped = session.clone();
                    let theirs = std::mem::replace(&mut swapped.theirs, own);
                    swapped.open(&theirs, &message, true, &mut self.rng).ok().map(|(_, plain)| plain)
                })
            }
            _ => None,
        }
    }

    fn first(&self, from: UserId, body: &[u8]) -> Option<FirstMessage> {
        FirstMessage::read(body, from, self.user, false).ok()
    }
}

/// Reads a first message `from` somebody `to` a user that keeps no session of this suite: for the defect
/// `accepts-older-agreement`.
pub(in super::super) fn read_alone(
    own: &IdentityKeyPair,
    signed_prekey: KeyPair,
    one_time_prekey: Option<KeyPair>,
    (from, to): (UserId, UserId),
    body: &[u8],
) -> Option<Vec<u8>> {
    let first = FirstMessage::read(body, from, to, false).ok()?;
    let session = Session::answer(own, &Ours { signed_prekey, one_time_prekey }, first.identity, first.base_key).ok()?;
    let opened = session.open(own.identity_key(), &first.message, true, &mut StdRng::from_os_rng());
    opened.ok().map(|(_, plain)| plain)
}
