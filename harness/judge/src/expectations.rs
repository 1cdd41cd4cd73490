//! Expectations of scenarios: one file for each family. Each gives exactly one verdict.

mod acknowledges;
mod alike;
mod cannot_read;
mod exports;
mod files;
mod keys_left;
mod latency;
mod nothing_sent;
mod notice;
mod pauses;
mod problem;
mod receipts;
mod refuses;
mod resends;
mod safety_number;
pub(crate) mod shows;
mod silent;
mod stored;
mod survives;
mod thief;
mod wire;

pub(crate) use keys_left::published_twice;

use crate::context::Context;
use crate::nearest;
use crate::said::Said;
use countersign_scenarios::language::Expect;

/// What to do about a lag of ours.
const QUIET_MACHINE: &str = "run it again with nothing else running on the machine, with --jobs 1 if need be";

/// Judges an expectation.
pub(crate) fn judge(cx: &Context<'_>, index: usize, expect: &Expect) -> Said {
    if let Expect::Survives { user } = expect {
        // Nothing else is left of an instance whose candidate is gone.
        return survives::judge(cx, index, user).unwrap_or_else(|said| said);
    }
    if let Some(gate) = cx.gate(index, "the expectation is met") {
        return gate;
    }
    // Whatever is expected, what the candidate was asked on the way has to have an answer.
    if let Err(said) = cx.looked(Some(index)) {
        return said;
    }
    let said = match expect {
        Expect::Shows { user, messages, in_order } => shows::judge(cx, index, user, messages, *in_order),
        Expect::Refuses { user, stanza, reasons } => refuses::judge(cx, index, user, stanza, reasons),
        Expect::ShowsNothingOf { user, stanza } => refuses::shows_nothing(cx, user, stanza),
        Expect::Notice { user, notice, about, before, group } => {
            notice::judge(cx, index, user, *notice, about, before.as_deref(), group.as_deref())
        }
        Expect::CannotRead { user, stanza } => cannot_read::judge(cx, index, user, stanza),
        Expect::Receipt { user, receipt, of } => receipts::judge(cx, index, user, *receipt, of),
        Expect::NoReceipt { user, receipt, of, more_than } => receipts::none(cx, user, *receipt, of, *more_than),
        Expect::Problem { step, reasons, or_succeeds } => problem::judge(cx, step, reasons, *or_succeeds),
        Expect::Wire { stanza, r#type, one_time_prekey, epoch_at_least, new_session_since, new_ratchet_since } => {
            let wanted = wire::Wanted {
                kind: *r#type,
                one_time_prekey: *one_time_prekey,
                epoch_at_least: *epoch_at_least,
                new_session_since: new_session_since.as_deref(),
                new_ratchet_since: new_ratchet_since.as_deref(),
            };
            wire::judge(cx, stanza, wanted)
        }
        Expect::Silent { user } => silent::judge(cx, user),
        Expect::ShowsOrRefuses(either) => stored::shows_or_refuses(cx, index, either),
        Expect::SafetyNumberIs(number) => safety_number::is(cx, number),
        Expect::ThiefReads(thief) => thief::reads(cx, thief),
        Expect::ThiefCannotRead(thief) => thief::cannot_read(cx, thief),
        Expect::ThiefLockedOut(healing) => thief::locked_out(cx, healing),
        Expect::PostQuantumHealed(healing) => thief::post_quantum(cx, healing),
        Expect::ExportHolds(keys) => exports::keys(cx, keys, true),
        Expect::ExportLacks(keys) => exports::keys(cx, keys, false),
        Expect::SameExport { between } => exports::same(cx, between),
        Expect::Survives { user } => survives::judge(cx, index, user),
        Expect::Resends { user, to, of, at_least, at_most } => resends::judge(cx, user, to, of, *at_least..=*at_most),
        Expect::Acknowledges { user, stanza } => acknowledges::judge(cx, user, stanza),
        Expect::AnswersAlike { user, stanzas } => alike::judge(cx, user, stanzas),
        Expect::NothingSent { user, to, after } => nothing_sent::judge(cx, user, to, after),
        Expect::SameSafetyNumber { between } => safety_number::judge(cx, between, true),
        Expect::DifferentSafetyNumber { between } => safety_number::judge(cx, between, false),
        Expect::KeysLeft { user, at_least } => keys_left::judge(cx, index, user, *at_least),
        Expect::DifferentFiles { between } => files::judge(cx, between),
        Expect::GrowingPauses { fault, attempts } => pauses::judge(cx, fault, *attempts),
        Expect::DeliveryLatency { burst } => latency::delivery(cx, burst),
        Expect::ReceiptLatency { burst } => latency::receipts(cx, burst),
    };
    let said = said.unwrap_or_else(|said| said);
    match nearest::instead(cx, index, expect, &said) {
        Some(instead) => said.instead(&instead),
        None => said,
    }
}
