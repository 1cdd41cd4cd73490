//! Entries of a trace as they come, a line each.

use crate::entry::Names;
use crate::measure::time;
use crate::visible::visible;
use countersign_trace::{Blobs, Entry};

/// Tells of the entries of one instance, in order: it learns the names that stanzas get on the way.
#[derive(Debug, Default)]
pub struct Teller(Names<'static>);

impl Teller {
    /// An entry on one line without a line feed, fit for a terminal whatever the candidate wrote: time since the instance began,
    /// from whom to whom, and what.
    pub fn tell(&mut self, entry: &Entry, blobs: &Blobs) -> String {
        self.0.learn(entry);
        let told = self.0.tell(entry, blobs);
        // What a candidate wrote was made visible where it was quoted; a line is one line whatever was overlooked.
        visible(&format!("#{:<4} +{:<10} {:<20} {}", entry.n, time(entry.at_us), told.flow, told.what), 2_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_contract::{Problem, Reason, StanzaId};
    use countersign_trace::{Event, Input};

    #[test]
    fn names_are_learnt_on_the_way_and_a_line_stays_one() {
        let mut teller = Teller::default();
        let id = StanzaId(uuid::Uuid::from_u128(7));
        let mut tell = |event| teller.tell(&Entry { n: 3, at_us: 12_345, event }, &Blobs::new());
        let before = tell(Event::Disturbed { stanza: Some(id), how: "held".into() });
        assert!(before.contains("network") && before.contains("stanza 00000000: held"), "{before}");
        tell(Event::Named { name: "m1".into(), stanza: id });
        let after = tell(Event::Disturbed { stanza: Some(id), how: "held".into() });
        assert!(after.starts_with("#3    +12.3 ms") && after.ends_with("m1: held"), "{after}");
        let problem = Problem::new(Reason::TooLarge, "");
        let hostile = tell(Event::Input(Input::refused("a\n\u{1b}[2J\u{202e}b", &problem)));
        assert!(!hostile.chars().any(|c| c.is_control() || c == '\u{202e}'), "{hostile:?}");
    }
}
