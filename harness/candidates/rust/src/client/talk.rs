//! Conversations: what may be said about a message, and whom the user has blocked.

use super::User;
use super::gateway::json;
use crate::defect::Defect;
use countersign_contract::conversation::{DELETE_WITHIN_MS, LONGEST_EMOJI, Side, has_receipt};
use countersign_contract::portable::{BlockList, JSON};
use countersign_contract::seen::UserContent;
use countersign_contract::{Problem, Reason, StanzaId, UserId};

impl User {
    /// Blocks a peer, or ends that: here first, so that nothing slips through meanwhile.
    ///
    /// # Errors
    /// `malformed` for the user itself, and what the gateway answered; all is then as before.
    pub(crate) async fn block(&self, peer: UserId, blocked: bool) -> Result<(), Problem> {
        if peer == self.id {
            return Err(Problem::new(Reason::Malformed, "nobody blocks himself"));
        }
        let _turn = self.turn.lock().await;
        let was = self.state().blocked.clone();
        let mut list = was.clone();
        if blocked {
            list.insert(peer);
        } else {
            list.remove(&peer);
        }
        self.state().blocked = list.clone();
        if self.has(Defect::BlocksLocallyOnly) {
            return Ok(());
        }
        let body = json(&BlockList { users: list.into_iter().collect() })?;
        let answer = self.gateway.request("PUT", "/blocks".into(), Some(&self.token), JSON, body).await;
        if answer.is_err() || (!blocked && self.has(Defect::StaysBlocked)) {
            self.state().blocked = was;
        }
        answer.map(drop)
    }

    /// Whether messages of this peer are refused unread.
    pub(super) fn refuses_unread(&self, peer: UserId) -> bool {
        let read = self.has(Defect::ShowsBlocked) || self.has(Defect::AsksBlockedAgain);
        !read && self.has_blocked(peer)
    }

    pub(super) fn has_blocked(&self, peer: UserId) -> bool {
        self.state().blocked.contains(&peer)
    }

    /// Whether this may be sent.
    ///
    /// # Errors
    /// `blocked`, and the reasons of the contract's module `conversation`.
    pub(super) fn may_send(&self, to: UserId, content: &UserContent) -> Result<(), Problem> {
        let told = !has_receipt(content) && self.has(Defect::TellsBlocked);
        if self.has_blocked(to) && !told {
            return Err(Problem::new(Reason::Blocked, format!("the user has blocked {to}")));
        }
        let now = self.clock();
        let outcome = self.state().talks.entry(to).or_default().permits(Side::Own, content, now);
        match outcome {
            Err(reason) if self.lets_out(reason, content) => Ok(()),
            outcome => outcome.map_err(|reason| Problem::new(reason, "about a message that this cannot be said of")),
        }
    }

    /// Whether a defect lets out what may not be sent.
    fn lets_out(&self, reason: Reason, content: &UserContent) -> bool {
        let defect = match (reason, content) {
            (Reason::TooLate, UserContent::Edit { .. }) => Defect::SendsLateEdits,
            (Reason::NotPermitted, UserContent::Reaction { .. }) => Defect::SendsSelfReactions,
            (Reason::NotPermitted, UserContent::Edit { .. } | UserContent::Delete { .. }) => Defect::SendsForeignEdits,
            (Reason::TooLarge, UserContent::Reaction { .. }) => Defect::SendsAnyReaction,
            _ => return false,
        };
        self.has(defect)
    }

    /// What the user is about to send, or has sent. A message is noted before it goes out, since the answer to it may come at once; what is said of a
    /// message, after the gateway took it.
    pub(super) fn note_sent(&self, to: UserId, message: StanzaId, content: &UserContent, out: bool) {
        let stands = matches!(content, UserContent::Text { .. } | UserContent::Media { .. } | UserContent::Reply { .. });
        if stands != out {
            let now = self.clock();
            self.state().talks.entry(to).or_default().take(Side::Own, message, content, now);
        }
    }

    /// The gateway did not take a message.
    pub(super) fn note_unsent(&self, to: UserId, message: StanzaId) {
        self.state().talks.entry(to).or_default().forget(&message);
    }

