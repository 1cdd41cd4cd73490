//! Random walks a second in this process, in both suites, and beside them what Signal's library takes for one agreement of keys and for
//! one new key pair: of the time of a walk nearly half goes into these two.
//!
//! `cargo bench -p countersign-walks`. One iteration is a search of a hundred walks of some fifty steps each, with four jobs; criterion
//! divides by the hundred. Drawing and judging are part of it, and the start of the candidate is not.

#![expect(clippy::expect_used, clippy::panic, reason = "a bench ends when something is not as it has to be")]

use countersign_engine::{Series, Target};
use countersign_scenarios::Suite;
use countersign_testkit::options;
use countersign_walks::{Abilities, Options, STEPS, search};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use libsignal_protocol::KeyPair;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::hint::black_box;
use std::sync::Arc;
use tokio::sync::watch;

const WALKS: u64 = 100;

fn walks(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let suite = Arc::new(Suite::builtin().expect("a suite without faults"));
    let mut group = c.benchmark_group("walks");
    group.sample_size(10).throughput(Throughput::Elements(WALKS));
    for name in ["dma-basic", "dma-classic"] {
        let profile = suite.profiles.get(name).expect("a profile");
        let (_keep, interrupt) = watch::channel(None);
        let opened = runtime.block_on(Series::open(options(&suite, profile, Target::Builtin, 1), interrupt.clone()));
        let (_, Some(series)) = opened.expect("a series") else { panic!("the sample cannot be examined") };
        let abilities = Abilities::of(&series.options().profile, series.description()).expect("a candidate that can walk");
        group.bench_function(name, |b| {
            b.iter(|| {
                let options = Options { cases: Some(WALKS), time: None, found: None, steps: STEPS, executions: 1 };
                let outcome = runtime.block_on(search(&series, abilities, options, interrupt.clone(), &mut |_| {}));
                assert_eq!((outcome.walks, outcome.failed), (WALKS, 0));
            });
        });
        runtime.block_on(series.shut_down());
    }
    group.finish();
}

fn raw(c: &mut Criterion) {
    let mut rng = StdRng::from_seed([2; 32]);
    let (ours, theirs) = (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
    let mut group = c.benchmark_group("library");
    group.bench_function("agreement", |b| {
        b.iter(|| ours.calculate_agreement(black_box(&theirs.public_key)).expect("an agreement"));
    });
    group.bench_function("key-pair", |b| b.iter(|| KeyPair::generate(&mut rng)));
    group.finish();
}

criterion_group!(benches, walks, raw);
criterion_main!(benches);
