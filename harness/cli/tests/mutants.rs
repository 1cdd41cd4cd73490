//! Every mutant dies by the scenario that should find it, for the right requirement and the right reason, while everything that it
//! does not concern still passes. `harness/mutants/mutants.yaml` says what that is.
//!
//! `COUNTERSIGN_MUTANTS=measure cargo test -p countersign --test mutants exactly -- --nocapture` prints what happens instead, to be
//! read, understood and written into that file; scenarios that measure time, or take long, are not run for that.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use countersign_engine::{Patience, RunEvent, RunOptions, Target};
use countersign_mutants::{Mutant, coverage, mutants};
use countersign_sample::Defect;
use countersign_scenarios::Suite;
use countersign_trace::{CheckKind, InstanceResult, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// No mutants: what only the doctor can catch, since its failures are never conformance failures; and what fails by chance, so that
/// no scenario is held to find it in one run (`tests/unstable.rs`).
const BY_THE_DOCTOR: [Defect; 2] = [Defect::InventsOperation, Defect::FlakyMac];

fn options(profile: &str, target: Target, seed: u8, only: Vec<String>) -> RunOptions {
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
        only,
        patience: Patience::contract(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        expected_failures: Vec::new(),
    }
}

/// One run at a time: two at once would disturb each other's clocks.
static ALONE: Mutex<()> = Mutex::new(());

/// The profiles that take every scenario between them, each of them once.
const PROFILES: [&str; 2] = ["dma-basic", "dma-groups"];

fn run(target: &Target, seed: u8, only: &[String]) -> Vec<InstanceResult> {
    let suite = Suite::builtin().unwrap();
    let mut results = Vec::new();
    for id in PROFILES {
        let taken: BTreeSet<String> = suite.instances(&suite.profiles[id]).into_iter().map(|p| p.scenario.id.clone()).collect();
        let only: Vec<String> = only.iter().filter(|scenario| taken.contains(*scenario)).cloned().collect();
        if !only.is_empty() {
            results.extend(run_under(id, target, seed, &only));
        }
    }
    results
}

fn run_under(profile: &str, target: &Target, seed: u8, only: &[String]) -> Vec<InstanceResult> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (events_in, mut events) = mpsc::channel(64);
        let (_keep, interrupt) = watch::channel(None);
        let run =
            tokio::spawn(countersign_engine::run(options(profile, target.clone(), seed, only.to_vec()), events_in, interrupt));
        let mut results = Vec::new();
        while let Some(event) = events.recv().await {
            match event {
                RunEvent::Doctor(doctor) => {
                    assert!(doctor.healthy(), "{target}: the doctor must let a mutant through: {doctor:?}")
                }
                RunEvent::InstanceEnded(result, _) => results.push(*result),
                _ => {}
            }
        }
        run.await.unwrap().unwrap();
        results
    })
}

/// The same sample as a child, with the same defect.
fn as_child(mutant: &str) -> Target {
    Target::Exec(format!("'{}' sample --defect {mutant}", env!("CARGO_BIN_EXE_countersign")))
}

/// Scenarios that neither measure time, since what a busy machine does to clocks is no business of most mutants, nor take long.
fn untimed(suite: &Suite) -> Vec<String> {
    suite.scenarios.values().filter(|s| !s.scenario.exclusive && !s.scenario.heavy).map(|s| s.scenario.id.clone()).collect()
}

/// Scenarios that fail, with requirement and finding of each failed check.
fn failures(results: &[InstanceResult]) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut failed: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for result in results.iter().filter(|r| r.verdict == Verdict::Fail) {
        let found = failed.entry(result.scenario.clone()).or_default();
        for check in result.checks.iter().filter(|c| c.verdict == Verdict::Fail) {
            for requirement in &check.requirements {
                found.insert((requirement.clone(), check.finding.clone().unwrap_or_default()));
            }
        }
    }
    failed
}

fn assert_killed(mutant: &Mutant, results: &[InstanceResult], how: &str) {
    let broken: Vec<_> = results.iter().filter(|r| r.verdict == Verdict::HarnessError).map(InstanceResult::name).collect();
    assert!(broken.is_empty(), "{} {how}: harness errors in {broken:?}", mutant.id);
    let failed = failures(results);
    let named = failed.get(&mutant.scenario).unwrap_or_else(|| panic!("{} {how}: survives {}", mutant.id, mutant.scenario));
    let right = (mutant.requirement.clone(), mutant.finding.clone());
    assert!(named.contains(&right), "{} {how}: {} names {named:?}, not {right:?}", mutant.id, mutant.scenario);
    // The accepted twins, and everything else that the defect does not concern.
    let undue: Vec<_> = failed.keys().filter(|s| !mutant.fails.contains(s)).collect();
    assert!(undue.is_empty(), "{} {how}: also fails {undue:?}", mutant.id);
}

