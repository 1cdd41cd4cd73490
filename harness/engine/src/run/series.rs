//! Instances that nobody planned: a candidate is started and examined once, and then executes one scenario after another as somebody
//! asks for them. Everything else is as in a run: the same carriers, seeds, deadlines and judge.

use super::candidate::Candidate;
use super::{Done, Extras, Round, RunError, RunEvent, RunOptions, admit};
use crate::driver::Interrupt;
use crate::gateways::Received;
use countersign_contract::claims::Description;
use countersign_scenarios::Planned;
use countersign_trace::InstanceResult;
use countersign_trace::record::{Doctor, Times};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use tokio::sync::mpsc;

/// A candidate that was found healthy and waits for scenarios.
pub struct Series {
    options: RunOptions,
    extras: Extras,
    candidate: Candidate,
    description: Arc<Description>,
    interrupt: Interrupt,
    /// Bytes that came in, all instances together.
    received: Arc<Received>,
    /// Nobody reads the events of a series.
    events: mpsc::Sender<RunEvent>,
}

/// What came of one scenario.
#[derive(Debug)]
pub struct Executed {
    /// Trace and verdicts. Bodies that were stored beside the trace are gone.
    pub result: InstanceResult,
    /// Where the time went; `wall_us` is that of the instance.
    pub times: Times,
}

impl Series {
    /// Starts and examines the candidate. Without a healthy one there is no series, and nothing of it is left running.
    ///
    /// # Errors
    /// What the user wrote, and the user's machine. Nothing that a candidate does is one.
    pub async fn open(options: RunOptions, interrupt: Interrupt) -> Result<(Doctor, Option<Self>), RunError> {
        let prepared = options.target.prepare(&options.folder, options.listen, options.patience, &options.remote).await?;
        let (doctor, candidate) = admit(&options, prepared, &interrupt).await;
        let healthy = doctor.healthy();
        match (candidate, doctor.description.clone()) {
            (Some(candidate), Some(description)) if healthy => {
                let description = Arc::new(description);
                let (events, _) = mpsc::channel(1);
                let (extras, received) = (Extras::default(), Arc::new(Received::without_end()));
                Ok((doctor, Some(Self { options, extras, candidate, description, interrupt, received, events })))
            }
            (candidate, _) => {
                if let Some(candidate) = candidate {
                    candidate.shut_down().await;
                }
                Ok((doctor, None))
            }
        }
    }

    /// What the candidate claims.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// How many instances may be under way at once: what was asked for, and what the candidate states.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.options.jobs.clamp(1, self.description.limits.instances.max(1)) as usize
    }

    /// What it is made of.
    #[must_use]
    pub const fn options(&self) -> &RunOptions {
        &self.options
    }

    /// Executes and judges one scenario. All that is random in it comes from the seed and from its name, as in a run.
    ///
    /// Nothing of it is kept, so that the limit on what may come in during a whole run does not apply; that of an instance does.
    pub fn instance(&self, planned: Planned) -> impl Future<Output = Executed> + Send + use<> {
        let round = Round {
            options: &self.options,
            extras: &self.extras,
            repeated: AtomicU32::new(0),
            received: Arc::clone(&self.received),
            candidate: &self.candidate,
            description: Arc::clone(&self.description),
            events: &self.events,
            interrupt: &self.interrupt,
        };
        let name = planned.name.clone();
        let done = round.instance(planned, &name, None);
        async move {
            let Done { result, times, .. } = done.await;
            Executed { times: Times { wall_us: result.wall_us, ..times }, result }
        }
    }

    /// Starts a candidate that broke again, so often as a run does: what happened, in words, if something did.
    ///
    /// One that is a process of ours, and has used up much of what it may use in all its life, is started again as well: it is no matter of
    /// the next scenario what those before it used. Nothing may be under way.
    pub async fn revive(&self) -> Option<String> {
        match self.is_broken() {
            true => self.candidate.revive().await,
            false if self.candidate.is_worn() => self.candidate.renew().await,
            false => None,
        }
    }

    /// Starts a candidate that is a process of ours again, since something may go on in it that does not end by itself. Nothing may be under
    /// way. What went wrong, in words, if it does not come back.
    pub async fn renew(&self) -> Option<String> {
        self.candidate.renew().await
    }

    /// Whether it is a process that can be started again.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        self.candidate.endpoint().wear().is_some()
    }

    /// Lets a candidate that broke be started again so many times in all; a run does it three times.
    pub fn allow_restarts(&self, most: u32) {
        self.candidate.allow_restarts(most);
    }

    /// What the candidate's carrier has to say that is no verdict.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.candidate.notes()
    }

    /// Whether the candidate is gone for good.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.candidate.endpoint().broken().is_some()
    }

    /// Ends the candidate and everything that was started for it.
    pub async fn shut_down(self) {
        self.candidate.shut_down().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::MOST_RUN_BYTES;
    use crate::{Patience, Remote, Target};
    use countersign_scenarios::Suite;
    use countersign_trace::Verdict;
    use countersign_trace::event::{Event, Input};
    use tokio::sync::watch;

    fn options() -> RunOptions {
        let suite = Suite::builtin().unwrap();
        let (profile, requirements) =
            (suite.profiles["dma-basic"].clone(), suite.requirements.values().cloned().collect::<Vec<_>>());
        let judged_by = profile.clone();
        RunOptions {
            suite: Arc::new(suite),
            profile: Arc::new(profile),
            target: Target::Builtin,
            folder: "/".into(),
            listen: ([127, 0, 0, 1], 0).into(),
            remote: Remote::default(),
            seed: [3; 32],
            jobs: 1,
            only: Vec::new(),
            patience: Patience::contract(),
            started: "2026-01-01T00:00:00Z".into(),
            expected_failures: Vec::new(),
            judge: Arc::new(move |planned, trace, blobs, claims| {
                countersign_judge::judge(&judged_by, &requirements, &planned.scenario, trace, blobs, claims)
            }),
        }
    }

    /// A long search must not end in errors of the environment: nothing of it is stored.
    #[tokio::test]
    async fn however_much_a_series_brought_the_next_instance_is_judged() {
        let (_keep, interrupt) = watch::channel(None);
        let (_, series) = Series::open(options(), interrupt).await.unwrap();
        let mut series = series.unwrap();
        let id = "e2ee/from-candidate";
        let scenario = Arc::clone(&series.options.suite.scenarios[id].scenario);
        let planned = Planned { name: id.to_owned(), scenario, case: None };
        series.received.add(MOST_RUN_BYTES);
        let executed = series.instance(planned.clone()).await;
        assert_eq!(executed.result.verdict, Verdict::Pass, "{:?}", executed.result.checks);
        // In a run it would have been cut short.
        series.received = Arc::new(Received::in_run());
        series.received.add(MOST_RUN_BYTES);
        let cut = series.instance(planned).await.result;
        let aborted =
            |entry: &countersign_trace::Entry| matches!(entry.event, Event::Input(Input::Aborted { too_much: false, .. }));
        assert!(cut.trace.iter().any(aborted) && cut.verdict == Verdict::EnvironmentError, "{:?}", cut.verdict);
        series.shut_down().await;
    }
}
