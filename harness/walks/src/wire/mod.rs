//! Malformed input under valid MACs, for what no honest peer and no scenario sends.
//!
//! A [`Talk`] is a conversation between a user of the candidate and a peer of ours on the stack that can be told to misbehave. In
//! between honest messages the peer sends [`Input`]s: contents, messages and files that were [edited](countersign_adversary::alter::Edit)
//! before they were encrypted and authenticated, so that they reach the parsers that a network attacker never reaches. After each the
//! client must still be there and answer in time, and after every few an honest message must be shown in either direction.
//!
//! Whether an input is shown is left to the candidate where readers of protobuf differ: an unknown field may be skipped, a number in
//! too many bytes may be refused. If it is shown, then as it was sent: no edit changes what is said. Where nothing is left that could be
//! shown, or the contract says that it is refused, nothing of it may be ([`Input::broken`]).
//!
//! * [`draw`]: inputs and conversations from a seed.
//! * [`shrink`]: from a conversation that failed to the one input that does it.
//! * [`search`]: the whole, with the same findings and files as random walks.

pub mod draw;
pub mod search;
pub mod shrink;

use crate::model::{EXCHANGE, Told};
use countersign_adversary::Alteration;
use countersign_adversary::alter::Part;
use countersign_contract::Reason;
use countersign_contract::claims::{Feature, Suite};
use countersign_contract::seen::MediaKind;
use countersign_scenarios::language::{
    Bundle, BundleBend, ContentSpec, Expect, FetchKeys, FileSpec, Network, Rewrite, Send, Stack,
};
use countersign_scenarios::{Cast, Scenario, Side, Step};
use std::collections::BTreeMap;

/// Whatever comes in, the client goes on.
pub(crate) const SURVIVES: &str = "ROB-01";
/// Of what is malformed nothing is shown.
pub(crate) const REFUSED: &str = "ROB-02";
/// What is refused changes nothing.
pub(crate) const UNCHANGED: &str = "SIG-11";

/// A bundle that is not as it has to be is refused as a whole.
pub(crate) const BUNDLE: &str = "PK-07";

const OURS: &str = "mallory";
const THEIRS: &str = "alice";
/// Somebody else, who is honest.
const OTHER: &str = "bob";

/// Something malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is made from.
    pub carries: Carries,
    /// What is done to it, by its sender.
    pub alter: Vec<Alteration>,
    /// What the server writes wrongly, into the stanza that carries it, or into the bundle.
    pub rewrites: Vec<Rewrite>,
    /// Whether nothing of it may be shown. Else it may be shown as it was sent, or refused.
    pub broken: bool,
}

/// What an input is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// A text.
    Text,
    /// A file of so many bytes.
    File(u32),
    /// No message: a bundle that the candidate's user fetches.
    Bundle,
}

/// What is malformed. Different code reads different ones of these, so that failures are told apart by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A part of a message.
    Part(Part),
    /// A stanza.
    Stanza,
    /// A bundle.
    Bundle,
}

/// A conversation with inputs in between. The first inputs come before the candidate's user has answered anything, in first messages;
/// after each list of them both say something honest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talk {
    /// The inputs between honest messages.
    pub parts: Vec<Vec<Input>>,
    /// Who says something honest after the last of them.
    pub after: After,
}

/// What honest messages come last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// One each way.
    #[default]
    Both,
    /// One to the candidate.
    Ours,
    /// None.
    Nothing,
}

/// A step of a talk, with the input that it belongs to: how-manieth of all.
struct Placed {
    told: Told,
    input: Option<usize>,
}

impl Talk {
    /// How many inputs there are.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }

    /// The steps, each with the requirement that a failure of it misses.
    #[must_use]
    pub fn steps(&self) -> Vec<Told> {
        self.placed().into_iter().map(|placed| placed.told).collect()
    }

    /// Inputs that may be to blame for a failure in a step, the likeliest first.
    pub(crate) fn suspects(&self, step: Option<usize>) -> Vec<usize> {
        let placed = self.placed();
        let until = step.unwrap_or(placed.len());
        let mut suspects: Vec<usize> = placed.iter().take(until + 1).rev().filter_map(|placed| placed.input).collect();
        suspects.extend(placed.iter().skip(until + 1).filter_map(|placed| placed.input));
        let mut once = Vec::new();
        for suspect in suspects {
            if !once.contains(&suspect) {
                once.push(suspect);
            }
        }
        once
    }

