//! Who was deleted is silent.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::Operation;

/// From the answer of `delete_user` on, until the user is created anew: no frame, no request and no channel of the user.
pub(super) fn judge(cx: &Context<'_>, user: &str) -> Result<Said, Said> {
    let expected = format!("nothing of {user} reaches the gateway after its deletion");
    let id = cx.user(user)?;
    let of_user = |op: Operation| cx.seen.calls.iter().filter(move |c| c.operation() == Some(op) && c.user("user") == Some(id));
    let Some((begin, _)) = of_user(Operation::DeleteUser).find_map(|call| call.ok()) else {
        return Err(Said::blocked(expected, format!("{user} was not deleted")));
    };
    let end = of_user(Operation::CreateUser).map(|call| call.at).find(|at| *at > begin).unwrap_or(usize::MAX);
    let frames = cx.seen.frames.iter().filter(|f| f.user == Some(id)).map(|f| (f.at, "a frame"));
    let requests = cx.seen.requests.iter().filter(|r| r.user == Some(id)).map(|r| (r.at, "a request"));
    let channels = cx.seen.channels.values().filter(|(_, owner)| *owner == Some(id)).map(|(at, _)| (*at, "a chat channel"));
    let undue = frames.chain(requests).chain(channels).filter(|(at, _)| (begin..end).contains(at)).min();
    match undue {
        Some((at, what)) => {
            let observed = format!("{what} with the token of {user}");
            Err(Said::fail(Finding::SentUndue, expected, observed).evidence([cx.seen.n(begin), cx.seen.n(at)]))
        }
        None => Ok(Said::pass(expected, "nothing").evidence([cx.seen.n(begin)])),
    }
}
