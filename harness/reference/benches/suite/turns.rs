//! Reference and library in turn, so that a busy machine slows both: the ratio of their medians, which measuring one
//! after the other cannot give there.

#![expect(clippy::print_stdout, reason = "what it finds is for people to read")]

use crate::direct::directs;
use crate::{NOW, kibibyte, references};
use countersign_contract::portable::MessageType;
use criterion::Criterion;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Measurements of each side.
const TURNS: usize = 4000;

/// Prints medians and their ratio. Who begins changes with each turn.
fn in_turn<A, B>(what: &str, mut ours: impl FnMut() -> (A, Duration), mut theirs: impl FnMut() -> (B, Duration)) {
    let (mut a, mut b) = (Vec::with_capacity(TURNS), Vec::with_capacity(TURNS));
    for turn in 0..TURNS {
        if turn % 2 == 0 {
            a.push(black_box(ours()).1);
            b.push(black_box(theirs()).1);
        } else {
            b.push(black_box(theirs()).1);
            a.push(black_box(ours()).1);
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times.get(TURNS / 2).map_or(f64::NAN, Duration::as_secs_f64) * 1e6
    };
    let (a, b) = (median(a), median(b));
    println!("{what}, in turn: reference {a:.1} us, library {b:.1} us: the reference has {:.1} % of its speed", b / a * 100.0);
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let made = work();
    (made, begin.elapsed())
}

/// 1 KiB encrypted and decrypted. Copies and what is thrown away are not measured, on either side.
pub(crate) fn messages(_: &mut Criterion) {
    let (content, padded) = (kibibyte(), kibibyte().to_padded());
    let (mut alice, mut bob) = references();
    let (mut direct_alice, mut direct_bob) = directs();
    let (a, b) = (direct_alice.address.clone(), direct_bob.address.clone());
    in_turn(
        "encrypt 1 KiB",
        || {
            let mut alice = alice.clone();
            let (made, took) = timed(|| alice.encrypt(bob.user(), &content, NOW).unwrap());
            ((made, alice), took)
        },
        || {
            let mut alice = direct_alice.clone();
            let (made, took) = timed(|| alice.encrypt(&b, &padded));
            ((made, alice), took)
        },
    );
    // Not the first message of its chain: that one pays for the ratchet's step.
    let (kind, first) = alice.encrypt(bob.user(), &content, NOW).unwrap();
    let (_, body) = alice.encrypt(bob.user(), &content, NOW).unwrap();
    bob.decrypt(alice.user(), kind, &first, NOW).unwrap();
    let (first, second) = (direct_alice.encrypt(&b, &padded), direct_alice.encrypt(&b, &padded));
    direct_bob.decrypt(&a, MessageType::Normal, first.serialize());
    in_turn(
        "decrypt 1 KiB",
        || {
            let mut bob = bob.clone();
            let (made, took) = timed(|| bob.decrypt(alice.user(), kind, &body, NOW).unwrap());
            ((made, bob), took)
        },
        || {
            let mut bob = direct_bob.clone();
            let (made, took) = timed(|| bob.decrypt(&a, MessageType::Normal, second.serialize()));
            ((made, bob), took)
        },
    );
}
