//! The doctor: examines a candidate before the first scenario, so that a fault of configuration never looks like one of
//! conformance. The first unhealthy finding ends the examination.

mod echo;
mod probes;

use crate::carrier::{Endpoint, Raw, quote};
use crate::gateways::Gateways;
use crate::{Broken, Patience};
use countersign_contract::claims::{Description, LEAST_FILE, LEAST_TEXT};
use countersign_contract::{CONTRACT_VERSION, Reason};
use countersign_scenarios::Profile;
use countersign_trace::event::Fault;
use countersign_trace::record::{Doctor, Examination};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// How far a candidate's clock may be off, in milliseconds.
pub const MOST_SKEW_MS: u64 = 5_000;

/// What the doctor needs to know.
pub struct Patient<'a> {
    /// The candidate.
    pub endpoint: &'a Arc<dyn Endpoint>,
    /// Where its clients will find us.
    pub gateways: &'a Gateways,
    /// The profile of the certification.
    pub profile: &'a Arc<Profile>,
    /// How long to wait for answers.
    pub patience: Patience,
    /// Anything random comes from it.
    pub seed: [u8; 32],
    /// Ends the examination early.
    pub interrupt: crate::driver::Interrupt,
}

/// Examines a candidate that could be started.
pub async fn examine(patient: &Patient<'_>) -> Doctor {
    let mut chart = Chart::default();
    // An early end is a finding, and stands on the chart.
    let _ = examine_all(patient, &mut chart).await;
    Doctor { examinations: chart.examinations, description: chart.description }
}

/// What is said of a candidate that could not even be started.
#[must_use]
pub fn not_started(cause: &Broken) -> Doctor {
    let mut chart = Chart::default();
    let _ = chart.unhealthy("reachable", &cause.detail, fix_of(cause));
    Doctor { examinations: chart.examinations, description: None }
}

/// What is said if the examination was not completed.
pub(crate) fn interrupted(cause: &str) -> Doctor {
    let mut chart = Chart::default();
    let _ = chart.unhealthy("completed", format!("the examination was stopped: {cause}"), "run it again and let it finish");
    Doctor { examinations: chart.examinations, description: None }
}

/// An unhealthy finding stands on the chart already.
struct Unhealthy;

#[derive(Default)]
struct Chart {
    examinations: Vec<Examination>,
    description: Option<Description>,
}

impl Chart {
    fn healthy(&mut self, name: &str, found: impl Into<String>) {
        self.examinations.push(Examination { name: name.to_owned(), healthy: true, found: found.into(), fix: None });
    }

    fn unhealthy(&mut self, name: &str, found: impl Into<String>, fix: impl Into<String>) -> Result<(), Unhealthy> {
        let fix = Some(fix.into());
        self.examinations.push(Examination { name: name.to_owned(), healthy: false, found: found.into(), fix });
        Err(Unhealthy)
    }

    fn decide(&mut self, name: &str, finding: Result<String, (String, String)>) -> Result<(), Unhealthy> {
        match finding {
            Ok(found) => {
                self.healthy(name, found);
                Ok(())
            }
            Err((found, fix)) => self.unhealthy(name, found, fix),
        }
    }
}

async fn examine_all(patient: &Patient<'_>, chart: &mut Chart) -> Result<(), Unhealthy> {
    let before = now_ms();
    let answer = patient.endpoint.exchange("describe", json!({})).await;
    let after = now_ms();
    let value = reachable(chart, answer)?;
    chart.decide("contract version", version(&value))?;
    let description = description(chart, value)?;
    chart.decide("clock", clock(description.clock, before, after))?;
    chart.decide("claims", claims(&description, patient.profile))?;
    chart.description = Some(description.clone());
    probes::operations(patient, chart).await?;
    probes::instances(patient, chart, &description).await?;
    echo::echo(patient, chart, &description).await
}

fn reachable(chart: &mut Chart, answer: Raw) -> Result<Value, Unhealthy> {
    let (name, found, fix) = match answer {
        Raw::Ok(value) => {
            chart.healthy("reachable", "`describe` was answered");
            return Ok(value);
        }
        // An upper tester that does not send the header `WWW-Authenticate` says so in this way.
        Raw::Problem(problem) if problem.reason == Reason::Unauthorized => (
            "reachable",
            format!("the upper tester refused our credentials: `describe` was answered with the problem `{problem}`"),
            "give the upper tester's token with --token-file FILE, COUNTERSIGN_TOKEN_FILE or COUNTERSIGN_TOKEN, and check that it \
             is the right one"
                .to_owned(),
        ),
        Raw::Problem(problem) => {
            chart.healthy("reachable", "`describe` was answered");
            let found = format!("`describe` was answered with the problem `{problem}`");
            ("describes itself", found, "`describe` takes no arguments and has to succeed before anything else".to_owned())
        }
        Raw::Broken(broken) => ("reachable", broken.detail.clone(), fix_of(&broken)),
    };
    Err(chart.unhealthy(name, found, fix).err().unwrap_or(Unhealthy))
}

