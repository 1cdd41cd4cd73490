//! The judge on handmade traces: every expectation and monitor is shown passing and failing.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests, their builders included")]

mod adversarial;
mod chances;
mod either;
mod expectations;
mod life;
mod messages;
mod monitors;
mod nearest;
mod run;
mod sealed;
mod state;
mod steps;
mod support;
mod talk;
mod timing;
mod waivers;
