//! The client against a mailbox of this test's own making.

mod carriers;
mod conversation;
mod defects;
mod identity;
mod import;
mod library;
mod media;
mod post;
mod retry;
mod sealed;
mod sessions;
mod slips;
mod vaults;
