//! Where conversations are made: one receiver with its keys, peers that speak our own stack, and messages in any order.

mod groups;

use super::GenerateError;
use crate::file::{About, ConversationGroup, ConversationTest, Outcome, StoredChange, StoredFile, StoredGroup, StoredMessage};
use countersign_adversary::{Alteration, Bundle, Config, KeyPair, Party, Refusal, SealedContent, WireProfile};
use countersign_contract::claims::{Feature, Suite};
use countersign_contract::content::Content;
use countersign_contract::operations::{ImportedKeys, ImportedKyberPrekey, ImportedPrekey, ImportedSignedPrekey};
use countersign_contract::portable::{Enlist, KeyBundle, MessageType};
use countersign_contract::seen::UserContent;
use countersign_contract::{Bytes, GroupId, Reason, StanzaId, UserId};
use countersign_reference::{ReferenceUser, Stack};
use libsignal_protocol::{PreKeySignalMessage, kem};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The time in every content: 2000-01-01, in milliseconds since the Unix epoch. A constant, and no clock.
pub(super) const SENT_AT: u64 = 946_684_800_000;

/// A generator of its own for these labels, never a shared stream: a new vector changes no other.
pub(super) fn rng(labels: &[&str]) -> ChaCha20Rng {
    let mut hash = Sha256::new();
    hash.update(b"countersign vectors 1");
    for label in labels {
        hash.update((label.len() as u64).to_be_bytes());
        hash.update(label.as_bytes());
    }
    ChaCha20Rng::from_seed(hash.finalize().into())
}

/// A UUID of version 4 for these labels.
pub(super) fn uuid(labels: &[&str]) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(rng(labels).random()).into_uuid()
}

pub(super) fn refused(what: impl Into<String>) -> impl FnOnce(Refusal) -> GenerateError {
    let what = what.into();
    move |refusal| GenerateError::Refused { what, refusal }
}

pub(super) fn library(what: &str, refusal: &countersign_reference::Refusal) -> GenerateError {
    GenerateError::Library { what: what.to_owned(), cause: refusal.to_string() }
}

pub(super) const fn profile(suite: Suite) -> WireProfile {
    match suite {
        Suite::SignalClassic => WireProfile::V3,
        Suite::SignalPq => WireProfile::V4Spqr,
    }
}

/// All keys of a user: prekey ids count from 1 in each series, and those of Kyber prekeys begin with the last-resort one.
pub(super) fn keys(suite: Suite, one_time: u32, labels: &[&str]) -> ImportedKeys {
    let mut rng = rng(&[labels, &["keys"]].concat());
    let identity = KeyPair::generate(&mut rng);
    let registration_id = rng.random_range(1..=16_380);
    let signed = KeyPair::generate(&mut rng);
    let signature = identity.sign(&signed.public.serialized(), &mut rng).to_vec();
    let signed_prekey =
        ImportedSignedPrekey { id: 1, private: Bytes(signed.private_bytes().to_vec()), signature: Bytes(signature) };
    let mut kyber = |id: u32| {
        let pair = kem::KeyPair::generate(kem::KeyType::Kyber1024, &mut rng);
        let public = pair.public_key.serialize().into_vec();
        let signature = Bytes(identity.sign(&public, &mut rng).to_vec());
        ImportedKyberPrekey { id, public: Bytes(public), private: Bytes(pair.secret_key.serialize().into_vec()), signature }
    };
    let pq = suite == Suite::SignalPq;
    let kyber_prekey = pq.then(|| kyber(1));
    let one_time_kyber_prekeys = if pq { (2..2 + one_time).map(&mut kyber).collect() } else { Vec::new() };
    let one_time_prekeys = (1..=one_time)
        .map(|id| ImportedPrekey { id, private: Bytes(KeyPair::generate(&mut rng).private_bytes().to_vec()) })
        .collect();
    ImportedKeys {
        registration_id,
        identity_private: Bytes(identity.private_bytes().to_vec()),
        signed_prekey,
        kyber_prekey,
        one_time_prekeys,
        one_time_kyber_prekeys,
    }
}

