//! What stands on the wire, in words.

use crate::context::Context;
use crate::wire;
use countersign_contract::StanzaId;
use countersign_contract::portable::{MessageType, ReceiptType, Stanza};

/// A message as it stands on the wire: its kind, its prekeys, its place in both ratchets.
pub(super) fn of_message(cx: &Context<'_>, stanza: &str) -> Option<String> {
    let id = cx.seen.names.get(stanza).copied()?;
    let (_, sent) = cx.seen.on_wire(id)?;
    let Stanza::Message { r#type, body, .. } = sent else { return None };
    let prekey = wire::prekey(&body.0).filter(|_| *r#type == MessageType::Prekey);
    let mut parts = Vec::new();
    match (&prekey, r#type) {
        (Some(outer), _) => {
            parts.push("sets up a session".to_owned());
            parts.push(
                outer.prekey_id.map_or("names no one-time prekey".to_owned(), |id| format!("names the one-time prekey {id}")),
            );
        }
        (None, MessageType::Prekey) => parts.push("says that it sets up a session, and cannot be read as such".to_owned()),
        (None, MessageType::Normal) => parts.push("belongs to a session that there is".to_owned()),
    }
    let inner = match prekey {
        Some(outer) => Some(outer.message),
        None => wire::signal(&body.0).filter(|_| *r#type == MessageType::Normal),
    };
    match inner {
        Some(inner) => {
            parts.push(format!("is of version {}", inner.version));
            parts.push(format!("has counter {}", inner.counter));
            parts.push(match wire::epoch(inner.pq_ratchet) {
                Some(epoch) => format!("is of post-quantum epoch {epoch}"),
                None => "has no post-quantum part".to_owned(),
            });
        }
        None => parts.push(format!("is no libsignal message, of {} bytes", body.0.len())),
    }
    Some(format!("on the wire, {stanza} {}", parts.join(", ")))
}

/// The stanza that should not have gone out: `evidence` names its entry.
pub(super) fn of_sent(cx: &Context<'_>, user: &str, to: &str, evidence: &[u64]) -> Option<String> {
    let frame = cx.seen.frames.iter().find(|frame| evidence.contains(&cx.seen.n(frame.at)))?;
    let named = |id: StanzaId| {
        let name = cx.seen.names.iter().find(|(name, of)| **of == id && !name.starts_with("user:"));
        name.map_or_else(|| "that the scenario never asked for".to_owned(), |(name, _)| (*name).to_owned())
    };
    let what = match &frame.stanza {
        Ok(Stanza::Message { id, .. }) => format!("a message, {}", named(*id)),
        Ok(Stanza::SealedMessage { id, .. }) => format!("a sealed message, {}", named(*id)),
        Ok(Stanza::Receipt { r#type, of, .. }) => {
            let kind = if *r#type == ReceiptType::Retry { "retry" } else { "delivered" };
            format!("a receipt of type {kind} for {}", named(*of))
        }
        _ => return None,
    };
    Some(format!("{user} sent {to} {what}"))
}
