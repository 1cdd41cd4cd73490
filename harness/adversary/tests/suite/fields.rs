//! A reader of protobuf of the tests' own, so that what they look at was not found by the code under test.

use countersign_contract::portable::MessageType;
use std::ops::Range;

/// A varint at a place, and where it ends.
fn varint(bytes: &[u8], at: usize) -> (u64, usize) {
    let end = at + bytes[at..].iter().position(|byte| byte & 0x80 == 0).expect("a varint ends");
    (bytes[at..=end].iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f)), end + 1)
}

/// Number and value of every field between two places; of a number, the place of its varint.
fn fields(bytes: &[u8], mut at: usize, end: usize) -> Vec<(u64, Range<usize>)> {
    let mut found = Vec::new();
    while at < end {
        let (key, value) = varint(bytes, at);
        let (number, after) = varint(bytes, value);
        let range = if key & 7 == 2 { after..after + number as usize } else { value..after };
        at = range.end;
        found.push((key >> 3, range));
    }
    found
}

/// A message of which the places are known.
pub(crate) struct Places<'a> {
    bytes: &'a [u8],
    outer: Vec<(u64, Range<usize>)>,
    inner: Vec<(u64, Range<usize>)>,
    /// The message inside the prekey message, or all of it.
    pub(crate) message: Range<usize>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(kind: MessageType, bytes: &'a [u8]) -> Self {
        let outer = if kind == MessageType::Prekey { fields(bytes, 1, bytes.len()) } else { Vec::new() };
        let message = match kind {
            MessageType::Prekey => outer.iter().rev().find(|(tag, _)| *tag == 4).expect("a message").1.clone(),
            MessageType::Normal => 0..bytes.len(),
        };
        Self { inner: fields(bytes, message.start + 1, message.end - 8), bytes, outer, message }
    }

    pub(crate) fn inner(&self, tag: u64) -> Vec<&'a [u8]> {
        self.inner.iter().filter(|(found, _)| *found == tag).map(|(_, range)| &self.bytes[range.clone()]).collect()
    }

    pub(crate) fn outer(&self, tag: u64) -> Vec<&'a [u8]> {
        self.outer.iter().filter(|(found, _)| *found == tag).map(|(_, range)| &self.bytes[range.clone()]).collect()
    }

    /// Of a field that holds a number.
    pub(crate) fn number(value: &[u8]) -> u64 {
        varint(value, 0).0
    }

    /// Where the ciphertext stands.
    pub(crate) fn ciphertext(&self) -> Range<usize> {
        self.inner.iter().find(|(tag, _)| *tag == 4).expect("a ciphertext").1.clone()
    }

    /// The epoch of the post-quantum ratchet that the message belongs to, from 1: it follows the version.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.inner(5).first().map(|value| varint(value, 1).0)
    }
}
