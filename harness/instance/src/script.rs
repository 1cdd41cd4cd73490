//! The scenario's steps as actions: one after another, each at once or after an answer of the candidate.

use crate::Instance;
use crate::plan::Output;
use crate::timed::BurstState;
use countersign_contract::claims::Suite;
use countersign_contract::operations::{
    AcceptIdentity, AdvanceClock, Answer, Close, Connect, DeleteUser, Disconnect, Events, FetchKeys, RotateKeys, Settle,
    VerifyIdentity,
};
use countersign_contract::{Call, Operation};
use countersign_scenarios::Step;
use countersign_scenarios::language::{self, Expect};
use countersign_trace::Observation;
use countersign_trace::event::{Event, Outcome};

/// Longest chain of settling: each round lets the candidate process what its own answers led to.
const MOST_SETTLE_ROUNDS: u32 = 16;
/// How long the end of a channel may come after the answer that a client is offline, in microseconds.
const LONGEST_LEAVING_US: u64 = 5_000_000;

/// What is to be done next.
pub(crate) enum Action {
    /// A step begins.
    Begin(usize),
    /// Call the candidate and wait for the answer.
    Call(Call),
    /// Connect a candidate's user.
    Connect(String),
    /// A candidate's client goes offline.
    Disconnect(countersign_contract::UserId),
    /// A reference user enlists and comes online if its cast says so.
    Enlist(String),
    /// A member sends.
    Send(language::Send),
    /// A member sends to a group.
    SendToGroup(language::SendToGroup),
    /// Let all candidate users that are online settle, until nothing more follows.
    SettleAll(u32),
    /// Fetch what a candidate's user saw since the last time.
    Events(String),
    /// Messages of a `many`.
    Many(language::Many),
    /// Messages of an exchange from this one on.
    Exchange(language::Exchange, u32),
    /// A burst begins.
    Burst(language::Burst),
    /// Everything is done but for closing.
    Wrap,
    /// Close the instance at the candidate.
    Close,
    /// Keep a user's state.
    Snapshot(language::TakeSnapshot),
    /// Copy a user's state for a thief.
    Clone(language::MakeClone),
    /// Put a user's state back.
    Restore(countersign_contract::operations::Restore, Then),
}

/// How a stanza that is held back is changed before it goes on.
#[derive(Clone)]
pub(crate) enum StanzaBend {
    /// A named field.
    Field(String),
    /// Cut to a length.
    Cut(usize),
    /// A bit of the byte at this position; a negative one counts from the end.
    Flip(i64),
}

/// A call whose answer is awaited.
pub(crate) struct Waiting {
    pub(crate) call: u64,
    pub(crate) closing: bool,
    then: Then,
}

impl Waiting {
    /// Whether it waits for a user to settle.
    pub(crate) const fn settles(&self) -> bool {
        matches!(self.then, Then::Settled { .. })
    }
}

pub(crate) enum Then {
    Nothing,
    Settled { user: String, through: countersign_contract::StanzaId },
    Events { user: String },
    Offline { user: countersign_contract::UserId },
    Snapshot { user: String, name: String },
    Clone { name: String },
    Restored { name: String, user: countersign_contract::UserId, log: u64 },
}

