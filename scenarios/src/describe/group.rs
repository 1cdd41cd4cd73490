//! Steps about groups in plain words.

use super::{content, network, with_side};
use crate::language::{BendGroup, Cast, SendToGroup, Step};
use std::collections::BTreeMap;

pub(super) fn describe(cast: &BTreeMap<String, Cast>, step: &Step) -> String {
    let who = |user: &String| with_side(cast, user);
    let all = |users: &[String]| {
        // A crowd is no easier to read by its names.
        if users.len() > 8 { format!("{} users", users.len()) } else { users.iter().map(who).collect::<Vec<_>>().join(", ") }
    };
    match step {
        Step::CreateGroup(g) => format!("{} creates a group with {} ({})", who(&g.by), all(&g.members), g.name),
        Step::ChangeGroup(g) => {
            let by = g.by.as_ref().map_or_else(|| "the gateway, which nobody asked,".to_owned(), who);
            let mut parts = Vec::new();
            if !g.add.is_empty() {
                parts.push(format!("adds {} to {}", all(&g.add), g.group));
            }
            if !g.remove.is_empty() {
                parts.push(format!("takes {} out of {}", all(&g.remove), g.group));
            }
            let untold = if g.untold.is_empty() { String::new() } else { format!("; {} is not told", all(&g.untold)) };
            format!("{by} {}{untold}", parts.join(" and "))
        }
        Step::SendToGroup(s) => send(cast, s),
        Step::Redeliver(r) => {
            let as_if = match &r.group {
                _ if r.pairwise => " as a message between two users".to_owned(),
                Some(group) => format!(" as a message to {group}"),
                None => String::new(),
            };
            format!("the gateway delivers {} once more, to {}{as_if} ({})", r.stanza, who(&r.to), r.name)
        }
        Step::LoseNext(l) => format!("the network loses the next pairwise message from {} to {}", who(&l.from), who(&l.to)),
        _ => String::new(),
    }
}

fn send(cast: &BTreeMap<String, Cast>, s: &SendToGroup) -> String {
    let mut text = format!("{} sends {} to the group {}, {}", with_side(cast, &s.from), s.name, s.group, content(&s.content));
    if s.fresh_key {
        text.push_str(", under a new sender key");
    }
    text.push_str(match s.bend {
        None => "",
        Some(BendGroup::NotAMember) => "; it is no member any more, and the gateway delivers it all the same",
        Some(BendGroup::Stranger) => {
            "; it never was a member, hands out a sender key for the group, and the gateway delivers both all the same"
        }
        Some(BendGroup::KeyOfOtherGroup) => "; it hands out the sender key of another of its groups for this one",
        Some(BendGroup::EarlierList) => {
            "; it is made for the list before the present one, and the gateway delivers it all the same"
        }
        Some(BendGroup::OtherList) => "; it is made for a list with other members, and the gateway delivers it all the same",
        Some(BendGroup::KeyInside) => "; in place of a text it carries a new sender key",
        Some(BendGroup::NotPadded) => "; its plaintext is not padded",
        Some(BendGroup::NotAContent) => "; its plaintext is no content",
        Some(BendGroup::Typing) => "; in place of a text it says that its sender is typing",
    });
    for alteration in &s.alter {
        let of_key = if alteration.of_distribution() { "for its sender key, it" } else { "it" };
        text.push_str(&format!("; {of_key} {}", alteration.describe()));
    }
    if let Some(other) = &s.names_distribution_of {
        text.push_str(&format!("; its sender key goes by the distribution id of {}'s", with_side(cast, other)));
    }
    let whose = s.copy_for.as_ref().map_or_else(|| "it".to_owned(), |user| format!("the copy for {}", with_side(cast, user)));
    network(&mut text, s.network.as_ref(), &whose);
    text
}
