//! Inputs to begin with: what an honest sender makes, so that changed copies reach further than noise does.

use countersign_adversary::{Config as OwnConfig, Party, WireProfile};
use countersign_contract::claims::Suite;
use countersign_contract::content::{Content, Text, content};
use countersign_contract::media::KEY_BYTES;
use countersign_contract::portable::{Enlist, KeyBundle, MessageType, Prekey, ReceiptType, SignedKey, Stanza};
use countersign_contract::seen::MediaKind;
use countersign_contract::{Bytes, Operation, StanzaId, UserId};
use countersign_reference::{CertificateAuthority, Config, ReferenceUser, Stack, media};
use countersign_reports::baseline::Baseline;
use countersign_scenarios::SuiteFiles;
use countersign_trace::{Digest, Record};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use std::sync::LazyLock;
use uuid::Uuid;

/// A small record, as `countersign run` wrote it.
const RECORD: &[u8] = include_bytes!("../corpus/record/honest.jsonl");
/// A time in the instance of these users: milliseconds since the Unix epoch.
const NOW_MS: u64 = 1_800_000_000_000;
const GROUP: Uuid = Uuid::from_u128(9);
/// What every genuine message says.
pub(crate) const PLAINTEXT: &[u8] = b"genuine";

/// Receivers of messages, and everything genuine that their peers have made for them.
pub(crate) struct Stage {
    /// Our own stack in each wire profile, each in a session with a party `peer`.
    pub(crate) own: Vec<Party>,
    /// A user on Signal's library, in a session with `peer`.
    pub(crate) reference: ReferenceUser,
    pub(crate) peer: UserId,
    pub(crate) trust_root: Vec<u8>,
    pub(crate) now_ms: u64,
    messages: Vec<Vec<u8>>,
}

fn number(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

/// What every genuine message of a reference user says.
pub(crate) fn genuine() -> Content {
    let body = Some(content::Body::Text(Text { text: "genuine".into() }));
    Content { message_id: Uuid::from_u128(1).to_string(), sent_at: NOW_MS, group: None, body }
}

fn own(profile: WireProfile, messages: &mut Vec<Vec<u8>>) -> Party {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let config = OwnConfig::new(profile);
    let (mut peer, mut party) = (Party::new(config, rng), Party::new(config, rng));
    party.add_one_time(1, 1, rng);
    let bundle = party.bundle(party.one_time_prekeys().pop(), party.one_time_kyber_prekeys().pop());
    peer.process_bundle("party", &bundle, &[], rng).expect("an honest bundle");
    let (kind, first) = peer.encrypt("party", PLAINTEXT, &[], rng).expect("a message");
    party.decrypt("peer", kind, &first, rng).expect("an honest message");
    let (kind, answer) = party.encrypt("peer", PLAINTEXT, &[], rng).expect("a message");
    peer.decrypt("party", kind, &answer, rng).expect("an honest message");
    messages.push(peer.encrypt("party", PLAINTEXT, &[], rng).expect("a message").1);
    peer.process_bundle("party", &party.bundle(None, None), &[], rng).expect("an honest bundle");
    messages.push(peer.encrypt("party", PLAINTEXT, &[], rng).expect("a message").1);
    let distribution = peer.distribution(GROUP, &[], rng).expect("a distribution");
    party.process_distribution("peer", &distribution).expect("an honest distribution");
    messages.push(distribution);
    messages.push(peer.group_encrypt(GROUP, PLAINTEXT, &[], rng).expect("a message"));
    party
}

fn user(name: &str, user: UserId) -> ReferenceUser {
    ReferenceUser::new(Config {
        seed: [1; 32],
        scenario: "fuzz".into(),
        name: name.into(),
        user,
        suite: Suite::SignalPq,
        stack: Stack::Library,
        one_time_prekeys: 1,
        publishes_one_time_kyber: true,
    })
}

fn bundle(of: &ReferenceUser) -> KeyBundle {
    let Enlist { user, registration_id, identity_key, signed_prekey, kyber_prekey, .. } = of.enlistment();
    KeyBundle { user, registration_id, identity_key, signed_prekey, one_time_prekey: None, kyber_prekey }
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let mut messages = Vec::new();
    let own = [WireProfile::V3, WireProfile::V4, WireProfile::V4Spqr].map(|profile| own(profile, &mut messages)).into();
    let (mut peer, mut reference) = (user("peer", number(2)), user("party", number(1)));
    let authority = CertificateAuthority::new([2; 32], "fuzz");
    let certificate = authority.certify(peer.user(), &peer.identity_key(), NOW_MS + 1000).expect("a certificate");
    let content = genuine();
    peer.process_bundle(&bundle(&reference), NOW_MS).expect("an honest bundle");
    let (kind, first) = peer.encrypt(reference.user(), &content, NOW_MS).expect("a message");
    reference.decrypt(peer.user(), kind, &first, NOW_MS).expect("an honest message");
    let (kind, answer) = reference.encrypt(peer.user(), &content, NOW_MS).expect("a message");
    peer.decrypt(reference.user(), kind, &answer, NOW_MS).expect("an honest message");
    messages.push(first);
    messages.push(peer.encrypt(reference.user(), &content, NOW_MS).expect("a message").1);
    messages.push(peer.seal(reference.user(), &content, &certificate, NOW_MS).expect("a sealed message"));
    Stage { own, peer: peer.user(), reference, trust_root: authority.trust_root(), now_ms: NOW_MS, messages }
});

