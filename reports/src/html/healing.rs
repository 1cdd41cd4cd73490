//! What is shown of forward secrecy and healing, with its figures.

use super::text::Shown;
use super::{Page, badge};
use crate::view::StateFigure;
use countersign_trace::Verdict;
use maud::{Markup, html};

/// A capability that a scenario about the state needs, as a reason for leaving it out names it.
const CAPABILITIES: [&str; 3] = ["`clone`", "`export`", "`snapshot`"];

/// A check that shows something of it, by its instance.
struct Row<'a> {
    instance: usize,
    figure: StateFigure,
    check: &'a countersign_trace::Check,
}

impl Page<'_, '_> {
    fn rows(&self) -> Vec<Row<'_>> {
        let mut out = Vec::new();
        for (at, instance) in self.view.record.instances.iter().enumerate() {
            let Some(text) = self.view.scenario(instance) else { continue };
            for (step, figure) in &text.state {
                let check = instance.checks.iter().find(|check| check.step == Some(*step));
                out.extend(check.map(|check| Row { instance: at, figure: *figure, check }));
            }
        }
        out
    }

    /// Scenarios that need a capability which the candidate lacks.
    fn not_shown(&self) -> usize {
        let left_out = self.view.record.plan.iter().flat_map(|plan| &plan.left_out);
        let about = |because: &str| CAPABILITIES.iter().any(|capability| because.contains(capability));
        left_out.filter(|left| left.verdict == Verdict::Unsupported && about(&left.because)).count()
    }

    pub(super) fn has_healing(&self) -> bool {
        !self.rows().is_empty() || self.not_shown() > 0
    }

    pub(super) fn healing(&self) -> Markup {
        let (rows, not_shown) = (self.rows(), self.not_shown());
        let parts = [
            (StateFigure::Healing, "From when on a stolen copy is locked out"),
            (StateFigure::Thief, "What a stolen copy reads"),
            (StateFigure::Stored, "Which keys are stored"),
        ];
        html! {
            @if self.has_healing() {
                section aria-labelledby="healing" {
                    h2 #healing { "Forward secrecy and healing" }
                    p { "A thief's copy of a test user's state is fed with messages, and the stored bytes are searched for keys. Classically a copy is "
                        "locked out by the first step of the ratchet that it does not know, which shows directly. Post-quantum it is the progress of the "
                        "ratchet's epoch, which stands in each message: an upper bound." }
                    @if not_shown > 0 {
                        p { "Not shown in " (not_shown) " scenarios, since the candidate lacks a test capability for them." }
                    }
                    @for (figure, heading) in parts {
                        @let of: Vec<&Row<'_>> = rows.iter().filter(|row| row.figure == figure).collect();
                        @if !of.is_empty() {
                            h3 { (heading) }
                            ul {
                                @for row in of {
                                    li { (badge(row.check.verdict)) " " (self.link(row.instance)) ": " (Shown::line(&row.check.expected)) " — " (Shown::line(&row.check.observed)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
