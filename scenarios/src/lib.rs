//! The scenario language, requirements and profiles: data files, parsed with positions and linted.
//!
//! * [`language`]: what a scenario can say.
//! * [`profile`] and [`requirement`]: what a certification takes, and what each clause demands.
//! * [`suite`]: all files together, built in or from a folder, with names resolved.

pub mod language;
pub mod profile;
pub mod requirement;

pub use language::{Case, Cast, Scenario, Side, Step};
pub use profile::Profile;
pub use requirement::Requirement;
