//! Walks without end: drawn, executed, judged, and shrunk when they fail.

use crate::abilities::Abilities;
use crate::again::Again;
use crate::cause::{Cause, causes, refined};
use crate::model::Told;
use crate::shrink::{Execute, Kept, Shrunk, shrink};
use crate::strategy::{Walks, runner};
use crate::walk::Walk;
use crate::write::FOLDER;
use countersign_engine::{Executed, Interrupt, Series};
use countersign_scenarios::{Planned, Scenario, Suite};
use countersign_trace::record::Times;
use countersign_trace::{InstanceResult, Verdict};
use proptest::strategy::{Strategy as _, ValueTree as _};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How many walks that failed for one cause are shrunk: what they come to may differ more than the cause did.
const SHRUNK_PER_CAUSE: usize = 3;
/// Time that one failure may be shrunk, however short the search was to be: each try of a hang takes a whole deadline.
const LEAST_FOR_SHRINKING: Duration = Duration::from_mins(10);
/// How many of them are, if they do not come again.
const SHRUNK_IN_VAIN: usize = 10;
/// How many walks that could not be judged are told one by one.
const MOST_TOLD: usize = 10;

/// How long a search goes on.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most walks.
    pub cases: Option<u64>,
    /// Longest time. What is under way then is brought to its end; each failure is shrunk for no longer than that, or ten minutes.
    pub time: Option<Duration>,
    /// Most failures of different causes, those that did not come again not counted: the search ends when it has found so many.
    pub found: Option<usize>,
    /// Steps of each walk, about.
    pub steps: usize,
    /// Most executions for shrinking one failure.
    pub executions: u32,
}

/// What is told while a search goes on.
#[derive(Clone, Debug)]
pub enum Telling<'t> {
    /// So many walks were executed, and so many of them failed.
    Progress {
        /// Walks so far.
        walks: u64,
        /// Of these, those that failed.
        failed: u64,
        /// Since the beginning.
        time: Duration,
    },
    /// A walk failed for a cause that was not met before, and will be shrunk.
    Failed {
        /// Which.
        number: u64,
        /// Why.
        cause: &'t Cause,
    },
    /// A failure was shrunk.
    Found(&'t Found),
    /// Something that a person should know.
    Note(String),
}

/// What is searched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Random walks.
    #[default]
    Walks,
    /// Conversations with malformed input: see [`crate::wire`].
    Wire,
}

/// A failure, told once.
#[derive(Clone, Debug)]
pub struct Found {
    /// By which search.
    pub mode: Mode,
    /// Why it fails.
    pub cause: Cause,
    /// The same for people, in the words of the judge.
    pub observed: String,
    /// Walks that failed for this cause.
    pub walks: u64,
    /// The first of them.
    pub first: u64,
    /// Steps of that walk as it was drawn.
    pub drawn_steps: usize,
    /// Walks that were executed to shrink it.
    pub executions: u32,
    /// Why it is longer than it could be, if it is.
    pub kept: Option<Kept>,
    /// What to execute.
    pub scenario: Scenario,
}

/// A walk that could not be judged.
#[derive(Clone, Debug)]
pub struct Unjudged {
    /// Which.
    pub number: u64,
    /// What is said of it.
    pub verdict: Verdict,
    /// Why.
    pub observed: String,
}

/// What a search came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Walks that were executed and judged.
    pub walks: u64,
    /// Their steps.
    pub steps: u64,
    /// Malformed inputs in them, if they are conversations with such.
    pub inputs: u64,
    /// Of them, those that failed.
    pub failed: u64,
    /// Failures, each cause once.
    pub found: Vec<Found>,
    /// How many walks could not be judged, by verdict.
    pub unjudged: BTreeMap<Verdict, u64>,
    /// The first of these.
    pub told: Vec<Unjudged>,
    /// Why it was stopped before its end, if it was.
    pub interrupted: Option<String>,
    /// Whether the candidate was gone for good.
    pub gone: bool,
    /// Where the time went, over all walks; `wall_us` is from begin to end, drawing and shrinking included.
    pub times: Times,
    /// Of that, time spent on shrinking.
    pub shrinking: Duration,
    /// Of that, time spent on drawing walks and deriving their scenarios.
    pub drawing: Duration,
}

