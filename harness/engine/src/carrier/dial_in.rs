//! A candidate that dials out to us: it opens a WebSocket at our gateway's address, and calls and replies travel in its text frames.
//!
//! It may lose the connection and dial again. What was open on the old one is lost, and said: an instance of which we cannot know
//! whether the candidate remembers it must not be judged.

mod link;
mod lobby;

pub use lobby::Lobby;

use super::child::calls::Calls;
use super::{Broken, Endpoint, Patience, Raw};
use crate::remote::Redactor;
use async_trait::async_trait;
use countersign_contract::carrier::{LONGEST_LINE, Request};
use link::{Ended, Link};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often a candidate may come back in one run. Two that compete for one run would otherwise push each other out for ever.
const MOST_RETURNS: u64 = 20;

/// Notes that wait to be read. More would mean that nobody reads them.
const MOST_NOTES: usize = 32;

/// How long the candidate has to answer our close frame.
const FAREWELL: Duration = Duration::from_secs(1);

/// A candidate that dialled in.
pub struct DialInEndpoint {
    shared: Arc<Shared>,
    hall: JoinHandle<()>,
    redactor: Redactor,
    patience: Patience,
}

struct Shared {
    state: Mutex<State>,
    /// Changes with every connection that begins or ends.
    changed: watch::Sender<u64>,
    /// True when no further connection is to be taken, and why: the end of the run, or not.
    over: watch::Sender<Option<Farewell>>,
    reconnect: Duration,
}

/// With what the last connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    /// The run is over.
    Done,
    /// The candidate is to dial again.
    Again,
}

#[derive(Default)]
struct State {
    live: Option<Link>,
    /// How many connections there were.
    connections: u64,
    lost_at: Option<Instant>,
    /// On which connection each instance was opened.
    opened: BTreeMap<String, u64>,
    notes: VecDeque<String>,
    cause: Option<Broken>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection there is, or the one that comes within the time for coming back.
    async fn live(&self) -> Result<Link, Broken> {
        let mut changed = self.changed.subscribe();
        loop {
            let until = {
                let state = self.state();
                if let Some(cause) = &state.cause {
                    return Err(cause.clone());
                }
                if let Some(link) = &state.live {
                    return Ok(link.clone());
                }
                state.lost_at.unwrap_or_else(Instant::now) + self.reconnect
            };
            if !matches!(tokio::time::timeout_at(until, changed.changed()).await, Ok(Ok(()))) {
                let waited = self.reconnect.as_secs();
                return Err(Broken::gone(format!(
                    "the candidate's connection broke off, and it did not dial in again within {waited} s"
                ))
                .fixed_by(
                    "let the candidate dial again as soon as its connection breaks off, or raise --dial-reconnect (seconds)",
                ));
            }
        }
    }

    /// Takes a connection into use, in place of the one before.
    fn welcome(&self, link: Link) -> Vec<String> {
        let mut state = self.state();
        state.connections += 1;
        let number = state.connections;
        let lost: Vec<String> = state.opened.iter().filter(|(_, on)| **on != number).map(|(name, _)| name.clone()).collect();
        if number > 1 {
            let from = link.from;
            state.note(format!(
                "the candidate dialled in again from {from}; instances that were open on an earlier connection are environment errors"
            ));
        }
        if number > MOST_RETURNS {
            let detail = format!("the candidate dialled in {number} times in one run; perhaps two candidates compete for it");
            state
                .cause
                .get_or_insert(Broken::gone(detail).fixed_by("run one candidate, and look at why its connection breaks off"));
        }
        state.lost_at = None;
        state.live = Some(Link { number, ..link });
        drop(state);
        self.changed.send_modify(|changes| *changes += 1);
        lost
    }

    /// Notes the end of a connection: what was under way on it has its outcome already.
    fn farewell(&self, number: u64, ended: &Ended) {
        let mut state = self.state();
        if state.live.as_ref().is_some_and(|live| live.number == number) {
            state.live = None;
            state.lost_at = Some(Instant::now());
        }
        let (why, calls) = (&ended.why, ended.under_way);
        state.note(format!("the candidate's connection broke off ({why}); {calls} calls were under way and are lost"));
        drop(state);
        self.changed.send_modify(|changes| *changes += 1);
    }
}

impl State {
    fn note(&mut self, text: String) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push_back(text);
        }
    }

    /// Whether a call may go out on this connection; remembers where an instance is opened.
    fn admit(&mut self, op: &str, args: &Value, on: u64) -> Result<(), Broken> {
        let Some(instance) = args.get("instance").and_then(Value::as_str) else { return Ok(()) };
        if op == "open" {
            self.opened.insert(instance.to_owned(), on);
            return Ok(());
        }
        match self.opened.get(instance) {
            Some(opened) if *opened != on => Err(Broken::gone(
                "the connection on which this instance was opened broke off in the middle; the candidate dialled in again, and what \
                 was open before is lost",
            )),
            _ => Ok(()),
        }
    }
}

