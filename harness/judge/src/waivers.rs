//! Waivers over checks: what one covers is `waived` instead of `fail`, and says so; and what each came to.
//!
//! All of it follows from the record: the waivers stand in its header, and what day it is says the header too.

use countersign_scenarios::plan::{Filter, FilterError};
use countersign_trace::record::{Header, Plan};
use countersign_trace::{Check, Cover, Day, InstanceResult, Verdict, WHOLE_RUN, Waiver, WaiverStanding, WaiverState};

/// Covers that the words of a standing name; of more, the rest is counted.
const MOST_NAMED: usize = 3;

/// The waivers of a run, ready to be held against its checks.
#[derive(Debug)]
pub struct Waivers<'a> {
    /// The day of the run; without one, nothing is waived.
    day: Option<Day>,
    profile: &'a str,
    partial: bool,
    all: Vec<(&'a Waiver, Vec<Scope<'a>>)>,
}

#[derive(Debug)]
struct Scope<'a> {
    cover: &'a Cover,
    names: Filter,
}

impl<'a> Waivers<'a> {
    /// The waivers that a record's header carries, on the day that it states.
    ///
    /// # Errors
    /// The first scenario of a cover that is no glob.
    pub fn new(header: &'a Header) -> Result<Self, FilterError> {
        let scope =
            |cover: &'a Cover| Ok::<_, FilterError>(Scope { cover, names: Filter::new(std::slice::from_ref(&cover.scenario))? });
        let ready = |waiver: &'a Waiver| Ok((waiver, waiver.covers.iter().map(scope).collect::<Result<_, FilterError>>()?));
        Ok(Self {
            day: Day::of_moment(&header.started),
            profile: &header.profile,
            partial: !header.only.is_empty(),
            all: header.waivers.iter().map(ready).collect::<Result<_, FilterError>>()?,
        })
    }

    /// None at all.
    #[must_use]
    pub const fn none() -> Self {
        Self { day: None, profile: "", partial: false, all: Vec::new() }
    }

    /// Marks what is covered among the checks of an instance; `name` is that of its scenario with its case, or [`WHOLE_RUN`].
    ///
    /// Only what failed is waived, and what that blocked, if it is covered too: not what was unstable, nor what could not be judged, nor
    /// what is blocked although nothing failed beside it.
    pub fn apply(&self, name: &str, checks: &mut [Check]) {
        let failed = checks.iter().any(|c| c.verdict == Verdict::Fail);
        for check in checks.iter_mut().filter(|c| failed && matches!(c.verdict, Verdict::Fail | Verdict::Blocked)) {
            let mut covering = self.all.iter().filter(|(waiver, _)| self.holds(waiver));
            let found = covering.find(|(_, scopes)| scopes.iter().any(|s| s.selects(name, check) && s.is_found(check)));
            if let Some((waiver, _)) = found {
                check.verdict = Verdict::Waived;
                check.waiver = Some(waiver.id.clone());
            }
        }
    }

    /// [`Waivers::apply`] to an instance, whose verdict then is the worst of its checks again.
    pub fn apply_to(&self, instance: &mut InstanceResult) {
        if !self.all.is_empty() {
            self.apply(&instance.name(), &mut instance.checks);
            instance.verdict = crate::worst(&instance.checks);
        }
    }

    /// What each waiver came to, in their order. Instances and checks of the run are those to which the waivers were applied.
    #[must_use]
    pub fn standings(&self, plan: Option<&Plan>, run: &Judged<'_>) -> Vec<WaiverStanding> {
        let partial = self.partial || run.interrupted || plan.is_none_or(|p| p.filtered > 0 || p.selected.is_empty());
        self.all.iter().map(|(waiver, scopes)| self.standing(waiver, scopes, run, partial)).collect()
    }

    fn holds(&self, waiver: &Waiver) -> bool {
        self.concerns(waiver) && self.day.is_some_and(|day| day <= waiver.until)
    }

    fn concerns(&self, waiver: &Waiver) -> bool {
        waiver.profile.as_deref().is_none_or(|profile| profile == self.profile)
    }

