//! A candidate that fails now and then: neither passed nor failed, with a rate, and a record that verify confirms.
#![expect(clippy::unwrap_used, reason = "a test ends when something is not as it has to be")]

use countersign_judge::stability::{REPEATS, STABILITY};
use countersign_trace::{InstanceResult, Record, Verdict};
use std::path::Path;
use std::process::Command;

fn run(out: &Path, candidate: &str, carrier: &str, only: &[&str]) -> (Option<i32>, Record) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["run", "--quiet", "--candidate", candidate, "--carrier", carrier, "--out"]).arg(out);
    for only in only {
        command.args(["--only", only]);
    }
    let code = command.output().unwrap().status.code();
    (code, Record::open(&out.join("record.jsonl")).unwrap())
}

fn verify(out: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign")).arg("verify").arg(out.join("record.jsonl")).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn repeats(record: &Record, name: &str) -> Vec<Verdict> {
    record.repeats.iter().filter(|r| r.result.name() == name).map(|r| r.result.verdict).collect()
}

fn stability(instance: &InstanceResult) -> Option<(Verdict, &str)> {
    instance.checks.iter().find(|c| c.id == STABILITY).map(|c| (c.verdict, c.observed.as_str()))
}

#[test]
fn a_flaky_candidate_is_inconclusive_with_rate_and_interval() {
    let folder = tempfile::tempdir().unwrap();
    // Six of these turn on one draw each, and six rounds on 36 of them: each comes out mixed with a chance of 15 in 32, so that none
    // does less than once in a thousand million times.
    let only = ["e2ee/mac-inner-field", "e2ee/outer-field", "e2ee/asks-again"];
    let mut mixed = 0;
    for _ in 0..ROUNDS {
        let (code, record) = run(folder.path(), "mutant:flaky-mac", "child", &only);
        let mut worst = Verdict::Pass;
        for instance in &record.instances {
            let name = instance.name();
            let again = repeats(&record, &name);
            worst = worst.max(instance.verdict);
            match instance.verdict {
                // It passed at once, and nobody looks twice.
                Verdict::Pass => assert!(again.is_empty() && stability(instance).is_none(), "{name}: {again:?}"),
                Verdict::Fail => assert!(again.iter().all(|v| *v == Verdict::Fail), "{name}: {again:?}"),
                Verdict::Inconclusive => {
                    mixed += 1;
                    assert_eq!(again.len(), REPEATS as usize, "{name}");
                    let failed = again.iter().filter(|v| **v == Verdict::Fail).count();
                    let (verdict, said) = stability(instance).unwrap();
                    assert_eq!(verdict, Verdict::Inconclusive);
                    assert!(
                        said.starts_with(&format!("failed, and then in {failed} of 4 further executions: {} %", failed * 25)),
                        "{said}"
                    );
                    assert!(said.contains("95 % confidence between"), "{said}");
                    assert!(instance.checks.iter().all(|c| c.verdict != Verdict::Fail), "{name}");
                }
                other => panic!("{name}: {other}"),
            }
        }
        let expected = match worst {
            Verdict::Pass => 0,
            Verdict::Fail => 4,
            _ => 6,
        };
        assert_eq!(code, Some(expected));
        let (code, said) = verify(folder.path());
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!("{} instances executed again", record.instances.len() + record.repeats.len())), "{said}");
    }
    assert!(mixed > 0, "nothing came out mixed");
}

/// Runs of the flaky candidate.
const ROUNDS: usize = 6;

#[test]
fn a_failure_that_comes_each_time_stays_a_failure_over_every_live_carrier() {
    for carrier in ["child", "http"] {
        let folder = tempfile::tempdir().unwrap();
        let (code, record) = run(folder.path(), "mutant:shared-key-store", carrier, &["e2ee/wrong-recipient", "e2ee/from-*"]);
        assert_eq!(code, Some(4), "{carrier}");
        assert_eq!(repeats(&record, "e2ee/wrong-recipient"), vec![Verdict::Fail; REPEATS as usize], "{carrier}");
        assert_eq!(record.repeats.len(), REPEATS as usize, "what passed is not repeated");
        let failed = record.instances.iter().find(|i| i.verdict == Verdict::Fail).unwrap();
        assert!(stability(failed).is_some_and(|(verdict, said)| verdict == Verdict::Pass && said.contains("in 4 of 4 further")));
        let seeds: std::collections::BTreeSet<_> = record.repeats.iter().map(|r| r.result.seed).collect();
        assert_eq!(seeds.len(), REPEATS as usize, "each has a seed of its own");
        assert_eq!(verify(folder.path()).0, Some(0), "{carrier}");
    }
}

#[test]
fn what_is_deterministic_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (code, record) = run(folder.path(), "mutant:shared-key-store", "in-process", &["e2ee/wrong-recipient"]);
    assert_eq!((code, record.repeats.len()), (Some(4), 0));
}

#[test]
fn repeats_are_bounded_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (code, record) = run(folder.path(), "mutant:no-padding", "child", &["e2ee/*"]);
    assert_eq!(code, Some(4));
    let failed = record.instances.iter().filter(|i| i.verdict == Verdict::Fail).count();
    assert!(failed > 10, "{failed}");
    assert_eq!(record.repeats.len(), 10 * REPEATS as usize);
    assert!(record.notes.iter().any(|n| n.contains("further failures rest on one execution")), "{:?}", record.notes);
    assert_eq!(verify(folder.path()).0, Some(0));
}

/// Whoever may leave out the executions that do not suit may choose the verdict.
#[test]
fn a_repeat_that_was_left_out_or_made_up_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, record) = run(folder.path(), "mutant:shared-key-store", "child", &["e2ee/wrong-recipient"]);
    let bodies = countersign_trace::BlobFolder::beside(&folder.path().join("record.jsonl"));
    let builtin = countersign_scenarios::Suite::builtin().unwrap();
    let refused = |change: &dyn Fn(&mut Record)| {
        let mut record = record.clone();
        change(&mut record);
        !countersign_verify::verify(&record, &bodies, &builtin).unwrap().confirmed()
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|r| drop(r.repeats.pop())));
    assert!(refused(&|r| drop(r.repeats.remove(0))));
    assert!(refused(&|r| r.repeats.clear()));
    assert!(refused(&|r| r.repeats.swap(0, 1)));
    assert!(refused(&|r| {
        let twice = r.repeats[0].clone();
        r.repeats.push(twice);
    }));
    assert!(refused(&|r| r.repeats[0].result.verdict = Verdict::Pass));
    assert!(refused(&|r| {
        // Judged well, but of another execution: the first one's own trace and seed.
        let (seed, instance, trace) = (r.instances[0].seed, r.instances[0].instance, r.instances[0].trace.clone());
        let repeat = &mut r.repeats[0].result;
        (repeat.seed, repeat.instance, repeat.trace) = (seed, instance, trace);
    }));
    assert!(refused(&|r| r.instances[0].verdict = Verdict::Inconclusive));
    assert!(refused(&|r| "in-process".clone_into(&mut r.header.carrier)));
}
