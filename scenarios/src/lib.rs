//! The scenario language, requirements and profiles: data files, parsed with positions and linted.
//!
//! * [`language`]: what a scenario can say.
//! * [`profile`] and [`requirement`]: what a certification takes, and what each clause demands.
//! * [`suite`]: all files together, built in or from a folder, with names resolved.
//! * [`diagnostic`]: every fault in them, with its place and a hint.
//! * [`nearest`]: names that a user may have meant.
//! * [`describe`]: steps in plain words, for reports.
//! * [`waivers`]: what somebody answers for, as a file.
//! * [`schema`]: JSON Schemas, for editors.

pub mod describe;
pub mod diagnostic;
pub mod language;
mod lint;
pub mod nearest;
pub mod plan;
pub mod profile;
pub mod requirement;
pub mod schema;
pub mod suite;
pub mod waivers;
mod yaml;

pub use describe::describe_step;
pub use diagnostic::Diagnostic;
pub use language::{Case, Cast, Scenario, Side, Step};
pub use lint::TAMPER_FIELDS;
pub use profile::Profile;
pub use requirement::Requirement;
pub use schema::schemas;
pub use suite::{LoadedScenario, Planned, Suite, SuiteFiles};
