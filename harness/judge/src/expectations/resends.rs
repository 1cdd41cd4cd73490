//! A content is sent again when it is asked for, and not for ever.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::StanzaId;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Stanzas to the peer from the message on, in the whole trace, under ids that the scenario did not give: each is the content again.
pub(super) fn judge(cx: &Context<'_>, user: &str, to: &str, of: &str, right: RangeInclusive<u32>) -> Result<Said, Said> {
    let expected = format!("{user} sends {of} to {to} again, {} to {} times", right.start(), right.end());
    let (sender, peer) = (cx.user(user)?, cx.user(to)?);
    let (_, message) = cx.message(of, &expected)?;
    let Some((begin, _)) = cx.seen.on_wire(message) else {
        return Err(Said::blocked(expected, format!("{of} never reached the gateway")));
    };
    let given = |id: StanzaId| cx.seen.messages.values().any(|m| m.id == Some(id));
    // The same stanza once more, after an error of the gateway, is the same resend.
    let mut again: BTreeMap<StanzaId, usize> = BTreeMap::new();
    for frame in cx.seen.frames.iter().filter(|f| f.user == Some(sender) && f.at > begin) {
        if let Some(sent) = frame.outgoing()
            && sent.to == Some(peer)
            && !given(sent.id)
        {
            again.entry(sent.id).or_insert(frame.at);
        }
    }
    let count = u32::try_from(again.len()).unwrap_or(u32::MAX);
    let observed = format!("{count} times");
    let evidence = again.values().map(|at| cx.seen.n(*at)).collect::<Vec<_>>();
    if count > *right.end() {
        return Err(Said::fail(Finding::TooManyResends, expected, observed).evidence(evidence));
    }
    if count < *right.start() {
        return Err(Said::fail(Finding::NotResent, expected, observed).evidence(evidence));
    }
    Ok(Said::pass(expected, observed).evidence(evidence))
}
