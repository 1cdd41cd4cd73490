//! A message stands on the wire as described.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::{Said, list};
use crate::wire;
use countersign_contract::portable::{MessageType, Stanza};

/// What is wanted of it, as far as the scenario says.
pub(super) struct Wanted<'a> {
    pub(super) kind: Option<MessageType>,
    pub(super) one_time_prekey: Option<bool>,
    pub(super) epoch_at_least: Option<u64>,
    pub(super) new_session_since: Option<&'a str>,
    pub(super) new_ratchet_since: Option<&'a str>,
}

pub(super) fn judge(cx: &Context<'_>, stanza: &str, wanted: Wanted<'_>) -> Result<Said, Said> {
    let Wanted { kind, one_time_prekey, epoch_at_least, new_session_since, new_ratchet_since } = wanted;
    let wanted = [
        kind.map(|k| match k {
            MessageType::Prekey => "sets up a session".to_owned(),
            MessageType::Normal => "belongs to a session that is set up".to_owned(),
        }),
        one_time_prekey.map(|uses| format!("{} a one-time prekey", if uses { "uses" } else { "does without" })),
        new_session_since.map(|before| format!("sets up another session than {before}")),
        new_ratchet_since.map(|before| format!("carries another ratchet key than {before}")),
        epoch_at_least.map(|epoch| format!("is of post-quantum epoch {epoch} at least")),
    ];
    let expected = format!("{stanza}, on the wire, {}", list(wanted.iter().flatten()));
    let id = cx.stanza(stanza, &expected)?;
    let (at, sent) =
        cx.seen.on_wire(id).ok_or_else(|| Said::blocked(expected.clone(), format!("{stanza} never reached the gateway")))?;
    let Stanza::Message { r#type, body, .. } = sent else { return Err(Said::harness(expected, "it is no message")) };
    let by_candidate = cx.seen.frames.iter().any(|frame| frame.at == at);
    let fail = |finding, observed: String| Said::fail(finding, &expected, observed).evidence([cx.seen.n(at)]);
    // What our own user puts on the wire, against the scenario, is never the candidate's doing.
    let own = |finding, observed: String| {
        if by_candidate { fail(finding, observed) } else { Said::harness(&expected, observed).evidence([cx.seen.n(at)]) }
    };
    let prekey = wire::prekey(&body.0);
    let inner = match *r#type {
        MessageType::Prekey => prekey.as_ref().map(|p| p.message.clone()),
        MessageType::Normal => wire::signal(&body.0),
    };
    let Some(inner) = inner else { return Err(own(Finding::WrongOnWire, "it is no libsignal message of its kind".into())) };
    if kind.is_some_and(|kind| kind != *r#type) {
        return Err(own(Finding::WrongOnWire, "it is of the other kind".into()));
    }
    let used = if *r#type == MessageType::Prekey { prekey.as_ref().and_then(|p| p.prekey_id) } else { None };
    match (one_time_prekey, used) {
        (Some(false), Some(id)) => return Err(own(Finding::WrongOnWire, format!("it uses the one-time prekey {id}"))),
        // Our own user has none to use if the candidate published none.
        (Some(true), None) if by_candidate => return Err(fail(Finding::WrongOnWire, "it uses no one-time prekey".into())),
        (Some(true), None) => return Err(fail(Finding::TooFewKeys, "the bundle had no one-time prekey to use".into())),
        (Some(true), Some(id)) if by_candidate && !handed_out(cx, stanza, id, at) => {
            return Err(fail(
                Finding::WrongOnWire,
                format!("it names the one-time prekey {id}, which was not handed out to its sender"),
            ));
        }
        _ => {}
    }
    if let Some(before) = new_session_since {
        let first = cx.stanza(before, &expected)?;
        let first = cx.seen.on_wire(first).and_then(|(_, sent)| base_key(sent));
        let first = first.ok_or_else(|| Said::blocked(&expected, format!("{before} sets up no session")))?;
        match base_key(sent) {
            Some(key) if key != first => {}
            Some(_) => return Err(own(Finding::OldSession, format!("it sets up the same session as {before}"))),
            None => return Err(own(Finding::OldSession, "it belongs to a session that was there".into())),
        }
    }
    if let Some(before) = new_ratchet_since {
        let first = cx.stanza(before, &expected)?;
        let first = cx.seen.on_wire(first).and_then(|(_, sent)| ratchet_key(sent));
        let first = first.ok_or_else(|| Said::blocked(&expected, format!("{before} carries no ratchet key")))?;
        if first == inner.ratchet_key {
            return Err(own(Finding::OldRatchetKey, format!("it carries the same ratchet key as {before}")));
        }
    }
    if let Some(least) = epoch_at_least {
        match wire::epoch(inner.pq_ratchet) {
            Some(epoch) if epoch >= least => {}
            Some(epoch) => return Err(fail(Finding::EpochBehind, format!("it is of epoch {epoch}"))),
            None => return Err(fail(Finding::EpochBehind, "it has no post-quantum part".into())),
        }
    }
    Ok(Said::pass(expected, "it does").evidence([cx.seen.n(at)]))
}

/// The ratchet key of a message.
fn ratchet_key(stanza: &Stanza) -> Option<Vec<u8>> {
    let Stanza::Message { r#type, body, .. } = stanza else { return None };
    match r#type {
        MessageType::Prekey => wire::prekey(&body.0).map(|p| p.message.ratchet_key.to_vec()),
        MessageType::Normal => wire::signal(&body.0).map(|m| m.ratchet_key.to_vec()),
    }
}

/// The base key of a message that sets up a session.
fn base_key(stanza: &Stanza) -> Option<Vec<u8>> {
    match stanza {
        Stanza::Message { r#type: MessageType::Prekey, body, .. } => wire::prekey(&body.0).map(|p| p.base_key.to_vec()),
        _ => None,
    }
}

/// Whether a bundle with that one-time prekey of the receiver was handed to the sender before.
fn handed_out(cx: &Context<'_>, stanza: &str, id: u32, at: usize) -> bool {
    let Some(message) = cx.seen.message(stanza) else { return false };
    cx.seen.handed.iter().any(|h| {
        h.at < at
            && h.to == message.from
            && Some(h.bundle.user) == message.to
            && h.bundle.one_time_prekey.as_ref().is_some_and(|k| k.id == id)
    })
}