impl Instance {
    /// Carries out actions until one waits for an answer.
    pub(crate) fn advance(&mut self) {
        while self.waiting.is_none() && self.leaving.is_none() && self.burst.is_none() && !self.is_finished() {
            match self.actions.pop_front() {
                Some(action) => self.act(action),
                None => break,
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Begin(index) => match self.plan.scenario.steps.get(index).cloned() {
                Some(step) => {
                    self.step = Some(index);
                    self.log(Event::Step { index });
                    self.expand(step);
                    self.actions.push_back(Action::Begin(index + 1));
                }
                None => self.actions.push_back(Action::Wrap),
            },
            Action::Call(call) => {
                self.call(call, Then::Nothing);
            }
            Action::Disconnect(user) => {
                let instance = self.plan.instance;
                self.call(Call::Disconnect(Disconnect { instance, user }), Then::Offline { user });
            }
            Action::Connect(name) => {
                if let Some(user) = self.user(&name) {
                    let instance = self.plan.instance;
                    self.call(Call::Connect(Connect { instance, user }), Then::Nothing);
                }
            }
            Action::Enlist(name) => self.enlist(&name),
            Action::Snapshot(step) => self.call_snapshot(step),
            Action::Clone(step) => self.call_clone(step),
            Action::Restore(restore, then) => self.call(Call::Restore(restore), then),
            Action::Send(send) => self.send(&send),
            Action::SendToGroup(send) => self.send_to_group(&send),
            Action::Many(many) => self.many(&many),
            Action::SettleAll(rounds) => self.settle_next(rounds),
            Action::Events(name) => self.fetch_events(&name),
            Action::Exchange(exchange, next) => self.exchange(exchange, next),
            Action::Burst(burst) => self.begin_burst(&burst),
            Action::Wrap => {
                self.step = Some(self.plan.scenario.steps.len());
                self.actions.push_back(Action::SettleAll(0));
                let candidates: Vec<String> = self.candidates();
                self.actions.extend(candidates.into_iter().map(Action::Events));
                self.actions.push_back(Action::Close);
                self.log(Event::Finished);
            }
            Action::Close => {
                let instance = self.plan.instance;
                self.call(Call::Close(Close { instance }), Then::Nothing);
                if let Some(waiting) = self.waiting.as_mut() {
                    waiting.closing = true;
                }
            }
        }
    }

    /// Emits a call and waits for it.
    pub(crate) fn call(&mut self, call: Call, then: Then) {
        let id = self.emit_call(call);
        self.waiting = Some(Waiting { call: id, closing: false, then });
    }

    /// Emits a call.
    pub(crate) fn emit_call(&mut self, call: Call) -> u64 {
        let id = self.next_call;
        self.next_call += 1;
        let step = self.step.filter(|s| *s < self.plan.scenario.steps.len());
        self.log(Event::Call { call: id, op: call.operation().as_str().to_owned(), args: call.args(), step });
        self.outputs.push(Output::Call { id, call });
        id
    }

    /// Goes on after an answer that is no fault.
    pub(crate) fn continue_after(&mut self, waiting: Waiting, outcome: &Outcome) {
        if waiting.closing {
            return self.end();
        }
        match waiting.then {
            Then::Nothing => {}
            Then::Offline { user } => self.await_offline(user),
            Then::Snapshot { user, name } => self.snapshot_taken(&user, name, outcome),
            Then::Clone { name } => self.clone_made(name, outcome),
            Then::Restored { name, user, log } => {
                self.restored(&name, log, outcome);
                self.await_offline(user);
            }
            Then::Settled { user, through } => {
                if let Some(member) = self.members.get_mut(&user) {
                    member.settled = Some(through);
                }
            }
            Then::Events { user } => {
                if self.take_events(&user, outcome) {
                    self.actions.push_front(Action::Events(user));
                }
            }
        }
    }

    /// The answer of a client that went offline and the end of its channel come on two ways, and either may be first. Nothing goes on
    /// before both are there: what follows would else find a user online who is not.
    fn await_offline(&mut self, user: countersign_contract::UserId) {
        if self.gateway.is_online(user) {
            let timer = self.set_timer(LONGEST_LEAVING_US);
            self.leaving = Some((user, timer));
        }
    }

    /// Moves the cursor behind the events of an answer. True if there may be more.
    pub(crate) fn take_events(&mut self, user: &str, outcome: &Outcome) -> bool {
        let Outcome::Ok(value) = outcome else { return false };
        let Ok(Answer::Events(list)) = Operation::Events.parse_answer(value.clone()) else { return false };
        let Some(member) = self.members.get_mut(user) else { return false };
        let last = list.events.iter().map(|e| e.seq).max().unwrap_or(member.cursor);
        let moved = last > member.cursor;
        member.cursor = member.cursor.max(last);
        moved && list.events.len() >= 256
    }

    pub(crate) fn candidates(&self) -> Vec<String> {
        self.members.iter().filter(|(_, m)| m.is_candidate()).map(|(name, _)| name.clone()).collect()
    }

    /// One candidate user that has something left to settle, and then the next.
    fn settle_next(&mut self, rounds: u32) {
        let next = self.members.iter().find_map(|(name, m)| {
            let through = m.unsettled()?;
            (m.is_candidate() && !m.deleted && self.gateway.is_online(m.user)).then(|| (name.clone(), m.user, through))
        });
        let Some((user, id, through)) = next else { return };
        if rounds >= MOST_SETTLE_ROUNDS {
            return;
        }
        let settle = Settle { instance: self.plan.instance, user: id, through };
        self.call(Call::Settle(settle), Then::Settled { user, through });
        self.actions.push_front(Action::SettleAll(rounds + 1));
    }

    fn fetch_events(&mut self, name: &str) {
        let Some(member) = self.members.get(name).filter(|m| !m.deleted) else { return };
        let events = Events { instance: self.plan.instance, user: member.user, after: member.cursor, wait_ms: 0 };
        self.call(Call::Events(events), Then::Events { user: name.to_owned() });
    }

    fn is_candidate(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(crate::members::Member::is_candidate)
    }

    /// Notes that the current step cannot be carried out.
    pub(crate) fn skip(&mut self, missing: impl Into<String>) {
        if let Some(index) = self.step {
            self.log(Event::Skipped { index, missing: missing.into() });
        }
    }

    fn expand(&mut self, step: Step) {
        let instance = self.plan.instance;
        match step {
            Step::Send(send) => self.actions.push_back(Action::Send(send)),
            Step::Expect(expect) => self.expand_expect(&expect),
            Step::Release(name) => self.with_stanza(&name, |gateway, stanza| gateway.release(stanza)),
            Step::Drop(name) => self.with_stanza(&name, |gateway, stanza| gateway.drop_held(stanza)),
            Step::Replay(replay) => {
                let under = replay.name.map(|name| {
                    let id = self.fresh_id();
                    self.name(name, id);
                    id
                });
                self.with_stanza(&replay.stanza, |gateway, stanza| gateway.redeliver(stanza, under));
            }
            Step::Misdeliver(misdeliver) => self.misdeliver(&misdeliver),
            Step::ForgeRetry(forge) => self.forge_retry(&forge),
            Step::Connect(name) if self.is_candidate(&name) => self.actions.push_back(Action::Connect(name)),
            Step::Connect(name) => self.reference_online(&name, true),
            Step::Disconnect(name) if self.is_candidate(&name) => {
                if let Some(user) = self.user(&name) {
                    self.actions.push_back(Action::Disconnect(user));
                }
            }
            Step::Disconnect(name) => self.reference_online(&name, false),
            Step::Advance(seconds) => {
                let by_ms = seconds.saturating_mul(1000);
                self.now_ms = self.now_ms.saturating_add(by_ms);
                let effects = self.gateway.advance(by_ms);
                self.apply(effects);
                self.actions.push_back(Action::Call(Call::AdvanceClock(AdvanceClock { instance, by_ms })));
            }
            Step::FetchKeys(fetch) => match (self.user(&fetch.user), self.user(&fetch.of)) {
                (Some(user), Some(of)) if self.is_candidate(&fetch.user) => {
                    self.actions.push_back(Action::Call(Call::FetchKeys(FetchKeys { instance, user, of })));
                }
                (Some(_), Some(of)) => {
                    self.reference_fetch(&fetch.user, of, &fetch.alter);
                }
                _ => self.skip("a user"),
            },
            Step::Bundle(bundle) => self.arm_bundle(&bundle),
            Step::RotateKeys(rotate) if self.is_candidate(&rotate.user) => {
                if let Some(user) = self.user(&rotate.user) {
                    let language::RotateKeys { signed, one_time_prekeys, .. } = rotate;
                    let kyber = rotate.kyber && self.plan.suite.suite == Suite::SignalPq;
                    let call = RotateKeys { instance, user, signed, kyber, one_time_prekeys };
                    self.actions.push_back(Action::Call(Call::RotateKeys(call)));
                }
            }
            Step::RotateKeys(rotate) => self.reference_rotate(&rotate),
            Step::Reinstall(name) if self.is_candidate(&name) => self.reinstall_candidate(&name),
            Step::Reinstall(name) => self.reinstall(&name),
            Step::TryConnect(attempt) => self.actions.push_back(Action::Connect(attempt.user)),
            Step::AskAgain(ask) => self.ask_again_often(&ask),
            Step::Many(many) => self.actions.push_back(Action::Many(many)),
            Step::UnknownStanza(unknown) => self.say_unknown(&unknown),
            Step::CreateGroup(create) => self.create_group(&create),
            Step::ChangeGroup(change) => self.change_group(&change),
            // Everybody knows the list by then: what a user sends on the basis of an older one is no honest message.
            Step::SendToGroup(send) => {
                self.actions.push_back(Action::SettleAll(0));
                self.actions.push_back(Action::SendToGroup(send));
            }
            Step::Redeliver(again) => self.redeliver(&again),
            Step::LoseNext(lose) => self.lose_next(&lose),
            Step::ExtraMembers(on) => self.extra_members = on,
            Step::Snapshot(step) => self.take_snapshot(step),
            Step::Restore(step) => self.restore(&step),
            Step::Clone(step) => self.make_clone(step),
            Step::Deliver(step) => self.deliver(&step),
            Step::Export(step) => self.export(&step.of),
            Step::SendStored(send) => self.send_stored(&send),
            Step::StoreBlob(blob) => self.store_blob(&blob),
            Step::ServeBundle(serve) => self.serve_bundle(&serve),
            Step::AcceptIdentity(pair) => match (self.user(&pair.user), self.user(&pair.peer)) {
                (Some(user), Some(peer)) if self.is_candidate(&pair.user) => {
                    self.actions.push_back(Action::Call(Call::AcceptIdentity(AcceptIdentity { instance, user, peer })));
                }
                (Some(_), Some(peer)) => {
                    self.with_reference(&pair.user, |r| r.accept_identity(peer));
                }
                _ => self.skip("a user"),
            },
            Step::Block(pair) => self.block(&pair, true),
            Step::Unblock(pair) => self.block(&pair, false),
            Step::VerifyIdentity(verify) => match (self.user(&verify.user), self.user(&verify.peer)) {
                (Some(user), Some(peer)) if self.is_candidate(&verify.user) => {
                    self.actions.push_back(Action::Call(Call::VerifyIdentity(VerifyIdentity { instance, user, peer })));
                }
                (Some(user), Some(peer)) => match self.with_reference(&verify.user, |r| r.safety_number(peer)) {
                    Some(Ok(digits)) => self.observe(Some(user), Observation::SafetyNumber { peer, digits }),
                    _ => self.skip(format!("an identity key of {} at {}", verify.peer, verify.user)),
                },
                _ => self.skip("a user"),
            },
            Step::Fault(fault) => self.arm_fault(&fault),
            Step::Media(rule) => self.arm_media(&rule),
            Step::Exchange(exchange) => self.actions.push_back(Action::Exchange(exchange, 1)),
            Step::Burst(burst) => self.actions.push_back(Action::Burst(burst)),
            Step::DeleteUser(name) => match self.user(&name) {
                Some(user) if self.is_candidate(&name) => {
                    if let Some(member) = self.members.get_mut(&name) {
                        member.deleted = true;
                    }
                    self.actions.push_back(Action::Call(Call::DeleteUser(DeleteUser { instance, user })));
                }
                _ => self.reference_delete(&name),
            },
        }
    }

    fn with_stanza(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut countersign_gateway::Gateway, countersign_contract::StanzaId) -> Vec<countersign_gateway::Effect>,
    ) {
        match self.names.get(name).copied() {
            Some(stanza) if self.gateway.stanza(stanza).is_some() => {
                let effects = work(&mut self.gateway, stanza);
                self.apply(effects);
            }
            _ => self.skip(format!("the stanza {name}")),
        }
    }

