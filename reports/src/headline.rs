//! The first sentence of every report: what this run says of the candidate, and no more than that.

use crate::measure::{counted, grouped};
use crate::view::View;
use crate::visible::visible;
use countersign_trace::Verdict;

/// How a headline is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The candidate conforms.
    Good,
    /// The candidate does not.
    Bad,
    /// Something has to be looked at.
    Caution,
    /// The run says nothing either way.
    Open,
}

impl Tone {
    /// In a word: a stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Caution => "caution",
            Self::Open => "open",
        }
    }

    /// As a sign.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✗",
            Self::Caution => "!",
            Self::Open => "?",
        }
    }
}

/// What a run says, in a few words and a sentence. Both are fit for one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// How it is meant.
    pub tone: Tone,
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub sentence: String,
}

const LONGEST_QUOTE: usize = 300;
/// Waivers that are named; of more, the list in the report tells.
const MOST_OUTDATED: usize = 3;

impl View<'_> {
    /// The headline. It never says more than the verdicts: a run that was killed, stopped, filtered or could not begin says so.
    #[must_use]
    pub fn headline(&self) -> Headline {
        let record = self.record;
        if let Some(ill) = record.doctor.iter().flat_map(|d| &d.examinations).find(|e| !e.healthy) {
            let fix = ill.fix.as_ref().map_or(String::new(), |fix| format!(" Fix: {}", visible(fix, LONGEST_QUOTE)));
            let cause = format!("{}: {}", visible(&ill.name, LONGEST_QUOTE), visible(&ill.found, LONGEST_QUOTE));
            return Headline {
                tone: Tone::Open,
                title: "Could not be tested".into(),
                sentence: format!(
                    "The doctor stopped the run before any scenario. This says nothing about conformance. {cause}.{fix}"
                ),
            };
        }
        let judged = record.instances.len() as u64;
        let failed = self.unexpected_failures();
        let planned = record.plan.as_ref().map(|p| p.selected.len() as u64);
        let of = planned.map_or("No plan had been made.".to_owned(), |n| format!("Planned: {}.", counted(n, "instance")));
        let Some(summary) = &record.summary else {
            let title = format!("Incomplete: {} judged", counted(judged, "instance"));
            return cut_short(
                title,
                format!("{of} The record ends without a summary: the run was killed, or still goes on."),
                failed,
            );
        };
        if let Some(cause) = &summary.interrupted {
            let title = format!("Interrupted: {} judged", counted(judged, "instance"));
            return cut_short(title, format!("{of} The run was stopped: {}.", visible(cause, LONGEST_QUOTE)), failed);
        }
        self.whole_run(summary.exit_code, failed, judged)
    }

    fn whole_run(&self, exit_code: u8, failed: u64, judged: u64) -> Headline {
        let expected = self.record.instances.iter().filter(|i| self.is_expected(i)).count() as u64;
        let ours = self.count(Verdict::HarnessError);
        let environment = self.count(Verdict::EnvironmentError) + self.count(Verdict::Blocked);
        let open = self.count(Verdict::Inconclusive) + self.count(Verdict::NeedsReview);
        let warned = self.count(Verdict::Warn);
        let headline = |tone, title: &str, sentence: String| Headline { tone, title: title.into(), sentence };
        let scenarios = counted(judged, "scenario");
        // The exit code is the run's own word; the verdicts can only make it worse, never better.
        if exit_code == 4 || failed > 0 {
            let what = if failed == 0 {
                "a requirement is not met".to_owned()
            } else {
                format!("{} of {scenarios} failed", grouped(failed))
            };
            return headline(Tone::Bad, "Does not conform", format!("{}.", uppercase_first(&what)));
        }
        if exit_code == 8 {
            return headline(Tone::Open, "Evidence is not valid", "The record does not bear out its verdicts.".into());
        }
        if exit_code == 1 || ours > 0 {
            return headline(
                Tone::Open,
                "Could not be judged",
                format!("Countersign itself failed in {}. This says nothing about the candidate.", counted(ours, "scenario")),
            );
        }
        if exit_code == 3 || (environment > 0 && exit_code == 0) {
            return headline(
                Tone::Open,
                "Could not be judged in full",
                format!(
                    "Nothing failed, but {} could not be tested: the candidate was not reachable, did not answer in time, or did not speak the contract.",
                    counted(environment, "scenario")
                ),
            );
        }
        if exit_code == 7 || judged == 0 {
            return headline(Tone::Open, "Nothing was run", "No scenario was selected: see what was left out, and why.".into());
        }
        if exit_code == 5 {
            return headline(Tone::Caution, "An expectation is out of date", self.outdated());
        }
        if exit_code == 6 || open > 0 {
            return headline(
                Tone::Caution,
                "Undecided",
                format!(
                    "Nothing failed, but {} cannot be decided yet: unstable, too few samples, or a person has to look.",
                    counted(open, "scenario")
                ),
            );
        }
        let waived = self.waived_checks();
        if waived > 0 && exit_code == 0 {
            let where_ = if self.partial() { " A part of the profile was run." } else { "" };
            let what = format!(
                "{} of {scenarios} did not pass and are waived: the report says who answers for each, and until when. Nothing else failed.{where_}",
                counted(waived, "check")
            );
            return headline(Tone::Caution, "Conforms but for what is waived", what);
        }
        if exit_code != 0 {
            return headline(Tone::Open, "Not completed", format!("The run ended with exit code {exit_code}."));
        }
        let remarks = if warned > 0 { format!(" {} with a warning.", grouped(warned)) } else { String::new() };
        if expected > 0 {
            return headline(
                Tone::Caution,
                "Fails only as listed",
                format!(
                    "{} of {scenarios} failed, each listed as an expected failure of this candidate; nothing else did.{remarks}",
                    grouped(expected)
                ),
            );
        }
        if self.partial() {
            return headline(
                Tone::Good,
                "Conforms in what was run",
                format!("{scenarios} of a part of the profile: this is no statement about the whole of it.{remarks}"),
            );
        }
        headline(Tone::Good, "Conforms", format!("{scenarios}, none failed, and everything required was judged.{remarks}"))
    }

    /// What has to be done about waivers.
    fn outdated(&self) -> String {
        let waivers = self.waivers();
        let outdated: Vec<String> = waivers
            .iter()
            .filter(|w| w.is_outdated())
            .take(MOST_OUTDATED)
            .map(|w| {
                format!(
                    "{} is {}: {}",
                    visible(&w.waiver.id, 80),
                    w.state().replace('-', " "),
                    visible(w.because(), LONGEST_QUOTE)
                )
            })
            .collect();
        if outdated.is_empty() {
            return "Something passed that is listed as failing, or a waiver is stale or expired.".into();
        }
        format!("Nothing failed that is not waived, but a waiver has to be taken out or written anew. {}.", outdated.join(". "))
    }

    /// Instances and run-wide checks that failed and are not listed as expected.
    pub(crate) fn unexpected_failures(&self) -> u64 {
        let instances = self.record.instances.iter().filter(|i| i.verdict == Verdict::Fail && !self.is_expected(i)).count();
        let run = self.run_checks().filter(|c| c.verdict == Verdict::Fail).count();
        (instances + run) as u64
    }
}

fn cut_short(title: String, sentence: String, failed: u64) -> Headline {
    let already = if failed > 0 {
        format!(" Of what was judged, {} failed: the candidate does not conform.", grouped(failed))
    } else {
        " Nothing that was judged failed; the rest is unknown.".to_owned()
    };
    Headline { tone: if failed > 0 { Tone::Bad } else { Tone::Open }, title, sentence: sentence + &already }
}

fn uppercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().collect::<String>() + chars.as_str())
}
