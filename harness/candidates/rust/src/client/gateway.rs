//! Requests to the gateway, with the retries that the contract prescribes.

use crate::defect::{Defect, Defects};
use crate::wire::{Chat, Wire, WireError, WireReply, WireRequest};
use bytes::Bytes;
use countersign_contract::portable::{FIRST_PAUSE_MS, MOST_ATTEMPTS};
use countersign_contract::{Problem, Reason};
use rand::Rng as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// Longest `Retry-After` that is heeded, in seconds: more would outlast every operation's deadline.
const LONGEST_RETRY_AFTER: u32 = 20;

/// The gateway as a client asks it.
#[derive(Clone)]
pub(super) struct Gateway {
    wire: Arc<dyn Wire>,
    defects: Arc<dyn Defects>,
}

impl Gateway {
    pub(super) fn new(wire: Arc<dyn Wire>, defects: Arc<dyn Defects>) -> Self {
        Self { wire, defects }
    }

    /// The body of the gateway's answer.
    ///
    /// # Errors
    /// The problem that the gateway answered with; `gateway-error` if it went on doing so, or cannot be reached.
    pub(super) async fn request(
        &self,
        method: &'static str,
        path: String,
        token: Option<&str>,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Result<Bytes, Problem> {
        let request = WireRequest { method, path, token: token.map(str::to_owned), content_type, body: body.into() };
        let mut pauses = Pauses::new(self.defects.clone());
        loop {
            let reply = match self.wire.request(request.clone()).await {
                Ok(reply) => reply,
                // What came before the break is of no use: the contract has no way to go on from there.
                Err(WireError::BrokenOff) if !self.defects.has(Defect::GivesUpBrokenDownload) => {
                    pauses.after(no_answer(WireError::BrokenOff), None).await?;
                    continue;
                }
                Err(other) => return Err(no_answer(other)),
            };
            if (200..300).contains(&reply.status) {
                return Ok(reply.body);
            }
            pauses.after(problem_of(&reply), reply.retry_after_s).await?;
        }
    }

    /// The same, once: for the defect `gives-refill-up`.
    ///
    /// # Errors
    /// As for [`Self::request`].
    pub(super) async fn attempt(
        &self,
        method: &'static str,
        path: String,
        token: Option<&str>,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Result<Bytes, Problem> {
        let request = WireRequest { method, path, token: token.map(str::to_owned), content_type, body: body.into() };
        let reply = self.wire.request(request).await.map_err(no_answer)?;
        if (200..300).contains(&reply.status) { Ok(reply.body) } else { Err(problem_of(&reply)) }
    }

    /// Opens the chat channel.
    ///
    /// # Errors
    /// As for [`Self::request`].
    pub(super) async fn chat(&self, token: &str) -> Result<Chat, Problem> {
        let mut pauses = Pauses::new(self.defects.clone());
        loop {
            match self.wire.chat(token).await {
                Ok(chat) => return Ok(chat),
                Err(WireError::Refused(reply)) => pauses.after(problem_of(&reply), reply.retry_after_s).await?,
                Err(other) => return Err(no_answer(other)),
            }
        }
    }
}

/// The pauses between the attempts at one thing: each about twice as long as the one before.
pub(super) struct Pauses {
    attempts: u32,
    defects: Arc<dyn Defects>,
}

impl Pauses {
    pub(super) fn new(defects: Arc<dyn Defects>) -> Self {
        Self { attempts: 1, defects }
    }

    /// Waits before the next attempt, if there is to be one after this problem.
    ///
    /// # Errors
    /// The problem itself if it will not pass; `gateway-error` after the last attempt.
    pub(super) async fn after(&mut self, problem: Problem, retry_after_s: Option<u32>) -> Result<(), Problem> {
        if !matches!(problem.reason, Reason::Busy | Reason::GatewayError) {
            return Err(problem);
        }
        if self.attempts >= MOST_ATTEMPTS || self.defects.has(Defect::NeverRetriesGateway) {
            return Err(Problem::new(Reason::GatewayError, format!("after {} attempts: {problem}", self.attempts)));
        }
        let doubled = if self.defects.has(Defect::RetriesWithoutGrowingPauses) { 0 } else { self.attempts - 1 };
        let pause = FIRST_PAUSE_MS << doubled;
        // A little chance keeps many clients from coming back at the same moment; the pauses still grow.
        let pause = Duration::from_millis(pause + rand::rng().random_range(0..=pause / 5));
        let least = Duration::from_secs(retry_after_s.unwrap_or(0).min(LONGEST_RETRY_AFTER).into());
        self.attempts += 1;
        tokio::time::sleep(pause.max(least)).await;
        Ok(())
    }
}

/// Reads a JSON answer.
///
/// # Errors
/// `gateway-error`: an answer that is none is the gateway's fault.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|e| Problem::new(Reason::GatewayError, format!("the gateway's answer: {e}")))
}

/// Writes a JSON body.
///
/// # Errors
/// `internal`; does not happen for the contract's types.
pub(super) fn json<T: Serialize>(body: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(body).map_err(|e| Problem::new(Reason::Internal, e.to_string()))
}

/// The problem in an answer; the status speaks for one that carries none.
fn problem_of(reply: &WireReply) -> Problem {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| {
        let reason = match reply.status {
            503 => Reason::Busy,
            401 => Reason::Unauthorized,
            403 => Reason::NotEnlisted,
            404 => Reason::UnknownUser,
            413 => Reason::TooLarge,
            _ => Reason::GatewayError,
        };
        Problem::new(reason, format!("the gateway answered with status {}", reply.status))
    })
}

fn no_answer(error: WireError) -> Problem {
    let reason = if matches!(error, WireError::TooLarge(_)) { Reason::TooLarge } else { Reason::GatewayError };
    Problem::new(reason, error.to_string())
}
