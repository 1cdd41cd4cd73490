//! A user blocks a peer, or ends that: the gateway has to be told.

use super::operation;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::Operation;
use countersign_contract::portable::BlockList;
use countersign_scenarios::language::Pair;

/// The operation succeeds, and before it answers the gateway accepted a list that has, or has not, the peer on it.
pub(super) fn judge(cx: &Context<'_>, index: usize, pair: &Pair, blocked: bool) -> Result<Option<Said>, Said> {
    let Some(said) = operation(cx, index, &pair.user, Operation::Block)? else { return Ok(None) };
    let (user, peer) = (cx.user(&pair.user)?, cx.user(&pair.peer)?);
    let call = cx.seen.calls_in(index).find(|c| c.operation() == Some(Operation::Block));
    let Some((call, (at, _))) = call.and_then(|c| Some((c.at, c.ok()?))) else { return Ok(Some(said)) };
    // The last list is the one that holds.
    let list =
        cx.seen.requests.iter().rfind(|r| {
            r.method == "PUT" && r.path == "/blocks" && r.user == Some(user) && r.at > call && r.at < at && r.accepted()
        });
    let on = list
        .and_then(|r| serde_json::from_slice::<BlockList>(r.body.bytes(cx.seen.blobs)?).ok())
        .map(|l| l.users.contains(&peer));
    if on == Some(blocked) {
        return Ok(Some(said.evidence(list.map(|r| cx.seen.n(r.at)))));
    }
    let is = if blocked { "on" } else { "off" };
    let expected = format!("{} is {is} the block list of {} at the gateway", pair.peer, pair.user);
    let observed = "`block` succeeded without that";
    Ok(Some(Said::fail(Finding::EmptySuccess, expected, observed).evidence([cx.seen.n(call), cx.seen.n(at)])))
}