    fn placed(&self) -> Vec<Placed> {
        let mut steps = Vec::new();
        let mut count = 0;
        if self.begins_with_bundle() {
            let name = "b0".to_owned();
            let send = Send::plain(OTHER, THEIRS, name.clone(), ContentSpec::Text(format!("honest {name}")));
            let shows = Expect::Shows { user: THEIRS.to_owned(), messages: vec![name], in_order: false };
            for step in [Step::Send(send), Step::Expect(shows)] {
                steps.push(Placed { told: Told { step, requirement: EXCHANGE }, input: None });
            }
        }
        for (round, part) in self.parts.iter().enumerate() {
            for input in part {
                count += 1;
                let mut add = |step, requirement| {
                    steps.push(Placed { told: Told { step, requirement }, input: Some(count - 1) });
                };
                let name = format!("x{count}");
                input.given(name.clone(), count).into_iter().for_each(|(step, requirement)| add(step, requirement));
                add(Step::Expect(Expect::Survives { user: THEIRS.to_owned() }), SURVIVES);
                if input.broken {
                    let nothing = Expect::ShowsNothingOf { user: THEIRS.to_owned(), stanza: name };
                    add(Step::Expect(nothing), REFUSED);
                }
            }
            let mut add = |step, requirement| steps.push(Placed { told: Told { step, requirement }, input: None });
            let honest: &[(&str, &str, char)] = match self.after {
                After::Ours if round + 1 == self.parts.len() => &[(OURS, THEIRS, 'm')],
                // A bundle may be refused, and that alone would say nothing.
                After::Nothing if round + 1 == self.parts.len() && part.iter().any(Input::is_bundle) => &[(OURS, THEIRS, 'm')],
                After::Nothing if round + 1 == self.parts.len() => &[],
                _ => &[(OURS, THEIRS, 'm'), (THEIRS, OURS, 'r')],
            };
            for &(from, to, letter) in honest {
                let name = format!("{letter}{}", round + 1);
                add(Step::Send(Send::plain(from, to, name.clone(), ContentSpec::Text(format!("honest {name}")))), UNCHANGED);
                let shows = Expect::Shows { user: to.to_owned(), messages: vec![name], in_order: false };
                add(Step::Expect(shows), UNCHANGED);
            }
        }
        if self.after == After::Nothing {
            return steps;
        }
        let survives = Expect::Survives { user: THEIRS.to_owned() };
        steps.push(Placed { told: Told { step: Step::Expect(survives), requirement: SURVIVES }, input: None });
        steps
    }

    /// Whether a bundle comes before anything honest: then somebody else says something first, so that a candidate which refuses
    /// everything does not pass, and this is still the first that is heard of whose bundle it is.
    fn begins_with_bundle(&self) -> bool {
        self.parts.first().is_some_and(|part| part.iter().any(Input::is_bundle))
    }

    /// With only these of its inputs. What came before an answer stays there, and what came after one stays after one.
    pub(crate) fn with_only(&self, kept: &[usize]) -> Self {
        let mut next = 0;
        let mut parts: Vec<Vec<Input>> = Vec::new();
        for (round, part) in self.parts.iter().enumerate() {
            let left: Vec<Input> = part
                .iter()
                .filter(|_| {
                    next += 1;
                    kept.contains(&(next - 1))
                })
                .cloned()
                .collect();
            // The first honest messages begin the session that all later ones are in.
            if round == 0 || !left.is_empty() {
                parts.push(left);
            }
        }
        Self { parts, ..self.clone() }
    }

    /// Whether something is edited that only the newer suite has: the post-quantum ratchet's message, or a Kyber prekey's part.
    fn is_about_pq(&self) -> bool {
        let kyber = |rewrite: &Rewrite| rewrite.member.first().is_some_and(|member| member == "kyber_prekey");
        let pq = |alteration: &Alteration| {
            let Alteration::Edit(edit) = alteration else { return false };
            matches!((edit.part, edit.field.as_slice()), (Part::Inner, [5, ..]) | (Part::Outer, [7 | 8, ..]))
        };
        self.parts.iter().flatten().any(|input| input.alter.iter().any(pq) || input.rewrites.iter().any(kyber))
    }

    /// What is malformed in the first of its inputs.
    pub(crate) fn about(&self) -> Option<About> {
        let input = self.parts.iter().flatten().next()?;
        if input.carries == Carries::Bundle {
            return Some(About::Bundle);
        }
        let part = input.alter.iter().find_map(|alteration| match alteration {
            Alteration::Edit(edit) => Some(About::Part(edit.part)),
            _ => None,
        });
        part.or(Some(About::Stanza))
    }

    pub(crate) fn input(&self, index: usize) -> Option<&Input> {
        self.parts.iter().flatten().nth(index)
    }

    pub(crate) fn input_mut(&mut self, index: usize) -> Option<&mut Input> {
        self.parts.iter_mut().flatten().nth(index)
    }

