//! Messages that could not be decrypted: asking for them again, and answering those who ask.

use super::User;
use super::link::Link;
use super::outgoing::Way;
use crate::defect::Defect;
use countersign_contract::content::{Content, Text, content::Body};
use countersign_contract::portable::MOST_RETRIES;
use countersign_contract::{Reason, StanzaId, UserId};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// What the user sent, kept so that it can be sent again.
#[derive(Clone, Default)]
pub(super) struct Sent {
    messages: BTreeMap<StanzaId, Message>,
    /// Which message a stanza carried: its first stanza, or one of a resend.
    stanzas: BTreeMap<StanzaId, StanzaId>,
    /// Digests of the ciphertexts, for the defect `shows-own-reflected`.
    bodies: BTreeMap<[u8; 32], StanzaId>,
    latest: Option<StanzaId>,
    /// Messages that wait until the user accepts the recipient's new identity key.
    waiting: BTreeMap<UserId, BTreeSet<StanzaId>>,
}

#[derive(Clone)]
struct Message {
    to: UserId,
    content: Content,
    /// Whether it went out sealed.
    sealed: bool,
    resends: u32,
}

impl Sent {
    /// Remembers that a stanza is about to carry this content.
    pub(super) fn note(&mut self, to: UserId, stanza: StanzaId, content: &Content, body: &[u8], sealed: bool) {
        let message = content.message().unwrap_or(stanza);
        self.stanzas.insert(stanza, message);
        self.bodies.insert(Sha256::digest(body).into(), message);
        self.latest = Some(message);
        self.messages.entry(message).or_insert_with(|| Message { to, content: content.clone(), sealed, resends: 0 });
    }

    /// Forgets a stanza that the gateway did not take.
    pub(super) fn forget(&mut self, stanza: StanzaId) {
        if let Some(message) = self.stanzas.remove(&stanza)
            && message == stanza
        {
            self.messages.remove(&message);
        }
    }

    /// For the defect `forgets-sent-on-return`: nothing that was sent until now is sent again.
    pub(super) fn forget_what_can_be_asked_for(&mut self) {
        for message in self.messages.values_mut() {
            message.resends = MOST_RETRIES;
        }
    }

    /// The message that a stanza carried to `to`.
    pub(super) fn message(&self, to: UserId, stanza: StanzaId) -> Option<StanzaId> {
        let message = self.stanzas.get(&stanza)?;
        self.messages.get(message).filter(|known| known.to == to).map(|_| *message)
    }

    /// The content that this very ciphertext carries.
    pub(super) fn content_of(&self, body: &[u8]) -> Option<Content> {
        let message = self.bodies.get(<[u8; 32]>::from(Sha256::digest(body)).as_slice())?;
        self.messages.get(message).map(|known| known.content.clone())
    }
}

/// How often stanzas were asked for again.
#[derive(Clone, Default)]
pub(super) struct Asked(BTreeMap<StanzaId, u32>);

impl Asked {
    /// The number of the next request for a stanza, `None` if there were enough. A receiver cannot know that two stanzas carry the
    /// same content, so that each counts for itself.
    pub(super) fn again(&mut self, stanza: StanzaId, most: u32) -> Option<u32> {
        let count = self.0.entry(stanza).or_insert(0);
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(*count)
    }

    /// Whether this stanza could not be read and was asked for again.
    pub(super) fn contains(&self, stanza: StanzaId) -> bool {
        self.0.contains_key(&stanza)
    }
}

impl User {
    /// Answers a retry receipt: sends the message again in a new session, if it was sent to that user, and not too often.
    pub(super) async fn answer_retry(&self, link: &Arc<Link>, from: UserId, of: StanzaId) {
        if self.has(Defect::IgnoresRetryReceipt) {
            return;
        }
        if self.answer_group_retry(link, from, of).await {
            return;
        }
        let message = {
            let state = self.state();
            let unsent = if self.has(Defect::ResendsUnsent) { state.sent.latest } else { None };
            state.sent.message(from, of).or(unsent)
        };
        if let Some(message) = message {
            self.resend(link, from, message).await;
        }
    }

    /// The user accepts a peer's identity key; what waited for that is sent.
    pub(crate) async fn accept(&self, peer: UserId) -> bool {
        if !self.state().vault.accept(peer) {
            return false;
        }
        if let Ok(link) = self.online() {
            self.send_waiting(&link, peer).await;
        }
        true
    }

    /// Sends what waited for the peer's identity key to be accepted.
    async fn send_waiting(&self, link: &Arc<Link>, peer: UserId) {
        let waiting = self.state().sent.waiting.remove(&peer).unwrap_or_default();
        for message in waiting {
            self.resend(link, peer, message).await;
        }
    }

    /// Sends everything that waits for a peer whose key was accepted while the user was offline.
    pub(super) async fn send_all_waiting(&self, link: &Arc<Link>) {
        let peers: Vec<UserId> = self.state().sent.waiting.keys().copied().collect();
        for peer in peers {
            self.send_waiting(link, peer).await;
        }
    }

    async fn resend(&self, link: &Arc<Link>, to: UserId, message: StanzaId) {
        let (content, sealed) = {
            let mut state = self.state();
            let most = if self.has(Defect::ResendsWithoutEnd) { u32::MAX } else { MOST_RETRIES };
            let Some(known) = state.sent.messages.get_mut(&message).filter(|known| known.resends < most) else { return };
            known.resends += 1;
            let mut content = known.content.clone();
            if let Some(Body::Edit(edit)) = &content.body
                && self.has(Defect::ResendsEditAsText)
            {
                content.body = Some(Body::Text(Text { text: edit.text.clone() }));
            }
            (content, known.sealed && !self.has(Defect::ResendsOpenly))
        };
        let forgets = self.has(Defect::LosesSessionOfResend) && matches!(content.body, Some(Body::Text(_)));
        if forgets && self.renew_session(to).await.is_ok() {
            let before = self.state().vault.copy();
            let way = Way { renew: false, sealed };
            let _ = self.transmit(link, to, StanzaId(Uuid::new_v4()), &content, way).await;
            self.state().vault = before;
            return;
        }
        let way = Way { renew: true, sealed };
        let mut outcome = self.transmit(link, to, StanzaId(Uuid::new_v4()), &content, way).await;
        if self.has(Defect::ResendsToNewIdentity)
            && outcome.as_ref().is_err_and(|problem| problem.reason == Reason::UntrustedIdentity)
        {
            self.state().vault.accept(to);
            outcome = self.transmit(link, to, StanzaId(Uuid::new_v4()), &content, way).await;
        }
        // A peer that is gone, or a gateway that fails: the user may still send the message anew. Only what waits for the user
        // is kept, and what the broken channel kept back.
        if let Err(problem) = outcome
            && matches!(problem.reason, Reason::UntrustedIdentity | Reason::NotConnected)
        {
            let mut state = self.state();
            state.sent.waiting.entry(to).or_default().insert(message);
            if let Some(known) = state.sent.messages.get_mut(&message) {
                known.resends = known.resends.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_is_asked_for_five_times() {
        let (one, other) = (StanzaId(Uuid::from_u128(1)), StanzaId(Uuid::from_u128(2)));
        let mut asked = Asked::default();
        for count in 1..=MOST_RETRIES {
            assert_eq!(asked.again(one, MOST_RETRIES), Some(count));
        }
        assert_eq!(asked.again(one, MOST_RETRIES), None);
        assert_eq!(asked.again(other, MOST_RETRIES), Some(1));
    }
}
