//! Which names a step mentions, and as what.

use super::words::{expect_word, step_word};
use crate::language::{BendCertificate, BundleBend, ContentSpec, Expect, PrekeyOf, Step};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Message,
    Stanza,
    Fetch,
    SafetyNumber,
    Fault,
    Exchange,
    Burst,
    Connect,
    Group,
    Snapshot,
    Clone,
    Export,
}

impl Sort {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Message => "a message",
            Self::Stanza => "a stanza",
            Self::Fetch => "a `fetch-keys`",
            Self::SafetyNumber => "a `verify-identity`",
            Self::Fault => "a `fault`",
            Self::Exchange => "an `exchange`",
            Self::Burst => "a `burst` or `many`",
            Self::Connect => "a `try-connect`",
            Self::Group => "a group",
            Self::Snapshot => "a `snapshot`",
            Self::Clone => "a `clone`",
            Self::Export => "an `export`",
        }
    }
}

/// How a step mentions a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A member of the cast.
    User,
    /// Defines it.
    Define(Sort),
    /// Uses it, and it must stand for one of these.
    Use(&'static [Sort]),
}

/// A name in a step, and where it stands below the step.
#[derive(Clone, Debug)]
pub(crate) struct Mention<'a> {
    pub(crate) role: Role,
    pub(crate) name: &'a str,
    pub(crate) path: Vec<String>,
}

const MESSAGE: &[Sort] = &[Sort::Message];
const STANZA: &[Sort] = &[Sort::Message, Sort::Stanza];
const ATTEMPT: &[Sort] = &[Sort::Message, Sort::Fetch, Sort::Connect];
const SAFETY_NUMBER: &[Sort] = &[Sort::SafetyNumber];
const FAULT: &[Sort] = &[Sort::Fault];
const BURST: &[Sort] = &[Sort::Burst];
const GROUP: &[Sort] = &[Sort::Group];
const EXCHANGE: &[Sort] = &[Sort::Exchange];
const SNAPSHOT: &[Sort] = &[Sort::Snapshot];
const CLONE: &[Sort] = &[Sort::Clone];
const EXPORT: &[Sort] = &[Sort::Export];
const ANY: &[Sort] =
    &[Sort::Message, Sort::Stanza, Sort::Fetch, Sort::SafetyNumber, Sort::Fault, Sort::Exchange, Sort::Burst, Sort::Connect];

struct Collect<'a> {
    base: Vec<&'static str>,
    out: Vec<Mention<'a>>,
}

impl<'a> Collect<'a> {
    fn add(&mut self, role: Role, name: &'a str, below: &[&str]) {
        let path = self.base.iter().copied().chain(below.iter().copied()).map(str::to_owned).collect();
        self.out.push(Mention { role, name, path });
    }

    fn user(&mut self, name: &'a str, key: &str) {
        self.add(Role::User, name, &[key]);
    }

    fn define(&mut self, sort: Sort, name: &'a str) {
        self.add(Role::Define(sort), name, &["as"]);
    }
}

