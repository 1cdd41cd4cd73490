//! What the reference costs beside calling the library directly: encryption, decryption, session set-up.
//!
//! `cargo bench -p countersign-reference`. Each pair does the same work on the same message; the difference is ours: the padding and
//! the protobuf of the content, the checks of what libsignal takes unseen, a generator for each operation, and a copy of the session
//! to go back to.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on must stop")]

mod direct;
mod turns;

use countersign_contract::UserId;
use countersign_contract::content::{Content, Text, content};
use countersign_contract::portable::{KeyBundle, MessageType};
use countersign_reference::{Config, ReferenceUser};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use direct::{Direct, directs};
use std::time::Duration;
use uuid::Uuid;

const NOW: u64 = 1_800_000_000_000;

fn kibibyte() -> Content {
    let body = Some(content::Body::Text(Text { text: "x".repeat(1024) }));
    Content { message_id: Uuid::from_u128(1).to_string(), sent_at: NOW, group: None, body }
}

fn reference(name: &str, number: u128) -> ReferenceUser {
    ReferenceUser::new(Config {
        seed: [1; 32],
        scenario: "bench".into(),
        name: name.into(),
        user: UserId(Uuid::from_u128(number)),
        suite: countersign_contract::claims::Suite::SignalPq,
        stack: countersign_reference::Stack::Library,
        one_time_prekeys: 1,
        publishes_one_time_kyber: false,
    })
}

fn bundle(of: &ReferenceUser) -> KeyBundle {
    let keys = of.enlistment();
    KeyBundle {
        user: keys.user,
        registration_id: keys.registration_id,
        identity_key: keys.identity_key,
        signed_prekey: keys.signed_prekey,
        one_time_prekey: None,
        kyber_prekey: keys.kyber_prekey,
    }
}

/// Two reference users who have heard from each other.
fn references() -> (ReferenceUser, ReferenceUser) {
    let (mut alice, mut bob) = (reference("alice", 1), reference("bob", 2));
    alice.process_bundle(&bundle(&bob), NOW).unwrap();
    let (kind, body) = alice.encrypt(bob.user(), &kibibyte(), NOW).unwrap();
    bob.decrypt(alice.user(), kind, &body, NOW).unwrap();
    let (kind, body) = bob.encrypt(alice.user(), &kibibyte(), NOW).unwrap();
    alice.decrypt(bob.user(), kind, &body, NOW).unwrap();
    (alice, bob)
}

fn messages(c: &mut Criterion) {
    let (content, padded) = (kibibyte(), kibibyte().to_padded());
    let (alice, bob) = references();
    let (direct_alice, direct_bob) = directs();
    let (a, b) = (direct_alice.address.clone(), direct_bob.address.clone());

    let mut group = c.benchmark_group("encrypt 1 KiB");
    group.throughput(Throughput::Elements(1));
    group.bench_function("reference", |bench| {
        bench.iter_batched_ref(
            || alice.clone(),
            |alice| alice.encrypt(bob.user(), &content, NOW).unwrap(),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("library", |bench| {
        bench.iter_batched_ref(|| direct_alice.clone(), |alice| alice.encrypt(&b, &padded), BatchSize::SmallInput);
    });
    group.finish();

    let mut group = c.benchmark_group("decrypt 1 KiB");
    group.throughput(Throughput::Elements(1));
    // Not the first message of its chain: that one pays for the ratchet's step.
    let mut sender = alice.clone();
    let (kind, first) = sender.encrypt(bob.user(), &content, NOW).unwrap();
    let (_, body) = sender.encrypt(bob.user(), &content, NOW).unwrap();
    let mut receiver = bob.clone();
    receiver.decrypt(alice.user(), kind, &first, NOW).unwrap();
    group.bench_function("reference", |bench| {
        bench.iter_batched_ref(
            || receiver.clone(),
            |bob| bob.decrypt(alice.user(), kind, &body, NOW).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let mut sender = direct_alice.clone();
    let (first, second) = (sender.encrypt(&b, &padded), sender.encrypt(&b, &padded));
    let mut receiver = direct_bob;
    receiver.decrypt(&a, MessageType::Normal, first.serialize());
    group.bench_function("library", |bench| {
        bench.iter_batched_ref(
            || receiver.clone(),
            |bob| bob.decrypt(&a, MessageType::Normal, second.serialize()),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// From a bundle to the first message read at the other end.
fn sessions(c: &mut Criterion) {
    let (content, padded) = (kibibyte(), kibibyte().to_padded());
    let mut group = c.benchmark_group("session and first message");
    group.throughput(Throughput::Elements(1));
    let (alice, bob) = (reference("alice", 1), reference("bob", 2));
    let keys = bundle(&bob);
    group.bench_function("reference", |bench| {
        bench.iter_batched_ref(
            || (alice.clone(), bob.clone()),
            |(alice, bob)| {
                alice.process_bundle(&keys, NOW).unwrap();
                let (kind, body) = alice.encrypt(bob.user(), &content, NOW).unwrap();
                bob.decrypt(alice.user(), kind, &body, NOW).unwrap()
            },
            BatchSize::SmallInput,
        );
    });
    let (alice, mut bob) = (Direct::new(1), Direct::new(2));
    let keys = bob.bundle();
    let (a, b) = (alice.address.clone(), bob.address.clone());
    group.bench_function("library", |bench| {
        bench.iter_batched_ref(
            || (alice.clone(), bob.clone()),
            |(alice, bob)| {
                alice.start(&b, &keys);
                let first = alice.encrypt(&b, &padded);
                bob.decrypt(&a, MessageType::Prekey, first.serialize())
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("reference, its keys made", |bench| bench.iter(|| reference("alice", 1)));
    group.finish();
}

criterion_group! {
    name = suite;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = messages, sessions, turns::messages
}
criterion_main!(suite);
