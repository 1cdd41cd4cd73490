//! A conversation, and the scenario that it is.

use super::{
    About, After, BUNDLE, Carries, GROUP, Input, OTHER, OURS, REFUSED, SURVIVES, Setting, THEIRS, THIRD, Talk, UNCHANGED,
};
use crate::model::{EXCHANGE, Told};
use countersign_adversary::Alteration;
use countersign_adversary::alter::Part;
use countersign_contract::Reason;
use countersign_contract::claims::{Capability, Feature, Suite};
use countersign_contract::seen::MediaKind;
use countersign_scenarios::language::{
    Bundle, BundleBend, ContentSpec, CreateGroup, Expect, ExportState, FetchKeys, FileSpec, Network, Rewrite, Send, SendToGroup,
    Stack,
};
use countersign_scenarios::{Cast, Scenario, Side, Step};
use std::collections::BTreeMap;

/// A step of a talk, with the input that it belongs to: how-manieth of all.
struct Placed {
    told: Told,
    input: Option<usize>,
}

/// The steps of a talk as they are made.
#[derive(Default)]
struct Steps {
    placed: Vec<Placed>,
    /// The input that steps belong to from now on.
    input: Option<usize>,
    /// Whether the peer has to make a new sender key before it says anything honest.
    spoilt: bool,
}

impl Steps {
    fn add(&mut self, step: Step, requirement: &'static str) {
        self.placed.push(Placed { told: Told { step, requirement }, input: self.input });
    }

    fn survives(&mut self) {
        self.add(Step::Expect(Expect::Survives { user: THEIRS.to_owned() }), SURVIVES);
    }

    fn export(&mut self, name: &str) {
        self.add(Step::Export(ExportState { of: THEIRS.to_owned(), name: name.to_owned() }), SURVIVES);
    }

