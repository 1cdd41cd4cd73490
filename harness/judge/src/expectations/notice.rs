//! A user is told something, in time.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::What;
use countersign_contract::seen::NoticeKind;

pub(super) fn judge(
    cx: &Context<'_>,
    index: usize,
    user: &str,
    notice: NoticeKind,
    about: &str,
    before: Option<&str>,
    group: Option<&str>,
) -> Result<Said, Said> {
    let what = match notice {
        NoticeKind::IdentityChanged => "that the identity key changed",
        NoticeKind::Undecryptable => "that a message could not be decrypted",
        NoticeKind::MemberAdded => "that there is a new member",
        NoticeKind::MemberRemoved => "that there is a member less",
    };
    let in_time = before.map(|m| format!(" before {m}")).unwrap_or_default();
    let expected = format!("{user} is told about {about}{in_time}: {what}");
    let (receiver, peer) = (cx.user(user)?, cx.user(about)?);
    if !cx.seen.is_candidate(receiver) {
        return Err(Said::harness(expected, "notices are only seen on the candidate's side"));
    }
    let of = match group {
        None => None,
        Some(group) => {
            let id = cx.seen.names.get(format!("group:{group}").as_str());
            Some(id.ok_or_else(|| Said::harness(expected.clone(), format!("the trace has no group {group}")))?.0)
        }
    };
    let end = cx.seen.end_of(index);
    let sights = cx.seen.sights(receiver);
    let told = sights
        .iter()
        .enumerate()
        .find(|(_, w)| matches!(&w.what, What::Notice { notice: n, about, group } if *n == notice && *about == peer && group.map(|g| g.0) == of));
    let Some((place, told)) = told.filter(|(_, w)| w.at < end) else {
        return Err(Said::fail(Finding::NoNotice, expected, "there was no such notice"));
    };
    let evidence = [cx.seen.n(told.at)];
    let Some(before) = before else { return Ok(Said::pass(expected, "it was").evidence(evidence)) };
    let (sent, id) = cx.message(before, &expected)?;
    if sent.from != Some(receiver) {
        let shown = sights.iter().position(|w| matches!(&w.what, What::Message { message, .. } if *message == id));
        return match shown {
            Some(shown) if shown < place => {
                Err(Said::fail(Finding::LateNotice, expected, format!("{before} was shown first")).evidence(evidence))
            }
            _ => Ok(Said::pass(expected, "it was").evidence(evidence)),
        };
    }
    // When the candidate told its user is only known as far as the answers of `events` reach.
    let wire = cx.seen.sent_in().find(|(frame, m)| m.id == id && frame.user == Some(receiver)).map(|(frame, _)| frame.at);
    match wire {
        Some(at) if at < told.at => {
            let observed = format!("{before} was on the wire before the notice was asked for: their order does not show");
            Err(Said::inconclusive(expected, observed).evidence(evidence).evidence([cx.seen.n(at)]))
        }
        _ => Ok(Said::pass(expected, "it was").evidence(evidence)),
    }
}