    /// Everything that a candidate has to process is processed before an expectation, and what its user saw is fetched.
    fn expand_expect(&mut self, expect: &Expect) {
        self.actions.push_back(Action::SettleAll(0));
        let user = match expect {
            Expect::ShowsOrRefuses(language::ShowsOrRefuses { user, .. })
            | Expect::Shows { user, .. }
            | Expect::Refuses { user, .. }
            | Expect::ShowsNothingOf { user, .. }
            | Expect::CannotRead { user, .. }
            | Expect::Notice { user, .. }
            | Expect::Receipt { user, .. }
            | Expect::NoReceipt { user, .. } => user,
            _ => return,
        };
        if self.is_candidate(user) {
            self.actions.push_back(Action::Events(user.clone()));
        }
    }

    fn exchange(&mut self, exchange: language::Exchange, next: u32) {
        if next > exchange.messages {
            let ends = exchange.between.into_iter().filter(|name| self.is_candidate(name)).collect::<Vec<_>>();
            for name in ends {
                self.actions.push_front(Action::Events(name));
            }
            return;
        }
        let [first, second] = &exchange.between;
        let (from, to) = if next % 2 == 1 { (first, second) } else { (second, first) };
        let content = language::ContentSpec::Text(format!("message {next}"));
        let send = language::Send::plain(from, to, format!("{}{next}", exchange.name), content);
        self.actions.push_front(Action::Exchange(exchange, next + 1));
        self.actions.push_front(Action::SettleAll(0));
        self.actions.push_front(Action::Send(send));
    }

    fn begin_burst(&mut self, burst: &language::Burst) {
        match BurstState::new(burst, self.at_us) {
            Some(state) => {
                self.burst = Some(state);
                self.continue_burst();
            }
            None => self.skip("a burst of at least one message"),
        }
    }

    /// Calls `send_to_group` at the candidate.
    pub(crate) fn call_send_to_group(&mut self, send: countersign_contract::operations::SendToGroup) {
        self.call(Call::SendToGroup(send), Then::Nothing);
    }

    /// Calls `send` at the candidate.
    pub(crate) fn call_send(&mut self, send: countersign_contract::operations::Send) {
        self.call(Call::Send(send), Then::Nothing);
    }
}