    /// A message to the group, under a new sender key where the present one cannot be relied on.
    fn group_message(&mut self, from: &str, name: &str, text: String, input: Option<&Input>, requirement: &'static str) {
        let spoils = input.is_some_and(Input::spoils_sender_key);
        let fresh_key = from == OURS && (self.spoilt || spoils);
        if from == OURS {
            self.spoilt = spoils;
        }
        let send = SendToGroup {
            from: from.to_owned(),
            group: GROUP.to_owned(),
            name: name.to_owned(),
            content: ContentSpec::Text(text),
            network: input.and_then(Input::network),
            copy_for: None,
            fresh_key,
            bend: None,
            alter: input.map(|input| input.alter.clone()).unwrap_or_default(),
            names_distribution_of: None,
        };
        self.add(Step::SendToGroup(send), requirement);
    }
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
        let mut steps = Steps::default();
        if self.begins_with_bundle() {
            let name = "b0".to_owned();
            let send = Send::plain(OTHER, THEIRS, name.clone(), ContentSpec::Text(format!("honest {name}")));
            steps.add(Step::Send(send), EXCHANGE);
            let shows = Expect::Shows { user: THEIRS.to_owned(), messages: vec![name], in_order: false };
            steps.add(Step::Expect(shows), EXCHANGE);
        }
        if self.setting == Setting::Group {
            let members = [Some(THEIRS), Some(THIRD).filter(|_| self.has_third())];
            let members = members.into_iter().flatten().map(str::to_owned).collect();
            let create = CreateGroup { by: OURS.to_owned(), members, name: GROUP.to_owned(), id: None };
            steps.add(Step::CreateGroup(create), SURVIVES);
        }
        let mut count = 0;
        for (round, part) in self.parts.iter().enumerate() {
            for input in part {
                count += 1;
                steps.input = Some(count - 1);
                self.put(&mut steps, input, count, round);
            }
            steps.input = None;
            let last = round + 1 == self.parts.len();
            let after = match self.after {
                _ if !last => After::Both,
                // A bundle may be refused, and that alone would say nothing.
                After::Nothing if part.iter().any(Input::is_bundle) => After::Ours,
                after => after,
            };
            for from in self.honest(after) {
                self.say(&mut steps, from, round + 1);
            }
        }
        if self.after != After::Nothing {
            steps.survives();
        }
        steps.placed
    }

    /// An input, and what must hold after it.
    fn put(&self, steps: &mut Steps, input: &Input, count: usize, round: usize) {
        let name = format!("x{count}");
        // Before anything was said, and with a new sender key, the state moves whatever comes of the message.
        let compared = input.unread && round > 0 && !steps.spoilt;
        let [before, after] = [format!("before{count}"), format!("after{count}")];
        if compared {
            steps.export(&before);
        }
        match input.carries {
            Carries::ToGroup => steps.group_message(OURS, &name, format!("text {count}"), Some(input), SURVIVES),
            Carries::Bundle => input.fetched(&name).into_iter().for_each(|(step, requirement)| steps.add(step, requirement)),
            Carries::Text | Carries::File(_) => steps.add(input.sent(&name, count, self.setting), SURVIVES),
        }
        steps.survives();
        if input.broken {
            steps.add(Step::Expect(Expect::ShowsNothingOf { user: THEIRS.to_owned(), stanza: name }), REFUSED);
        }
        if compared {
            steps.export(&after);
            steps.add(Step::Expect(Expect::SameExport { between: [before, after] }), UNCHANGED);
        }
    }

    /// Who says something honest.
    fn honest(&self, after: After) -> &'static [&'static str] {
        match (after, self.setting) {
            (After::Nothing, _) => &[],
            (After::Ours, _) => &[OURS],
            (After::Third, Setting::Group) => &[THIRD],
            (After::Both, Setting::Group) => &[OURS, THEIRS, THIRD],
            (After::Both | After::Third, Setting::Pair | Setting::Sealed) => &[OURS, THEIRS],
        }
    }

    /// Somebody says something honest, and everybody sees it.
    fn say(&self, steps: &mut Steps, from: &str, round: usize) {
        let letter = match from {
            OURS => 'm',
            THEIRS => 'r',
            _ => 'c',
        };
        let name = format!("{letter}{round}");
        let text = format!("honest {name}");
        let to: &[&str] = match (from, self.setting) {
            (THEIRS, Setting::Group) => &[OURS, THIRD],
            (THEIRS, _) => &[OURS],
            _ => &[THEIRS],
        };
        if self.setting == Setting::Group {
            steps.group_message(from, &name, text, None, UNCHANGED);
        } else {
            let other = to.first().copied().unwrap_or_default();
            // The peer opens no sealed message.
            let sealed = self.setting == Setting::Sealed && from == OURS;
            let send = Send { sealed, ..Send::plain(from, other, name.clone(), ContentSpec::Text(text)) };
            steps.add(Step::Send(send), UNCHANGED);
        }
        for user in to {
            let messages = vec![name.clone()];
            steps.add(Step::Expect(Expect::Shows { user: (*user).to_owned(), messages, in_order: false }), UNCHANGED);
        }
    }

    /// Whether the third member of the group says or sees anything.
    fn has_third(&self) -> bool {
        self.setting == Setting::Group && (self.parts.len() > 1 || matches!(self.after, After::Both | After::Third))
    }

    /// Whether a bundle comes before anything honest: then somebody else says something first, so that a candidate which refuses
    /// everything does not pass, and this is still the first that is heard of whose bundle it is.
    pub(super) fn begins_with_bundle(&self) -> bool {
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
        let features = [
            (Feature::File, files),
            (Feature::Group, self.setting == Setting::Group),
            (Feature::SealedSender, self.setting == Setting::Sealed),
        ];
        let exports = steps.iter().any(|told| matches!(told.step, Step::Export(_)));
        let pq = self.setting == Setting::Sealed || self.is_about_pq();
        let mut cast = BTreeMap::from([
            (THEIRS.to_owned(), Cast::plain(Side::Candidate)),
            (OURS.to_owned(), Cast { stack: Stack::Adversary, ..Cast::plain(Side::Reference) }),
        ]);
        cast.extend(self.begins_with_bundle().then(|| (OTHER.to_owned(), Cast::plain(Side::Reference))));
        cast.extend(self.has_third().then(|| (THIRD.to_owned(), Cast::plain(Side::Reference))));
        Scenario {
            id: id.to_owned(),
            title: "Malformed input between honest messages".to_owned(),
            why: "Whoever a user talks to can send this: it is encrypted and authenticated, and no server in between can filter it.".to_owned(),
            verifies,
            twin: false,
            features: features.into_iter().filter_map(|(feature, is)| is.then_some(feature)).collect(),
            capabilities: if exports { vec![Capability::Export] } else { Vec::new() },
            suites: if pq { vec![Suite::SignalPq] } else { Vec::new() },
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

    fn network(&self) -> Option<Network> {
        (!self.rewrites.is_empty()).then(|| Network::Rewrite(self.rewrites.clone()))
    }

    /// The message to the candidate's user that it is.
    fn sent(&self, name: &str, count: usize, setting: Setting) -> Step {
        let content = match self.carries {
            Carries::File(bytes) => {
                ContentSpec::File(FileSpec { kind: MediaKind::File, bytes, mime: None, name: None, label: None })
            }
            _ => ContentSpec::Text(format!("text {count}")),
        };
        let (alter, sealed) = (self.alter.clone(), setting == Setting::Sealed);
        Step::Send(Send { alter, sealed, network: self.network(), ..Send::plain(OURS, THEIRS, name.to_owned(), content) })
    }

    fn fetched(&self, name: &str) -> Vec<(Step, &'static str)> {
        let bundle = Bundle { of: OURS.to_owned(), rule: BundleBend::Rewrite(self.rewrites.clone()) };
        let fetch = FetchKeys { user: THEIRS.to_owned(), of: OURS.to_owned(), name: name.to_owned(), alter: Vec::new() };
        let reasons = vec![Reason::Malformed, Reason::BadKey, Reason::BadSignature, Reason::TooLarge, Reason::GatewayError];
        let either = Expect::Problem { step: name.to_owned(), reasons, or_succeeds: true };
        vec![(Step::Bundle(bundle), SURVIVES), (Step::FetchKeys(fetch), SURVIVES), (Step::Expect(either), BUNDLE)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abilities::Abilities;
    use crate::strategy::runner;
    use crate::wire::draw;

    fn drawn(setting: Setting) -> Vec<Talk> {
        let talk = |number| draw::talk(runner(&[5; 32], number).rng(), Abilities::all(Suite::SignalPq), draw::INPUTS);
        (0..200).map(talk).filter(|talk| talk.setting == setting).collect()
    }

    /// The state is compared around messages alone that no key can have read: they come with no key, and after keys were made.
    #[test]
    fn exports_stand_around_what_was_not_read() {
        let mut compared = 0;
        for talk in [Setting::Pair, Setting::Group, Setting::Sealed].into_iter().flat_map(drawn) {
            let steps: Vec<Step> = talk.steps().into_iter().map(|told| told.step).collect();
            let begins = |at: &usize| matches!(&steps[*at], Step::Export(export) if export.name.starts_with("before"));
            for at in (0..steps.len()).filter(begins) {
                compared += 1;
                let fresh_key = matches!(&steps[at + 1], Step::SendToGroup(send) if send.fresh_key || send.alter.iter().any(Alteration::of_distribution));
                assert!(!fresh_key && at > 0, "{talk:?}");
                assert!(
                    steps[..at].iter().any(|step| matches!(step, Step::Expect(Expect::Shows { user, .. }) if user == OURS)),
                    "{talk:?}"
                );
                assert!(
                    matches!(
                        &steps[at + 1..at + 6],
                        [
                            Step::Send(_) | Step::SendToGroup(_),
                            Step::Expect(Expect::Survives { .. }),
                            Step::Expect(Expect::ShowsNothingOf { .. }),
                            Step::Export(_),
                            Step::Expect(Expect::SameExport { .. })
                        ]
                    ),
                    "{talk:?}"
                );
            }
            // All in one part, nobody has answered before: nothing can be compared.
            let at_once = Talk { parts: vec![talk.parts.concat()], ..talk };
            assert!(!at_once.steps().iter().any(|told| matches!(told.step, Step::Export(_))));
        }
        assert!(compared > 50, "{compared}");
    }

    /// After a sender key that cannot be relied on there is a new one, and there is one with each that is handed out wrongly.
    #[test]
    fn nothing_honest_is_said_under_a_spoilt_sender_key() {
        let mut spoilt = 0;
        for talk in drawn(Setting::Group) {
            let mut due = false;
            for told in talk.steps() {
                let Step::SendToGroup(send) = told.step else { continue };
                if send.from == OURS {
                    let spoils = send.alter.iter().any(Alteration::of_distribution);
                    assert_eq!(send.fresh_key, due || spoils, "{talk:?}");
                    due = spoils;
                    spoilt += u32::from(spoils);
                }
            }
        }
        assert!(spoilt > 50, "{spoilt}");
    }

    #[test]
    fn the_third_member_is_there_if_it_says_something() {
        let talk = drawn(Setting::Group).into_iter().next().unwrap();
        assert_eq!(talk.scenario("walks/w1").cast.len(), 3);
        let alone = Talk { after: After::Ours, ..talk.with_only(&[0]) };
        let alone = Talk { parts: alone.parts.into_iter().take(1).collect(), ..alone };
        let scenario = alone.scenario("walks/w1");
        assert_eq!((scenario.cast.len(), &scenario.features[..]), (2, &[Feature::Group][..]));
    }
}
