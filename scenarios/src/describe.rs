//! Steps in plain words, for reports and `explain`.

mod group;
mod state;

use crate::language::{
    BendCertificate, BendContent, BundleBend, Cast, ContentSpec, Damage, Endpoint, Expect, FileSpec, MediaStep, Network,
    PrekeyOf, Rewrite, Send, Side, Step, WeakKey,
};
use countersign_contract::Reason;
use countersign_contract::portable::{MessageType, ReceiptType};
use countersign_contract::seen::NoticeKind;
use std::collections::BTreeMap;

/// One step as a sentence without its full stop, such as “alice (reference) sends m1 to bob (candidate), a text; the network
/// holds it back”.
#[must_use]
pub fn describe_step(cast: &BTreeMap<String, Cast>, step: &Step) -> String {
    let who = |user: &str| with_side(cast, user);
    match step {
        Step::Send(s) => send(cast, s),
        Step::Expect(expect) => expectation(cast, expect),
        Step::Release(name) => format!("the network lets {name} go"),
        Step::Drop(name) => format!("the network throws {name} away"),
        Step::Replay(r) => match &r.name {
            Some(name) => format!("the network delivers {} once more, under a new id ({name})", r.stanza),
            None => format!("the network delivers {} once more, under the same id", r.stanza),
        },
        Step::Misdeliver(m) => {
            format!("the network delivers {} to {} as if it came from {} ({})", m.stanza, who(&m.to), m.from, m.name)
        }
        Step::SendStored(s) => {
            let made = if s.bad { ", which no honest peer makes" } else { "" };
            let what = match (&s.content, &s.group) {
                _ if s.sealed => "a stored sealed message",
                (None, None) => "a stored sender key",
                _ => "a stored message",
            };
            let to = s.group.as_ref().map_or_else(|| who(&s.to), |group| format!("the group {group}"));
            format!("{} sends {what} to {to} ({}){made}", who(&s.from), s.name)
        }
        Step::StoreBlob(s) => format!("a stored file of {} lies at the gateway, {} bytes", who(&s.of), s.bytes.0.len()),
        Step::ServeBundle(s) => format!("the gateway prepares the next key bundle of {}: a stored one", who(&s.of)),
        Step::Connect(user) => format!("{} comes online", who(user)),
        Step::Disconnect(user) => format!("{} goes offline", who(user)),
        Step::Advance(seconds) => format!("{seconds} seconds of virtual time pass"),
        Step::FetchKeys(f) => {
            let wrongly: String = f.alter.iter().map(|alteration| format!("; it {}", alteration.describe())).collect();
            format!("{} fetches the keys of {} and sets up a session ({}){wrongly}", who(&f.user), who(&f.of), f.name)
        }
        Step::Bundle(b) => format!("the gateway prepares the next key bundle of {}: {}", who(&b.of), bundle(&b.rule)),
        Step::RotateKeys(r) => {
            let mut kinds = Vec::new();
            if r.signed {
                kinds.push("a new signed prekey".to_owned());
            }
            if r.kyber {
                kinds.push("a new last-resort Kyber prekey".to_owned());
            }
            if r.one_time_prekeys > 0 {
                kinds.push(format!("{} further one-time prekeys of each kind", r.one_time_prekeys));
            }
            format!("{} publishes {}", who(&r.user), kinds.join(" and "))
        }
        Step::Reinstall(user) => format!("{} loses everything and enlists anew under the same name", who(user)),
        Step::AcceptIdentity(p) => format!("{} accepts the changed identity of {}", who(&p.user), who(&p.peer)),
        Step::Block(p) => format!("{} blocks {}", who(&p.user), who(&p.peer)),
        Step::Unblock(p) => format!("{} ends the blocking of {}", who(&p.user), who(&p.peer)),
        Step::VerifyIdentity(v) => format!("{} looks at the safety number with {} ({})", who(&v.user), who(&v.peer), v.name),
        Step::Fault(f) => format!("the gateway fails the candidate's next {} ({})", times(f.times, endpoint(f.on)), f.name),
        Step::Media(m) => format!("the candidate's next download {}", download(m)),
        Step::Exchange(e) => {
            let [a, b] = &e.between;
            format!(
                "{} and {} write to each other in turn, {} messages in all, each shown before the next ({})",
                who(a),
                who(b),
                e.messages,
                e.name
            )
        }
        Step::Burst(b) => {
            format!(
                "{} sends {} messages to {}, one planned every {} ms ({})",
                who(&b.from),
                b.messages,
                who(&b.to),
                b.every_ms,
                b.name
            )
        }
        Step::DeleteUser(user) => format!("{} is deleted", who(user)),
        Step::TryConnect(t) => format!("{} tries to come online ({})", who(&t.user), t.name),
        Step::AskAgain(a) => format!("{} asks {} {} times to send {} again", who(&a.from), who(&a.to), a.times, a.of),
        Step::Many(m) => {
            let sessions = if m.fresh_session { ", each in a new session" } else { "" };
            let lost = if m.network.is_some() { "; the network loses them" } else { "" };
            format!("{} sends {} messages to {}{sessions}{lost} ({})", who(&m.from), m.messages, who(&m.to), m.name)
        }
        Step::UnknownStanza(u) => {
            format!("the gateway sends {} a stanza of a kind that does not exist yet ({})", who(&u.to), u.name)
        }
        Step::ExtraMembers(true) => "from now on the gateway adds a member that does not exist yet to every stanza".to_owned(),
        Step::ExtraMembers(false) => "the gateway adds nothing to stanzas any more".to_owned(),
        Step::Snapshot(_) | Step::Restore(_) | Step::Clone(_) | Step::Deliver(_) | Step::Export(_) => state::describe(cast, step),
        Step::CreateGroup(_) | Step::ChangeGroup(_) | Step::SendToGroup(_) | Step::Redeliver(_) | Step::LoseNext(_) => {
            group::describe(cast, step)
        }
        Step::ForgeRetry(f) => {
            format!("{} asks {} to send {} again, which was never sent to it ({})", who(&f.from), who(&f.to), f.of, f.name)
        }
    }
}