/// All names that a step mentions, in the order in which they should be resolved: uses before definitions.
pub(crate) fn mentions(step: &Step) -> Vec<Mention<'_>> {
    let mut c = Collect { base: vec![step_word(step)], out: Vec::new() };
    match step {
        Step::Send(s) => {
            c.user(&s.from, "from");
            c.user(&s.to, "to");
            content(&s.content, &mut c);
            match s.names_prekey.as_ref().map(|named| &named.of) {
                Some(PrekeyOf::Message(of)) => c.add(Role::Use(MESSAGE), of, &["names-prekey", "of", "message"]),
                Some(PrekeyOf::User(of)) => c.add(Role::User, of, &["names-prekey", "of", "user"]),
                None => {}
            }
            if let Some(BendCertificate::Of(user)) = &s.certificate {
                c.add(Role::User, user, &["certificate", "of"]);
            }
            c.define(Sort::Message, &s.name);
        }
        Step::Expect(expect) => expectation(expect, &mut c),
        Step::Release(name) | Step::Drop(name) => c.add(Role::Use(STANZA), name, &[]),
        Step::Replay(r) => {
            c.add(Role::Use(STANZA), &r.stanza, &["stanza"]);
            if let Some(name) = &r.name {
                c.define(Sort::Stanza, name);
            }
        }
        Step::Misdeliver(m) => {
            c.add(Role::Use(STANZA), &m.stanza, &["stanza"]);
            c.user(&m.to, "to");
            c.user(&m.from, "from");
            c.define(Sort::Stanza, &m.name);
        }
        Step::Connect(user) | Step::Disconnect(user) | Step::Reinstall(user) | Step::DeleteUser(user) => {
            c.add(Role::User, user, &[]);
        }
        Step::Advance(_) | Step::Media(_) | Step::ExtraMembers(_) => {}
        Step::SendStored(s) => {
            c.user(&s.from, "from");
            c.user(&s.to, "to");
            if let Some(group) = &s.group {
                c.add(Role::Use(GROUP), group, &["group"]);
            }
            c.define(Sort::Message, &s.name);
        }
        Step::StoreBlob(s) => c.user(&s.of, "of"),
        Step::ServeBundle(s) => c.user(&s.of, "of"),
        Step::FetchKeys(f) => {
            c.user(&f.user, "user");
            c.user(&f.of, "of");
            c.define(Sort::Fetch, &f.name);
        }
        Step::Bundle(b) => {
            c.user(&b.of, "of");
            match &b.rule {
                BundleBend::SignedPrekeyOf(user) => c.add(Role::User, user, &["rule", "signed-prekey-of"]),
                BundleBend::KyberPrekeyOf(user) => c.add(Role::User, user, &["rule", "kyber-prekey-of"]),
                _ => {}
            }
        }
        Step::RotateKeys(r) => c.user(&r.user, "user"),
        Step::Block(p) | Step::Unblock(p) | Step::AcceptIdentity(p) => {
            c.user(&p.user, "user");
            c.user(&p.peer, "peer");
        }
        Step::VerifyIdentity(v) => {
            c.user(&v.user, "user");
            c.user(&v.peer, "peer");
            c.define(Sort::SafetyNumber, &v.name);
        }
        Step::Fault(f) => c.define(Sort::Fault, &f.name),
        Step::Exchange(e) => {
            for (i, user) in e.between.iter().enumerate() {
                c.add(Role::User, user, &["between", &i.to_string()]);
            }
            c.define(Sort::Exchange, &e.name);
        }
        Step::Burst(b) => {
            c.user(&b.from, "from");
            c.user(&b.to, "to");
            c.define(Sort::Burst, &b.name);
        }
        Step::ForgeRetry(f) => {
            c.user(&f.from, "from");
            c.user(&f.to, "to");
            c.add(Role::Use(MESSAGE), &f.of, &["of"]);
            c.define(Sort::Stanza, &f.name);
        }
        Step::TryConnect(t) => {
            c.user(&t.user, "user");
            c.define(Sort::Connect, &t.name);
        }
        Step::AskAgain(a) => {
            c.user(&a.from, "from");
            c.user(&a.to, "to");
            c.add(Role::Use(MESSAGE), &a.of, &["of"]);
        }
        Step::Many(m) => {
            c.user(&m.from, "from");
            c.user(&m.to, "to");
            c.define(Sort::Burst, &m.name);
        }
        Step::CreateGroup(g) => {
            c.user(&g.by, "by");
            users(&g.members, "members", &mut c);
            c.define(Sort::Group, &g.name);
        }
        Step::ChangeGroup(g) => {
            if let Some(by) = &g.by {
                c.user(by, "by");
            }
            c.add(Role::Use(GROUP), &g.group, &["group"]);
            users(&g.add, "add", &mut c);
            users(&g.remove, "remove", &mut c);
            users(&g.untold, "untold", &mut c);
        }
        Step::SendToGroup(s) => {
            c.user(&s.from, "from");
            c.add(Role::Use(GROUP), &s.group, &["group"]);
            if let Some(user) = &s.copy_for {
                c.user(user, "copy-for");
            }
            if let Some(user) = &s.names_distribution_of {
                c.user(user, "names-distribution-of");
            }
            content(&s.content, &mut c);
            c.define(Sort::Message, &s.name);
        }
        Step::Redeliver(r) => {
            c.add(Role::Use(STANZA), &r.stanza, &["stanza"]);
            c.user(&r.to, "to");
            if let Some(group) = &r.group {
                c.add(Role::Use(GROUP), group, &["group"]);
            }
            c.define(Sort::Stanza, &r.name);
        }
        Step::LoseNext(l) => {
            c.user(&l.from, "from");
            c.user(&l.to, "to");
        }
        Step::UnknownStanza(u) => {
            c.user(&u.to, "to");
            c.define(Sort::Stanza, &u.name);
        }
        Step::Snapshot(s) => {
            c.user(&s.of, "of");
            c.define(Sort::Snapshot, &s.name);
        }
        Step::Restore(r) => {
            c.user(&r.user, "user");
            c.add(Role::Use(SNAPSHOT), &r.to, &["to"]);
        }
        Step::Clone(s) => {
            c.user(&s.of, "of");
            c.define(Sort::Clone, &s.name);
        }
        Step::Deliver(d) => {
            c.add(Role::Use(CLONE), &d.clone, &["clone"]);
            for (i, name) in d.stanzas.iter().enumerate() {
                c.add(Role::Use(STANZA), name, &["stanzas", &i.to_string()]);
            }
            if let Some(exchange) = &d.exchange {
                c.add(Role::Use(EXCHANGE), exchange, &["exchange"]);
            }
        }
        Step::Export(s) => {
            c.user(&s.of, "of");
            c.define(Sort::Export, &s.name);
        }
    }
    c.out
}

