//! The plaintext of a message: a protobuf, padded before encryption.
//!
//! # Padding
//! Append one byte `0x80`, then zero bytes, until the length is a multiple of [`PADDING_BLOCK`]. There is always at least the one
//! byte. A receiver removes trailing zeros and one `0x80`, and refuses as `bad-padding` a plaintext whose length is not a positive
//! multiple of the block, or that does not end so. Since the block is a multiple of 16, the CBC ciphertext of a padded content is
//! 16 bytes longer than a multiple of the block: anyone can check the rule on the wire.
//!
//! # Deniability
//! A content carries no signature under its sender's identity key: either user could have made the message's authentication code, so that
//! it proves nothing to others, and a signature would.

use crate::seen::{MediaKind, UserContent};
use crate::{Bytes, MessageId, Reason};
use prost::Message as _;

#[allow(missing_docs, clippy::pedantic, clippy::derive_partial_eq_without_eq, reason = "generated from content.proto")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/countersign.content.v1.rs"));
}

pub use generated::*;

/// The schema that all this is generated from, for candidates in other languages.
pub const PROTO: &str = include_str!("../proto/content.proto");

/// Padded contents are a positive multiple of this many bytes.
pub const PADDING_BLOCK: usize = 160;

/// Largest content before padding, in bytes.
pub const LARGEST_CONTENT: usize = 128 * 1024;

/// Why a plaintext is not a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// The padding breaks the rule.
    #[error("the padding is not 0x80 and zeros up to a multiple of {PADDING_BLOCK} bytes")]
    Padding,
    /// Not a `Content`, or one without a body, or with an id or a value that does not fit.
    #[error("the protobuf is not a content message")]
    Malformed,
}

impl ContentError {
    /// The contract's reason for it.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Padding => Reason::BadPadding,
            Self::Malformed => Reason::Malformed,
        }
    }
}

/// Pads by the rule of this module.
#[must_use]
pub fn pad(mut content: Vec<u8>) -> Vec<u8> {
    content.push(0x80);
    let padded = content.len().next_multiple_of(PADDING_BLOCK);
    content.resize(padded, 0);
    content
}

/// Removes the padding.
///
/// # Errors
/// [`ContentError::Padding`] if the rule is broken.
pub fn unpad(padded: &[u8]) -> Result<&[u8], ContentError> {
    if padded.is_empty() || !padded.len().is_multiple_of(PADDING_BLOCK) {
        return Err(ContentError::Padding);
    }
    let end = padded.iter().rposition(|b| *b != 0).ok_or(ContentError::Padding)?;
    // More zeros than one block would be a second way to write the same content.
    if padded.get(end) != Some(&0x80) || padded.len() - end > PADDING_BLOCK {
        return Err(ContentError::Padding);
    }
    padded.get(..end).ok_or(ContentError::Padding)
}

impl Content {
    /// Encodes and pads.
    #[must_use]
    pub fn to_padded(&self) -> Vec<u8> {
        // Room for the padding as well, so that nothing is moved for it.
        let mut bytes = Vec::with_capacity((self.encoded_len() + 1).next_multiple_of(PADDING_BLOCK));
        self.encode_raw(&mut bytes);
        pad(bytes)
    }

    /// Unpads and decodes, and checks that there is a body.
    ///
    /// # Errors
    /// See [`ContentError`].
    pub fn from_padded(padded: &[u8]) -> Result<Self, ContentError> {
        let content = Content::decode(unpad(padded)?).map_err(|_| ContentError::Malformed)?;
        if content.body.is_none() || content.message().is_none() {
            return Err(ContentError::Malformed);
        }
        Ok(content)
    }

    /// The id of the message, if it is one.
    #[must_use]
    pub fn message(&self) -> Option<MessageId> {
        self.message_id.parse().ok()
    }

