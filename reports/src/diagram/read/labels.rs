//! Stanzas, users and blobs in few words.

use super::{LONGEST_LABEL, Reader};
use countersign_contract::portable::{ReceiptType, Stanza};
use countersign_contract::{StanzaId, UserId};
use countersign_trace::Body;

/// Longest last part of a path that is shown whole, in characters.
const LONGEST_SEGMENT: usize = 24;
/// Longer frames are not read.
const LONGEST_FRAME: usize = 64 * 1024;

impl Reader<'_> {
    pub(super) fn parsed(&self, body: &Body) -> Option<Stanza> {
        let bytes = body.bytes(self.blobs).filter(|b| b.len() <= LONGEST_FRAME)?;
        Stanza::from_json(std::str::from_utf8(bytes).ok()?).ok()
    }

    pub(super) fn stanza(&self, id: StanzaId) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| format!("stanza {}", id.to_string().chars().take(8).collect::<String>()))
    }

    pub(super) fn label(&self, stanza: &Stanza) -> String {
        match (stanza, self.names.get(&stanza.id())) {
            (Stanza::Message { .. } | Stanza::Receipt { .. } | Stanza::GroupMessage { .. }, Some(name)) => name.clone(),
            (Stanza::SealedMessage { id, .. }, _) => format!("{}, sealed", self.stanza(*id)),
            (Stanza::Receipt { r#type, of, .. }, None) => {
                let kind = if *r#type == ReceiptType::Retry { "retry of" } else { "receipt of" };
                format!("{kind} {}", self.stanza(*of))
            }
            (Stanza::Accepted { id }, _) => format!("{} is accepted", self.stanza(*id)),
            (Stanza::KeysLow { .. }, _) => "keys-low".into(),
            (Stanza::Group { version, members, .. }, _) => format!("list {version} of a group, {} members", members.len()),
            _ => self.stanza(stanza.id()),
        }
    }

    /// Words in which ids of users and stanzas are replaced by their names, and other long ids cut.
    pub(super) fn named(&self, text: &str) -> String {
        let cut: String = text.chars().take(4 * LONGEST_LABEL).collect();
        cut.split(' ').map(|word| self.named_word(word)).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn named_word(&self, word: &str) -> String {
        let (head, tail) = word.rsplit_once('/').map_or(("", word), |(head, tail)| (head, tail));
        let slash = if word.contains('/') { "/" } else { "" };
        let bare = tail.trim_end_matches([':', ',', ';']);
        let end = tail.strip_prefix(bare).unwrap_or_default();
        let id = bare.parse::<StanzaId>().ok();
        let name = id.and_then(|id| self.names.get(&id).cloned().or_else(|| self.places.known(UserId(id.0))));
        match name {
            Some(name) => format!("{head}{slash}{name}{end}"),
            // Names of blobs and of nothing that a scenario names.
            None if !slash.is_empty() && bare.chars().count() > LONGEST_SEGMENT => {
                format!("{head}/{}…{end}", bare.chars().take(6).collect::<String>())
            }
            None => word.to_owned(),
        }
    }
}
