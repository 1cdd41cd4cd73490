//! `countersign fuzz`.

use crate::args::{Candidate, Format, Fuzz};
use crate::commands::report::pretty;
use crate::commands::{run, target};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use crate::signals::Signals;
use clap::ValueEnum;
use countersign_engine::remote::ChildLimits;
use countersign_engine::{RunOptions, Series};
use countersign_reports::{code, visible};
use countersign_trace::{Digest, Verdict};
use countersign_walks::shrink::Kept;
use countersign_walks::{Abilities, Found, Options, Outcome, Telling, search, wire, write};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;
use tokio::sync::watch;

/// How long a search goes on if nothing is said.
const BUDGET: Duration = Duration::from_secs(60);
/// Bytes of memory that a child may use while it is given malformed input, unless something else is said.
const MEMORY: u64 = 1 << 30;
/// Most characters of what was observed.
const LONGEST: usize = 300;

pub(crate) fn fuzz(args: Fuzz) -> Result<Exit, Fault> {
    let chosen = target::choose(&args.candidate)?;
    let mut options = target::options(&args.candidate, chosen.target.clone(), args.jobs, Vec::new())?;
    // What a client may use where nothing is said is more than what shows that it grows.
    let limits = &mut options.remote.limits;
    if args.wire && limits.memory == ChildLimits::default().memory {
        limits.memory = MEMORY;
    }
    let memory_mib = limits.memory >> 20;
    let _lock = run::lock(&args.out)?;
    write::clear(&args.out).map_err(unwritten)?;
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    runtime.block_on(searched(options, &args, memory_mib))
}

async fn searched(options: RunOptions, args: &Fuzz, memory_mib: u64) -> Result<Exit, Fault> {
    let (interrupt_in, interrupt) = watch::channel(None);
    let mut signals = Signals::listen();
    let signals = tokio::spawn(async move {
        signals.wanted().await;
        output::progress("stopping: what was found is kept (once more: at once)");
        // Nobody listens any more if the search is over.
        let _ = interrupt_in.send(Some("interrupted by the user".to_owned()));
        signals.wanted().await;
        std::process::exit(130);
    });
    let (seed, profile) = (Digest(options.seed), options.profile.clone());
    let suite = options.suite.clone();
    let (doctor, series) = Series::open(options, interrupt.clone()).await?;
    let Some(series) = series else {
        for examination in doctor.examinations.iter().filter(|e| !e.healthy) {
            let (name, found) = (&examination.name, visible(&examination.found, 1200));
            output::log(&format!("doctor: {name}: {found}"));
        }
        signals.abort();
        return Ok(if interrupt.borrow().is_some() { Exit::Interrupted } else { Exit::Environment });
    };
    let abilities = Abilities::of(&profile, series.description());
    let abilities = abilities.ok_or_else(|| Fault::Builtin("a candidate without a suite was found healthy".to_owned()))?;
    let time = args.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    let time = time.or_else(|| args.cases.is_none().then_some(BUDGET));
    let how =
        Options { cases: args.cases, time, found: args.first.then_some(1), steps: args.steps as usize, executions: args.shrinks };
    output::progress(&format!("seed {seed}"));
    let outcome = match args.wire {
        true => wire::search::search(&series, abilities, how, interrupt, &mut tell_of_inputs).await,
        false => search(&series, abilities, how, interrupt, &mut tell).await,
    };
    series.shut_down().await;
    signals.abort();
    let written = match outcome.found.is_empty() {
        true => Ok(()),
        false => {
            let requirements: Vec<_> = suite.requirements.values().cloned().collect();
            write::suite(&outcome.found, &profile, &requirements, &seed.to_string())
                .and_then(|files| write::write(&args.out, &files))
                .map_err(unwritten)
        }
    };
    let exit = concluded(&outcome);
    // What took hours to find is not lost with a disk that is full.
    let here = if written.is_err() { &outcome.found[..] } else { &[] };
    match args.format {
        Format::Text => output::data(&(text(&outcome, &seed, args, (exit, memory_mib)) + &as_files(here)))?,
        Format::Json => output::data(&pretty(&summary(&outcome, &seed, args, exit, here)))?,
    }
    written.map(|()| Exit::Concluded(exit))
}

