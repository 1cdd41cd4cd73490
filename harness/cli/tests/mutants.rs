//! Every mutant dies by the scenario that should find it, for the right requirement and the right reason, while everything that it
//! does not concern still passes. `harness/mutants/mutants.yaml` says what that is.
//!
//! `COUNTERSIGN_MUTANTS=measure cargo test -p countersign --test mutants exactly -- --nocapture` prints what happens instead, to be
//! read, understood and written into that file; scenarios that measure time, or take long, are not run for that.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test, which prints what it measures"
)]

#[path = "mutants/rare.rs"]
mod odds;
#[path = "mutants/together.rs"]
mod together;

use countersign_contract::claims;
use countersign_engine::{RunEvent, RunOptions, Target};
use countersign_mutants::{Mutant, coverage, mutants, rare, walked, wired};
use countersign_reports::View;
use countersign_sample::Defect;
use countersign_scenarios::Suite;
use countersign_trace::record::{RECORD_VERSION, SuiteFiles};
use countersign_trace::{Blobs, CheckKind, Digest, InstanceResult, Record, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use together::{each, turn};
use tokio::sync::{mpsc, watch};

/// No mutants: what only the doctor can catch, since its failures are never conformance failures; and what fails by chance, so that
/// no scenario is held to find it in one run (`tests/unstable.rs`).
const BY_THE_DOCTOR: [Defect; 2] = [Defect::InventsOperation, Defect::FlakyMac];

/// The profiles that speak a suite and take the scenarios of mutants between them; each scenario is run under the first that takes it.
fn profiles_of(spoken: claims::Suite) -> &'static [&'static str] {
    match spoken {
        claims::Suite::SignalPq => &["dma-basic", "dma-groups", "sealed-sender", "signal-catalogue"],
        claims::Suite::SignalClassic => &["dma-classic", "signal-catalogue-classic"],
    }
}

/// Read once: it takes longer than most runs of one scenario.
static SUITE: LazyLock<Arc<Suite>> = LazyLock::new(|| Arc::new(Suite::builtin().unwrap()));

fn options(profile: &str, target: Target, seed: u8, only: Vec<String>) -> RunOptions {
    let suite = &*SUITE;
    RunOptions { only, ..countersign_testkit::options(suite, &suite.profiles[profile], target, seed) }
}

fn run(spoken: claims::Suite, target: &Target, seed: u8, only: &[String]) -> Vec<InstanceResult> {
    let suite = &*SUITE;
    let (mut results, mut before) = (Vec::new(), BTreeSet::new());
    for id in profiles_of(spoken) {
        let taken: BTreeSet<String> = suite.instances(&suite.profiles[*id]).into_iter().map(|p| p.scenario.id.clone()).collect();
        let only: Vec<String> =
            only.iter().filter(|scenario| taken.contains(*scenario) && !before.contains(*scenario)).cloned().collect();
        before.extend(taken);
        if !only.is_empty() {
            results.extend(run_under(id, target, seed, &only));
        }
    }
    results
}

