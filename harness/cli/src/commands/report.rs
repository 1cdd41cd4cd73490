//! `countersign report`, and the reports that a run writes.

use crate::args::{Render, Report};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::output;
use countersign_reports::baseline::Comparison;
use countersign_reports::{
    MeasureText, Places, ProfileText, RequirementText, ScenarioText, StateFigure, View, WrittenFile, html, json_summary, junit,
    terminal,
};
use countersign_scenarios::language::Expect;
use countersign_scenarios::{Profile, Step, Suite, SuiteFiles, describe_step};
use countersign_trace::record::RECORD_FILE;
use countersign_trace::{BlobFolder, Blobs, Record, RecordError};
use serde::Serialize;
use std::path::Path;

pub(crate) fn report(args: &Report) -> Result<Exit, Fault> {
    let record = read(&args.record)?;
    let blobs = BlobFolder::beside(&args.record).shown(&record)?;
    let texts = Texts::of(&record);
    let chain = chain(&args.record);
    let comparison = args.baseline.as_deref().map(|folder| super::snapshots::compared(folder, &record)).transpose()?;
    let view = texts.view(&record, &blobs, chain.as_deref(), comparison.as_ref());
    let path = args.record.display().to_string();
    let files = [WrittenFile { what: "record", path: &path }];
    let text = match args.format {
        Render::Terminal => terminal(&view, output::style(), &Places { files: &files, ..Places::default() }),
        Render::Html => html(&view),
        Render::Junit => junit(&view),
        Render::Json => pretty(&json_summary(&view)),
    };
    match &args.out {
        Some(path) => std::fs::write(path, text).map_err(|cause| Fault::Write { path: path.clone(), cause })?,
        None => output::data(&text)?,
    }
    Ok(Exit::Conforms)
}

/// Writes all reports of a run beside its record, and prints the one for a terminal. Gives the exit code that they state.
pub(crate) fn write_all(
    record: &Record,
    blobs: &Blobs,
    comparison: Option<&Comparison>,
    out: &Path,
) -> Result<Option<u8>, Fault> {
    let texts = Texts::of(record);
    let record_path = out.join(RECORD_FILE);
    let chain = chain(&record_path);
    let view = texts.view(record, blobs, chain.as_deref(), comparison);
    let write = |name: &str, text: String| {
        let path = out.join(name);
        std::fs::write(&path, text).map_err(|cause| Fault::Write { path: path.clone(), cause })?;
        Ok::<_, Fault>(path.display().to_string())
    };
    let page = write("report.html", html(&view))?;
    let junit = write("junit.xml", junit(&view))?;
    let summary = write("summary.json", pretty(&json_summary(&view)))?;
    let record_path = record_path.display().to_string();
    let files = [
        WrittenFile { what: "report", path: &page },
        WrittenFile { what: "record", path: &record_path },
        WrittenFile { what: "JUnit", path: &junit },
        WrittenFile { what: "summary", path: &summary },
    ];
    output::data(&terminal(&view, output::style(), &Places { files: &files, ..Places::default() }))?;
    Ok(view.exit_code())
}

pub(crate) fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// Reads a record.
pub(crate) fn read(path: &Path) -> Result<Record, Fault> {
    Record::open(path).map_err(|error| match error {
        // A record that is not there is no evidence at all, and so no evidence that is invalid.
        RecordError::Io { path, cause } => Fault::Read { path, cause },
        cause => Fault::Evidence { path: path.to_owned(), cause },
    })
}

/// The chain of a record's last whole line.
fn chain(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let whole = text.get(..=text.rfind('\n')?)?;
    let last: serde_json::Value = serde_json::from_str(whole.lines().last()?).ok()?;
    Some(last.get("chain")?.as_str()?.to_owned())
}

/// The texts of the suite with which a record was made.
pub(crate) struct Texts {
    requirements: Vec<RequirementText>,
    scenarios: Vec<ScenarioText>,
    profile: Option<ProfileText>,
}

