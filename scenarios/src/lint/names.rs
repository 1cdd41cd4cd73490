//! Which names a step defines and uses, and whether they fit together.

use crate::diagnostic::{Fault, Span, known_hint};
use crate::language::{BendCertificate, BundleBend, Cast, ContentSpec, Expect, Network, PrekeyOf, Step};
use crate::yaml::Node;
use std::collections::{BTreeMap, BTreeSet};

/// What follows from a stanza is named after it.
pub(crate) const FOLLOW_UPS: [&str; 3] = ["receipt", "retry", "resend"];

/// What a sender key is named that goes to a member before a group message: this, and the member's name.
pub(crate) const KEY_FOR: &str = "key-";

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
}

impl Sort {
    const fn words(self) -> &'static str {
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
        Expect::SafetyNumberIs(number) => c.add(Role::Use(SAFETY_NUMBER), &number.of, &["of"]),
        Expect::Silent { user } => c.user(user, "user"),
        Expect::Resends { user, to, of, .. } => {
            c.user(user, "user");
            c.user(to, "to");
            c.add(Role::Use(MESSAGE), of, &["of"]);
        }
        Expect::Acknowledges { user, stanza } => {
            c.user(user, "user");
            c.add(Role::Use(STANZA), stanza, &["stanza"]);
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

/// The word by which a file names the step.
pub(crate) const fn step_word(step: &Step) -> &'static str {
    match step {
        Step::Send(_) => "send",
        Step::Expect(_) => "expect",
        Step::Release(_) => "release",
        Step::Drop(_) => "drop",
        Step::Replay(_) => "replay",
        Step::Misdeliver(_) => "misdeliver",
        Step::Connect(_) => "connect",
        Step::Disconnect(_) => "disconnect",
        Step::Advance(_) => "advance",
        Step::FetchKeys(_) => "fetch-keys",
        Step::Bundle(_) => "bundle",
        Step::RotateKeys(_) => "rotate-keys",
        Step::Reinstall(_) => "reinstall",
        Step::AcceptIdentity(_) => "accept-identity",
        Step::Block(_) => "block",
        Step::Unblock(_) => "unblock",
        Step::VerifyIdentity(_) => "verify-identity",
        Step::Fault(_) => "fault",
        Step::Media(_) => "media",
        Step::Exchange(_) => "exchange",
        Step::Burst(_) => "burst",
        Step::DeleteUser(_) => "delete-user",
        Step::ForgeRetry(_) => "forge-retry",
        Step::TryConnect(_) => "try-connect",
        Step::AskAgain(_) => "ask-again",
        Step::Many(_) => "many",
        Step::UnknownStanza(_) => "unknown-stanza",
        Step::ExtraMembers(_) => "extra-members",
        Step::SendStored(_) => "send-stored",
        Step::StoreBlob(_) => "store-blob",
        Step::ServeBundle(_) => "serve-bundle",
        Step::CreateGroup(_) => "create-group",
        Step::ChangeGroup(_) => "change-group",
        Step::SendToGroup(_) => "send-to-group",
        Step::Redeliver(_) => "redeliver",
        Step::LoseNext(_) => "lose-next",
    }
}

const fn expect_word(expect: &Expect) -> &'static str {
    match expect {
        Expect::Shows { .. } => "shows",
        Expect::Refuses { .. } => "refuses",
        Expect::ShowsNothingOf { .. } => "shows-nothing-of",
        Expect::CannotRead { .. } => "cannot-read",
        Expect::Notice { .. } => "notice",
        Expect::Receipt { .. } => "receipt",
        Expect::NoReceipt { .. } => "no-receipt",
        Expect::Problem { .. } => "problem",
        Expect::Wire { .. } => "wire",
        Expect::Silent { .. } => "silent",
        Expect::Resends { .. } => "resends",
        Expect::Acknowledges { .. } => "acknowledges",
        Expect::NothingSent { .. } => "nothing-sent",
        Expect::SameSafetyNumber { .. } => "same-safety-number",
        Expect::DifferentSafetyNumber { .. } => "different-safety-number",
        Expect::KeysLeft { .. } => "keys-left",
        Expect::DifferentFiles { .. } => "different-files",
        Expect::GrowingPauses { .. } => "growing-pauses",
        Expect::DeliveryLatency { .. } => "delivery-latency",
        Expect::ReceiptLatency { .. } => "receipt-latency",
        Expect::ShowsOrRefuses(_) => "shows-or-refuses",
        Expect::SafetyNumberIs(_) => "safety-number-is",
    }
}

