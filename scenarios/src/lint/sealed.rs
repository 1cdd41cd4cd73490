//! Rules for sealed messages.

use super::rules::Rules;
use crate::diagnostic::{Fault, Span};
use crate::language::{Alteration, BendCertificate, Network, Scenario, Send, SendStored, Side, Stack, Step};
use crate::yaml::Node;
use countersign_adversary::alter::{Part, edits};
use countersign_contract::claims::{Feature, Suite};

impl Rules<'_> {
    /// What a `send` says of sealing.
    pub(super) fn sealed(&mut self, s: &Send, node: &Node) {
        if let Some(certificate) = &s.certificate {
            let path = ["send", "certificate"];
            if !s.sealed {
                self.fault(node, &path, "only a sealed message has a certificate", "add `sealed: true`");
            }
            if self.side(&s.from) == Some(Side::Candidate) {
                let message = format!("`certificate` for `{}`, a candidate's user", s.from);
                self.fault(node, &path, message, "only what reference users send can be bent like this");
            }
            if *certificate == BendCertificate::OtherKey && self.runs_on_own_stack(&s.from) {
                let message = format!("`other-key` for `{}`, who runs on the stack `adversary`", s.from);
                self.fault(node, &path, message, "leave the stack out, or write `identity-key` into `alter`");
            }
            if let BendCertificate::Of(user) = certificate {
                self.must_be(Side::Reference, user, node, &["send", "certificate", "of"]);
                if *user == s.from {
                    let message = format!("a certificate of `{user}` is the right one");
                    self.fault(node, &["send", "certificate", "of"], message, "name another reference user");
                }
            }
        }
        if !s.sealed {
            return;
        }
        if self.runs_on_own_stack(&s.to) {
            let message = format!("`{}` runs on the stack `adversary`, which opens no sealed message", s.to);
            self.fault(node, &["send", "to"], message, "name another member, or leave the stack out");
        }
        if matches!(s.network, Some(Network::Tamper(_) | Network::DamagedEachTime(_))) {
            let message = "the fields of a sealed message stand inside the encryption";
            self.fault(node, &["send", "network"], message, "the network can `flip`, `cut`, `hold`, `drop` and `deliver` it");
        }
    }

    /// What only a sealed message has is edited in one alone, and a certificate only where nothing else is wrong with it.
    pub(super) fn edits_seal(&mut self, s: &Send, node: &Node) {
        if !s.sealed {
            for place in (0..s.alter.len()).filter(|place| s.alter.get(*place).is_some_and(Alteration::in_sealed_alone)) {
                let path = ["send", "alter", &place.to_string()];
                self.fault(node, &path, "this changes nothing of a message that is not sealed", "add `sealed: true`");
            }
        }
        if s.certificate.is_some() && edits(Part::Certificate, &s.alter) {
            let hint = "leave one of the two out";
            self.fault(node, &["send", "certificate"], "`alter` makes a certificate of its own", hint);
        }
    }

    fn runs_on_own_stack(&self, user: &str) -> bool {
        let member = self.cast.get(user).and_then(|(_, cast)| cast.as_ref());
        member.is_some_and(|member| member.side == Side::Reference && member.stack == Stack::Adversary)
    }
}

/// What a scenario with sealed messages has to say of itself.
pub(super) fn check_needs(header: &Scenario, step: &Step, word: Span, faults: &mut Vec<Fault>) {
    if !matches!(step, Step::Send(Send { sealed: true, .. }) | Step::SendStored(SendStored { sealed: true, .. })) {
        return;
    }
    if !header.features.contains(&Feature::SealedSender) {
        let message = "this step needs the feature `sealed-sender`, which the scenario does not name";
        faults.push(Fault::new(word, message).hint("add `sealed-sender` to `features`"));
    }
    if header.suites != [Suite::SignalPq] {
        let message = "sealed messages are part of the suite `signal-pq` alone";
        faults.push(Fault::new(word, message).hint("add `suites: [signal-pq]`"));
    }
}
