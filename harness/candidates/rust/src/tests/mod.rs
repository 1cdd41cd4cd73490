//! The client against a mailbox of this test's own making.

mod carriers;
mod conversation;
mod defects;
mod identity;
mod library;
mod media;
mod post;
mod retry;
