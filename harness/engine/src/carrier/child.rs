//! The candidate as a child process: one JSON object a line on its standard input and output.

pub(crate) mod calls;
pub mod limits;
mod lines;
mod process;

use super::command::Command;
use super::{Broken, Endpoint, Patience, Raw};
use crate::remote::ChildLimits;
use async_trait::async_trait;
use calls::Calls;
use countersign_contract::Operation;
use countersign_contract::carrier::{LONGEST_LINE, Request};
use process::Process;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a child may take to end after it was asked to, and how long its pipes may stay open after it ended.
const GRACE: Duration = Duration::from_secs(2);

/// Lines that wait for the child to read them.
const QUEUE: usize = 64;

/// A candidate in a child process of its own: own process group, own empty folder, an environment of `PATH` and little else. What
/// it started ends with it, and it ends when this value is dropped.
#[derive(Debug)]
pub struct ChildEndpoint {
    calls: Arc<Calls>,
    lines: mpsc::Sender<Vec<u8>>,
    process: Process,
    patience: Patience,
}

impl ChildEndpoint {
    /// Starts the candidate. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// If the process cannot be started; names the program and the cause.
    pub fn start(command: &Command, patience: Patience) -> Result<Self, Broken> {
        Self::start_within(command, ChildLimits::default(), patience)
    }

    /// Starts the candidate with these limits. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// If the process cannot be started; names the program and the cause.
    pub fn start_within(command: &Command, limits: ChildLimits, patience: Patience) -> Result<Self, Broken> {
        let calls = Arc::new(Calls::default());
        let (lines, queue) = mpsc::channel(QUEUE);
        let process = Process::start(command, limits, Arc::clone(&calls), queue)?;
        Ok(Self { calls, lines, process, patience })
    }

    async fn ask(&self, op: &str, args: Value) -> Result<Raw, Broken> {
        let call = self.calls.begin()?;
        let request = Request { id: call.id(), op: op.to_owned(), args };
        let mut line =
            serde_json::to_vec(&request).map_err(|e| Broken::not_the_contract(format!("cannot write the call: {e}")))?;
        line.push(b'\n');
        if line.len() > LONGEST_LINE {
            return Err(Broken::not_the_contract(format!("the call of `{op}` is longer than {LONGEST_LINE} bytes")));
        }
        // The queue closes when the process ends; the answer then says why.
        let _ = self.lines.send(line).await;
        Ok(call.answer().await)
    }
}

#[async_trait]
impl Endpoint for ChildEndpoint {
    async fn exchange(&self, op: &str, args: Value) -> Raw {
        let deadline = self.patience.deadline(op);
        match tokio::time::timeout(deadline, self.ask(op, args)).await {
            // It is done with what it was given: what it used for that it uses still.
            Ok(Ok(raw)) if op == Operation::Settle.as_str() => match self.process.outgrown() {
                Some(cause) => {
                    self.calls.fail_all(cause.clone());
                    Raw::Broken(cause)
                }
                None => raw,
            },
            Ok(Ok(raw)) => raw,
            Ok(Err(broken)) => Raw::Broken(broken),
            Err(_) => {
                let mut broken = Broken::deadline(op, deadline);
                process::append_tail(&mut broken.detail, self.process.stderr_tail());
                Raw::Broken(broken)
            }
        }
    }

    fn broken(&self) -> Option<Broken> {
        self.calls.cause()
    }

    fn mark_broken(&self, cause: Broken) {
        self.calls.fail_all(cause);
    }

    fn stderr_tail(&self) -> Option<String> {
        self.process.stderr_tail()
    }

    fn wear(&self) -> Option<f64> {
        Some(self.process.wear())
    }

    async fn shut_down(&self) {
        self.process.end().await;
    }
}
