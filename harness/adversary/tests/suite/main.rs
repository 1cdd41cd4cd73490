//! The stack against Signal's own code, and against itself.

mod classic;
mod conversation;
mod epochs;
mod library;
mod limits;
mod twins;