/// The scenario that has to find a mutant, and all twins.
fn to_run(suite: &Suite, mutant: &Mutant) -> Vec<String> {
    let twins = suite.scenarios.values().filter(|s| s.scenario.twin).map(|s| s.scenario.id.clone());
    twins.chain([mutant.scenario.clone()]).collect()
}

#[test]
fn every_defect_is_a_mutant_of_the_file() {
    let listed: BTreeSet<String> = mutants().unwrap().into_iter().map(|m| m.id).collect();
    let missing: Vec<_> =
        Defect::ALL.iter().filter(|d| !BY_THE_DOCTOR.contains(d) && !listed.contains(d.as_str())).map(|d| d.as_str()).collect();
    assert!(missing.is_empty(), "{missing:?} stand in no line of mutants.yaml");
    assert!(listed.len() >= 20);
}

#[test]
fn every_scenario_is_a_twin_or_kills_a_mutant_that_no_other_in_its_folder_kills() {
    let suite = Suite::builtin().unwrap();
    let idle: Vec<_> = coverage(&suite, &mutants().unwrap()).into_iter().filter(|(_, c)| !c.justified()).collect();
    assert!(idle.is_empty(), "{idle:#?}");
}

#[test]
fn mutants_fail_exactly_the_scenarios_of_the_file() {
    let suite = Suite::builtin().unwrap();
    let measure = std::env::var_os("COUNTERSIGN_MUTANTS").is_some();
    let listed = mutants().unwrap();
    for defect in Defect::ALL.iter().copied().filter(|d| !BY_THE_DOCTOR.contains(d)) {
        let only = untimed(&suite);
        let results = run(&Target::Mutant(defect), 1, &only);
        let failed = failures(&results);
        if measure {
            eprintln!("{defect}: {}", failed.keys().cloned().collect::<Vec<_>>().join(", "));
            continue;
        }
        let listed = listed.iter().find(|m| m.id == defect.as_str()).unwrap_or_else(|| panic!("{defect} is not listed"));
        let expected: BTreeSet<_> = listed.fails.iter().filter(|s| only.contains(s)).collect();
        assert_eq!(failed.keys().collect::<BTreeSet<_>>(), expected, "{defect}");
        let neither = |r: &&InstanceResult| !matches!(r.verdict, Verdict::Pass | Verdict::Fail);
        let odd: Vec<_> = results.iter().filter(neither).map(|r| (r.name(), r.verdict)).collect();
        assert!(odd.is_empty(), "{defect}: {odd:?}");
    }
}

#[test]
fn every_mutant_dies_under_five_seeds_in_process() {
    let suite = Suite::builtin().unwrap();
    for mutant in mutants().unwrap() {
        let target = Target::Mutant(mutant.defect().unwrap());
        for seed in 1..=5 {
            assert_killed(&mutant, &run(&target, seed, &to_run(&suite, &mutant)), &format!("in process, seed {seed}"));
        }
    }
}

#[test]
fn every_mutant_dies_under_five_seeds_as_a_child() {
    let suite = Suite::builtin().unwrap();
    for mutant in mutants().unwrap() {
        for seed in 1..=5 {
            let results = run(&as_child(&mutant.id), seed, &to_run(&suite, &mutant));
            assert_killed(&mutant, &results, &format!("as a child, seed {seed}"));
        }
    }
}

#[test]
fn the_honest_sample_raises_no_false_alarm() {
    let suite = Suite::builtin().unwrap();
    for seed in 1..=20 {
        for result in run(&Target::Builtin, seed, &untimed(&suite)) {
            let good = |v: Verdict| matches!(v, Verdict::Pass | Verdict::NotApplicable);
            let bad: Vec<_> = result.checks.iter().filter(|c| !good(c.verdict)).collect();
            assert!(bad.is_empty(), "false alarm with seed {seed} in {}: {bad:#?}", result.name());
            assert!(result.checks.iter().any(|c| c.kind == CheckKind::Monitor));
        }
    }
}
