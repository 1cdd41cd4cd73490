//! With what probability a run of this size finds a defect that shows only now and then.

use super::Page;
use crate::measure::grouped;
use crate::odds::{in_words, rarest};
use maud::{Markup, html};

impl Page<'_, '_> {
    pub(super) fn odds(&self) -> Markup {
        html! {
            @if !self.odds.is_empty() {
                section aria-labelledby="odds" {
                    h2 #odds { "Defects that show now and then" }
                    p { "Some defects show only with some keys or some messages. This is how likely a run of this size is to meet one that shows in one of ten "
                        "chances, and how rare one may be that it meets with a probability of 95 %." }
                    .wide tabindex="0" role="group" aria-labelledby="odds" {
                        table {
                            thead { tr {
                                th scope="col" { "Chances" } th scope="col" { "Looked at" }
                                th scope="col" { "Found if it shows in 1 of 10" } th scope="col" { "Found with 95 % up to" }
                            } }
                            tbody {
                                @for odds in &self.odds {
                                    tr {
                                        th scope="row" { (odds.what) " " (odds.direction()) }
                                        td { (grouped(odds.chances)) }
                                        td { (in_words(odds.one_in_ten())) }
                                        td { @match rarest(odds.chances) { Some(one_in) => { "1 of " (grouped(one_in)) } None => "—" } }
                                    }
                                }
                            }
                        }
                    }
                    p { "Counted is what the candidate received and showed, and what it sent and the other side read: each message, each session by its base key, "
                        "each ratchet key, each file, once in each scenario. The probability is 1 − (1 − p)ⁿ for a share p and n chances. It assumes that each chance goes wrong "
                        "independently of the others, and that a check notices whatever goes wrong with it. Where chances hang together, or a defect needs something that this run "
                        "does not do, it is less. Repeats of failed scenarios are not counted." }
                }
            }
        }
    }
}
