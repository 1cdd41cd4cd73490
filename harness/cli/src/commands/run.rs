//! `countersign run`.

use crate::args::Run;
use crate::commands::snapshots::{self, Snapshots};
use crate::commands::{report, rerun, target, waivers};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use crate::signals::Signals;
use countersign_engine::{Extras, RunEvent, RunOptions, Watch};
use countersign_judge::waivers::Judged;
use countersign_judge::{RunJudge, Waivers};
use countersign_reports::{Teller, progress_line, visible};
use countersign_trace::record::{Doctor, Header, Note, RECORD_FILE, SuiteFiles, Summary, shown};
use countersign_trace::{Blobs, InstanceResult, Line, Record, RecordWriter, WHOLE_RUN, Waiver};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

pub(crate) fn run(args: Run) -> Result<Exit, Fault> {
    let mut only = args.only.clone();
    if let Some(path) = &args.again.rerun_failed {
        let (record, failed) = rerun::failed(path)?;
        if failed.is_empty() {
            output::log(&format!("nothing failed in {}: there is nothing to run again", path.display()));
            return Ok(Exit::Concluded(7));
        }
        if args.candidate.candidate == "builtin" && record.header.target != "builtin" {
            return Err(Fault::OtherCandidate(visible(&record.header.target, 200)));
        }
        for (what, then, now) in [
            ("candidate", record.header.target.as_str(), args.candidate.candidate.as_str()),
            ("profile", record.header.profile.as_str(), args.candidate.profile.as_str()),
        ] {
            if then != now {
                let then = visible(then, 200);
                output::progress(&format!("note: the {what} of that record was {then}, and now it is {}", visible(now, 200)));
            }
        }
        only = failed;
    }
    let snapshots = snapshots::prepare(&args.nightly, &args.candidate.profile)?;
    let Some(most) = args.again.repeat_until_failure else {
        let (record, blobs) = once(&args, &only)?;
        return concluded(&record, &blobs, &args, snapshots);
    };
    // A request to stop counts between two runs too.
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    let asked = runtime.spawn(async {
        Signals::listen().wanted().await;
    });
    let mut number = 0;
    loop {
        number += 1;
        let (record, blobs) = once(&args, &only)?;
        let code = record.summary.as_ref().map_or(1, |s| s.exit_code);
        let seed = record.summary.as_ref().map_or_else(String::new, |s| s.seed.to_string());
        output::log(&format!("run {number}: exit code {code}, seed {seed}"));
        if code != 0 || number >= most {
            return concluded(&record, &blobs, &args, snapshots);
        }
        if asked.is_finished() {
            concluded(&record, &blobs, &args, snapshots)?;
            return Ok(Exit::Interrupted);
        }
    }
}

/// Reports, and the exit code.
fn concluded(record: &Record, blobs: &Blobs, args: &Run, snapshots: Option<Snapshots>) -> Result<Exit, Fault> {
    let comparison = snapshots.map(|snapshots| snapshots.settle(record)).transpose()?.flatten();
    let exit = report::write_all(record, blobs, comparison.as_ref(), &args.out)?;
    Ok(exit.map_or(Exit::Internal, Exit::Concluded))
}

/// One run, with its record in the folder.
fn once(args: &Run, only: &[String]) -> Result<(Record, Blobs), Fault> {
    let chosen = target::choose(&args.candidate)?;
    let options = target::options(&args.candidate, chosen.target.clone(), args.jobs, only.to_vec())?;
    let waivers = waivers::given(args.nightly.waivers.as_deref())?;
    let _lock = lock(&args.out)?;
    let writer = RecordWriter::create(&args.out).map_err(|cause| Fault::Write { path: args.out.clone(), cause })?;
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    runtime.block_on(execute(options, waivers, writer, args))
}

/// What a run left in memory: instances, their long bodies, and what the doctor found.
pub(crate) type Left = (Vec<InstanceResult>, Blobs, Option<Doctor>);