    /// What the user sees of it. A file is described by `seen_digest`, the SHA-256 of its decrypted plaintext; without one, a
    /// file cannot be shown. `None` if an id or a value inside does not fit.
    #[must_use]
    pub fn shown(&self, seen_digest: Option<[u8; 32]>) -> Option<UserContent> {
        use content::Body;
        Some(match self.body.as_ref()? {
            Body::Text(t) => UserContent::Text { text: t.text.clone() },
            Body::Attachment(a) => UserContent::Media {
                media: a.media_kind()?,
                mime: a.mime.clone(),
                name: a.name.clone(),
                file: crate::seen::FileRef { url: None, sha256: Bytes(seen_digest?.to_vec()), length: a.length },
            },
            Body::Reaction(r) => UserContent::Reaction { of: r.of.parse().ok()?, emoji: r.emoji.clone(), remove: r.remove },
            Body::Reply(r) => UserContent::Reply { of: r.of.parse().ok()?, text: r.text.clone() },
            Body::Edit(e) => UserContent::Edit { of: e.of.parse().ok()?, text: e.text.clone() },
            Body::Delete(d) => UserContent::Delete { of: d.of.parse().ok()? },
            Body::Typing(t) => UserContent::Typing { active: t.active },
            Body::Receipt(r) => UserContent::Read { of: r.read.iter().map(|id| id.parse().ok()).collect::<Option<_>>()? },
            Body::SenderKey(_) => return None,
        })
    }

    /// Makes the protobuf of what a user sends. `attachment` takes the place of a file that was uploaded before; `None` if the
    /// content is a file and there is no attachment.
    #[must_use]
    pub fn from_user(message: MessageId, sent_at: u64, user: &UserContent, attachment: Option<Attachment>) -> Option<Self> {
        use content::Body;
        let body = match user.clone() {
            UserContent::Text { text } => Body::Text(Text { text }),
            UserContent::Media { .. } => Body::Attachment(attachment?),
            UserContent::Reaction { of, emoji, remove } => Body::Reaction(Reaction { of: of.to_string(), emoji, remove }),
            UserContent::Reply { of, text } => Body::Reply(Reply { of: of.to_string(), text }),
            UserContent::Edit { of, text } => Body::Edit(Edit { of: of.to_string(), text }),
            UserContent::Delete { of } => Body::Delete(Delete { of: of.to_string() }),
            UserContent::Typing { active } => Body::Typing(Typing { active }),
            UserContent::Read { of } => Body::Receipt(Receipt { read: of.iter().map(ToString::to_string).collect() }),
        };
        Some(Self { message_id: message.to_string(), sent_at, group: None, body: Some(body) })
    }
}

impl Attachment {
    /// The kind of file, if it is a known one.
    #[must_use]
    pub fn media_kind(&self) -> Option<MediaKind> {
        match attachment::Kind::try_from(self.kind).ok()? {
            attachment::Kind::Unspecified => None,
            attachment::Kind::Image => Some(MediaKind::Image),
            attachment::Kind::Video => Some(MediaKind::Video),
            attachment::Kind::Voice => Some(MediaKind::Voice),
            attachment::Kind::File => Some(MediaKind::File),
        }
    }
}

impl From<MediaKind> for attachment::Kind {
    fn from(kind: MediaKind) -> Self {
        match kind {
            MediaKind::Image => Self::Image,
            MediaKind::Video => Self::Video,
            MediaKind::Voice => Self::Voice,
            MediaKind::File => Self::File,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn padding_is_undone(content in proptest::collection::vec(any::<u8>(), 0..700)) {
            let padded = pad(content.clone());
            prop_assert_eq!(padded.len() % PADDING_BLOCK, 0);
            prop_assert!(padded.len() - content.len() <= PADDING_BLOCK);
            prop_assert_eq!(unpad(&padded).unwrap(), &content[..]);
        }

        #[test]
        fn hostile_plaintext_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Content::from_padded(&bytes);
        }
    }

    #[test]
    fn every_other_way_to_pad_is_refused() {
        assert_eq!(unpad(&[]), Err(ContentError::Padding));
        assert_eq!(unpad(&[0; 160]), Err(ContentError::Padding));
        assert_eq!(unpad(&pad(vec![1])[..159]), Err(ContentError::Padding));
        let mut second_spelling = pad(vec![1]);
        second_spelling.resize(320, 0);
        assert_eq!(unpad(&second_spelling), Err(ContentError::Padding));
        let mut wrong_marker = pad(vec![1]);
        wrong_marker[1] = 0x81;
        assert_eq!(unpad(&wrong_marker), Err(ContentError::Padding));
    }
}
