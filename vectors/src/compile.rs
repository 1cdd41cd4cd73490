//! Each vector as an ordinary scenario: the candidate's user with its imported keys, stored peers, the messages in their order, and
//! what has to become of each.

use crate::file::{
    About, BundleGroup, BundleTest, ConversationGroup, ConversationTest, Flag, Outcome, SafetyNumberGroup, SafetyNumberTest,
    StoredChange, StoredGroup, StoredMessage, VectorFile,
};
use crate::kind::Kind;
use crate::read::File;
use countersign_contract::UserId;
use countersign_contract::claims::{Capability, Feature, Suite};
use countersign_contract::operations::ImportedKeys;
use countersign_contract::portable::Enlist;
use countersign_scenarios::language::{
    ChangeGroup, CreateGroup, Expect, FetchKeys, Fixed, SafetyNumberIs, SendStored, ServeBundle, ShowsOrRefuses, StoreBlob,
    StoredContent, VerifyIdentity,
};
use countersign_scenarios::{Cast, Scenario, Side, Step};
use std::collections::BTreeMap;

/// The candidate's user in each compiled vector.
const RECEIVER: &str = "alice";
/// The stored peer, where there is one alone.
const PEER: &str = "bob";
/// Another stored peer, whose honest keys are accepted before.
const TWIN: &str = "carol";

/// One vector, compiled.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What the vector says of itself.
    pub about: About,
    /// The suite in which it is executed.
    pub suite: Suite,
    /// The scenario. Its id is the vector's: kind and name.
    pub scenario: Scenario,
}

/// All vectors of a file as scenarios.
#[must_use]
pub fn compile(kind: Kind, file: &File) -> Vec<Compiled> {
    match file {
        File::Conversation(file) => {
            let groups = file.groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test)));
            groups.map(|(group, test)| conversation(&Frame::new(kind, file, &test.about, group.suite), group, test)).collect()
        }
        File::Bundle(file) => {
            let groups = file.groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test)));
            groups.map(|(group, test)| bundle(&Frame::new(kind, file, &test.about, group.suite), group, test)).collect()
        }
        File::SafetyNumber(file) => {
            let groups = file.groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test)));
            groups.map(|(group, test)| safety_number(&Frame::new(kind, file, &test.about, group.suite), group, test)).collect()
        }
    }
}

/// What every scenario is made from.
struct Frame<'a> {
    kind: Kind,
    flags: &'a BTreeMap<String, Flag>,
    title: &'a str,
    about: &'a About,
    suite: Suite,
}

impl<'a> Frame<'a> {
    fn new<G>(kind: Kind, file: &'a VectorFile<G>, about: &'a About, suite: Suite) -> Self {
        Self { kind, flags: &file.flags, title: &file.title, about, suite }
    }

    fn scenario(&self, import: bool, cast: BTreeMap<String, Cast>, steps: Vec<Step>) -> Compiled {
        let bugs: Vec<String> =
            self.about.flags.iter().filter_map(|flag| self.flags.get(flag)).map(|f| format!("{} {}", f.bug, f.effect)).collect();
        let mut features = self.about.features.clone();
        if self.kind.name == "safety-number" {
            features.push(Feature::SafetyNumber);
        }
        if self.kind.has_groups() {
            features.push(Feature::Group);
        }
        if self.kind.is_sealed() {
            features.push(Feature::SealedSender);
        }
        let scenario = Scenario {
            id: format!("{}/{}", self.kind.name, self.about.id),
            title: self.about.comment.clone(),
            why: if bugs.is_empty() { self.title.to_owned() } else { bugs.join(" ") },
            verifies: self.about.verifies.clone(),
            twin: self.about.result == Outcome::Valid,
            features,
            suites: vec![self.suite],
            capabilities: if import { vec![Capability::Import] } else { Vec::new() },
            exclusive: false,
            heavy: false,
            trust_root: None,
            cases: Vec::new(),
            cast,
            steps,
        };
        Compiled { about: self.about.clone(), suite: self.suite, scenario }
    }
}

fn importing(user: UserId, keys: &ImportedKeys) -> Cast {
    let fixed = Fixed { user: Some(user), import: Some(keys.clone()), enlist: None };
    Cast { one_time_prekeys: 0, fixed: Some(Box::new(fixed)), ..Cast::plain(Side::Candidate) }
}

fn stored(enlist: &Enlist) -> Cast {
    let fixed = Fixed { user: None, import: None, enlist: Some(enlist.clone()) };
    Cast { fixed: Some(Box::new(fixed)), ..Cast::plain(Side::Reference) }
}

