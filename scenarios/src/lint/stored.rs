//! Rules for what stands ready: stored peers, imported keys, stored messages and files.

use super::rules::{CastAt, Rules};
use crate::diagnostic::Fault;
use crate::language::{Cast, Expect, Scenario, Side, Step};
use crate::yaml::Node;
use countersign_contract::claims::{Capability, Feature};
use countersign_contract::portable::MessageType;

/// Whether a member of the cast is a peer without a stack.
pub(super) fn is_stored(cast: &Cast) -> bool {
    cast.side == Side::Reference && cast.fixed.as_ref().is_some_and(|fixed| fixed.enlist.is_some())
}

impl Rules<'_> {
    pub(super) fn stored(&mut self, step: &Step, node: &Node) {
        match step {
            Step::SendStored(s) => {
                self.must_be_stored(&s.from, node, &["send-stored", "from"]);
                self.must_be(Side::Candidate, &s.to, node, &["send-stored", "to"]);
                if s.sealed && s.group.is_some() {
                    let hint = "leave out one of them";
                    self.fault(node, &["send-stored", "sealed"], "no message to a group is sealed", hint);
                }
                if s.group.is_some() && s.r#type == MessageType::Prekey {
                    let hint = "leave out `group`, or write `type: normal`";
                    self.fault(node, &["send-stored", "type"], "a group message sets up no session", hint);
                }
            }
            Step::StoreBlob(s) => {
                self.must_be_stored(&s.of, node, &["store-blob", "of"]);
                let name = s.path.strip_prefix("/media/").unwrap_or_default();
                if name.is_empty() || name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                    let message = format!("`{}` is no path of a file at the gateway", s.path);
                    self.fault(node, &["store-blob", "path"], message, "`/media/`, then letters, digits and hyphens");
                }
            }
            Step::ServeBundle(s) => self.must_be_stored(&s.of, node, &["serve-bundle", "of"]),
            _ => {}
        }
    }

    pub(super) fn stored_expectation(&mut self, expect: &Expect, node: &Node) {
        match expect {
            Expect::ShowsOrRefuses(either) => {
                self.must_be(Side::Candidate, &either.user, node, &["expect", "shows-or-refuses", "user"]);
                self.reasons(&either.reasons, node, &["expect", "shows-or-refuses", "reasons"]);
            }
            Expect::SafetyNumberIs(number) if number.digits.len() != 60 || !number.digits.bytes().all(|b| b.is_ascii_digit()) => {
                let path = ["expect", "safety-number-is", "digits"];
                self.fault(node, &path, "a safety number has 60 digits", "write them without spaces");
            }
            Expect::SafetyNumberIs(number) if !number.or_refuses.is_empty() => {
                self.reasons(&number.or_refuses, node, &["expect", "safety-number-is", "or-refuses"]);
            }
            _ => {}
        }
    }

    fn must_be_stored(&mut self, user: &str, node: &Node, path: &[&str]) {
        let member = self.cast.get(user).and_then(|(_, cast)| cast.as_ref());
        if member.is_some_and(|cast| !is_stored(cast)) {
            let message = format!("`{user}` has a stack, and here stands a stored peer");
            self.fault(node, path, message, "give it `fixed: { enlist: … }` in the cast");
        }
    }
}

/// Checks what is fixed of members of the cast.
pub(super) fn check(header: &Scenario, root: &Node, cast: &CastAt, faults: &mut Vec<Fault>) {
    if let Some(root_key) = &header.trust_root {
        let span = root.at(&["trust-root"]).span;
        if root_key.0.len() != 33 {
            let fault = Fault::new(span, format!("a trust root of {} bytes", root_key.0.len()));
            faults.push(fault.hint("a serialised public key has 33"));
        }
        if !header.features.contains(&Feature::SealedSender) {
            let fault = Fault::new(span, "a trust root for a candidate that need not know one");
            faults.push(fault.hint("add `sealed-sender` to `features`"));
        }
    }
    for (name, (_, member)) in cast {
        let Some((member, fixed)) = member.as_ref().and_then(|m| Some((m, m.fixed.as_ref()?))) else { continue };
        let mut fault = |path: &[&str], message: String, hint: &str| {
            let place: Vec<&str> = ["cast", name, "fixed"].iter().chain(path).copied().collect();
            faults.push(Fault::new(root.at(&place).span, message).hint(hint));
        };
        match (member.side, &fixed.import, &fixed.enlist) {
            (Side::Reference, Some(_), _) => {
                fault(&["import"], format!("`import` for `{name}`, a reference user"), "only a candidate imports keys");
            }
            (Side::Candidate, _, Some(_)) => {
                fault(&["enlist"], format!("`enlist` for `{name}`, a candidate's user"), "a candidate enlists by itself");
            }
            (Side::Reference, None, None) => {
                fault(&[], format!("a fixed name for `{name}`, whose messages are made anew"), "fix it for stored peers alone");
            }
            (Side::Candidate, Some(_), None) => {
                if !header.capabilities.contains(&Capability::Import) {
                    fault(&["import"], "keys for a candidate that may not import any".to_owned(), "add `capabilities: [import]`");
                }
                if member.one_time_prekeys != 0 {
                    fault(&["import"], "further one-time prekeys beside imported keys".to_owned(), "add `one-time-prekeys: 0`");
                }
            }
            _ => {}
        }
        if let (Some(user), Some(enlist)) = (fixed.user, &fixed.enlist)
            && user != enlist.user
        {
            fault(&["user"], format!("`{name}` is {user} here, and {} where it enlists", enlist.user), "write one of them");
        }
    }
}