/// One step as read, with its place. `None` if it could not be read: what it mentions then counts as meant well, so that one
/// fault does not cause others.
pub(crate) struct Placed<'a> {
    pub(crate) node: &'a Node,
    pub(crate) step: Option<Step>,
}

struct Defined {
    sort: Sort,
    span: Span,
    step: usize,
    /// How many numbered messages an exchange or a burst has.
    messages: u32,
}

/// Checks all names of a scenario.
pub(crate) fn check_names(cast: &BTreeMap<String, (Span, Option<Cast>)>, steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    let mut unread = BTreeSet::new();
    for placed in steps.iter().filter(|p| p.step.is_none()) {
        placed.node.texts(&mut unread);
    }
    let mut defined: BTreeMap<&str, Defined> = BTreeMap::new();
    for (index, placed) in steps.iter().enumerate() {
        for mention in placed.step.iter().flat_map(mentions) {
            let Role::Define(sort) = mention.role else { continue };
            let span = placed.node.at(&strs(&mention.path)).span;
            check_form(mention.name, span, faults);
            if let Some(first) = defined.get(mention.name) {
                let hint = format!("the first stands in line {}", first.span.line);
                faults.push(Fault::new(span, format!("the name `{}` is defined twice", mention.name)).hint(hint));
                continue;
            }
            let messages = match &placed.step {
                Some(Step::Exchange(e)) => e.messages,
                Some(Step::Burst(b)) => b.messages,
                Some(Step::Many(m)) => m.messages,
                _ => 0,
            };
            defined.insert(mention.name, Defined { sort, span, step: index, messages });
        }
    }

    let mut users = BTreeSet::new();
    for (index, placed) in steps.iter().enumerate() {
        for mention in placed.step.iter().flat_map(mentions) {
            let span = placed.node.at(&strs(&mention.path)).span;
            match mention.role {
                Role::Define(_) => {}
                Role::User if cast.contains_key(mention.name) => {
                    users.insert(mention.name);
                }
                Role::User => {
                    let hint = known_hint(mention.name, cast.keys().map(String::as_str).collect::<Vec<_>>());
                    faults.push(Fault::new(span, format!("`{}` is not in the cast", mention.name)).hint(hint));
                }
                Role::Use(sorts) => check_use(mention.name, sorts, index, span, &defined, &unread, faults),
            }
        }
    }
    for (name, (span, _)) in cast {
        if !users.contains(name.as_str()) && !unread.contains(name.as_str()) {
            faults.push(Fault::new(*span, format!("`{name}` is in the cast and no step mentions it")).hint("leave it out"));
        }
    }
}

