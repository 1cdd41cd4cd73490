//! YAML as a tree in which everything has its place, and typed values read from it.
//!
//! The events come from serde-saphyr's own parser. The tree stands between, so that one bad step does not hide the next, and so
//! that a check can point at the word that it is about.

mod de;
mod node;

pub(crate) use de::{Sink, from_node};
pub(crate) use node::{Kind, Node, parse};
