//! `countersign replay`: an instance of a record, entry by entry.

use crate::args::Replay as ReplayArgs;
use crate::commands::{report, run, target};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_engine::Extras;
use countersign_reports::{Teller, visible};
use countersign_scenarios::{Scenario, describe_step};
use countersign_trace::{BlobFolder, Blobs, Check, Entry, Event, Observation, Verdict};
use countersign_verify::{Replay, replay as execute_again};
use std::fmt::Write as _;
use std::io::IsTerminal as _;

/// Characters of a content or of a sentence that are shown.
const LONGEST: usize = 4_000;

pub(crate) fn replay(args: &ReplayArgs) -> Result<Exit, Fault> {
    let record = report::read(&args.record)?;
    let again = execute_again(&record, &BlobFolder::beside(&args.record), &args.instance)?;
    if args.live {
        return live(args, &again, &record.header.target, record.summary.as_ref().map(|s| s.seed.0));
    }
    let told = Told { scenario: &again.planned.scenario, trace: &again.trace, checks: &again.result.checks, blobs: &again.blobs };
    told.print(&args.instance, args.step)?;
    match &again.differs {
        None => {
            output::data(&format!("verdict {}: execution gives what the record says, byte for byte", again.result.verdict))?;
            Ok(Exit::Conforms)
        }
        Some(difference) => {
            output::data(&format!("REFUSED: the record does not follow from itself: {}", visible(difference, 600)))?;
            Ok(Exit::EvidenceInvalid)
        }
    }
}

/// Against a candidate, now.
fn live(args: &ReplayArgs, before: &Replay, target: &str, seed: Option<[u8; 32]>) -> Result<Exit, Fault> {
    let seed = seed.filter(|_| !args.instance.contains('#')).ok_or_else(|| Fault::NoSeed(args.instance.clone()))?;
    if args.candidate.candidate == "builtin" && target != "builtin" {
        return Err(Fault::OtherCandidate(visible(target, 200)));
    }
    let chosen = target::choose(&args.candidate)?;
    let mut options = target::options(&args.candidate, chosen.target.clone(), 1, vec![before.planned.name.clone()])?;
    options.seed = seed;
    let (results, blobs, doctor) = run::in_memory(options, Extras::default())?;
    let Some(now) = results.into_iter().find(|r| r.name() == before.planned.name) else {
        let cause = doctor.and_then(|d| d.examinations.into_iter().find(|e| !e.healthy)).map_or_else(
            || "the candidate's claims leave it out, or this suite does not have it".to_owned(),
            |sick| format!("{}: {}", sick.name, visible(&sick.found, 400)),
        );
        output::data(&format!("{} was not executed: {cause}", args.instance))?;
        return Ok(Exit::Environment);
    };
    let told = Told { scenario: &before.planned.scenario, trace: &now.trace, checks: &now.checks, blobs: &blobs };
    told.print(&args.instance, args.step)?;
    output::data(&format!("verdict {}; the record says {}", now.verdict, before.result.verdict))?;
    Ok(match now.verdict {
        Verdict::Fail => Exit::Concluded(4),
        Verdict::Pass | Verdict::NotApplicable | Verdict::Waived | Verdict::Warn => Exit::Conforms,
        Verdict::HarnessError => Exit::Internal,
        Verdict::EnvironmentError | Verdict::Blocked => Exit::Environment,
        Verdict::Unsupported | Verdict::Inconclusive | Verdict::NeedsReview => Exit::Concluded(6),
    })
}

/// What is told of an instance.
struct Told<'a> {
    scenario: &'a Scenario,
    trace: &'a [Entry],
    checks: &'a [Check],
    blobs: &'a Blobs,
}

impl Told<'_> {
    fn print(&self, name: &str, step_by_step: bool) -> Result<(), Fault> {
        // Whoever reads from a pipe cannot press a key.
        let waits = step_by_step && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let mut teller = Teller::default();
        let mut text = format!("{name}: {}\n", visible(&self.scenario.title, LONGEST));
        let mut current = None;
        for entry in self.trace {
            if matches!(entry.event, Event::Step { .. } | Event::Finished) {
                self.checks_of(current, &mut text);
                if waits {
                    output::data(&std::mem::take(&mut text))?;
                    wait();
                }
            }
            if let Event::Step { index } = entry.event {
                current = Some(index);
                let step = self.scenario.steps.get(index).map(|step| describe_step(&self.scenario.cast, step));
                let _ = writeln!(text, "\nstep {}: {}", index + 1, visible(&step.unwrap_or_default(), LONGEST));
            } else {
                let _ = writeln!(text, "  {}", teller.tell(entry, self.blobs));
                self.inside(entry, &mut text);
            }
            if matches!(entry.event, Event::Finished) {
                current = None;
            }
            self.monitors_at(entry.n, &mut text);
        }
        self.checks_of(current, &mut text);
        let rest: Vec<&Check> =
            self.checks.iter().filter(|c| c.step.is_none() && (c.verdict == Verdict::Pass || c.evidence.is_empty())).collect();
        if !rest.is_empty() {
            text.push('\n');
            rest.iter().for_each(|check| said(check, &mut text));
        }
        output::data(&text)
    }

    /// The message in an entry, and what the reference decrypted.
    fn inside(&self, entry: &Entry, text: &mut String) {
        for (field, value) in Replay::message(entry, self.blobs) {
            let _ = writeln!(text, "          {field:<17} {}", visible(&value, 400));
        }
        if let Event::Observed { observation: Observation::Shown { content, .. } | Observation::Sent { content, .. }, .. } =
            &entry.event
        {
            let content = serde_json::to_string(content).unwrap_or_default();
            let _ = writeln!(text, "          {:<17} {}", "content", visible(&content, LONGEST));
        }
    }

    fn checks_of(&self, step: Option<usize>, text: &mut String) {
        if step.is_some() {
            self.checks.iter().filter(|c| c.step == step).for_each(|check| said(check, text));
        }
    }

    /// Where a monitor has something to say, it says so behind the last entry that shows it.
    fn monitors_at(&self, n: u64, text: &mut String) {
        let here = |c: &&Check| c.step.is_none() && c.verdict != Verdict::Pass && c.evidence.iter().max() == Some(&n);
        self.checks.iter().filter(here).for_each(|check| said(check, text));
    }
}

fn said(check: &Check, text: &mut String) {
    let _ = writeln!(
        text,
        "  check {} {}: expected {}; observed {}",
        check.id,
        check.verdict,
        visible(&check.expected, LONGEST),
        visible(&check.observed, LONGEST)
    );
}

fn wait() {
    output::log("Enter: the next step");
    let mut line = String::new();
    // At the end of the input nobody is there to wait for.
    let _ = std::io::stdin().read_line(&mut line);
}
