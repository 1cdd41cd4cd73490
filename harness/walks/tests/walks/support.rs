//! A candidate in this process, and searches on it.

use countersign_engine::{Patience, RunOptions, Series, Target};
use countersign_scenarios::Suite;
use countersign_walks::{Abilities, Options, Outcome, search};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// One search at a time: each uses all processors.
static ALONE: Mutex<()> = Mutex::new(());

pub(crate) fn options(profile: &str, target: Target, seed: u8) -> RunOptions {
    let suite = Arc::new(Suite::builtin().unwrap());
    let profile = Arc::new(suite.profiles.get(profile).unwrap().clone());
    let requirements: Vec<_> = suite.requirements.values().cloned().collect();
    let judged_by = Arc::clone(&profile);
    RunOptions {
        judge: Arc::new(move |planned, trace, blobs, claims| {
            countersign_judge::judge(&judged_by, &requirements, &planned.scenario, trace, blobs, claims)
        }),
        suite,
        profile,
        target,
        folder: std::env::current_dir().unwrap(),
        listen: "127.0.0.1:0".parse().unwrap(),
        remote: countersign_engine::Remote::default(),
        seed: [seed; 32],
        jobs: 4,
        only: Vec::new(),
        patience: Patience::contract(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        expected_failures: Vec::new(),
    }
}

/// As many walks as said, or until the time is over.
pub(crate) fn walk(profile: &str, target: &Target, seed: u8, cases: u64, most: Option<Duration>) -> Outcome {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (_keep, interrupt) = watch::channel(None);
        let (doctor, series) = Series::open(options(profile, target.clone(), seed), interrupt.clone()).await.unwrap();
        let series = series.unwrap_or_else(|| panic!("{target}: {doctor:?}"));
        let abilities = Abilities::of(&series.options().profile, series.description()).unwrap();
        let options = Options { cases: Some(cases), time: most, steps: countersign_walks::STEPS, executions: 400 };
        let outcome = search(&series, abilities, options, interrupt, &mut |_| {}).await;
        series.shut_down().await;
        outcome
    })
}
