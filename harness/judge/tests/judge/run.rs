//! A run as a whole: nothing shared between instances, and its conclusion.

use crate::support::{World, bytes, user};
use countersign_contract::InstanceId;
use countersign_judge::{conclude, judge_run, worst};
use countersign_trace::record::{Doctor, Examination, LeftOut, Plan};
use countersign_trace::{Blobs, Check, Digest, InstanceResult, KeyMark, Observation, Verdict};
use serde_json::json;

fn instance(name: &str, world: &World) -> InstanceResult {
    InstanceResult {
        scenario: name.into(),
        case: None,
        instance: InstanceId(uuid::Uuid::nil()),
        seed: Digest([0; 32]),
        trace: world.trace.clone(),
        checks: vec![],
        verdict: Verdict::Pass,
        wall_us: 0,
        own_us: 0,
        crypto_us: 0,
    }
}

/// An instance in which bob enlists with keys of this label.
fn with(label: &str, more: impl FnOnce(&mut World)) -> World {
    let mut w = World::bare(&json!([]));
    let mut keys = bytes::enlist(label);
    keys.user = user("bob");
    w.create("bob", &keys);
    more(&mut w);
    w
}

fn failing(worlds: &[&World]) -> Vec<String> {
    let profile = crate::support::profile();
    let instances: Vec<_> = worlds.iter().enumerate().map(|(i, w)| instance(&format!("s/{i}"), w)).collect();
    let mut blobs = Blobs::new();
    worlds.iter().for_each(|w| blobs.extend(w.blobs.clone()));
    let checks = judge_run(&profile, &instances, &blobs);
    assert_eq!(checks.len(), 5);
    checks.into_iter().filter(|c| c.verdict == Verdict::Fail).map(|c| c.id).collect()
}

#[test]
fn instances_share_no_keys() {
    let (one, two) = (with("one", |_| {}), with("two", |_| {}));
    assert!(failing(&[&one, &two]).is_empty());
    assert_eq!(failing(&[&one, &two, &one]), ["run-one-time-prekeys", "run-identity-keys"]);
}

#[test]
fn instances_share_no_files_or_ratchets() {
    let more = |w: &mut World| {
        w.request("PUT", "/media", Some("bob"), &bytes::noise("blob", 80), 200, b"{}");
        let key = KeyMark::of(b"key");
        w.observed(
            "alice",
            Observation::Media { stanza: crate::support::id("m"), key, digest_ok: true, mac_ok: true, plaintext: None },
        );
        w.connect("bob");
        w.candidate_sends("m", "bob", "alice");
    };
    let (one, two) = (with("one", more), with("two", more));
    assert_eq!(failing(&[&one, &two]), ["run-media-keys", "run-ciphertexts", "run-ratchet-keys"]);
    assert!(failing(&[&one]).is_empty());
}

fn check(verdict: Verdict) -> Check {
    let mut check = judge_run(&crate::support::profile(), &[], &Blobs::new()).remove(0);
    check.verdict = verdict;
    check
}

fn ends(verdicts: &[Verdict], run: Verdict, healthy: bool, interrupted: Option<&str>) -> (Verdict, u8) {
    let mut profile = crate::support::profile();
    profile.unsupported_counts_as = Verdict::Warn;
    let world = World::bare(&json!([]));
    let instances: Vec<_> = verdicts
        .iter()
        .enumerate()
        .map(|(i, v)| InstanceResult { verdict: *v, checks: vec![check(*v)], ..instance(&format!("s/{i}"), &world) })
        .collect();
    let plan = Plan { selected: instances.iter().map(InstanceResult::name).collect(), left_out: vec![], filtered: 0 };
    let examination = Examination { name: "x".into(), healthy, found: String::new(), fix: None };
    let doctor = Doctor { examinations: vec![examination], description: None };
    let end = conclude(Some(&plan), Some(&doctor), &profile, &instances, &[check(run)], &[], interrupted);
    (end.verdict, end.exit_code)
}

#[test]
fn the_worst_verdict_decides_the_exit_code() {
    use Verdict::*;
    for (verdict, code) in [
        (Pass, 0),
        (Warn, 0),
        (Unsupported, 6),
        (Blocked, 3),
        (Inconclusive, 6),
        (NeedsReview, 6),
        (EnvironmentError, 3),
        (HarnessError, 1),
        (Fail, 4),
    ] {
        assert_eq!(ends(&[Pass, verdict], Pass, true, None), (verdict, code));
        assert_eq!(ends(&[Pass], verdict, true, None), (verdict, code));
    }
    assert_eq!(ends(&[Pass, NotApplicable, Waived], Pass, true, None), (Waived, 0));
    assert_eq!(ends(&[Waived, Fail], Pass, true, None), (Fail, 4));
    assert_eq!(ends(&[], Pass, true, None), (Inconclusive, 7));
    assert_eq!(ends(&[Pass], Pass, false, None), (EnvironmentError, 3));
    assert_eq!(ends(&[Fail], Pass, false, Some("signal")), (Fail, 4));
    assert_eq!(ends(&[Pass], Pass, true, Some("signal")), (Inconclusive, 130));
}

#[test]
fn what_was_left_out_or_is_missing_counts() {
    let mut profile = crate::support::profile();
    let left = |verdict| LeftOut { name: "s/2".into(), verdict, because: String::new() };
    let plan = |left_out| Plan { selected: vec!["s/0".into()], left_out, filtered: 0 };
    let doctor = Doctor { examinations: vec![], description: None };
    let world = World::bare(&json!([]));
    let instances = [InstanceResult { checks: vec![check(Verdict::Pass)], ..instance("s/0", &world) }];
    let end = |plan: &Plan, profile: &_, instances: &[_]| {
        conclude(Some(plan), Some(&doctor), profile, instances, &[], &[], None).verdict
    };
    assert_eq!(end(&plan(vec![left(Verdict::NotApplicable)]), &profile, &instances), Verdict::Pass);
    assert_eq!(end(&plan(vec![left(Verdict::Unsupported)]), &profile, &instances), Verdict::Warn);
    profile.unsupported_counts_as = Verdict::Fail;
    assert_eq!(end(&plan(vec![left(Verdict::Unsupported)]), &profile, &instances), Verdict::Fail);
    assert_eq!(end(&plan(vec![]), &profile, &[]), Verdict::HarnessError);
    assert_eq!(conclude(None, Some(&doctor), &profile, &instances, &[], &[], None).exit_code, 1);
    assert_eq!(conclude(None, None, &profile, &[], &[], &[], None).exit_code, 3);
    assert_eq!(worst(&[]), Verdict::HarnessError);
}
