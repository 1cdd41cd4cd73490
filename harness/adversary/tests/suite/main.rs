//! The stack against Signal's own code, and against itself.

#![cfg(test)]

mod across;
mod alterations;
mod classic;
mod conversation;
mod epochs;
mod fields;
mod hostile;
mod library;
mod limits;
mod official;
mod sealed;
mod sender_keys;
mod twins;