fn fix_of(broken: &Broken) -> String {
    if let Some(fix) = broken.fix {
        return fix.to_owned();
    }
    match broken.fault {
        Fault::Gone => {
            "check the command or address after --candidate, and that the candidate runs by itself; files in the command are \
             looked for in the folder from which Countersign was started"
        }
        Fault::Exceeded => "allow the candidate more with the --child options, or find out why it needs so much",
        Fault::Overran => "allow the candidate more with --child-cpu, or find out what it computes all the time",
        Fault::Deadline => "check that the candidate reads its calls and answers each of them; `describe` waits for nothing",
        Fault::NotTheContract => {
            "check that the address or command is the upper tester's, and that it answers as `countersign schema upper-tester` says"
        }
    }
    .to_owned()
}

fn version(value: &Value) -> Result<String, (String, String)> {
    let fix = format!("build the candidate against contract {CONTRACT_VERSION}, and let `describe` say so in `contract`");
    let Some(stated) = value.get("contract").and_then(Value::as_str) else {
        return Err(("`describe` states no version of the contract".to_owned(), fix));
    };
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if major(stated) == major(CONTRACT_VERSION) {
        Ok(format!("contract {} here, {} there", CONTRACT_VERSION, quote(stated.as_bytes())))
    } else {
        Err((
            format!("the candidate speaks contract {}, and Countersign speaks {CONTRACT_VERSION}", quote(stated.as_bytes())),
            fix,
        ))
    }
}

fn description(chart: &mut Chart, value: Value) -> Result<Description, Unhealthy> {
    match serde_json::from_value::<Description>(value) {
        Ok(description) => {
            let (name, version) = (quote(description.name.as_bytes()), quote(description.version.as_bytes()));
            chart.healthy("describes itself", format!("{name}, version {version}"));
            Ok(description)
        }
        Err(error) => {
            let found = format!("the answer of `describe` does not have the form of the contract: {error}");
            let fix = "compare it with `Description` in the output of `countersign schema upper-tester`";
            Err(chart.unhealthy("describes itself", found, fix).err().unwrap_or(Unhealthy))
        }
    }
}

/// The skew that remains whenever between asking and answer the clock was read.
fn clock(theirs: u64, before: u64, after: u64) -> Result<String, (String, String)> {
    let skew = before.saturating_sub(theirs).max(theirs.saturating_sub(after));
    if skew <= MOST_SKEW_MS {
        Ok(format!("off by {skew} ms at most"))
    } else {
        let side = if theirs < before { "behind" } else { "ahead" };
        let found = format!("the candidate's clock is {:.1} s {side}", std::time::Duration::from_millis(skew).as_secs_f64());
        Err((found, "set the clocks of both machines; `clock` is milliseconds since the Unix epoch, UTC".to_owned()))
    }
}

fn claims(description: &Description, profile: &Profile) -> Result<String, (String, String)> {
    let common = |what: &str, found: bool, theirs: String, ours: String| {
        let theirs = if theirs.is_empty() { "none at all".to_owned() } else { theirs };
        let fix = format!("claim in `describe` what the candidate speaks, or choose another profile than `{}`", profile.id);
        if found { Ok(()) } else { Err((format!("the profile takes the {what} {ours}, and the candidate claims {theirs}"), fix)) }
    };
    let (ours, theirs) = (&profile.bindings, &description.bindings);
    common("bindings", ours.iter().any(|b| theirs.contains(b)), crate::plan::names(theirs), crate::plan::names(ours))?;
    let (ours, theirs) = (&profile.suites, &description.suites);
    common("suites", ours.iter().any(|s| theirs.contains(s)), crate::plan::names(theirs), crate::plan::names(ours))?;
    if description.limits.instances == 0 {
        let fix = "state in `limits.instances` how many instances may be open at once; 1 is enough";
        return Err(("the candidate states that no instance may be open".to_owned(), fix.to_owned()));
    }
    for (what, stated, least) in
        [("text_bytes", description.limits.text_bytes, LEAST_TEXT), ("file_bytes", description.limits.file_bytes, LEAST_FILE)]
    {
        if stated < least {
            let fix = format!("the contract asks every candidate for {least} at least: support that, and state it");
            return Err((format!("the candidate states {stated} in `limits.{what}`"), fix));
        }
    }
    Ok(format!("{} over {}", crate::plan::names(&description.suites), crate::plan::names(&description.bindings)))
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_may_be_off_by_five_seconds() {
        assert!(clock(10_000, 15_000, 16_000).is_ok());
        assert!(clock(21_000, 15_000, 16_000).is_ok());
        assert_eq!(clock(9_999, 15_000, 16_000).unwrap_err().0, "the candidate's clock is 5.0 s behind");
        assert_eq!(clock(76_000, 15_000, 16_000).unwrap_err().0, "the candidate's clock is 60.0 s ahead");
    }

    #[test]
    fn only_the_first_number_of_the_version_counts() {
        assert!(version(&json!({ "contract": "1.7" })).is_ok());
        for wrong in [json!({ "contract": "2.0" }), json!({ "contract": 1 }), json!([]), json!({ "contract": "" })] {
            assert!(version(&wrong).is_err(), "{wrong}");
        }
    }
}
