//! The stack against Signal's own code, and against itself.

mod across;
mod classic;
mod conversation;
mod epochs;
mod fields;
mod library;
mod limits;
mod official;
mod twins;
