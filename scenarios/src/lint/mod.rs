//! Checks of data files. Every fault is collected, not the first alone.

mod group;
mod mentions;
mod names;
mod rules;
mod scenario;
mod sealed;
mod state;
mod stored;
mod suite;
mod whole;
mod words;

pub use rules::TAMPER_FIELDS;
pub(crate) use scenario::read_scenario;
pub(crate) use suite::{Files, check_suite, read_profile, read_requirements, scenario_glob};
