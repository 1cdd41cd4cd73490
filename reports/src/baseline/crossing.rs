//! Messages that cross on their way: a candidate is told to send while it may not have read yet what was delivered to it.
//!
//! Which of the two comes first is chance, and by it the candidate sends in the session that it was given, or sets up one of its
//! own, with all that follows in either. Whether messages may cross follows from the scenario alone: it lets the candidate settle
//! in between, or does not.

use super::behaviour::user_of;
use countersign_contract::portable::Stanza;
use countersign_contract::{StanzaId, UserId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Stanzas under way that are kept for a user; of more, the oldest are forgotten.
const MOST_UNDER_WAY: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Crossings {
    /// What was delivered to a user that it need not have processed yet; of a message, from whom.
    under_way: BTreeMap<UserId, Vec<(StanzaId, Option<UserId>)>>,
    settling: BTreeMap<u64, (UserId, StanzaId)>,
    crossed: BTreeSet<(UserId, UserId)>,
}

impl Crossings {
    /// A stanza is delivered to a user.
    pub(super) fn delivered(&mut self, user: UserId, stanza: &Stanza) {
        let from = if let Stanza::Message { from, .. } = stanza { *from } else { None };
        let list = self.under_way.entry(user).or_default();
        if list.len() >= MOST_UNDER_WAY {
            list.remove(0);
        }
        list.push((stanza.id(), from));
    }

    /// An operation is called for a user.
    pub(super) fn called(&mut self, call: u64, op: &str, user: UserId, args: &Value) {
        match op {
            "settle" => {
                if let Some(through) = args.get("through").and_then(|id| serde_json::from_value(id.clone()).ok()) {
                    self.settling.insert(call, (user, through));
                }
            }
            // A new client has nothing under way.
            "create_user" => {
                self.under_way.remove(&user);
            }
            "send" | "send_to_group" => {
                let to = args.get("to").and_then(Value::as_str).and_then(user_of);
                let senders = self.under_way.get(&user).into_iter().flatten().filter_map(|(_, from)| *from);
                let crossing = senders.filter(|from| to.is_none_or(|to| to == *from)).map(|from| (user, from));
                self.crossed.extend(crossing);
            }
            _ => {}
        }
    }

    /// A call came to its end as it should: what a user settled through is processed, and all before it.
    pub(super) fn settled(&mut self, call: u64) {
        let Some((user, through)) = self.settling.remove(&call) else { return };
        let Some(list) = self.under_way.get_mut(&user) else { return };
        if let Some(last) = list.iter().rposition(|(stanza, _)| *stanza == through) {
            list.drain(..=last);
        }
    }

    /// Whether messages of the two may have crossed, so that chance decides in which session a user writes.
    pub(super) fn happened(&self, user: Option<UserId>, peer: Option<UserId>) -> bool {
        user.zip(peer).is_some_and(|pair| self.crossed.contains(&pair))
    }
}
