//! The record on a terminal: details first, the verdict last, where a reader's eye is when the run ends.
//!
//! Everything is said in words; colour, if there is any, only repeats it.

mod code;
mod explain;
mod nightly;
mod paint;
mod trace;

pub use code::code;
pub use explain::{explain_check, explain_failure};
pub use nightly::explain_waiver;
pub use trace::Teller;

use crate::headline::Tone;
use crate::html::changes::in_words;
use crate::measure::{counted, grouped, per_cent, time};
use crate::odds::{in_words as in_words_of_odds, odds};
use crate::standing::Standing;
use crate::view::{Failure, View};
use crate::visible::visible;
use countersign_trace::record::Times;
use countersign_trace::{InstanceResult, Verdict};
use paint::Paint;

/// How to write for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are wanted.
    pub colour: bool,
    /// Columns. Lines are cut or wrapped to fit, but for names and commands.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100 }
    }
}

/// A file that the run wrote.
#[derive(Clone, Copy, Debug)]
pub struct WrittenFile<'a> {
    /// What it is, such as `HTML`.
    pub what: &'a str,
    /// Where it is.
    pub path: &'a str,
}

/// Where a reader goes from here.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The command that explains an instance, to be followed by its name.
    pub explain: &'a str,
    /// Files that the run wrote.
    pub files: &'a [WrittenFile<'a>],
}

impl Default for Places<'_> {
    fn default() -> Self {
        Self { explain: "countersign explain", files: &[] }
    }
}

/// Left-out scenarios that are listed one by one; of more, the rest is counted.
const MOST_LEFT_OUT: usize = 12;
const LONGEST_NAME: usize = 120;

/// The whole report for a terminal. Ends with a line feed.
#[must_use]
pub fn terminal(view: &View<'_>, style: Style, places: &Places<'_>) -> String {
    let mut out = Sheet { view, style, paint: Paint(style.colour), places, text: String::new() };
    out.origin();
    out.doctor();
    for verdict in Verdict::ALL.into_iter().rev() {
        out.failures(verdict);
    }
    out.left_out();
    out.waivers();
    out.changes();
    out.summary();
    out.text
}

/// One line for an instance that ended: `[ 7/38] pass  e2ee/replay  12.3 ms`, and what was observed if it did not pass.
#[must_use]
pub fn progress_line(instance: &InstanceResult, done: usize, of: usize, style: Style) -> String {
    let paint = Paint(style.colour);
    let digits = of.to_string().len();
    let name = visible(&instance.name(), LONGEST_NAME);
    let head = format!("[{done:>digits$}/{of}] ");
    let word = format!("{:<17}", instance.verdict.as_str());
    let tail = format!(" {name}  {}", time(instance.wall_us));
    let mut line = format!("{head}{}{tail}", paint.verdict(instance.verdict, &word));
    if let Some(check) = crate::view::deciding(instance).filter(|_| instance.verdict != Verdict::Pass) {
        let used = head.chars().count() + word.chars().count() + tail.chars().count() + 2;
        let room = style.width.saturating_sub(used);
        if room >= 20 {
            line += &format!("  {}", fit(&check.observed, room));
        }
    }
    line
}

/// A text on one line of at most `room` columns, counted in characters.
fn fit(text: &str, room: usize) -> String {
    let line = visible(text, room.saturating_mul(2).max(1));
    if line.chars().count() <= room {
        return line;
    }
    line.chars().take(room.saturating_sub(1)).collect::<String>() + "…"
}

/// Notes of a run that are shown.
const MOST_NOTES: usize = 20;

struct Sheet<'a, 'v> {
    view: &'a View<'v>,
    style: Style,
    paint: Paint,
    places: &'a Places<'a>,
    text: String,
}

