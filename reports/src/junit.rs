//! JUnit XML: a suite for each folder of scenarios, a test case for each instance.
//!
//! JUnit knows four outcomes. `fail` is a failure; what could not be judged is an error; what was left out, blocked, waived or
//! is listed as an expected failure is skipped, with the reason; `pass` and `warn` are successes.

use crate::baseline::Change;
use crate::html::changes::{in_words as compared, word};
use crate::view::{View, deciding};
use crate::visible::{visible, visible_block};
use crate::waivers::answered_for;
use countersign_trace::{Check, InstanceResult, Verdict};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::time::Duration;

const LONGEST: usize = 2_000;
/// Changes since the baseline that are told, and characters of them.
const MOST_CHANGES: usize = 20;
const LONGEST_CHANGES: usize = 20_000;

/// The record as JUnit XML.
#[must_use]
pub fn junit(view: &View<'_>) -> String {
    let record = view.record;
    let mut report = Report::new(format!("countersign {}", visible(&record.header.profile, 80)));
    if let Some(summary) = &record.summary {
        report.set_time(Duration::from_micros(summary.times.wall_us));
    }
    report.add_test_suite(run(view));
    let mut suites: BTreeMap<String, Vec<TestCase>> = BTreeMap::new();
    for instance in &record.instances {
        suites.entry(folder(&instance.scenario)).or_default().push(case(view, instance));
    }
    for left_out in record.plan.iter().flat_map(|p| &p.left_out) {
        let mut status = match left_out.verdict {
            // Required by the profile, and not claimed.
            Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
            _ => TestCaseStatus::skipped(),
        };
        status.set_message(visible(&left_out.because, LONGEST)).set_type(left_out.verdict.as_str());
        suites.entry(folder(&left_out.name)).or_default().push(TestCase::new(visible(&left_out.name, 200), status));
    }
    for name in view.unfinished() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("planned, and not judged: the run ended before").set_type("unfinished");
        suites.entry(folder(name)).or_default().push(TestCase::new(visible(name, 200), status));
    }
    for (name, cases) in suites {
        let mut suite = TestSuite::new(name);
        suite.add_test_cases(cases);
        report.add_test_suite(suite);
    }
    // It is written into memory, and every text was made visible: neither can fail.
    report.to_string().unwrap_or_default()
}

/// The run itself: the doctor's examinations, checks over all instances, and whether it came to its end.
fn run(view: &View<'_>) -> TestSuite {
    let record = view.record;
    let header = &record.header;
    let mut suite = TestSuite::new("run");
    for (name, value) in [
        ("started", &header.started),
        ("countersign", &header.countersign),
        ("profile", &header.profile),
        ("target", &header.target),
        ("carrier", &header.carrier),
        ("suite", &header.suite.to_string()),
    ] {
        suite.add_property(Property::new(name, visible(value, 200)));
    }
    for examination in record.doctor.iter().flat_map(|d| &d.examinations) {
        let mut status = TestCaseStatus::success();
        if !examination.healthy {
            status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(visible(&examination.found, LONGEST)).set_type("could-not-be-tested");
            status.set_description(visible(examination.fix.as_deref().unwrap_or_default(), LONGEST));
        }
        suite.add_test_case(TestCase::new(format!("doctor: {}", visible(&examination.name, 80)), status));
    }
    for check in view.run_checks() {
        suite.add_test_case(TestCase::new(visible(&check.id, 120), status(view, check.verdict, Some(check), false)));
    }
    for waived in view.waivers() {
        let mut status = TestCaseStatus::success();
        if waived.is_outdated() {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(visible(waived.because(), LONGEST)).set_type(waived.state());
        }
        let waiver = waived.waiver;
        let mut case = TestCase::new(format!("waiver: {}", visible(&waiver.id, 80)), status);
        // A case that succeeds has no description.
        case.set_system_out(format!(
            "owner: {}\nreason: {}\nlink: {}\nexpires after: {}\nstate: {}\nchecks waived: {}",
            visible(&waiver.owner, LONGEST),
            visible(&waiver.reason, LONGEST),
            visible(&waiver.link, LONGEST),
            waiver.until,
            waived.state(),
            waived.covered.len()
        ));
        suite.add_test_case(case);
    }
    if let Some(found) = view.comparison {
        let mut status = TestCaseStatus::success();
        if !found.changes.is_empty() {
            status = TestCaseStatus::non_success(NonSuccessKind::Error);
            let told = |c: &Change| format!("{} {}: {}\n{}", word(c.kind), c.name, c.moved.join("; "), c.diff);
            let all: String = found.changes.iter().take(MOST_CHANGES).map(told).collect();
            status.set_message(compared(found)).set_type("changed").set_description(visible_block(&all, LONGEST_CHANGES));
        }
        suite.add_test_case(TestCase::new("as at the baseline", status));
    }
    let mut complete = TestCaseStatus::success();
    if record.summary.as_ref().is_none_or(|s| s.interrupted.is_some()) {
        let headline = view.headline();
        complete = TestCaseStatus::non_success(NonSuccessKind::Error);
        complete.set_message(headline.title).set_type("incomplete").set_description(headline.sentence);
    }
    suite.add_test_case(TestCase::new("ran to its end", complete));
    suite
}

