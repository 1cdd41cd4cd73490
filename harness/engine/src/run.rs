//! A whole run: doctor, plan, then many instances at once, as one stream of events. Whoever reads the stream writes the record,
//! shows progress, and concludes; nothing here judges or prints.

mod candidate;
mod extras;
mod order;
mod repeat;
mod room;
mod series;

pub use room::{Held, ROOM_BYTES};

pub use extras::{Extras, Watch};
pub use repeat::MOST_REPEATED;
pub use series::{Executed, Series};

use crate::driver::{Driven, Interrupt, drive_watched, meter, stop};
use crate::gateways::Received;
use crate::plan::{Filter, FilterError, Plan};
use crate::remote::Remote;
use crate::target::{Prepared, Target, TargetError};
use crate::{Patience, derive, doctor};
use candidate::Candidate;
use countersign_contract::InstanceId;
use countersign_contract::claims::{Capability, Description};
use countersign_instance::{InstancePlan, Spoken};
use countersign_scenarios::{Planned, Profile, Suite};
use countersign_trace::record::{Doctor, Header, Plan as RecordPlan, RECORD_VERSION, Repeat, Times};
use countersign_trace::{Blame, Blobs, Check, CheckKind, Digest, InstanceResult, Trace, Verdict};
use room::{Room, Taken};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};

/// Judges one instance. Comes from the caller, since executing never judges.
pub type Judge = Arc<dyn Fn(&Planned, &Trace, &Blobs, &Description) -> Vec<Check> + Send + Sync>;

/// What a run is made of.
#[derive(Clone)]
pub struct RunOptions {
    /// All data files.
    pub suite: Arc<Suite>,
    /// The profile of the certification.
    pub profile: Arc<Profile>,
    /// What is under test.
    pub target: Target,
    /// The folder against which a command is resolved.
    pub folder: PathBuf,
    /// Where to listen for the candidate's clients; port 0 takes a free one. Not used in process.
    pub listen: SocketAddr,
    /// How a candidate is reached that is elsewhere, and how it reaches us; and what one may use that is here.
    pub remote: Remote,
    /// Everything random comes from it.
    pub seed: [u8; 32],
    /// Most instances at once, 1 at least. A candidate that states fewer gets fewer.
    pub jobs: u32,
    /// Patterns of scenarios; none for all.
    pub only: Vec<String>,
    /// How long to wait for the candidate's answers.
    pub patience: Patience,
    /// When the run began: RFC 3339, UTC. Goes into the record.
    pub started: String,
    /// Goes into the record: what is expected to fail.
    pub expected_failures: Vec<String>,
    /// Judges each instance.
    pub judge: Judge,
}

/// What happens in a run, in this order: header, doctor, and, if the doctor lets it go on, plan, instances, end.
#[derive(Clone, Debug)]
pub enum RunEvent {
    /// The run begins.
    Header(Header),
    /// What the doctor found. If it is not healthy, `Ended` is next.
    Doctor(Doctor),
    /// What will be executed.
    Plan(RecordPlan),
    /// An instance begins.
    InstanceStarted {
        /// Scenario and case.
        name: String,
    },
    /// An instance is done and judged. Bodies are to be stored before the result that refers to them.
    InstanceEnded(Box<InstanceResult>, Held),
    /// One more execution of an instance that failed. Comes before the end of that instance.
    Repeated(Box<Repeat>, Held),
    /// Something that a person should know and that is no verdict: the candidate was started again.
    Note(String),
    /// Nothing follows.
    Finished(Ended),
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// The run's seed, to be published now.
    pub seed: Digest,
    /// Why it was stopped before all was executed, if it was.
    pub interrupted: Option<String>,
    /// Instances by verdict, worst last.
    pub counts: Vec<(Verdict, u64)>,
    /// Where the time went. `candidate_us` is what instances waited for with a call to the candidate under way; in process that
    /// includes waiting for a processor.
    pub times: Times,
}