fn with_side(cast: &BTreeMap<String, Cast>, user: &str) -> String {
    match cast.get(user).map(|c| c.side) {
        Some(Side::Reference) => format!("{user} (reference)"),
        Some(Side::Candidate) => format!("{user} (candidate)"),
        None => user.to_owned(),
    }
}

fn times(n: u32, what: &str) -> String {
    if n == 1 { what.to_owned() } else { format!("{n} times {what}") }
}

fn send(cast: &BTreeMap<String, Cast>, s: &Send) -> String {
    let mut text =
        format!("{} sends {} to {}, {}", with_side(cast, &s.from), s.name, with_side(cast, &s.to), content(&s.content));
    if s.fresh_session {
        text.push_str(", in a new session");
    }
    if s.sealed {
        text.push_str(", sealed");
    }
    match &s.certificate {
        None => {}
        Some(BendCertificate::WrongRoot) => text.push_str("; its certificate leads to another trust root"),
        Some(BendCertificate::OtherServer) => text.push_str("; another key than the server's signed its certificate"),
        Some(BendCertificate::Expired) => text.push_str("; its certificate is over since an hour"),
        Some(BendCertificate::OtherDevice) => text.push_str("; its certificate is for another device"),
        Some(BendCertificate::OtherKey) => {
            text.push_str("; it is certified for another identity key than its session's, and sealed with that one");
        }
        Some(BendCertificate::Of(user)) => {
            text.push_str(&format!("; its certificate is one of {}", with_side(cast, user)));
        }
    }
    for alteration in &s.alter {
        text.push_str("; it ");
        text.push_str(&alteration.describe());
    }
    if let Some(named) = &s.names_prekey {
        let whose = match &named.of {
            PrekeyOf::Message(of) => format!("that {of} named"),
            PrekeyOf::User(of) => format!("of {}", with_side(cast, of)),
        };
        text.push_str(&format!("; it named the {} {whose}", named.kind.words()));
    }
    if let Some(bend) = s.bend {
        text.push_str("; ");
        text.push_str(match bend {
            BendContent::WrongDigest => "it states a wrong digest for the file",
            BendContent::CiphertextFlipped => "a bit of the file's ciphertext is flipped, and the digest fits that",
            BendContent::MacFlipped => "a bit of the file's MAC is flipped, and the digest fits that",
            BendContent::WrongLength => "it states one byte more than the file has",
            BendContent::ShorterLength => "it states one byte less than the file has",
            BendContent::HugeLength => "it states the largest length that can be written",
            BendContent::WrongKey => "it states another key than the file's",
            BendContent::WrongKind => "the file is encrypted as one of another kind",
            BendContent::NoPadding => "the plaintext is not padded",
            BendContent::WrongPadding => "the padding ends in a wrong byte",
            BendContent::NotProtobuf => "the plaintext is no content message",
            BendContent::NoBody => "the content has no body",
        });
    }
    network(&mut text, s.network.as_ref(), "it");
    text
}

