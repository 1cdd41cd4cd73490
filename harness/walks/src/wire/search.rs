//! Conversations with malformed input without end: drawn, executed, judged, and shrunk when they fail.

use super::shrink::{Execute, Shrunk, shrink};
use super::{About, Talk, draw};
use crate::abilities::Abilities;
use crate::again::Again;
use crate::cause::{Cause, causes};
use crate::model::Told;
use crate::search::{Found, Mode, Options, Outcome, Telling, Unjudged, unjudged, why, word};
use crate::shrink::Kept;
use crate::strategy::runner;
use crate::write::FOLDER;
use countersign_adversary::alter::Part;
use countersign_engine::{Executed, Interrupt, Series};
use countersign_scenarios::Planned;
use countersign_trace::{InstanceResult, Verdict};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// The finding of a failure that takes a whole deadline.
pub(crate) const HUNG: &str = "hung";
/// Findings that say that the candidate did not get any further.
const ENDINGS: [&str; 4] = [HUNG, "died", "grew", "overran"];
/// How many conversations that failed for one cause are shrunk: what they come to may differ more than the cause did.
const SHRUNK_PER_CAUSE: usize = 4;
/// The same for those each of which takes a whole deadline.
const SHRUNK_PER_HANG: usize = 2;
/// How many conversations that could not be judged are told one by one.
const MOST_TOLD: usize = 10;
/// How often a candidate that ended is started again. Each ending is found, shrunk and told once, and some executions more are needed.
const RESTARTS: u32 = 2_000;

/// A search under way.
struct Search<'s, 't> {
    series: &'s Series,
    abilities: Abilities,
    options: Options,
    interrupt: Interrupt,
    tell: &'t mut (dyn FnMut(&Telling<'_>) + Send),
    begin: Instant,
    outcome: Outcome,
    by_cause: BTreeMap<Cause, Vec<usize>>,
    /// What each failure that was found is about.
    parts: Vec<Option<About>>,
}