/// A receiver and its peers.
pub(super) struct Room {
    pub(super) kind: &'static str,
    pub(super) label: &'static str,
    pub(super) suite: Suite,
    pub(super) receiver: UserId,
    pub(super) keys: ImportedKeys,
    /// What the receiver publishes.
    pub(super) published: Enlist,
    peers: BTreeMap<&'static str, (UserId, Party)>,
    /// Peers who speak by Signal's library, and never misbehave.
    library: BTreeMap<&'static str, ReferenceUser>,
    tests: Vec<ConversationTest>,
    /// To what certificates of senders lead, where there are such.
    pub(super) trust_root: Option<Bytes>,
}

impl Room {
    /// A receiver with so many one-time prekeys of each kind, and two peers: bob, and carol, who is always honest.
    pub(super) fn new(kind: &'static str, label: &'static str, suite: Suite, one_time: u32) -> Result<Self, GenerateError> {
        let receiver = UserId(uuid(&[kind, label, "receiver"]));
        let keys = keys(suite, one_time, &[kind, label, "receiver"]);
        let config = Config::new(profile(suite));
        let party = Party::import(config, &keys, &mut rng(&[kind, label, "import"])).map_err(refused("import of the keys"))?;
        let mut peers = BTreeMap::new();
        for name in ["bob", "carol"] {
            let party = Party::new(config, &mut rng(&[kind, label, name]));
            peers.insert(name, (UserId(uuid(&[kind, label, name])), party));
        }
        Ok(Self {
            kind,
            label,
            suite,
            receiver,
            keys,
            published: party.enlistment(receiver),
            peers,
            library: BTreeMap::new(),
            tests: Vec::new(),
            trust_root: None,
        })
    }

    /// A further peer, who speaks by Signal's library.
    pub(super) fn add_library_peer(&mut self, name: &'static str) {
        let user = UserId(uuid(&[self.kind, self.label, name]));
        let peer = ReferenceUser::new(countersign_reference::Config {
            seed: rng(&[self.kind, self.label, name]).random(),
            scenario: format!("{}/{}", self.kind, self.label),
            name: name.to_owned(),
            user,
            suite: self.suite,
            stack: Stack::Library,
            one_time_prekeys: 0,
            publishes_one_time_kyber: false,
        });
        self.library.insert(name, peer);
    }

    /// A peer as it is before any message.
    pub(super) fn party(&self, peer: &str) -> Option<&Party> {
        self.peers.get(peer).map(|(_, party)| party)
    }

    pub(super) fn scene(&self, id: &str, comment: &str, flags: &[&str], verifies: &[&str]) -> Scene {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Scene {
            labels: [self.kind, self.label, id].map(str::to_owned),
            receiver: self.receiver,
            published: self.published.clone(),
            senders: self.peers.clone(),
            library: self.library.clone(),
            made: 0,
            about: About {
                id: id.to_owned(),
                comment: comment.to_owned(),
                flags: owned(flags),
                verifies: owned(verifies),
                features: Vec::new(),
                result: Outcome::Valid,
            },
            groups: Vec::new(),
            lists: BTreeMap::new(),
            change: None,
            files: Vec::new(),
            messages: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, scene: Scene) {
        let result = scene.messages.iter().map(|m| m.result).max().unwrap_or(Outcome::Valid);
        let about = About { result, ..scene.about };
        let Scene { groups, files, messages, .. } = scene;
        self.tests.push(ConversationTest { about, groups, files, messages });
    }

    pub(super) fn group(self) -> ConversationGroup {
        let own = self.peers.iter().map(|(name, (user, party))| ((*name).to_owned(), party.enlistment(*user)));
        let library = self.library.iter().map(|(name, user)| ((*name).to_owned(), user.enlistment()));
        let speaks = |name: &str| {
            let is_member = |group: &StoredGroup| group.by == name || group.members.iter().any(|member| member == name);
            self.tests.iter().any(|test| test.messages.iter().any(|m| m.from == name) || test.groups.iter().any(is_member))
        };
        let peers = own.chain(library).filter(|(name, _)| speaks(name)).collect();
        ConversationGroup {
            suite: self.suite,
            receiver: self.receiver,
            keys: self.keys,
            trust_root: self.trust_root,
            peers,
            tests: self.tests,
        }
    }
}

/// Which of the receiver's prekeys a session is made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct With {
    /// Which one-time EC prekey, from 0.
    pub(super) one_time: Option<usize>,
    /// Which one-time Kyber prekey, from 0; the last-resort one without.
    pub(super) kyber: Option<usize>,
}

