//! The candidate of a run, across its deaths.

use crate::Endpoint;
use crate::carrier::Raw;
use crate::gateways::Gateways;
use crate::target::Prepared;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// How often a candidate that broke is started again during a run. A candidate that dies whenever it is asked something must not
/// turn a run into a loop.
pub(super) const MOST_RESTARTS: u32 = 3;

pub(super) struct Candidate {
    prepared: Prepared,
    state: Mutex<State>,
}

struct State {
    endpoint: Arc<dyn Endpoint>,
    restarts: u32,
    most: u32,
}

impl Candidate {
    pub(super) fn new(prepared: Prepared, endpoint: Arc<dyn Endpoint>) -> Self {
        Self { prepared, state: Mutex::new(State { endpoint, restarts: 0, most: MOST_RESTARTS }) }
    }

    /// Lets it be started again so often, where its end is what is looked for.
    pub(super) fn allow_restarts(&self, most: u32) {
        self.lock().most = most;
    }

    pub(super) const fn gateways(&self) -> &Gateways {
        &self.prepared.gateways
    }

    pub(super) fn endpoint(&self) -> Arc<dyn Endpoint> {
        Arc::clone(&self.lock().endpoint)
    }

    /// What the endpoint has to say that is no verdict.
    pub(super) fn notes(&self) -> Vec<String> {
        let endpoint = self.endpoint();
        std::iter::from_fn(|| endpoint.take_note()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// If the candidate is broken, starts it again, so that scenarios that did not break it still get their verdicts. What
    /// happened, in words, if something did. Instances under way keep the endpoint with which they began.
    pub(super) async fn revive(&self) -> Option<String> {
        let old = self.endpoint();
        let cause = old.broken()?;
        {
            let mut state = self.lock();
            if state.restarts >= state.most {
                return None;
            }
            state.restarts += 1;
        }
        old.shut_down().await;
        let new = match self.prepared.start().await {
            Ok(new) => new,
            Err(again) => return Some(format!("the candidate is gone ({cause}), and cannot be started again: {again}")),
        };
        if let Raw::Broken(again) = new.exchange("describe", json!({})).await {
            new.mark_broken(again.clone());
            self.lock().endpoint = new;
            return Some(format!("the candidate is gone ({cause}), and does not come back: {again}"));
        }
        self.lock().endpoint = new;
        Some(format!(
            "the candidate was gone ({cause}), and was started again; instances that were under way are environment errors"
        ))
    }

    pub(super) async fn shut_down(&self) {
        self.endpoint().shut_down().await;
    }
}
