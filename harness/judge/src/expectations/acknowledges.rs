//! A stanza of the gateway is acknowledged, even one of a kind that the client does not know.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::portable::Stanza;
use countersign_trace::Event;

/// Acknowledged anywhere in the trace. That it was not counts only if the client's channel was closed from its own side, or something
/// later came over it: answers and frames travel on different connections.
pub(super) fn judge(cx: &Context<'_>, user: &str, stanza: &str) -> Result<Said, Said> {
    let expected = format!("{user} acknowledges {stanza}");
    let (owner, id) = (cx.user(user)?, cx.stanza(stanza, &expected)?);
    let seen = &cx.seen;
    let ack = seen.frames.iter().find(|f| f.user == Some(owner) && matches!(f.stanza, Ok(Stanza::Ack { id: of }) if of == id));
    if let Some(frame) = ack {
        return Ok(Said::pass(expected, "it did").evidence([seen.n(frame.at)]));
    }
    let needle = id.to_string();
    let given = seen.trace.iter().enumerate().find_map(|(at, entry)| match &entry.event {
        Event::Frame { channel, text } => {
            let text = std::str::from_utf8(text.bytes(seen.blobs)?).ok()?;
            (text.contains(&needle) && seen.channels.get(channel)?.1 == Some(owner)).then_some((at, *channel))
        }
        _ => None,
    });
    let Some((at, channel)) = given else {
        return Err(Said::harness(expected, format!("the gateway never gave {stanza} to {user}")));
    };
    let later = |f: &&crate::seen::FrameIn<'_>| {
        // The acknowledgement of a stanza that was delivered behind it.
        f.channel == channel
            && matches!(f.stanza, Ok(Stanza::Ack { id: of }) if seen.delivered(owner, of).any(|delivered| delivered > at))
    };
    match seen.frames.iter().find(later) {
        Some(frame) => Err(Said::fail(Finding::NotAcknowledged, expected, "a later stanza was acknowledged, and not this one")
            .evidence([seen.n(at), seen.n(frame.at)])),
        None => match seen.hung_up.get(&channel) {
            Some(end) => Err(Said::fail(Finding::NotAcknowledged, expected, "the client went offline without it")
                .evidence([seen.n(at), seen.n(*end)])),
            None => Err(Said::inconclusive(expected, "nothing came over the channel after it").evidence([seen.n(at)])),
        },
    }
}
