//! A user creates or changes a group, or sends to it.

use super::{all, operation, reference_failed};
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::portable::Stanza;
use countersign_contract::{Operation, Reason};
use countersign_scenarios::Side;
use countersign_scenarios::language::{ChangeGroup, CreateGroup, SendToGroup};
use countersign_trace::Observation;

pub(super) fn create(cx: &Context<'_>, index: usize, create: &CreateGroup) -> Result<Option<Said>, Said> {
    operation(cx, index, &create.by, Operation::CreateGroup)
}

pub(super) fn change(cx: &Context<'_>, index: usize, change: &ChangeGroup) -> Result<Option<Said>, Said> {
    match &change.by {
        Some(by) if cx.seen.side(by) == Some(Side::Candidate) => all(cx, index, Operation::ChangeGroup),
        _ => Ok(None),
    }
}

/// The candidate's `send_to_group` succeeds and puts the stanza on the wire; our own user's message is made.
pub(super) fn send(cx: &Context<'_>, index: usize, send: &SendToGroup) -> Result<Option<Said>, Said> {
    let expected = format!("{} sends {} to the group {}", send.from, send.name, send.group);
    let from = cx.user(&send.from)?;
    if cx.seen.side(&send.from) != Some(Side::Candidate) {
        // What cannot be done wrongly is the scenario's fault.
        let impossible = cx.seen.observed_in(index).find_map(|(at, who, observation)| match observation {
            Observation::Failed { reason: Reason::Unsupported, detail, .. } if who == Some(from) && !send.alter.is_empty() => {
                Some((at, detail))
            }
            _ => None,
        });
        if let Some((at, detail)) = impossible {
            return Ok(Some(Said::harness(expected, detail.clone()).evidence([cx.seen.n(at)])));
        }
        // Its sender key goes to every member; keys of whom cannot be used, is not known here by name.
        let of = cx.seen.scenario.cast.iter().find(|(_, cast)| cast.side == Side::Candidate).map(|(name, _)| name.as_str());
        if let Some(said) = reference_failed(cx, index, Some(from), of.unwrap_or_default(), &expected) {
            return Ok(Some(said));
        }
        let made =
            cx.seen.observed_in(index).any(|(_, who, o)| who == Some(from) && matches!(o, Observation::SentToGroup { .. }));
        return if made { Ok(None) } else { Err(Said::harness(expected, "the reference user made no message")) };
    }
    let id = cx.seen.names.get(send.name.as_str()).copied();
    let id = id.ok_or_else(|| Said::harness(expected.clone(), format!("{} has no id", send.name)))?;
    let call = cx.seen.send_of(id).filter(|c| c.step == Some(index));
    let call = call.ok_or_else(|| Said::harness(expected.clone(), "`send_to_group` was never called"))?;
    if super::expected_to_fail(cx, &send.name) {
        return match call.outcome {
            Some((_, countersign_trace::Outcome::Problem(_) | countersign_trace::Outcome::Ok(_))) => Ok(None),
            _ => cx.succeeded(call).map(|_| None),
        };
    }
    let (at, _) = cx.succeeded(call)?;
    let group = call.args.get("group").and_then(|id| id.as_str()).unwrap_or_default();
    let frame = cx.seen.frames.iter().find(|frame| {
        let is_it =
            matches!(&frame.stanza, Ok(Stanza::GroupMessage { id: of, group: to, .. }) if *of == id && to.to_string() == group);
        is_it && frame.at > call.at && frame.at < at && frame.user == Some(from)
    });
    match frame {
        Some(frame) => {
            Ok(Some(Said::pass(expected, "the stanza reached the gateway").evidence([cx.seen.n(frame.at), cx.seen.n(at)])))
        }
        None => {
            let observed = "`send_to_group` succeeded, but no such stanza had reached the gateway";
            Ok(Some(Said::fail(Finding::EmptySuccess, expected, observed).evidence([cx.seen.n(call.at), cx.seen.n(at)])))
        }
    }
}
