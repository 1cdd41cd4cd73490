//! Scenario and trace give verdicts, and the monitors watch every trace. Pure: no clock, no socket, no file.
//!
//! * [`judge()`]: every check of one instance.
//! * [`judge_run`], and [`RunJudge`] for one instance after another: what only shows when all instances of a run are held against each other.
//! * [`settle`]: what repeats of a failed instance change.
//! * [`Waivers`]: what somebody answers for is marked, and what each waiver came to.
//! * [`worst`]: the verdict of a scenario from its checks.
//! * [`chances()`]: how much an instance gave a check to look at, for the odds that a rare defect is found.
//! * [`conclude`]: the verdict and exit code of a run.
//!
//! Every byte that a candidate wrote may be hostile. Nothing here panics on one, and nothing that a candidate says of itself is
//! believed where the wire shows it. An expectation that something is there looks at the trace up to the end of its own step;
//! one that something is not there looks at the whole trace.

mod chances;
mod conclude;
mod context;
mod expectations;
mod finding;
mod latency;
mod monitors;
mod nearest;
mod run;
mod said;
mod search;
mod seen;
pub mod stability;
mod steps;
pub mod waivers;
mod wire;

pub use chances::{Chances, Counted, chances};
pub use conclude::{Conclusion, conclude};
pub use finding::Finding;
pub use latency::{MOST_SAMPLES, Percentile, p95};
pub use run::{RunJudge, judge_run};
pub use stability::settle;
pub use waivers::Waivers;

use context::Context;
use countersign_contract::claims::Description;
use countersign_scenarios::{Profile, Requirement, Scenario, Step};
use countersign_trace::{Blame, Blobs, Check, CheckKind, Entry, Verdict};

/// Judges one instance: a check for each expectation, for each step that had to succeed, and for each monitor.
///
/// `scenario` is the scenario with its case filled in; `description` is what the candidate claims. A failure of a check whose
/// requirements are all SHOULDs is a `warn`.
#[must_use]
pub fn judge(
    profile: &Profile,
    requirements: &[Requirement],
    scenario: &Scenario,
    trace: &[Entry],
    blobs: &Blobs,
    description: &Description,
) -> Vec<Check> {
    let context = Context {
        profile,
        requirements: requirements.iter().map(|r| (r.id.as_str(), r)).collect(),
        description,
        seen: seen::Seen::new(scenario, trace, blobs),
    };
    let mut checks: Vec<Check> = steps::around(&context);
    for (index, step) in scenario.steps.iter().enumerate() {
        match step {
            Step::Expect(expect) => {
                checks.push(context.step_check(CheckKind::Expectation, index, expectations::judge(&context, index, expect)));
            }
            other => {
                checks.extend(steps::judge(&context, index, other).map(|said| context.step_check(CheckKind::Step, index, said)))
            }
        }
    }
    checks.extend(monitors::watch(&context));
    if let Some(cause) = context.cut_short() {
        // What is missing from a trace that was cut short from outside is no fault of ours.
        for check in checks.iter_mut().filter(|c| c.verdict == Verdict::HarnessError) {
            check.verdict = Verdict::EnvironmentError;
            check.blame = Some(Blame::Environment);
            check.observed = format!("{}; the instance was cut short: {cause}", check.observed);
        }
    }
    checks
}

/// The checks that no scenario states: of monitors, and of the run as a whole. Each with the requirements that it verifies.
pub fn standing_checks() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    monitors::REGISTRY.iter().map(|m| (m.id, m.requirements)).chain(run::checks())
}

/// Names of all checks that are no step of a scenario, those among them that only some instances have.
pub fn check_names() -> impl Iterator<Item = &'static str> {
    standing_checks().map(|(id, _)| id).chain(steps::AROUND).chain([stability::STABILITY])
}

/// The worst verdict of some checks; without any check, [`Verdict::HarnessError`]: nothing was judged.
#[must_use]
pub fn worst(checks: &[Check]) -> Verdict {
    checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::HarnessError)
}
