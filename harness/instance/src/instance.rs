//! The state of an instance and its one entrance.

use crate::members::{Member, Members};
use crate::plan::{Finished, InstancePlan, Output};
use crate::script::{Action, Waiting};
use crate::sealed::authority;
use crate::timed::BurstState;
use crate::{derive, script, stored};
use countersign_contract::content::Content;
use countersign_contract::operations::Open;
use countersign_contract::{Call, Reason, StanzaId, UserId};
use countersign_gateway::{Gateway, HttpRequest};
use countersign_reference::{CertificateAuthority, Config, ReferenceUser, Stack};
use countersign_scenarios::language::{self, Expect, Rewrite};
use countersign_scenarios::{Side, Step};
use countersign_trace::event::{Entry, Event, Input, Outcome};
use countersign_trace::{Blobs, Body, MadeFile, Observation, Trace};
use std::collections::{BTreeMap, VecDeque};

/// Bodies of our own making up to this many bytes are kept with what the candidate sends.
pub(crate) const MOST_KEPT: usize = 1024 * 1024;

/// A message that somebody sent.
pub(crate) struct SentMessage {
    pub(crate) from: UserId,
    pub(crate) to: UserId,
    pub(crate) content: Content,
    /// There in what belongs to a group.
    pub(crate) group: Option<crate::groups::ToGroup>,
    /// Whether it went out sealed.
    pub(crate) sealed: bool,
}

/// One execution of one scenario.
pub struct Instance {
    pub(crate) plan: InstancePlan,
    pub(crate) trace: Trace,
    pub(crate) blobs: Blobs,
    pub(crate) at_us: u64,
    pub(crate) now_ms: u64,
    pub(crate) gateway: Gateway,
    pub(crate) members: Members,
    /// What scenarios call a stanza, and back.
    pub(crate) names: BTreeMap<String, StanzaId>,
    pub(crate) named: BTreeMap<StanzaId, String>,
    /// Messages of reference users, for answers to retry receipts.
    pub(crate) sent: BTreeMap<StanzaId, SentMessage>,
    /// Fields to tamper with, by stanza.
    pub(crate) bends: BTreeMap<StanzaId, script::StanzaBend>,
    /// Faults that are armed: name, endpoint and attempts so far.
    pub(crate) faults: Vec<(String, countersign_scenarios::language::Endpoint, u32)>,
    /// Files that reference users sent since downloads are bent; `None` if none is bent.
    pub(crate) media_armed: Option<u32>,
    /// Whether the gateway adds a member that nobody knows to what it gives to clients.
    pub(crate) extra_members: bool,
    /// What is written wrongly into stanzas, and into the next bundles of users.
    pub(crate) rewrites: BTreeMap<StanzaId, Vec<Rewrite>>,
    pub(crate) bundle_rewrites: BTreeMap<UserId, Vec<Rewrite>>,
    /// Who certifies the senders of sealed messages, where there are such.
    pub(crate) authority: Option<CertificateAuthority>,
    /// Plaintext files for users of the candidate to send, by the name under which the gateway serves them.
    pub(crate) files: BTreeMap<String, MadeFile>,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) waiting: Option<Waiting>,
    /// A user whose client says that it is offline, and whose channel is still open; and when that is waited for no longer.
    pub(crate) leaving: Option<(UserId, u64)>,
    pub(crate) burst: Option<BurstState>,
    /// Snapshots and copies of the candidate.
    pub(crate) states: crate::state::States,
    pub(crate) step: Option<usize>,
    pub(crate) next_call: u64,
    pub(crate) next_timer: u64,
    pub(crate) next_id: u64,
    pub(crate) outputs: Vec<Output>,
    pub(crate) crypto_us: u64,
    finished: bool,
}

