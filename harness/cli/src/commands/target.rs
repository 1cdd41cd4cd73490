//! From `--candidate` and `--carrier` to something that the engine can run.

use crate::args::{Candidate, Carrier};
use crate::commands::{remote, suite};
use crate::fault::Fault;
use crate::output;
use countersign_engine::remote::Tls;
use countersign_engine::{Patience, RunOptions, Target};
use countersign_reports::visible;
use countersign_scenarios::nearest::nearest;
use countersign_scenarios::{Profile, Suite};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// Where the gateway listens unless told otherwise.
const NO_ADDRESS: &str = "127.0.0.1:0";

/// A target, and the process behind it if we started one ourselves. The process ends with this.
pub(crate) struct Chosen {
    pub(crate) target: Target,
    served: Option<Child>,
}

impl Drop for Chosen {
    fn drop(&mut self) {
        if let Some(child) = self.served.as_mut() {
            // It is ours and has nothing to lose; if it is gone already, so much the better.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn choose(args: &Candidate) -> Result<Chosen, Fault> {
    let target: Target = args.candidate.parse()?;
    if let Some(peer) = &args.peer {
        let both = [alone(target)?, alone(peer.parse()?)?];
        return Ok(Chosen { target: Target::Pair(Box::new(both)), served: None });
    }
    let carrier = args.carrier.unwrap_or(Carrier::InProcess);
    let defect = match &target {
        Target::Builtin => None,
        Target::Mutant(defect) => Some(defect.as_str()),
        Target::Exec(_) | Target::Http(_) | Target::DialIn | Target::Pair(_) => {
            return match args.carrier {
                None => Ok(Chosen { target, served: None }),
                Some(carrier) => Err(Fault::Carrier { carrier: format!("{carrier:?}").to_lowercase() }),
            };
        }
    };
    match carrier {
        Carrier::InProcess => {
            if args.listen.to_string() != NO_ADDRESS {
                output::progress("note: --listen is not used: in process the candidate reaches the gateway in memory");
            }
            Ok(Chosen { target, served: None })
        }
        Carrier::Child => Ok(Chosen { target: child(defect)?, served: None }),
        Carrier::Http => serve(defect),
    }
}

/// The sample as a child.
fn child(defect: Option<&str>) -> Result<Target, Fault> {
    let exe = std::env::current_exe().map_err(Fault::Runtime)?;
    let defect = defect.map(|d| format!(" --defect {d}")).unwrap_or_default();
    Ok(Target::Exec(format!("'{}' sample{defect}", exe.display())))
}

/// One of two: the sample is a child then, since both have to find one gateway.
fn alone(target: Target) -> Result<Target, Fault> {
    match target {
        Target::Builtin => child(None),
        Target::Mutant(defect) => child(Some(defect.as_str())),
        other => Ok(other),
    }
}

/// Starts the sample over HTTP and waits for the address that it prints.
fn serve(defect: Option<&str>) -> Result<Chosen, Fault> {
    let exe = std::env::current_exe().map_err(Fault::Runtime)?;
    let mut command = Command::new(exe);
    command.args(["sample", "--http", "127.0.0.1:0", "--until-input-ends"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    if let Some(defect) = defect {
        command.args(["--defect", defect]);
    }
    let mut child = command.spawn().map_err(|e| Fault::SampleHttp(e.to_string()))?;
    let mut address = String::new();
    let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut address));
    let chosen = Chosen { target: Target::Http(address.trim().to_owned()), served: Some(child) };
    match read {
        Some(Ok(_)) if address.starts_with("http://") => Ok(chosen),
        _ => Err(Fault::SampleHttp("it printed no address".to_owned())),
    }
}

/// All that a run is made of but for the scenarios' selection.
pub(crate) fn options(args: &Candidate, target: Target, jobs: u32, only: Vec<String>) -> Result<RunOptions, Fault> {
    let suite = Arc::new(suite::of_profile(args.suite.as_deref(), &args.profile)?);
    let profile = suite::profile(&suite, &args.profile)?;
    misspelt(&suite, &profile, &only);
    let folder = std::env::current_dir().map_err(Fault::Runtime)?;
    let remote = remote::remote(&args.remote)?;
    if target == Target::DialIn && matches!(remote.reach.tls, Tls::Generate) {
        let why = "--tls generate is of no use to a candidate that dials in: it has to trust the gateway before it can be told the \
                   authority; give a certificate that it trusts with --tls-cert and --tls-key";
        return Err(Fault::Remote(why.into()));
    }
    Ok(RunOptions {
        judge: judge(&suite, &profile),
        suite,
        profile,
        target,
        folder,
        listen: args.listen,
        remote,
        seed: seed(args.seed.as_deref())?,
        jobs,
        only,
        patience: Patience::contract(),
        started: jiff::Timestamp::now().to_string(),
        expected_failures: Vec::new(),
    })
}

/// Says of each name that is no pattern and that nothing has, what was perhaps meant. What is selected is for the plan to decide.
fn misspelt(suite: &Suite, profile: &Profile, only: &[String]) {
    let planned = suite.instances(profile);
    for name in only.iter().filter(|name| !name.contains(['*', '?', '[', '{'])) {
        if planned.iter().any(|p| p.name == *name || p.scenario.id == *name) {
            continue;
        }
        let names = planned.iter().map(|p| p.name.clone()).chain(planned.iter().map(|p| p.scenario.id.clone()));
        let near = nearest(name, names.collect::<BTreeSet<_>>());
        let perhaps = near.first().map_or_else(String::new, |near| format!("; perhaps `{near}`"));
        output::progress(&format!("note: no scenario of {} is called `{}`{perhaps}", profile.id, visible(name, 200)));
    }
}

fn judge(suite: &Arc<Suite>, profile: &Arc<Profile>) -> countersign_engine::Judge {
    let requirements: Vec<_> = suite.requirements.values().cloned().collect();
    let profile = Arc::clone(profile);
    Arc::new(move |planned, trace, blobs, claims| {
        countersign_judge::judge(&profile, &requirements, &planned.scenario, trace, blobs, claims)
    })
}

/// A seed as a report shows it, or a number, or one from the operating system.
fn seed(text: Option<&str>) -> Result<[u8; 32], Fault> {
    let Some(text) = text else { return Ok(rand::random()) };
    if let Some(digest) = countersign_trace::Digest::from_hex(text) {
        return Ok(digest.0);
    }
    let number: u64 = text.parse().map_err(|_| Fault::Seed(text.to_owned()))?;
    let mut seed = [0; 32];
    for (to, from) in seed.iter_mut().rev().zip(number.to_be_bytes().iter().rev()) {
        *to = *from;
    }
    Ok(seed)
}
