//! What only shows when all instances of a run are held against each other: nothing that has to be random comes twice.

use crate::finding::Finding;
use crate::monitors::{file_reuse::HEAD, known};
use crate::said::Said;
use crate::seen::Seen;
use crate::wire;
use countersign_contract::Operation;
use countersign_scenarios::{Profile, Scenario};
use countersign_trace::{Blobs, Check, CheckKind, Digest, InstanceResult, Observation, Verdict};
use std::collections::BTreeMap;

/// What is collected over instances, and must not come twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    MediaKey,
    Ciphertext,
    OneTimePrekey,
    IdentityKey,
    RatchetKey,
}

impl Kind {
    const fn check(self) -> (&'static str, &'static [&'static str], &'static str, Finding) {
        match self {
            Self::MediaKey => ("run-media-keys", &["MED-09"], "media keys", Finding::FileReused),
            Self::Ciphertext => ("run-ciphertexts", &["MED-09"], "beginnings of encrypted files", Finding::FileReused),
            Self::OneTimePrekey => ("run-one-time-prekeys", &["PK-04"], "one-time prekeys", Finding::PrekeyReused),
            Self::IdentityKey => ("run-identity-keys", &["PK-04"], "identity keys", Finding::PrekeyReused),
            Self::RatchetKey => ("run-ratchet-keys", &["PCS-01"], "ratchet keys", Finding::CounterReused),
        }
    }

    const ALL: [Self; 5] = [Self::MediaKey, Self::Ciphertext, Self::OneTimePrekey, Self::IdentityKey, Self::RatchetKey];
}

/// The checks of a run as a whole: name and requirements.
pub(crate) fn checks() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    Kind::ALL.into_iter().map(|kind| {
        let (id, requirements, ..) = kind.check();
        (id, requirements)
    })
}

/// Judges a run as a whole: one check for each kind of value that must differ between instances. Evidence is the number of the
/// entry in the later instance; the words name both.
#[must_use]
pub fn judge_run(profile: &Profile, instances: &[InstanceResult], blobs: &Blobs) -> Vec<Check> {
    let mut run = RunJudge::default();
    instances.iter().for_each(|instance| run.add(instance, blobs));
    run.checks(profile)
}

/// Judges a run as a whole, instance by instance: of each, digests of what must not come twice are kept, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct RunJudge {
    names: Vec<String>,
    first: BTreeMap<(Kind, Digest), usize>,
    counts: BTreeMap<Kind, usize>,
    twice: BTreeMap<Kind, (usize, usize, u64)>,
}

impl RunJudge {
    /// Takes the next instance, with its long bodies.
    pub fn add(&mut self, instance: &InstanceResult, blobs: &Blobs) {
        let index = self.names.len();
        self.names.push(instance.name());
        for (kind, value, n) in collect(instance, blobs) {
            let before = *self.first.entry((kind, value)).or_insert_with(|| {
                *self.counts.entry(kind).or_default() += 1;
                index
            });
            if before != index {
                self.twice.entry(kind).or_insert((before, index, n));
            }
        }
    }

    /// The checks, as [`judge_run`] gives them.
    #[must_use]
    pub fn checks(&self, profile: &Profile) -> Vec<Check> {
        let name = |index: usize| self.names.get(index).cloned().unwrap_or_default();
        Kind::ALL
            .into_iter()
            .map(|kind| {
                let (id, requirements, what, finding) = kind.check();
                let expected = format!("no two instances share {what}");
                let said = match self.twice.get(&kind) {
                    Some((before, after, n)) => {
                        Said::fail(finding, expected, format!("{} and {} share one", name(*before), name(*after))).evidence([*n])
                    }
                    None => match self.counts.get(&kind).copied().unwrap_or(0) {
                        // Nothing was seen, so nothing is shown.
                        0 => Said::pass(expected, "there was none to compare").verdict(Verdict::NotApplicable),
                        count => Said::pass(expected, format!("{count} were compared")),
                    },
                };
                let requirements = known(requirements, |id| profile.requirements.iter().any(|r| r == id));
                said.check(id.to_owned(), CheckKind::Monitor, None, requirements, &BTreeMap::new())
            })
            .collect()
    }
}

/// Values of the candidate's making, with the number of the entry that shows each.
fn collect(instance: &InstanceResult, blobs: &Blobs) -> Vec<(Kind, Digest, u64)> {
    let scenario = nameless();
    let seen = Seen::new(&scenario, &instance.trace, blobs);
    let mut out = vec![];
    let mut add = |kind, bytes: &[u8], at: usize| out.push((kind, Digest::of(bytes), seen.n(at)));
    // Imported keys are the vector's, and the same whenever it is executed.
    let imported = |user| {
        seen.calls.iter().any(|call| {
            call.operation() == Some(Operation::CreateUser)
                && call.user("user") == Some(user)
                && call.args.get("import").is_some()
        })
    };
    for publication in seen.publications.iter().filter(|publication| !imported(publication.user)) {
        publication.one_time.iter().for_each(|k| add(Kind::OneTimePrekey, &k.key.0, publication.at));
        publication.one_time_kyber.iter().for_each(|k| add(Kind::OneTimePrekey, &k.key.0, publication.at));
        publication.identity.iter().for_each(|k| add(Kind::IdentityKey, &k.0, publication.at));
    }
    for upload in seen.requests.iter().filter(|r| r.method == "PUT" && r.path == "/media" && r.accepted()) {
        if let Some(head) = upload.body.bytes(blobs).and_then(|bytes| bytes.get(..HEAD)) {
            add(Kind::Ciphertext, head, upload.at);
        }
    }
    for (frame, message) in seen.messages_in() {
        let prekey = wire::prekey(message.body).filter(|_| message.prekey).map(|p| p.message);
        if let Some(signal) = prekey.or_else(|| wire::signal(message.body).filter(|_| !message.prekey)) {
            add(Kind::RatchetKey, signal.ratchet_key, frame.at);
        }
    }
    for (at, _, observation) in &seen.observed {
        // What our users received; their own keys come from the seed.
        if let Observation::Media { key, .. } = observation {
            out.push((Kind::MediaKey, key.sha256, seen.n(*at)));
        }
    }
    out
}

/// The index needs a scenario to resolve names; here nothing is named.
fn nameless() -> Scenario {
    Scenario {
        id: String::new(),
        title: String::new(),
        why: String::new(),
        verifies: vec![],
        twin: true,
        features: vec![],
        capabilities: vec![],
        suites: Vec::new(),
        exclusive: false,
        heavy: false,
        trust_root: None,
        cases: vec![],
        cast: BTreeMap::new(),
        steps: vec![],
    }
}