/// Why there is no run. All of it is what the user wrote, or the user's machine; nothing is the candidate's.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The candidate's name.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A pattern.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Nobody reads the events any more.
    #[error("the reader of the run's events is gone")]
    NoReader,
}

impl From<mpsc::error::SendError<RunEvent>> for RunError {
    fn from(_: mpsc::error::SendError<RunEvent>) -> Self {
        Self::NoReader
    }
}

/// Examines a candidate, without a run.
///
/// # Errors
/// See [`RunError`].
pub async fn examine(options: &RunOptions, interrupt: Interrupt) -> Result<Doctor, RunError> {
    let prepared = options.target.prepare(&options.folder, options.listen, options.patience, &options.remote).await?;
    let (doctor, candidate) = admit(options, prepared, &interrupt).await;
    if let Some(candidate) = candidate {
        candidate.shut_down().await;
    }
    Ok(doctor)
}

/// Runs. Events go to `events`; when this returns, the candidate and everything that it started is gone.
///
/// # Errors
/// See [`RunError`]. Nothing that a candidate does is one.
pub async fn run(options: RunOptions, events: mpsc::Sender<RunEvent>, interrupt: Interrupt) -> Result<(), RunError> {
    run_with(options, Extras::default(), events, interrupt).await
}

/// [`run`] with more.
///
/// # Errors
/// See [`RunError`]. Nothing that a candidate does is one.
pub async fn run_with(
    options: RunOptions,
    extras: Extras,
    events: mpsc::Sender<RunEvent>,
    interrupt: Interrupt,
) -> Result<(), RunError> {
    let filter = Filter::new(&options.only)?;
    let prepared = options.target.prepare(&options.folder, options.listen, options.patience, &options.remote).await?;
    events.send(RunEvent::Header(header(&options))).await?;
    let (doctor, candidate) = admit(&options, prepared, &interrupt).await;
    let (healthy, description) = (doctor.healthy(), doctor.description.clone());
    let sent = events.send(RunEvent::Doctor(doctor)).await;
    let mut ended = Ended { seed: Digest(options.seed), interrupted: None, counts: Vec::new(), times: Times::default() };
    if let (Some(candidate), Some(description), true, Ok(())) = (&candidate, description, healthy, &sent) {
        let plan = Plan::new(&options.suite, &options.profile, &description, &filter);
        let round = Round {
            options: &options,
            extras: &extras,
            repeated: AtomicU32::new(0),
            received: Arc::new(Received::in_run()),
            candidate,
            description: Arc::new(description),
            events: &events,
            interrupt: &interrupt,
        };
        if let Err(gone) = round.execute(plan, &mut ended).await {
            candidate.shut_down().await;
            return Err(gone);
        }
        for note in candidate.notes().into_iter().chain(candidate.gateways().turned_away()) {
            events.send(RunEvent::Note(note)).await?;
        }
    }
    if let Some(candidate) = &candidate {
        candidate.shut_down().await;
    }
    sent?;
    ended.interrupted = interrupt.borrow().clone();
    Ok(events.send(RunEvent::Finished(ended)).await?)
}

fn header(options: &RunOptions) -> Header {
    Header {
        record: RECORD_VERSION,
        countersign: env!("CARGO_PKG_VERSION").to_owned(),
        started: options.started.clone(),
        profile: options.profile.id.clone(),
        target: options.target.to_string(),
        carrier: options.target.carrier().to_owned(),
        seed_commitment: Digest::of(&options.seed),
        jobs: options.jobs,
        only: options.only.clone(),
        suite: options.suite.files.digest(),
        expected_failures: options.expected_failures.clone(),
        // Judging is not executing: who judges adds them.
        waivers: Vec::new(),
    }
}

