//! Which keys an exported state holds. Secrets of messages are known by their digests alone, so that every 32 bytes of an export are
//! digested and compared: as they stand, and as what text in them stands for.

use crate::context::Context;
use crate::finding::Finding;
use crate::monitors::canary::decoded;
use crate::said::{Said, list, quote};
use crate::wire;
use countersign_contract::operations::{CreateUser, Exported, ImportedKeys};
use countersign_contract::portable::{MessageType, Stanza};
use countersign_contract::{Operation, UserId};
use countersign_scenarios::Step;
use countersign_scenarios::language::ExportedKeys;
use countersign_trace::{Digest, Observation};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Length of every secret that is looked for, in bytes.
const SECRET: usize = 32;
/// Parts that a failed comparison names.
const MOST_NAMED: usize = 3;

/// Something that is looked for: what it is, and the digests any of which would be it.
struct Sought {
    what: String,
    digests: Vec<(String, Digest)>,
}

/// Every key that is named stands in the export, or none does.
pub(super) fn keys(cx: &Context<'_>, keys: &ExportedKeys, held: bool) -> Result<Said, Said> {
    let names = || list(keys.keys_of.iter().chain(&keys.prekeys_of));
    let expected = match held {
        true => format!("{} holds the keys of {}, which can still be read", keys.export, names()),
        false => format!("{} does not hold keys of {} any more", keys.export, names()),
    };
    let (at, export) = export(cx, &keys.export, &expected)?;
    let evidence = [cx.seen.n(at)];
    let mut sought = Vec::new();
    for name in &keys.keys_of {
        sought.push(of_message(cx, name, &expected)?);
    }
    for name in &keys.prekeys_of {
        sought.extend(prekeys(cx, name, &expected)?);
    }
    let wanted: BTreeSet<Digest> = sought.iter().flat_map(|sought| sought.digests.iter().map(|(_, digest)| *digest)).collect();
    let found = found(&export, &wanted);
    for Sought { what, digests } in &sought {
        match (held, digests.iter().find(|(_, digest)| found.contains(digest))) {
            (false, Some((secret, _))) => {
                let observed = format!("the {secret} of {what} stands in it");
                return Err(Said::fail(Finding::KeyLeft, expected, observed).evidence(evidence));
            }
            (true, None) => {
                let observed = format!("nothing of {what} stands in its {} bytes", export.parts.bytes());
                return Err(Said::fail(Finding::NoTrueCopy, expected, observed).evidence(evidence));
            }
            _ => {}
        }
    }
    let observed = format!("{} secrets were looked for in {} bytes", wanted.len(), export.parts.bytes());
    Ok(Said::pass(expected, observed).evidence(evidence))
}

/// Two exports have the same parts, byte for byte.
pub(super) fn same(cx: &Context<'_>, [before, after]: &[String; 2]) -> Result<Said, Said> {
    let expected = format!("{before} and {after} are the same, byte for byte");
    let (first, one) = export(cx, before, &expected)?;
    let (second, other) = export(cx, after, &expected)?;
    let evidence = [cx.seen.n(first), cx.seen.n(second)];
    let differs: Vec<String> = one
        .parts
        .iter()
        .filter(|part| !other.parts.iter().any(|p| p == *part))
        .chain(other.parts.iter().filter(|part| !one.parts.iter().any(|p| p.name == part.name)))
        .map(|part| quote(&part.name))
        .collect();
    if one.parts.bytes() == 0 {
        // Two empty states are the same whatever happened.
        return Err(Said::fail(Finding::NoTrueCopy, expected, "both are empty").evidence(evidence));
    }
    if differs.is_empty() {
        let observed = format!("they are, {} bytes", one.parts.bytes());
        return Ok(Said::pass(expected, observed).evidence(evidence));
    }
    let observed = format!("{} parts differ: {}", differs.len(), list(differs.iter().take(MOST_NAMED)));
    Err(Said::fail(Finding::StateChanged, expected, observed).evidence(evidence))
}

