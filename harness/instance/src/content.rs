//! What is sent: texts, files and the rest, made from the seed.

use crate::derive;
use countersign_contract::seen::{FileRef, MediaKind, UserContent};
use countersign_contract::{Bytes, StanzaId};
use countersign_scenarios::language::{ContentSpec, FileSpec};
use countersign_trace::MadeFile;
use rand::RngCore as _;
use std::collections::BTreeMap;

/// Content ready to be sent.
pub(crate) struct Made {
    /// As the user makes it. A file has no URL yet.
    pub(crate) content: UserContent,
    /// How the file is made, if it is one.
    pub(crate) file: Option<MadeFile>,
    /// A marker inside it that no server may see.
    pub(crate) canary: Option<String>,
}

/// Makes the content of the message called `name`. `None` if it refers to a message that does not exist; says which.
pub(crate) fn make(seed: &[u8; 32], name: &str, spec: &ContentSpec, names: &BTreeMap<String, StanzaId>) -> Result<Made, String> {
    let of = |message: &String| names.get(message).copied().ok_or_else(|| message.clone());
    let canary = derive::canary(seed, name);
    let plain = |content| Made { content, file: None, canary: None };
    let marked = |text: String, content: fn(String) -> UserContent, canary: &str| Made {
        content: content(format!("{text} {canary}")),
        file: None,
        canary: Some(canary.to_owned()),
    };
    let text = |text| UserContent::Text { text };
    Ok(match spec {
        ContentSpec::Text(t) => marked(t.clone(), |text| UserContent::Text { text }, &canary),
        ContentSpec::ExactText(t) => plain(text(t.clone())),
        ContentSpec::TextOfBytes(bytes) => {
            let (t, canary) = text_of_bytes(seed, name, *bytes as usize, &canary);
            Made { content: text(t), file: None, canary }
        }
        ContentSpec::EveryPlane => Made { content: text(every_plane(&canary)), file: None, canary: Some(canary) },
        ContentSpec::File(spec) => file(seed, name, spec),
        ContentSpec::Reaction { of: message, emoji, remove, bytes } => {
            let emoji = bytes.map_or_else(|| emoji.clone(), |bytes| repeated(emoji, bytes as usize));
            plain(UserContent::Reaction { of: of(message)?, emoji, remove: *remove })
        }
        ContentSpec::Reply { of: message, text } => Made {
            content: UserContent::Reply { of: of(message)?, text: format!("{text} {canary}") },
            file: None,
            canary: Some(canary),
        },
        ContentSpec::Edit { of: message, text } => Made {
            content: UserContent::Edit { of: of(message)?, text: format!("{text} {canary}") },
            file: None,
            canary: Some(canary),
        },
        ContentSpec::Delete { of: message } => plain(UserContent::Delete { of: of(message)? }),
        ContentSpec::Typing(active) => plain(UserContent::Typing { active: *active }),
        ContentSpec::Read(message) => plain(UserContent::Read { of: vec![of(message)?] }),
    })
}

/// Exactly that many bytes of UTF-8 with one, two, three and four bytes a character; the canary first if there is room.
fn text_of_bytes(seed: &[u8; 32], name: &str, bytes: usize, canary: &str) -> (String, Option<String>) {
    const ALPHABET: [char; 8] = ['a', ' ', 'z', 'é', 'ж', '語', '€', '🜨'];
    let marked = bytes >= canary.len();
    let mut text = String::with_capacity(bytes);
    if marked {
        text.push_str(canary);
    }
    let mut rng = derive::rng(seed, &["text", name]);
    while text.len() < bytes {
        let room = bytes - text.len();
        let fitting: Vec<char> = ALPHABET.into_iter().filter(|c| c.len_utf8() <= room).collect();
        let pick = rng.next_u32() as usize % fitting.len().max(1);
        text.push(fitting.get(pick).copied().unwrap_or('a'));
    }
    (text, marked.then(|| canary.to_owned()))
}

/// A text again and again, up to exactly that many bytes; where no whole copy fits any more, letters.
fn repeated(text: &str, bytes: usize) -> String {
    let mut out = if text.is_empty() { String::new() } else { text.repeat(bytes / text.len()) };
    out.extend(std::iter::repeat_n('a', bytes - out.len()));
    out
}

/// A character of every plane that has assigned or private ones, combining marks in two normal forms, both directions, a zero
/// width joiner sequence, a line feed, and white space at both ends.
fn every_plane(canary: &str) -> String {
    format!(
        " \u{e9} e\u{301} \u{fb01} \u{5d0}\u{5d1} \u{202b}\u{627}\u{202c} \u{1f469}\u{200d}\u{1f680} \u{1d11e} \u{20000} \u{30000} \
         \u{e0041} \u{f0000} \u{10fffd} {canary}\n\u{feff}\t "
    )
}

fn file(seed: &[u8; 32], name: &str, spec: &FileSpec) -> Made {
    let label = spec.label.as_deref().unwrap_or(name);
    let canary = derive::canary(seed, &format!("file {label}"));
    let made = MadeFile::new(derive::digest(seed, &["file", label]), &canary, spec.bytes.into());
    let (mime, extension) = match spec.kind {
        MediaKind::Image => ("image/png", "png"),
        MediaKind::Video => ("video/mp4", "mp4"),
        MediaKind::Voice => ("audio/ogg", "ogg"),
        MediaKind::File => ("application/octet-stream", "bin"),
    };
    let content = UserContent::Media {
        media: spec.kind,
        mime: spec.mime.clone().unwrap_or_else(|| mime.to_owned()),
        name: spec.name.clone().unwrap_or_else(|| format!("{}.{extension}", spec.kind.as_str())),
        file: FileRef { url: None, sha256: Bytes(made.sha256.0.to_vec()), length: made.length },
    };
    let canary = Some(canary).filter(|_| !made.head.is_empty());
    Made { content, file: Some(made), canary }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_exactly_the_bytes_asked_for() {
        for bytes in [0, 1, 2, 3, 30, 31, 32, 4096, 65_536] {
            let (text, canary) = text_of_bytes(&[7; 32], "m", bytes, "canary-0123456789ab");
            assert_eq!(text.len(), bytes);
            assert_eq!(canary.is_some(), bytes >= 19);
        }
    }

    #[test]
    fn a_repeated_text_has_exactly_the_bytes_asked_for() {
        for (text, bytes) in [("👍", 31), ("👍", 1024), ("", 3), ("👍", 1)] {
            assert_eq!(repeated(text, bytes).len(), bytes);
        }
        assert!(repeated("👍", 31).starts_with("👍👍"));
    }

    #[test]
    fn every_plane_in_use_occurs() {
        let text = every_plane("x");
        for plane in [0u32, 1, 2, 3, 14, 15, 16] {
            assert!(text.chars().any(|c| c as u32 >> 16 == plane), "plane {plane}");
        }
    }
}