fn folder(name: &str) -> String {
    visible(name.split_once('/').map_or("scenarios", |(folder, _)| folder), 80)
}

fn case(view: &View<'_>, instance: &InstanceResult) -> TestCase {
    let status = status(view, instance.verdict, deciding(instance), view.is_expected(instance));
    let mut case = TestCase::new(visible(&instance.name(), 200), status);
    case.set_time(Duration::from_micros(instance.wall_us)).set_assertions(instance.checks.len());
    if let Some(text) = view.scenario(instance) {
        case.set_classname(visible(&text.title, 200));
    }
    if instance.verdict == Verdict::Warn
        && let Some(check) = deciding(instance)
    {
        case.set_system_out(in_words(check));
    }
    case
}

fn status(view: &View<'_>, verdict: Verdict, check: Option<&Check>, expected: bool) -> TestCaseStatus {
    let mut status = match verdict {
        Verdict::Pass | Verdict::Warn => return TestCaseStatus::success(),
        Verdict::Fail if !expected => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Fail | Verdict::NotApplicable | Verdict::Waived | Verdict::Unsupported | Verdict::Blocked => {
            TestCaseStatus::skipped()
        }
        Verdict::Inconclusive | Verdict::NeedsReview | Verdict::EnvironmentError | Verdict::HarnessError => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    let waived = check.and_then(|c| answered_for(view, c)).map(|waived| waived + ": ");
    let prefix = if expected { "listed as an expected failure: " } else { waived.as_deref().unwrap_or_default() };
    let message = check.map_or("no check of this verdict".to_owned(), |c| visible(&c.observed, LONGEST));
    status.set_message(format!("{prefix}{message}")).set_type(verdict.as_str());
    if let Some(check) = check {
        status.set_description(in_words(check));
    }
    status
}

fn in_words(check: &Check) -> String {
    let mut lines = vec![
        format!("check: {}", visible(&check.id, 120)),
        format!("requirements: {}", visible(&check.requirements.join(", "), LONGEST)),
        format!("expected: {}", visible_block(&check.expected, LONGEST)),
        format!("observed: {}", visible_block(&check.observed, LONGEST)),
    ];
    lines.extend(check.reason.map(|r| format!("reason: {r}")));
    lines.extend(check.finding.as_ref().map(|f| format!("finding: {}", visible(f, 200))));
    lines.extend(check.likely_cause.as_ref().map(|c| format!("likely cause: {}", visible(c, LONGEST))));
    lines.join("\n")
}