impl Instance {
    /// Sets the stage; nothing happens before `Input::Start`.
    #[must_use]
    pub fn new(plan: InstancePlan) -> Self {
        let mut gateway = Gateway::new(derive::digest(&plan.seed, &["gateway"]), plan.suite.suite);
        let mut crypto_us = 0;
        let mut members = Members::new();
        for (name, cast) in &plan.scenario.cast {
            let user = stored::fixed_user(cast).unwrap_or_else(|| UserId(derive::user(&plan.seed, name, cast.zero_byte_name)));
            if cast.side == Side::Reference {
                gateway.register_reference(user);
            }
            let config = || Config {
                seed: plan.seed,
                scenario: plan.name.clone(),
                name: name.clone(),
                user,
                suite: plan.suite.suite,
                stack: match cast.stack {
                    language::Stack::Library => Stack::Library,
                    language::Stack::Adversary => Stack::Adversary,
                },
                one_time_prekeys: cast.one_time_prekeys,
                publishes_one_time_kyber: true,
            };
            let mut cast = cast.clone();
            if cast.known_keys {
                let begin = (plan.meter)();
                cast.fixed = Some(Box::new(language::Fixed { import: Self::known_keys(config()), ..language::Fixed::default() }));
                crypto_us += (plan.meter)().saturating_sub(begin);
                cast.one_time_prekeys = 0;
            }
            let reference = (cast.side == Side::Reference && !stored::is_stored(&cast)).then(|| {
                let begin = (plan.meter)();
                let made = ReferenceUser::new(config());
                crypto_us += (plan.meter)().saturating_sub(begin);
                made
            });
            members.insert(name.clone(), Member::new(cast, user, reference));
        }
        let authority = plan.suite.sealed.then(|| authority(&plan.seed));
        Self {
            plan,
            trace: Trace::new(),
            blobs: Blobs::new(),
            at_us: 0,
            now_ms: 0,
            gateway,
            members,
            names: BTreeMap::new(),
            named: BTreeMap::new(),
            sent: BTreeMap::new(),
            bends: BTreeMap::new(),
            faults: Vec::new(),
            media_armed: None,
            extra_members: false,
            rewrites: BTreeMap::new(),
            bundle_rewrites: BTreeMap::new(),
            authority,
            files: BTreeMap::new(),
            actions: VecDeque::new(),
            waiting: None,
            leaving: None,
            burst: None,
            states: crate::state::States::default(),
            step: None,
            next_call: 1,
            next_timer: 1,
            next_id: 1,
            outputs: Vec::new(),
            crypto_us,
            finished: false,
        }
    }

    /// Takes bytes that came in, for an [`Input`].
    pub fn body(&mut self, bytes: &[u8]) -> Body {
        Body::new(bytes, &mut self.blobs)
    }

    /// The same without a copy, for bodies that may be large.
    pub fn shared_body(&mut self, mut bytes: bytes::Bytes) -> Body {
        Body::share(&mut bytes, &mut self.blobs)
    }

    /// Takes the body of an answer or request of our own making. A large file is not kept: re-execution makes it again.
    pub(crate) fn ours(&mut self, bytes: &mut bytes::Bytes) -> Body {
        if bytes.len() > MOST_KEPT { Body::noted(bytes, &self.blobs) } else { Body::share(bytes, &mut self.blobs) }
    }

    /// Gives it the long bodies that a record refers to, before re-execution.
    pub fn lend(&mut self, blobs: &Blobs) {
        self.blobs.extend(blobs.iter().map(|(digest, bytes)| (*digest, bytes.clone())));
    }

    /// Whether nothing more will come of any input.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// The trace so far.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What is left of it.
    #[must_use]
    pub fn finish(self) -> Finished {
        Finished { trace: self.trace, blobs: self.blobs, crypto_us: self.crypto_us }
    }

    /// Consumes one input. `at_us` is microseconds since the instance began and must not go back.
    pub fn handle(&mut self, at_us: u64, input: Input) -> Vec<Output> {
        if self.finished {
            return Vec::new();
        }
        self.at_us = self.at_us.max(at_us);
        self.log(Event::Input(input.clone()));
        match input {
            Input::Start { now_ms } => self.start(now_ms),
            Input::Returned { call, outcome } => self.returned(call, outcome),
            Input::Request { request, method, path, token, body } => {
                let body = body.shared(&self.blobs).unwrap_or_default();
                let effects = self.gateway.http(request, HttpRequest { method, path, token, body });
                self.apply(effects);
            }
            Input::ChatOpened { channel, token } => match self.gateway.chat_opened(channel, token.as_deref()) {
                Ok(effects) => {
                    self.outputs.push(Output::AcceptChannel { channel });
                    self.apply(effects);
                }
                Err(reply) => {
                    self.log(Event::Close { channel });
                    self.outputs.push(Output::RejectChannel { channel, reply });
                }
            },
            Input::ChatFrame { channel, text } => {
                let text = text.bytes(&self.blobs).unwrap_or_default().to_vec();
                self.name_receipt(&text);
                let effects = self.gateway.frame(channel, &text);
                self.apply(effects);
            }
            // The client was told already, by the transport.
            Input::Refused { what, problem } => {
                // A body that did not come in time is the network's doing as likely as the candidate's.
                if problem.reason != Reason::Timeout {
                    self.observe(None, Observation::Invalid { what, detail: problem.detail });
                }
            }
            // As likely the network's doing as the candidate's; a client that goes on asks again.
            Input::BrokenOff { .. } => {}
            Input::ChatClosed { channel } => {
                let effects = self.gateway.chat_closed(channel);
                self.apply(effects);
                self.leaving.take_if(|(user, _)| !self.gateway.is_online(*user));
            }
            Input::Timer { timer } => {
                self.leaving.take_if(|(_, until)| *until == timer);
                self.timer(timer);
            }
            Input::Aborted { .. } => self.end(),
        }
        self.advance();
        std::mem::take(&mut self.outputs)
    }