fn network(text: &mut String, network: Option<&Network>, it: &str) {
    match network {
        None => {}
        Some(Network::Hold) => text.push_str(&format!("; the network holds {it} back")),
        Some(Network::Drop) => text.push_str(&format!("; the network loses {it}")),
        Some(Network::Deliver(n)) => text.push_str(&format!("; the network delivers {it} {n} times under the same id")),
        Some(Network::Tamper(field)) => text.push_str(&format!("; the network changes its field {field}")),
        Some(Network::Flip(at)) => text.push_str(&format!("; the network flips a bit of byte {at} of its body")),
        Some(Network::DamagedEachTime(Damage { field, times })) => {
            text.push_str(&format!("; the network changes its field {field}, and delivers it {times} times under the same id"));
        }
        Some(Network::Rewrite(rewrites)) => {
            rewrites.iter().for_each(|rewrite| text.push_str(&format!("; the server {}", rewrite.describe())));
        }
        Some(Network::Cut(n)) => text.push_str(&format!("; the network cuts its body to {n} bytes")),
    }
}

fn content(content: &ContentSpec) -> String {
    match content {
        ContentSpec::Text(_) => "a text".to_owned(),
        ContentSpec::ExactText(text) if text.is_empty() => "an empty text".to_owned(),
        ContentSpec::ExactText(_) => "an exact text".to_owned(),
        ContentSpec::TextOfBytes(n) => format!("a text of {n} bytes"),
        ContentSpec::EveryPlane => "a text with characters of every Unicode plane".to_owned(),
        ContentSpec::File(FileSpec { kind, bytes, .. }) => format!("a file ({}, {bytes} bytes)", kind.as_str()),
        ContentSpec::Reaction { of, bytes: Some(bytes), .. } => format!("a reaction of {bytes} bytes to {of}"),
        ContentSpec::Reaction { of, emoji, remove: true, .. } => format!("the reaction {emoji} to {of}, taken back"),
        ContentSpec::Reaction { of, emoji, .. } => format!("the reaction {emoji} to {of}"),
        ContentSpec::Reply { of, .. } => format!("a reply to {of}"),
        ContentSpec::Edit { of, .. } => format!("a new text for {of}"),
        ContentSpec::Delete { of } => format!("the withdrawal of {of}"),
        ContentSpec::Typing(true) => "the typing indicator".to_owned(),
        ContentSpec::Typing(false) => "the end of the typing indicator".to_owned(),
        ContentSpec::Read(of) => format!("a read receipt for {of}"),
    }
}

