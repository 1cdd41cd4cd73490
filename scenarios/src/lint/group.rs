//! Rules for what is sent to a group.

use super::rules::Rules;
use crate::language::{Alteration, BendGroup, ContentSpec, SendToGroup, Side};
use crate::yaml::Node;

/// Fields of a sender key message that the network can change. The disturbance layer knows the same list.
const GROUP_TAMPER_FIELDS: [&str; 8] =
    ["version", "unknown-version", "distribution-id", "chain-id", "iteration", "ciphertext", "signature", "signature-stripped"];

impl Rules<'_> {
    pub(super) fn send_to_group(&mut self, s: &SendToGroup, node: &Node) {
        if self.side(&s.from) == Some(Side::Candidate) && (s.fresh_key || s.bend.is_some()) {
            let message = format!("`{}` is a candidate's user", s.from);
            self.fault(node, &["send-to-group", "from"], message, "only what reference users send can be made like this");
        }
        let fits = matches!(
            s.content,
            ContentSpec::Text(_)
                | ContentSpec::ExactText(_)
                | ContentSpec::TextOfBytes(_)
                | ContentSpec::EveryPlane
                | ContentSpec::Reply { .. }
                | ContentSpec::File(_)
        );
        if !fits {
            self.fault(node, &["send-to-group", "content"], "not a content for a group", "a text, a reply or a file");
        }
        self.altered(&s.from, !s.alter.is_empty(), node, &["send-to-group", "alter"]);
        self.altered(&s.from, s.names_distribution_of.is_some(), node, &["send-to-group", "names-distribution-of"]);
        self.fits(&s.alter, Alteration::in_group, node, "send-to-group");
        if let Some(user) = &s.names_distribution_of {
            // Only of our own users do we know under which ids they hand out their keys.
            self.must_be(Side::Reference, user, node, &["send-to-group", "names-distribution-of"]);
            self.two(&s.from, user, node, &["send-to-group", "names-distribution-of"]);
        }
        if s.bend == Some(BendGroup::KeyInside) && !s.alter.is_empty() {
            let hint = "leave one of the two out";
            self.fault(node, &["send-to-group", "alter"], "`bend: key-inside` makes a message of its own", hint);
        }
        if s.copy_for.is_some() && s.network.is_none() {
            let hint = "say in `network` what happens to the copy";
            self.fault(node, &["send-to-group", "copy-for"], "nothing happens to this copy", hint);
        }
        self.network(s.network.as_ref(), node, "send-to-group", &GROUP_TAMPER_FIELDS);
    }

    /// Each alteration of a step does something to what is sent there.
    pub(super) fn fits(&mut self, alter: &[Alteration], fits: impl Fn(&Alteration) -> bool, node: &Node, word: &str) {
        let (message, hint) = match word {
            "send" => ("this changes nothing of a message between two users", "write it into the `alter` of a `send-to-group`"),
            _ => ("this changes nothing of a message to a group", "write it into the `alter` of a `send`"),
        };
        for place in alter.iter().enumerate().filter(|(_, alteration)| !fits(alteration)).map(|(place, _)| place) {
            self.fault(node, &[word, "alter", &place.to_string()], message, hint);
        }
    }
}
