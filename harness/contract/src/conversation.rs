//! What may be said about a message, and what a receipt is sent for: the rules of a conversation, and code that decides by them.
//!
//! # The principle
//! A receipt is sent only for what the user sees. Whoever can make a client answer to something that its user does not see can watch
//! that user, at any hour and unnoticed: whether the phone is on, which devices there are, and what they do (“Careless Whisper”,
//! arXiv 2411.11194). So what refers to nothing, or may not be done, or changes nothing, is refused, not shown, and gets no
//! receipt of any kind. The numbers here are ours: no gatekeeper publishes one.
//!
//! # The rules
//! A client keeps, for each peer, the messages of their conversation: texts, files and replies that it showed to its user or that
//! its user sent, each with the time of **its own** clock at which it did so. What a sender states of time is not relied on.
//!
//! | content | refused if | as |
//! |---|---|---|
//! | reaction, edit, delete | its message is not one of this conversation, or was deleted | `unknown-message` |
//! | reaction | its emoji is empty | `malformed` |
//! | reaction | its emoji has more than [`LONGEST_EMOJI`] bytes of UTF-8 | `too-large` |
//! | reaction | its message is its sender's own | `not-permitted` |
//! | reaction | its sender's reaction to that message is this one already | `duplicate` |
//! | reaction taken back | its sender's reaction to that message is another one, or there is none | `unknown-message` |
//! | edit, delete | its message is not its sender's own | `not-permitted` |
//! | edit | its message is a file | `not-permitted` |
//! | edit | more than [`EDIT_WITHIN_MS`] have passed since the message was shown or sent | `too-late` |
//! | delete | more than [`DELETE_WITHIN_MS`] have passed since then | `too-late` |
//! | read receipt | it names no message | `malformed` |
//! | read receipt | one of its messages is none that its receiver sent in this conversation | `unknown-message` |
//!
//! Where several apply, any of their reasons is right. A user has one reaction to a message: another takes its place. After a
//! deletion the message is gone, so that a second deletion, or a reaction to it, is `unknown-message`. An edit leaves the message's
//! time as it is. A reply to an unknown message is shown: its text is there to be seen.
//!
//! The same holds before sending: `send` answers with the same reason, and nothing goes out.
//!
//! A `delivered` receipt is sent for a text, a file, a reply, a reaction, an edit and a deletion that were shown; never for a read
//! receipt or the typing indicator, which are no messages. A client does not send a read receipt, or that its user types, of its own accord:
//! only its user's doing is told.
//!
//! # Blocked users
//! See the module [`crate::portable`].

use crate::seen::UserContent;
use crate::{MessageId, Reason};
use std::collections::BTreeMap;

/// Longest emoji of a reaction, in bytes of UTF-8. The longest that Unicode recommends has 35.
pub const LONGEST_EMOJI: usize = 64;
/// How long a message can be edited, in milliseconds: 15 minutes.
pub const EDIT_WITHIN_MS: u64 = 15 * 60 * 1000;
/// How long a message can be deleted for both, in milliseconds: two days.
pub const DELETE_WITHIN_MS: u64 = 2 * 24 * 60 * 60 * 1000;

/// Who of the two did something, as one of them sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The user whose client this is.
    Own,
    /// The other one.
    Peer,
}

/// A message of a conversation.
#[derive(Clone, Debug)]
struct Known {
    by: Side,
    is_file: bool,
    at_ms: u64,
    /// The reaction of the other side.
    reaction: Option<String>,
}

/// One user's conversation with one peer.
#[derive(Clone, Debug, Default)]
pub struct Conversation(BTreeMap<MessageId, Known>);

