//! A scenario that fails against a live candidate is executed some more times: only a failure that comes every time is one.
//!
//! What the repeats say together is for the judge ([`countersign_judge::settle`]); here they are only made, and handed out before
//! the instance that they belong to. In process an execution is deterministic, so that there is nothing to learn.

use super::room::Taken;
use super::{Done, Round, RunError, RunEvent};
use countersign_judge::stability::REPEATS;
use countersign_scenarios::Planned;
use countersign_trace::record::Repeat;
use countersign_trace::{Check, Verdict};
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;

/// Scenarios of a run that are executed again at most: a candidate that fails everything must not take five times as long.
pub const MOST_REPEATED: u32 = 10;

impl Round<'_> {
    /// Executes a failed instance again, and lets its checks say what all executions came to.
    pub(super) async fn settled(&self, planned: Planned, mut done: Done) -> Result<Done, RunError> {
        let live = self.options.target.carrier() != "in-process";
        if !live || !self.extras.repeats || done.result.verdict != Verdict::Fail {
            return Ok(done);
        }
        let before = self.repeated.fetch_add(1, Ordering::Relaxed);
        if before >= MOST_REPEATED {
            if before == MOST_REPEATED {
                let note = format!(
                    "{MOST_REPEATED} failed scenarios were executed again, and so many at most are: further failures rest on one execution"
                );
                self.events.send(RunEvent::Note(note)).await?;
            }
            return Ok(done);
        }
        let mut repeats: Vec<Vec<Check>> = Vec::new();
        for number in 1..=REPEATS {
            if self.interrupt.borrow().is_some() {
                break;
            }
            if let Some(note) = self.candidate.revive().await {
                self.events.send(RunEvent::Note(note)).await?;
            }
            let again = self.once_more(&planned, number, done.blobs.taken()).await;
            done.times.instances_us += again.times.instances_us;
            done.times.candidate_us += again.times.candidate_us;
            done.times.crypto_us += again.times.crypto_us;
            done.times.own_us += again.times.own_us;
            repeats.push(again.result.checks.clone());
            self.events.send(RunEvent::Repeated(Box::new(Repeat { number, result: again.result }), again.blobs)).await?;
        }
        done.result.checks = countersign_judge::settle(done.result.checks, &repeats);
        done.result.verdict = countersign_judge::worst(&done.result.checks);
        Ok(done)
    }

    /// Within the room that the failed execution still holds. In a task of its own, so that a panic in it is a result; the set ends it with this.
    async fn once_more(&self, planned: &Planned, number: u32, taken: Option<Taken>) -> Done {
        let seed_name = Repeat::seed_name(&planned.name, number);
        let mut task = JoinSet::new();
        task.spawn(self.instance(planned.clone(), &seed_name, taken));
        match task.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) => self.broke_down(planned.clone(), &seed_name, &error.to_string()),
            None => self.broke_down(planned.clone(), &seed_name, "it was never begun"),
        }
    }
}
