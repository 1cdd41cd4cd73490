//! Set-up and each message on our stack in honest mode, and on Signal's crate, in the same run. Ours is to stay within 1.5 times.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that cannot go on must stop"
)]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/suite/library.rs"]
mod library;

use countersign_adversary::{Bundle, Config, Party, WireProfile};
use countersign_contract::portable::MessageType;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use library::Library;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;

const PROFILE: WireProfile = WireProfile::V4Spqr;
/// Length of a plaintext in bytes.
const PLAINTEXT: [u8; 1024] = [7; 1024];

type Rng = ChaCha20Rng;

fn draws(seed: u64) -> Rng {
    Rng::seed_from_u64(seed)
}

fn party(seed: u64) -> Party {
    Party::new(Config::new(PROFILE), &mut draws(seed))
}

fn library(seed: u64) -> Library {
    Library::new(PROFILE, &mut draws(seed))
}

/// Both stacks under one name each, so that what is measured is written once.
trait Stack: Clone {
    fn of(seed: u64) -> Self;
    fn bundle_of(&self) -> Bundle;
    fn set_up(&mut self, bundle: &Bundle, rng: &mut Rng);
    fn send(&mut self, rng: &mut Rng) -> (MessageType, Vec<u8>);
    fn receive(&mut self, message: &(MessageType, Vec<u8>), rng: &mut Rng);
}

impl Stack for Party {
    fn of(seed: u64) -> Self {
        party(seed)
    }
    fn bundle_of(&self) -> Bundle {
        self.bundle(None, None)
    }
    fn set_up(&mut self, bundle: &Bundle, rng: &mut Rng) {
        self.process_bundle("peer", bundle, &[], rng).unwrap();
    }
    fn send(&mut self, rng: &mut Rng) -> (MessageType, Vec<u8>) {
        self.encrypt("peer", &PLAINTEXT, &[], rng).unwrap()
    }
    fn receive(&mut self, message: &(MessageType, Vec<u8>), rng: &mut Rng) {
        black_box(self.decrypt("peer", message.0, &message.1, rng).unwrap());
    }
}

impl Stack for Library {
    fn of(seed: u64) -> Self {
        library(seed)
    }
    fn bundle_of(&self) -> Bundle {
        self.bundle(None)
    }
    fn set_up(&mut self, bundle: &Bundle, rng: &mut Rng) {
        self.process_bundle("peer", bundle, rng).unwrap();
    }
    fn send(&mut self, rng: &mut Rng) -> (MessageType, Vec<u8>) {
        self.encrypt("peer", &PLAINTEXT, rng).unwrap()
    }
    fn receive(&mut self, message: &(MessageType, Vec<u8>), rng: &mut Rng) {
        black_box(self.decrypt("peer", message.0, &message.1, rng).unwrap());
    }
}

fn measure<S: Stack + 'static>(criterion: &mut Criterion, name: &str) {
    let (alice, bob) = (S::of(1), S::of(2));
    let bundle = bob.bundle_of();
    let rng = draws(3);
    let mut group = |what: &str, mut run: Box<dyn FnMut(&mut criterion::Bencher<'_>)>| {
        criterion.benchmark_group(what).bench_function(name, |bencher| run(bencher));
    };
    {
        let (alice, bundle, rng) = (alice.clone(), bundle.clone(), rng.clone());
        group(
            "set-up from a bundle",
            Box::new(move |bencher| {
                bencher.iter_batched_ref(
                    || (alice.clone(), rng.clone()),
                    |(alice, rng)| alice.set_up(&bundle, rng),
                    BatchSize::SmallInput,
                );
            }),
        );
    }
    let mut sender = alice.clone();
    sender.set_up(&bundle, &mut rng.clone());
    let first = sender.send(&mut rng.clone());
    {
        let (bob, rng, first) = (bob.clone(), rng.clone(), first.clone());
        group(
            "first message received",
            Box::new(move |bencher| {
                bencher.iter_batched_ref(
                    || (bob.clone(), rng.clone()),
                    |(bob, rng)| bob.receive(&first, rng),
                    BatchSize::SmallInput,
                );
            }),
        );
    }
    // Two that talk: enough for the post-quantum ratchet to run as it does later.
    let (mut alice, mut bob, mut rng) = (sender, bob, rng);
    bob.receive(&first, &mut rng);
    for _ in 0..20 {
        let message = bob.send(&mut rng);
        alice.receive(&message, &mut rng);
        let message = alice.send(&mut rng);
        bob.receive(&message, &mut rng);
    }
    {
        let (alice, rng) = (alice.clone(), rng.clone());
        group(
            "message of 1 KiB sent",
            Box::new(move |bencher| {
                bencher.iter_batched_ref(|| (alice.clone(), rng.clone()), |(alice, rng)| alice.send(rng), BatchSize::SmallInput);
            }),
        );
    }
    let answer = bob.send(&mut rng);
    {
        let (alice, rng, answer) = (alice.clone(), rng.clone(), answer.clone());
        group(
            "message of 1 KiB received, with a step of the ratchet",
            Box::new(move |bencher| {
                bencher.iter_batched_ref(
                    || (alice.clone(), rng.clone()),
                    |(alice, rng)| alice.receive(&answer, rng),
                    BatchSize::SmallInput,
                );
            }),
        );
    }
    alice.receive(&answer, &mut rng);
    let next = bob.send(&mut rng);
    group(
        "message of 1 KiB received, in a chain that is there",
        Box::new(move |bencher| {
            bencher.iter_batched_ref(
                || (alice.clone(), rng.clone()),
                |(alice, rng)| alice.receive(&next, rng),
                BatchSize::SmallInput,
            );
        }),
    );
}

fn both(criterion: &mut Criterion) {
    measure::<Party>(criterion, "ours");
    measure::<Library>(criterion, "Signal's crate");
}

criterion_group!(benches, both);
criterion_main!(benches);