    fn standing(&self, waiver: &Waiver, scopes: &[Scope<'_>], run: &Judged<'_>, partial: bool) -> WaiverStanding {
        let (mut states, mut checks) = (Vec::new(), 0);
        if !self.concerns(waiver) {
            states.push((WaiverState::NotInThisRun, "it is about another profile".to_owned()));
        } else if !self.holds(waiver) {
            let because = match self.day {
                Some(day) => format!("it held until {}, and the run was on {day}", waiver.until),
                None => "the record does not say on what day the run was".to_owned(),
            };
            states.push((WaiverState::Expired, because));
        } else {
            for scope in scopes {
                let (state, covered, because) = scope.state(run, partial);
                checks += covered;
                states.push((state, format!("{}: {because}", words(scope.cover))));
            }
        }
        let state = states.iter().map(|(state, _)| *state).max().unwrap_or(WaiverState::Stale);
        let mut because: Vec<String> = states.into_iter().filter(|(s, _)| *s == state).map(|(_, because)| because).collect();
        let more = because.len().saturating_sub(MOST_NAMED);
        because.truncate(MOST_NAMED);
        if more > 0 {
            because.push(format!("and {more} more"));
        }
        WaiverStanding { waiver: waiver.id.clone(), state, checks, because: because.join("; ") }
    }
}

/// What a run was judged to, for [`Waivers::standings`].
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The instances.
    pub instances: &'a [InstanceResult],
    /// Checks of the run as a whole.
    pub checks: &'a [Check],
    /// Whether it ended before all was executed.
    pub interrupted: bool,
}

impl Scope<'_> {
    /// Whether a check is one that this is about, whatever was found.
    fn selects(&self, name: &str, check: &Check) -> bool {
        self.names.takes_name(name)
            && self.cover.check.as_ref().is_none_or(|id| *id == check.id)
            && self.cover.requirement.as_ref().is_none_or(|id| check.requirements.contains(id))
    }

    fn is_found(&self, check: &Check) -> bool {
        // What was blocked has no finding of its own, and what failed has one.
        match self.cover.blocked {
            true => check.finding.is_none() && check.verdict != Verdict::Fail,
            false => self.cover.finding.is_none() || self.cover.finding == check.finding,
        }
    }

    /// State, number of checks covered, and why.
    fn state(&self, run: &Judged<'_>, partial: bool) -> (WaiverState, u64, String) {
        let instances = run.instances.iter().map(|i| (i.name(), &i.checks[..]));
        let all: Vec<(String, &[Check])> = instances.chain([(WHOLE_RUN.to_owned(), run.checks)]).collect();
        let selected: Vec<&Check> =
            all.iter().flat_map(|(name, checks)| checks.iter().filter(|c| self.selects(name, c))).collect();
        let covered = selected.iter().filter(|c| c.verdict == Verdict::Waived && self.is_found(c)).count() as u64;
        if covered > 0 {
            return (
                WaiverState::InForce,
                covered,
                if covered == 1 { "1 check".to_owned() } else { format!("{covered} checks") },
            );
        }
        let ran = all.iter().any(|(name, checks)| self.names.takes_name(name) && !checks.is_empty());
        let named = all.iter().any(|(name, _)| *name == self.cover.scenario);
        if partial && (!ran || !named) {
            return (WaiverState::NotInThisRun, 0, "not all that it is about was run".to_owned());
        }
        if selected.is_empty() {
            let what = if ran { "no check there is as it says" } else { "nothing of that name ran" };
            return (WaiverState::Stale, 0, what.to_owned());
        }
        let decided = |c: &&Check| matches!(c.verdict, Verdict::Pass | Verdict::Warn | Verdict::NotApplicable);
        let told = |c: &Check| c.finding.as_ref().map_or(String::new(), |finding| format!(" ({finding})"));
        if let Some(check) = selected.iter().copied().find(|c| !decided(c)) {
            return (WaiverState::Undecided, 0, format!("{} is {}{}", check.id, check.verdict, told(check)));
        }
        if selected.iter().all(|c| c.verdict == Verdict::NotApplicable) {
            return (WaiverState::Undecided, 0, "there was nothing to judge".to_owned());
        }
        (WaiverState::UnexpectedPass, 0, "what it waives passes now".to_owned())
    }
}

/// A cover in few words.
fn words(cover: &Cover) -> String {
    let parts = [&cover.check, &cover.requirement, &cover.finding];
    let blocked = cover.blocked.then_some("blocked");
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).chain(blocked).collect();
    format!("{} {}", cover.scenario, parts.join(" "))
}