/// An export by its name, and where it stands.
fn export(cx: &Context<'_>, name: &str, expected: &str) -> Result<(usize, Exported), Said> {
    let index = cx.seen.scenario.steps.iter().position(|step| matches!(step, Step::Export(e) if e.name == name));
    let index = index.ok_or_else(|| Said::harness(expected, format!("the scenario makes no export {name}")))?;
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::Export));
    let call = call.ok_or_else(|| Said::harness(expected, "`export` was never called"))?;
    let (at, answer) = cx.succeeded(call)?;
    let exported = Exported::deserialize(answer).map_err(|e| Said::environment(expected, e.to_string()))?;
    Ok((at, exported))
}

/// The secrets of a message, as one of our users noted them.
fn of_message(cx: &Context<'_>, name: &str, expected: &str) -> Result<Sought, Said> {
    let (_, id) = cx.message(name, expected)?;
    let secrets = cx.seen.observed.iter().find_map(|(_, _, observation)| match observation {
        Observation::MessageSecrets { stanza, secrets } if *stanza == id => Some(secrets),
        _ => None,
    });
    match secrets {
        Some(secrets) => Ok(Sought { what: name.to_owned(), digests: secrets.clone() }),
        None => Err(Said::blocked(expected, format!("{name} was never made, or could not be read by its receiver"))),
    }
}

/// The private halves of the one-time prekeys that a first message names, of its receiver's known keys.
fn prekeys(cx: &Context<'_>, name: &str, expected: &str) -> Result<Vec<Sought>, Said> {
    let (sent, id) = cx.message(name, expected)?;
    let blocked = |missing: String| Said::blocked(expected, missing);
    let to = sent.to.ok_or_else(|| Said::harness(expected, format!("{name} goes to nobody")))?;
    let known = imported(cx, to).ok_or_else(|| Said::harness(expected, format!("the keys of {} are not known", sent.to_name)))?;
    let message = cx.seen.on_wire(id).and_then(|(_, stanza)| match stanza {
        Stanza::Message { r#type: MessageType::Prekey, body, .. } => wire::prekey(&body.0),
        _ => None,
    });
    let message = message.ok_or_else(|| blocked(format!("{name} sets up no session")))?;
    let one_time = message.prekey_id.ok_or_else(|| blocked(format!("{name} names no one-time prekey")))?;
    let mut out = Vec::new();
    let ec = known.one_time_prekeys.iter().find(|key| key.id == one_time);
    let ec = ec.ok_or_else(|| blocked(format!("{name} names a one-time prekey that was never made")))?;
    let mut clamped = ec.private.0.clone();
    if let [first, .., last] = clamped.as_mut_slice() {
        *first &= 248;
        *last = *last & 127 | 64;
    }
    let secret = "private key";
    let digests = [&ec.private.0, &clamped].map(|key| (secret.to_owned(), Digest::of(key))).to_vec();
    out.push(Sought { what: format!("one-time prekey {one_time}"), digests });
    let kyber = message.kyber_prekey_id.and_then(|id| known.one_time_kyber_prekeys.iter().find(|key| key.id == id));
    if let Some(kyber) = kyber {
        // The secret vector, behind the type: what follows it is the public key, which may stay.
        let slices = kyber.private.0.get(1..).unwrap_or_default().chunks_exact(SECRET).take(2);
        let digests = slices.map(|slice| (secret.to_owned(), Digest::of(slice))).collect();
        out.push(Sought { what: format!("one-time Kyber prekey {}", kyber.id), digests });
    }
    Ok(out)
}

/// The keys that a user was told to enlist with.
fn imported(cx: &Context<'_>, user: UserId) -> Option<ImportedKeys> {
    let created =
        |call: &&crate::seen::Called<'_>| call.operation() == Some(Operation::CreateUser) && call.user("user") == Some(user);
    cx.seen.calls.iter().rev().find(created).and_then(|call| CreateUser::deserialize(call.args).ok()?.import)
}

/// Which of the digests are those of 32 bytes somewhere in the export.
fn found(export: &Exported, wanted: &BTreeSet<Digest>) -> BTreeSet<Digest> {
    let mut out = BTreeSet::new();
    let mut look = |bytes: &[u8]| {
        let digests = bytes.windows(SECRET).map(Digest::of);
        out.extend(digests.filter(|digest| wanted.contains(digest)));
    };
    for part in export.parts.iter() {
        look(&part.bytes.0);
        if std::str::from_utf8(&part.bytes.0).is_ok() {
            decoded(&part.bytes.0).iter().for_each(|bytes| look(bytes));
        }
    }
    out
}