impl With {
    /// The first one-time prekey of each kind.
    pub(super) const FIRST: Self = Self { one_time: Some(0), kyber: Some(0) };
    /// The second of each.
    pub(super) const SECOND: Self = Self { one_time: Some(1), kyber: Some(1) };
    /// No one-time prekey.
    pub(super) const NONE: Self = Self { one_time: None, kyber: None };
}

/// A message that was made and not delivered.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) from: &'static str,
    pub(super) stanza: StanzaId,
    pub(super) kind: MessageType,
    pub(super) body: Vec<u8>,
    pub(super) content: Option<UserContent>,
    /// In the stanza of which group it goes.
    pub(super) group: Option<String>,
    /// Whether it goes sealed.
    pub(super) sealed: bool,
}

/// One vector in the making.
pub(super) struct Scene {
    labels: [String; 3],
    receiver: UserId,
    published: Enlist,
    senders: BTreeMap<&'static str, (UserId, Party)>,
    library: BTreeMap<&'static str, ReferenceUser>,
    made: u32,
    about: About,
    groups: Vec<StoredGroup>,
    /// The present list of each group: id, version and members.
    lists: BTreeMap<String, (GroupId, u32, BTreeSet<UserId>)>,
    /// What becomes of a group before the next message arrives.
    change: Option<StoredChange>,
    pub(super) files: Vec<StoredFile>,
    messages: Vec<StoredMessage>,
}

impl Scene {
    fn labels(&self, what: &str) -> Vec<String> {
        self.labels.iter().cloned().chain([what.to_owned(), self.made.to_string()]).collect()
    }

    pub(super) fn rng(&self, what: &str) -> ChaCha20Rng {
        let labels = self.labels(what);
        rng(&labels.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(super) fn uuid(&self, what: &str) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.rng(what).random()).into_uuid()
    }

    /// The id of the next message.
    pub(super) fn next_stanza(&mut self) -> StanzaId {
        self.made += 1;
        StanzaId(self.uuid("stanza"))
    }

    pub(super) fn needs(&mut self, feature: Feature) {
        self.about.features = vec![feature];
    }

    fn bundle(&self, with: With) -> Bundle {
        let published = &self.published;
        let one_time_kyber = with.kyber.and_then(|at| published.one_time_kyber_prekeys.get(at)).cloned();
        Bundle {
            registration_id: published.registration_id,
            identity_key: published.identity_key.clone(),
            signed_prekey: published.signed_prekey.clone(),
            one_time_prekey: with.one_time.and_then(|at| published.one_time_prekeys.get(at)).cloned(),
            kyber_prekey: one_time_kyber.or_else(|| published.kyber_prekey.clone()),
        }
    }

    /// A peer sets up a session.
    pub(super) fn begin(&mut self, from: &'static str, with: With, alter: &[Alteration]) -> Result<(), GenerateError> {
        self.made += 1;
        let (mut rng, bundle, to) = (self.rng("session"), self.bundle(with), self.receiver.to_string());
        if let Some(user) = self.library.get_mut(from) {
            user.reset_session(self.receiver);
            let bundle = KeyBundle {
                user: self.receiver,
                registration_id: bundle.registration_id,
                identity_key: bundle.identity_key,
                signed_prekey: bundle.signed_prekey,
                one_time_prekey: bundle.one_time_prekey,
                kyber_prekey: bundle.kyber_prekey,
            };
            return match user.process_bundle(&bundle, SENT_AT) {
                Ok(_) => Ok(()),
                Err(refusal) => Err(library(&self.about.id, &refusal)),
            };
        }
        let Some((_, party)) = self.senders.get_mut(from) else { return Ok(()) };
        party.process_bundle(&to, &bundle, alter, &mut rng).map_err(refused(format!("{}: session", self.about.id)))
    }

    /// A peer makes a text message in its session.
    pub(super) fn text(&mut self, from: &'static str, text: &str, alter: &[Alteration]) -> Result<Made, GenerateError> {
        let stanza = self.next_stanza();
        let content = UserContent::Text { text: text.to_owned() };
        let padded = Content::from_user(stanza, SENT_AT, &content, None).map(|c| c.to_padded()).unwrap_or_default();
        self.raw(from, stanza, content, &padded, alter)
    }