impl Options {
    /// Whoever limits the time of a search does not want to wait for hours until one failure is as short as can be.
    pub(crate) fn shrinks_until(&self) -> Option<Instant> {
        self.time.and_then(|time| Instant::now().checked_add(time.max(LEAST_FOR_SHRINKING)))
    }
}

impl Found {
    /// Whether it came again when it was executed once more.
    #[must_use]
    pub const fn is_firm(&self) -> bool {
        match self.kept {
            Some(kept) => kept.is_firm(),
            None => true,
        }
    }
}

impl Outcome {
    /// How many failures came again.
    #[must_use]
    pub fn firm(&self) -> usize {
        self.found.iter().filter(|found| found.is_firm()).count()
    }
}

/// A walk that was executed.
struct Done {
    walk: Walk,
    told: Vec<Told>,
    executed: Executed,
}

/// Searches. `tell` hears of what happens, in the order of the walks' numbers.
pub async fn search(
    series: &Series,
    abilities: Abilities,
    options: Options,
    mut interrupt: Interrupt,
    tell: &mut (dyn FnMut(&Telling<'_>) + Send),
) -> Outcome {
    let begin = Instant::now();
    let walks = Walks { abilities, steps: options.steps };
    let seed = series.options().seed;
    let mut outcome = Outcome::default();
    let mut by_cause: BTreeMap<Cause, Vec<usize>> = BTreeMap::new();
    let mut tasks: JoinSet<(u64, Done)> = JoinSet::new();
    let mut done: BTreeMap<u64, Done> = BTreeMap::new();
    let (mut next, mut due) = (0, 0);
    loop {
        let enough = options.found.is_some_and(|most| outcome.firm() >= most);
        let over =
            enough || options.cases.is_some_and(|most| next >= most) || options.time.is_some_and(|most| begin.elapsed() >= most);
        let stopped = interrupt.borrow().is_some();
        if !over && !stopped && !outcome.gone && tasks.len() < series.jobs() {
            let drawing = Instant::now();
            let drawn = draw(&walks, &seed, next);
            outcome.drawing += drawing.elapsed();
            if let Some((walk, told, planned)) = drawn {
                let executed = series.instance(planned);
                let number = next;
                tasks.spawn(async move { (number, Done { walk, told, executed: executed.await }) });
            } else {
                due += u64::from(due == next);
            }
            next += 1;
            continue;
        }
        match tasks.join_next().await {
            None => break,
            Some(Ok((number, finished))) => {
                done.insert(number, finished);
            }
            Some(Err(error)) => {
                tell(&Telling::Note(format!("Countersign itself broke down in a walk: {error}")));
                *outcome.unjudged.entry(Verdict::HarnessError).or_default() += 1;
                // Nobody will bring this number any more.
                due = done.keys().next().copied().unwrap_or(next);
            }
        }
        while let Some(finished) = done.remove(&due) {
            let number = due;
            due += 1;
            if options.found.is_some_and(|most| outcome.firm() >= most) {
                continue;
            }
            if interrupt.borrow().is_some() && finished.executed.result.verdict != Verdict::Fail {
                // It may have been cut short.
                continue;
            }
            take(series, &mut outcome, &mut by_cause, &mut interrupt, options, number, finished, tell).await;
            if outcome.walks.is_multiple_of(500) {
                tell(&Telling::Progress { walks: outcome.walks, failed: outcome.failed, time: begin.elapsed() });
            }
        }
        for note in series.notes() {
            tell(&Telling::Note(note));
        }
        if tasks.is_empty() {
            if let Some(note) = series.revive().await {
                tell(&Telling::Note(note));
            }
            outcome.gone |= series.is_broken();
        } else if series.is_broken() {
            // Those under way end by themselves, and then it is started again.
            while let Some(ended) = tasks.join_next().await {
                if let Ok((number, finished)) = ended {
                    done.insert(number, finished);
                }
            }
            if let Some(note) = series.revive().await {
                tell(&Telling::Note(note));
            }
            outcome.gone |= series.is_broken();
        }
    }
    if options.found.is_some_and(|most| outcome.firm() >= most) {
        done.clear();
    }
    for (number, finished) in std::mem::take(&mut done) {
        take(series, &mut outcome, &mut by_cause, &mut interrupt, options, number, finished, tell).await;
    }
    outcome.interrupted = interrupt.borrow().clone();
    outcome.times.wall_us = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
    outcome
}

/// The walk of a number, and the scenario that it is.
fn draw(walks: &Walks, seed: &[u8; 32], number: u64) -> Option<(Walk, Vec<Told>, Planned)> {
    let walk = walks.new_tree(&mut runner(seed, number)).ok()?.current();
    let planned = planned(&walk, &drawn_name(number))?;
    let told = walk.steps().told;
    Some((walk, told, planned))
}

fn drawn_name(number: u64) -> String {
    format!("{FOLDER}/n{number}")
}

fn planned(walk: &Walk, name: &str) -> Option<Planned> {
    let scenario = walk.scenario(name)?;
    Some(Planned { name: name.to_owned(), scenario: Arc::new(scenario), case: None })
}

/// Counts what came of a walk, and shrinks it if its cause is not well known yet.
#[expect(clippy::too_many_arguments, reason = "the whole state of a search")]
async fn take(
    series: &Series,
    outcome: &mut Outcome,
    by_cause: &mut BTreeMap<Cause, Vec<usize>>,
    interrupt: &mut Interrupt,
    options: Options,
    number: u64,
    finished: Done,
    tell: &mut (dyn FnMut(&Telling<'_>) + Send),
) {
    let Done { walk, told, executed: Executed { result, times } } = finished;
    let total = &mut outcome.times;
    total.instances_us += times.instances_us;
    total.candidate_us += times.candidate_us;
    total.crypto_us += times.crypto_us;
    total.own_us += times.own_us;
    outcome.walks += 1;
    outcome.steps += told.len() as u64;
    let failed = causes(&told, &result);
    let Some((cause, check)) = failed.first() else {
        if let Some(unjudged) = unjudged(number, &result) {
            *outcome.unjudged.entry(unjudged.verdict).or_default() += 1;
            if outcome.told.len() < MOST_TOLD {
                tell(&Telling::Note(format!("walk {number}: {}: {}", unjudged.verdict, unjudged.observed)));
                outcome.told.push(unjudged);
            }
        }
        return;
    };
    outcome.failed += 1;
    let known = by_cause.entry(cause.clone()).or_default();
    let firm = known.iter().filter(|index| outcome.found.get(**index).is_some_and(Found::is_firm)).count();
    // Those that did not come again say nothing of the others.
    let enough = firm >= SHRUNK_PER_CAUSE || known.len() >= SHRUNK_IN_VAIN;
    if enough || interrupt.borrow().is_some() && !known.is_empty() {
        if let Some(found) = known.first().and_then(|index| outcome.found.get_mut(*index)) {
            found.walks += 1;
        }
        return;
    }
    if known.is_empty() {
        tell(&Telling::Failed { number, cause });
    }
    let begin = Instant::now();
    let same = outcome.found.iter().filter(|found| found.cause.finding == cause.finding).count();
    let name = format!("{FOLDER}/{}-{}", word(&cause.finding), same + 1);
    let execute = Again::new(series, interrupt, &options);
    let shrunk = shrink(&execute, &walk, cause, &drawn_name(number), &name, options.executions).await;
    outcome.shrinking += begin.elapsed();
    let suite = &series.options().suite;
    let found = found(suite, shrunk, cause, &check.observed, number, told.len(), &name);
    let Some(found) = found else { return };
    let known_as = outcome.found.iter().position(|other| other.cause == found.cause);
    // One that did not come again says nothing of its cause that would tell it from others.
    let known_as = known_as.or_else(|| known.first().copied().filter(|_| !found.is_firm()));
    match known_as.and_then(|index| Some((index, outcome.found.get_mut(index)?))) {
        Some((index, other)) => {
            known.push(index);
            other.walks += 1;
            // The shortest of several is handed over, under the name that it was executed as.
            let shorter = found.scenario.steps.len() < other.scenario.steps.len();
            if found.is_firm() && (shorter || !other.is_firm()) {
                *other = Found { walks: other.walks, ..found };
                tell(&Telling::Found(other));
            }
        }
        None => {
            tell(&Telling::Found(&found));
            known.push(outcome.found.len());
            outcome.found.push(found);
        }
    }
}

/// What is handed over.
fn found(
    suite: &Suite,
    shrunk: Shrunk,
    cause: &Cause,
    observed: &str,
    number: u64,
    drawn_steps: usize,
    name: &str,
) -> Option<Found> {
    let observed = shrunk.observed.as_deref().unwrap_or(observed);
    let firm = shrunk.kept.is_none_or(Kept::is_firm);
    let requirement = if firm { refined(&shrunk.walk, cause).to_owned() } else { cause.requirement.clone() };
    // A suite of the user's own may not have all of them.
    let requirement = if suite.requirements.contains_key(&requirement) { requirement } else { cause.requirement.clone() };
    let mut scenario = shrunk.walk.scenario(name)?;
    scenario.title = format!("A walk of {} steps, found by chance, that ends in {}", scenario.steps.len(), cause.finding);
    scenario.why = why(suite, &requirement, observed, shrunk.kept, |quoted| {
        format!("A random walk came to where that did not hold ({quoted}), and these steps are what is left of it.")
    });
    scenario.verifies = vec![requirement.clone()];
    Some(Found {
        mode: Mode::Walks,
        cause: Cause { requirement, finding: cause.finding.clone() },
        observed: observed.to_owned(),
        walks: 1,
        first: number,
        drawn_steps,
        executions: shrunk.executions,
        kept: shrunk.kept,
        scenario,
    })
}

/// Why a scenario that was found is one: what is demanded, how that was missed, in words that get what the judge observed, and why it is not
/// the shortest, if it is not.
pub(crate) fn why(
    suite: &Suite,
    requirement: &str,
    observed: &str,
    kept: Option<Kept>,
    missed: impl FnOnce(&str) -> String,
) -> String {
    let demand = suite.requirements.get(requirement).map(|r| r.sentence.clone()).unwrap_or_default();
    // The rest of what the judge says is about this one execution.
    let observed = observed.split(';').next().unwrap_or_default();
    let quoted: String = observed.chars().filter(|c| !c.is_control()).take(300).collect();
    let kept = kept.map(|kept| format!(" It may be longer than it has to be: {}.", kept.words())).unwrap_or_default();
    format!("{demand} {}{kept}", missed(&quoted))
}

/// Part of a file's name.
pub(crate) fn word(finding: &str) -> String {
    finding.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(40).collect()
}

/// What kept a walk from being judged, if something did.
pub(crate) fn unjudged(number: u64, result: &InstanceResult) -> Option<Unjudged> {
    if result.verdict <= Verdict::Warn {
        return None;
    }
    let check = result.checks.iter().find(|check| check.verdict == result.verdict);
    let observed = check.map_or_else(|| "no check says why".to_owned(), |c| format!("{}: {}: {}", c.id, c.expected, c.observed));
    Some(Unjudged { number, verdict: result.verdict, observed })
}

impl Execute for Again<'_> {
    async fn causes(&self, walk: &Walk, name: &str) -> Vec<(Cause, String)> {
        let Some(planned) = planned(walk, name) else { return Vec::new() };
        let result = self.execute(planned).await;
        let failed = causes(&walk.steps().told, &result);
        failed.into_iter().map(|(cause, check)| (cause, check.observed.clone())).collect()
    }
}
