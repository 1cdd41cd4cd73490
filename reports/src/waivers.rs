//! Waivers as reports show them: each with who answers for it and all that it covers. A waiver hides nothing.

use crate::view::View;
use crate::visible::visible;
use countersign_trace::{Check, InstanceResult, Verdict, WHOLE_RUN, Waiver, WaiverStanding};
use serde_json::{Value, json};

/// A waiver of the record, with what it came to.
#[derive(Clone, Debug)]
pub(crate) struct Waived<'a> {
    pub(crate) waiver: &'a Waiver,
    /// `None` if the run did not come to its end.
    pub(crate) standing: Option<&'a WaiverStanding>,
    /// The checks that are waived by it, each with the instance by position; `None` for a check of the whole run.
    pub(crate) covered: Vec<(Option<usize>, &'a Check)>,
}

impl Waived<'_> {
    /// Its state in a word.
    pub(crate) fn state(&self) -> &'static str {
        self.standing.map_or("unknown", |standing| standing.state.as_str())
    }

    /// Whether it has to be taken out or written anew.
    pub(crate) fn is_outdated(&self) -> bool {
        self.standing.is_some_and(|standing| standing.state.is_outdated())
    }

    /// What it came to, in words; empty where what it covers says it.
    pub(crate) fn because(&self) -> &str {
        match self.standing {
            Some(standing) if self.covered.is_empty() => &standing.because,
            Some(_) => "",
            None => "the run did not come to its end",
        }
    }
}

impl<'a> View<'a> {
    /// The waivers that were given to the run, those first that somebody has to do something about.
    pub(crate) fn waivers(&self) -> Vec<Waived<'a>> {
        let standings = self.record.summary.as_ref().map_or(&[][..], |s| &s.waivers);
        let instances = self.record.instances.iter().enumerate();
        let waived: Vec<(Option<usize>, &'a Check)> = instances
            .flat_map(|(at, i)| i.checks.iter().map(move |check| (Some(at), check)))
            .chain(self.run_checks().map(|check| (None, check)))
            .filter(|(_, check)| check.verdict == Verdict::Waived)
            .collect();
        let of = |waiver: &'a Waiver| Waived {
            waiver,
            standing: standings.iter().find(|s| s.waiver == waiver.id),
            covered: waived.iter().filter(|(_, check)| check.waiver.as_ref() == Some(&waiver.id)).copied().collect(),
        };
        let mut all: Vec<Waived<'a>> = self.record.header.waivers.iter().map(of).collect();
        all.sort_by_key(|w| std::cmp::Reverse(w.standing.map(|s| s.state)));
        all
    }

    /// The waiver of a check, if the record has it.
    pub(crate) fn waiver_of(&self, check: &Check) -> Option<&'a Waiver> {
        let id = check.waiver.as_ref()?;
        self.record.header.waivers.iter().find(|waiver| waiver.id == *id)
    }

    /// Checks that are waived.
    pub(crate) fn waived_checks(&self) -> u64 {
        let instances = self.record.instances.iter().flat_map(|i| &i.checks);
        instances.chain(self.run_checks()).filter(|check| check.verdict == Verdict::Waived).count() as u64
    }

    /// What the checks of an instance, or of the whole run, are called beside a waiver.
    pub(crate) fn place_name(&self, instance: Option<usize>) -> String {
        instance.and_then(|at| self.record.instances.get(at)).map_or_else(|| WHOLE_RUN.to_owned(), InstanceResult::name)
    }

    /// All of it for programs.
    pub(crate) fn waivers_json(&self) -> Vec<Value> {
        let one = |w: &Waived<'_>| {
            let covered: Vec<Value> = w
                .covered
                .iter()
                .map(|(at, check)| json!({ "instance": self.place_name(*at), "check": check.id, "finding": check.finding }))
                .collect();
            json!({
                "waiver": w.waiver, "state": w.standing.map(|s| s.state), "because": w.standing.map(|s| &s.because), "covered": covered,
            })
        };
        self.waivers().iter().map(one).collect()
    }
}

/// Who answers for a waived check and how long: for one line.
pub(crate) fn answered_for(view: &View<'_>, check: &Check) -> Option<String> {
    let id = visible(check.waiver.as_ref()?, 80);
    Some(match view.waiver_of(check) {
        Some(waiver) => format!("waived by {id}, {}, until {}", visible(&waiver.owner, 120), waiver.until),
        None => format!("waived by {id}, which the record does not hold"),
    })
}
