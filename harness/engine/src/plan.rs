//! Which instances a run executes: decided from data alone, in the scenario crate, so that `verify` can decide it again.

pub use countersign_scenarios::plan::*;