impl Sheet<'_, '_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        let heading = self.paint.bold(heading);
        self.text.push('\n');
        self.line(&heading);
    }

    fn origin(&mut self) {
        let header = &self.view.record.header;
        let show = |text: &str| visible(text, LONGEST_NAME);
        let first = format!(
            "Countersign {}, profile {}, candidate {} over {}, started {}",
            show(&header.countersign),
            show(&header.profile),
            show(&header.target),
            show(&header.carrier),
            show(&header.started)
        );
        self.line(&first);
        if let Some(claims) = self.view.record.doctor.as_ref().and_then(|d| d.description.as_ref()) {
            let line = format!(
                "The candidate says it is {} {}, build {}, run by {}",
                show(&claims.name),
                show(&claims.version),
                show(&claims.build),
                show(&claims.operator)
            );
            self.line(&line);
        }
        if !header.only.is_empty() {
            let only = header.only.iter().map(|o| show(o)).collect::<Vec<_>>().join(", ");
            self.line(&format!("Only: {only}"));
        }
    }

    fn doctor(&mut self) {
        let Some(doctor) = self.view.record.doctor.as_ref().filter(|d| !d.healthy()) else { return };
        self.heading("Doctor");
        for examination in &doctor.examinations {
            let name = visible(&examination.name, 80);
            let found = code(&visible(&examination.found, 600), self.style);
            if examination.healthy {
                self.line(&format!("  ok    {name}: {found}"));
            } else {
                let word = self.paint.caution("no   ");
                self.line(&format!("  {word} {name}: {found}"));
                if let Some(fix) = &examination.fix {
                    self.line(&format!("        fix: {}", code(&visible(fix, 600), self.style)));
                }
            }
        }
    }

    fn failures(&mut self, verdict: Verdict) {
        if matches!(verdict, Verdict::Pass | Verdict::NotApplicable) {
            return;
        }
        let found = self.view.with_verdict(verdict);
        if found.is_empty() {
            return;
        }
        let count = grouped(found.len() as u64);
        self.heading(&format!("{} ({count})", meaning(verdict)));
        let word = format!("{:<17}", verdict.as_str());
        for failure in &found {
            let line = self.failure(failure, verdict, &word);
            self.line(&line);
        }
    }

    /// Verdict, command with the instance's name, requirements, what was observed: what comes last is cut first.
    fn failure(&self, failure: &Failure<'_>, verdict: Verdict, word: &str) -> String {
        let name = failure.instance.and_then(|at| self.view.record.instances.get(at)).map(InstanceResult::name);
        let place = match &name {
            Some(name) => format!("{} {}", self.places.explain, quoted(&visible(name, LONGEST_NAME))),
            None => format!(
                "whole run: {} {}",
                self.places.explain,
                quoted(&failure.check.map_or(String::new(), |c| visible(&c.id, 80)))
            ),
        };
        let requirements = failure.check.map_or(String::new(), |c| visible(&c.requirements.join(" "), 60));
        let waived = failure.check.and_then(|c| c.waiver.as_ref()).map(|id| format!("({}) ", visible(id, 80)));
        let listed = if failure.expected { "(listed as expected) " } else { waived.as_deref().unwrap_or_default() };
        let observed = failure.check.map_or("no check of this verdict", |c| c.observed.as_str());
        let mut tail = String::from(listed);
        if !requirements.is_empty() {
            tail = format!("{tail}{requirements}: ");
        }
        let used = 2 + word.chars().count() + 1 + place.chars().count() + 2 + tail.chars().count();
        let room = self.style.width.saturating_sub(used).max(24);
        format!("  {} {place}  {tail}{}", self.paint.verdict(verdict, word), fit(observed, room))
    }

    fn left_out(&mut self) {
        let Some(plan) = &self.view.record.plan else { return };
        if plan.left_out.is_empty() && plan.filtered == 0 {
            return;
        }
        self.heading(&format!("Left out ({})", grouped(plan.left_out.len() as u64 + plan.filtered)));
        for left_out in plan.left_out.iter().take(MOST_LEFT_OUT) {
            let line = format!(
                "  {:<17} {}: {}",
                left_out.verdict.as_str(),
                visible(&left_out.name, LONGEST_NAME),
                visible(&left_out.because, 300)
            );
            self.line(&line);
        }
        if let Some(more) = plan.left_out.len().checked_sub(MOST_LEFT_OUT).filter(|n| *n > 0) {
            self.line(&format!("  and {more} more"));
        }
        if plan.filtered > 0 {
            self.line(&format!("  {} kept out by the filters", counted(plan.filtered, "scenario")));
        }
    }

    /// With what probability this run finds what shows in one of ten chances, of those that the candidate received.
    fn odds(&mut self) {
        let odds = odds(self.view);
        let counted = odds.iter().filter(|odds| odds.received && odds.chances > 0);
        let found: Vec<String> = counted
            .map(|odds| format!("{} {} ({})", odds.what, in_words_of_odds(odds.one_in_ten()), grouped(odds.chances)))
            .collect();
        if !found.is_empty() {
            self.line(&format!("  Rare defects  shown by 1 of 10, found with: {}", found.join(", ")));
        }
    }

    fn summary(&mut self) {
        self.heading("Summary");
        let counts: Vec<String> = self
            .view
            .counts()
            .into_iter()
            .map(|(v, n)| self.paint.verdict(v, &format!("{} {}", grouped(n), v.as_str())))
            .collect();
        let counts = if counts.is_empty() { "none judged".to_owned() } else { counts.join(", ") };
        self.line(&format!("  Scenarios     {counts}"));
        let unfinished = self.view.unfinished().len() as u64;
        if unfinished > 0 {
            self.line(&format!("                {} planned and not judged", grouped(unfinished)));
        }
        let repeats = &self.view.record.repeats;
        if !repeats.is_empty() {
            let scenarios: std::collections::BTreeSet<String> = repeats.iter().map(|r| r.result.name()).collect();
            let (more, of) = (counted(repeats.len() as u64, "further execution"), counted(scenarios.len() as u64, "scenario"));
            self.line(&format!("  Repeats       {more} of {of} that failed; only what fails each time is a failure"));
        }
        self.requirements();
        self.odds();
        if let Some(summary) = self.view.record.summary.as_ref().filter(|s| s.times.instances_us > 0) {
            self.times(&summary.times);
        }
        // That the candidate broke and was started again is no verdict of any scenario, and must not go unseen.
        for note in self.view.record.notes.iter().take(MOST_NOTES) {
            self.line(&format!("  Note          {}", visible(note, 400)));
        }
        if self.view.record.notes.len() > MOST_NOTES {
            self.line(&format!("  Note          and {} more", self.view.record.notes.len() - MOST_NOTES));
        }
        if let Some(found) = self.view.comparison {
            self.line(&format!("  Baseline      {}", in_words(found)));
            for moved in &found.moved {
                self.line(&format!("                {}", visible(moved, 400)));
            }
        }
        if self.view.record.cut_off {
            self.line("  Record        ends in the middle of a line: that line is not part of this report");
        }
        for file in self.places.files {
            self.line(&format!("  {:<13} {}", visible(file.what, 13), visible(file.path, 400)));
        }
        self.line(
            "  Not shown     the gatekeeper's own servers were not tested; every threshold is ours, no gatekeeper publishes one",
        );
        let headline = self.view.headline();
        let title = self.paint.tone(headline.tone, &headline.title.to_uppercase());
        let exit = match (&self.view.record.summary, headline.tone) {
            (Some(summary), Tone::Good) if summary.exit_code == 0 => String::new(),
            (Some(summary), _) => format!(" (exit {})", summary.exit_code),
            (None, _) => String::new(),
        };
        self.text.push('\n');
        self.line(&format!("{title}{exit}. {}", headline.sentence));
        if self.view.exit_code().is_some_and(|code| self.view.record.summary.as_ref().is_some_and(|s| s.exit_code != code)) {
            let word = self.paint.caution("CHANGED");
            self.line(&format!(
                "{word} (exit 6). The candidate does something else than at the baseline: look at it, and then `--snapshots accept`."
            ));
        }
    }

    fn requirements(&mut self) {
        let coverage = self.view.coverage();
        if coverage.all == 0 {
            return;
        }
        let self_tests = if coverage.self_tests > 0 {
            format!("; {} of our own code not counted", counted(coverage.self_tests, "self-test"))
        } else {
            String::new()
        };
        self.line(&format!(
            "  Requirements  {} of {} decided: {} met, {} missed{self_tests}",
            grouped(coverage.decided),
            grouped(coverage.all),
            grouped(coverage.passed),
            grouped(coverage.failed)
        ));
        if coverage.waived > 0 {
            self.line(&format!("                {} missed, and waived", grouped(coverage.waived)));
        }
        let missed: Vec<String> = self
            .view
            .standings()
            .iter()
            .filter(|s| s.standing == Standing::Judged(Verdict::Fail))
            .map(|s| visible(s.id, 40))
            .collect();
        if !missed.is_empty() {
            self.line(&format!("  Missed        {}", missed.join(", ")));
        }
    }

    fn times(&mut self, times: &Times) {
        let share = |part| format!("{} ({} %)", time(part), per_cent(part, times.instances_us));
        let line = format!(
            "  Time          {} wall; scenarios' own time {}: candidate {}, cryptography {}, ourselves {}",
            time(times.wall_us),
            time(times.instances_us),
            share(times.candidate_us),
            share(times.crypto_us),
            share(times.own_us)
        );
        self.line(&line);
    }
}

/// A name as a shell takes it: in quotes if it holds anything but harmless characters.
fn quoted(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || "/@-_.".contains(c)) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

/// What the instances of a verdict have in common.
const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "Failed",
        Verdict::HarnessError => "Not judged: our own fault",
        Verdict::EnvironmentError => "Not judged: environment",
        Verdict::NeedsReview => "A person has to look",
        Verdict::Inconclusive => "Inconclusive",
        Verdict::Blocked => "Blocked by an earlier failure",
        Verdict::Unsupported => "Not tested: a test capability is missing",
        Verdict::Warn => "Warnings",
        Verdict::Waived => "Waived",
        Verdict::NotApplicable => "Not applicable",
        Verdict::Pass => "Passed",
    }
}
