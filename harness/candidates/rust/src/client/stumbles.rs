//! What defective clients make of a content that is malformed although the message around it was genuine.

use super::User;
use crate::defect::Defect;
use countersign_contract::UserId;
use countersign_contract::content::{Content, Text, content::Body, unpad};
use prost::Message as _;

/// Room that the defect `keeps-room-for-repeats` sets aside for each repeat, in bytes.
const ROOM: usize = 16 << 20;
/// Fields of a content with a body of text, and of that text.
const MESSAGE_ID: u32 = 1;
const TEXT_BODY: u32 = 10;
const TEXT: u32 = 1;
/// Field of a sender key's distribution with its chain key, and how long that is.
const CHAIN_KEY: u32 = 4;
const CHAIN_KEY_BYTES: usize = 32;

/// A field of a protobuf, as far as it can be read.
struct Field<'a> {
    tag: u32,
    /// What a field of bytes holds; nothing for other fields.
    bytes: &'a [u8],
    /// It is written in more bytes than it needs.
    redundant: bool,
    /// It states more bytes than there are.
    overrun: bool,
}

impl User {
    /// Stumbles over what the client's own defect cannot take.
    pub(super) async fn stumble(&self, from: UserId, plaintext: &[u8]) {
        let any = [
            Defect::DiesOnRedundantBytes,
            Defect::WaitsForMissingBytes,
            Defect::KeepsRoomForRepeats,
            Defect::ForgetsSessionOnNamelessContent,
            Defect::DiesOnShortChainKey,
        ];
        let Some(defect) = any.into_iter().find(|defect| self.has(*defect)) else { return };
        let content = unpad(plaintext).unwrap_or_default();
        let fields = fields(content);
        match defect {
            Defect::DiesOnRedundantBytes if fields.iter().any(|field| field.redundant) => self.end().await,
            Defect::DiesOnShortChainKey if chain_key(content).is_some_and(|length| length != CHAIN_KEY_BYTES) => {
                self.end().await;
            }
            Defect::WaitsForMissingBytes if fields.last().is_some_and(|field| field.overrun) => std::future::pending().await,
            Defect::KeepsRoomForRepeats => {
                let again = |(at, field): (usize, &Field<'_>)| fields.iter().take(at).any(|before| before.tag == field.tag);
                let repeats = fields.iter().enumerate().filter(|(at, field)| again((*at, field))).count();
                if let Some(instance) = self.instance.upgrade().filter(|_| repeats > 0) {
                    instance.collapse.set_aside(repeats.saturating_mul(ROOM));
                }
            }
            Defect::ForgetsSessionOnNamelessContent => {
                let nameless =
                    Content::decode(content).is_ok_and(|content| content.body.is_some() && content.message().is_none());
                if nameless {
                    self.state().vault.forget_session(from);
                }
            }
            _ => {}
        }
    }

    /// Breaks down, and all that the process does with it.
    pub(super) async fn end(&self) {
        if let Some(instance) = self.instance.upgrade() {
            instance.collapse.ended.send_replace(true);
        }
        std::future::pending().await
    }
}

/// Length of the chain key in a content that hands out a sender key.
fn chain_key(content: &[u8]) -> Option<usize> {
    let Some(Body::SenderKey(key)) = Content::decode(content).ok()?.body else { return None };
    // Before them stands the version.
    let fields = fields(key.distribution.get(1..)?);
    fields.iter().rfind(|field| field.tag == CHAIN_KEY && !field.overrun).map(|field| field.bytes.len())
}

/// The content of a text, whatever its bytes are: for the defect `shows-text-that-is-none`.
pub(super) fn lenient(plaintext: &[u8]) -> Option<Content> {
    let outer = fields(unpad(plaintext).ok()?);
    let last = |fields: &[Field<'_>], tag| fields.iter().rposition(|field| field.tag == tag && !field.overrun);
    let id = outer.get(last(&outer, MESSAGE_ID)?)?.bytes;
    let inner = fields(outer.get(last(&outer, TEXT_BODY)?)?.bytes);
    let text = inner.get(last(&inner, TEXT)?)?.bytes;
    std::str::from_utf8(text).is_err().then(|| Content {
        message_id: String::from_utf8_lossy(id).into_owned(),
        body: Some(Body::Text(Text { text: String::from_utf8_lossy(text).into_owned() })),
        ..Content::default()
    })
}

/// The fields of a protobuf up to the first that cannot be read.
fn fields(mut bytes: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    while let Some((key, long_key)) = number(&mut bytes) {
        let Ok(tag) = u32::try_from(key >> 3) else { break };
        let mut field = Field { tag, bytes: &[], redundant: long_key, overrun: false };
        match key & 7 {
            0 => match number(&mut bytes) {
                Some((_, long)) => field.redundant |= long,
                None => break,
            },
            2 => {
                let Some((length, long)) = number(&mut bytes) else { break };
                field.redundant |= long;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                field.overrun = length > bytes.len();
                let (value, rest) = bytes.split_at(length.min(bytes.len()));
                (field.bytes, bytes) = (value, rest);
            }
            kind @ (1 | 5) => {
                let Some(rest) = bytes.get(if kind == 1 { 8 } else { 4 }..) else { break };
                bytes = rest;
            }
            _ => break,
        }
        fields.push(field);
    }
    fields
}

/// A number, and whether it is written in more bytes than it needs.
fn number(bytes: &mut &[u8]) -> Option<(u64, bool)> {
    let length = bytes.iter().take(10).position(|byte| *byte < 0x80)? + 1;
    let (written, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let value = written.iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Some((value, length > 1 && written.last() == Some(&0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_contract::content::pad;

    fn content(text: &[u8]) -> Vec<u8> {
        let inner = [&[0x0a, text.len() as u8], text].concat();
        pad([&[0x0a, 1, b'x', 0x52, inner.len() as u8], inner.as_slice()].concat())
    }

    #[test]
    fn a_text_is_read_leniently_if_it_is_none() {
        assert!(lenient(&content(b"good")).is_none());
        let shown = lenient(&content(&[b'a', 0xff])).and_then(|content| content.body);
        assert!(matches!(shown, Some(Body::Text(Text { text })) if text == "a\u{fffd}"));
    }

    #[test]
    fn redundant_bytes_and_lengths_that_run_over_are_seen() {
        let seen = |bytes: &[u8]| fields(bytes).iter().map(|f| (f.tag, f.redundant, f.overrun)).collect::<Vec<_>>();
        assert_eq!(seen(&[0x08, 0x96, 0x01, 0x12, 1, b'a']), [(1, false, false), (2, false, false)]);
        assert_eq!(seen(&[0x08, 0x96, 0x81, 0x00, 0x12, 9, b'a']), [(1, true, false), (2, false, true)]);
    }
}
