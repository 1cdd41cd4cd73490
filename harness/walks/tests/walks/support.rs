//! A candidate in this process, and searches on it.

use countersign_engine::{Patience, RunOptions, Series, Target};
use countersign_scenarios::{Suite, SuiteFiles};
use countersign_trace::Verdict;
use countersign_walks::{Abilities, Options, Outcome, search, wire};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// One search at a time: each uses all processors.
static ALONE: Mutex<()> = Mutex::new(());

fn options(profile: &str, target: Target, seed: u8) -> RunOptions {
    let suite = Arc::new(Suite::builtin().unwrap());
    countersign_testkit::options(&suite, &suite.profiles[profile], target, seed)
}

/// As many walks as said, or until so many causes of failures were found.
pub(crate) fn walk(profile: &str, target: &Target, seed: u8, cases: u64, found: Option<usize>) -> Outcome {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (_keep, interrupt) = watch::channel(None);
        let (doctor, series) = Series::open(options(profile, target.clone(), seed), interrupt.clone()).await.unwrap();
        let series = series.unwrap_or_else(|| panic!("{target}: {doctor:?}"));
        let abilities = Abilities::of(&series.options().profile, series.description()).unwrap();
        let options = Options { cases: Some(cases), time: None, found, steps: countersign_walks::STEPS, executions: 400 };
        let outcome = search(&series, abilities, options, interrupt, &mut |_| {}).await;
        series.shut_down().await;
        outcome
    })
}

/// Wire fuzzing with as many inputs as said, or until so many causes of failures were found. No answer is waited for longer.
pub(crate) fn fuzz_wire(
    profile: &str,
    target: &Target,
    seed: u8,
    cases: u64,
    found: Option<usize>,
    longest: Duration,
) -> Outcome {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (_keep, interrupt) = watch::channel(None);
        let patient = RunOptions { patience: Patience::at_most(longest), ..options(profile, target.clone(), seed) };
        let (doctor, series) = Series::open(patient, interrupt.clone()).await.unwrap();
        let series = series.unwrap_or_else(|| panic!("{target}: {doctor:?}"));
        let abilities = Abilities::of(&series.options().profile, series.description()).unwrap();
        let options = Options { cases: Some(cases), time: None, found, steps: 0, executions: 100 };
        let outcome = wire::search::search(&series, abilities, options, interrupt, &mut |_| {}).await;
        series.shut_down().await;
        outcome
    })
}

/// The verdict of scenario files under the profile, as an ordinary run comes to it, with requirement and finding of what failed.
pub(crate) fn run(files: &SuiteFiles, profile: &str, target: &Target) -> (Verdict, Vec<(String, String)>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let suite = Suite::from_files(files).unwrap();
    let suite = Arc::new(suite);
    let options = countersign_testkit::options(&suite, &suite.profiles[profile], target.clone(), 9);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (events_in, mut events) = tokio::sync::mpsc::channel(64);
        let (_keep, interrupt) = watch::channel(None);
        let run = tokio::spawn(countersign_engine::run(options, events_in, interrupt));
        let mut ended = Vec::new();
        while let Some(event) = events.recv().await {
            if let countersign_engine::RunEvent::InstanceEnded(result, _) = event {
                ended.push(*result);
            }
        }
        run.await.unwrap().unwrap();
        let [result] = &ended[..] else { panic!("{} instances", ended.len()) };
        let failed = result.checks.iter().filter(|check| check.verdict == Verdict::Fail);
        let named = failed.flat_map(|c| c.requirements.iter().map(|r| (r.clone(), c.finding.clone().unwrap_or_default())));
        (result.verdict, named.collect())
    })
}
