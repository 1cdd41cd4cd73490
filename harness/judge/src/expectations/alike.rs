//! Messages that are refused for different reasons are answered alike.
//!
//! Compared is what goes out because of each: the receipts about it, by their kind, whom they go to, how they count, and how long
//! they are. Their ids differ by nature. When they go out is not compared: over a network, and with the few messages of a scenario,
//! no difference in time could be told from chance. That each message is acknowledged, and that no stanza carries more than the
//! binding knows, is watched by monitors of every trace.

use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_contract::{StanzaId, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// What goes out because of a message, in words that hold no id.
type Answer = Vec<String>;

pub(super) fn judge(cx: &Context<'_>, user: &str, stanzas: &[String]) -> Result<Said, Said> {
    let expected = format!("{user} answers {} alike", stanzas.join(", "));
    let owner = cx.user(user)?;
    let mut answers: BTreeMap<Answer, Vec<&str>> = BTreeMap::new();
    let mut evidence = Vec::new();
    for name in stanzas {
        let id = cx.stanza(name, &expected)?;
        let mut delivered = cx.seen.delivered(owner, id);
        let Some(begin) = delivered.next() else {
            return Err(Said::blocked(expected, format!("{name} was not delivered")));
        };
        // Whoever is given it once more, after a broken connection, may ask for it once more.
        let end = delivered.next().unwrap_or(usize::MAX);
        let (answer, places) = answer(cx, owner, id, begin..end);
        answers.entry(answer).or_default().push(name);
        evidence.extend([begin].into_iter().chain(places).map(|at| cx.seen.n(at)));
    }
    let observed: Vec<String> =
        answers.iter().map(|(answer, names)| format!("for {}: {}", names.join(", "), words(answer))).collect();
    let observed = observed.join("; ");
    if answers.len() > 1 {
        return Err(Said::fail(Finding::AnswersDiffer, expected, observed).evidence(evidence));
    }
    Ok(Said::pass(expected, observed).evidence(evidence))
}

/// The receipts about a stanza, in the order in which they went out, and where they stand. A frame that is repeated after an error of
/// the gateway is one receipt.
fn answer(cx: &Context<'_>, owner: UserId, id: StanzaId, within: std::ops::Range<usize>) -> (Answer, Vec<usize>) {
    let (mut known, mut answer, mut places) = (BTreeSet::new(), Vec::new(), Vec::new());
    for frame in cx.seen.frames.iter().filter(|frame| frame.user == Some(owner) && within.contains(&frame.at)) {
        let Ok(Stanza::Receipt { id: own, to, r#type, of, count, .. }) = &frame.stanza else { continue };
        if *of != id || !known.insert(*own) {
            continue;
        }
        let kind = match r#type {
            ReceiptType::Delivered => "a delivery receipt",
            ReceiptType::Retry => "a retry receipt",
        };
        let to = to.map_or_else(|| "nobody".to_owned(), |to| cx.seen.name_of(to));
        let count = count.map_or_else(String::new, |count| format!(" with count {count}"));
        answer.push(format!("{kind}{count} to {to}, {} B", frame.body.len()));
        places.push(frame.at);
    }
    (answer, places)
}

fn words(answer: &[String]) -> String {
    match answer {
        [] => "no receipt".to_owned(),
        receipts => receipts.join(" and "),
    }
}