impl Conversation {
    /// Whether `by` may do this now, by the clock of the user whose client this is.
    ///
    /// # Errors
    /// The reason of the table in this module.
    pub fn permits(&self, by: Side, content: &UserContent, now_ms: u64) -> Result<(), Reason> {
        match content {
            UserContent::Text { .. } | UserContent::Media { .. } | UserContent::Reply { .. } | UserContent::Typing { .. } => {
                Ok(())
            }
            UserContent::Reaction { of, emoji, remove } => {
                if emoji.is_empty() {
                    return Err(Reason::Malformed);
                }
                if emoji.len() > LONGEST_EMOJI {
                    return Err(Reason::TooLarge);
                }
                let known = self.known(of)?;
                if known.by == by {
                    return Err(Reason::NotPermitted);
                }
                match (known.reaction.as_ref() == Some(emoji), remove) {
                    (true, false) => Err(Reason::Duplicate),
                    (false, true) => Err(Reason::UnknownMessage),
                    _ => Ok(()),
                }
            }
            UserContent::Edit { of, .. } => {
                let known = self.known(of)?;
                if known.is_file {
                    return Err(Reason::NotPermitted);
                }
                known.may_change(by, now_ms, EDIT_WITHIN_MS)
            }
            UserContent::Delete { of } => self.known(of)?.may_change(by, now_ms, DELETE_WITHIN_MS),
            UserContent::Read { of } if of.is_empty() => Err(Reason::Malformed),
            UserContent::Read { of } => {
                let others = |id: &MessageId| self.0.get(id).is_some_and(|known| known.by != by);
                if of.iter().all(others) { Ok(()) } else { Err(Reason::UnknownMessage) }
            }
        }
    }

    /// Takes in what was shown or sent.
    pub fn take(&mut self, by: Side, message: MessageId, content: &UserContent, now_ms: u64) {
        match content {
            UserContent::Text { .. } | UserContent::Media { .. } | UserContent::Reply { .. } => {
                let is_file = matches!(content, UserContent::Media { .. });
                self.0.entry(message).or_insert(Known { by, is_file, at_ms: now_ms, reaction: None });
            }
            UserContent::Reaction { of, emoji, remove } => {
                if let Some(known) = self.0.get_mut(of) {
                    known.reaction = (!remove).then(|| emoji.clone());
                }
            }
            UserContent::Delete { of } => self.forget(of),
            UserContent::Edit { .. } | UserContent::Typing { .. } | UserContent::Read { .. } => {}
        }
    }

    /// Forgets a message: it was never sent after all, or it is deleted.
    pub fn forget(&mut self, message: &MessageId) {
        self.0.remove(message);
    }

    fn known(&self, message: &MessageId) -> Result<&Known, Reason> {
        self.0.get(message).ok_or(Reason::UnknownMessage)
    }
}

impl Known {
    fn may_change(&self, by: Side, now_ms: u64, within_ms: u64) -> Result<(), Reason> {
        if self.by != by {
            return Err(Reason::NotPermitted);
        }
        if now_ms.saturating_sub(self.at_ms) > within_ms { Err(Reason::TooLate) } else { Ok(()) }
    }
}

/// Whether a `delivered` receipt is sent for this content once it was shown.
#[must_use]
pub const fn has_receipt(content: &UserContent) -> bool {
    !matches!(content, UserContent::Typing { .. } | UserContent::Read { .. })
}

#[cfg(test)]
mod tests {
    use super::Side::{Own, Peer};
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> MessageId {
        crate::StanzaId(Uuid::from_u128(n))
    }

    fn text() -> UserContent {
        UserContent::Text { text: "t".into() }
    }

    fn reaction(of: u128, emoji: &str, remove: bool) -> UserContent {
        UserContent::Reaction { of: id(of), emoji: emoji.into(), remove }
    }

    fn edit(of: u128) -> UserContent {
        UserContent::Edit { of: id(of), text: "new".into() }
    }

    fn delete(of: u128) -> UserContent {
        UserContent::Delete { of: id(of) }
    }

    fn read(of: &[u128]) -> UserContent {
        UserContent::Read { of: of.iter().copied().map(id).collect() }
    }

    /// Message 1 of the peer, and message 2 of the user.
    fn talk() -> Conversation {
        let mut talk = Conversation::default();
        talk.take(Peer, id(1), &text(), 1000);
        talk.take(Own, id(2), &text(), 1000);
        talk
    }