fn run_under(profile: &str, target: &Target, seed: u8, only: &[String]) -> Vec<InstanceResult> {
    let _turn = turn(only);
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

/// Scenarios about a suite that neither measure time, since what a busy machine does to clocks is no business of most mutants, nor
/// take long.
fn untimed(suite: &Suite, spoken: claims::Suite) -> Vec<String> {
    let about = |meant: &[claims::Suite]| meant.is_empty() || meant.contains(&spoken);
    let planned = profiles_of(spoken).iter().flat_map(|id| suite.instances(&suite.profiles[*id]));
    let fit = planned.into_iter().map(|planned| planned.scenario);
    let fit = fit.filter(|s| about(&s.suites) && !s.exclusive && !s.heavy).map(|s| s.id.clone());
    fit.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Of these, the ones that keys and sessions decide: what the suites do in different code.
fn of_sessions(suite: &Suite, spoken: claims::Suite) -> Vec<String> {
    let folders = ["adversary/", "e2ee/", "keys/", "life/", "state/"];
    untimed(suite, spoken).into_iter().filter(|id| folders.iter().any(|folder| id.starts_with(folder))).collect()
}

/// The suite in which a mutant is run at length.
fn home(mutant: &Mutant) -> claims::Suite {
    *mutant.defect().unwrap().suites().first().unwrap()
}

/// Mutants with code of their own in the older suite.
fn classic() -> Vec<Mutant> {
    let here = |defect: Defect| defect.has_code_per_suite() && defect.suites().contains(&claims::Suite::SignalClassic);
    mutants().unwrap().into_iter().filter(|mutant| here(mutant.defect().unwrap())).collect()
}

/// Of a SHOULD, a `warn` is what a failure is of a MUST; the honest sample has none of either.
const fn misses(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Warn)
}

/// Scenarios that fail, with requirement and finding of each failed check.
fn failures(results: &[InstanceResult]) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut failed: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for result in results.iter().filter(|r| misses(r.verdict)) {
        let found = failed.entry(result.scenario.clone()).or_default();
        for check in result.checks.iter().filter(|c| misses(c.verdict)) {
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

/// What page one of the report says of these results.
fn page_one(results: &[InstanceResult]) -> String {
    let digest = Digest::of(b"");
    let header = serde_json::json!({
        "record": RECORD_VERSION, "countersign": "", "started": "", "profile": "", "target": "", "carrier": "",
        "seed_commitment": digest, "jobs": 1, "only": [], "suite": digest, "expected_failures": [],
    });
    let record = Record {
        header: serde_json::from_value(header).unwrap(),
        suite: SuiteFiles { files: Vec::new() },
        doctor: None,
        plan: None,
        // Without the traces, which stand on later pages.
        instances: results.iter().map(|r| InstanceResult { trace: Vec::new(), ..r.clone() }).collect(),
        repeats: Vec::new(),
        notes: Vec::new(),
        summary: None,
        cut_off: false,
    };
    let (blobs, requirements) = (Blobs::new(), []);
    let page = View {
        record: &record,
        blobs: &blobs,
        requirements: &requirements,
        scenarios: &[],
        profile: None,
        chain: None,
        comparison: None,
    };
    let page = countersign_reports::html(&page);
    page.split_once("<main").unwrap_or_else(|| panic!("no main part in {page}")).0.to_owned()
}

/// What page one says of each finding: what stands before the list, the lines of causes, and what is missed besides.
struct PageOne<'a> {
    head: &'a str,
    lines: Vec<&'a str>,
}

impl<'a> PageOne<'a> {
    fn of(page: &'a str) -> Self {
        let (head, list) = page.split_once("<ul class=\"besides\">").unwrap_or((page, ""));
        Self { head, lines: list.split_once("</ul>").map_or("", |(list, _)| list).split("<li>").skip(1).collect() }
    }

    fn begins(&self, start: &str) -> &'a str {
        self.lines.iter().copied().find(|line| line.starts_with(start)).unwrap_or_default()
    }

    /// Whether a line names a finding with a requirement.
    fn says(line: &str, requirement: &str, finding: &str) -> bool {
        let (link, found) = (format!(">{requirement}</a>"), format!("{finding}</code>"));
        line.split("<code>").skip(1).any(|one| one.starts_with(&found) && one.contains(&link))
    }

    /// Whether a cause is named with this requirement: the first, with what is missed with it and found beside it, or one after it.
    fn causes_name(&self, requirement: &str, finding: &str) -> bool {
        let (link, found) = (format!(">{requirement}</a>"), format!("{finding}</code>"));
        let first = self.head.contains(&found) && (self.head.contains(&link) || self.begins("missed with it").contains(&link));
        let mut others = self.lines.iter().filter(|line| !line.starts_with("missed"));
        first || others.any(|line| Self::says(line, requirement, finding))
    }

    fn names(&self, requirement: &str, finding: &str) -> bool {
        self.causes_name(requirement, finding) || Self::says(self.begins("missed besides"), requirement, finding)
    }
}

/// A reader of page one sees which requirement a mutant misses, and by what it was found, with one of the causes; and whatever else is
/// missed is there.
fn assert_named(mutant: &Mutant, results: &[InstanceResult]) {
    // Of a SHOULD there is a warning, which is nothing missed, and has its place further down.
    if results.iter().filter(|r| r.scenario == mutant.scenario).all(|r| r.verdict != Verdict::Fail) {
        return;
    }
    let page = page_one(results);
    let shown = PageOne::of(&page);
    let named = shown.causes_name(&mutant.requirement, &mutant.finding);
    assert!(named, "{}: no cause on page one has {} and {}: {page}", mutant.id, mutant.requirement, mutant.finding);
    let failed =
        results.iter().filter(|r| r.verdict == Verdict::Fail).flat_map(|r| &r.checks).filter(|c| c.verdict == Verdict::Fail);
    for (check, requirement) in failed.flat_map(|check| check.requirements.iter().map(move |requirement| (check, requirement))) {
        let finding = check.finding.as_deref().unwrap_or_default();
        assert!(shown.names(requirement, finding), "{}: {requirement} and {finding} are not on page one: {page}", mutant.id);
    }
}

/// The scenario that has to find a mutant, and all twins.
fn to_run(suite: &Suite, mutant: &Mutant) -> Vec<String> {
    let twins = suite.scenarios.values().filter(|s| s.scenario.twin).map(|s| s.scenario.id.clone());
    twins.chain([mutant.scenario.clone()]).collect()
}

#[test]
fn every_defect_is_a_mutant_of_the_file() {
    let others =
        walked().unwrap().into_iter().chain(wired().unwrap()).map(|w| w.id).chain(rare().unwrap().into_iter().map(|r| r.id));
    let listed: BTreeSet<String> = mutants().unwrap().into_iter().map(|m| m.id).chain(others).collect();
    let missing: Vec<_> =
        Defect::ALL.iter().filter(|d| !BY_THE_DOCTOR.contains(d) && !listed.contains(d.as_str())).map(|d| d.as_str()).collect();
    assert!(missing.is_empty(), "{missing:?} stand in no line of mutants.yaml, walked.yaml, wired.yaml or rare.yaml");
    assert!(listed.len() >= 20);
}

#[test]
fn every_scenario_is_a_twin_or_kills_a_mutant_that_no_other_in_its_folder_kills() {
    let suite = &*SUITE;
    let idle: Vec<_> = coverage(suite, &mutants().unwrap()).into_iter().filter(|(_, c)| !c.justified()).collect();
    assert!(idle.is_empty(), "{idle:#?}");
}

#[test]
fn mutants_fail_exactly_the_scenarios_of_the_file() {
    let pq = claims::Suite::SignalPq;
    let only = untimed(&SUITE, pq);
    let defects: Vec<_> = Defect::ALL.iter().copied().filter(|d| d.suites().contains(&pq)).collect();
    each(&defects, |defect| fails_exactly(*defect, pq, &only));
}

#[test]
fn mutants_of_the_older_suite_fail_exactly_the_scenarios_of_the_file() {
    let classic = claims::Suite::SignalClassic;
    let only = of_sessions(&SUITE, classic);
    let here = |d: &Defect| d.has_code_per_suite() && d.suites().contains(&classic);
    let defects: Vec<_> = Defect::ALL.iter().copied().filter(here).collect();
    each(&defects, |defect| fails_exactly(*defect, classic, &only));
}

/// What fails on a mutant in the newer suite alone: there the second attempt reads what the first one refused for another reason.
const NEWER_ALONE: [(Defect, &str); 1] = [(Defect::TriesWithoutOneTimePrekey, "e2ee/outer-identity-later")];

fn fails_exactly(defect: Defect, spoken: claims::Suite, only: &[String]) {
    if BY_THE_DOCTOR.contains(&defect) {
        return;
    }
    // What fails on these depends on the seed: `mutants/rare.rs`.
    if rare().unwrap().iter().any(|r| r.id == defect.as_str()) {
        return;
    }
    let results = run(spoken, &Target::Mutant(defect), 1, only);
    let failed = failures(&results);
    if std::env::var_os("COUNTERSIGN_MUTANTS").is_some() {
        eprintln!("{spoken:?} {defect}: {}", failed.keys().cloned().collect::<Vec<_>>().join(", "));
        return;
    }
    if walked().unwrap().iter().chain(&wired().unwrap()).any(|w| w.id == defect.as_str()) {
        // Nothing but walks or wire fuzzing finds these, or they do not belong there.
        assert!(failed.is_empty(), "{defect}, {spoken:?}: {failed:?}");
        return;
    }
    let listed = mutants().unwrap().into_iter().find(|m| m.id == defect.as_str());
    let listed = listed.unwrap_or_else(|| panic!("{defect} is not listed"));
    let here = |id: &str| spoken == claims::Suite::SignalPq || !NEWER_ALONE.contains(&(defect, id));
    let expected: BTreeSet<_> = listed.fails.iter().filter(|s| only.contains(s) && here(s)).collect();
    assert_eq!(failed.keys().collect::<BTreeSet<_>>(), expected, "{defect}, {spoken:?}: {failed:?}");
    let neither = |r: &&InstanceResult| r.verdict != Verdict::Pass && !misses(r.verdict);
    let odd: Vec<_> = results.iter().filter(neither).map(|r| (r.name(), r.verdict)).collect();
    assert!(odd.is_empty(), "{defect}: {odd:?}");
    if only.contains(&listed.scenario) {
        assert_named(&listed, &results);
    }
}

#[test]
fn every_mutant_dies_under_five_seeds_in_process() {
    let suite = &*SUITE;
    each(&mutants().unwrap(), |mutant| {
        let (target, spoken) = (Target::Mutant(mutant.defect().unwrap()), home(mutant));
        for seed in 1..=5 {
            // Under the first seed, everything that is listed nowhere is run by another test; the twins are among it.
            let only = if seed == 2 { to_run(suite, mutant) } else { vec![mutant.scenario.clone()] };
            let results = run(spoken, &target, seed, &only);
            assert_killed(mutant, &results, &format!("in process, seed {seed}"));
            assert_named(mutant, &results);
        }
    });
}

#[test]
fn every_mutant_dies_under_five_seeds_as_a_child() {
    let suite = &*SUITE;
    each(&mutants().unwrap(), |mutant| {
        let spoken = home(mutant);
        for seed in 1..=5 {
            // The twins under one of them: another carrier does not make them depend on the seed, and in the process they run under all.
            let only = if seed == 1 { to_run(suite, mutant) } else { vec![mutant.scenario.clone()] };
            let results = run(spoken, &as_child(&mutant.id), seed, &only);
            assert_killed(mutant, &results, &format!("as a child, seed {seed}"));
        }
    });
}

#[test]
fn every_mutant_of_the_older_suite_dies_as_a_child() {
    let (suite, spoken) = (&*SUITE, claims::Suite::SignalClassic);
    let about = of_sessions(suite, spoken);
    let (named, other): (Vec<_>, Vec<_>) = classic().into_iter().partition(|mutant| about.contains(&mutant.scenario));
    each(&named, |mutant| {
        let results = run(spoken, &as_child(&mutant.id), 1, &to_run(suite, mutant));
        assert_killed(mutant, &results, "as a child");
    });
    // Those whose scenario is about the other suite die by another one.
    let taken = profiles_of(spoken).iter().flat_map(|id| suite.instances(&suite.profiles[*id]));
    let taken: BTreeSet<String> = taken
        .filter(|p| p.scenario.suites.is_empty() || p.scenario.suites.contains(&spoken))
        .map(|p| p.scenario.id.clone())
        .collect();
    each(&other, |mutant| {
        let by = mutant.fails.iter().find(|id| taken.contains(*id));
        let by = by.unwrap_or_else(|| panic!("{} survives in the older suite", mutant.id));
        let failed = failures(&run(spoken, &as_child(&mutant.id), 1, std::slice::from_ref(by)));
        assert!(failed.contains_key(by), "{} survives {by} in the older suite", mutant.id);
    });
}

#[test]
fn the_honest_sample_raises_no_false_alarm() {
    let suite = &*SUITE;
    let pq = (1..=20).map(|seed| (claims::Suite::SignalPq, seed));
    let seeds: Vec<_> = pq.chain((1..=5).map(|seed| (claims::Suite::SignalClassic, seed))).collect();
    each(&seeds, |(spoken, seed)| {
        for result in run(*spoken, &Target::Builtin, *seed, &untimed(suite, *spoken)) {
            let good = |v: Verdict| matches!(v, Verdict::Pass | Verdict::NotApplicable);
            let bad: Vec<_> = result.checks.iter().filter(|c| !good(c.verdict)).collect();
            assert!(bad.is_empty(), "false alarm with seed {seed} in {}: {bad:#?}", result.name());
            assert!(result.checks.iter().any(|c| c.kind == CheckKind::Monitor));
        }
    });
}
