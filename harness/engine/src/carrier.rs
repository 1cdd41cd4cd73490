//! Carriers: how a call reaches the candidate and what came back, whatever the candidate does.
//!
//! A carrier gives every call an [`Outcome`] before its deadline. It bounds what it reads, believes nothing, and turns whatever is
//! not of the contract into a fault with its cause: an environment error, never a verdict on the candidate.

pub mod child;
pub mod command;
pub mod dial_in;
pub mod http;
pub mod in_process;
mod once;
pub mod pair;
mod quote;

pub use child::ChildEndpoint;
pub use dial_in::DialInEndpoint;
pub use http::HttpEndpoint;
pub use in_process::InProcess;
pub use pair::PairEndpoint;

pub use quote::quote;

use crate::remote::Redactor;
use async_trait::async_trait;
use countersign_contract::{Call, Operation, Problem};
use countersign_trace::Outcome;
use countersign_trace::event::Fault;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What came back from a call, before anyone looked whether the answer fits the operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// An answer of any form.
    Ok(Value),
    /// A problem of the contract.
    Problem(Problem),
    /// Neither.
    Broken(Broken),
}

impl Raw {
    /// The same, without these secrets.
    #[must_use]
    fn without(self, secrets: &Redactor) -> Self {
        match self {
            Self::Ok(value) => Self::Ok(secrets.value(value)),
            Self::Problem(problem) => Self::Problem(Problem { detail: secrets.text(problem.detail), ..problem }),
            Self::Broken(broken) => Self::Broken(Broken { detail: secrets.text(broken.detail), ..broken }),
        }
    }
}

/// Why a call has no answer, or why an endpoint is of no further use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}{}", .fix.map(|fix| format!("; hint: {fix}")).unwrap_or_default())]
pub struct Broken {
    /// What kind.
    pub fault: Fault,
    /// Place and cause in words, with the beginning of what came instead.
    pub detail: String,
    /// What to do about it, where that is known.
    pub fix: Option<&'static str>,
}

impl Broken {
    /// The endpoint cannot be reached, or went away.
    pub fn gone(detail: impl Into<String>) -> Self {
        Self { fault: Fault::Gone, detail: detail.into(), fix: None }
    }

    /// It was ended since it used more than it may.
    pub fn exceeded(detail: impl Into<String>) -> Self {
        Self { fault: Fault::Exceeded, detail: detail.into(), fix: None }
    }

    /// What came is not of the contract.
    pub fn not_the_contract(detail: impl Into<String>) -> Self {
        Self { fault: Fault::NotTheContract, detail: detail.into(), fix: None }
    }

    /// The deadline passed.
    #[must_use]
    pub fn deadline(op: &str, after: Duration) -> Self {
        Self { fault: Fault::Deadline, detail: format!("`{op}` was not answered within {}", seconds(after)), fix: None }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub const fn fixed_by(mut self, fix: &'static str) -> Self {
        self.fix = Some(fix);
        self
    }
}

impl From<Broken> for Outcome {
    fn from(broken: Broken) -> Self {
        Self::Fault { fault: broken.fault, detail: broken.to_string() }
    }
}

fn seconds(time: Duration) -> String {
    if time.as_millis().is_multiple_of(1000) { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

/// How long to wait for answers: the contract's deadlines, or shorter ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patience {
    at_most: Option<Duration>,
}

impl Patience {
    /// The deadlines that the contract states.
    #[must_use]
    pub const fn contract() -> Self {
        Self { at_most: None }
    }

    /// The contract's deadlines, but none longer than this.
    #[must_use]
    pub const fn at_most(longest: Duration) -> Self {
        Self { at_most: Some(longest) }
    }

    /// The deadline of an operation; one that the contract does not know gets that of `describe`.
    #[must_use]
    pub fn deadline(self, op: &str) -> Duration {
        let stated = Operation::from_name(op).unwrap_or(Operation::Describe).deadline();
        self.at_most.map_or(stated, |longest| stated.min(longest))
    }

    /// The longest deadline of all operations.
    #[must_use]
    pub fn longest(self) -> Duration {
        Operation::ALL.iter().map(|op| self.deadline(op.as_str())).max().unwrap_or_default()
    }
}

/// The upper tester of a candidate. Many calls may be under way at once.
#[async_trait]
pub trait Endpoint: Send + Sync {
    /// Makes one call and takes the answer as it comes. Returns within the deadline, whatever the candidate does. A call that is
    /// dropped is given up; its late answer is ignored.
    async fn exchange(&self, op: &str, args: Value) -> Raw;

    /// Why this endpoint is of no further use, if it is: every call fails at once with this cause.
    fn broken(&self) -> Option<Broken>;

    /// Declares the endpoint to be of no further use; the first cause stays.
    fn mark_broken(&self, cause: Broken);

    /// The last that the candidate wrote to standard error, if the carrier sees that; at most a few kilobytes, not escaped.
    fn stderr_tail(&self) -> Option<String> {
        None
    }

    /// Of a process that we started and can start again: which part of what it may use in all its life is used up, 1 for all of it.
    fn wear(&self) -> Option<f64> {
        None
    }

    /// Something that a person should know and that is no verdict, if there is something new.
    fn take_note(&self) -> Option<String> {
        None
    }

    /// Ends what the carrier started. Blocks until the candidate's processes are gone.
    async fn shut_down(&self);
}

impl dyn Endpoint {
    /// Makes a call of the contract. An answer that does not have the form of its operation is a fault.
    ///
    /// A fault that says that the candidate is gone or stuck is followed by one `describe`: if that fails too, the endpoint is
    /// marked broken, so that others learn of it at once and not after a deadline each.
    pub async fn call(&self, call: &Call) -> Outcome {
        let op = call.operation();
        match self.exchange(op.as_str(), call.args()).await {
            Raw::Ok(value) => match op.parse_answer(value.clone()) {
                Ok(_) => Outcome::Ok(value),
                Err(error) => Broken::not_the_contract(format!(
                    "the answer of `{}` does not have the form of the contract: {error}; it begins {}",
                    op.as_str(),
                    quote(value.to_string().as_bytes())
                ))
                .into(),
            },
            Raw::Problem(problem) => Outcome::Problem(problem),
            Raw::Broken(broken) => {
                self.examine(&broken).await;
                broken.into()
            }
        }
    }

    async fn examine(&self, broken: &Broken) {
        if broken.fault == Fault::NotTheContract || self.broken().is_some() {
            return;
        }
        if let Raw::Broken(again) = self.exchange(Operation::Describe.as_str(), serde_json::json!({})).await {
            let detail = format!("{}; and then `describe`: {again}", broken.detail);
            self.mark_broken(Broken { detail, ..broken.clone() });
        }
    }
}

/// A cell for the first cause.
#[derive(Debug, Default)]
pub(crate) struct FirstCause(Mutex<Option<Broken>>);

impl FirstCause {
    pub(crate) fn get(&self) -> Option<Broken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, cause: Broken) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
    }
}
