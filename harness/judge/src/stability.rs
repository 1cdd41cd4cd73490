//! A failure of a live candidate that does not come every time: what several executions of one scenario say together.
//!
//! In process an execution is deterministic; over a child, HTTP or a connection it is not. There a failed scenario is executed
//! some more times, each time with a seed of its own, and all of them stand in the record. If all fail, it failed. If they differ,
//! nothing is shown either way: every failure becomes `inconclusive`, with the rate and its interval. Never `pass`.

use crate::finding::Finding;
use crate::said::Said;
use countersign_trace::{Check, CheckKind, Verdict};
use std::collections::BTreeMap;

/// The id of the check that says how often a scenario failed.
pub const STABILITY: &str = "stability";

/// How often a failed scenario is executed again.
pub const REPEATS: u32 = 4;

/// 97.5 % of a normal distribution lie below it: both ends together leave out 5 %.
const Z: f64 = 1.959_964;

/// How often something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Executions that failed.
    pub failed: u32,
    /// Executions that were judged.
    pub of: u32,
}

impl Rate {
    /// Wilson's score interval of 95 % for the share of failures: lower and upper end, each from 0 to 1. Without an execution it is
    /// everything.
    #[must_use]
    pub fn interval(self) -> (f64, f64) {
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let n = f64::from(self.of);
        let share = f64::from(self.failed) / n;
        let middle = share + Z * Z / (2.0 * n);
        let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        (((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
    }

    /// The first failure is why there are repeats at all: counted with them it would make every rate too high.
    fn words(self) -> String {
        if self.of == 0 {
            return "failed, and no further execution could be judged".to_owned();
        }
        let (lower, upper) = self.interval();
        let share = 100.0 * f64::from(self.failed) / f64::from(self.of);
        format!(
            "failed, and then in {} of {} further executions: {share:.0} %, with 95 % confidence between {:.0} % and {:.0} %",
            self.failed,
            self.of,
            lower * 100.0,
            upper * 100.0
        )
    }
}

/// The checks of an instance in the light of its repeats, each given as the checks that it came to. Without a failure or without
/// repeats they are as they were.
///
/// An execution that could not be judged (environment, our own fault, blocked) counts for neither side.
#[must_use]
pub fn settle(checks: Vec<Check>, repeats: &[Vec<Check>]) -> Vec<Check> {
    if repeats.is_empty() || crate::worst(&checks) != Verdict::Fail {
        return checks;
    }
    let judged = |checks: &[Check]| match crate::worst(checks) {
        Verdict::Fail => Some(true),
        Verdict::Pass | Verdict::NotApplicable | Verdict::Waived | Verdict::Warn => Some(false),
        _ => None,
    };
    let outcomes: Vec<bool> = repeats.iter().filter_map(|checks| judged(checks)).collect();
    let count = |outcomes: usize| u32::try_from(outcomes).unwrap_or(u32::MAX);
    let rate = Rate { failed: count(outcomes.iter().filter(|failed| **failed).count()), of: count(outcomes.len()) };
    let unjudged = repeats.len() - outcomes.len();
    let requirements: Vec<String> = checks
        .iter()
        .filter(|c| c.verdict == Verdict::Fail)
        .flat_map(|c| c.requirements.clone())
        .fold(Vec::new(), |mut all, id| {
            if !all.contains(&id) {
                all.push(id);
            }
            all
        });
    let expected = "the scenario comes to the same each time that it is executed";
    let mut observed = rate.words();
    if unjudged > 0 && !outcomes.is_empty() {
        observed.push_str(&format!("; {unjudged} more could not be judged"));
    }
    let stable = rate.failed == rate.of;
    let said = if stable {
        Said::pass(expected, &observed)
    } else {
        let mut said = Said::inconclusive(expected, &observed);
        said.finding = Some(Finding::Unstable);
        said
    };
    let check = said.check(STABILITY.to_owned(), CheckKind::Monitor, None, requirements, &BTreeMap::new());
    let settled = checks.into_iter().map(|mut c| {
        if !stable && c.verdict == Verdict::Fail {
            c.verdict = Verdict::Inconclusive;
            c.observed = format!("{}; unstable: {observed}", c.observed);
        }
        c
    });
    settled.chain([check]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verdict: Verdict) -> Check {
        let said = match verdict {
            Verdict::Fail => Said::fail(Finding::Shown, "nothing is shown", "it was shown"),
            other => Said::pass("nothing is shown", "nothing").verdict(other),
        };
        said.check("step-4".to_owned(), CheckKind::Expectation, Some(4), vec!["SIG-02".to_owned()], &BTreeMap::new())
    }

    fn after(repeats: &[Verdict]) -> Vec<Check> {
        let repeats: Vec<Vec<Check>> = repeats.iter().map(|v| vec![check(*v)]).collect();
        settle(vec![check(Verdict::Fail)], &repeats)
    }

    #[test]
    fn a_failure_that_comes_each_time_stays_one() {
        let checks = after(&[Verdict::Fail; 4]);
        assert_eq!(crate::worst(&checks), Verdict::Fail);
        assert_eq!(checks[0], check(Verdict::Fail));
        assert_eq!((checks[1].id.as_str(), checks[1].verdict), (STABILITY, Verdict::Pass));
        assert!(checks[1].observed.starts_with("failed, and then in 4 of 4 further executions: 100 %"), "{}", checks[1].observed);
    }

    #[test]
    fn a_failure_that_comes_now_and_then_is_inconclusive_with_rate_and_interval() {
        for passes in 1..=4 {
            let mut repeats = vec![Verdict::Fail; 4 - passes];
            repeats.extend(vec![Verdict::Pass; passes]);
            let checks = after(&repeats);
            assert_eq!(crate::worst(&checks), Verdict::Inconclusive, "{passes}");
            assert!(checks[0].observed.contains("it was shown; unstable: "), "{}", checks[0].observed);
            assert_eq!(checks[0].finding.as_deref(), Some("shown"), "what failed stays named");
            assert_eq!(checks[1].finding.as_deref(), Some("unstable"));
            assert_eq!(checks[1].requirements, ["SIG-02"]);
        }
        let said = &after(&[Verdict::Pass, Verdict::Fail, Verdict::Pass, Verdict::Pass])[1].observed;
        assert_eq!(said, "failed, and then in 1 of 4 further executions: 25 %, with 95 % confidence between 5 % and 70 %");
    }

    #[test]
    fn what_could_not_be_judged_excuses_nothing() {
        let checks = after(&[Verdict::Fail, Verdict::EnvironmentError]);
        assert_eq!(crate::worst(&checks), Verdict::Fail);
        assert!(checks[1].observed.ends_with("; 1 more could not be judged"), "{}", checks[1].observed);
        let checks = after(&[Verdict::EnvironmentError, Verdict::HarnessError, Verdict::Blocked, Verdict::Inconclusive]);
        assert_eq!(crate::worst(&checks), Verdict::Fail);
        assert!(checks[1].observed.ends_with("no further execution could be judged"), "{}", checks[1].observed);
    }

    #[test]
    fn what_did_not_fail_is_left_alone() {
        assert_eq!(settle(vec![check(Verdict::Fail)], &[]), [check(Verdict::Fail)]);
        for verdict in [Verdict::Pass, Verdict::EnvironmentError] {
            assert_eq!(settle(vec![check(verdict)], &[vec![check(Verdict::Fail)]]), [check(verdict)]);
        }
    }

    #[test]
    fn the_interval_is_wilsons() {
        // Values of the textbook for 95 %.
        for (failed, of, lower, upper) in
            [(0, 5, 0.0, 0.4345), (1, 5, 0.0362, 0.6245), (5, 5, 0.5655, 1.0), (50, 100, 0.4038, 0.5962)]
        {
            let (l, u) = Rate { failed, of }.interval();
            assert!((l - lower).abs() < 0.0005 && (u - upper).abs() < 0.0005, "{failed} of {of}: {l} {u}");
        }
        assert_eq!(Rate { failed: 0, of: 0 }.interval(), (0.0, 1.0));
    }
}
