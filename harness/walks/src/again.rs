//! Executes on a candidate again what failed, one at a time, for shrinking it.

use crate::search::Options;
use crate::shrink::{Ends, Kept};
use countersign_engine::{Interrupt, Series};
use countersign_scenarios::Planned;
use countersign_trace::{InstanceResult, Verdict};
use std::cell::Cell;
use std::time::Instant;

pub(crate) struct Again<'s> {
    pub(crate) series: &'s Series,
    interrupt: Interrupt,
    /// The candidate broke and could not be started again.
    gone: Cell<bool>,
    /// What was executed last could not be judged.
    open: Cell<bool>,
    /// When it has gone on for long enough.
    until: Option<Instant>,
}

impl<'s> Again<'s> {
    pub(crate) fn new(series: &'s Series, interrupt: &Interrupt, options: &Options) -> Self {
        let (gone, open) = (Cell::new(false), Cell::new(false));
        Self { series, interrupt: interrupt.clone(), gone, open, until: options.shrinks_until() }
    }

    pub(crate) async fn execute(&self, planned: Planned) -> InstanceResult {
        // A candidate that one breaks would else break all that come after it.
        let _ = self.series.revive().await;
        self.gone.set(self.series.is_broken());
        let result = self.series.instance(planned).await.result;
        self.open.set(matches!(result.verdict, Verdict::EnvironmentError | Verdict::HarnessError));
        result
    }
}

impl Ends for Again<'_> {
    fn over(&self) -> Option<Kept> {
        let stopped = self.interrupt.borrow().is_some();
        stopped.then_some(Kept::Stopped).or(self.gone.get().then_some(Kept::Gone))
    }

    fn is_open(&self) -> bool {
        self.open.get()
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}
