//! How long messages of a burst took, as the trace has it: samples, percentiles, and how they are spread.
//!
//! The rule is the judge's: the time counts from the plan, not from the send, and a message that never arrived counts as one that
//! takes for ever. The percentile and its bounds are computed by the judge's own function.

mod chart;
mod samples;

pub(crate) use chart::{chart, sentence};
pub(crate) use samples::{Latency, latencies};

#[cfg(test)]
mod tests;