/// Scenarios that could not be written, as they would have been.
fn as_files(found: &[Found]) -> String {
    let file =
        |found: &Found| format!("\n# {}.yaml could not be written:\n{}", found.scenario.id, write::scenario(&found.scenario));
    found.iter().map(file).collect()
}

fn unwritten(error: write::WriteError) -> Fault {
    match error {
        write::WriteError::Io { path, cause } => Fault::Write { path, cause },
        faulty => Fault::Builtin(faulty.to_string()),
    }
}

fn tell(telling: &Telling<'_>) {
    match telling {
        Telling::Progress { walks, failed, time } => {
            let rate = *walks as f64 / time.as_secs_f64().max(0.001);
            output::progress(&format!("{walks} walks, {failed} failed ({rate:.0} a second)"));
        }
        Telling::Failed { number, cause } => {
            output::progress(&format!("walk {number} fails: {}; shrinking", visible(&cause.to_string(), LONGEST)));
        }
        Telling::Found(found) => {
            let (steps, drawn) = (found.scenario.steps.len(), found.drawn_steps);
            output::progress(&format!("        {} steps of {drawn} are left: {}", steps, visible(&found.scenario.id, LONGEST)));
        }
        Telling::Note(text) => output::progress(&format!("note: {}", visible(text, LONGEST))),
    }
}

/// As [`tell`], where inputs are counted.
fn tell_of_inputs(telling: &Telling<'_>) {
    match telling {
        Telling::Progress { walks, failed, time } => {
            let rate = *walks as f64 / time.as_secs_f64().max(0.001);
            output::progress(&format!("{walks} inputs, {failed} conversations failed ({rate:.0} inputs a second)"));
        }
        Telling::Failed { number, cause } => {
            output::progress(&format!("conversation {number} fails: {}; shrinking", visible(&cause.to_string(), LONGEST)));
        }
        telling => tell(telling),
    }
}

/// The same codes in the same order as a run has them.
fn concluded(outcome: &Outcome) -> u8 {
    let worst = outcome.unjudged.keys().max();
    // As in a run, what did not come again is undecided.
    let unstable = !outcome.found.is_empty() && outcome.firm() == 0;
    if outcome.failed > 0 && !unstable {
        return 4;
    }
    if outcome.interrupted.is_some() {
        return 130;
    }
    match worst {
        Some(Verdict::HarnessError) => 1,
        Some(Verdict::EnvironmentError | Verdict::Blocked) => 3,
        _ if outcome.gone => 3,
        Some(_) => 6,
        None if unstable => 6,
        None if outcome.walks == 0 => 7,
        None => 0,
    }
}

fn per_second(outcome: &Outcome) -> f64 {
    // Shrinking executes walks of its own.
    let searching = Duration::from_micros(outcome.times.wall_us).saturating_sub(outcome.shrinking);
    outcome.walks as f64 / searching.as_secs_f64().max(0.001)
}

