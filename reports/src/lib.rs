//! Renderers of a record that was read: terminal, HTML, JUnit and a machine-readable summary.
//!
//! All of them are pure: a record goes in, text comes out; no file, no socket, no clock. They judge nothing: each verdict that
//! they print stands in the record, and what they add up (verdicts by requirement, coverage, the headline) is added up in one
//! place, so that no two renderers can disagree.
//!
//! A record quotes the candidate, and a candidate is hostile: every quoted text passes [`visible()`], which makes control,
//! bidirectional and invisible characters legible and cuts what is too long, before it is escaped for the format at hand.

pub mod baseline;
#[cfg(test)]
mod blank;
mod bytes;
mod causes;
mod contract_page;
mod diagram;
mod document;
mod entry;
mod headline;
mod html;
mod json;
mod junit;
mod latency;
mod measure;
mod odds;
mod signal;
mod standing;
mod steps;
mod terminal;
mod view;
mod visible;
mod waivers;

pub use contract_page::contract_page;
pub use headline::{Headline, Tone};
pub use html::html;
pub use json::json_summary;
pub use junit::junit;
pub use odds::found_with;
pub use standing::{Coverage, RequirementStanding, Standing};
pub use terminal::{
    Places, Style, Teller, WrittenFile, code, explain_check, explain_failure, explain_waiver, progress_line, terminal,
};
pub use view::{Failure, MeasureText, ProfileText, RequirementText, ScenarioText, StateFigure, View};
pub use visible::{visible, visible_block};
