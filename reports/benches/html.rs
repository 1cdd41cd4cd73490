//! How long it takes to render a record of 2,000 instances.

#[path = "../tests/specimen/mod.rs"]
mod specimen;

use countersign_reports::{Places, Style};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn render(criterion: &mut Criterion) {
    let mut specimen = specimen::every_verdict();
    let few = specimen.record.instances.clone();
    specimen.record.instances = few
        .into_iter()
        .cycle()
        .take(2_000)
        .enumerate()
        .map(|(at, mut instance)| {
            instance.case = Some(at.to_string());
            instance
        })
        .collect();
    let mut group = criterion.benchmark_group("reports");
    group.sample_size(10);
    group.throughput(Throughput::Elements(2_000));
    group.bench_function("html of 2,000", |b| b.iter(|| black_box(countersign_reports::html(&specimen.view()))));
    group.bench_function("junit of 2,000", |b| b.iter(|| black_box(countersign_reports::junit(&specimen.view()))));
    group.bench_function("terminal of 2,000", |b| {
        b.iter(|| black_box(countersign_reports::terminal(&specimen.view(), Style::default(), &Places::default())));
    });
    for (name, make) in specimen::ALL {
        let small = make();
        group.throughput(Throughput::Elements(small.record.instances.len() as u64));
        group.bench_function(format!("html of {name}"), |b| b.iter(|| black_box(countersign_reports::html(&small.view()))));
    }
    group.finish();
}

criterion_group!(benches, render);
criterion_main!(benches);