/// A run that leaves nothing on disk.
pub(crate) fn in_memory(options: RunOptions, extras: Extras) -> Result<Left, Fault> {
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    runtime.block_on(async {
        let (events_in, mut events) = mpsc::channel(64);
        let (interrupt_in, interrupt) = watch::channel(None);
        let mut signals = Signals::listen();
        let run = tokio::spawn(countersign_engine::run_with(options, extras, events_in, interrupt));
        let signals = tokio::spawn(async move {
            signals.wanted().await;
            // Nobody listens any more if the run is over.
            let _ = interrupt_in.send(Some("interrupted by the user".to_owned()));
            std::future::pending::<()>().await;
        });
        let (mut results, mut blobs, mut found) = (Vec::new(), Blobs::new(), None);
        while let Some(event) = events.recv().await {
            match event {
                RunEvent::Doctor(doctor) => found = Some(doctor),
                RunEvent::InstanceEnded(result, bodies) => {
                    blobs.extend(bodies.iter().map(|(digest, bytes)| (*digest, bytes.clone())));
                    results.push(*result);
                }
                _ => {}
            }
        }
        signals.abort();
        run.await.map_err(|e| Fault::Builtin(e.to_string()))??;
        Ok((results, blobs, found))
    })
}

/// Tells of every entry on standard error, each instance by its name.
fn watcher() -> Watch {
    let tellers: Mutex<BTreeMap<String, Teller>> = Mutex::new(BTreeMap::new());
    let none = Blobs::new();
    Arc::new(move |name, entry| {
        let mut tellers = tellers.lock().unwrap_or_else(PoisonError::into_inner);
        if entry.n == 0 {
            tellers.remove(name);
        }
        let line = tellers.entry(name.to_owned()).or_default().tell(entry, &none);
        output::log(&format!("{name} {line}"));
    })
}

/// Two runs must not write to one folder. The lock goes with the process, however that ends.
pub(crate) fn lock(out: &Path) -> Result<File, Fault> {
    let fault = |cause| Fault::Write { path: out.to_owned(), cause };
    std::fs::create_dir_all(out).map_err(fault)?;
    let file = File::create(out.join(".lock")).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Fault::Busy(out.to_owned())),
        Err(std::fs::TryLockError::Error(cause)) => Err(fault(cause)),
    }
}

/// The waivers of a header. Reading them from their file showed that they can be.
fn ready(header: &Header) -> Result<Waivers<'_>, Fault> {
    Waivers::new(header).map_err(|error| Fault::Builtin(error.to_string()))
}