fn text(outcome: &Outcome, seed: &Digest, args: &Fuzz, (exit, memory_mib): (u8, u64)) -> String {
    let mut text = String::new();
    let style = output::style();
    let out = args.out.display().to_string();
    for found in &outcome.found {
        let cause = visible(&found.cause.to_string(), LONGEST);
        let word = match found.kept {
            Some(Kept::Unstable) => "UNSTABLE",
            Some(Kept::Unrepeated) => "UNCONFIRMED",
            _ => "FAIL",
        };
        let _ = writeln!(text, "{word} {cause}: {}", code(&visible(&found.observed, LONGEST), style));
        let (what, each) = if args.wire { ("conversations", "conversation") } else { ("walks", "walk") };
        let _ = writeln!(text, "     {} of {} {what}, {each} {} first", found.walks, outcome.walks, found.first);
        let _ = writeln!(text, "     {}/{}.yaml: {} steps", out, found.scenario.id, found.scenario.steps.len());
        if let Some(kept) = found.kept {
            let _ = writeln!(text, "     {}", kept.words());
        }
    }
    for (verdict, count) in &outcome.unjudged {
        let what = if args.wire { "conversations" } else { "walks" };
        let _ = writeln!(text, "{count} {what} could not be judged: {verdict}");
    }
    for unjudged in &outcome.told {
        let _ = writeln!(text, "     walk {}: {}", unjudged.number, code(&visible(&unjudged.observed, LONGEST), style));
    }
    if !outcome.found.is_empty() {
        let memory = args.wire && outcome.found.iter().any(|found| found.cause.finding == "grew");
        let command = visible(&run_again(args, memory.then_some(memory_mib)), 2000);
        let _ = writeln!(text, "{}", code(&format!("`{command}` executes them again"), style));
    }
    if let Some(cause) = &outcome.interrupted {
        let _ = writeln!(text, "{cause}");
    }
    if outcome.gone {
        let _ = writeln!(text, "ended early: the candidate was gone for good");
    }
    let verdict = match exit {
        0 => "nothing was found; that proves nothing",
        4 => "the candidate fails",
        _ if !outcome.found.is_empty() => "undecided: what failed was not seen to come again",
        _ => "nothing was found as far as it went",
    };
    let (seconds, rate) = (outcome.times.wall_us as f64 / 1e6, per_second(outcome));
    let (walks, inputs) = (outcome.walks, outcome.inputs);
    let done = match args.wire {
        true => {
            format!("{inputs} malformed inputs in {walks} conversations in {seconds:.1} s ({rate:.0} conversations a second)")
        }
        false => format!("{walks} walks, {} steps in {seconds:.1} s ({rate:.0} walks a second)", outcome.steps),
    };
    let _ = writeln!(text, "{done}, seed {seed}");
    let _ = writeln!(text, "{verdict}");
    text
}

/// The command that executes what was found on the same candidate, reached in the same way.
fn run_again(args: &Fuzz, memory_mib: Option<u64>) -> String {
    let Candidate { candidate, peer, carrier, profile, .. } = &args.candidate;
    let out = args.out.display().to_string();
    let mut command = format!("countersign run --suite {} --candidate {}", word(&out), word(candidate));
    if let Some(peer) = peer {
        let _ = write!(command, " --peer {}", word(peer));
    }
    if let Some(carrier) = carrier.as_ref().and_then(ValueEnum::to_possible_value) {
        let _ = write!(command, " --carrier {}", carrier.get_name());
    }
    let _ = write!(command, " --profile {}", word(profile));
    if let Some(mib) = memory_mib {
        let _ = write!(command, " --child-memory {mib}");
    }
    command
}

