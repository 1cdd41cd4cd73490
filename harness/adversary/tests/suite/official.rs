//! The stack against the binaries that Signal publishes: the oracle for X3DH, which Signal's Rust crate no longer speaks, and for
//! what current official code does.
//!
//! They are driven by `party.mjs` in the folders of the sample candidates (see `PARTY.md` there). What is not installed is said, and
//! the others go on; where `CI` is set, it is a failure.

use crate::across::{Ours, User, converse};
use crate::conversation::{Tally, run};
use crate::epochs::Crossings;
use crate::fields::Places;
use crate::twins::{Message, Outcome};
use countersign_adversary::alter::{Field, FieldBytes};
use countersign_adversary::{Alteration, Bundle, Config, FURTHEST_AHEAD, MOST_ARCHIVED, MOST_CHAINS, MOST_SKIPPED, WireProfile};
use countersign_contract::portable::{MessageType, Prekey, SignedKey};
use countersign_contract::{Bytes, Reason};
use serde::Deserialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

/// How many conversations each pair of profiles has, unless the environment says otherwise.
const CONVERSATIONS: u32 = 40;
/// How many of them go through several epochs of the post-quantum ratchet.
const LONG_CONVERSATIONS: u64 = 6;
const OUR_NAME: &str = "3f1c9d1e-5b0a-4c62-9f0e-0d6f0a6f1a01";
const THEIR_NAME: &str = "8a7b2c4d-11f3-4e9a-b3f1-6c5d4e3f2a02";

/// A process that is one library.
struct Library {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: u64,
}

fn folder(name: &str) -> PathBuf {
    let candidates = std::env::var_os("COUNTERSIGN_CANDIDATES")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../candidates"), PathBuf::from);
    candidates.join(name)
}

