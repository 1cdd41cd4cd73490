//! Partners who are not on this machine, played by the sample over the loopback: tokens, certificates, dialling out, and what goes
//! wrong with each.
#![expect(clippy::expect_used, clippy::panic, reason = "a test ends when something is not as it has to be")]

mod certificates;
mod faults;
mod partner;
mod settings;
mod whole;
