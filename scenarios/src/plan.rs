//! Which instances a run executes, and a reason for each that it leaves out.

use crate::{Planned, Profile, Suite};
use countersign_contract::claims::{Capability, Description, Feature};
use countersign_trace::Verdict;
use countersign_trace::record::{self, LeftOut};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Serialize;

/// What a run executes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// To execute at once with others, in the order of their names.
    pub together: Vec<Planned>,
    /// To execute after that, each alone.
    pub alone: Vec<Planned>,
    /// What is left out.
    pub left_out: Vec<LeftOut>,
    /// How many the filters kept out.
    pub filtered: u64,
}

/// A filter that is not a glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern for scenarios: {cause}; write for instance `e2ee/*`")]
pub struct FilterError {
    /// As it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub cause: String,
}

/// Which scenarios a user asked for: all, or those that a glob matches, by id or by `id@case`. `*` does not match a slash.
#[derive(Clone, Debug)]
pub struct Filter(Option<GlobSet>);

impl Filter {
    /// From patterns; none at all asks for everything.
    ///
    /// # Errors
    /// The first pattern that is not a glob.
    pub fn new(patterns: &[String]) -> Result<Self, FilterError> {
        if patterns.is_empty() {
            return Ok(Self(None));
        }
        let fault = |pattern: &str, e: &globset::Error| FilterError { pattern: pattern.to_owned(), cause: e.kind().to_string() };
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
            set.add(glob.map_err(|e| fault(pattern, &e))?);
        }
        Ok(Self(Some(set.build().map_err(|e| fault(&patterns.join(" "), &e))?)))
    }

    /// Whether it takes what is called so: by `id@case`, or by the id alone.
    #[must_use]
    pub fn takes_name(&self, name: &str) -> bool {
        let id = name.split_once('@').map_or(name, |(id, _)| id);
        self.0.as_ref().is_none_or(|set| set.is_match(name) || set.is_match(id))
    }

    fn takes(&self, planned: &Planned) -> bool {
        self.takes_name(&planned.name)
    }
}

impl Plan {
    /// Decides over every scenario that the profile takes.
    #[must_use]
    pub fn new(suite: &Suite, profile: &Profile, claims: &Description, filter: &Filter) -> Self {
        let mut plan = Self { together: Vec::new(), alone: Vec::new(), left_out: Vec::new(), filtered: 0 };
        for planned in suite.instances(profile) {
            if !filter.takes(&planned) {
                plan.filtered += 1;
            } else if let Some((verdict, because)) = unfit(&planned, profile, claims) {
                plan.left_out.push(LeftOut { name: planned.name, verdict, because });
            } else if planned.scenario.exclusive {
                plan.alone.push(planned);
            } else {
                plan.together.push(planned);
            }
        }
        plan
    }

    /// All instances, in the order in which they begin.
    pub fn instances(&self) -> impl Iterator<Item = &Planned> {
        self.together.iter().chain(&self.alone)
    }

    /// The plan as it stands in a record.
    #[must_use]
    pub fn to_record(&self) -> record::Plan {
        record::Plan {
            selected: self.instances().map(|planned| planned.name.clone()).collect(),
            left_out: self.left_out.clone(),
            filtered: self.filtered,
        }
    }
}

/// Why a scenario does not apply to this candidate, if it does not.
fn unfit(planned: &Planned, profile: &Profile, claims: &Description) -> Option<(Verdict, String)> {
    let meant = &planned.scenario.suites;
    // Before what the candidate claims: what its suite does not have, it need not support.
    if let Some(spoken) = profile.suite_with(&claims.suites).filter(|spoken| !meant.is_empty() && !meant.contains(spoken)) {
        let because = format!("it is about {}, and this run speaks {}", names(meant), names(&[spoken]));
        return Some((Verdict::NotApplicable, because));
    }
    let features: Vec<&Feature> = planned.scenario.features.iter().filter(|f| !claims.features.contains(f)).collect();
    let required: Vec<&Feature> = features.iter().copied().filter(|f| profile.required_features.contains(f)).collect();
    if !required.is_empty() {
        // Else a candidate would conform by claiming nothing.
        let because = format!("the profile requires {}, which the candidate does not claim", names(&required));
        return Some((Verdict::Fail, because));
    }
    if !features.is_empty() {
        return Some((Verdict::NotApplicable, format!("optional, and the candidate does not claim {}", names(&features))));
    }
    // Everybody has to take files up to a mebibyte; beyond that, what a candidate says of itself counts.
    let largest =
        planned.scenario.file_bytes().max().filter(|largest| planned.scenario.heavy && *largest > claims.limits.file_bytes);
    if let Some(largest) = largest {
        let stated = claims.limits.file_bytes;
        return Some((
            Verdict::NotApplicable,
            format!("it sends {largest} bytes, and the candidate states {stated} as its largest file"),
        ));
    }
    let capabilities: Vec<&Capability> =
        planned.scenario.capabilities.iter().filter(|c| !claims.capabilities.contains(c)).collect();
    (!capabilities.is_empty()).then(|| {
        (Verdict::Unsupported, format!("it needs the test capability {}, which the candidate lacks", names(&capabilities)))
    })
}

/// Names as they stand in claims, for people.
pub fn names<T: Serialize>(list: &[T]) -> String {
    let text = |item: &T| match serde_json::to_value(item) {
        Ok(serde_json::Value::String(text)) => format!("`{text}`"),
        other => format!("{other:?}"),
    };
    list.iter().map(text).collect::<Vec<_>>().join(", ")
}
