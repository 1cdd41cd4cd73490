//! Rules for single steps, and for a scenario as a whole.

use super::names::Placed;
use super::words::step_word;
use crate::diagnostic::{Fault, Span, known_hint};
use crate::language::{BundleBend, Cast, ContentSpec, Expect, NamesPrekey, Network, PrekeyOf, Rewrite, Side, Stack, Step};
use crate::yaml::Node;
use countersign_contract::Reason;
use countersign_contract::seen::NoticeKind;
use std::collections::{BTreeMap, BTreeSet};

/// Fields of a libsignal message that the network can change. The disturbance layer knows the same list.
pub const TAMPER_FIELDS: [&str; 21] = [
    "unknown-version",
    "older-version",
    "oldest-version",
    "version",
    "ratchet-key",
    "counter",
    "previous-counter",
    "ciphertext",
    "pq-ratchet",
    "pq-ratchet-cut",
    "addresses",
    "mac",
    "outer-version",
    "prekey-id",
    "base-key",
    "identity-key",
    "message",
    "registration-id",
    "signed-prekey-id",
    "kyber-prekey-id",
    "kyber-ciphertext",
];

/// Reasons that say nothing about the input: a candidate that gives one of them did not refuse for a right reason.
const NEVER_RIGHT: [Reason; 3] = [Reason::Unsupported, Reason::Internal, Reason::Timeout];

/// Longest exchange or burst.
pub(super) const MOST_MESSAGES: u32 = 2_000;

/// Largest reaction, in bytes: what fits into a content of the contract.
const LARGEST_REACTION: u32 = 128 * 1024 - 256;

/// Largest file or text that a scenario sends, in bytes.
const LARGEST: u32 = 16 * 1024 * 1024;

/// Largest file of a scenario that is heavy, and of one that is not, in bytes.
const LARGEST_HEAVY: u32 = 64 * 1024 * 1024;
pub(super) const LARGEST_LIGHT: u32 = 1024 * 1024;

pub(super) type CastAt = BTreeMap<String, (Span, Option<Cast>)>;

pub(super) struct Rules<'a> {
    pub(super) cast: &'a CastAt,
    faults: &'a mut Vec<Fault>,
}

/// Checks each step by itself.
pub(crate) fn check_steps(cast: &CastAt, steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    let mut rules = Rules { cast, faults };
    for placed in steps {
        if let Some(step) = &placed.step {
            rules.step(step, placed.node);
        }
    }
}

