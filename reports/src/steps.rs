//! What became of a scenario's steps.

use crate::view::symbol;
use crate::visible::visible;
use countersign_trace::{Event, InstanceResult};

/// Sign and word of a step: its worst check, or whether it was reached at all.
pub(crate) fn step_state(instance: &InstanceResult, index: usize) -> (&'static str, String) {
    if let Some(verdict) = instance.checks.iter().filter(|c| c.step == Some(index)).map(|c| c.verdict).max() {
        return (symbol(verdict), verdict.as_str().to_owned());
    }
    let mut reached = false;
    for entry in &instance.trace {
        match &entry.event {
            Event::Skipped { index: at, missing } if *at == index => {
                return ("○", format!("skipped, for want of {}", visible(missing, 120)));
            }
            Event::Step { index: at } if *at == index => reached = true,
            _ => {}
        }
    }
    if reached { ("·", "done".into()) } else { (" ", "not reached".into()) }
}
