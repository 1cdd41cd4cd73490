//! How a reference user makes one message: what it is told to do wrongly, and whether it seals.

use crate::Instance;
use crate::sealed::Seal;
use countersign_contract::portable::{MessageType, Stanza};
use countersign_contract::{Bytes, GroupId};
use countersign_reference::alter::{Edit, Field, FieldBytes, Part};
use countersign_reference::{Alteration, NamedPrekey, PrekeyKind, wire};
use countersign_scenarios::language::{BendContent, NamesPrekey, PrekeyOf, Send, SendToGroup};

/// How one message is made. Honestly and openly, unless said.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manner<'a> {
    /// What is wrong with its content.
    pub(crate) bend: Option<BendContent>,
    /// What is wrong with how it is encrypted.
    pub(crate) alter: &'a [Alteration],
    /// Under which certificate it is sealed.
    pub(crate) seal: Option<&'a Seal>,
}

impl Instance {
    /// The alterations of a message, with the ids put in that the scenario cannot know. `None` if there is no such id; the trace
    /// says so.
    pub(crate) fn alterations(&mut self, send: &Send) -> Option<Vec<Alteration>> {
        let mut alterations = send.alter.clone();
        if let Some(named) = &send.names_prekey {
            let Some(id) = self.prekey_id(named) else {
                self.skip(format!("the {} that {} is to name", named.kind.words(), send.name));
                return None;
            };
            alterations.push(Alteration::NamePrekey(NamedPrekey { kind: named.kind, id: Some(id) }));
        }
        Some(alterations)
    }

    /// The alterations of a message to a group, and of the sender key before it, likewise.
    pub(crate) fn group_alterations(&mut self, send: &SendToGroup, group: GroupId) -> Option<Vec<Alteration>> {
        let mut alterations = send.alter.clone();
        if let Some(other) = &send.names_distribution_of {
            let Some(Some(id)) = self.with_reference(other, |r| r.distribution_id(group)) else {
                self.skip(format!("a sender key of {other}, whose distribution id {} is to have", send.name));
                return None;
            };
            for field in [Field::DistributionId, Field::GroupDistribution] {
                alterations.push(Alteration::SetBytes(FieldBytes { field, bytes: Bytes(id.as_bytes().to_vec()) }));
            }
        }
        Some(alterations)
    }

    fn prekey_id(&mut self, named: &NamesPrekey) -> Option<u32> {
        match &named.of {
            PrekeyOf::Message(name) => {
                let stored = self.gateway.stanza(*self.names.get(name)?)?;
                let Stanza::Message { r#type: kind @ MessageType::Prekey, body, .. } = &*stored.stanza else { return None };
                let message = wire::parse(*kind, &body.0).ok()?;
                let outer = message.outer()?;
                match named.kind {
                    PrekeyKind::OneTime => outer.prekey_id,
                    PrekeyKind::Signed => outer.signed_prekey_id,
                    PrekeyKind::Kyber => outer.kyber_prekey_id,
                }
            }
            PrekeyOf::User(name) => {
                let keys = self.with_reference(name, |r| r.enlistment())?;
                match named.kind {
                    PrekeyKind::OneTime => keys.one_time_prekeys.first().map(|key| key.id),
                    PrekeyKind::Signed => Some(keys.signed_prekey.id),
                    PrekeyKind::Kyber => keys.kyber_prekey.map(|key| key.id),
                }
            }
        }
    }
}

/// What an alteration does to the message that hands a sender key out, if it does something to it.
pub(crate) fn in_handover(alteration: &Alteration) -> Option<Alteration> {
    let Alteration::Edit(edit) = alteration else { return None };
    (edit.part == Part::Handover).then(|| Alteration::Edit(Edit { part: Part::Content, ..edit.clone() }))
}
