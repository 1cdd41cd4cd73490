//! One file a command.

pub(crate) mod about;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod fuzz;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod remote;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod sample;
pub(crate) mod schema;
pub(crate) mod snapshots;
pub(crate) mod suite;
pub(crate) mod target;
pub(crate) mod vectors;
pub(crate) mod verify;
pub(crate) mod waivers;
