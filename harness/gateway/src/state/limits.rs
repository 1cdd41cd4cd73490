//! How much one instance may keep, whatever a candidate sends. The numbers are ours: no offer states any. They are far above what a
//! scenario needs, so that meeting one is a fault of the candidate.

/// Names of users that one instance ever knows, deleted ones included.
pub const MOST_USERS: usize = 1_000;
/// Enlistments in one instance, repeated ones included: each of them uses up a token.
pub const MOST_ENLISTMENTS: usize = 20_000;
/// One-time prekeys of one kind that the directory keeps for a user.
pub const MOST_KEPT_PREKEYS: usize = 2_000;
/// One-time prekeys of one kind that a user may publish between two enlistments.
pub const MOST_PUBLISHED_PREKEYS: usize = 50_000;
/// Groups of one instance.
pub const MOST_GROUPS: usize = 1_000;
/// Stanzas in one mailbox.
pub const MOST_IN_MAILBOX: usize = 50_000;
/// Stanzas that one instance accepts.
pub const MOST_STANZAS: usize = 200_000;
/// Bytes of stanzas that one instance keeps.
pub const MOST_STANZA_BYTES: usize = 256 * 1024 * 1024;
/// Blobs of one instance.
pub const MOST_BLOBS: usize = 20_000;
/// Bytes of blobs of one instance.
pub const MOST_BLOB_BYTES: usize = 256 * 1024 * 1024;
/// Copies that one `Repeat` adds.
pub const MOST_REPEATS: u32 = 10_000;
/// Characters of an explanation. What a candidate sent stands in some of them.
pub const LONGEST_DETAIL: usize = 300;
/// How long undelivered stanzas are kept, and how long a user may stay away before it is un-enlisted, in milliseconds of the
/// instance's time: 30 days. Source: the gatekeeper's public documentation, section on push.
pub const THIRTY_DAYS_MS: u64 = 30 * 24 * 60 * 60 * 1000;
