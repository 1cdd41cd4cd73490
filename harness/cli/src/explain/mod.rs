//! Explanations: for each id that a report can name, what somebody could do, what that costs a user, where it stands in public, what
//! usually causes it, how to fix it, which mutants show it, and the command that runs it alone.
//!
//! What the data files say is taken from them; what they do not say of reasons and findings stands in a file each.

mod findings;
mod ids;
mod reasons;
mod requirements;
mod vectors;

pub(crate) use ids::{all, by_itself, of};

use countersign_mutants::Mutant;
use countersign_scenarios::Suite;
use countersign_vectors::Loaded;
use serde::Serialize;
use std::fmt::Write as _;

/// One explanation. Every part says something: a test goes over all of them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Explanation {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    /// What it is, in a sentence.
    pub(crate) summary: String,
    /// What somebody could do, in plain words.
    pub(crate) attack: String,
    /// What it costs a user.
    pub(crate) cost: String,
    /// Where it stands in public.
    pub(crate) source: String,
    /// What usually causes it.
    pub(crate) cause: String,
    pub(crate) fix: String,
    /// Mutants that show it, or why none does.
    pub(crate) mutants: String,
    /// The command that runs it alone.
    pub(crate) run: String,
    /// What else there is to say, such as the steps of a scenario.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<String>,
}

/// What explanations are made from.
pub(crate) struct Sources<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) mutants: &'a [Mutant],
    /// The stored vectors; none where they were not read.
    pub(crate) vectors: &'a [Loaded],
}

impl Explanation {
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} ({}): {}\n", self.id, self.kind, self.summary);
        for (label, part) in [
            ("attack", &self.attack),
            ("cost", &self.cost),
            ("source", &self.source),
            ("cause", &self.cause),
            ("fix", &self.fix),
            ("mutants", &self.mutants),
            ("run", &self.run),
        ] {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {label:<8} {}", part.replace('\n', "\n           "));
        }
        if !self.details.is_empty() {
            text.push('\n');
            self.details.iter().for_each(|line| {
                let _ = writeln!(text, "{line}");
            });
        }
        text
    }
}

/// The command that runs scenarios alone. Vectors are left out, unless there is nothing else: they stand in profiles of their own.
fn run_only(from: &Sources<'_>, ids: &[String]) -> String {
    let (stored, scenarios): (Vec<&String>, Vec<&String>) = ids.iter().partition(|id| vectors::profile_of(from, id).is_some());
    let only = |ids: &[&String]| ids.iter().map(|id| format!(" --only {id}")).collect::<String>();
    let profile = stored.first().and_then(|id| vectors::profile_of(from, id));
    match profile {
        Some(profile) if scenarios.is_empty() => {
            let same: Vec<&String> = stored.into_iter().filter(|id| vectors::profile_of(from, id) == Some(profile)).collect();
            format!("countersign run --profile {profile}{}", only(&same))
        }
        _ => format!("countersign run{}", only(&scenarios)),
    }
}

/// Names in one line, or why there are none.
fn names(names: &[String], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}
