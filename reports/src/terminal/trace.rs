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
