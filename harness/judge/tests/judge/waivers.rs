//! Waivers: what they cover is marked, and nothing else; what each comes to; the exit code.

use countersign_judge::waivers::Judged;
use countersign_judge::{Waivers, conclude, worst};
use countersign_trace::record::{Doctor, Header, LeftOut, Plan};
use countersign_trace::{Check, CheckKind, Digest, InstanceResult, Verdict, WaiverState};
use serde_json::{Value, json};

fn header(waivers: &Value) -> Header {
    let digest = Digest([0; 32]);
    serde_json::from_value(json!({
        "record": 2, "countersign": "", "started": "2026-11-27T23:59:59Z", "profile": "test", "target": "", "carrier": "",
        "seed_commitment": digest, "jobs": 1, "only": [], "suite": digest, "expected_failures": [], "waivers": waivers,
    }))
    .unwrap()
}

fn waiver(until: &str, covers: &Value) -> Value {
    json!({ "id": "W-1", "owner": "o", "reason": "r", "link": "https://x", "until": until, "covers": covers })
}

fn check(id: &str, verdict: Verdict, finding: Option<&str>) -> Check {
    Check {
        id: id.into(),
        kind: CheckKind::Expectation,
        step: None,
        requirements: vec!["T-1".into()],
        verdict,
        expected: String::new(),
        observed: String::new(),
        reason: None,
        finding: finding.map(str::to_owned),
        blame: None,
        evidence: vec![],
        likely_cause: None,
        waiver: None,
    }
}

fn instance(name: &str, checks: Vec<Check>) -> InstanceResult {
    let (scenario, case) = name.split_once('@').map_or((name, None), |(s, c)| (s, Some(c.to_owned())));
    InstanceResult {
        scenario: scenario.into(),
        case,
        instance: countersign_contract::InstanceId(uuid::Uuid::nil()),
        seed: Digest([0; 32]),
        trace: vec![],
        verdict: worst(&checks),
        checks,
        wall_us: 0,
        own_us: 0,
        crypto_us: 0,
    }
}

/// A failed scenario with a passed check, another failed one, and one that passed.
fn run() -> Vec<InstanceResult> {
    let fail = |id, finding| check(id, Verdict::Fail, Some(finding));
    vec![
        instance(
            "e2ee/a@x",
            vec![check("step-0", Verdict::Pass, None), fail("step-1", "shown"), check("step-2", Verdict::Blocked, None)],
        ),
        instance("e2ee/b", vec![fail("step-1", "not-shown")]),
        instance("keys/c", vec![check("step-1", Verdict::Pass, None)]),
    ]
}

/// What the one waiver comes to, the checks that it covers, and verdict and exit code of the run.
fn ends(waiver: Value, instances: Vec<InstanceResult>) -> (WaiverState, Vec<String>, Verdict, u8) {
    ends_with(waiver, instances, &[], |_, _| {})
}

fn ends_with(
    waiver: Value,
    mut instances: Vec<InstanceResult>,
    run: &[Check],
    change: impl FnOnce(&mut Header, &mut Plan),
) -> (WaiverState, Vec<String>, Verdict, u8) {
    let mut header = header(&json!([waiver]));
    let selected = instances.iter().map(InstanceResult::name).collect();
    let mut plan = Plan { selected, left_out: vec![], filtered: 0 };
    change(&mut header, &mut plan);
    let waivers = Waivers::new(&header).unwrap();
    instances.iter_mut().for_each(|i| waivers.apply_to(i));
    let mut checks = run.to_vec();
    waivers.apply("run", &mut checks);
    let standings = waivers.standings(Some(&plan), &Judged { instances: &instances, checks: &checks, interrupted: false });
    let doctor = Doctor { examinations: vec![], description: None };
    let end = conclude(Some(&plan), Some(&doctor), &crate::support::profile(), &instances, &checks, &standings, None);
    let named = instances.iter().flat_map(|i| i.checks.iter().map(move |c| (i.name(), c)));
    let run = checks.iter().map(|c| ("run".to_owned(), c));
    let waived: Vec<String> =
        named.chain(run).filter(|(_, c)| c.verdict == Verdict::Waived).map(|(name, c)| format!("{name} {}", c.id)).collect();
    assert_eq!(standings[0].checks, waived.len() as u64, "{standings:?}");
    assert!(!standings[0].because.is_empty());
    (standings[0].state, waived, end.verdict, end.exit_code)
}

