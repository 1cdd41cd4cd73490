//! The built-in candidate in this process: calls without an envelope, and gateway traffic over the in-memory transport.

use super::{Broken, Endpoint, FirstCause, Patience, Raw};
use crate::gateways::MemoryGateways;
use async_trait::async_trait;
use countersign_contract::InstanceId;
use countersign_gateway::HttpRequest;
use countersign_gateway::memory::MemoryClient;
use countersign_sample::{Chat, Defects, Sample, Wire, WireError, WireReply, WireRequest};
use serde_json::Value;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The sample candidate, called in this process.
pub struct InProcess {
    sample: Sample,
    patience: Patience,
    cause: FirstCause,
}

impl InProcess {
    /// A sample with these defects that reaches its gateways in memory.
    #[must_use]
    pub fn new(defects: Arc<dyn Defects>, gateways: MemoryGateways, patience: Patience) -> Self {
        let wires = move |instance: InstanceId, url: &str, _: Option<&str>| match gateways.client(instance) {
            Some(client) => Ok(Arc::new(MemoryWire(client)) as Arc<dyn Wire>),
            None => Err(WireError::Address(url.chars().take(200).collect())),
        };
        Self { sample: Sample::new(Arc::new(wires), defects), patience, cause: FirstCause::default() }
    }
}

#[async_trait]
impl Endpoint for InProcess {
    async fn exchange(&self, op: &str, args: Value) -> Raw {
        if let Some(cause) = self.cause.get() {
            return Raw::Broken(cause);
        }
        let deadline = self.patience.deadline(op);
        // A task of its own, so that a panic in there is an outcome here; dropping the set ends it.
        let mut task = JoinSet::new();
        let (sample, name) = (self.sample.clone(), op.to_owned());
        task.spawn(async move { sample.answer(&name, args).await });
        let answered = async {
            tokio::select! {
                biased;
                () = self.sample.ended() => Err(Broken::gone("the built-in candidate ended")),
                answer = task.join_next() => Ok(answer),
            }
        };
        let answered = match tokio::time::timeout(deadline, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(ended)) => {
                self.cause.set(ended.clone());
                return Raw::Broken(ended);
            }
            Err(late) => Err(late),
        };
        match answered {
            Ok(Some(Ok(Ok(answer)))) => Raw::Ok(answer),
            Ok(Some(Ok(Err(problem)))) => Raw::Problem(problem),
            Ok(Some(Err(error))) => Raw::Broken(Broken::gone(format!("the built-in candidate broke down in `{op}`: {error}"))),
            Ok(None) => Raw::Broken(Broken::gone(format!("the built-in candidate gave no answer to `{op}`"))),
            Err(_) => Raw::Broken(Broken::deadline(op, deadline)),
        }
    }

    fn broken(&self) -> Option<Broken> {
        self.cause.get()
    }

    fn mark_broken(&self, cause: Broken) {
        self.cause.set(cause);
    }

    async fn shut_down(&self) {}
}

/// The in-memory transport, as the sample's client sees it.
struct MemoryWire(MemoryClient);

#[async_trait]
impl Wire for MemoryWire {
    async fn request(&self, http: WireRequest) -> Result<WireReply, WireError> {
        let request = HttpRequest { method: http.method.to_owned(), path: http.path, token: http.token, body: http.body };
        let answer = self.0.request(request).await;
        if answer.breaks_off.is_some() {
            return Err(WireError::BrokenOff);
        }
        Ok(reply(answer))
    }

    async fn chat(&self, token: &str) -> Result<Chat, WireError> {
        let (frames_out, frames_in) = self.0.chat(Some(token)).await.map_err(|r| WireError::Refused(reply(r)))?;
        Ok(Chat { frames_out, frames_in })
    }
}

fn reply(reply: countersign_gateway::HttpReply) -> WireReply {
    WireReply { status: reply.status, retry_after_s: reply.retry_after_s, body: reply.body }
}
