//! How the client reaches its gateway: one request at a time, and one chat channel. The network is one way, memory another.

use async_trait::async_trait;
use bytes::Bytes;
use countersign_contract::InstanceId;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A request to the gateway, as the contract's module `portable` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Path under the gateway's base URL; starts with a slash.
    pub path: String,
    /// Bearer token, for every request but `enlist`.
    pub token: Option<String>,
    /// Media type of the body; empty if there is no body.
    pub content_type: &'static str,
    /// The body, as it goes on the wire; a repeated request shares it.
    pub body: Bytes,
}

/// The gateway's answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireReply {
    /// HTTP status.
    pub status: u16,
    /// The header `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
    /// The body.
    pub body: Bytes,
}

/// An open chat channel: stanzas as JSON texts. Dropping `frames_out` closes it; `frames_in` ends when it is closed.
#[derive(Debug)]
pub struct Chat {
    /// To the gateway.
    pub frames_out: mpsc::Sender<String>,
    /// From the gateway.
    pub frames_in: mpsc::Receiver<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The URL of the gateway is not one that this wire understands.
    #[error("`{0}` is not an address of a gateway")]
    Address(String),
    /// No connection, or one that broke.
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(String),
    /// The chat channel was answered with an HTTP error.
    #[error("the gateway refused the chat channel with status {}", .0.status)]
    Refused(WireReply),
    /// The answer ended before it was whole.
    #[error("the gateway's answer broke off")]
    BrokenOff,
    /// The answer is larger than the contract allows.
    #[error("the gateway's answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// A way to one instance's gateway.
#[async_trait]
pub trait Wire: Send + Sync {
    /// Sends a request once and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// See [`WireError`]; an HTTP error status is an answer, not an error.
    async fn request(&self, http: WireRequest) -> Result<WireReply, WireError>;

    /// Opens the chat channel of the user to whom `token` belongs; waits until it is open.
    ///
    /// # Errors
    /// See [`WireError`].
    async fn chat(&self, token: &str) -> Result<Chat, WireError>;
}

/// Makes the wire of an instance from the gateway URL and the trust anchors that `open` named.
pub type WireFactory = Arc<dyn Fn(InstanceId, &str, Option<&str>) -> Result<Arc<dyn Wire>, WireError> + Send + Sync>;
