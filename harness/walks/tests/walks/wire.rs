//! Malformed input under valid MACs: the honest sample stands it, and what no scenario names is found.

use crate::support::{fuzz_wire, run};
use countersign_contract::claims::Capability;
use countersign_engine::Target;
use countersign_mutants::{Walked, wired};
use countersign_scenarios::Suite;
use countersign_trace::Verdict;
use countersign_walks::{Found, Outcome, write};
use std::time::Duration;

/// Most steps of a scenario that is handed over.
const MOST_STEPS: usize = 14;
/// Inputs within which each planted mistake is found.
const MOST_INPUTS: u64 = 2_000;

/// Longest that an answer is waited for.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_secs(2);

/// More in the long run: `COUNTERSIGN_WIRE=5000`.
fn cases() -> u64 {
    std::env::var("COUNTERSIGN_WIRE").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

fn told(outcome: &Outcome) -> String {
    let each = |found: &Found| format!("{found:?}\n{}", write::scenario(&found.scenario));
    outcome.found.iter().map(each).collect::<Vec<_>>().join("\n")
}

fn no_false_alarm(profile: &str, target: &Target) {
    for seed in 1..=2 {
        let outcome = fuzz_wire(profile, target, seed, cases(), None, LONG);
        assert!(outcome.found.is_empty(), "{profile}, seed {seed}: {} of {}: {}", outcome.failed, outcome.walks, told(&outcome));
        assert!(outcome.unjudged.is_empty(), "{profile}, seed {seed}: {:#?}", outcome.told);
        assert_eq!(outcome.inputs, cases());
    }
}

#[test]
fn the_honest_sample_stands_it() {
    no_false_alarm("dma-basic", &Target::Builtin);
}

#[test]
fn the_honest_sample_stands_it_in_groups() {
    no_false_alarm("dma-groups", &Target::Builtin);
}

#[test]
fn the_honest_sample_stands_it_sealed() {
    no_false_alarm("sealed-sender", &Target::Builtin);
}

#[test]
fn the_honest_sample_stands_it_in_the_older_suite() {
    no_false_alarm("dma-classic", &Target::Builtin);
}

/// What makes a process grow shows where a process has a limit: the command line's tests look for that.
fn in_process() -> impl Iterator<Item = Walked> {
    wired().unwrap().into_iter().filter(|planted| planted.finding != "grew")
}

fn target(planted: &Walked) -> Target {
    Target::Mutant(planted.id.parse().unwrap())
}

fn found(planted: &Walked, profile: &str, seed: u8) -> Found {
    // Where nothing is answered any more, each failure takes as long.
    let deadline = if planted.finding == "hung" { SHORT } else { LONG };
    let outcome = fuzz_wire(profile, &target(planted), seed, MOST_INPUTS, Some(1), deadline);
    let found =
        outcome.found.first().unwrap_or_else(|| panic!("{}, seed {seed}: nothing in {} inputs", planted.id, outcome.inputs));
    let text = write::scenario(&found.scenario);
    let cause = (&found.cause.requirement, &found.cause.finding);
    assert_eq!(cause, (&planted.requirement, &planted.finding), "{}, seed {seed}: {text}", planted.id);
    assert_eq!(found.kept, None, "{}, seed {seed}: {text}", planted.id);
    let steps = found.scenario.steps.len();
    assert!(steps <= planted.steps && steps <= MOST_STEPS, "{}, seed {seed}: {steps} steps: {text}", planted.id);
    found.clone()
}

/// An ordinary run of the file finds the same, and the honest sample passes it.
fn replays(planted: &Walked, profile: &str, found: &Found) {
    let suite = Suite::builtin().unwrap();
    let requirements: Vec<_> = suite.requirements.values().cloned().collect();
    let files = write::suite(std::slice::from_ref(found), &suite.profiles[profile], &requirements, "1").unwrap();
    let (verdict, named) = run(&files, profile, &target(planted));
    assert_eq!(verdict, Verdict::Fail, "{}: {files:?}", planted.id);
    let right = (planted.requirement.clone(), planted.finding.clone());
    assert!(named.contains(&right), "{}: {named:?}", planted.id);
    assert_eq!(run(&files, profile, &Target::Builtin), (Verdict::Pass, Vec::new()), "{}: {files:?}", planted.id);
}

#[test]
fn what_no_scenario_names_is_found_and_handed_over_as_one_input() {
    for planted in in_process() {
        // Where each failure takes a deadline, fewer say as much.
        let seeds = if planted.finding == "hung" { 2 } else { 3 };
        let profile = planted.profile.as_deref().unwrap_or("dma-basic");
        for seed in 1..=seeds {
            let found = found(&planted, profile, seed);
            if seed == 1 {
                replays(&planted, profile, &found);
            }
        }
    }
}

#[test]
fn so_it_is_in_the_older_suite() {
    for planted in in_process().filter(|planted| planted.profile.is_none()) {
        found(&planted, "dma-classic", 1);
    }
}

/// What honest messages do not show, the stored state does.
#[test]
fn what_a_refused_input_leaves_in_the_state_is_found() {
    let planted = Walked {
        id: "notes-before-checking".to_owned(),
        requirement: "SIG-11".to_owned(),
        finding: "state-changed".to_owned(),
        // Honest messages each way, the input between two exports, the look at the client, that nothing is shown, and the comparison.
        steps: 10,
        profile: None,
    };
    let found = found(&planted, "dma-basic", 1);
    assert_eq!(found.scenario.capabilities, [Capability::Export]);
    replays(&planted, "dma-basic", &found);
}
