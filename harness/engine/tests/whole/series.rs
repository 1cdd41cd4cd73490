//! Instances one after another on a process that may use little.

use crate::common::{options, sample};
use countersign_engine::remote::ChildLimits;
use countersign_engine::{RunOptions, Series};
use countersign_scenarios::Planned;
use countersign_trace::Verdict;
use std::sync::Arc;
use tokio::sync::watch;

/// What so many instances use of the processor is more than the process may, on any machine.
const MOST: u64 = 20_000;

async fn opened(target: &str) -> Series {
    let mut options: RunOptions = options(target, &[]);
    options.remote.limits = ChildLimits { cpu_s: 1, ..ChildLimits::default() };
    let (_keep, interrupt) = watch::channel(None);
    let (doctor, series) = Series::open(options, interrupt).await.unwrap();
    series.unwrap_or_else(|| unreachable!("{doctor:?}"))
}

async fn verdict(series: &Series, number: u64) -> Verdict {
    let scenario = Arc::clone(&series.options().suite.scenarios["e2ee/from-candidate"].scenario);
    series.instance(Planned { name: format!("e2ee/{number}"), scenario, case: None }).await.result.verdict
}

/// A process that is told to go on for long is not blamed for its age.
#[tokio::test(flavor = "multi_thread")]
async fn a_worn_child_is_started_anew_between_instances() {
    let child = format!("exec:{}", sample());
    // As it is, it comes to its end.
    let series = opened(&child).await;
    let mut lives = 0;
    while lives < MOST && verdict(&series, lives).await == Verdict::Pass {
        lives += 1;
    }
    assert!(lives < MOST && series.is_broken(), "{lives}");
    series.shut_down().await;

    let series = opened(&child).await;
    assert!(series.is_renewable());
    for number in 0..lives * 2 {
        assert_eq!(series.revive().await, None);
        assert_eq!(verdict(&series, number).await, Verdict::Pass, "{number} of {lives}");
    }
    assert_eq!(series.renew().await, None);
    assert_eq!(verdict(&series, 0).await, Verdict::Pass);
    series.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_process_of_ours_stays_as_it_is() {
    let series = opened("builtin").await;
    assert!(!series.is_renewable());
    assert_eq!(series.renew().await, None);
    assert_eq!(verdict(&series, 0).await, Verdict::Pass);
    series.shut_down().await;
}
