//! The stack against Signal's own code, and against itself.

mod classic;
mod library;