fn bundle(rule: &BundleBend) -> String {
    match rule {
        BundleBend::SignedPrekeySignature => "a bit of the signed prekey's signature is flipped".to_owned(),
        BundleBend::KyberPrekeySignature => "a bit of the Kyber prekey's signature is flipped".to_owned(),
        BundleBend::SignedPrekeyOf(user) => format!("the signed prekey is {user}'s, with {user}'s signature"),
        BundleBend::KyberPrekeyOf(user) => format!("the Kyber prekey is {user}'s, with {user}'s signature"),
        BundleBend::WeakSignedPrekey(key) => format!("the signed prekey is {}, properly signed", weak(*key)),
        BundleBend::WeakOneTimePrekey(key) => format!("the one-time prekey is {}", weak(*key)),
        BundleBend::WeakIdentity(key) => format!("the identity key is {}", weak(*key)),
        BundleBend::ZeroKyberPrekey => "the Kyber prekey is all zero, properly signed".to_owned(),
        BundleBend::NoOneTimePrekey => "it has no one-time prekey".to_owned(),
        BundleBend::Rewrite(rewrites) => {
            let wrongly: Vec<String> = rewrites.iter().map(Rewrite::describe).collect();
            format!("the server {}", wrongly.join(", and "))
        }
        BundleBend::SameAgain => "it has the same one-time prekeys as the one before".to_owned(),
    }
}

const fn weak(key: WeakKey) -> &'static str {
    match key {
        WeakKey::Zero => "all zero",
        WeakKey::One => "the point 1",
        WeakKey::OrderEight => "a point of order 8",
        WeakKey::OrderEightTwin => "another point of order 8",
        WeakKey::MinusOne => "the point -1",
        WeakKey::ModulusAsZero => "zero written as the modulus",
        WeakKey::ModulusAsOne => "one written as the modulus and one",
    }
}

const fn endpoint(on: Endpoint) -> &'static str {
    match on {
        Endpoint::Enlist => "enlistment",
        Endpoint::GetKeys => "fetch of keys",
        Endpoint::PutKeys => "publication of keys",
        Endpoint::PutMedia => "upload of a file",
        Endpoint::GetMedia => "download of a file",
        Endpoint::Message => "message",
    }
}

fn download(step: &MediaStep) -> String {
    match step {
        MediaStep::Flip(at) => format!("has a flipped bit in byte {at}"),
        MediaStep::Cut(n) => format!("lacks its last {n} bytes"),
        MediaStep::Missing => "finds nothing there".to_owned(),
        MediaStep::Extend(n) => format!("has {n} more bytes, all zero"),
        MediaStep::BreakOff(b) => format!(
            "breaks off after {} bytes, {}",
            b.after,
            if b.times == 1 { "once".into() } else { format!("{} times", b.times) }
        ),
    }
}

fn reasons(reasons: &[Reason]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for reason in reasons {
        // Cases fill in the same reason more than once.
        if !words.contains(&reason.as_str()) {
            words.push(reason.as_str());
        }
    }
    words.join(" or ")
}

const fn receipt_word(receipt: ReceiptType) -> &'static str {
    match receipt {
        ReceiptType::Delivered => "delivery receipt",
        ReceiptType::Retry => "request to send again",
    }
}