fn all_covered() -> Value {
    json!([
        { "scenario": "e2ee/a@x", "check": "step-1", "finding": "shown" },
        { "scenario": "e2ee/a@x", "check": "step-2" },
        { "scenario": "e2ee/b", "check": "step-1", "finding": "not-shown" },
    ])
}

#[test]
fn a_run_conforms_only_when_every_failed_check_is_waived() {
    let (state, waived, verdict, code) = ends(waiver("2026-12-31", &all_covered()), run());
    assert_eq!((state, verdict, code), (WaiverState::InForce, Verdict::Waived, 0));
    assert_eq!(waived, ["e2ee/a@x step-1", "e2ee/a@x step-2", "e2ee/b step-1"]);
    for (left_out, code) in [(0, 4), (1, 3), (2, 4)] {
        let mut covers = all_covered();
        covers.as_array_mut().unwrap().remove(left_out);
        let ended = ends(waiver("2026-12-31", &covers), run());
        assert_eq!((ended.0, ended.1.len(), ended.3), (WaiverState::InForce, 2, code), "without {left_out}");
    }
}

#[test]
fn the_last_day_counts_and_the_day_after_does_not() {
    assert_eq!(ends(waiver("2026-11-27", &all_covered()), run()).3, 0);
    let (state, waived, verdict, code) = ends(waiver("2026-11-26", &all_covered()), run());
    assert_eq!((state, waived.len(), verdict, code), (WaiverState::Expired, 0, Verdict::Fail, 4), "what failed has failed");
    let passed = vec![instance("e2ee/b", vec![check("step-1", Verdict::Pass, None)])];
    let ended = ends(waiver("2026-11-26", &all_covered()), passed);
    assert_eq!((ended.0, ended.2, ended.3), (WaiverState::Expired, Verdict::NeedsReview, 5));
    // A record that does not say what day it was waives nothing.
    let ended = ends_with(waiver("9999-12-31", &all_covered()), run(), &[], |header, _| header.started = "yesterday".into());
    assert_eq!((ended.0, ended.3), (WaiverState::Expired, 4));
}

#[test]
fn only_what_is_named_is_covered() {
    for (cover, covered) in [
        (json!({ "scenario": "e2ee/*", "check": "step-1" }), 2),
        (json!({ "scenario": "*", "check": "step-1" }), 0),
        (json!({ "scenario": "e2ee/a", "check": "step-1" }), 1),
        (json!({ "scenario": "e2ee/*", "requirement": "T-1" }), 3),
        (json!({ "scenario": "e2ee/*", "requirement": "T-2" }), 0),
        (json!({ "scenario": "e2ee/*", "finding": "shown" }), 1),
        (json!({ "scenario": "e2ee/*", "finding": "shown", "check": "step-2" }), 0),
        (json!({ "scenario": "e2ee/b", "check": "step-1", "finding": "shown" }), 0),
    ] {
        assert_eq!(ends(waiver("2026-12-31", &json!([cover])), run()).1.len(), covered, "{cover}");
    }
    let other = |verdict| vec![instance("e2ee/b", vec![check("step-1", verdict, Some("not-shown"))])];
    for verdict in Verdict::ALL.into_iter().filter(|v| !matches!(v, Verdict::Fail | Verdict::Blocked | Verdict::Waived)) {
        assert_eq!(ends(waiver("2026-12-31", &all_covered()), other(verdict)).1.len(), 0, "{verdict}");
    }
}

#[test]
fn checks_of_the_whole_run_are_covered_by_their_name() {
    let failed = [check("run-media-keys", Verdict::Fail, Some("file-reused"))];
    let passed = || vec![instance("keys/c", vec![check("step-1", Verdict::Pass, None)])];
    let of = |cover: Value| {
        let ended = ends_with(waiver("2026-12-31", &json!([cover])), passed(), &failed, |_, _| {});
        (ended.0, ended.3)
    };
    assert_eq!(of(json!({ "scenario": "run", "check": "run-media-keys" })), (WaiverState::InForce, 0));
    assert_eq!(of(json!({ "scenario": "run", "check": "run-ciphertexts" })), (WaiverState::Stale, 4));
}

