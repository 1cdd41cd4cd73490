//! What our own parsers are fuzzed with.
//!
//! Each [`Target`] takes any bytes and panics if something is wrong: if the code under it panics, if what it accepted does not come
//! back the same when it is written and read again, or if something is accepted that no key can have made. Three things feed it:
//!
//! * `cargo test -p countersign-fuzz`, in every run of the tests: the kept corpus (`corpus/TARGET/`), the seeds below, and two
//!   thousand changed copies of both for each target, always the same ones.
//! * `.ci/fuzz MINUTES`: libFuzzer with coverage, from the same seeds and corpus (`guided/`, a workspace of its own, since it needs
//!   a compiler for C++).
//! * an input that was found, put into `corpus/TARGET/` under any name: from then on every run of the tests tries it.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a broken promise of the code under test must end the process")]

mod mutate;
mod seeds;
mod targets;

pub use mutate::changed;
pub use targets::TARGETS;

/// Longest input, in bytes: more than that tries nothing else, and takes longer.
pub const LONGEST: usize = 64 * 1024;

/// One kind of bytes that somebody else hands us.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folder in the corpus.
    pub name: &'static str,
    /// Whose bytes these are, and what reads them.
    pub about: &'static str,
    /// Tries one input. Panics if something is wrong.
    pub run: fn(&[u8]),
    /// Inputs to begin with: what an honest sender makes.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

impl Target {
    /// The target of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// Tries one input on the target of that name; for the guided engine.
///
/// # Panics
/// If something is wrong, or there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = Target::named(name).expect("a target of that name");
    (target.run)(input);
}
