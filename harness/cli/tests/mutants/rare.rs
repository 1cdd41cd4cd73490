//! Defects that show by chance are found as often as reports say that they are. Everything that decides it is drawn from the seed, so
//! that what is found under which seed never changes: `harness/mutants/rare.yaml` says how often.
//!
//! `COUNTERSIGN_MUTANTS=measure cargo test -p countersign --test mutants by_chance -- --nocapture` prints both numbers instead.

use super::together::{each, turn};
use super::{failures, options};
use countersign_contract::claims::Suite as Spoken;
use countersign_engine::{RunEvent, Target};
use countersign_judge::{Chances, chances};
use countersign_mutants::{ChanceOf, RARE_SEEDS, RARE_SHARE, Rare, rare};
use countersign_reports::found_with;
use countersign_trace::InstanceResult;
use tokio::sync::{mpsc, watch};

/// Runs a scenario, and counts the chances in it while the bodies are at hand.
fn run(target: &Target, seed: u8, scenario: &str) -> (Vec<InstanceResult>, Chances) {
    let _turn = turn(&[scenario.to_owned()]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (events_in, mut events) = mpsc::channel(64);
        let (_keep, interrupt) = watch::channel(None);
        let options = options("dma-basic", target.clone(), seed, vec![scenario.to_owned()]);
        let run = tokio::spawn(countersign_engine::run(options, events_in, interrupt));
        let (mut results, mut all) = (Vec::new(), Chances::default());
        while let Some(event) = events.recv().await {
            if let RunEvent::InstanceEnded(result, blobs) = event {
                all.add(&chances(&result.trace, &blobs));
                results.push(*result);
            }
        }
        run.await.unwrap().unwrap();
        (results, all)
    })
}

fn of(kind: ChanceOf, all: &Chances) -> u64 {
    match kind {
        ChanceOf::Messages => all.received.messages,
        ChanceOf::Sessions => all.received.sessions,
        ChanceOf::RatchetKeys => all.received.ratchet_keys,
        ChanceOf::Files => all.received.files,
    }
}

/// Under how many seeds it is found, for the right requirement and the right reason.
fn found(rare: &Rare) -> u64 {
    let target = Target::Mutant(rare.id.parse().unwrap());
    let right = (rare.requirement.clone(), rare.finding.clone());
    let finds = |seed: &u8| {
        let failed = failures(&run(&target, *seed, &rare.scenario).0);
        failed.get(&rare.scenario).is_some_and(|found| found.contains(&right))
    };
    (1..=RARE_SEEDS).filter(finds).count() as u64
}

#[test]
fn what_shows_by_chance_is_found_as_often_as_reports_say() {
    each(&rare().unwrap(), |rare| {
        assert!(rare.id.parse::<countersign_sample::Defect>().unwrap().suites().contains(&Spoken::SignalPq));
        let (_, honest) = run(&Target::Builtin, 1, &rare.scenario);
        let (chances, found) = (of(rare.of, &honest), found(rare));
        let probability = found_with(RARE_SHARE, chances);
        if std::env::var_os("COUNTERSIGN_MUTANTS").is_some() {
            eprintln!("{}: {chances} chances, found under {found} of {RARE_SEEDS} seeds, expected {probability:.3}", rare.id);
            return;
        }
        assert_eq!((chances, found), (rare.chances, rare.found), "{}", rare.id);
        // Three standard deviations of so many independent runs. Nothing here is drawn anew, so that it holds always or never.
        let seeds = f64::from(RARE_SEEDS);
        let deviation = (probability * (1.0 - probability) / seeds).sqrt();
        let rate = f64::from(u32::try_from(found).unwrap()) / seeds;
        assert!((rate - probability).abs() <= 3.0 * deviation, "{}: {rate} is not near {probability}", rare.id);
    });
}
