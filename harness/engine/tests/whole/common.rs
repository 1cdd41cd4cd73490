//! What the tests of whole runs share.

use countersign_contract::claims::Description;
use countersign_engine::{Ended, Interrupt, RunEvent, RunOptions, Target, run};
use countersign_scenarios::{Planned, Suite};
use countersign_trace::event::{Event, Input, Outcome};
use countersign_trace::record::{Doctor, Header, Plan, Repeat};
use countersign_trace::{Blobs, Check, CheckKind, InstanceResult, Trace, Verdict};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Says whether an execution came to its end, and nothing about what happened in it.
pub(crate) fn judge(_: &Planned, trace: &Trace, _: &Blobs, _: &Description) -> Vec<Check> {
    let cut = trace.iter().find_map(|entry| match &entry.event {
        Event::Input(Input::Aborted { cause, .. }) => Some(cause.clone()),
        Event::Input(Input::Returned { outcome: Outcome::Fault { detail, .. }, .. }) => Some(detail.clone()),
        _ => None,
    });
    let verdict = if cut.is_some() { Verdict::EnvironmentError } else { Verdict::Pass };
    vec![Check {
        id: "ended".into(),
        kind: CheckKind::Step,
        step: None,
        requirements: Vec::new(),
        verdict,
        expected: "an end".into(),
        observed: cut.unwrap_or_default(),
        reason: None,
        finding: None,
        blame: None,
        evidence: Vec::new(),
        likely_cause: None,
        waiver: None,
    }]
}

pub(crate) fn options(target: &str, only: &[&str]) -> RunOptions {
    let suite = Arc::new(Suite::builtin().unwrap());
    let only = only.iter().map(|o| (*o).to_owned()).collect();
    let usual = countersign_testkit::options(&suite, &suite.profiles["dma-basic"], target.parse::<Target>().unwrap(), 5);
    RunOptions { only, judge: Arc::new(judge), ..usual }
}

/// All events of a run.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) header: Option<Header>,
    pub(crate) doctor: Option<Doctor>,
    pub(crate) plan: Option<Plan>,
    pub(crate) started: Vec<String>,
    pub(crate) results: Vec<InstanceResult>,
    pub(crate) repeats: Vec<Repeat>,
    pub(crate) notes: Vec<String>,
    pub(crate) ended: Option<Ended>,
}

impl Ran {
    pub(crate) fn doctor(&self) -> &Doctor {
        self.doctor.as_ref().unwrap()
    }

    pub(crate) fn ended(&self) -> &Ended {
        self.ended.as_ref().unwrap()
    }

    /// The name of the first unhealthy examination, and what was found.
    pub(crate) fn unhealthy(&self) -> (String, String) {
        let sick = self.doctor().examinations.iter().find(|e| !e.healthy).expect("something unhealthy");
        assert!(sick.fix.as_ref().is_some_and(|fix| fix.len() > 20), "no fix: {sick:?}");
        (sick.name.clone(), sick.found.clone())
    }
}

/// Runs and takes all events; `stop_after` instances have ended, it is interrupted.
pub(crate) async fn run_until(options: RunOptions, stop_after: Option<usize>) -> Ran {
    let (sender, mut events) = mpsc::channel(16);
    let (stop, interrupt): (_, Interrupt) = watch::channel(None);
    let running = tokio::spawn(run(options, sender, interrupt));
    let mut ran = Ran::default();
    while let Some(event) = events.recv().await {
        match event {
            RunEvent::Header(header) => ran.header = Some(header),
            RunEvent::Doctor(doctor) => ran.doctor = Some(doctor),
            RunEvent::Plan(plan) => ran.plan = Some(plan),
            RunEvent::InstanceStarted { name } => ran.started.push(name),
            RunEvent::InstanceEnded(result, _) => ran.results.push(*result),
            RunEvent::Repeated(repeat, _) => ran.repeats.push(*repeat),
            RunEvent::Note(note) => ran.notes.push(note),
            RunEvent::Finished(ended) => ran.ended = Some(ended),
        }
        if stop_after.is_some_and(|n| ran.results.len() >= n) {
            stop.send_replace(Some("interrupted".into()));
        }
    }
    running.await.unwrap().unwrap();
    ran
}

pub(crate) async fn run_all(options: RunOptions) -> Ran {
    run_until(options, None).await
}

/// The sample as a command.
pub(crate) fn sample() -> &'static str {
    env!("CARGO_BIN_EXE_sample-process")
}