    /// The scenario under an id.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Scenario {
        let steps = self.steps();
        let mut verifies: Vec<String> = Vec::new();
        for requirement in steps.iter().map(|told| told.requirement) {
            if !verifies.iter().any(|known| known == requirement) {
                verifies.push(requirement.to_owned());
            }
        }
        let files = self.parts.iter().flatten().any(|input| matches!(input.carries, Carries::File(_)));
        let mut cast = BTreeMap::from([
            (THEIRS.to_owned(), Cast::plain(Side::Candidate)),
            (OURS.to_owned(), Cast { stack: Stack::Adversary, ..Cast::plain(Side::Reference) }),
        ]);
        if self.begins_with_bundle() {
            cast.insert(OTHER.to_owned(), Cast::plain(Side::Reference));
        }
        Scenario {
            id: id.to_owned(),
            title: "Malformed input between honest messages".to_owned(),
            why: "Whoever a user talks to can send this: it is encrypted and authenticated, and no server in between can filter it.".to_owned(),
            verifies,
            twin: false,
            features: if files { vec![Feature::File] } else { Vec::new() },
            capabilities: Vec::new(),
            suites: if self.is_about_pq() { vec![Suite::SignalPq] } else { Vec::new() },
            trust_root: None,
            exclusive: false,
            heavy: false,
            cases: Vec::new(),
            cast,
            steps: steps.into_iter().map(|told| told.step).collect(),
        }
    }
}

impl Input {
    fn is_bundle(&self) -> bool {
        self.carries == Carries::Bundle
    }

    /// The steps that bring it to the candidate, under a name.
    fn given(&self, name: String, count: usize) -> Vec<(Step, &'static str)> {
        let content = match self.carries {
            Carries::Text => ContentSpec::Text(format!("text {count}")),
            Carries::File(bytes) => {
                ContentSpec::File(FileSpec { kind: MediaKind::File, bytes, mime: None, name: None, label: None })
            }
            Carries::Bundle => return self.fetched(name),
        };
        let network = (!self.rewrites.is_empty()).then(|| Network::Rewrite(self.rewrites.clone()));
        let send = Send { alter: self.alter.clone(), network, ..Send::plain(OURS, THEIRS, name, content) };
        vec![(Step::Send(send), SURVIVES)]
    }

    fn fetched(&self, name: String) -> Vec<(Step, &'static str)> {
        let bundle = Bundle { of: OURS.to_owned(), rule: BundleBend::Rewrite(self.rewrites.clone()) };
        let fetch = FetchKeys { user: THEIRS.to_owned(), of: OURS.to_owned(), name: name.clone(), alter: Vec::new() };
        let reasons = vec![Reason::Malformed, Reason::BadKey, Reason::BadSignature, Reason::TooLarge, Reason::GatewayError];
        let either = Expect::Problem { step: name, reasons, or_succeeds: true };
        vec![(Step::Bundle(bundle), SURVIVES), (Step::FetchKeys(fetch), SURVIVES), (Step::Expect(either), BUNDLE)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Found, Mode};
    use crate::strategy::runner;
    use crate::{Abilities, Cause, write};

    /// Whatever becomes of a conversation, it can be handed over.
    #[test]
    fn every_conversation_is_a_valid_file_however_much_of_it_is_left() {
        let suite = countersign_scenarios::Suite::builtin().unwrap();
        let requirements: Vec<_> = suite.requirements.values().cloned().collect();
        let mut bundles = 0;
        for (spoken, profile) in [(Suite::SignalPq, "dma-basic"), (Suite::SignalClassic, "dma-classic")] {
            for number in 0..20 {
                let talk = draw::talk(runner(&[5; 32], number).rng(), Abilities::all(spoken), draw::INPUTS);
                let mut forms: Vec<Talk> = (0..talk.inputs()).map(|input| talk.with_only(&[input])).collect();
                forms.extend(forms.clone().into_iter().map(|talk| Talk { parts: vec![talk.parts.concat()], ..talk }));
                forms.push(talk);
                bundles += forms.iter().filter(|talk| talk.begins_with_bundle()).count();
                let afters = [After::Both, After::Ours, After::Nothing].into_iter();
                let found = |(at, (talk, after)): (usize, (Talk, After))| Found {
                    mode: Mode::Wire,
                    cause: Cause { requirement: SURVIVES.to_owned(), finding: "died".to_owned() },
                    observed: String::new(),
                    walks: 1,
                    first: number,
                    drawn_steps: 0,
                    executions: 0,
                    kept: None,
                    scenario: Talk { after, ..talk }.scenario(&format!("walks/x-{at}")),
                };
                let forms = forms.into_iter().flat_map(|talk| afters.clone().map(move |after| (talk.clone(), after)));
                let found: Vec<Found> = forms.enumerate().map(found).collect();
                write::suite(&found, &suite.profiles[profile], &requirements, "1").unwrap_or_else(|fault| panic!("{fault}"));
            }
        }
        assert!(bundles > 50, "{bundles}");
    }
}
