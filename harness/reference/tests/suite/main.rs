//! Tests of the reference users from outside.

#![cfg(test)]

mod bad_keys;
mod common;
mod conversation;
mod determinism;
mod groups;
mod hostile;
mod identity;
mod media;
mod ratchet_model;
mod sealed;
mod tampering;
