//! The trace of one instance: what went in, in the order in which it was consumed, and what came of each input.
//!
//! Inputs are all that an execution depends on. Feeding them to the reference again, in the same order and with the same seed,
//! gives every other entry again, byte for byte: that is how `verify` re-executes.

use crate::{Body, Observation};
use countersign_contract::{Problem, StanzaId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most characters of a text in [`Input::Refused`]: a candidate's bytes must not fill a record.
pub const MOST_REFUSED: usize = 300;

/// One entry of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counts from 0 within the instance.
    pub n: u64,
    /// Microseconds since the instance began, on a clock that never goes back: when the input was consumed, or the input from
    /// which this entry followed.
    pub at_us: u64,
    /// What happened.
    pub event: Event,
}

/// A whole trace.
pub type Trace = Vec<Entry>;

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// Something came in from outside.
    Input(Input),
    /// We call an operation of the candidate.
    Call {
        /// Pairs it with its outcome; counts from 1 within the instance.
        call: u64,
        /// Name of the operation.
        op: String,
        /// Its arguments.
        args: Value,
        /// Position of the scenario's step that makes it, from 0; `None` for set-up.
        step: Option<usize>,
    },
    /// The gateway answers a request of the candidate.
    Reply {
        /// Which request.
        request: u64,
        /// HTTP status.
        status: u16,
        /// Content type.
        content_type: String,
        /// The body as sent.
        body: Body,
        /// True if this answer was bent by the disturbance layer.
        disturbed: bool,
    },
    /// The gateway sends a frame to the candidate.
    Frame {
        /// On which channel.
        channel: u64,
        /// The text frame as sent.
        text: Body,
    },
    /// The gateway closes a channel of the candidate.
    Close {
        /// Which.
        channel: u64,
    },
    /// The instance asks to be woken.
    SetTimer {
        /// Which timer; counts from 1.
        timer: u64,
        /// After how many microseconds of real time.
        after_us: u64,
    },
    /// A step of the scenario begins.
    Step {
        /// Its position, from 0.
        index: usize,
    },
    /// A step could not be carried out since something that it needs is missing; names what.
    Skipped {
        /// Position of the step.
        index: usize,
        /// What is missing.
        missing: String,
    },
    /// A stanza got the name that scenarios use for it, such as `m1` or `m1/receipt`.
    Named {
        /// The name.
        name: String,
        /// Its id.
        stanza: StanzaId,
    },
    /// The network between the parties did something to a stanza or answer.
    Disturbed {
        /// Which stanza, if it was one.
        stanza: Option<StanzaId>,
        /// In words: held, released, dropped, repeated, tampered: …
        how: String,
    },
    /// A request or stanza that a reference user sent to the gateway, as bytes on the same codecs.
    FromReference {
        /// Who.
        user: UserId,
        /// Method and path, or `stanza`.
        what: String,
        /// The body as sent.
        body: Body,
    },
    /// What the gateway gave to a reference user.
    ToReference {
        /// Who.
        user: UserId,
        /// Method and path, or `stanza`.
        what: String,
        /// The body.
        body: Body,
    },
    /// What a reference user or the gateway observed and the wire does not show.
    Observed {
        /// Who; `None` for the gateway.
        user: Option<UserId>,
        /// What.
        observation: Observation,
    },
    /// The scenario is done: no step is left.
    Finished,
}

/// What comes in from outside: all that an execution depends on besides scenario and seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Input {
    /// The instance begins; the wall clock said this, in milliseconds since the Unix epoch.
    Start {
        /// Wall clock.
        now_ms: u64,
    },
    /// A call came back.
    Returned {
        /// Which call.
        call: u64,
        /// With what.
        outcome: Outcome,
    },
    /// The candidate sent a request to the gateway.
    Request {
        /// Pairs it with its reply; counts from 1 within the instance.
        request: u64,
        /// HTTP method.
        method: String,
        /// Path below the instance's base URL, with its leading slash and without a query.
        path: String,
        /// The bearer token, if there was one.
        token: Option<String>,
        /// The body as received.
        body: Body,
    },
    /// The candidate asks for a chat channel.
    ChatOpened {
        /// Which channel; counts from 1 within the instance.
        channel: u64,
        /// The bearer token, if there was one.
        token: Option<String>,
    },
    /// A text frame from the candidate.
    ChatFrame {
        /// On which channel.
        channel: u64,
        /// The frame as received. A binary frame or invalid UTF-8 stands here as bytes.
        text: Body,
    },
    /// The transport refused something of the candidate's before the gateway saw it: larger than its limit, or not the protocol.
    Refused {
        /// Which request or frame, in words; cut after [`MOST_REFUSED`] characters.
        what: String,
        /// What was wrong with it, cut likewise.
        problem: Problem,
    },
    /// A request ended before its body did: the connection broke, or its client gave up. The gateway never saw it.
    BrokenOff {
        /// Which request, in words; cut after [`MOST_REFUSED`] characters.
        what: String,
    },
    /// A channel is gone.
    ChatClosed {
        /// Which.
        channel: u64,
    },
    /// A timer fired.
    Timer {
        /// Which.
        timer: u64,
    },
    /// The run was interrupted, or the candidate went away for good: no further input will come.
    Aborted {
        /// Why, in words.
        cause: String,
        /// Whether the candidate did more in this very instance than is taken of one. What a whole run took is held against none of
        /// its instances.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        too_much: bool,
    },
}

impl Input {
    /// An end that has nothing to do with what this instance did.
    #[must_use]
    pub fn aborted(cause: impl Into<String>) -> Self {
        Self::Aborted { cause: cause.into(), too_much: false }
    }

    /// A request that ended too early, with its text cut to [`MOST_REFUSED`] characters.
    #[must_use]
    pub fn broken_off(what: &str) -> Self {
        Self::BrokenOff { what: what.chars().take(MOST_REFUSED).collect() }
    }

    /// What the transport refused, with texts cut to [`MOST_REFUSED`] characters.
    #[must_use]
    pub fn refused(what: &str, problem: &Problem) -> Self {
        let cut = |text: &str| text.chars().take(MOST_REFUSED).collect::<String>();
        Self::Refused { what: cut(what), problem: Problem::new(problem.reason, cut(&problem.detail)) }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// It succeeded; the answer has the form of the contract.
    Ok(Value),
    /// The candidate answered with a problem.
    Problem(Problem),
    /// There is no answer that could be judged: the candidate is gone, stuck, or does not speak the contract. A conformance failure
    /// only where a scenario expects exactly that the candidate survives.
    Fault {
        /// What kind.
        fault: Fault,
        /// In words, with the beginning of what came instead.
        detail: String,
    },
}

/// Why a call has no answer that could be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The endpoint cannot be reached, or went away.
    Gone,
    /// It was ended since it used more than it may: memory, or sizes of files.
    Exceeded,
    /// It was ended since it had used up the processor time that it may have in its life.
    Overran,
    /// The deadline of the operation passed.
    Deadline,
    /// The answer is not of the contract: not JSON, wrong type, too long, noise.
    NotTheContract,
}

impl Event {
    /// The body that it carries, if it carries one.
    #[must_use]
    pub const fn body(&self) -> Option<&Body> {
        match self {
            Self::Input(Input::Request { body, .. } | Input::ChatFrame { text: body, .. })
            | Self::Reply { body, .. }
            | Self::Frame { text: body, .. }
            | Self::FromReference { body, .. }
            | Self::ToReference { body, .. } => Some(body),
            _ => None,
        }
    }
}