/// As one word of a shell.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn summary(outcome: &Outcome, seed: &Digest, args: &Fuzz, exit: u8, unwritten: &[Found]) -> Value {
    let found = |found: &Found| {
        json!({
            "requirement": found.cause.requirement,
            "finding": found.cause.finding,
            "observed": found.observed,
            "walks": found.walks,
            "first": found.first,
            "steps": found.scenario.steps.len(),
            "drawn_steps": found.drawn_steps,
            "executions": found.executions,
            "came_again": found.is_firm(),
            "kept_longer": found.kept.map(Kept::words),
            "scenario": found.scenario.id,
            "file": args.out.join(format!("{}.yaml", found.scenario.id)),
        })
    };
    let unjudged = outcome.unjudged.iter().map(|(verdict, count)| (verdict.to_string(), json!(count)));
    let told = outcome.told.iter().map(|u| json!({ "walk": u.number, "verdict": u.verdict, "observed": u.observed }));
    json!({
        "exit_code": exit,
        "seed": seed,
        "profile": args.candidate.profile,
        "candidate": args.candidate.candidate,
        "steps_each": args.steps,
        "wire": args.wire,
        "walks": outcome.walks,
        "inputs": outcome.inputs,
        "steps": outcome.steps,
        "failed": outcome.failed,
        "failures": outcome.found.iter().map(found).collect::<Vec<_>>(),
        "not_written": unwritten.iter().map(|found| write::scenario(&found.scenario)).collect::<Vec<_>>(),
        "not_judged": unjudged.collect::<serde_json::Map<_, _>>(),
        "not_judged_examples": told.collect::<Vec<_>>(),
        "interrupted": outcome.interrupted,
        "walks_per_second": per_second(outcome),
        "times": {
            "wall_us": outcome.times.wall_us,
            "instances_us": outcome.times.instances_us,
            "candidate_us": outcome.times.candidate_us,
            "crypto_us": outcome.times.crypto_us,
            "own_us": outcome.times.own_us,
            "drawing_us": u64::try_from(outcome.drawing.as_micros()).unwrap_or(u64::MAX),
            "shrinking_us": u64::try_from(outcome.shrinking.as_micros()).unwrap_or(u64::MAX),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser as _;
    use countersign_walks::{Cause, Mode};

    fn found(kept: Option<Kept>) -> Found {
        let suite = countersign_scenarios::Suite::builtin().ok();
        let scenario = suite.and_then(|suite| suite.scenarios.into_values().next()).map(|located| (*located.scenario).clone());
        Found {
            mode: Mode::Walks,
            cause: Cause { requirement: "SIG-02".to_owned(), finding: "shown".to_owned() },
            observed: String::new(),
            walks: 1,
            first: 0,
            drawn_steps: 50,
            executions: 2,
            kept,
            scenario: scenario.unwrap_or_else(|| unreachable!("a suite without scenarios")),
        }
    }

    #[test]
    fn what_executes_it_again_reaches_the_candidate_in_the_same_way() {
        let again = |args: &[&str], memory| {
            let args = Args::try_parse_from([&["countersign", "fuzz", "--out", "o"], args].concat());
            match args.map(|args| args.command) {
                Ok(Command::Fuzz(args)) => run_again(&args, memory),
                other => unreachable!("{other:?}"),
            }
        };
        assert_eq!(
            again(&["--candidate", "mutant:x", "--carrier", "child"], Some(300)),
            "countersign run --suite o --candidate mutant:x --carrier child --profile dma-basic --child-memory 300"
        );
        assert_eq!(
            again(&["--candidate", "exec:it 'a b'", "--peer", "builtin", "--profile", "pairs-pq"], None),
            r"countersign run --suite o --candidate 'exec:it '\''a b'\''' --peer builtin --profile pairs-pq"
        );
    }

    #[test]
    fn only_what_came_again_is_a_failure_of_the_candidate() {
        let outcome = |found: Vec<Found>| Outcome { walks: 9, failed: found.len() as u64, found, ..Outcome::default() };
        assert_eq!(concluded(&outcome(vec![])), 0);
        for kept in [None, Some(Kept::Lost), Some(Kept::Long), Some(Kept::Stopped), Some(Kept::Gone)] {
            assert_eq!(concluded(&outcome(vec![found(kept), found(Some(Kept::Unstable))])), 4, "{kept:?}");
        }
        for kept in [Kept::Unstable, Kept::Unrepeated] {
            let unstable = outcome(vec![found(Some(kept))]);
            assert_eq!(concluded(&unstable), 6);
            assert_eq!(concluded(&Outcome { gone: true, ..unstable.clone() }), 3);
            assert_eq!(concluded(&Outcome { interrupted: Some("stopped".to_owned()), ..unstable }), 130);
        }
    }
}
