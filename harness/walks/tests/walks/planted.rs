//! Mistakes that need several steps, and that no scenario names.

use crate::support::{run, walk};
use countersign_engine::Target;
use countersign_mutants::{Walked, walked};
use countersign_scenarios::Suite;
use countersign_trace::Verdict;
use countersign_walks::{Found, write};

/// Most steps of a scenario that is handed over.
const MOST_STEPS: usize = 10;
/// Walks within which each of them is found: far fewer than the default budget of time allows.
const MOST_WALKS: u64 = 4_000;

fn found(planted: &Walked, profile: &str, seed: u8) -> Found {
    let target = Target::Mutant(planted.id.parse().unwrap());
    let outcome = walk(profile, &target, seed, MOST_WALKS, Some(1));
    let found =
        outcome.found.first().unwrap_or_else(|| panic!("{}, seed {seed}: nothing in {} walks", planted.id, outcome.walks));
    let text = write::scenario(&found.scenario);
    assert_eq!(
        (&found.cause.requirement, &found.cause.finding),
        (&planted.requirement, &planted.finding),
        "{}, seed {seed}: {text}",
        planted.id
    );
    assert_eq!(found.kept, None, "{}, seed {seed}: {text}", planted.id);
    let steps = found.scenario.steps.len();
    assert!(steps <= planted.steps + 2 && steps <= MOST_STEPS, "{}, seed {seed}: {steps} steps: {text}", planted.id);
    assert!(steps >= planted.steps, "{}, seed {seed}: the shortest that is known is shorter now: {text}", planted.id);
    found.clone()
}

/// An ordinary run of the file finds the same, and the honest sample passes it.
fn replays(planted: &Walked, profile: &str, found: &Found) {
    let suite = Suite::builtin().unwrap();
    let requirements: Vec<_> = suite.requirements.values().cloned().collect();
    let files = write::suite(std::slice::from_ref(found), &suite.profiles[profile], &requirements, "1").unwrap();
    let (verdict, named) = run(&files, profile, &Target::Mutant(planted.id.parse().unwrap()));
    assert_eq!(verdict, Verdict::Fail, "{}: {files:?}", planted.id);
    let right = (planted.requirement.clone(), planted.finding.clone());
    assert!(named.contains(&right), "{}: {named:?}", planted.id);
    assert_eq!(run(&files, profile, &Target::Builtin), (Verdict::Pass, Vec::new()), "{}: {files:?}", planted.id);
}

#[test]
fn what_needs_several_steps_is_found_and_handed_over_in_few() {
    for planted in walked().unwrap() {
        for seed in 1..=3 {
            let found = found(&planted, "dma-basic", seed);
            if seed == 1 {
                replays(&planted, "dma-basic", &found);
            }
        }
    }
}

#[test]
fn so_it_is_in_the_older_suite() {
    for planted in walked().unwrap() {
        let found = found(&planted, "dma-classic", 1);
        replays(&planted, "dma-classic", &found);
    }
}
