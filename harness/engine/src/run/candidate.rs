//! The candidate of a run, across its deaths.

use crate::Endpoint;
use crate::carrier::{Broken, Raw};
use crate::gateways::Gateways;
use crate::target::Prepared;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// How often a candidate that broke is started again during a run. A candidate that dies whenever it is asked something must not
/// turn a run into a loop.
pub(super) const MOST_RESTARTS: u32 = 3;

/// From which part of what it may use in all its life on a process is started again, where that can be done between instances.
const WORN: f64 = 0.5;

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
        Some(match self.anew(&old).await {
            Ok(()) => format!(
                "the candidate was gone ({cause}), and was started again; instances that were under way are environment errors"
            ),
            Err(again) => format!("the candidate is gone ({cause}), and {again}"),
        })
    }

    /// Ends a candidate that we started and starts it again, while nothing is under way on it: what it has used of what it may use in
    /// all its life, and what still goes on in it, is no matter of what comes next. What went wrong, if it does not come back. A candidate
    /// that somebody else started stays as it is.
    pub(super) async fn renew(&self) -> Option<String> {
        let old = self.endpoint();
        old.wear()?;
        let again = self.anew(&old).await.err()?;
        old.mark_broken(Broken::gone(again.clone()));
        Some(format!("the candidate was ended to be started again, and {again}"))
    }

    /// Whether it has used up so much of what it may use that the next instance might take the rest.
    pub(super) fn is_worn(&self) -> bool {
        self.endpoint().wear().is_some_and(|wear| wear > WORN)
    }

    /// Another in place of one that is ended.
    async fn anew(&self, old: &Arc<dyn Endpoint>) -> Result<(), String> {
        old.shut_down().await;
        let new = self.prepared.start().await.map_err(|again| format!("cannot be started again: {again}"))?;
        let described = new.exchange("describe", json!({})).await;
        if let Raw::Broken(again) = &described {
            new.mark_broken(again.clone());
        }
        self.lock().endpoint = new;
        match described {
            Raw::Broken(again) => Err(format!("does not come back: {again}")),
            _ => Ok(()),
        }
    }

    pub(super) async fn shut_down(&self) {
        self.endpoint().shut_down().await;
    }
}
