//! The model is never wrong about an honest candidate.

use crate::support::walk;
use countersign_engine::Target;
use countersign_walks::write;

/// More in the long run: `COUNTERSIGN_WALKS=5000`.
fn cases() -> u64 {
    std::env::var("COUNTERSIGN_WALKS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

fn no_false_alarm(profile: &str) {
    for seed in 1..=2 {
        let outcome = walk(profile, &Target::Builtin, seed, cases(), None);
        let scenarios: Vec<String> =
            outcome.found.iter().map(|found| format!("{found:?}\n{}", write::scenario(&found.scenario))).collect();
        assert!(
            scenarios.is_empty(),
            "{profile}, seed {seed}: {} of {} walks: {}",
            outcome.failed,
            outcome.walks,
            scenarios.join("\n")
        );
        assert!(outcome.unjudged.is_empty(), "{profile}, seed {seed}: {:#?}", outcome.told);
        assert_eq!(outcome.walks, cases());
        // What was executed is long enough to say something.
        assert!(outcome.steps > 45 * outcome.walks, "{} steps", outcome.steps);
    }
}

#[test]
fn the_honest_sample_raises_no_false_alarm() {
    no_false_alarm("dma-basic");
}

#[test]
fn the_honest_sample_raises_no_false_alarm_in_the_older_suite() {
    no_false_alarm("dma-classic");
}