impl DialInEndpoint {
    /// Waits until a candidate has dialled in, for as long as the lobby says.
    ///
    /// # Errors
    /// If none came; says what came instead.
    pub async fn wait(lobby: &Arc<Lobby>, patience: Patience) -> Result<Self, Broken> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: watch::Sender::new(0),
            over: watch::Sender::new(None),
            reconnect: lobby.reconnect(),
        });
        let mut changed = shared.changed.subscribe();
        let hall = tokio::spawn(hall(Arc::clone(lobby), Arc::clone(&shared)));
        // Aborts the task if this future is dropped in between.
        let endpoint = Self { shared, hall, redactor: lobby.redactor(), patience };
        let came = tokio::time::timeout(lobby.begin(), changed.changed()).await;
        if matches!(came, Ok(Ok(()))) { Ok(endpoint) } else { Err(lobby.nobody()) }
    }

    async fn ask(&self, op: &str, args: Value) -> Result<Raw, Broken> {
        let link = self.shared.live().await?;
        self.shared.state().admit(op, &args, link.number)?;
        link.ask(op, args).await
    }
}

impl Link {
    async fn ask(&self, op: &str, args: Value) -> Result<Raw, Broken> {
        let call = self.calls.begin()?;
        let request = Request { id: call.id(), op: op.to_owned(), args };
        let text =
            serde_json::to_string(&request).map_err(|e| Broken::not_the_contract(format!("cannot write the call: {e}")))?;
        if text.len() >= LONGEST_LINE {
            return Err(Broken::not_the_contract(format!("the call of `{op}` is longer than {LONGEST_LINE} bytes")));
        }
        // The queue closes when the connection ends; the answer then says why.
        let _ = self.out.send(text).await;
        Ok(call.answer().await)
    }
}

/// Takes connections, one after another; a new one takes the place of the old one, which the candidate has given up.
async fn hall(lobby: Arc<Lobby>, shared: Arc<Shared>) {
    let mut came = lobby.came().await;
    let mut over = shared.over.subscribe();
    let mut last: Option<JoinHandle<()>> = None;
    loop {
        let candidate = tokio::select! {
            came = came.recv() => came,
            _ = over.wait_for(Option::is_some) => None,
        };
        let Some(candidate) = candidate else { break };
        if let Some(old) = last.take() {
            old.abort();
            let live = shared.state().live.take();
            if let Some(old) = live {
                let ended = Ended { why: "it dialled in anew".to_owned(), under_way: old.calls.under_way() };
                old.calls.fail_all(Broken::gone("the candidate dialled in anew while this call was under way"));
                shared.farewell(old.number, &ended);
            }
        }
        let (link, carried) = link::open(candidate, lobby.redactor(), over.clone()).await;
        let calls = Arc::clone(&link.calls);
        let fresh = link.clone();
        let lost = shared.welcome(link);
        let number = shared.state().connections;
        for instance in lost {
            // So that a candidate that remembers them does not keep them open. Whether it does has no consequence.
            let fresh = fresh.clone();
            tokio::spawn(async move {
                let close = fresh.ask("close", json!({ "instance": instance }));
                let _ = tokio::time::timeout(Patience::contract().deadline("close"), close).await;
            });
        }
        drop(fresh);
        let shared = Arc::clone(&shared);
        last = Some(tokio::spawn(async move {
            let ended = carried.await;
            fail(&calls, &ended);
            shared.farewell(number, &ended);
        }));
    }
    if let Some(last) = last {
        let _ = tokio::time::timeout(FAREWELL.saturating_mul(2), last).await;
    }
}

fn fail(calls: &Calls, ended: &Ended) {
    calls.fail_all(Broken::gone(format!("the candidate's connection broke off in the middle: {}", ended.why)));
}

#[async_trait]
impl Endpoint for DialInEndpoint {
    async fn exchange(&self, op: &str, args: Value) -> Raw {
        let deadline = self.patience.deadline(op);
        match tokio::time::timeout(deadline, self.ask(op, args)).await {
            Ok(Ok(raw)) => raw.without(&self.redactor),
            Ok(Err(broken)) => Raw::Broken(broken).without(&self.redactor),
            Err(_) => Raw::Broken(Broken::deadline(op, deadline)),
        }
    }

    fn broken(&self) -> Option<Broken> {
        self.shared.state().cause.clone()
    }

    fn mark_broken(&self, cause: Broken) {
        let live = {
            let mut state = self.shared.state();
            state.cause.get_or_insert(cause.clone());
            state.live.clone()
        };
        if let Some(link) = live {
            link.calls.fail_all(cause);
        }
    }

    fn take_note(&self) -> Option<String> {
        self.shared.state().notes.pop_front()
    }

    async fn shut_down(&self) {
        let farewell = if self.broken().is_some() { Farewell::Again } else { Farewell::Done };
        self.shared.over.send_replace(Some(farewell));
        let mut changed = self.shared.changed.subscribe();
        // The connection ends by the candidate's answer, or without it.
        let gone = async { while self.shared.state().live.is_some() && changed.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(FAREWELL.saturating_mul(2), gone).await;
        self.hall.abort();
    }
}

impl Drop for DialInEndpoint {
    fn drop(&mut self) {
        self.hall.abort();
    }
}