    fn start(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        let instance = self.plan.instance;
        let names: Vec<String> = self.members.keys().cloned().collect();
        for name in &names {
            if let Some(user) = self.members.get(name).map(|m| m.user) {
                self.name(format!("user:{name}"), StanzaId(user.0));
            }
        }
        let (gateway, trust_anchors) = (self.plan.gateway_url.clone(), self.plan.trust_anchors.clone());
        let suite = self.plan.suite.said();
        let trust_root = self.authority.clone().map(|authority| self.found(authority, now_ms));
        // Stored messages lead to a root of their own, which certifies nobody here.
        let trust_root = trust_root.map(|made| self.plan.scenario.trust_root.clone().unwrap_or(made));
        let open = Call::Open(Open { instance, gateway, trust_anchors, clock: now_ms, suite, trust_root });
        self.actions.push_back(Action::Call(open));
        for name in names {
            let Some(member) = self.members.get(&name) else { continue };
            if member.is_candidate() {
                let (create, online) = (self.creation(&member.cast, member.user), member.cast.online);
                self.actions.push_back(Action::Call(Call::CreateUser(create)));
                if online {
                    self.actions.push_back(Action::Connect(name));
                }
            } else if member.cast.enlisted {
                self.actions.push_back(Action::Enlist(name));
            }
        }
        self.actions.push_back(Action::Begin(0));
    }

    /// Ends the instance as it is.
    pub(crate) fn end(&mut self) {
        if !self.finished {
            self.finished = true;
            self.actions.clear();
            self.outputs.push(Output::Finished);
        }
    }

    /// Skips all steps that are left, since `missing` will not come any more, and closes.
    pub(crate) fn abandon(&mut self, missing: &str) {
        self.actions.clear();
        self.burst = None;
        let first = self.step.map_or(0, |s| s + 1);
        for index in first..self.plan.scenario.steps.len() {
            self.log(Event::Skipped { index, missing: missing.to_owned() });
        }
        self.step = Some(self.plan.scenario.steps.len());
        self.actions.push_back(Action::Close);
    }

    fn returned(&mut self, call: u64, outcome: Outcome) {
        if self.burst_returned(call, &outcome) {
            return;
        }
        let Some(waiting) = self.waiting.take_if(|w| w.call == call) else { return };
        let setup = self.step.is_none();
        match &outcome {
            // Nothing follows the close, however it ends.
            Outcome::Fault { .. } if waiting.closing => self.end(),
            Outcome::Fault { .. } => self.abandon("an answer of the candidate"),
            Outcome::Problem(_) if setup && !waiting.closing => self.abandon("the set-up"),
            // Where that is what the scenario is about, nobody waits for the rest as long as that again and again.
            Outcome::Problem(problem) if problem.reason == Reason::Timeout && waiting.settles() && self.is_about_survival() => {
                self.abandon("an answer of the candidate");
            }
            _ => self.continue_after(waiting, &outcome),
        }
    }

    fn is_about_survival(&self) -> bool {
        self.plan.scenario.steps.iter().any(|step| matches!(step, Step::Expect(Expect::Survives { .. })))
    }

    pub(crate) fn log(&mut self, event: Event) {
        let n = self.trace.len() as u64;
        self.trace.push(Entry { n, at_us: self.at_us, event });
    }

    pub(crate) fn observe(&mut self, user: Option<UserId>, observation: Observation) {
        self.log(Event::Observed { user, observation });
    }

    /// Gives a stanza its name, unless it has one.
    pub(crate) fn name(&mut self, name: String, stanza: StanzaId) {
        if self.named.contains_key(&stanza) {
            return;
        }
        // A second resend of one message is `m1/resend2`.
        let mut unique = name.clone();
        let mut count = 1;
        while self.names.contains_key(&unique) {
            count += 1;
            unique = format!("{name}{count}");
        }
        self.names.insert(unique.clone(), stanza);
        self.named.insert(stanza, unique.clone());
        self.log(Event::Named { name: unique, stanza });
    }

    /// A stanza id that nobody had before.
    pub(crate) fn fresh_id(&mut self) -> StanzaId {
        let count = self.next_id;
        self.next_id += 1;
        StanzaId(derive::uuid(&self.plan.seed, &["stanza", &count.to_string()]))
    }

    /// Runs cryptography of a reference user under the meter.
    pub(crate) fn with_reference<R>(&mut self, name: &str, work: impl FnOnce(&mut ReferenceUser) -> R) -> Option<R> {
        let begin = (self.plan.meter)();
        let result = self.members.get_mut(name)?.reference.as_mut().map(work);
        self.crypto_us += (self.plan.meter)().saturating_sub(begin);
        result
    }

    pub(crate) fn user(&self, name: &str) -> Option<UserId> {
        self.members.get(name).map(|m| m.user)
    }

    pub(crate) fn name_of(&self, user: UserId) -> Option<String> {
        self.members.iter().find(|(_, m)| m.user == user).map(|(name, _)| name.clone())
    }
}