    #[test]
    fn what_refers_to_nothing_is_unknown() {
        for content in [reaction(9, "x", false), edit(9), delete(9), read(&[9]), read(&[2, 9]), read(&[1])] {
            assert_eq!(talk().permits(Peer, &content, 1000), Err(Reason::UnknownMessage), "{content:?}");
        }
        assert_eq!(talk().permits(Peer, &read(&[]), 1000), Err(Reason::Malformed));
        assert_eq!(talk().permits(Peer, &read(&[2]), 1000), Ok(()));
        assert_eq!(talk().permits(Own, &read(&[1]), 1000), Ok(()));
    }

    #[test]
    fn nobody_changes_what_somebody_else_wrote_or_reacts_to_himself() {
        for (by, own, other) in [(Peer, 1, 2), (Own, 2, 1)] {
            assert_eq!(talk().permits(by, &edit(own), 1000), Ok(()));
            assert_eq!(talk().permits(by, &delete(own), 1000), Ok(()));
            assert_eq!(talk().permits(by, &edit(other), 1000), Err(Reason::NotPermitted));
            assert_eq!(talk().permits(by, &delete(other), 1000), Err(Reason::NotPermitted));
            assert_eq!(talk().permits(by, &reaction(other, "x", false), 1000), Ok(()));
            assert_eq!(talk().permits(by, &reaction(own, "x", false), 1000), Err(Reason::NotPermitted));
        }
    }

    #[test]
    fn the_windows_end_and_not_before() {
        for (content, within) in [(edit(1), EDIT_WITHIN_MS), (delete(1), DELETE_WITHIN_MS)] {
            assert_eq!(talk().permits(Peer, &content, 1000 + within), Ok(()));
            assert_eq!(talk().permits(Peer, &content, 1001 + within), Err(Reason::TooLate));
        }
    }

    #[test]
    fn a_reaction_is_made_once_and_taken_back_once() {
        let mut talk = talk();
        let (made, back) = (reaction(2, "x", false), reaction(2, "x", true));
        assert_eq!(talk.permits(Peer, &back, 1000), Err(Reason::UnknownMessage));
        talk.take(Peer, id(3), &made, 1000);
        assert_eq!(talk.permits(Peer, &made, 1000), Err(Reason::Duplicate));
        assert_eq!(talk.permits(Peer, &reaction(2, "y", false), 1000), Ok(()));
        assert_eq!(talk.permits(Peer, &back, 1000), Ok(()));
        talk.take(Peer, id(4), &back, 1000);
        assert_eq!(talk.permits(Peer, &back, 1000), Err(Reason::UnknownMessage));
        assert_eq!(talk.permits(Peer, &made, 1000), Ok(()));
    }

    #[test]
    fn an_emoji_has_a_length() {
        let of_bytes = |n: usize| reaction(2, &"x".repeat(n), false);
        assert_eq!(talk().permits(Peer, &of_bytes(LONGEST_EMOJI), 1000), Ok(()));
        assert_eq!(talk().permits(Peer, &of_bytes(LONGEST_EMOJI + 1), 1000), Err(Reason::TooLarge));
        assert_eq!(talk().permits(Peer, &of_bytes(0), 1000), Err(Reason::Malformed));
    }

    #[test]
    fn what_is_deleted_is_gone_and_a_file_has_no_text_to_edit() {
        let mut talk = talk();
        talk.take(Peer, id(3), &delete(1), 1000);
        assert_eq!(talk.permits(Peer, &delete(1), 1000), Err(Reason::UnknownMessage));
        assert_eq!(talk.permits(Own, &reaction(1, "x", false), 1000), Err(Reason::UnknownMessage));
        let file = crate::seen::FileRef { url: None, sha256: crate::Bytes(vec![0; 32]), length: 1 };
        let media = crate::seen::MediaKind::File;
        talk.take(Peer, id(4), &UserContent::Media { media, mime: "m".into(), name: "n".into(), file }, 1000);
        assert_eq!(talk.permits(Peer, &edit(4), 1000), Err(Reason::NotPermitted));
        assert_eq!(talk.permits(Peer, &delete(4), 1000), Ok(()));
    }

    #[test]
    fn only_messages_have_receipts() {
        assert!([text(), edit(1), delete(1), reaction(1, "x", true)].iter().all(has_receipt));
        assert!(!has_receipt(&read(&[1])) && !has_receipt(&UserContent::Typing { active: true }));
    }
}
