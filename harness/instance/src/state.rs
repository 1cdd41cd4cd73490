//! The candidate's state: kept, put back, copied for a thief, fed and exported; and the secrets of our own users' messages, by which an
//! export is searched.

use crate::Instance;
use crate::script::{Action, Then};
use countersign_contract::operations::{Answer, Deliver, Export, MakeClone, Restore, TakeSnapshot};
use countersign_contract::state::Handle;
use countersign_contract::{Call, Operation, StanzaId, UserId};
use countersign_reference::{Config, ReferenceUser, Stack};
use countersign_scenarios::Step;
use countersign_scenarios::language::{self, DeliverTo, Expect, RestoreSnapshot};
use countersign_trace::event::Outcome;
use countersign_trace::{Digest, Observation};
use std::collections::BTreeMap;

/// Snapshots and copies of the candidate, by the names of the scenario.
#[derive(Default)]
pub(crate) struct States {
    /// The handle, and how many events its user's log had.
    snapshots: BTreeMap<String, (Handle, u64)>,
    clones: BTreeMap<String, Handle>,
}

impl Instance {
    /// Keys for a candidate's user to enlist with, of which the private halves are known: those of a user of ours that never appears.
    pub(crate) fn known_keys(config: Config) -> Option<countersign_contract::operations::ImportedKeys> {
        let config = Config { stack: Stack::Adversary, name: format!("{} known keys", config.name), ..config };
        ReferenceUser::new(config).private_keys()
    }

    /// Everything that came before is processed and fetched first, so that the log has a known length.
    pub(crate) fn take_snapshot(&mut self, step: language::TakeSnapshot) {
        self.actions.push_back(Action::SettleAll(0));
        self.actions.push_back(Action::Events(step.of.clone()));
        self.actions.push_back(Action::Snapshot(step));
    }

    /// Likewise: a thief takes the state as it is when nothing is under way.
    pub(crate) fn make_clone(&mut self, step: language::MakeClone) {
        self.actions.push_back(Action::SettleAll(0));
        self.actions.push_back(Action::Clone(step));
    }

    pub(crate) fn export(&mut self, of: &str) {
        let Some(user) = self.user(of) else { return self.skip(format!("the user {of}")) };
        self.actions.push_back(Action::SettleAll(0));
        self.actions.push_back(Action::Call(Call::Export(Export { instance: self.plan.instance, user })));
    }

    pub(crate) fn call_snapshot(&mut self, step: language::TakeSnapshot) {
        let Some(user) = self.user(&step.of) else { return self.skip(format!("the user {}", step.of)) };
        let call = Call::Snapshot(TakeSnapshot { instance: self.plan.instance, user });
        self.call(call, Then::Snapshot { user: step.of, name: step.name });
    }

    pub(crate) fn call_clone(&mut self, step: language::MakeClone) {
        let Some(user) = self.user(&step.of) else { return self.skip(format!("the user {}", step.of)) };
        self.call(Call::Clone(MakeClone { instance: self.plan.instance, user }), Then::Clone { name: step.name });
    }

    pub(crate) fn restore(&mut self, step: &RestoreSnapshot) {
        let found = (self.user(&step.user), self.states.snapshots.get(&step.to).cloned());
        let (Some(user), Some((snapshot, log))) = found else { return self.skip(format!("the snapshot {}", step.to)) };
        let then = Then::Restored { name: step.user.clone(), user, log };
        self.actions.push_back(Action::Restore(Restore { instance: self.plan.instance, user, snapshot }, then));
    }

    /// The old log again; what went to the client since is not settled any more.
    pub(crate) fn restored(&mut self, name: &str, log: u64, outcome: &Outcome) {
        if let (Outcome::Ok(_), Some(member)) = (outcome, self.members.get_mut(name)) {
            (member.cursor, member.delivered, member.settled) = (log, None, None);
        }
    }

    pub(crate) fn snapshot_taken(&mut self, user: &str, name: String, outcome: &Outcome) {
        let log = self.members.get(user).map_or(0, |member| member.cursor);
        if let Some(Answer::Snapshot(taken)) = answer(Operation::Snapshot, outcome) {
            self.states.snapshots.insert(name, (taken.snapshot, log));
        }
    }

    pub(crate) fn clone_made(&mut self, name: String, outcome: &Outcome) {
        if let Some(Answer::Clone(cloned)) = answer(Operation::Clone, outcome) {
            self.states.clones.insert(name, cloned.clone);
        }
    }

    pub(crate) fn deliver(&mut self, step: &DeliverTo) {
        let names = match &step.exchange {
            Some(exchange) => self.messages_to_clone(&step.clone, exchange),
            None => step.stanzas.clone(),
        };
        let Some(clone) = self.states.clones.get(&step.clone).cloned() else {
            return self.skip(format!("the copy {}", step.clone));
        };
        for name in names {
            let stored = self.names.get(&name).and_then(|id| self.gateway.stanza(*id));
            let Some(stanza) = stored.map(|stored| (*stored.stanza).clone()) else {
                return self.skip(format!("the stanza {name}"));
            };
            let deliver = Deliver { instance: self.plan.instance, clone: clone.clone(), stanza };
            self.actions.push_back(Action::Call(Call::Deliver(deliver)));
        }
    }

    /// Names of an exchange's messages that went to the user of a copy.
    fn messages_to_clone(&self, clone: &str, exchange: &str) -> Vec<String> {
        let steps = &self.plan.scenario.steps;
        let of = steps.iter().find_map(|step| match step {
            Step::Clone(c) if c.name == clone => Some(c.of.as_str()),
            _ => None,
        });
        let exchange = steps.iter().find_map(|step| match step {
            Step::Exchange(e) if e.name == exchange => Some(e),
            _ => None,
        });
        let Some(exchange) = exchange else { return Vec::new() };
        let [first, second] = &exchange.between;
        let receiver = |number: u32| if number % 2 == 1 { second } else { first };
        let numbers = (1..=exchange.messages).filter(|number| of == Some(receiver(*number).as_str()));
        numbers.map(|number| format!("{}{number}", exchange.name)).collect()
    }

    /// Notes the secrets of a message that a reference user just made or read, if an export is searched for them.
    pub(crate) fn note_secrets(&mut self, name: &str, user: UserId, peer: UserId, stanza: StanzaId) {
        let Some(message) = self.named.get(&stanza) else { return };
        let sought = |step: &Step| match step {
            Step::Expect(Expect::ExportHolds(keys) | Expect::ExportLacks(keys)) => keys.keys_of.contains(message),
            _ => false,
        };
        if !self.plan.scenario.steps.iter().any(sought) {
            return;
        }
        let secrets = self.with_reference(name, |r| r.last_secrets(peer)).unwrap_or_default();
        if !secrets.is_empty() {
            let secrets = secrets.iter().map(|(what, secret)| (what.words().to_owned(), Digest::of(secret))).collect();
            self.observe(Some(user), Observation::MessageSecrets { stanza, secrets });
        }
    }
}

fn answer(operation: Operation, outcome: &Outcome) -> Option<Answer> {
    let Outcome::Ok(value) = outcome else { return None };
    operation.parse_answer(value.clone()).ok()
}