/// Starts and examines the candidate.
async fn admit(options: &RunOptions, prepared: Prepared, interrupt: &Interrupt) -> (Doctor, Option<Candidate>) {
    let mut stopped = interrupt.clone();
    let started = tokio::select! {
        started = prepared.start() => started,
        cause = stop(&mut stopped) => return (doctor::interrupted(&cause), None),
    };
    let endpoint = match started {
        Ok(endpoint) => endpoint,
        Err(cause) => return (doctor::not_started(&cause), None),
    };
    let patient = doctor::Patient {
        endpoint: &endpoint,
        gateways: &prepared.gateways,
        profile: &options.profile,
        patience: options.patience,
        seed: options.seed,
        interrupt: interrupt.clone(),
    };
    // Every examination ends by a deadline, but whoever interrupts should not have to wait for one.
    let mut stopped = interrupt.clone();
    let doctor = tokio::select! {
        doctor = doctor::examine(&patient) => doctor,
        cause = stop(&mut stopped) => doctor::interrupted(&cause),
    };
    (doctor, Some(Candidate::new(prepared, endpoint)))
}

struct Round<'a> {
    options: &'a RunOptions,
    extras: &'a Extras,
    /// Scenarios that were executed again.
    repeated: AtomicU32,
    /// Bytes that came in from the candidate.
    received: Arc<Received>,
    candidate: &'a Candidate,
    description: Arc<Description>,
    events: &'a mpsc::Sender<RunEvent>,
    interrupt: &'a Interrupt,
}

/// An instance that was executed and judged.
struct Done {
    result: InstanceResult,
    blobs: Held,
    times: Times,
}

