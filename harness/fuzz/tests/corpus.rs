//! The kept corpus, the seeds, and changed copies of both, on every target. Always the same inputs, so that a failure comes again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when something is not as it has to be"
)]

use countersign_fuzz::{LONGEST, TARGETS, Target, changed};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Changed copies that each target is given here. `.ci/fuzz` tries far more, and chooses them by coverage.
const COPIES: u64 = 2_000;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The kept inputs of a target, with the names of their files.
fn kept(target: &Target) -> Vec<(String, Vec<u8>)> {
    let Ok(folder) = std::fs::read_dir(corpus().join(target.name)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: PathBuf| {
        assert!(path.is_file(), "{}: no file", path.display());
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() <= LONGEST, "{}: {} bytes, and an input has {LONGEST} at most", path.display(), bytes.len());
        (path.display().to_string(), bytes)
    };
    files.into_iter().map(read).collect()
}

/// Tries an input, and if it fails writes it to where the next run finds it, and says so.
fn tries(target: &Target, name: &str, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.input", target.name));
        std::fs::write(&place, input).unwrap();
        panic!("{} fails on {name}; the input is in {}: copy it into corpus/{0}", target.name, place.display());
    }
}

fn all(target: &Target) {
    let mut inputs = kept(target);
    inputs.extend((target.seeds)().into_iter().enumerate().map(|(n, seed)| (format!("seed {n}"), seed)));
    assert!(!inputs.is_empty(), "{}: neither seeds nor corpus", target.name);
    for (name, input) in &inputs {
        tries(target, name, input);
    }
    for number in 0..COPIES {
        let (name, input) = &inputs[number as usize % inputs.len()];
        let (_, other) = &inputs[(number as usize / inputs.len()) % inputs.len()];
        tries(target, &format!("copy {number} of {name}"), &changed(input, other, number));
    }
}

macro_rules! targets {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                all(Target::named($name).unwrap());
            }
        )*
        const TESTED: &[&str] = &[$($name),*];
    };
}

targets! {
    answers: "answers",
    baseline: "baseline",
    calls: "calls",
    content: "content",
    gateway: "gateway",
    media: "media",
    messages: "messages",
    own_stack: "own-stack",
    record: "record",
    reference: "reference",
    scenario: "scenario",
    stanzas: "stanzas",
    vectors: "vectors",
    waivers: "waivers",
}

#[test]
fn every_target_is_tested_and_guided_and_every_folder_is_of_one() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, TESTED.iter().copied().collect());
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("guided/Cargo.toml")).unwrap();
    let guided: BTreeSet<&str> = manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert_eq!(guided, names.iter().copied().chain(["countersign-guided"]).collect());
    for folder in std::fs::read_dir(corpus()).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(name.as_str()), "corpus/{name}: no target of that name");
    }
}

/// A target that cannot fail would be worth nothing.
#[test]
fn a_broken_promise_is_noticed() {
    fn refuses_quotes(input: &[u8]) {
        assert!(!input.contains(&b'"'));
    }
    let target = Target { name: "broken", about: "", run: refuses_quotes, seeds: || vec![b"none here".to_vec()] };
    assert!(catch_unwind(|| all(&target)).is_err());
}

#[test]
fn the_same_number_makes_the_same_copy() {
    let copies: BTreeSet<Vec<u8>> = (0..100).map(|number| changed(b"{\"id\":1}", b"other", number)).collect();
    assert!(copies.len() > 80, "{}", copies.len());
    assert_eq!(changed(b"abc", b"", 7), changed(b"abc", b"", 7));
}