pub(crate) fn stage() -> &'static Stage {
    &STAGE
}

pub(crate) fn messages() -> Vec<Vec<u8>> {
    stage().messages.clone()
}

fn key(first: u8, length: usize) -> Bytes {
    let mut bytes = vec![7; length];
    bytes[0] = first;
    bytes.into()
}

fn enlistment() -> Enlist {
    let signed = |first, length| SignedKey { id: 1, key: key(first, length), signature: vec![9; 64].into() };
    Enlist {
        user: number(0xAAAA_0001),
        registration_id: 42,
        identity_key: key(5, 33),
        signed_prekey: signed(5, 33),
        kyber_prekey: Some(signed(8, 1569)),
        one_time_prekeys: vec![Prekey { id: 1, key: key(5, 33) }],
        one_time_kyber_prekeys: vec![signed(8, 1569)],
    }
}

fn a_stanza_of_each_kind() -> Vec<Stanza> {
    let (id, to) = (StanzaId(Uuid::from_u128(5)), Some(number(0xAAAA_0003)));
    vec![
        Stanza::Message { id, to, from: None, r#type: MessageType::Normal, body: vec![0x44; 40].into() },
        Stanza::Message { id, to: None, from: to, r#type: MessageType::Prekey, body: vec![0x44; 40].into() },
        Stanza::Receipt { id, to, from: None, r#type: ReceiptType::Retry, of: id, count: Some(1) },
        Stanza::Ack { id },
        Stanza::Accepted { id },
        Stanza::KeysLow { id, one_time_prekeys: 0, one_time_kyber_prekeys: 0 },
    ]
}

pub(crate) fn stanzas() -> Vec<Vec<u8>> {
    let stanzas = a_stanza_of_each_kind().into_iter().map(|stanza| stanza.to_json().into_bytes());
    stanzas.chain([serde_json::to_vec(&enlistment()).expect("plain data")]).collect()
}

pub(crate) fn gateway() -> Vec<Vec<u8>> {
    let enlist = serde_json::to_string(&enlistment()).expect("plain data");
    let frames: Vec<String> = a_stanza_of_each_kind().iter().map(Stanza::to_json).collect();
    let user = number(0xAAAA_0001);
    let other = number(0xAAAA_0003);
    let rest = format!(
        "open\nGET /keys/{user}\nPUT /media abc\nGET /blocks\nPUT /blocks {{\"users\":[\"{other}\"]}}\n\
         POST /groups {{\"group\":\"{other}\",\"version\":1,\"members\":[\"{user}\",\"{other}\"]}}\nclose\nlater\nDELETE /user"
    );
    vec![
        format!("POST /enlist {enlist}\n{rest}").into_bytes(),
        format!("POST /enlist {enlist}\nopen\n{}", frames.join("\n")).into_bytes(),
    ]
}

/// A call of each operation, as far as common arguments fit.
pub(crate) fn calls() -> Vec<Vec<u8>> {
    let id = Uuid::from_u128(3);
    let args = [
        format!("{{\"instance\":\"{id}\",\"user\":\"{id}\"}}"),
        format!("{{\"instance\":\"{id}\",\"user\":\"{id}\",\"peer\":\"{id}\"}}"),
        format!("{{\"instance\":\"{id}\",\"user\":\"{id}\",\"after\":0,\"wait_ms\":1}}"),
        format!(
            "{{\"instance\":\"{id}\",\"user\":\"{id}\",\"to\":\"{id}\",\"stanza\":\"{id}\",\"content\":{{\"kind\":\"text\",\"text\":\"x\"}}}}"
        ),
    ];
    let line = |op: &Operation, args: &String| format!("{{\"id\":1,\"op\":\"{}\",\"args\":{args}}}", op.as_str()).into_bytes();
    Operation::ALL.iter().zip(args.iter().cycle()).map(|(op, args)| line(op, args)).collect()
}

pub(crate) fn answers() -> Vec<Vec<u8>> {
    let id = Uuid::from_u128(3);
    [
        "{\"id\":1,\"ok\":{}}".to_owned(),
        "{\"id\":1,\"problem\":{\"type\":\"about:blank\",\"reason\":\"bad-mac\",\"title\":\"x\",\"status\":400}}".to_owned(),
        format!("{{\"id\":2,\"ok\":{{\"events\":[{{\"seq\":1,\"what\":{{\"kind\":\"refused\",\"stanza\":\"{id}\",\"reason\":\"bad-mac\"}}}}]}}}}"),
        "{\"identity_key\":\"BQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\"}".to_owned(),
        "{\"digits\":\"000000000000000000000000000000000000000000000000000000000000\"}".to_owned(),
        "{\"name\":\"x\",\"version\":\"1\",\"build\":\"\",\"operator\":\"\",\"contract\":\"1.0\",\"clock\":1,\"bindings\":[\"portable\"],\
         \"suites\":[\"signal-pq\"],\"features\":[\"text\"],\"capabilities\":[],\
         \"limits\":{\"text_bytes\":65536,\"file_bytes\":1048576,\"instances\":8}}"
            .to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}

pub(crate) fn contents() -> Vec<Vec<u8>> {
    let with = |body| Content { body: Some(body), ..genuine() }.to_padded();
    let of = Uuid::from_u128(2).to_string();
    vec![
        genuine().to_padded(),
        with(content::Body::Text(Text { text: String::new() })),
        with(content::Body::Delete(countersign_contract::content::Delete { of })),
    ]
}

pub(crate) fn media() -> Vec<Vec<u8>> {
    let key = [3; KEY_BYTES];
    let sealed = media::seal(MediaKind::Image, &key, b"a file of some bytes");
    vec![[&[0][..], &key[..], &sealed.digest[..], &sealed.blob[..]].concat()]
}

pub(crate) fn records() -> Vec<Vec<u8>> {
    vec![RECORD.to_vec()]
}

/// A requirement and a profile for one scenario.
pub(crate) fn frame() -> SuiteFiles {
    let files = [
        ("requirements/one.yaml", include_str!("seeds/requirement.yaml")),
        ("profiles/one.yaml", include_str!("seeds/profile.yaml")),
    ];
    SuiteFiles(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
}

pub(crate) fn scenarios() -> Vec<Vec<u8>> {
    vec![include_bytes!("seeds/scenario.yaml").to_vec()]
}

/// The built-in files that are short enough for an input.
pub(crate) fn vectors() -> Vec<Vec<u8>> {
    let files = countersign_vectors::builtin_files().into_values().map(String::into_bytes);
    files.filter(|file| file.len() <= crate::LONGEST).collect()
}

/// What the honest record gives; the same with a text that differs; and one of other instances and another candidate.
pub(crate) fn baselines() -> Vec<Vec<u8>> {
    let record = Record::parse(RECORD).expect("the honest record");
    let own = Baseline::of(&record, "reference");
    let mut changed = own.clone();
    if let Some(text) = changed.texts.values_mut().next() {
        *text = text.lines().skip(1).map(|line| format!("{line}\n")).chain(["one more line\n".to_owned()]).collect();
    }
    let mut other = own.clone();
    other.header.candidate = ["another".to_owned(), "2".to_owned(), "\u{1b}[31mred".to_owned()];
    other.header.started = "\u{1b}[2Jlong ago".to_owned();
    other.header.suite = Digest::of(b"another suite");
    other.header.instances = [("e2ee/gone@case".to_owned(), [Digest::of(b""), Digest::of(b"")])].into();
    other.texts = [("e2ee/gone@case".to_owned(), "what it did\n".to_owned())].into();
    let whole = |baseline: Baseline| {
        let texts = baseline.texts.into_values();
        let parts: Vec<String> = std::iter::once(baseline.header.to_text()).chain(texts).collect();
        parts.join("\0").into_bytes()
    };
    [own, changed, other].into_iter().map(whole).collect()
}

pub(crate) fn waivers() -> Vec<Vec<u8>> {
    vec![include_bytes!("seeds/waivers.yaml").to_vec()]
}
