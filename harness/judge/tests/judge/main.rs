//! The judge on handmade traces: every expectation and monitor is shown passing and failing.

mod adversarial;
mod expectations;
mod messages;
mod monitors;
mod run;
mod steps;
mod support;
mod timing;
