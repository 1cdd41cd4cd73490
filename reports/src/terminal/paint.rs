//! Colours that repeat what the words say.

use crate::headline::Tone;
use anstyle::{AnsiColor, Style};
use countersign_trace::Verdict;

/// Paints, or does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    pub(super) fn caution(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    pub(super) fn verdict(self, verdict: Verdict, text: &str) -> String {
        self.with(
            match verdict {
                Verdict::Pass => AnsiColor::Green.on_default(),
                Verdict::Fail => AnsiColor::Red.on_default().bold(),
                Verdict::NotApplicable | Verdict::Unsupported | Verdict::Blocked | Verdict::Waived => Style::new().dimmed(),
                Verdict::Warn | Verdict::Inconclusive | Verdict::NeedsReview => AnsiColor::Yellow.on_default(),
                Verdict::EnvironmentError | Verdict::HarnessError => AnsiColor::Magenta.on_default(),
            },
            text,
        )
    }

    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        self.with(
            match tone {
                Tone::Good => AnsiColor::Green.on_default().bold(),
                Tone::Bad => AnsiColor::Red.on_default().bold(),
                Tone::Caution => AnsiColor::Yellow.on_default().bold(),
                Tone::Open => AnsiColor::Magenta.on_default().bold(),
            },
            text,
        )
    }
}