impl Round<'_> {
    async fn execute(&self, plan: Plan, ended: &mut Ended) -> Result<(), RunError> {
        self.events.send(RunEvent::Plan(plan.to_record())).await?;
        let begin = Instant::now();
        let jobs = self.options.jobs.clamp(1, self.description.limits.instances.max(1)) as usize;
        let mut counts = BTreeMap::new();
        let room = Room::new();
        let done = match self.some(order::longest_first(plan.together), jobs, &room, ended, &mut counts).await {
            Ok(()) => self.some(plan.alone.into(), 1, &room, ended, &mut counts).await,
            gone => gone,
        };
        ended.times.wall_us = micros(begin.elapsed());
        ended.counts = counts.into_iter().collect();
        done
    }

    /// Executes instances, so many at once. After an interrupt none begins.
    async fn some(
        &self,
        mut queue: VecDeque<Planned>,
        jobs: usize,
        room: &Room,
        ended: &mut Ended,
        counts: &mut BTreeMap<Verdict, u64>,
    ) -> Result<(), RunError> {
        let mut tasks: JoinSet<Done> = JoinSet::new();
        let mut running: BTreeMap<Id, Planned> = BTreeMap::new();
        loop {
            while tasks.len() < jobs && self.interrupt.borrow().is_none() {
                let Some((planned, taken)) = room.next(&mut queue, tasks.is_empty()).await else { break };
                for note in self.candidate.notes() {
                    self.events.send(RunEvent::Note(note)).await?;
                }
                if let Some(note) = self.candidate.revive().await {
                    self.events.send(RunEvent::Note(note)).await?;
                }
                self.events.send(RunEvent::InstanceStarted { name: planned.name.clone() }).await?;
                let task = tasks.spawn(self.instance(planned.clone(), &planned.name, Some(taken)));
                running.insert(task.id(), planned);
            }
            let done = match tasks.join_next_with_id().await {
                None => return Ok(()),
                Some(Ok((id, done))) => match running.remove(&id) {
                    Some(planned) => self.settled(planned, done).await?,
                    None => done,
                },
                Some(Err(error)) => match running.remove(&error.id()) {
                    Some(planned) => {
                        let name = planned.name.clone();
                        self.broke_down(planned, &name, &error.to_string())
                    }
                    None => continue,
                },
            };
            *counts.entry(done.result.verdict).or_default() += 1;
            let total = &mut ended.times;
            total.instances_us += done.times.instances_us;
            total.candidate_us += done.times.candidate_us;
            total.crypto_us += done.times.crypto_us;
            total.own_us += done.times.own_us;
            self.events.send(RunEvent::InstanceEnded(Box::new(done.result), done.blobs)).await?;
        }
    }

    /// Executes and judges; the seed is made from `seed_name`. What it takes of the room is held with its bodies.
    fn instance(&self, planned: Planned, seed_name: &str, taken: Option<Taken>) -> impl Future<Output = Done> + Send + use<> {
        let instance = derive::instance(&self.options.seed, seed_name);
        let mut gateway = self.candidate.gateways().open(instance);
        gateway.received = Arc::clone(&self.received);
        let plan = InstancePlan {
            scenario: Arc::clone(&planned.scenario),
            case: planned.case.clone(),
            name: planned.name.clone(),
            profile: Arc::clone(&self.options.profile),
            instance,
            seed: derive::seed(&self.options.seed, seed_name),
            gateway_url: gateway.url.clone(),
            trust_anchors: gateway.trust_anchors.clone(),
            suite: Spoken::with(&self.options.profile, &self.description),
            virtual_clock: self.description.capabilities.contains(&Capability::VirtualClock),
            meter,
        };
        let seed = Digest(plan.seed);
        let (endpoint, patience, interrupt) = (self.candidate.endpoint(), self.options.patience, self.interrupt.clone());
        let (judge, description) = (Arc::clone(&self.options.judge), Arc::clone(&self.description));
        let watch = self.extras.watch.clone();
        async move {
            let driven = drive_watched(plan, gateway, endpoint, patience, interrupt, watch).await;
            judged(&planned, instance, seed, driven, taken, &judge, &description)
        }
    }

    /// A fault of ours in one instance must not cost the others their verdicts.
    fn broke_down(&self, planned: Planned, seed_name: &str, error: &str) -> Done {
        let check = Check {
            id: "harness".to_owned(),
            kind: CheckKind::Step,
            step: None,
            requirements: Vec::new(),
            verdict: Verdict::HarnessError,
            expected: "that the scenario can be executed and judged".to_owned(),
            observed: format!("Countersign itself broke down: {error}"),
            reason: None,
            finding: Some("harness-broke-down".to_owned()),
            blame: Some(Blame::Harness),
            evidence: Vec::new(),
            likely_cause: Some("a fault in Countersign; please report it with the run's seed".to_owned()),
            waiver: None,
        };
        let result = InstanceResult {
            instance: derive::instance(&self.options.seed, seed_name),
            seed: Digest(derive::seed(&self.options.seed, seed_name)),
            scenario: planned.scenario.id.clone(),
            case: planned.case,
            trace: Trace::new(),
            checks: vec![check],
            verdict: Verdict::HarnessError,
            wall_us: 0,
            own_us: 0,
            crypto_us: 0,
        };
        Done { result, blobs: Held::default(), times: Times::default() }
    }
}

fn judged(
    planned: &Planned,
    instance: InstanceId,
    seed: Digest,
    driven: Driven,
    taken: Option<Taken>,
    judge: &Judge,
    claims: &Description,
) -> Done {
    let Driven { finished, wall, own, candidate, .. } = driven;
    let begin = Instant::now();
    let checks = judge(planned, &finished.trace, &finished.blobs, claims);
    let judging = begin.elapsed();
    let own_us = micros(own).saturating_sub(finished.crypto_us);
    let times = Times {
        wall_us: 0,
        instances_us: micros(wall + judging),
        candidate_us: micros(candidate),
        crypto_us: finished.crypto_us,
        own_us: own_us + micros(judging),
    };
    let result = InstanceResult {
        scenario: planned.scenario.id.clone(),
        case: planned.case.clone(),
        instance,
        seed,
        trace: finished.trace,
        verdict: countersign_judge::worst(&checks),
        checks,
        wall_us: micros(wall),
        own_us,
        crypto_us: finished.crypto_us,
    };
    Done { result, blobs: Held::new(finished.blobs, taken), times }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Ended {
    /// How many instances got that verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.counts.iter().find(|(v, _)| *v == verdict).map_or(0, |(_, count)| *count)
    }
}