/// Runs, writing each line of the record as it comes.
async fn execute(
    options: RunOptions,
    waived: Vec<Waiver>,
    mut writer: RecordWriter,
    args: &Run,
) -> Result<(Record, Blobs), Fault> {
    let (events_in, mut events) = mpsc::channel(64);
    let (interrupt_in, interrupt) = watch::channel(None);
    let suite = SuiteFiles::from(&options.suite.files);
    let profile = options.profile.clone();
    let extras = Extras { watch: args.again.trace.then(watcher), repeats: true };
    let mut signals = Signals::listen();
    let run = tokio::spawn(countersign_engine::run_with(options, extras, events_in, interrupt));
    let at_once = run.abort_handle();
    let signals = tokio::spawn(async move {
        signals.wanted().await;
        output::progress("stopping: instances under way are ended, what was judged is kept (once more: at once)");
        // Nobody listens any more if the run is over.
        let _ = interrupt_in.send(Some("interrupted by the user".to_owned()));
        signals.wanted().await;
        // What the run holds goes with it, the candidate's processes among them.
        at_once.abort();
        // Keeps the channel open for as long as the run lasts.
        std::future::pending::<()>().await;
    });
    let written = |cause| Fault::Write { path: args.out.join(RECORD_FILE), cause };
    let mut record: Option<Record> = None;
    let mut blobs = Blobs::new();
    let mut run_judge = RunJudge::default();
    let mut selected = 0;
    while let Some(event) = events.recv().await {
        match event {
            RunEvent::Header(header) => {
                let header = Header { waivers: waived.clone(), ..header };
                writer.append(&Line::Header(header.clone())).map_err(written)?;
                writer.append(&Line::Suite(suite.clone())).map_err(written)?;
                record = Some(Record {
                    header,
                    suite: suite.clone(),
                    doctor: None,
                    plan: None,
                    instances: Vec::new(),
                    repeats: Vec::new(),
                    notes: Vec::new(),
                    summary: None,
                    cut_off: false,
                });
            }
            RunEvent::Doctor(doctor) => {
                writer.append(&Line::Doctor(doctor.clone())).map_err(written)?;
                record.iter_mut().for_each(|r| r.doctor = Some(doctor.clone()));
            }
            RunEvent::Plan(plan) => {
                selected = plan.selected.len();
                writer.append(&Line::Plan(plan.clone())).map_err(written)?;
                record.iter_mut().for_each(|r| r.plan = Some(plan.clone()));
            }
            RunEvent::InstanceStarted { .. } => {}
            RunEvent::InstanceEnded(mut result, bodies) => {
                if let Some(record) = &record {
                    ready(&record.header)?.apply_to(&mut result);
                }
                writer.store(&bodies).map_err(written)?;
                writer.append(&Line::Instance((*result).clone())).map_err(written)?;
                run_judge.add(&result, &bodies);
                // Reports show little of long bodies. The rest is on disk, and nobody keeps it in memory.
                blobs.extend(bodies.iter().map(|(digest, bytes)| (*digest, shown(bytes.clone()))));
                drop(bodies);
                if let Some(record) = record.as_mut() {
                    let line = progress_line(&result, record.instances.len() + 1, selected, output::progress_style());
                    output::progress(&line);
                    record.instances.push(*result);
                }
            }
            RunEvent::Repeated(repeat, bodies) => {
                writer.store(&bodies).map_err(written)?;
                writer.append(&Line::Repeat((*repeat).clone())).map_err(written)?;
                drop(bodies);
                let (name, verdict) = (visible(&repeat.result.name(), 120), repeat.result.verdict);
                output::progress(&format!("        {verdict:<17} {name}, executed again ({})", repeat.number));
                record.iter_mut().for_each(|r| r.repeats.push((*repeat).clone()));
            }
            RunEvent::Note(text) => {
                writer.append(&Line::Note(Note { text: text.clone() })).map_err(written)?;
                output::progress(&format!("note: {text}"));
                record.iter_mut().for_each(|r| r.notes.push(text.clone()));
            }
            RunEvent::Finished(ended) => {
                let Some(record) = record.as_mut() else { continue };
                let waivers = ready(&record.header)?;
                let mut checks = run_judge.checks(&profile);
                waivers.apply(WHOLE_RUN, &mut checks);
                let judged = Judged { instances: &record.instances, checks: &checks, interrupted: ended.interrupted.is_some() };
                let standings = waivers.standings(record.plan.as_ref(), &judged);
                let conclusion = countersign_judge::conclude(
                    record.plan.as_ref(),
                    record.doctor.as_ref(),
                    &profile,
                    &record.instances,
                    &checks,
                    &standings,
                    ended.interrupted.as_deref(),
                );
                let summary = Summary {
                    seed: ended.seed,
                    interrupted: ended.interrupted,
                    verdict: conclusion.verdict,
                    exit_code: conclusion.exit_code,
                    counts: conclusion.counts,
                    checks,
                    waivers: standings,
                    times: ended.times,
                };
                writer.append(&Line::Summary(summary.clone())).map_err(written)?;
                record.summary = Some(summary);
            }
        }
    }
    signals.abort();
    match run.await {
        Ok(outcome) => outcome?,
        Err(error) if error.is_cancelled() => return Err(Fault::Stopped),
        Err(error) => return Err(Fault::Builtin(error.to_string())),
    }
    record.map(|record| (record, blobs)).ok_or_else(|| Fault::Builtin("the run did not begin".to_owned()))
}
