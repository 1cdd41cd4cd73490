//! Options of a run as tests and benches want them.

use countersign_engine::{Patience, Remote, RunOptions, Target};
use countersign_scenarios::{Profile, Suite};
use std::sync::Arc;

/// A run of all scenarios of a profile with a seed of 32 equal bytes and four instances at once, judged as the command judges.
#[must_use]
pub fn options(suite: &Arc<Suite>, profile: &Profile, target: Target, seed: u8) -> RunOptions {
    let profile = Arc::new(profile.clone());
    let requirements: Vec<_> = suite.requirements.values().cloned().collect();
    let judged_by = Arc::clone(&profile);
    RunOptions {
        suite: Arc::clone(suite),
        profile,
        target,
        folder: "/".into(),
        listen: ([127, 0, 0, 1], 0).into(),
        remote: Remote::default(),
        seed: [seed; 32],
        jobs: 4,
        only: Vec::new(),
        patience: Patience::contract(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        expected_failures: Vec::new(),
        judge: Arc::new(move |planned, trace, blobs, claims| {
            countersign_judge::judge(&judged_by, &requirements, &planned.scenario, trace, blobs, claims)
        }),
    }
}
