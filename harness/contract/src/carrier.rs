//! The envelope of calls on standard input and output: one JSON object a line, in each direction.
//!
//! Replies may come in any order; `id` pairs them with their requests. Standard output carries replies and nothing else; what the
//! candidate has to say to people goes to standard error. Over HTTP there is no envelope: `POST /{operation}` carries the
//! arguments, 200 the answer, and any other status a [`Problem`] as `application/problem+json`.
//!
//! Where the endpoint asks for a bearer token, a call without the right one is answered 401 with a header `WWW-Authenticate`
//! (RFC 9110, section 15.5.2). That header tells it from a 401 that the *gateway* gave to the candidate's client.
//!
//! A candidate that cannot be reached from outside dials out: it opens a WebSocket at the address that it is told, with the key as
//! a bearer token, and then each text frame carries what a line would, without the line feed. When the connection breaks off, all
//! instances that were opened on it are lost; the candidate dials again, and forgets them on `close`. A close frame with code 1000
//! is the end of the run.

use crate::{Answer, Call, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest line in either direction, in bytes, the line feed included.
pub const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// One call, as a line on the candidate's standard input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Pairs the reply with the request; counts up from 1.
    pub id: u64,
    /// Name of the operation.
    pub op: String,
    /// Its arguments.
    pub args: Value,
}

/// One reply, as a line on the candidate's standard output: either `ok` or `problem`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The request's id.
    pub id: u64,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<Value>,
    /// Or what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

impl Request {
    /// Wraps a call.
    #[must_use]
    pub fn new(id: u64, call: &Call) -> Self {
        Self { id, op: call.operation().as_str().to_owned(), args: call.args() }
    }
}

impl Reply {
    /// Wraps an outcome.
    #[must_use]
    pub fn new(id: u64, outcome: Result<Answer, Problem>) -> Self {
        match outcome {
            Ok(answer) => Self { id, ok: Some(answer.to_value()), problem: None },
            Err(problem) => Self { id, ok: None, problem: Some(problem) },
        }
    }
}
