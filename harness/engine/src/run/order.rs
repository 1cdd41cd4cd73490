//! In which order instances begin: the longest first, so that none of them is waited for alone at the end.

use countersign_contract::portable::FIRST_PAUSE_MS;
use countersign_scenarios::language::MediaStep;
use countersign_scenarios::{Planned, Step};
use std::cmp::Reverse;
use std::collections::VecDeque;

/// The queue of what runs side by side. Equals stay in the plan's order.
pub(super) fn longest_first(mut planned: Vec<Planned>) -> VecDeque<Planned> {
    planned.sort_by_cached_key(|planned| Reverse(expected_ms(planned)));
    planned.into()
}

/// About how long an instance takes, in milliseconds: pauses that the contract asks a client for, and what is many.
fn expected_ms(planned: &Planned) -> u64 {
    let files: u64 = planned.scenario.file_bytes().sum();
    let steps = planned.scenario.steps.iter().map(|step| match step {
        Step::Fault(fault) => pauses(fault.times),
        Step::Media(MediaStep::BreakOff(broken)) => pauses(broken.times),
        Step::Exchange(exchange) => u64::from(exchange.messages) / 2,
        Step::Many(many) => u64::from(many.messages) / 2,
        // Its thousands of hashes.
        Step::VerifyIdentity(_) => 10,
        _ => 0,
    });
    // A large file passes through some dozen megabytes a second, there and back.
    steps.sum::<u64>() + files / 20_000
}

/// What a client waits in all when that many attempts fail: each pause is twice as long as the one before.
fn pauses(failures: u32) -> u64 {
    FIRST_PAUSE_MS.saturating_mul((1 << failures.min(6)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_scenarios::Suite;

    #[test]
    fn what_pauses_and_what_is_large_begins_first() {
        let suite = Suite::builtin().unwrap();
        let all = suite.instances(suite.profiles.get("dma-basic").unwrap());
        let count = all.len();
        let names: Vec<String> = longest_first(all).into_iter().map(|planned| planned.name).collect();
        assert_eq!(names.len(), count);
        let place = |name: &str| names.iter().position(|n| n == name).unwrap();
        assert!(names[..4].iter().any(|n| n.starts_with("media/large")), "{names:?}");
        assert!(place("media/broken-off@thrice") < place("media/broken-off@early"));
        assert!(place("media/broken-off@early") < place("e2ee/from-candidate"));
    }
}