impl Rules<'_> {
    pub(super) fn side(&self, user: &str) -> Option<Side> {
        self.cast.get(user).and_then(|(_, cast)| cast.as_ref()).map(|c| c.side)
    }

    pub(super) fn fault(&mut self, node: &Node, path: &[&str], message: impl Into<String>, hint: &str) {
        self.faults.push(Fault::new(node.at(path).span, message).hint(hint));
    }

    /// A user has to be on one side.
    pub(super) fn must_be(&mut self, side: Side, user: &str, node: &Node, path: &[&str]) {
        let Some(actual) = self.side(user) else { return };
        if actual != side {
            let (is, should) = match side {
                Side::Reference => ("a candidate's user", "a reference user"),
                Side::Candidate => ("a reference user", "a candidate's user"),
            };
            let fault = Fault::new(node.at(path).span, format!("`{user}` is {is}, and here stands {should}"));
            self.faults.push(fault.hint("name another member, or change the cast"));
        }
    }

    pub(super) fn two(&mut self, a: &str, b: &str, node: &Node, path: &[&str]) {
        if a == b {
            self.fault(node, path, format!("`{a}` and `{b}` are the same user"), "name two users");
        }
    }

    pub(super) fn count(&mut self, n: u32, range: std::ops::RangeInclusive<u32>, node: &Node, path: &[&str]) {
        if !range.contains(&n) {
            let hint = format!("from {} to {}", range.start(), range.end());
            self.fault(node, path, format!("{n} is out of range"), &hint);
        }
    }

    /// What is done wrongly is done by a member on our own stack.
    pub(super) fn altered(&mut self, user: &str, is: bool, node: &Node, path: &[&str]) {
        let Some(member) = self.cast.get(user).and_then(|(_, cast)| cast.as_ref()).filter(|_| is) else { return };
        if member.side == Side::Reference && member.stack == Stack::Adversary {
            return;
        }
        let word = path.last().copied().unwrap_or_default();
        let message = format!("`{word}` for `{user}`, who does not run on the stack `adversary`");
        let hint = match member.side {
            Side::Reference => format!("write `{user}: {{ side: reference, stack: adversary }}` in the cast"),
            Side::Candidate => "only reference users on that stack can be told to misbehave".to_owned(),
        };
        self.fault(node, path, message, &hint);
    }

    fn step(&mut self, step: &Step, node: &Node) {
        match step {
            Step::Send(s) => {
                self.two(&s.from, &s.to, node, &["send", "to"]);
                if self.side(&s.from) == Some(Side::Candidate) {
                    let hint = "only what reference users send can be bent like this";
                    if s.fresh_session {
                        let message = format!("`fresh-session` for `{}`, a candidate's user", s.from);
                        self.fault(node, &["send", "fresh-session"], message, hint);
                    }
                    if s.bend.is_some() {
                        self.fault(node, &["send", "bend"], format!("`bend` for `{}`, a candidate's user", s.from), hint);
                    }
                }
                self.sealed(s, node);
                self.altered(&s.from, !s.alter.is_empty(), node, &["send", "alter"]);
                self.fits(&s.alter, |alteration| !alteration.in_group_alone(), node, "send");
                self.edits_seal(s, node);
                self.altered(&s.from, s.names_prekey.is_some(), node, &["send", "names-prekey"]);
                if let Some(NamesPrekey { of: PrekeyOf::User(user), .. }) = &s.names_prekey {
                    // Only of our own users do we know which prekeys they have.
                    self.must_be(Side::Reference, user, node, &["send", "names-prekey", "of", "user"]);
                    self.two(&s.from, user, node, &["send", "names-prekey", "of", "user"]);
                }
                match &s.content {
                    ContentSpec::TextOfBytes(n) => self.count(*n, 64..=LARGEST, node, &["send", "content", "text-of-bytes"]),
                    ContentSpec::Reaction { bytes: Some(n), .. } => {
                        self.count(*n, 1..=LARGEST_REACTION, node, &["send", "content", "reaction", "bytes"]);
                    }
                    ContentSpec::File(file) => {
                        self.count(file.bytes, 0..=LARGEST_HEAVY, node, &["send", "content", "file", "bytes"])
                    }
                    _ => {}
                }
                if matches!(s.network, Some(Network::Rewrite(_))) {
                    self.must_be(Side::Candidate, &s.to, node, &["send", "network", "rewrite"]);
                }
                self.network(s.network.as_ref(), node, "send", &TAMPER_FIELDS);
            }
            Step::CreateGroup(g) => {
                if g.members.contains(&g.by) {
                    let message = format!("`{}` creates the group, and is a member anyway", g.by);
                    self.fault(node, &["create-group", "members"], message, "leave it out");
                }
                if g.id.is_some() {
                    // A candidate is told the id of its group, and that has to be a new one in each instance.
                    self.must_be(Side::Reference, &g.by, node, &["create-group", "by"]);
                }
            }
            Step::ChangeGroup(g) => {
                if g.add.is_empty() && g.remove.is_empty() {
                    self.fault(node, &["change-group"], "nothing to change", "set `add` or `remove`");
                }
            }
            Step::SendToGroup(s) => self.send_to_group(s, node),
            Step::Redeliver(_) => {}
            Step::LoseNext(l) => self.two(&l.from, &l.to, node, &["lose-next", "to"]),
            Step::Expect(expect) => self.expect(expect, node),
            Step::FetchKeys(f) => {
                self.two(&f.user, &f.of, node, &["fetch-keys", "of"]);
                self.altered(&f.user, !f.alter.is_empty(), node, &["fetch-keys", "alter"]);
                if let Some(place) = f.alter.iter().position(|alteration| !alteration.at_set_up()) {
                    let message = "this is done wrongly in a message, and none is sent here";
                    let hint = "write it into the `alter` of a `send`";
                    self.fault(node, &["fetch-keys", "alter", &place.to_string()], message, hint);
                }
            }
            Step::Bundle(b) => {
                let properly_signed =
                    matches!(b.rule, BundleBend::WeakSignedPrekey(_) | BundleBend::WeakIdentity(_) | BundleBend::ZeroKyberPrekey);
                if properly_signed {
                    // Only of a reference user do we have the identity key with which to sign the bad key.
                    self.must_be(Side::Reference, &b.of, node, &["bundle", "of"]);
                }
                if let BundleBend::Rewrite(rewrites) = &b.rule {
                    self.rewrites(rewrites, node, &["bundle", "rule", "rewrite"], &[]);
                }
                if let BundleBend::SignedPrekeyOf(user) | BundleBend::KyberPrekeyOf(user) = &b.rule {
                    self.two(&b.of, user, node, &["bundle", "rule"]);
                    // We have the keys of reference users at hand, before anybody has fetched them.
                    self.must_be(Side::Reference, user, node, &["bundle", "rule"]);
                }
            }
            Step::RotateKeys(r) => {
                if !r.signed && !r.kyber && r.one_time_prekeys == 0 {
                    self.fault(node, &["rotate-keys"], "nothing to make anew", "set `signed`, `kyber` or `one-time-prekeys`");
                }
                self.count(r.one_time_prekeys, 0..=100, node, &["rotate-keys", "one-time-prekeys"]);
            }
            Step::AcceptIdentity(p) => self.two(&p.user, &p.peer, node, &["accept-identity", "peer"]),
            Step::Block(p) | Step::Unblock(p) => self.two(&p.user, &p.peer, node, &[step_word(step), "peer"]),
            Step::VerifyIdentity(v) => self.two(&v.user, &v.peer, node, &["verify-identity", "peer"]),
            Step::Fault(f) => self.count(f.times, 1..=100, node, &["fault", "times"]),
            Step::Exchange(e) => {
                let [a, b] = &e.between;
                self.two(a, b, node, &["exchange", "between"]);
                self.count(e.messages, 2..=MOST_MESSAGES, node, &["exchange", "messages"]);
            }
            Step::Burst(b) => {
                self.must_be(Side::Reference, &b.from, node, &["burst", "from"]);
                self.must_be(Side::Candidate, &b.to, node, &["burst", "to"]);
                self.count(b.messages, 1..=MOST_MESSAGES, node, &["burst", "messages"]);
                self.count(b.every_ms, 1..=10_000, node, &["burst", "every-ms"]);
            }
            Step::ForgeRetry(f) => {
                self.must_be(Side::Reference, &f.from, node, &["forge-retry", "from"]);
                self.must_be(Side::Candidate, &f.to, node, &["forge-retry", "to"]);
            }
            Step::TryConnect(t) => self.must_be(Side::Candidate, &t.user, node, &["try-connect", "user"]),
            Step::AskAgain(a) => {
                self.must_be(Side::Reference, &a.from, node, &["ask-again", "from"]);
                self.must_be(Side::Candidate, &a.to, node, &["ask-again", "to"]);
                self.count(a.times, 1..=20, node, &["ask-again", "times"]);
            }
            Step::Many(m) => {
                self.must_be(Side::Reference, &m.from, node, &["many", "from"]);
                self.two(&m.from, &m.to, node, &["many", "to"]);
                self.count(m.messages, 1..=MOST_MESSAGES, node, &["many", "messages"]);
                if !matches!(m.network, None | Some(Network::Drop)) {
                    self.fault(node, &["many", "network"], "the network can only lose many messages at once", "write `drop`");
                }
            }
            Step::UnknownStanza(u) => self.must_be(Side::Candidate, &u.to, node, &["unknown-stanza", "to"]),
            Step::SendStored(_) | Step::StoreBlob(_) | Step::ServeBundle(_) => self.stored(step, node),
            Step::Snapshot(_) | Step::Restore(_) | Step::Clone(_) | Step::Deliver(_) | Step::Export(_) => self.state(step, node),
            Step::Release(_)
            | Step::Drop(_)
            | Step::Replay(_)
            | Step::Misdeliver(_)
            | Step::Connect(_)
            | Step::Disconnect(_)
            | Step::Advance(_)
            | Step::Media(_)
            | Step::Reinstall(_)
            | Step::ExtraMembers(_)
            | Step::DeleteUser(_) => {}
        }
    }

    /// What is written wrongly into a JSON object, and what must stay as it is.
    fn rewrites(&mut self, rewrites: &[Rewrite], node: &Node, path: &[&str], fixed: &[&str]) {
        if rewrites.is_empty() {
            self.fault(node, path, "nothing to write wrongly", "name at least one member");
        }
        for rewrite in rewrites {
            match rewrite.member.as_slice() {
                [] => self.fault(node, path, "a rewriting without a `member`", "name the member, such as `[body]`"),
                [only] if fixed.contains(&only.as_str()) => {
                    let message = format!("`{only}` has to stay: without it nobody can say what the client has processed");
                    self.fault(node, path, message, "rewrite another member");
                }
                _ => {}
            }
        }
    }

    pub(super) fn network(&mut self, network: Option<&Network>, node: &Node, word: &str, fields: &[&'static str]) {
        match network {
            Some(Network::Tamper(field)) if !fields.contains(&field.as_str()) => {
                let hint = known_hint(field, fields.iter().copied());
                self.fault(node, &[word, "network", "tamper"], format!("a message has no field `{field}`"), &hint);
            }
            Some(Network::DamagedEachTime(damage)) => {
                let path = [word, "network", "damaged-each-time"];
                if !fields.contains(&damage.field.as_str()) {
                    let hint = known_hint(&damage.field, fields.iter().copied());
                    self.fault(node, &path, format!("a message has no field `{}`", damage.field), &hint);
                }
                self.count(damage.times, 2..=100, node, &path);
            }
            Some(Network::Rewrite(rewrites)) => self.rewrites(rewrites, node, &[word, "network", "rewrite"], &["kind", "id"]),
            Some(Network::Deliver(n)) => self.count(*n, 2..=100, node, &[word, "network", "deliver"]),
            _ => {}
        }
    }

    fn expect(&mut self, expect: &Expect, node: &Node) {
        match expect {
            Expect::Shows { messages, .. } if messages.is_empty() => {
                self.fault(node, &["expect", "shows", "messages"], "no message to show", "name at least one");
            }
            Expect::Refuses { reasons, .. } => self.reasons(reasons, node, &["expect", "refuses", "reasons"]),
            Expect::Problem { reasons, .. } => self.reasons(reasons, node, &["expect", "problem", "reasons"]),
            Expect::ShowsOrRefuses(_) | Expect::SafetyNumberIs(_) => self.stored_expectation(expect, node),
            Expect::ThiefReads(_)
            | Expect::ThiefCannotRead(_)
            | Expect::ThiefLockedOut(_)
            | Expect::PostQuantumHealed(_)
            | Expect::ExportHolds(_)
            | Expect::ExportLacks(_)
            | Expect::SameExport { .. } => self.state_expectation(expect, node),
            Expect::CannotRead { user, .. } => self.must_be(Side::Reference, user, node, &["expect", "cannot-read", "user"]),
            Expect::Notice { notice, group, .. } if is_about_group(*notice) != group.is_some() => {
                let hint = "`member-added` and `member-removed` name a `group`, and no other notice does";
                self.fault(node, &["expect", "notice"], "the notice and `group` do not fit together", hint);
            }
            Expect::Notice { user, .. } => self.must_be(Side::Candidate, user, node, &["expect", "notice", "user"]),
            Expect::NothingSent { user, .. } => self.must_be(Side::Candidate, user, node, &["expect", "nothing-sent", "user"]),
            Expect::KeysLeft { user, .. } => self.must_be(Side::Candidate, user, node, &["expect", "keys-left", "user"]),
            Expect::Survives { user } => self.must_be(Side::Candidate, user, node, &["expect", "survives", "user"]),
            Expect::Silent { user } => self.must_be(Side::Candidate, user, node, &["expect", "silent", "user"]),
            Expect::Acknowledges { user, .. } => self.must_be(Side::Candidate, user, node, &["expect", "acknowledges", "user"]),
            Expect::AnswersAlike { user, stanzas } => {
                self.must_be(Side::Candidate, user, node, &["expect", "answers-alike", "user"]);
                let distinct: BTreeSet<&String> = stanzas.iter().collect();
                if distinct.len() < 2 || distinct.len() < stanzas.len() {
                    let hint = "name two or more, each once";
                    self.fault(node, &["expect", "answers-alike", "stanzas"], "there is nothing to compare an answer with", hint);
                }
            }
            Expect::Resends { user, at_least, at_most, .. } => {
                self.must_be(Side::Candidate, user, node, &["expect", "resends", "user"]);
                if at_least > at_most {
                    let message = format!("at least {at_least} and at most {at_most}");
                    self.fault(node, &["expect", "resends"], message, "let the first be no more than the second");
                }
            }
            Expect::Wire {
                r#type: None,
                one_time_prekey: None,
                epoch_at_least: None,
                new_session_since: None,
                new_ratchet_since: None,
                ..
            } => {
                let hint = "give `type`, `one-time-prekey`, `epoch-at-least`, `new-session-since` or `new-ratchet-since`";
                self.fault(node, &["expect", "wire"], "nothing is expected of the message on the wire", hint);
            }
            Expect::SameSafetyNumber { between: [a, b] }
            | Expect::DifferentSafetyNumber { between: [a, b] }
            | Expect::DifferentFiles { between: [a, b] }
                if a == b =>
            {
                self.fault(node, &["expect"], format!("`{a}` is compared with itself"), "name two");
            }
            _ => {}
        }
    }

    pub(super) fn reasons(&mut self, reasons: &[Reason], node: &Node, path: &[&str]) {
        if reasons.is_empty() {
            self.fault(node, path, "no reason is right here", "name the reasons that are");
        }
        for (i, reason) in reasons.iter().enumerate() {
            if NEVER_RIGHT.contains(reason) {
                let place: Vec<String> = path.iter().map(|p| (*p).to_owned()).chain([i.to_string()]).collect();
                let place: Vec<&str> = place.iter().map(String::as_str).collect();
                let message = format!("`{reason}` is never a right reason: it says nothing about the input");
                self.fault(node, &place, message, "name what is wrong with the input");
            }
        }
    }
}

const fn is_about_group(notice: NoticeKind) -> bool {
    matches!(notice, NoticeKind::MemberAdded | NoticeKind::MemberRemoved)
}
