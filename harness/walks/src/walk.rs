//! A walk, and the scenario that it is.

use crate::abilities::{Abilities, Casting};
use crate::action::{Action, Fate, Number, Peer, Saying, User};
use crate::model::{Model, Told};
use countersign_contract::claims::{Capability, Feature, Suite};
use countersign_contract::portable::ReceiptType;
use countersign_scenarios::language::{Expect, Stack};
use countersign_scenarios::{Cast, Scenario, Side, Step};
use serde::Serialize;
use std::collections::BTreeMap;

/// What happens, one thing after another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Walk {
    /// What it makes use of.
    pub abilities: Abilities,
    /// How the cast is set up.
    pub casting: Casting,
    /// What happens. Everything in it makes sense where it stands.
    pub actions: Vec<Action>,
}

/// The steps of a walk, each with the requirement that a failure of it misses.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// In order; the end of the walk included.
    pub told: Vec<Told>,
    /// Whether it needs that messages are asked for, and sent, again.
    pub retries: bool,
}

impl Walk {
    /// From actions that may not all make sense where they stand: those that do not are left out, and with them whatever only made
    /// sense after them.
    #[must_use]
    pub fn sensible(abilities: Abilities, casting: Casting, actions: &[Action]) -> Self {
        let mut model = Model::new(abilities, casting);
        let actions = actions.iter().filter(|action| model.apply(action).is_some()).copied().collect();
        Self { abilities, casting, actions }
    }

    /// What it comes to. The model says it anew each time, so that what is expected always follows from what happens.
    #[must_use]
    pub fn steps(&self) -> Steps {
        let mut model = Model::new(self.abilities, self.casting);
        let mut told: Vec<Told> = self.actions.iter().filter_map(|action| model.apply(action)).flatten().collect();
        let closing = model.closing();
        told.extend(closing.iter().filter_map(|action| model.apply(action)).flatten());
        let retries = told.iter().any(|t| t.requirement == crate::model::RETRIED);
        Steps { told, retries }
    }

    /// The same walk, its things numbered from 1.
    #[must_use]
    pub fn renumbered(&self) -> Self {
        let mut numbers: BTreeMap<Number, Number> = BTreeMap::new();
        for id in self.actions.iter().filter_map(Action::number) {
            let next = Number::try_from(numbers.len() + 1).unwrap_or(Number::MAX);
            numbers.entry(id).or_insert(next);
        }
        let number = |id: Number| numbers.get(&id).copied().unwrap_or(id);
        Self { actions: self.actions.iter().map(|action| action.renumbered(number)).collect(), ..self.clone() }
    }

    /// The scenario under an id; `None` if nothing is left of the walk. It verifies what its steps are about.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<Scenario> {
        let Steps { told, retries } = self.steps();
        if told.is_empty() {
            return None;
        }
        let mut verifies: Vec<String> = Vec::new();
        for requirement in told.iter().map(|t| t.requirement) {
            if !verifies.iter().any(|known| known == requirement) {
                verifies.push(requirement.to_owned());
            }
        }
        let receipts = |t: &Told| matches!(&t.step, Step::Expect(Expect::Receipt { receipt: ReceiptType::Delivered, .. }));
        let mut features = Vec::new();
        features.extend(told.iter().any(receipts).then_some(Feature::DeliveryReceipt));
        features.extend(retries.then_some(Feature::Retry));
        for (feature, used) in [
            (Feature::Reaction, self.says(|action| matches!(action, Action::Say { what: Saying::Reaction, .. }))),
            (Feature::Edit, self.says(|action| matches!(action, Action::Say { what: Saying::Edit, .. }))),
            (Feature::Delete, self.says(|action| matches!(action, Action::Say { what: Saying::Delete, .. }))),
            (Feature::File, self.says(|action| matches!(action, Action::SendFile { .. }))),
        ] {
            features.extend(used.then_some(feature));
        }
        let clock = told.iter().any(|t| matches!(t.step, Step::Advance(_)));
        let pq_only = |action: &Action| matches!(action, Action::Write { fate: Fate::WithoutPqKey, .. });
        let suites = if self.actions.iter().any(pq_only) { vec![Suite::SignalPq] } else { Vec::new() };
        Some(Scenario {
            id: id.to_owned(),
            title: "A random walk".to_owned(),
            why: "Each step is one that every messenger has to stand, after all that came before it.".to_owned(),
            verifies,
            twin: false,
            features,
            capabilities: if clock { vec![Capability::VirtualClock] } else { Vec::new() },
            suites,
            trust_root: None,
            exclusive: false,
            heavy: false,
            cases: Vec::new(),
            cast: self.cast(&told),
            steps: told.into_iter().map(|t| t.step).collect(),
        })
    }

    fn says(&self, what: impl Fn(&Action) -> bool) -> bool {
        self.actions.iter().any(what)
    }

    /// Whoever is mentioned.
    fn cast(&self, told: &[Told]) -> BTreeMap<String, Cast> {
        let misbehaves = self
            .actions
            .iter()
            .any(|action| matches!(action, Action::Write { fate: Fate::WrongIdentities | Fate::WithoutPqKey, .. }));
        let mentioned = |user: User| {
            // Names of users stand in steps as words of their own, and nothing else is called so.
            let word = format!("\"{}\"", user.name());
            told.iter().any(|t| serde_json::to_string(&t.step).is_ok_and(|text| text.contains(&word)))
        };
        let [bob, carol] = self.casting.answers;
        let cast = |user: User| match user.peer() {
            None => Cast { one_time_prekeys: self.casting.one_time_prekeys.into(), ..Cast::plain(Side::Candidate) },
            Some(Peer::Bob) => Cast { answers_retries: bob, ..Cast::plain(Side::Reference) },
            Some(Peer::Carol) => {
                let stack = if misbehaves { Stack::Adversary } else { Stack::Library };
                Cast { answers_retries: carol, stack, ..Cast::plain(Side::Reference) }
            }
        };
        User::ALL.into_iter().filter(|user| mentioned(*user)).map(|user| (user.name().to_owned(), cast(user))).collect()
    }
}
