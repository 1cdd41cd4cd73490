//! Enough one-time prekeys are left at the gateway.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::seen::Publication;
use countersign_contract::UserId;
use std::collections::BTreeSet;

pub(super) fn judge(cx: &Context<'_>, index: usize, user: &str, at_least: u32) -> Result<Said, Said> {
    let kinds = if cx.has_kyber() { " of each kind" } else { "" };
    let expected = format!("{user} has {at_least} one-time prekeys{kinds} at the gateway, and published no id twice");
    let owner = cx.user(user)?;
    if let Some(publication) = published_twice(&cx.seen.publications, owner) {
        return Err(
            Said::fail(Finding::PrekeyReused, expected, "an id was published twice").evidence([cx.seen.n(publication.at)])
        );
    }
    let left = cx.seen.keys_left(owner, cx.seen.end_of(index));
    let (observed, fewest) = if cx.has_kyber() {
        (format!("{} EC and {} Kyber prekeys", left.ec, left.kyber), left.ec.min(left.kyber))
    } else {
        (format!("{} prekeys", left.ec), left.ec)
    };
    let evidence = left.since.map(|at| cx.seen.n(at));
    if fewest < at_least as usize {
        return Err(Said::fail(Finding::TooFewKeys, expected, observed).evidence(evidence));
    }
    Ok(Said::pass(expected, observed).evidence(evidence))
}

/// The publication that repeats an id of a one-time prekey which the user had published since it enlisted.
pub(crate) fn published_twice(publications: &[Publication], user: UserId) -> Option<&Publication> {
    let (mut ec, mut kyber) = (BTreeSet::new(), BTreeSet::new());
    publications.iter().filter(|p| p.user == user).find(|publication| {
        if publication.identity.is_some() {
            ec.clear();
            kyber.clear();
        }
        // Not `all`: the rest of a publication is still taken in.
        let twice_ec = publication.one_time.iter().filter(|k| !ec.insert(k.id)).count();
        let twice_kyber = publication.one_time_kyber.iter().filter(|k| !kyber.insert(k.id)).count();
        twice_ec + twice_kyber > 0
    })
}
