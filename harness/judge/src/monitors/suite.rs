//! Every message of the candidate is of the profile's suite: version, post-quantum ratchet, and fields of the right form.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::{Said, list};
use crate::seen::Message;
use crate::wire::{self, Signal};
use countersign_contract::UserId;
use countersign_trace::Verdict;

pub(super) const MONITOR: Monitor = Monitor { id: "suite", requirements: &["PCS-01", "DMA-7(3)"], watch };

/// Type byte and length of a Curve25519 key.
const EC: (u8, usize) = (0x05, 33);
/// Type byte and length of a round-3 Kyber-1024 ciphertext.
const KYBER: (u8, usize) = (0x08, 1569);

fn watch(cx: &Context<'_>) -> Said {
    let wire = cx.profile.wire;
    let ratchet = if wire.spqr { ", with the post-quantum ratchet" } else { "" };
    let expected = format!("every message is of version {}{ratchet}, and well formed", wire.message_version);
    let mut unknown: Option<(usize, Vec<u32>)> = None;
    let mut count = 0_usize;
    for (frame, message) in cx.seen.messages_in() {
        count += 1;
        match examine(cx, &message, frame.user, frame.at) {
            Err((finding, observed)) => return Said::fail(finding, expected, observed).evidence([cx.seen.n(frame.at)]),
            Ok(fields) if !fields.is_empty() => {
                unknown.get_or_insert((frame.at, fields));
            }
            Ok(_) => {}
        }
    }
    match unknown {
        // A later version of the suite may know more than we do: a person decides.
        Some((at, fields)) => {
            let observed = format!("fields that the suite does not have, or that stand twice: {}", list(fields));
            Said::fail(Finding::UnknownField, expected, observed).verdict(Verdict::Warn).evidence([cx.seen.n(at)])
        }
        None => Said::pass(expected, format!("{count} messages")),
    }
}

/// What is wrong with a message, or its fields that the suite does not know.
fn examine(cx: &Context<'_>, message: &Message<'_>, user: Option<UserId>, at: usize) -> Result<Vec<u32>, (Finding, String)> {
    let wire = cx.profile.wire;
    let malformed = || (Finding::WrongOnWire, "a body is no libsignal message of the kind that its stanza says".to_owned());
    let form = |what: &str| (Finding::WrongOnWire, format!("{what} has a wrong type byte or length"));
    let version = |version: u8, low: u8| {
        if version != wire.message_version {
            return Err((Finding::WrongSuite, format!("a message of version {version}")));
        }
        // The low half is the newest version that the sender knows: not less than the one it speaks.
        if low < version {
            return Err((Finding::WrongSuite, format!("a message that begins with {:#04x}", version << 4 | low)));
        }
        Ok(())
    };
    let inner = |signal: &Signal<'_>| {
        version(signal.version, signal.newest)?;
        if wire.spqr && wire::epoch(signal.pq_ratchet).is_none() {
            return Err((Finding::WrongSuite, "a message without the post-quantum ratchet's part".to_owned()));
        }
        if !wire.has_kyber() && !signal.pq_ratchet.is_empty() {
            return Err((Finding::WrongSuite, "a message with a post-quantum ratchet's part".to_owned()));
        }
        if is(signal.ratchet_key, EC) { Ok(()) } else { Err(form("a ratchet key")) }
    };
    if !message.prekey {
        let signal = wire::signal(message.body).ok_or_else(malformed)?;
        inner(&signal)?;
        return Ok(signal.unknown);
    }
    let prekey = wire::prekey(message.body).ok_or_else(malformed)?;
    version(prekey.version, prekey.newest)?;
    inner(&prekey.message)?;
    let forms = [
        (is(prekey.base_key, EC), "a base key"),
        (is(prekey.identity_key, EC), "an identity key"),
        (!wire.has_kyber() || is(prekey.kyber_ciphertext, KYBER), "a Kyber ciphertext"),
    ];
    if !wire.has_kyber() && (prekey.names_kyber || !prekey.kyber_ciphertext.is_empty()) {
        return Err((Finding::WrongSuite, "a first message with a Kyber prekey or ciphertext".to_owned()));
    }
    if let Some((_, what)) = forms.iter().find(|(fits, _)| !fits) {
        return Err(form(what));
    }
    let enlisted = user.and_then(|user| cx.seen.enlisted(user, at)).and_then(|p| p.identity.as_ref());
    if enlisted.is_some_and(|key| key.0 != prekey.identity_key) {
        return Err((Finding::WrongIdentityKey, "a first message with another identity key than its sender enlisted".to_owned()));
    }
    Ok(prekey.unknown.into_iter().chain(prekey.message.unknown).collect())
}

fn is(bytes: &[u8], (kind, length): (u8, usize)) -> bool {
    bytes.len() == length && bytes.first() == Some(&kind)
}