/// Users of a list.
fn users<'a>(names: &'a [String], key: &str, c: &mut Collect<'a>) {
    for (i, user) in names.iter().enumerate() {
        c.add(Role::User, user, &[key, &i.to_string()]);
    }
}

/// Names that a content mentions.
fn content<'a>(content: &'a ContentSpec, c: &mut Collect<'a>) {
    match content {
        ContentSpec::Reaction { of, .. } => c.add(Role::Use(MESSAGE), of, &["content", "reaction", "of"]),
        ContentSpec::Reply { of, .. } => c.add(Role::Use(MESSAGE), of, &["content", "reply", "of"]),
        ContentSpec::Edit { of, .. } => c.add(Role::Use(MESSAGE), of, &["content", "edit", "of"]),
        ContentSpec::Delete { of } => c.add(Role::Use(MESSAGE), of, &["content", "delete", "of"]),
        ContentSpec::Read(of) => c.add(Role::Use(MESSAGE), of, &["content", "read"]),
        ContentSpec::Text(_)
        | ContentSpec::ExactText(_)
        | ContentSpec::TextOfBytes(_)
        | ContentSpec::EveryPlane
        | ContentSpec::File(_)
        | ContentSpec::Typing(_) => {}
    }
}

fn expectation<'a>(expect: &'a Expect, c: &mut Collect<'a>) {
    c.base.push(expect_word(expect));
    match expect {
        Expect::Shows { user, messages, .. } => {
            c.user(user, "user");
            for (i, name) in messages.iter().enumerate() {
                c.add(Role::Use(MESSAGE), name, &["messages", &i.to_string()]);
            }
        }
        Expect::Refuses { user, stanza, .. } | Expect::ShowsNothingOf { user, stanza } | Expect::CannotRead { user, stanza } => {
            c.user(user, "user");
            c.add(Role::Use(STANZA), stanza, &["stanza"]);
        }
        Expect::Notice { user, about, before, group, .. } => {
            c.user(user, "user");
            c.user(about, "about");
            if let Some(group) = group {
                c.add(Role::Use(GROUP), group, &["group"]);
            }
            if let Some(name) = before {
                c.add(Role::Use(MESSAGE), name, &["before"]);
            }
        }
        Expect::Receipt { user, of, .. } | Expect::NoReceipt { user, of, .. } => {
            c.user(user, "user");
            c.add(Role::Use(STANZA), of, &["of"]);
        }
        Expect::Problem { step, .. } => c.add(Role::Use(ATTEMPT), step, &["step"]),
        Expect::Wire { stanza, new_session_since, new_ratchet_since, .. } => {
            c.add(Role::Use(STANZA), stanza, &["stanza"]);
            if let Some(before) = new_session_since {
                c.add(Role::Use(MESSAGE), before, &["new-session-since"]);
            }
            if let Some(before) = new_ratchet_since {
                c.add(Role::Use(MESSAGE), before, &["new-ratchet-since"]);
            }
        }
        Expect::ShowsOrRefuses(either) => {
            c.user(&either.user, "user");
            c.add(Role::Use(MESSAGE), &either.message, &["message"]);
        }
        Expect::ThiefReads(thief) | Expect::ThiefCannotRead(thief) => {
            c.add(Role::Use(CLONE), &thief.clone, &["clone"]);
            for (i, name) in thief.messages.iter().enumerate() {
                c.add(Role::Use(STANZA), name, &["messages", &i.to_string()]);
            }
        }
        Expect::ThiefLockedOut(healing) | Expect::PostQuantumHealed(healing) => {
            c.add(Role::Use(CLONE), &healing.clone, &["clone"]);
            c.add(Role::Use(EXCHANGE), &healing.exchange, &["exchange"]);
        }
        Expect::ExportHolds(keys) | Expect::ExportLacks(keys) => {
            c.add(Role::Use(EXPORT), &keys.export, &["export"]);
            for (i, name) in keys.keys_of.iter().enumerate() {
                c.add(Role::Use(MESSAGE), name, &["keys-of", &i.to_string()]);
            }
            for (i, name) in keys.prekeys_of.iter().enumerate() {
                c.add(Role::Use(MESSAGE), name, &["prekeys-of", &i.to_string()]);
            }
        }
        Expect::SameExport { between } => {
            for (i, name) in between.iter().enumerate() {
                c.add(Role::Use(EXPORT), name, &["between", &i.to_string()]);
            }
        }
        Expect::SafetyNumberIs(number) => c.add(Role::Use(SAFETY_NUMBER), &number.of, &["of"]),
        Expect::Silent { user } | Expect::Survives { user } => c.user(user, "user"),
        Expect::Resends { user, to, of, .. } => {
            c.user(user, "user");
            c.user(to, "to");
            c.add(Role::Use(MESSAGE), of, &["of"]);
        }
        Expect::Acknowledges { user, stanza } => {
            c.user(user, "user");
            c.add(Role::Use(STANZA), stanza, &["stanza"]);
        }
        Expect::AnswersAlike { user, stanzas } => {
            c.user(user, "user");
            for (i, name) in stanzas.iter().enumerate() {
                c.add(Role::Use(STANZA), name, &["stanzas", &i.to_string()]);
            }
        }
        Expect::NothingSent { user, to, after } => {
            c.user(user, "user");
            c.user(to, "to");
            c.add(Role::Use(ANY), after, &["after"]);
        }
        Expect::SameSafetyNumber { between } | Expect::DifferentSafetyNumber { between } => {
            for (i, name) in between.iter().enumerate() {
                c.add(Role::Use(SAFETY_NUMBER), name, &["between", &i.to_string()]);
            }
        }
        Expect::KeysLeft { user, .. } => c.user(user, "user"),
        Expect::DifferentFiles { between } => {
            for (i, name) in between.iter().enumerate() {
                c.add(Role::Use(MESSAGE), name, &["between", &i.to_string()]);
            }
        }
        Expect::GrowingPauses { fault, .. } => c.add(Role::Use(FAULT), fault, &["fault"]),
        Expect::DeliveryLatency { burst } | Expect::ReceiptLatency { burst } => c.add(Role::Use(BURST), burst, &["burst"]),
    }
}
