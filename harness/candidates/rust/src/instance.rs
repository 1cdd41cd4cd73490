//! Instances, and the operations on them.

use crate::defect::{Defect, Defects};
use crate::wire::WireFactory;
use countersign_contract::operations::{Call, Outcome};
use countersign_contract::{Problem, Reason};
use serde_json::Value;
use std::sync::Arc;

/// The sample candidate. Clones are handles to the same one.
#[derive(Clone)]
pub struct Sample {
    inner: Arc<Inner>,
}

struct Inner {
    wires: WireFactory,
    defects: Arc<dyn Defects>,
}

impl Sample {
    /// A candidate that reaches its gateways over `wires` and makes the mistakes that `defects` says; see [`crate::Honest`].
    #[must_use]
    pub fn new(wires: WireFactory, defects: Arc<dyn Defects>) -> Self {
        Self { inner: Arc::new(Inner { wires, defects }) }
    }

    /// Executes a call. Each operation blocks on what the contract says.
    ///
    /// # Errors
    /// The problem that the contract's operation names.
    pub async fn call(&self, call: Call) -> Outcome {
        let _ = &self.inner.wires;
        Err(Problem::unsupported(call.operation().as_str()))
    }

    /// Executes a call by its name on the wire and its arguments as JSON, as the carriers do.
    ///
    /// # Errors
    /// `unsupported` for an operation that does not exist, `malformed` for arguments that do not fit, and what [`Self::call`] says.
    pub async fn answer(&self, op: &str, args: Value) -> Result<Value, Problem> {
        match Call::parse(op, args) {
            Ok(call) => self.call(call).await.map(|answer| answer.to_value()),
            Err(problem) if problem.reason == Reason::Unsupported && self.inner.defects.has(Defect::InventsOperation) => {
                Ok(Value::Object(serde_json::Map::new()))
            }
            Err(problem) => Err(problem),
        }
    }
}