fn strs(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn check_form(name: &str, span: Span, faults: &mut Vec<Fault>) {
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && name.len() <= 64;
    if !fits {
        let hint = "small letters, digits and hyphens; a letter first; `/` marks what follows from a stanza";
        faults.push(Fault::new(span, format!("`{name}` cannot be a name")).hint(hint));
    }
}

fn check_use(
    name: &str,
    sorts: &[Sort],
    index: usize,
    span: Span,
    defined: &BTreeMap<&str, Defined>,
    unread: &BTreeSet<&str>,
    faults: &mut Vec<Fault>,
) {
    let mut parts = name.split('/');
    let base = parts.next().unwrap_or_default();
    let follow_ups: Vec<&str> = parts.collect();
    for part in &follow_ups {
        if !FOLLOW_UPS.contains(part) && !part.starts_with(KEY_FOR) {
            let hint = known_hint(part, FOLLOW_UPS);
            faults.push(Fault::new(span, format!("`{part}` does not follow from a stanza")).hint(hint));
            return;
        }
    }
    let Some((definition, sort)) = look_up(base, defined) else {
        if unread.contains(base) || numbered(base).is_some_and(|(stem, _)| unread.contains(stem)) {
            return;
        }
        let known: Vec<&str> = defined.iter().filter(|(_, d)| sorts.contains(&d.sort)).map(|(n, _)| *n).collect();
        let fault = Fault::new(span, format!("nothing defines `{name}`"));
        faults.push(fault.hint(known_hint(base, known)));
        return;
    };
    if definition.step >= index {
        let fault = Fault::new(span, format!("`{name}` is used before it is defined"));
        faults.push(fault.hint(format!("it is defined in line {}", definition.span.line)));
    }
    let sort = if follow_ups.is_empty() { sort } else { Sort::Stanza };
    if !sorts.contains(&sort) {
        let wanted: Vec<&str> = sorts.iter().map(|s| s.words()).collect();
        let fault = Fault::new(span, format!("`{name}` is {}, and here stands {}", sort.words(), wanted.join(" or ")));
        faults.push(fault.hint("name one of those, or another expectation"));
    }
}

fn look_up<'d>(base: &str, defined: &'d BTreeMap<&str, Defined>) -> Option<(&'d Defined, Sort)> {
    if let Some(found) = defined.get(base) {
        return Some((found, found.sort));
    }
    let (stem, number) = numbered(base)?;
    let found = defined.get(stem)?;
    (1..=found.messages).contains(&number).then_some((found, Sort::Message))
}

/// `x12` is message 12 of the exchange or burst `x`.
fn numbered(name: &str) -> Option<(&str, u32)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.get(stem.len()..)?.parse().ok()?;
    Some((stem, number))
}

/// Follows what the network holds: everything held is released or dropped in the end, and nothing else is.
pub(crate) fn check_held(steps: &[Placed<'_>], faults: &mut Vec<Fault>) {
    let mut held: BTreeMap<&str, (Span, bool)> = BTreeMap::new();
    let mut sent = BTreeSet::new();
    for placed in steps {
        match &placed.step {
            Some(Step::Send(s)) => {
                sent.insert(s.name.as_str());
                if s.network == Some(Network::Hold) {
                    held.insert(&s.name, (placed.node.at(&["send", "network"]).span, false));
                }
            }
            Some(Step::SendToGroup(s)) => {
                sent.insert(s.name.as_str());
                if s.network == Some(Network::Hold) {
                    held.insert(&s.name, (placed.node.at(&["send-to-group", "network"]).span, false));
                }
            }
            Some(step @ (Step::Release(name) | Step::Drop(name))) => {
                let span = placed.node.at(&[step_word(step)]).span;
                match held.get_mut(name.as_str()) {
                    Some((_, gone @ false)) => *gone = true,
                    Some((_, true)) => {
                        faults.push(Fault::new(span, format!("`{name}` is no longer held")).hint("release or drop it once"))
                    }
                    None if sent.contains(name.as_str()) => {
                        let hint = "give the `send` a `network: hold`";
                        faults.push(Fault::new(span, format!("`{name}` is not held")).hint(hint));
                    }
                    None => {}
                }
            }
            _ => {}
        }
    }
    if steps.iter().any(|p| p.step.is_none()) {
        return;
    }
    for (name, (span, gone)) in held {
        if !gone {
            let hint = format!("add `release: {name}` or `drop: {name}`");
            faults.push(Fault::new(span, format!("`{name}` is held and never released")).hint(hint));
        }
    }
}
