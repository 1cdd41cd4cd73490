//! `countersign run`.

use crate::args::Run;
use crate::commands::{report, target};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use crate::signals;
use countersign_engine::{RunEvent, RunOptions};
use countersign_judge::RunJudge;
use countersign_reports::progress_line;
use countersign_trace::record::{Note, RECORD_FILE, SuiteFiles, Summary, shown};
use countersign_trace::{Blobs, Line, Record, RecordWriter};
use std::fs::File;
use std::path::Path;
use tokio::sync::{mpsc, watch};

pub(crate) fn run(args: Run) -> Result<Exit, Fault> {
    let chosen = target::choose(&args.candidate)?;
    let options = target::options(&args.candidate, chosen.target.clone(), args.jobs, args.only.clone())?;
    let _lock = lock(&args.out)?;
    let writer = RecordWriter::create(&args.out).map_err(|cause| Fault::Write { path: args.out.clone(), cause })?;
    let runtime = tokio::runtime::Runtime::new().map_err(Fault::Runtime)?;
    let (record, blobs) = runtime.block_on(execute(options, writer, &args))?;
    let exit = record.summary.as_ref().map_or(Exit::Internal, |s| Exit::Concluded(s.exit_code));
    report::write_all(&record, &blobs, &args.out)?;
    Ok(exit)
}

/// Two runs must not write to one folder. The lock goes with the process, however that ends.
fn lock(out: &Path) -> Result<File, Fault> {
    let fault = |cause| Fault::Write { path: out.to_owned(), cause };
    std::fs::create_dir_all(out).map_err(fault)?;
    let file = File::create(out.join(".lock")).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Fault::Busy(out.to_owned())),
        Err(std::fs::TryLockError::Error(cause)) => Err(fault(cause)),
    }
}

/// Runs, writing each line of the record as it comes.
async fn execute(options: RunOptions, mut writer: RecordWriter, args: &Run) -> Result<(Record, Blobs), Fault> {
    let (events_in, mut events) = mpsc::channel(64);
    let (interrupt_in, interrupt) = watch::channel(None);
    let suite = SuiteFiles::from(&options.suite.files);
    let (profile, quiet) = (options.profile.clone(), args.quiet);
    let run = tokio::spawn(countersign_engine::run(options, events_in, interrupt));
    let at_once = run.abort_handle();
    let signals = tokio::spawn(async move {
        signals::stop_wanted().await;
        output::progress("stopping: instances under way are ended, what was judged is kept (once more: at once)");
        // Nobody listens any more if the run is over.
        let _ = interrupt_in.send(Some("interrupted by the user".to_owned()));
        signals::stop_wanted().await;
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
                writer.append(&Line::Header(header.clone())).map_err(written)?;
                writer.append(&Line::Suite(suite.clone())).map_err(written)?;
                record = Some(Record {
                    header,
                    suite: suite.clone(),
                    doctor: None,
                    plan: None,
                    instances: Vec::new(),
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
            RunEvent::InstanceEnded(result, bodies) => {
                writer.store(&bodies).map_err(written)?;
                writer.append(&Line::Instance((*result).clone())).map_err(written)?;
                run_judge.add(&result, &bodies);
                // Reports show little of long bodies. The rest is on disk, and nobody keeps it in memory.
                blobs.extend(bodies.iter().map(|(digest, bytes)| (*digest, shown(bytes.clone()))));
                drop(bodies);
                if let Some(record) = record.as_mut() {
                    if !quiet {
                        let line = progress_line(&result, record.instances.len() + 1, selected, output::progress_style());
                        output::progress(&line);
                    }
                    record.instances.push(*result);
                }
            }
            RunEvent::Note(text) => {
                writer.append(&Line::Note(Note { text: text.clone() })).map_err(written)?;
                output::progress(&format!("note: {text}"));
                record.iter_mut().for_each(|r| r.notes.push(text.clone()));
            }
            RunEvent::Finished(ended) => {
                let Some(record) = record.as_mut() else { continue };
                let checks = run_judge.checks(&profile);
                let conclusion = countersign_judge::conclude(
                    record.plan.as_ref(),
                    record.doctor.as_ref(),
                    &profile,
                    &record.instances,
                    &checks,
                    ended.interrupted.as_deref(),
                );
                let summary = Summary {
                    seed: ended.seed,
                    interrupted: ended.interrupted,
                    verdict: conclusion.verdict,
                    exit_code: conclusion.exit_code,
                    counts: conclusion.counts,
                    checks,
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