impl Library {
    /// `None` if it is not installed.
    fn start(name: &str) -> Option<Self> {
        let folder = folder(name);
        if !folder.join("node_modules/@signalapp/libsignal-client").is_dir() || !folder.join("party.mjs").is_file() {
            let hint = format!("npm ci --prefix harness/candidates/{name} --ignore-scripts");
            drop(writeln!(std::io::stderr(), "NOT INSTALLED, so nothing was compared with it: {name} (to install it: {hint})"));
            assert!(std::env::var_os("CI").is_none(), "{name} is not installed, and this is CI");
            return None;
        }
        let mut child = Command::new("node")
            .arg("party.mjs")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("node does not start: {error}"));
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut library = Self { child, input, output, next: 0 };
        let about = library.ask(json!({"op": "about"})).unwrap();
        drop(writeln!(std::io::stderr(), "{name}: {about}"));
        Some(library)
    }

    /// What it answers, or the words in which it refuses.
    fn ask(&mut self, mut request: Value) -> Result<Value, String> {
        self.next += 1;
        request["id"] = self.next.into();
        self.input.write_all(format!("{request}\n").as_bytes()).unwrap();
        self.input.flush().unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?} to {request}"));
        assert_eq!(answer["id"], self.next, "{line}");
        match answer["refused"].as_str() {
            Some(words) => Err(words.to_owned()),
            None if answer["ok"].is_object() => Ok(answer["ok"].take()),
            None => panic!("a request that is wrong: {line} to {request}"),
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A bundle as the process writes it: the names of [`Bundle`].
#[derive(Deserialize)]
struct TheirBundle {
    registration_id: u32,
    identity_key: Bytes,
    signed_prekey: SignedKey,
    #[serde(default)]
    one_time_prekey: Option<Prekey>,
    #[serde(default)]
    kyber_prekey: Option<SignedKey>,
}

/// A user in such a process.
struct Theirs {
    library: Rc<RefCell<Library>>,
    has_session: bool,
    /// The library's words for what it refused last.
    words: String,
}

impl Theirs {
    fn new(library: &Rc<RefCell<Library>>, profile: WireProfile) -> Self {
        let request = json!({"op": "new", "party": THEIR_NAME, "profile": profile, "one_time": 50});
        library.borrow_mut().ask(request).unwrap();
        Self { library: library.clone(), has_session: false, words: String::new() }
    }

    fn ask(&self, op: &str, mut rest: Value) -> Result<Value, String> {
        rest["op"] = op.into();
        rest["party"] = THEIR_NAME.into();
        rest["peer"] = OUR_NAME.into();
        self.library.borrow_mut().ask(rest)
    }
}

impl User for Theirs {
    fn has_session(&self) -> bool {
        self.has_session
    }

    fn bundle(&mut self, one_time: bool) -> Bundle {
        let bundle: TheirBundle = serde_json::from_value(self.ask("bundle", json!({"one_time": one_time})).unwrap()).unwrap();
        Bundle {
            registration_id: bundle.registration_id,
            identity_key: bundle.identity_key,
            signed_prekey: bundle.signed_prekey,
            one_time_prekey: bundle.one_time_prekey,
            kyber_prekey: bundle.kyber_prekey,
        }
    }

    fn process(&mut self, bundle: &Bundle, _: u64) {
        let mut written = serde_json::to_value(bundle).unwrap();
        written.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.ask("process", json!({"bundle": written})).unwrap();
        self.has_session = true;
    }

    fn send(&mut self, plaintext: &[u8], _: u64) -> Message {
        let sent = self.ask("encrypt", json!({"plaintext": Bytes::from(plaintext)})).unwrap();
        let kind = if sent["type"] == "prekey" { MessageType::Prekey } else { MessageType::Normal };
        let body: Bytes = serde_json::from_value(sent["body"].clone()).unwrap();
        Message { kind, body: body.0, plaintext: plaintext.to_vec() }
    }

    fn receive(&mut self, message: &Message, _: u64) -> Outcome {
        let kind = if message.kind == MessageType::Prekey { "prekey" } else { "normal" };
        match self.ask("decrypt", json!({"type": kind, "body": Bytes::from(&message.body[..])})) {
            Ok(read) => {
                self.has_session = true;
                Ok(serde_json::from_value::<Bytes>(read["plaintext"].clone()).unwrap().0)
            }
            Err(words) => {
                let reason =
                    if words.contains("uplicate") || words.contains("old counter") { Reason::Duplicate } else { Reason::BadMac };
                self.words = words;
                Err(reason)
            }
        }
    }

    fn restart(&mut self) {
        self.ask("restart", json!({})).unwrap();
    }

    fn reset(&mut self) {
        if self.has_session {
            self.ask("archive", json!({})).unwrap();
        }
        self.has_session = false;
    }
}

/// Random conversations of one library with a party of ours that speaks so.
fn against(name: &str, their_profile: WireProfile, configs: &[Config]) {
    let Some(library) = Library::start(name) else { return };
    let library = Rc::new(RefCell::new(library));
    let cases = std::env::var("COUNTERSIGN_OFFICIAL_CONVERSATIONS").map_or(CONVERSATIONS, |text| text.parse().expect("a number"));
    for config in configs {
        let ours = Ours::new(*config, 21);
        let title = format!(
            "{name} as {their_profile}, we as {} under {:x}{:x}",
            config.profile,
            config.profile.version(),
            config.version_low
        );
        run(&title, cases, |steps, tally: &mut Tally| {
            let mut theirs = Theirs::new(&library, their_profile);
            converse([&mut ours.clone(), &mut theirs], steps, tally);
        });
    }
}

#[test]
fn official_0_22_0_speaks_v3_with_us() {
    against("node-0.22", WireProfile::V3, &[Config::new(WireProfile::V3), Config::later_v3()]);
}

#[test]
fn official_0_67_3_speaks_v3_with_us() {
    against("node-0.67", WireProfile::V3, &[Config::new(WireProfile::V3), Config::later_v3()]);
}

#[test]
fn official_0_67_3_speaks_v4_with_us() {
    against("node-0.67", WireProfile::V4, &[Config::new(WireProfile::V4), Config::new(WireProfile::V4Spqr)]);
}

#[test]
fn official_0_103_0_speaks_v4_with_the_post_quantum_ratchet_with_us() {
    against("node", WireProfile::V4Spqr, &[Config::new(WireProfile::V4Spqr)]);
}

#[test]
fn official_0_103_0_goes_through_epochs_with_us() {
    let Some(library) = Library::start("node") else { return };
    let library = Rc::new(RefCell::new(library));
    let ours = Ours::new(Config::new(WireProfile::V4Spqr), 26);
    let mut crossings = Crossings::default();
    for conversation in 0..LONG_CONVERSATIONS {
        let mut theirs = Theirs::new(&library, WireProfile::V4Spqr);
        let first = usize::from(conversation % 2 == 0);
        crossings.converse([&mut ours.clone(), &mut theirs], first, 5_000_000 * (1 + conversation));
    }
    crossings.print("with official 0.103.0", LONG_CONVERSATIONS);
}

#[test]
fn official_0_103_0_insists_on_the_post_quantum_ratchet() {
    let Some(library) = Library::start("node") else { return };
    let mut theirs = Theirs::new(&Rc::new(RefCell::new(library)), WireProfile::V4Spqr);
    let mut ours = Ours::new(Config::new(WireProfile::V4), 22);
    ours.process(&theirs.bundle(true), 23);
    assert_eq!(theirs.receive(&ours.send(b"without it", 24), 25), Err(Reason::BadMac), "{}", theirs.words);
    let mut with = Ours::new(Config::new(WireProfile::V4Spqr), 22);
    with.process(&theirs.bundle(true), 23);
    assert_eq!(theirs.receive(&with.send(b"with it", 24), 25), Ok(b"with it".to_vec()));
}

/// The limits of X3DH's own library, which has no Rust counterpart: each is ours.
#[test]
fn official_0_22_0_has_our_limits() {
    let Some(library) = Library::start("node-0.22") else { return };
    let library = Rc::new(RefCell::new(library));
    let fresh = || {
        let (mut ours, mut theirs) = (Ours::new(Config::new(WireProfile::V3), 31), Theirs::new(&library, WireProfile::V3));
        ours.process(&theirs.bundle(true), 32);
        let hello = ours.send(b"hello", 33);
        theirs.receive(&hello, 34).unwrap();
        let answer = theirs.send(b"answer", 35);
        ours.receive(&answer, 36).unwrap();
        (ours, theirs)
    };
    // A jump of 25,000 is read, and one of 25,001 is not.
    let jump = |jump: u32| [Alteration::ChainJump(jump)];
    for (length, read) in [(FURTHEST_AHEAD, true), (FURTHEST_AHEAD + 1, false)] {
        let (mut ours, mut theirs) = fresh();
        assert_eq!(theirs.receive(&ours.send_altered(b"far", &jump(length), 37), 38).is_ok(), read, "{}", theirs.words);
    }
    // Of what was skipped, 2,000 keys are kept.
    let (mut ours, mut theirs) = fresh();
    let skipped = [ours.send(b"0", 40), ours.send(b"1", 41), ours.send(b"2", 42)];
    theirs.receive(&ours.send_altered(b"3", &jump(MOST_SKIPPED as u32 - 2), 43), 44).unwrap();
    assert_eq!(theirs.receive(&skipped[0], 45), Err(Reason::Duplicate), "{}", theirs.words);
    assert_eq!(theirs.receive(&skipped[1], 46), Ok(b"1".to_vec()));
    // Five receiver chains.
    let (mut ours, mut theirs) = fresh();
    let mut old = Vec::new();
    for round in 0..=MOST_CHAINS as u64 {
        old.push(ours.send(b"kept back", 50 + round));
        theirs.receive(&ours.send(b"ahead", 60 + round), 0).unwrap();
        ours.receive(&theirs.send(b"answer", 0), 70 + round).unwrap();
    }
    assert_eq!(theirs.receive(&old[0], 0), Err(Reason::BadMac), "{}", theirs.words);
    assert_eq!(theirs.receive(&old[1], 0), Ok(b"kept back".to_vec()));
    // Forty archived sessions. Each used a one-time prekey, so that a forgotten one cannot be set up once more.
    let (mut ours, mut theirs) = fresh();
    let mut old = Vec::new();
    for round in 0..=MOST_ARCHIVED as u64 + 1 {
        ours.process(&theirs.bundle(true), 100 + round);
        let first = ours.send(b"first", 200 + round);
        old.push(ours.send(b"second", 300 + round));
        theirs.receive(&first, 0).unwrap();
    }
    assert!(theirs.receive(&old[0], 0).is_err());
    assert_eq!(theirs.receive(&old[1], 0), Ok(b"second".to_vec()), "{}", theirs.words);
}

/// What X3DH's own library makes of altered messages.
#[test]
fn official_0_22_0_refuses_what_is_altered() {
    let Some(library) = Library::start("node-0.22") else { return };
    let library = Rc::new(RefCell::new(library));
    for (case, read) in [
        (r#"{"kdf-info":"WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024"}"#, false),
        (r#"{"dh-terms":[2,1,3,4]}"#, false),
        (r#"{"dh-terms":[1,2,3]}"#, false),
        (r#""without-discontinuity""#, false),
        (r#"{"name-prekey":{"kind":"one-time","id":16777215}}"#, false),
        (r#"{"name-prekey":{"kind":"signed","id":16777215}}"#, false),
        // It takes a base key of low order, which later official code refuses, and ours does.
        (r#"{"base-key":{"low-order":0}}"#, true),
        (r#"{"set-number":{"field":"outer-version","number":35}}"#, false),
        (r#"{"set-number":{"field":"version","number":67}}"#, false),
        (r#"{"set-number":{"field":"version","number":52}}"#, true),
        (r#"{"flip":{"field":"identity-key","bit":100}}"#, false),
        (r#""swap-mac-identities""#, false),
        (r#"{"wrong-cipher-padding":"zero"}"#, false),
        (r#"{"wrong-cipher-padding":"uneven"}"#, false),
        (r#"{"set-number":{"field":"counter","number":5}}"#, false),
        (r#"{"set-number":{"field":"previous-counter","number":77}}"#, true),
        (r#"{"flip":{"field":"mac","bit":3}}"#, false),
        (r#"{"flip":{"field":"ratchet-key","bit":100}}"#, false),
        (r#"{"add":{"layer":"inner","tag":9,"value":{"number":1}}}"#, true),
        (r#"{"chain-jump":7}"#, true),
    ] {
        let alterations: [Alteration; 1] = [serde_json::from_str(case).unwrap()];
        let (mut ours, mut theirs) = (Ours::new(Config::new(WireProfile::V3), 51), Theirs::new(&library, WireProfile::V3));
        let bundle = theirs.bundle(true);
        ours.process_altered(&bundle, &alterations, 52);
        let outcome = theirs.receive(&ours.send_altered(b"altered", &alterations, 53), 54);
        assert_eq!(outcome.is_ok(), read, "{case}: {}", theirs.words);
        // The accepted twin: the same library, and nothing altered.
        let mut honest = Ours::new(Config::new(WireProfile::V3), 51);
        let mut theirs = Theirs::new(&library, WireProfile::V3);
        honest.process(&theirs.bundle(true), 52);
        assert_eq!(theirs.receive(&honest.send(b"honest", 53), 54), Ok(b"honest".to_vec()));
    }
}

/// Field 6 names sender and receiver. Current official code sends it inside prekey messages, and looks at it where it is there.
#[test]
fn official_0_103_0_looks_at_the_addresses() {
    let Some(library) = Library::start("node") else { return };
    let library = Rc::new(RefCell::new(library));
    let service_id = |name: &str| [&[0][..], name.parse::<uuid::Uuid>().unwrap().as_bytes(), &[1]].concat();
    let set = |from: &str, to: &str| {
        let bytes = Bytes([service_id(from), service_id(to)].concat());
        [Alteration::SetBytes(FieldBytes { field: Field::Addresses, bytes })]
    };
    for (from, to, expected) in [
        (OUR_NAME, THEIR_NAME, Ok(b"addressed".to_vec())),
        (THEIR_NAME, OUR_NAME, Err(Reason::BadMac)),
        (OUR_NAME, OUR_NAME, Err(Reason::BadMac)),
    ] {
        let (mut ours, mut theirs) =
            (Ours::new(Config::new(WireProfile::V4Spqr), 61), Theirs::new(&library, WireProfile::V4Spqr));
        ours.process(&theirs.bundle(true), 62);
        let outcome = theirs.receive(&ours.send_altered(b"addressed", &set(from, to), 63), 64);
        assert_eq!(outcome, expected, "{}", theirs.words);
    }
    // And what it sends itself.
    let (mut ours, mut theirs) = (Ours::new(Config::new(WireProfile::V4Spqr), 65), Theirs::new(&library, WireProfile::V4Spqr));
    theirs.process(&ours.bundle(true), 66);
    let message = theirs.send(b"addressed", 67);
    let expected = [service_id(THEIR_NAME), service_id(OUR_NAME)].concat();
    assert_eq!(Places::new(message.kind, &message.body).inner(6), [&expected[..]]);
    ours.receive(&message, 68).unwrap();
}