    /// Whether what arrived is shown; if so it is part of the conversation from now on.
    ///
    /// # Errors
    /// The reasons of the contract's module `conversation`.
    pub(super) fn examine(&self, from: UserId, message: StanzaId, content: &UserContent) -> Result<(), Reason> {
        // Open messages were looked at when they came.
        let shows = self.has(Defect::ShowsBlocked) || self.has(Defect::ShowsSealedOfBlocked);
        if self.has_blocked(from) && !shows {
            return Err(Reason::Blocked);
        }
        let now = self.clock();
        let mut guard = self.state();
        let state = &mut *guard;
        let talk = state.talks.entry(from).or_default();
        let outcome = talk.permits(Side::Peer, content, now);
        if let UserContent::Reaction { emoji, .. } = content
            && emoji.len() >= LONGEST_EMOJI
            && self.has(Defect::RefusesLongestEmoji)
        {
            return Err(Reason::TooLarge);
        }
        if let Err(reason) = outcome
            && !self.lets_pass(reason, content, &state.deleted)
        {
            return Err(reason);
        }
        if let UserContent::Delete { of } = content {
            // A day later it would be too late.
            let early = self.has(Defect::ClosesDeletionEarly);
            if early && talk.permits(Side::Peer, content, now.saturating_add(DELETE_WITHIN_MS / 2)).is_err() {
                return Err(Reason::TooLate);
            }
            state.deleted.insert(*of);
        }
        talk.take(Side::Peer, message, content, now);
        Ok(())
    }

    /// Whether a defect lets pass what is to be refused.
    fn lets_pass(&self, reason: Reason, content: &UserContent, deleted: &std::collections::BTreeSet<StanzaId>) -> bool {
        let short = |emoji: &str| emoji.encode_utf16().count() <= LONGEST_EMOJI;
        let defect = match (reason, content) {
            (Reason::TooLarge, UserContent::Reaction { emoji, .. }) if self.has(Defect::CountsEmojiInUtf16) => {
                return short(emoji);
            }
            (Reason::UnknownMessage, UserContent::Delete { of }) if deleted.contains(of) => Defect::ShowsRepeatedDelete,
            (Reason::UnknownMessage, UserContent::Read { .. }) => Defect::ShowsUnknownReadReceipt,
            (Reason::UnknownMessage, _) => Defect::ShowsForUnknownMessage,
            (Reason::NotPermitted, UserContent::Reaction { .. }) => Defect::ShowsSelfReaction,
            (Reason::NotPermitted, _) => Defect::LetsAnybodyChange,
            (Reason::TooLate, UserContent::Edit { .. }) => Defect::EditsWithoutEnd,
            (Reason::TooLate, _) => Defect::DeletesWithoutEnd,
            (Reason::TooLarge, UserContent::Reaction { .. }) => Defect::TakesAnyReaction,
            (Reason::Duplicate, UserContent::Reaction { .. }) => Defect::ShowsReactionAgain,
            _ => return false,
        };
        self.has(defect)
    }

    /// Whether a content that was shown is answered with a delivery receipt.
    pub(super) fn answers(&self, content: &UserContent) -> bool {
        match content {
            UserContent::Typing { .. } => self.has(Defect::ReceiptForTyping),
            UserContent::Read { .. } => self.has(Defect::ReceiptForReadReceipt),
            _ => !self.has(Defect::NoDeliveryReceipt),
        }
    }

    /// Whether a content that was refused is answered with a delivery receipt all the same.
    pub(super) fn answers_refused(&self) -> bool {
        let waited = self.state().connections > 1;
        self.has(Defect::ReceiptBeforeExamination) || (waited && self.has(Defect::BulkReceiptsOnReturn))
    }

    /// What clients with a defect show in place of a content; `None` if nothing.
    pub(super) fn converse(&self, content: UserContent) -> Option<UserContent> {
        Some(match content {
            UserContent::Reaction { of, emoji, remove } => {
                UserContent::Reaction { of, emoji, remove: remove && !self.has(Defect::IgnoresReactionRemoval) }
            }
            UserContent::Reply { text, .. } if self.has(Defect::LosesQuote) => UserContent::Text { text },
            UserContent::Edit { text, .. } if self.has(Defect::ShowsEditAsText) => UserContent::Text { text },
            UserContent::Delete { .. } if self.has(Defect::IgnoresDeletions) => return None,
            content => content,
        })
    }
}
