//! Scenarios a second with eight jobs: in process, as a child, and over HTTP. Heavy and exclusive scenarios are left out.
//!
//! One iteration is a whole round over all light scenarios; criterion divides by their number. The doctor and the start of the
//! candidate are part of it, as in a run.

#![expect(clippy::expect_used, reason = "a bench ends when something is not as it has to be")]

use countersign_engine::{RunEvent, RunOptions, Target, run};
use countersign_scenarios::{Planned, Suite};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::{mpsc, watch};

const SAMPLE: &str = env!("CARGO_BIN_EXE_sample-process");

fn light(planned: &Planned) -> bool {
    !planned.scenario.heavy && !planned.scenario.exclusive
}

fn options(suite: &Arc<Suite>, target: &str) -> RunOptions {
    let profile = suite.profiles.get("dma-basic").expect("the first profile");
    let only = suite.instances(profile).into_iter().filter(light).map(|planned| planned.name).collect();
    let target = target.parse::<Target>().expect("a target");
    RunOptions { jobs: 8, only, ..countersign_testkit::options(suite, profile, target, 1) }
}

/// Executes all of it; the number of instances.
async fn round(options: RunOptions) -> usize {
    let (sender, mut events) = mpsc::channel(64);
    let (_stop, interrupt) = watch::channel(None);
    let running = tokio::spawn(run(options, sender, interrupt));
    let mut ended = 0;
    while let Some(event) = events.recv().await {
        if let RunEvent::InstanceEnded(..) = event {
            ended += 1;
        }
    }
    running.await.expect("no panic").expect("a run");
    ended
}

fn scenarios(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let suite = Arc::new(Suite::builtin().expect("a suite without faults"));
    let count = runtime.block_on(round(options(&suite, "builtin")));
    assert!(count > 0, "nothing to measure");
    let (server, address) = runtime.block_on(serve());
    let mut group = c.benchmark_group("scenarios");
    group.sample_size(10).throughput(Throughput::Elements(count as u64));
    for (name, target) in [("in-process", "builtin"), ("child", &format!("exec:{SAMPLE}")), ("http", &address)] {
        group.bench_function(name, |b| b.iter(|| assert_eq!(runtime.block_on(round(options(&suite, target))), count)));
    }
    group.finish();
    drop(server);
}

/// The sample over HTTP, and where.
async fn serve() -> (tokio::process::Child, String) {
    let mut server = tokio::process::Command::new(SAMPLE)
        .args(["http", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the sample");
    let mut place = String::new();
    let out = server.stdout.take().expect("its output");
    BufReader::new(out).read_line(&mut place).await.expect("its address");
    (server, place.trim().to_owned())
}

criterion_group!(benches, scenarios);
criterion_main!(benches);
