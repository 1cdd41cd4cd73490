//! Stored messages that may rightly be shown or refused.

use super::{refuses, shows};
use crate::context::Context;
use crate::said::Said;
use crate::seen::{What, Witnessed};
use countersign_scenarios::language::ShowsOrRefuses;

/// What must be shown once and as sent if it is shown, and refused for a right reason if it is not.
pub(super) fn shows_or_refuses(cx: &Context<'_>, index: usize, either: &ShowsOrRefuses) -> Result<Said, Said> {
    let ShowsOrRefuses { user, message, reasons } = either;
    let receiver = cx.user(user)?;
    let (_, id) = cx.message(message, "the message is shown or refused")?;
    let refused = |w: &Witnessed| matches!(&w.what, What::Refused { stanza, .. } if *stanza == id);
    if cx.seen.sights(receiver).iter().any(refused) {
        return refuses::judge(cx, index, user, message, reasons);
    }
    let expected = format!("{user} sees {message} once and as sent, or refuses it as {}", Context::reasons(reasons));
    let (_, at) = shows::one(cx, index, user, message, &expected)?;
    Ok(Said::pass(expected, "it was shown").evidence([cx.seen.n(at)]))
}
