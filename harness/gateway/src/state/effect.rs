//! What goes in and what comes out.

use super::limits::LONGEST_DETAIL;
use bytes::Bytes;
use countersign_contract::portable::{JSON, MessageType, OCTETS, PROBLEM_JSON, Stanza};
use countersign_contract::{Problem, Reason, StanzaId, UserId};
use serde::Serialize;

/// Pairs a request with its reply; whoever feeds the gateway counts them.
pub type RequestId = u64;
/// One chat channel; whoever feeds the gateway counts them and uses none twice.
pub type ChannelId = u64;

/// A request, as far as the binding looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Method, in capitals.
    pub method: String,
    /// Path below the instance's base URL, with its leading slash, without a query.
    pub path: String,
    /// The bearer token, if there was one.
    pub token: Option<String>,
    /// The body; a large one is shared, never copied.
    pub body: Bytes,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: &'static str,
    /// The body; a large one is shared, never copied.
    pub body: Bytes,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
    /// The body is the plaintext file of this name, and `body` is empty: a large file is only made where it is wanted.
    pub file: Option<String>,
    /// The connection breaks after the body, which a client was told is that many bytes long.
    pub breaks_off: Option<u64>,
}

impl HttpReply {
    pub(crate) fn json<T: Serialize>(value: &T) -> Self {
        // Serialising our own types to memory cannot fail: they hold no maps with keys that are not strings.
        Self::whole(200, JSON, serde_json::to_vec(value).unwrap_or_default().into())
    }

    pub(crate) const fn octets(body: Bytes) -> Self {
        Self::whole(200, OCTETS, body)
    }

    const fn whole(status: u16, content_type: &'static str, body: Bytes) -> Self {
        Self { status, content_type, body, retry_after_s: None, file: None, breaks_off: None }
    }

    /// The answer that carries a problem, with the status that belongs to its reason.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let body = serde_json::to_vec(problem).unwrap_or_default();
        Self::whole(problem.status.unwrap_or_else(|| problem.reason.status()), PROBLEM_JSON, body.into())
    }

    /// The answer for a reason; `detail` is for people and is cut to a bounded length.
    #[must_use]
    pub fn refuse(reason: Reason, detail: &str) -> Self {
        Self::problem(&Problem::new(reason, bounded(detail)))
    }
}

/// What the gateway does, in the order in which it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answer a request of the candidate.
    Reply {
        /// Which.
        request: RequestId,
        /// With what.
        reply: HttpReply,
        /// True if the disturbance layer bent it.
        disturbed: bool,
    },
    /// Send a text frame to a client of the candidate.
    Frame {
        /// On which channel.
        channel: ChannelId,
        /// The frame.
        text: String,
    },
    /// End a channel of the candidate. No frame for it follows.
    CloseChannel {
        /// Which.
        channel: ChannelId,
    },
    /// A stanza reaches a reference user that is online.
    ToReference {
        /// Who.
        user: UserId,
        /// What.
        stanza: Stanza,
    },
    /// A stanza is held so that the caller may compute another body for it: see [`crate::Gateway::release_bent`].
    Bend {
        /// Which.
        stanza: StanzaId,
        /// Its body as it arrived.
        body: Vec<u8>,
        /// What kind of libsignal message that is; `None` for a sender key message, and for a sealed one.
        r#type: Option<MessageType>,
    },
    /// The network between the parties did something.
    Disturbed {
        /// To which stanza, if it was one.
        stanza: Option<StanzaId>,
        /// In words.
        how: String,
    },
    /// Somebody broke the binding: what they sent was refused, and this says what was wrong with it.
    Invalid {
        /// Which request or stanza, in words.
        what: String,
        /// What is wrong with it. May quote what was sent, in a bounded length and with control characters escaped.
        detail: String,
    },
}

/// Text that may quote a candidate: bounded, and without control characters.
pub(crate) fn bounded(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(LONGEST_DETAIL)
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect();
    if text.chars().nth(LONGEST_DETAIL).is_some() {
        out.push('…');
    }
    out
}