impl Texts {
    pub(crate) fn of(record: &Record) -> Self {
        // A record whose suite cannot be read is still rendered, without the texts; `verify` says what is wrong with it.
        let suite = Suite::from_files(&SuiteFiles::from(&record.suite)).ok();
        let word = |value: &dyn erased::Word| value.word();
        let requirements = suite.iter().flat_map(|s| s.requirements.values()).map(|r| RequirementText {
            id: r.id.clone(),
            sentence: r.sentence.clone(),
            source: r.source.clone(),
            date: r.date.clone(),
            grade: word(&r.grade),
            level: word(&r.level),
            decided_by: word(&r.decided_by),
            attack: r.attack.clone(),
            usual_cause: r.usual_cause.clone(),
            fix: r.fix.clone(),
        });
        let profile = suite.as_ref().and_then(|s| Some((s, s.profiles.get(&record.header.profile)?)));
        let scenarios = profile.iter().flat_map(|(suite, profile)| {
            suite.instances(profile).into_iter().map(|planned| {
                let loaded = suite.scenarios.get(&planned.scenario.id);
                ScenarioText {
                    id: planned.name.clone(),
                    title: planned.scenario.title.clone(),
                    why: planned.scenario.why.clone(),
                    verifies: planned.scenario.verifies.clone(),
                    steps: planned.scenario.steps.iter().map(|step| describe_step(&planned.scenario.cast, step)).collect(),
                    source_yaml: loaded.map(|l| l.source_text.clone()).unwrap_or_default(),
                    measures: measures(&planned.scenario.steps, profile),
                    state: state(&planned.scenario.steps),
                }
            })
        });
        let listed = profile.map(|(_, p)| p.requirements.clone());
        Self {
            requirements: requirements.filter(|r| listed.as_ref().is_none_or(|l| l.contains(&r.id))).collect(),
            scenarios: scenarios.collect(),
            profile: profile.map(|(_, p)| profile_text(p)),
        }
    }

    pub(crate) fn view<'a>(
        &'a self,
        record: &'a Record,
        blobs: &'a Blobs,
        chain: Option<&'a str>,
        comparison: Option<&'a Comparison>,
    ) -> View<'a> {
        let (requirements, scenarios, profile) = (&self.requirements, &self.scenarios, self.profile.as_ref());
        View { record, blobs, requirements, scenarios, profile, chain, comparison }
    }
}

/// What the steps of a scenario measure, with the profile's limits.
fn measures(steps: &[Step], profile: &Profile) -> Vec<MeasureText> {
    let of = |(step, at): (usize, &Step)| {
        let (burst, receipt, limit_ms) = match at {
            Step::Expect(Expect::DeliveryLatency { burst }) => (burst, false, profile.limits.delivery_p95_ms),
            Step::Expect(Expect::ReceiptLatency { burst }) => (burst, true, profile.limits.receipt_p95_ms),
            _ => return None,
        };
        Some(MeasureText { step, burst: burst.clone(), receipt, limit_ms })
    };
    steps.iter().enumerate().filter_map(of).collect()
}

/// What the steps of a scenario show of a candidate's state.
fn state(steps: &[Step]) -> Vec<(usize, StateFigure)> {
    let of = |(step, at): (usize, &Step)| {
        let figure = match at {
            Step::Expect(Expect::ThiefLockedOut(_) | Expect::PostQuantumHealed(_)) => StateFigure::Healing,
            Step::Expect(Expect::ThiefReads(_) | Expect::ThiefCannotRead(_)) => StateFigure::Thief,
            Step::Expect(Expect::ExportHolds(_) | Expect::ExportLacks(_)) => StateFigure::Stored,
            _ => return None,
        };
        Some((step, figure))
    };
    steps.iter().enumerate().filter_map(of).collect()
}

fn profile_text(profile: &Profile) -> ProfileText {
    let limit = |name: &str, ms: u64| (name.to_owned(), format!("{ms} ms"));
    ProfileText {
        title: profile.title.clone(),
        limits: vec![
            limit("95th percentile until a message is shown", profile.limits.delivery_p95_ms),
            limit("95th percentile until its delivery receipt", profile.limits.receipt_p95_ms),
            limit("lag of our own timers in a measurement", profile.limits.own_lag_ms),
        ],
        assumptions: profile.assumptions.clone(),
        does_not_show: profile.does_not_show.clone(),
    }
}

/// Words as they stand in data files.
mod erased {
    pub(crate) trait Word {
        fn word(&self) -> String;
    }

    impl<T: serde::Serialize> Word for T {
        fn word(&self) -> String {
            match serde_json::to_value(self) {
                Ok(serde_json::Value::String(text)) => text,
                _ => String::new(),
            }
        }
    }
}
