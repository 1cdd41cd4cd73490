//! The course of one instance as a sequence diagram: who sent what to whom, and what the network did to it.
//!
//! A trace becomes a small [`Diagram`] (`read`), a long one is shortened and says so (`shorten`), and it is drawn (`svg`) or told
//! in words (`words`). Acknowledgements, acceptances and everything before the first step are left out unless a check points
//! to them: the trace has them.

mod model;
mod places;
mod read;
mod shorten;
mod svg;
#[cfg(test)]
mod tests;

pub(crate) use model::{Diagram, Shape};
pub(crate) use places::Places;
pub(crate) use read::diagram;
pub(crate) use svg::svg;