fn expectation(cast: &BTreeMap<String, Cast>, expect: &Expect) -> String {
    let who = |user: &str| with_side(cast, user);
    match expect {
        Expect::Shows { user, messages, in_order } => {
            let order = if *in_order && messages.len() > 1 { ", in this order" } else { "" };
            format!("{} sees {}, once each and as sent{order}", who(user), messages.join(", "))
        }
        Expect::Refuses { user, stanza, reasons: right } => {
            format!("{} refuses {stanza} and shows nothing of it ({})", who(user), reasons(right))
        }
        Expect::ShowsNothingOf { user, stanza } => format!("{} never sees anything of {stanza}", who(user)),
        Expect::CannotRead { user, stanza } => format!("{} has no key that reads {stanza}", who(user)),
        Expect::Notice { user, notice, about, before, group } => {
            let group = group.as_deref().unwrap_or("a group");
            let what = match notice {
                NoticeKind::MemberAdded => format!("that {about} is a member of {group} now"),
                NoticeKind::MemberRemoved => format!("that {about} is a member of {group} no more"),
                NoticeKind::IdentityChanged => format!("that the identity key of {about} changed"),
                NoticeKind::Undecryptable => format!("that a message of {about} could not be decrypted"),
            };
            let when = before.as_ref().map(|name| format!(", before {name} is shown or sent")).unwrap_or_default();
            format!("{} is told {what}{when}", who(user))
        }
        Expect::Receipt { user, receipt, of } => format!("{} gets a {} for {of}", who(user), receipt_word(*receipt)),
        Expect::NoReceipt { user, receipt, of, more_than: 0 } => {
            format!("{} gets no {} for {of}", who(user), receipt_word(*receipt))
        }
        Expect::NoReceipt { user, receipt, of, more_than } => {
            format!("{} gets no more than {more_than} times a {} for {of}", who(user), receipt_word(*receipt))
        }
        Expect::Problem { step, reasons: right, or_succeeds } => {
            format!("{step} {}fails ({})", if *or_succeeds { "succeeds, or " } else { "" }, reasons(right))
        }
        Expect::Wire { stanza, r#type, one_time_prekey, epoch_at_least, new_session_since, new_ratchet_since } => {
            let mut parts = Vec::new();
            match r#type {
                Some(MessageType::Prekey) => parts.push("sets up a session".to_owned()),
                Some(MessageType::Normal) => parts.push("belongs to a session that there is".to_owned()),
                None => {}
            }
            match one_time_prekey {
                Some(true) => parts.push("uses a one-time prekey".to_owned()),
                Some(false) => parts.push("uses no one-time prekey".to_owned()),
                None => {}
            }
            if let Some(epoch) = epoch_at_least {
                parts.push(format!("belongs to epoch {epoch} of the post-quantum ratchet, or a later one"));
            }
            if let Some(before) = new_ratchet_since {
                parts.push(format!("carries another ratchet key than {before}"));
            }
            if let Some(before) = new_session_since {
                parts.push(format!("sets up another session than {before}"));
            }
            format!("on the wire, {stanza} {}", parts.join(" and "))
        }
        Expect::NothingSent { user, to, after } => format!("{} sends no message to {} after {after}", who(user), who(to)),
        Expect::SameSafetyNumber { between: [a, b] } => format!("the safety numbers {a} and {b} are the same"),
        Expect::DifferentSafetyNumber { between: [a, b] } => format!("the safety numbers {a} and {b} differ"),
        Expect::KeysLeft { user, at_least } => {
            format!("{} has at least {at_least} one-time prekeys of each kind at the gateway, and used no id twice", who(user))
        }
        Expect::DifferentFiles { between: [a, b] } => format!("the files of {a} and {b} have different keys and ciphertexts"),
        Expect::ShowsOrRefuses(either) => {
            let (user, message) = (who(&either.user), &either.message);
            format!("{user} sees {message} once and as sent, or refuses it ({})", reasons(&either.reasons))
        }
        Expect::ThiefReads(_)
        | Expect::ThiefCannotRead(_)
        | Expect::ThiefLockedOut(_)
        | Expect::PostQuantumHealed(_)
        | Expect::ExportHolds(_)
        | Expect::ExportLacks(_)
        | Expect::SameExport { .. } => state::expectation(expect),
        Expect::SafetyNumberIs(number) => {
            let refused = match number.or_refuses.as_slice() {
                [] => String::new(),
                right => format!(", or is refused ({})", reasons(right)),
            };
            format!("the safety number {} is {}{refused}", number.of, number.digits)
        }
        Expect::Survives { user } => format!("the client of {} is still there, and has answered everything in time", who(user)),
        Expect::Silent { user } => format!("nothing of {} reaches the gateway after its deletion", who(user)),
        Expect::Resends { user, to, of, at_least, at_most } => {
            format!("{} sends {of} to {} again at least {at_least} and at most {at_most} times", who(user), who(to))
        }
        Expect::Acknowledges { user, stanza } => format!("the client of {} acknowledges {stanza}", who(user)),
        Expect::AnswersAlike { user, stanzas } => {
            format!("the client of {} answers {} alike: the same receipts for each, or none", who(user), stanzas.join(", "))
        }
        Expect::GrowingPauses { fault, attempts } => {
            format!("the candidate tried again after {fault}, at least {attempts} attempts in all, with growing pauses")
        }
        Expect::DeliveryLatency { burst } => format!("95 % of the messages of {burst} are shown within the profile's limit"),
        Expect::ReceiptLatency { burst } => format!("95 % of the receipts for {burst} arrive within the profile's limit"),
    }
}
