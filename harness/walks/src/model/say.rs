//! Files, and what is said of messages: reactions, edits and deletions.
//!
//! Of a message only that is said which both ends surely take: it was shown, neither end was installed anew since, nothing else that was
//! said between the two is still under way, and for its author's own no time has passed that could make it too late.

use super::{CHANGED, EXCHANGE, Message, Model, Place, REACTED, Told, name};
use crate::action::{Fate, Number, Peer, Saying, User};
use countersign_contract::seen::MediaKind;
use countersign_scenarios::Step;
use countersign_scenarios::language::{ContentSpec, FileSpec};

/// Emojis that follow each other on one message: the same one again would change nothing, and is not shown.
const EMOJIS: [&str; 8] = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];
/// The longest file, in bytes.
const LONGEST_FILE: u32 = 3000;

impl Model {
    pub(super) fn send_file(&mut self, id: Number, by_alice: bool, peer: Peer) -> Option<Vec<Told>> {
        if !self.abilities.files {
            return None;
        }
        let told = self.write(id, by_alice, peer, Fate::Arrives, false)?;
        let bytes = u32::from(id) * 397 % LONGEST_FILE + 1;
        let file = FileSpec { kind: MediaKind::File, bytes, mime: None, name: None, label: None };
        self.messages.get_mut(&id)?.is_text = false;
        Some(with_content(told, &ContentSpec::File(file), EXCHANGE))
    }

    pub(super) fn say(&mut self, id: Number, by_alice: bool, peer: Peer, what: Saying, of: Number) -> Option<Vec<Told>> {
        let able = match what {
            Saying::Reaction => self.abilities.reactions,
            Saying::Edit => self.abilities.edits,
            Saying::Delete => self.abilities.deletes,
        };
        let under_way = |m: &Message| m.peer == peer && m.said && m.place != Place::Done;
        let both = self.is_online(User::Alice) && self.is_online(peer.user());
        if !able || !both || !self.is_fine(peer) || self.messages.values().any(under_way) {
            return None;
        }
        let about = self.messages.get(&of).filter(|m| m.peer == peer && self.can_be_spoken_of(m))?;
        let own = by_alice != about.to_alice;
        let fits = match what {
            Saying::Reaction => !own,
            Saying::Edit => own && about.is_text && about.hours == self.hours,
            Saying::Delete => own && about.hours == self.hours,
        };
        if !fits {
            return None;
        }
        let reactions = usize::from(about.reactions);
        let told = self.write(id, by_alice, peer, Fate::Arrives, false)?;
        self.messages.get_mut(&id)?.said = true;
        let about = self.messages.get_mut(&of)?;
        let of = name('m', of);
        let (content, requirement) = match what {
            Saying::Reaction => {
                about.reactions = about.reactions.wrapping_add(1);
                let emoji = EMOJIS.get(reactions % EMOJIS.len()).copied().unwrap_or_default().to_owned();
                (ContentSpec::Reaction { of, emoji, remove: false, bytes: None }, REACTED)
            }
            Saying::Edit => (ContentSpec::Edit { of, text: format!("text {id} instead") }, CHANGED),
            Saying::Delete => {
                about.deleted = true;
                (ContentSpec::Delete { of }, CHANGED)
            }
        };
        self.messages.get_mut(&id)?.requirement = requirement;
        Some(with_content(told, &content, requirement))
    }

    fn can_be_spoken_of(&self, message: &Message) -> bool {
        message.shown && !message.said && !message.deleted && message.replayable && message.installation == self.installation
    }

    /// Messages of which something can be said, with whom they are shared, and whether they came to alice.
    #[must_use]
    pub fn spoken_of(&self) -> Vec<(Number, Peer, bool)> {
        let fit = self.messages.iter().filter(|(_, m)| self.can_be_spoken_of(m));
        fit.map(|(id, m)| (*id, m.peer, m.to_alice)).collect()
    }
}

/// The same steps with another content.
fn with_content(mut told: Vec<Told>, content: &ContentSpec, requirement: &'static str) -> Vec<Told> {
    for told in &mut told {
        if let Step::Send(send) = &mut told.step {
            send.content = content.clone();
            told.requirement = requirement;
        }
    }
    told
}