    /// A peer encrypts a plaintext as it is given.
    pub(super) fn raw(
        &mut self,
        from: &'static str,
        stanza: StanzaId,
        content: UserContent,
        plaintext: &[u8],
        alter: &[Alteration],
    ) -> Result<Made, GenerateError> {
        if let Some(user) = self.library.get_mut(from) {
            let (kind, body) =
                user.encrypt_raw(self.receiver, plaintext, SENT_AT).map_err(|refusal| library(&self.about.id, &refusal))?;
            return Ok(Made { from, stanza, kind, body, content: Some(content), group: None, sealed: false });
        }
        let (mut rng, to) = (self.rng("message"), self.receiver.to_string());
        let sent = self.senders.get_mut(from).map(|(_, party)| party.encrypt(&to, plaintext, alter, &mut rng));
        let (kind, body) = self.done("message", from, sent)?;
        Ok(Made { from, stanza, kind, body, content: Some(content), group: None, sealed: false })
    }

    fn user(&self, peer: &str) -> Option<UserId> {
        self.senders.get(peer).map(|(user, _)| *user)
    }

    /// A peer seals what it made, to whoever holds an identity key.
    pub(super) fn seal(
        &mut self,
        made: Made,
        to: &[u8],
        content: &SealedContent,
        alter: &[Alteration],
    ) -> Result<Made, GenerateError> {
        self.made += 1;
        let mut rng = self.rng("sealed");
        let sealed = self.senders.get(made.from).map(|(_, party)| party.seal(to, content, alter, &mut rng));
        let body = self.done("sealed message", made.from, sealed)?;
        Ok(Made { body, sealed: true, ..made })
    }

    /// The identity key to which messages for the receiver are sealed.
    pub(super) fn receiver_key(&self) -> Vec<u8> {
        self.published.identity_key.0.clone()
    }

    /// A peer's name at the gateway and identity key; of the receiver under the empty name.
    pub(super) fn identity(&self, name: &str) -> (UserId, Vec<u8>) {
        let peer = self.senders.get(name).map(|(user, party)| (*user, party.identity_key().to_vec()));
        peer.unwrap_or_else(|| (self.receiver, self.receiver_key()))
    }

    fn done<T>(&self, what: &str, from: &str, made: Option<Result<T, Refusal>>) -> Result<T, GenerateError> {
        let missing = || Err(Refusal::new(Reason::UnknownUser, from));
        made.unwrap_or_else(missing).map_err(refused(format!("{}: {what}", self.about.id)))
    }

    fn deliver(&mut self, made: Made, result: Outcome, reasons: &[Reason]) {
        self.messages.push(StoredMessage {
            from: made.from.to_owned(),
            stanza: made.stanza,
            change: self.change.take(),
            group: made.group,
            sealed: made.sealed,
            r#type: made.kind,
            body: Bytes(made.body),
            content: made.content,
            result,
            reasons: reasons.to_vec(),
        });
    }

    /// It arrives, and has to be shown.
    pub(super) fn valid(&mut self, made: Made) {
        self.deliver(made, Outcome::Valid, &[]);
    }

    /// It arrives, and has to be refused.
    pub(super) fn invalid(&mut self, made: Made, reasons: &[Reason]) {
        self.deliver(made, Outcome::Invalid, reasons);
    }

    /// It arrives, and may be shown or refused.
    pub(super) fn acceptable(&mut self, made: Made, reasons: &[Reason]) {
        self.deliver(made, Outcome::Acceptable, reasons);
    }

    /// A peer says something honest, and it arrives.
    pub(super) fn say(&mut self, from: &'static str, text: &str) -> Result<(), GenerateError> {
        let made = self.text(from, text, &[])?;
        self.valid(made);
        Ok(())
    }
}

impl Made {
    /// The message without what sets up a session, as it looks once the sender knows that the session is there.
    pub(super) fn bare(self) -> Result<Self, GenerateError> {
        if self.kind == MessageType::Normal {
            return Ok(self);
        }
        let outer = PreKeySignalMessage::try_from(self.body.as_slice())
            .map_err(|cause| GenerateError::Library { what: "an embedded message".to_owned(), cause: cause.to_string() })?;
        Ok(Self { kind: MessageType::Normal, body: outer.message().serialized().to_vec(), ..self })
    }

    /// The same once more, under another stanza id.
    pub(super) fn again(&self, scene: &mut Scene) -> Self {
        Self { stanza: scene.next_stanza(), ..self.clone() }
    }
}
