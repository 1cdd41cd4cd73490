//! The `portable` binding: how the candidate's client talks to the gateway.
//!
//! # Requests
//! All under the base URL that `open` gave. Bodies are JSON, but for media. Every request but `enlist` carries
//! `Authorization: Bearer <token>`; the token comes from `enlist` and belongs to one user. Failures are problems (RFC 9457).
//! A client retries a request that was answered `busy` (503) or `gateway-error` (502): it waits about 50 ms before the first retry,
//! doubles the pause each time, adds a little chance, and gives up with `gateway-error` after six attempts in all. `Retry-After`
//! (seconds) is a lower bound for the next pause. A download whose connection breaks before all bytes of `Content-Length` have come
//! counts as answered `gateway-error`: the client asks for the whole file again. The gateway answers no `Range`.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /enlist` | [`Enlist`] | [`Enlisted`]; enlisting a user again replaces all its keys and empties its mailbox |
//! | `GET /keys/{user}` | | [`KeyBundle`]: each one-time prekey is handed out once |
//! | `PUT /keys` | [`PublishKeys`] | [`KeyCount`] |
//! | `PUT /media` | the blob | [`Uploaded`] |
//! | `GET /media/{name}` | | the blob |
//! | `GET /files/{name}` | | a plaintext file that the upper tester asked to send: part of the test, not of the product |
//! | `GET /blocks` | | [`BlockList`] |
//! | `PUT /blocks` | [`BlockList`]: the whole list | [`BlockList`], as it is now |
//! | `POST /groups` | [`GroupList`]: a new group, version 1, its creator among the members | [`GroupList`] |
//! | `PUT /groups/{group}` | [`GroupList`]: all members after the change, under the version after the present one | [`GroupList`], as it is now |
//! | `GET /groups/{group}` | | [`GroupList`] |
//! | `GET /certificate` | | [`SenderCertificate`] of the token's user, in the suite `signal-pq`: see the module [`crate::sealed`] |
//! | `DELETE /user` | | [`Deleted`]; the user's keys, mailbox and token are gone |
//! | `GET /chat` | WebSocket | [`Stanza`]s as text frames |
//!
//! # Who is enlisted
//! Undelivered stanzas are kept for 30 days. A user whose client was not connected for more than 30 days is un-enlisted: its keys,
//! its mailbox and its token are gone, as if it had been deleted. The token of a user that is not enlisted any more is answered
//! `not-enlisted`, at `GET /chat` and everywhere else; one that a later enlistment replaced, `unauthorized`. A client reports
//! `not-enlisted` and does not enlist again by itself.
//! To others a user that was deleted or un-enlisted and one that never was are the same: `unknown-user`. A message from such a user
//! that was under way is shown as any other; that the receipt for it is refused has no consequence.
//!
//! # Chat channel
//! A client sends a stanza under an id of its own choice and waits for `accepted` or `refused` with that id. The gateway
//! delivers stanzas in order and keeps each of them in the mailbox until the client has sent `ack` for it: after it processed it,
//! whatever came of that. Only one channel is open for a user; a new one ends the old one.
//!
//! For each message that it shows, a client sends a `delivered` receipt, and for nothing else: see the module
//! [`crate::conversation`] for what is shown and what is no message. For a message that it cannot decrypt (for want of a
//! session, of a key, or because a MAC does not match) it sends a `retry` receipt, and no more than [`MOST_RETRIES`] for one
//! message; a message that it received before (`duplicate`, `too-old`) gets neither. What goes out does not say which check failed: a
//! message that is one by its form and cannot be read under its keys is answered in one way, whether its MAC, the length of its
//! ciphertext or the padding of its cipher is wrong. A sender that gets a `retry` receipt for a
//! message that it did send to this user fetches the peer's bundle, sets up a new session, and sends the same content again under a new stanza
//! id; if the identity key changed, it tells the user and sends nothing until the user has accepted. It sends one content again no more
//! than [`MOST_RETRIES`] times: a receiver cannot know that two stanzas carry the same content, and counts for each stanza id.
//! When a fetch leaves a user without one-time prekeys, the gateway sends `keys-low`, and the client publishes a new batch.
//!
//! A gateway may be newer than a client. Members of a stanza that a client does not know are ignored
//! ([`Stanza::from_gateway`]). A stanza of a kind that it does not know, but with an `id`, is acknowledged, so that it does not come
//! again for ever, and is otherwise without effect; it may be reported as refused (`unsupported`).
//!
//! # What a session has to stand
//! Messages overtake each other and get lost. A receiver keeps the keys of skipped messages, at least 2,000 of them as Signal's
//! library does, and an earlier session stays readable after either side began a new one. A session that was set up and that the peer
//! has not answered for 30 days is not sent in any more: the sender fetches a bundle and sets up a new one, as Signal's library does
//! by itself. It still reads what comes in the old one. The registration id that a sender repeats outside of its first messages is
//! covered by no authentication code, and no key depends on it: another one than before is no reason to refuse the honest messages that
//! follow.
//!
//! # Groups
//! The gateway keeps a group's list of members; any member changes it by `PUT`, and whoever is none gets `unknown-group` for everything
//! about the group. A change under another version than the next one is refused as `stale-group`: the client fetches the list and
//! decides anew. All members are told by a `group` stanza, in order with everything else in their mailbox: so a client knows the list
//! for which a `group-message` was made before that message arrives. What is inside such a message, how sender keys are handed
//! out, and what is refused, says the module [`crate::groups`].
//! A member who deletes itself stays on the list until somebody changes it.
//!
//! # Sealed sender
//! A `sealed-message` is delivered without `from`. Who sent it says a certificate inside it, and what that is worth says the module
//! [`crate::sealed`].
//!
//! # Blocked users
//! A user's block list is at the gateway. Stanzas of a blocked user to the one who blocked it are accepted as any other and not
//! delivered: the sender is told nothing, then or later. What was under way before can still arrive, and the gateway may fail: so a
//! client acknowledges a message of a user whom its user has blocked, does not show it, reports it as refused (`blocked`), whether
//! or not it could have been read, and sends no receipt for it, neither `delivered` nor `retry`. A receipt of such a user is
//! acknowledged and has no effect. To a blocked user a client sends nothing: no message, no read receipt, no typing indicator. A user
//! who is blocked no longer is as any other; what it wrote in between is lost. Enlisting anew, and being deleted or un-enlisted,
//! empties the list.
//! Of a `sealed-message` the gateway does not look who sent it, so that keeping to the list is the client's part alone.
//!
//! # Ciphertext
//! `message` stanzas carry a serialised libsignal message: [`MessageType::Prekey`] or [`MessageType::Normal`]. Both addresses of a
//! session are the user's UUID in lower case with hyphens, and device 1. The high half of its first byte is the message version: 4 in
//! the suite `signal-pq`, 3 in `signal-classic`. The low half is the sender's own latest version, and no reason to refuse a message.
//! Any other version, later or earlier, is refused as `bad-version` and not asked for again.
//! In `signal-classic` there are no Kyber keys: bundles and enlistments carry none, and messages neither Kyber fields nor the
//! post-quantum ratchet.
//!
//! # Safety number
//! 60 digits: libsignal's displayable fingerprint, version 2, 5200 iterations, identifiers = the 16 bytes of the users' UUIDs.

