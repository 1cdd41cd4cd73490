//! What every check is judged in: profile, requirements, claims, and the index over the trace.

use crate::finding::Finding;
use crate::said::{Said, list, quote};
use crate::seen::{Called, Seen, Sent};
use countersign_contract::claims::{Capability, Description, Feature};
use countersign_contract::seen::{MediaKind, UserContent};
use countersign_contract::{Operation, Problem, Reason, StanzaId, UserId};
use countersign_scenarios::language::Expect;
use countersign_scenarios::{Profile, Requirement, Step};
use countersign_trace::event::{Fault, Outcome};
use countersign_trace::{Check, CheckKind, Verdict};
use std::collections::BTreeMap;

/// The context of an instance's checks.
pub(crate) struct Context<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) requirements: BTreeMap<&'a str, &'a Requirement>,
    pub(crate) description: &'a Description,
    pub(crate) seen: Seen<'a>,
}

impl Context<'_> {
    /// Whether the suite has post-quantum keys: message version 3 has none.
    pub(crate) fn has_kyber(&self) -> bool {
        self.profile.wire.has_kyber()
    }

    /// The check of a step.
    pub(crate) fn step_check(&self, kind: CheckKind, index: usize, said: Said) -> Check {
        said.check(format!("step-{index}"), kind, Some(index), self.concerned(index), &self.requirements)
    }

    /// The requirements that a step decides: all that its scenario verifies, but for the two latencies, which are measured over one
    /// burst and have a limit each. Otherwise slow receipts would say that messages are shown late.
    fn concerned(&self, index: usize) -> Vec<String> {
        let scenario = self.seen.scenario;
        let own = match scenario.steps.get(index) {
            Some(Step::Expect(Expect::DeliveryLatency { .. })) => Some("CT-04"),
            Some(Step::Expect(Expect::ReceiptLatency { .. })) => Some("CT-05"),
            _ => None,
        };
        match own.filter(|own| scenario.verifies.iter().any(|id| id == own)) {
            Some(own) => vec![own.to_owned()],
            None => scenario.verifies.clone(),
        }
    }

    /// Why a step cannot be judged, if it cannot: it was not carried out, or not to its end.
    pub(crate) fn gate(&self, index: usize, expected: &str) -> Option<Said> {
        if let Some((at, missing)) = self.seen.skipped.get(&index) {
            return Some(
                Said::blocked(expected, format!("not carried out, since this is missing: {missing}"))
                    .evidence([self.seen.n(*at)]),
            );
        }
        let begun = self.seen.steps.contains_key(&index);
        let last = self.seen.steps.keys().next_back() == Some(&index);
        if begun && (!last || self.seen.finished.is_some()) {
            return None;
        }
        Some(self.interrupted(expected, if begun { "the step was not carried to its end" } else { "the step was never begun" }))
    }

    /// What is said of something that the trace ends before.
    pub(crate) fn interrupted(&self, expected: &str, what: &str) -> Said {
        if let Some((at, cause, _)) = self.seen.aborted {
            let said = format!("{what}: {}", quote(cause));
            let said =
                if cause.starts_with("harness") { Said::harness(expected, said) } else { Said::environment(expected, said) };
            return said.evidence([self.seen.n(at)]);
        }
        // A call that ended in a fault explains what is missing, even at the very end.
        for call in &self.seen.calls {
            if let Some((at, Outcome::Fault { fault, detail })) = call.outcome {
                return Self::fault(call.op, *fault, detail, expected.to_owned()).evidence([self.seen.n(at)]);
            }
        }
        if self.seen.finished.is_some() {
            return Said::harness(expected, format!("{what}, though the scenario was carried out"));
        }
        Said::harness(expected, format!("{what}, and the trace does not say why"))
    }

    /// Why the instance was cut short from outside, if it was: not by a fault of ours.
    pub(crate) fn cut_short(&self) -> Option<String> {
        self.seen.aborted.filter(|(_, cause, _)| !cause.starts_with("harness")).map(|(_, cause, _)| quote(cause))
    }

    /// The id of a member of the cast.
    pub(crate) fn user(&self, name: &str) -> Result<UserId, Said> {
        self.seen.user(name).ok_or_else(|| Said::harness("a user of the cast", format!("the trace has no user {name}")))
    }

    /// The id of a named stanza. If it does not exist since its sender could not send it, that blocks what builds on it.
    pub(crate) fn stanza(&self, name: &str, expected: &str) -> Result<StanzaId, Said> {
        self.seen.names.get(name).copied().ok_or_else(|| {
            let sent_in = self.seen.message(name).map(|m| format!(" (step-{})", m.step)).unwrap_or_default();
            Said::blocked(expected, format!("there is no {name} in this instance{sent_in}"))
        })
    }

    /// A message that has to have been sent, with its id. If it was not, that blocks what builds on it.
    pub(crate) fn message(&self, name: &str, expected: &str) -> Result<(&Sent, StanzaId), Said> {
        let sent =
            self.seen.message(name).ok_or_else(|| Said::harness(expected, format!("the scenario sends no message {name}")))?;
        let id = sent.id.ok_or_else(|| Said::blocked(expected, format!("{name} was never sent (step-{})", sent.step)))?;
        Ok((sent, id))
    }

    /// Why a call cannot be judged, or what its problem says of the candidate; `Ok` with the answer if it succeeded.
    pub(crate) fn succeeded<'c>(&self, call: &'c Called<'_>) -> Result<(usize, &'c serde_json::Value), Said> {
        let expected = format!("`{}` succeeds", call.op);
        match call.outcome {
            Some((at, Outcome::Ok(value))) => match call.operation().map(|op| op.parse_answer(value.clone())) {
                Some(Err(error)) => Err(Said::environment(
                    expected,
                    format!("the answer of `{}` does not have the form of the contract: {error}", call.op),
                )
                .evidence([self.seen.n(call.at), self.seen.n(at)])),
                _ => Ok((at, value)),
            },
            Some((at, Outcome::Problem(problem))) => {
                Err(self.problem(call, problem, expected).evidence([self.seen.n(call.at), self.seen.n(at)]))
            }
            Some((at, Outcome::Fault { fault, detail })) => {
                Err(Self::fault(call.op, *fault, detail, expected).evidence([self.seen.n(call.at), self.seen.n(at)]))
            }
            None => Err(self.interrupted(&expected, &format!("`{}` never returned", call.op)).evidence([self.seen.n(call.at)])),
        }
    }

    /// What a call without a judgeable answer is.
    pub(crate) fn fault(op: &str, fault: Fault, detail: &str, expected: String) -> Said {
        let kind = match fault {
            Fault::Gone => "the candidate's endpoint is gone",
            Fault::Exceeded => "the candidate used more than it may",
            Fault::Overran => "the candidate used up its processor time",
            Fault::Deadline => "the deadline passed without an answer",
            Fault::NotTheContract => "the answer is not of the contract",
        };
        Said::environment(expected, format!("`{op}`: {kind}: {}", quote(detail)))
    }

    /// What a problem of an operation that had to succeed is.
    fn problem(&self, call: &Called<'_>, problem: &Problem, expected: String) -> Said {
        let observed = format!("`{}` answered {}: {}", call.op, problem.reason, quote(&problem.detail));
        if problem.reason != Reason::Unsupported {
            return Said::fail(Finding::OperationFailed, expected, observed).reason(Some(problem.reason));
        }
        match self.claims(call) {
            Claim::Made => Said::fail(Finding::ClaimedUnsupported, expected, format!("claimed, but {observed}")),
            Claim::NotMade => Said::pass(expected, format!("not claimed, and {observed}")).verdict(Verdict::NotApplicable),
            Claim::NoCapability => Said::pass(expected, format!("a test capability is missing: {observed}"))
                .verdict(self.profile.unsupported_counts_as),
        }
        .reason(Some(problem.reason))
    }

    /// Whether what a call asks for is required or claimed.
    fn claims(&self, call: &Called<'_>) -> Claim {
        let capability = match call.operation() {
            Some(Operation::AdvanceClock) => Some(Capability::VirtualClock),
            Some(Operation::Snapshot | Operation::Restore) => Some(Capability::Snapshot),
            Some(Operation::Clone | Operation::Deliver) => Some(Capability::Clone),
            Some(Operation::Export) => Some(Capability::Export),
            _ => None,
        };
        if let Some(capability) = capability {
            let claimed = self.description.capabilities.contains(&capability);
            return if claimed { Claim::Made } else { Claim::NoCapability };
        }
        let feature = match call.operation() {
            Some(Operation::VerifyIdentity) => Some(Feature::SafetyNumber),
            Some(Operation::Block) => Some(Feature::Block),
            Some(Operation::CreateGroup | Operation::ChangeGroup | Operation::SendToGroup) => Some(Feature::Group),
            Some(Operation::Send) if call.args.get("sealed") == Some(&true.into()) => Some(Feature::SealedSender),
            Some(Operation::Send) => crate::seen::content_of(call).as_ref().and_then(feature),
            _ => None,
        };
        // A scenario that needs a feature is only planned for a candidate that claims it.
        match feature {
            Some(f) if !self.description.features.contains(&f) && !self.seen.scenario.features.contains(&f) => Claim::NotMade,
            _ => Claim::Made,
        }
    }

    /// The calls of a step that let the candidate settle and ask what its users saw: the first one that cannot be judged, or that
    /// failed. `settle` of a user who is offline by the scenario may say so.
    pub(crate) fn looked(&self, index: Option<usize>) -> Result<(), Said> {
        let looks = |c: &&Called<'_>| matches!(c.operation(), Some(Operation::Settle | Operation::Events));
        for call in self.seen.calls.iter().filter(|c| c.step == index).filter(looks) {
            if let (Some((_, Outcome::Problem(problem))), Some(Operation::Settle), Some(user)) =
                (call.outcome, call.operation(), call.user("user"))
                && problem.reason == Reason::NotConnected
                && self.offline(user, call.at)
            {
                continue;
            }
            self.succeeded(call)?;
        }
        Ok(())
    }

    /// Whether the scenario has a user offline at a position.
    fn offline(&self, user: UserId, at: usize) -> bool {
        let scenario = self.seen.scenario;
        let is = |name: &str| self.seen.user(name) == Some(user);
        let mut offline = scenario.cast.iter().any(|(name, cast)| is(name) && !cast.online);
        for (index, step) in scenario.steps.iter().enumerate() {
            if self.seen.steps.get(&index).is_none_or(|range| range.start > at) {
                continue;
            }
            match step {
                Step::Connect(name) if is(name) => offline = false,
                Step::TryConnect(attempt) if is(&attempt.user) => offline = false,
                Step::Reinstall(name) if is(name) => offline = false,
                Step::Restore(restore) if is(&restore.user) => offline = true,
                Step::Disconnect(name) | Step::DeleteUser(name) if is(name) => offline = true,
                _ => {}
            }
        }
        offline
    }

    /// Reasons as words.
    pub(crate) fn reasons(reasons: &[Reason]) -> String {
        // A scenario with cases may name one twice.
        let mut once: Vec<&Reason> = Vec::new();
        for reason in reasons {
            if !once.contains(&reason) {
                once.push(reason);
            }
        }
        list(once)
    }
}

enum Claim {
    Made,
    NotMade,
    NoCapability,
}

/// The feature that a content belongs to; text is required of everybody.
fn feature(content: &UserContent) -> Option<Feature> {
    Some(match content {
        UserContent::Text { .. } => return None,
        UserContent::Media { media: MediaKind::Image, .. } => Feature::Image,
        UserContent::Media { media: MediaKind::Video, .. } => Feature::Video,
        UserContent::Media { media: MediaKind::Voice, .. } => Feature::Voice,
        UserContent::Media { media: MediaKind::File, .. } => Feature::File,
        UserContent::Reaction { .. } => Feature::Reaction,
        UserContent::Reply { .. } => Feature::Reply,
        UserContent::Edit { .. } => Feature::Edit,
        UserContent::Delete { .. } => Feature::Delete,
        UserContent::Typing { .. } => Feature::Typing,
        UserContent::Read { .. } => Feature::ReadReceipt,
    })
}