fn conversation(frame: &Frame<'_>, group: &ConversationGroup, test: &ConversationTest) -> Compiled {
    let mut cast = BTreeMap::from([(RECEIVER.to_owned(), importing(group.receiver, &group.keys))]);
    for (name, enlist) in &group.peers {
        if takes_part(test, name) {
            cast.insert(name.clone(), stored(enlist));
        }
    }
    let mut steps: Vec<Step> = test.groups.iter().map(|group| Step::CreateGroup(create(group))).collect();
    for file in &test.files {
        steps.push(Step::StoreBlob(StoreBlob { of: file.of.clone(), path: file.path.clone(), bytes: file.bytes.clone() }));
    }
    // Honest messages in a row are looked at together: they have to be shown in the order in which they arrived.
    let mut honest: Vec<String> = Vec::new();
    // What no user sees is looked at in the end: nothing of it may ever be shown.
    let mut unseen: Vec<String> = Vec::new();
    for (index, message) in test.messages.iter().enumerate() {
        let name = format!("m{}", index + 1);
        if message.result != Outcome::Valid {
            steps.extend(shown(&mut honest));
        }
        steps.extend(message.change.as_ref().map(|change| Step::ChangeGroup(changed(change))));
        steps.push(Step::SendStored(send(message, &name)));
        match message.result {
            Outcome::Valid | Outcome::Acceptable if message.content.is_none() => unseen.push(name),
            Outcome::Valid => honest.push(name),
            Outcome::Invalid => steps.push(Step::Expect(Expect::Refuses {
                user: RECEIVER.to_owned(),
                stanza: name,
                reasons: message.reasons.clone(),
            })),
            Outcome::Acceptable => steps.push(Step::Expect(Expect::ShowsOrRefuses(ShowsOrRefuses {
                user: RECEIVER.to_owned(),
                message: name,
                reasons: message.reasons.clone(),
            }))),
        }
    }
    steps.extend(shown(&mut honest));
    let nothing = |stanza| Step::Expect(Expect::ShowsNothingOf { user: RECEIVER.to_owned(), stanza });
    steps.extend(unseen.into_iter().map(nothing));
    let mut compiled = frame.scenario(true, cast, steps);
    compiled.scenario.trust_root.clone_from(&group.trust_root);
    compiled
}

/// Whether a peer has anything to do with a vector.
fn takes_part(test: &ConversationTest, peer: &str) -> bool {
    let is = |name: &String| name == peer;
    test.messages.iter().any(|m| is(&m.from))
        || test.files.iter().any(|file| is(&file.of))
        || test.groups.iter().any(|group| is(&group.by) || group.members.iter().any(is))
        || test.messages.iter().filter_map(|m| m.change.as_ref()).any(|change| change.add.iter().any(is))
}

fn create(group: &StoredGroup) -> CreateGroup {
    let mut members = group.members.clone();
    if group.with_receiver {
        members.push(RECEIVER.to_owned());
    }
    CreateGroup { by: group.by.clone(), members, name: group.name.clone(), id: Some(group.id) }
}

fn changed(change: &StoredChange) -> ChangeGroup {
    let StoredChange { group, by, add, remove } = change.clone();
    ChangeGroup { by: Some(by), group, add, remove, untold: Vec::new() }
}

fn send(message: &StoredMessage, name: &str) -> SendStored {
    SendStored {
        from: message.from.clone(),
        to: RECEIVER.to_owned(),
        group: message.group.clone(),
        sealed: message.sealed,
        name: name.to_owned(),
        stanza: message.stanza,
        r#type: message.r#type,
        body: message.body.clone(),
        content: message.content.as_ref().and_then(StoredContent::of),
        bad: message.result == Outcome::Invalid,
    }
}

/// Everything honest that was sent since the last look is shown.
fn shown(honest: &mut Vec<String>) -> Option<Step> {
    let messages = std::mem::take(honest);
    let in_order = messages.len() > 1;
    (!messages.is_empty()).then(|| Step::Expect(Expect::Shows { user: RECEIVER.to_owned(), messages, in_order }))
}

fn bundle(frame: &Frame<'_>, group: &BundleGroup, test: &BundleTest) -> Compiled {
    let fixed = Fixed { user: Some(group.user), import: None, enlist: None };
    let receiver = Cast { fixed: Some(Box::new(fixed)), ..Cast::plain(Side::Candidate) };
    let cast = BTreeMap::from([
        (RECEIVER.to_owned(), receiver),
        (PEER.to_owned(), stored(&group.peer)),
        (TWIN.to_owned(), stored(&group.twin)),
    ]);
    let fetch = |of: &str, name: &str| {
        Step::FetchKeys(FetchKeys { user: RECEIVER.to_owned(), of: of.to_owned(), name: name.to_owned(), alter: Vec::new() })
    };
    let mut steps = vec![
        fetch(TWIN, "twin"),
        Step::ServeBundle(Box::new(ServeBundle { of: PEER.to_owned(), bundle: test.bundle.clone() })),
        fetch(PEER, "tested"),
    ];
    if test.about.result != Outcome::Valid {
        let or_succeeds = test.about.result == Outcome::Acceptable;
        steps.push(Step::Expect(Expect::Problem { step: "tested".to_owned(), reasons: test.reasons.clone(), or_succeeds }));
        steps.push(Step::Expect(Expect::NothingSent {
            user: RECEIVER.to_owned(),
            to: PEER.to_owned(),
            after: "tested".to_owned(),
        }));
        // What was refused must not stand in the way of the peer's honest keys.
        steps.push(fetch(PEER, "honest"));
    }
    frame.scenario(false, cast, steps)
}

fn safety_number(frame: &Frame<'_>, group: &SafetyNumberGroup, test: &SafetyNumberTest) -> Compiled {
    let cast = BTreeMap::from([(RECEIVER.to_owned(), importing(group.user, &group.keys)), (PEER.to_owned(), stored(&test.peer))]);
    let (user, peer) = (RECEIVER.to_owned(), PEER.to_owned());
    let steps = vec![
        Step::FetchKeys(FetchKeys { user: user.clone(), of: peer.clone(), name: "keys".to_owned(), alter: Vec::new() }),
        Step::VerifyIdentity(VerifyIdentity { user, peer, name: "number".to_owned() }),
        Step::Expect(Expect::SafetyNumberIs(SafetyNumberIs {
            of: "number".to_owned(),
            digits: test.digits.clone(),
            or_refuses: test.reasons.clone(),
        })),
    ];
    frame.scenario(true, cast, steps)
}