/// Searches: `options.cases` counts inputs, and `options.steps` is not used. `tell` hears of what happens, in the order of the
/// conversations' numbers. The same seed gives the same conversations.
pub async fn search(
    series: &Series,
    abilities: Abilities,
    options: Options,
    interrupt: Interrupt,
    tell: &mut (dyn FnMut(&Telling<'_>) + Send),
) -> Outcome {
    series.allow_restarts(RESTARTS);
    let begin = Instant::now();
    let (outcome, by_cause, parts) = (Outcome::default(), BTreeMap::new(), Vec::new());
    let mut search = Search { series, abilities, options, interrupt, tell, begin, outcome, by_cause, parts };
    search.run().await;
    let mut outcome = search.outcome;
    outcome.interrupted = search.interrupt.borrow().clone();
    outcome.times.wall_us = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
    outcome
}

impl Search<'_, '_> {
    fn over(&self, inputs: u64) -> bool {
        self.options.found.is_some_and(|most| self.outcome.firm() >= most)
            || self.options.cases.is_some_and(|most| inputs >= most)
            || self.options.time.is_some_and(|most| self.begin.elapsed() >= most)
            || self.interrupt.borrow().is_some()
            || self.outcome.gone
    }

    /// One batch after another: what a candidate that ends in one conversation does to those beside it is told apart once all of them
    /// are over.
    async fn run(&mut self) {
        let (mut next, mut drawn) = (0, 0);
        while !self.over(drawn) {
            let mut batch = Vec::new();
            let mut tasks: JoinSet<(usize, Executed)> = JoinSet::new();
            while batch.len() < self.series.jobs() && self.options.cases.is_none_or(|most| drawn < most) {
                let left = self.options.cases.map_or(u64::MAX, |most| most.saturating_sub(drawn));
                let most = usize::try_from(left).unwrap_or(usize::MAX);
                let drawing = Instant::now();
                let talk = draw::talk(runner(&self.series.options().seed, next).rng(), self.abilities, most);
                let executed = self.series.instance(planned(&talk, &drawn_name(next)));
                self.outcome.drawing += drawing.elapsed();
                let at = batch.len();
                tasks.spawn(async move { (at, executed.await) });
                drawn += talk.inputs() as u64;
                batch.push((next, talk));
                next += 1;
            }
            let mut done: BTreeMap<usize, Executed> = BTreeMap::new();
            while let Some(joined) = tasks.join_next().await {
                match joined {
                    Ok((at, executed)) => {
                        done.insert(at, executed);
                    }
                    Err(error) => {
                        (self.tell)(&Telling::Note(format!("Countersign itself broke down in a conversation: {error}")));
                        *self.outcome.unjudged.entry(Verdict::HarnessError).or_default() += 1;
                    }
                }
            }
            // What one of them did to a process, others under way in it may have suffered from.
            let hung = self.series.is_renewable() && done.values().any(|executed| is_hung(&executed.result));
            let suffered = self.series.is_broken() || hung && batch.len() > 1;
            for (at, (number, talk)) in batch.into_iter().enumerate() {
                let Some(executed) = done.remove(&at) else { continue };
                if self.options.found.is_some_and(|most| self.outcome.firm() >= most) {
                    break;
                }
                self.take(number, talk, executed, suffered).await;
            }
            if hung {
                self.renew().await;
            }
            for note in self.series.notes() {
                (self.tell)(&Telling::Note(note));
            }
            self.revive().await;
            let progress =
                Telling::Progress { walks: self.outcome.inputs, failed: self.outcome.failed, time: self.begin.elapsed() };
            (self.tell)(&progress);
        }
    }

    /// Starts a candidate that ended again.
    async fn revive(&mut self) {
        let ended = self.series.is_broken();
        let note = self.series.revive().await;
        self.outcome.gone |= self.series.is_broken();
        // That it ended is what is looked for; that it cannot be started again is not.
        if let Some(note) = note.filter(|_| ended && self.outcome.gone) {
            (self.tell)(&Telling::Note(note));
        }
    }

    /// Starts a candidate anew in which something may still go on.
    async fn renew(&mut self) {
        if let Some(note) = self.series.renew().await {
            self.outcome.gone = true;
            (self.tell)(&Telling::Note(note));
        }
    }

    /// Counts what came of a conversation, and shrinks it if its cause is not well known yet.
    async fn take(&mut self, number: u64, talk: Talk, executed: Executed, suffered: bool) {
        let mut result = executed.result;
        let total = &mut self.outcome.times;
        total.instances_us += executed.times.instances_us;
        total.candidate_us += executed.times.candidate_us;
        total.crypto_us += executed.times.crypto_us;
        total.own_us += executed.times.own_us;
        if suffered && result.verdict > Verdict::Warn {
            // Others were under way when the candidate ended, or did not get any further, and one of them made it do so. Alone, each says
            // what it does itself.
            if !self.outcome.gone {
                match self.series.is_broken() {
                    true => self.revive().await,
                    false => self.renew().await,
                }
            }
            if self.outcome.gone {
                return self.unrepeated(number, &talk, &result);
            }
            result = self.series.instance(planned(&talk, &drawn_name(number))).await.result;
        }
        if self.interrupt.borrow().is_some() && result.verdict != Verdict::Fail {
            // It may have been cut short.
            return;
        }
        let steps = self.count(&talk);
        let failed = causes(&steps, &result);
        let Some((cause, check)) = failed.first() else {
            return self.leave(number, &result);
        };
        self.outcome.failed += 1;
        let known = self.by_cause.entry(cause.clone()).or_default().clone();
        let enough = known.len() >= if cause.finding == HUNG { SHRUNK_PER_HANG } else { SHRUNK_PER_CAUSE };
        if enough || self.interrupt.borrow().is_some() && !known.is_empty() {
            if let Some(found) = known.first().and_then(|index| self.outcome.found.get_mut(*index)) {
                found.walks += 1;
            }
            return;
        }
        if known.is_empty() {
            (self.tell)(&Telling::Failed { number, cause });
        }
        let begin = Instant::now();
        let echo = self.echo(cause).await;
        if cause.finding == HUNG {
            self.renew().await;
        }
        let name = self.next_name(cause);
        let execute = Again::new(self.series, &self.interrupt, &self.options);
        let shrunk = shrink(&execute, &talk, cause, &drawn_name(number), &name, self.options.executions).await;
        self.outcome.shrinking += begin.elapsed();
        let about = shrunk.talk.about();
        let mut found = self.found(shrunk, cause, &check.observed, number, steps.len(), &name);
        if let Some(echo) = echo {
            found.observed.push_str(echo);
        }
        self.keep(about, found);
    }

    /// After something that ended or stopped the client: whether the candidate as a whole still answers an honest message each way, as the
    /// doctor asks for it.
    async fn echo(&self, cause: &Cause) -> Option<&'static str> {
        if !ENDINGS.contains(&cause.finding.as_str()) {
            return None;
        }
        if self.series.is_broken() {
            return Some("; an echo is not answered after that");
        }
        let echo = Talk { parts: vec![Vec::new()], ..Talk::default() };
        let executed = self.series.instance(planned(&echo, &format!("{FOLDER}/echo"))).await;
        Some(match executed.result.verdict <= Verdict::Warn {
            true => "; other users of the candidate are still answered after that",
            false => "; an echo is not answered after that",
        })
    }

    fn count(&mut self, talk: &Talk) -> Vec<Told> {
        let steps = talk.steps();
        self.outcome.walks += 1;
        self.outcome.inputs += talk.inputs() as u64;
        self.outcome.steps += steps.len() as u64;
        steps
    }

    /// What failed when the candidate ended for good. Each of the conversations that were under way then may have done it, so that
    /// each of them is handed over.
    fn unrepeated(&mut self, number: u64, talk: &Talk, result: &InstanceResult) {
        let steps = self.count(talk);
        let failed = causes(&steps, result);
        let Some((cause, check)) = failed.first() else {
            return self.leave(number, result);
        };
        self.outcome.failed += 1;
        let name = self.next_name(cause);
        let shrunk = Shrunk { talk: talk.clone(), executions: 0, kept: Some(Kept::Unrepeated), observed: None };
        let found = self.found(shrunk, cause, &check.observed, number, steps.len(), &name);
        (self.tell)(&Telling::Failed { number, cause });
        (self.tell)(&Telling::Found(&found));
        self.outcome.found.push(found);
        self.parts.push(talk.about());
    }

    fn next_name(&self, cause: &Cause) -> String {
        let same = self.outcome.found.iter().filter(|found| found.cause.finding == cause.finding).count();
        format!("{FOLDER}/wire-{}-{}", word(&cause.finding), same + 1)
    }

    fn leave(&mut self, number: u64, result: &InstanceResult) {
        if let Some(Unjudged { verdict, observed, .. }) = unjudged(number, result) {
            *self.outcome.unjudged.entry(verdict).or_default() += 1;
            if self.outcome.told.len() < MOST_TOLD {
                (self.tell)(&Telling::Note(format!("conversation {number}: {verdict}: {observed}")));
                self.outcome.told.push(Unjudged { number, verdict, observed });
            }
        }
    }

    fn found(&self, shrunk: Shrunk, cause: &Cause, observed: &str, number: u64, drawn_steps: usize, name: &str) -> Found {
        let mut scenario = shrunk.talk.scenario(name);
        let inputs = shrunk.talk.inputs();
        scenario.title = match inputs {
            1 => format!("One malformed input that ends in {}", cause.finding),
            _ => format!("{inputs} malformed inputs that end in {}", cause.finding),
        };
        let observed = shrunk.observed.as_deref().unwrap_or(observed);
        let by = match shrunk.talk.about() {
            Some(About::Stanza | About::Bundle) => "A server that hands it out is enough for that.",
            Some(About::Part(Part::Certificate)) => "A server that signs whatever it is given is enough for that.",
            Some(About::Part(Part::Group | Part::Distribution)) => "Any member of a group can send it, under its own sender key.",
            _ => "It stands under a valid MAC, so any peer can send it.",
        };
        let suite = &self.series.options().suite;
        scenario.why = why(suite, &cause.requirement, observed, shrunk.kept, |quoted| {
            format!("With this input that did not hold ({quoted}). {by}")
        });
        scenario.verifies = vec![cause.requirement.clone()];
        Found {
            mode: Mode::Wire,
            cause: cause.clone(),
            observed: observed.to_owned(),
            walks: 1,
            first: number,
            drawn_steps,
            executions: shrunk.executions,
            kept: shrunk.kept,
            scenario,
        }
    }

    /// Each cause once, by its shortest scenario. What is about different parts of a message has different causes, as different code reads
    /// them.
    fn keep(&mut self, about: Option<About>, found: Found) {
        let of_cause = self.by_cause.entry(found.cause.clone()).or_default();
        let same = |(index, other): &(usize, &mut Found)| {
            other.cause == found.cause && (self.parts.get(*index) == Some(&about) || !found.is_firm() || !other.is_firm())
        };
        match self.outcome.found.iter_mut().enumerate().find(same) {
            Some((index, other)) => {
                of_cause.push(index);
                other.walks += 1;
                let shorter = found.scenario.steps.len() < other.scenario.steps.len();
                if found.is_firm() && (shorter || !other.is_firm()) {
                    *other = Found { walks: other.walks, ..found };
                    self.parts.get_mut(index).into_iter().for_each(|other| *other = about);
                    (self.tell)(&Telling::Found(other));
                }
            }
            None => {
                (self.tell)(&Telling::Found(&found));
                of_cause.push(self.outcome.found.len());
                self.outcome.found.push(found);
                self.parts.push(about);
            }
        }
    }
}

/// Whether the candidate did not get any further in an instance.
fn is_hung(result: &InstanceResult) -> bool {
    result.checks.iter().any(|check| check.verdict == Verdict::Fail && check.finding.as_deref() == Some(HUNG))
}

fn planned(talk: &Talk, name: &str) -> Planned {
    Planned { name: name.to_owned(), scenario: Arc::new(talk.scenario(name)), case: None }
}

fn drawn_name(number: u64) -> String {
    format!("{FOLDER}/w{number}")
}

impl Execute for Again<'_> {
    async fn causes(&self, talk: &Talk, name: &str) -> Vec<(Cause, Option<usize>, String)> {
        let result = self.execute(planned(talk, name)).await;
        if is_hung(&result) {
            // What still goes on in it is no matter of the next one.
            let _ = self.series.renew().await;
        }
        let failed = causes(&talk.steps(), &result);
        failed.into_iter().map(|(cause, check)| (cause, check.step, check.observed.clone())).collect()
    }
}
