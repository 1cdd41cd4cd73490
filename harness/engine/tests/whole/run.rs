//! Whole runs: every instance comes to its end, at once with others, over every carrier, and whatever the candidate does.

use crate::common::{Ran, options, run_all, run_until, sample};
use countersign_engine::Patience;
use countersign_trace::{Digest, Verdict};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Scenarios without measurements and without long chains.
const QUICK: [&str; 2] = ["keys/*", "media/*"];

fn complete(ran: &Ran) {
    assert!(ran.doctor().healthy(), "{:?}", ran.unhealthy());
    let plan = ran.plan.as_ref().unwrap();
    let mut names: Vec<String> = ran.results.iter().map(countersign_trace::InstanceResult::name).collect();
    names.sort();
    let mut selected = plan.selected.clone();
    assert!(!selected.is_empty());
    selected.sort();
    assert_eq!(names, selected, "each selected instance ends once");
    for result in &ran.results {
        assert_eq!(result.verdict, Verdict::Pass, "{}: {}", result.name(), result.checks[0].observed);
    }
    assert_eq!(ran.notes, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_to_its_end_in_process() {
    let ran = run_all(options("builtin", &["e2ee/*", "keys/*", "media/*"])).await;
    complete(&ran);
    let header = ran.header.as_ref().unwrap();
    assert_eq!((header.carrier.as_str(), header.seed_commitment), ("in-process", Digest::of(&[5; 32])));
    let times = ran.ended().times;
    assert!(times.crypto_us > 0 && times.own_us > 0 && times.candidate_us > 0);
    assert_eq!(ran.ended().count(Verdict::Pass), ran.results.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_come_to_their_end_as_a_child() {
    complete(&run_all(options(&format!("exec:{}", sample()), &QUICK)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_come_to_their_end_over_http() {
    let mut server = tokio::process::Command::new(sample())
        .args(["http", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut place = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut place).await.unwrap();
    complete(&run_all(options(place.trim(), &QUICK)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_names_and_seeds() {
    let once = run_all(options("builtin", &["e2ee/from-*"])).await;
    let again = run_all(options("builtin", &["e2ee/from-*"])).await;
    let ids = |ran: &Ran| {
        let mut ids: Vec<_> = ran.results.iter().map(|r| (r.name(), r.instance, r.seed)).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&once), ids(&again));
    let mut other = options("builtin", &["e2ee/from-*"]);
    other.seed = [6; 32];
    assert_ne!(ids(&once), ids(&run_all(other).await));
}

/// A script in which the sample is handed so many calls, then sees the end of its input, and ends with status 9.
fn dying(calls: u32) -> String {
    let pass = "read -r line && printf '%s\\n' \"$line\"";
    format!("i=0; while [ $i -lt {calls} ] && {pass}; do i=$((i+1)); done | {}; exit 9", sample())
}

/// A target that is a shell with that script.
fn shell(folder: &tempfile::TempDir, script: &str) -> String {
    let file = folder.path().join("candidate.sh");
    std::fs::write(&file, script).unwrap();
    format!("exec:/bin/sh {}", file.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_dies_costs_only_the_instances_that_were_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let died = folder.path().join("died");
    // The first time it dies after some calls; the second time it lives.
    let script = format!("if [ -e {0} ]; then exec {1}; fi; touch {0}; {2}", died.display(), sample(), dying(60));
    let mut options = options(&shell(&folder, &script), &["keys/*"]);
    options.jobs = 2;
    let ran = run_all(options).await;
    assert!(ran.doctor().healthy(), "{:?}", ran.unhealthy());
    assert_eq!(ran.notes.len(), 1, "{:?}", ran.notes);
    assert!(ran.notes[0].contains("exit status: 9"), "{:?}", ran.notes);
    let cut: Vec<_> = ran.results.iter().filter(|r| r.verdict == Verdict::EnvironmentError).collect();
    assert!((1..=2).contains(&cut.len()), "{:?}", cut.iter().map(|r| r.name()).collect::<Vec<_>>());
    assert!(cut.iter().all(|r| r.checks[0].observed.contains("exit status: 9")));
    assert!(ran.results.len() > 4, "the others still get their verdicts");
    assert_eq!(ran.ended().count(Verdict::EnvironmentError), cut.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_always_dies_is_given_up_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&shell(&folder, &dying(60)), &["keys/*", "media/*"]);
    options.jobs = 1;
    let ran = run_all(options).await;
    assert!(ran.doctor().healthy(), "{:?}", ran.unhealthy());
    assert_eq!(ran.notes.len(), 3, "{:?}", ran.notes);
    assert_eq!(ran.results.len(), ran.plan.unwrap().selected.len());
    assert_eq!(ran.results.last().unwrap().verdict, Verdict::EnvironmentError);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_run_with_what_is_there() {
    let mut options = options("builtin", &["keys/*"]);
    options.jobs = 1;
    let ran = run_until(options, Some(2)).await;
    assert_eq!(ran.ended().interrupted.as_deref(), Some("interrupted"));
    assert!(ran.results.len() < ran.plan.as_ref().unwrap().selected.len());
    assert_eq!(ran.results.len(), ran.started.len(), "whatever began is reported");
    assert_eq!(ran.results[0].verdict, Verdict::Pass);
}

#[tokio::test]
async fn a_filter_that_matches_nothing_selects_nothing_and_counts_it() {
    let ran = run_all(options("builtin", &["nowhere/*"])).await;
    let plan = ran.plan.unwrap();
    assert_eq!((plan.selected.len(), ran.results.len()), (0, 0));
    assert!(plan.filtered > 30);
}

#[test]
fn patience_is_the_contracts_unless_it_is_less() {
    assert_eq!(Patience::contract().deadline("settle").as_secs(), 30);
    assert_eq!(Patience::at_most(std::time::Duration::from_secs(12)).deadline("settle").as_secs(), 12);
    assert_eq!(Patience::contract().deadline("invented").as_secs(), 10);
}