#[test]
fn what_is_out_of_date_is_said() {
    let passed = |verdict| vec![instance("e2ee/b", vec![check("step-1", verdict, None)])];
    let cover =
        |scenario: &str| waiver("2026-12-31", &json!([{ "scenario": scenario, "check": "step-1", "finding": "not-shown" }]));
    let ended = ends(cover("e2ee/b"), passed(Verdict::Pass));
    assert_eq!((ended.0, ended.2, ended.3), (WaiverState::UnexpectedPass, Verdict::NeedsReview, 5));
    assert_eq!(ends(cover("e2ee/b"), passed(Verdict::Warn)).0, WaiverState::UnexpectedPass);
    let ended = ends(cover("e2ee/gone"), passed(Verdict::Pass));
    assert_eq!((ended.0, ended.3), (WaiverState::Stale, 5));
    // Undecided is no pass, and what is worse than a waiver out of date goes before it.
    for (verdict, code) in [(Verdict::Inconclusive, 6), (Verdict::EnvironmentError, 3), (Verdict::HarnessError, 1)] {
        let ended = ends(cover("e2ee/b"), passed(verdict));
        assert_eq!((ended.0, ended.3), (WaiverState::Undecided, code), "{verdict}");
        let both = ends(cover("e2ee/gone"), passed(verdict));
        assert_eq!((both.0, both.3), (WaiverState::Stale, if code == 6 { 5 } else { code }), "{verdict}");
    }
    // Another failure came instead.
    let ended = ends(cover("e2ee/b"), vec![instance("e2ee/b", vec![check("step-1", Verdict::Fail, Some("shown"))])]);
    assert_eq!((ended.0, ended.3), (WaiverState::Undecided, 4));
    // One cover of several is enough.
    let mut covers = all_covered();
    covers.as_array_mut().unwrap().push(json!({ "scenario": "keys/c", "check": "step-1" }));
    let ended = ends(waiver("2026-12-31", &covers), run());
    assert_eq!((ended.0, ended.1.len(), ended.3), (WaiverState::UnexpectedPass, 3, 5));
}

#[test]
fn a_part_of_the_profile_makes_no_waiver_stale() {
    let passed = || vec![instance("e2ee/b", vec![check("step-1", Verdict::Pass, None)])];
    let cover = |scenario: &str| waiver("2026-12-31", &json!([{ "scenario": scenario, "check": "step-1" }]));
    let part = |waiver: Value| {
        let ended = ends_with(waiver, passed(), &[], |header, plan| {
            header.only = vec!["e2ee/b".into()];
            plan.filtered = 7;
        });
        (ended.0, ended.3)
    };
    assert_eq!(part(cover("e2ee/gone")), (WaiverState::NotInThisRun, 0));
    assert_eq!(part(cover("e2ee/*")), (WaiverState::NotInThisRun, 0), "others of that name did not run");
    assert_eq!(part(cover("e2ee/b")), (WaiverState::UnexpectedPass, 5));
    // What was left out of the whole of it did not run either, and would not tomorrow.
    let ended = ends_with(cover("e2ee/gone"), passed(), &[], |_, plan| {
        plan.left_out = vec![LeftOut { name: "e2ee/gone".into(), verdict: Verdict::NotApplicable, because: String::new() }];
    });
    assert_eq!(ended.0, WaiverState::Stale);
}

#[test]
fn a_waiver_for_another_profile_says_nothing() {
    let mut other = waiver("2020-01-01", &all_covered());
    other["profile"] = json!("another");
    let ended = ends(other, run());
    assert_eq!((ended.0, ended.1.len(), ended.3), (WaiverState::NotInThisRun, 0, 4));
    let mut this = waiver("2026-12-31", &all_covered());
    this["profile"] = json!("test");
    assert_eq!(ends(this, run()).3, 0);
}