mod keys;
mod stanza;

pub use keys::*;
pub use stanza::*;

/// Device number of every user.
pub const DEVICE: u32 = 1;
/// How often a receiver asks for one message again.
pub const MOST_RETRIES: u32 = 5;
/// Attempts at a request that is answered `busy` or `gateway-error`, the first included.
pub const MOST_ATTEMPTS: u32 = 6;
/// The pause before the first such retry, in milliseconds; each further one is twice as long.
pub const FIRST_PAUSE_MS: u64 = 50;
/// Iterations of the safety number.
pub const SAFETY_NUMBER_ITERATIONS: u32 = 5200;
/// Version of the safety number.
pub const SAFETY_NUMBER_VERSION: u32 = 2;
/// Largest stanza in bytes of JSON.
pub const LARGEST_STANZA: usize = 1024 * 1024;
/// Largest JSON body of a request in bytes.
pub const LARGEST_BODY: usize = 1024 * 1024;
/// Most users on one block list.
pub const MOST_BLOCKED: usize = 1000;
/// Most members of a group. The number is ours.
pub const MOST_MEMBERS: usize = 256;
/// Most one-time prekeys of one kind that one request may publish.
pub const MOST_PREKEYS: usize = 100;
/// Content type of JSON bodies.
pub const JSON: &str = "application/json";
/// Content type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Content type of blobs.
pub const OCTETS: &str = "application/octet-stream";
