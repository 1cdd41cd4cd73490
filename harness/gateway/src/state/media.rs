//! Blobs that were uploaded, and plaintext files that the upper tester asks to send.

use super::disturbance::MediaBend;
use super::limits::{MOST_BLOB_BYTES, MOST_BLOBS};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Default)]
pub(crate) struct Media {
    blobs: BTreeMap<String, Bytes>,
    bytes: usize,
    /// Names of plaintext files; whoever put one there has its bytes.
    pub(crate) files: BTreeSet<String>,
}

impl Media {
    pub(crate) fn has_room_for(&self, length: usize) -> bool {
        self.blobs.len() < MOST_BLOBS && self.bytes.saturating_add(length) <= MOST_BLOB_BYTES
    }

    pub(crate) fn put(&mut self, url: String, blob: Bytes) {
        self.bytes += blob.len();
        self.blobs.insert(url, blob);
    }

    pub(crate) fn get(&self, url: &str) -> Option<&Bytes> {
        self.blobs.get(url)
    }
}

/// What a download came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Download {
    /// `None` if it is to be missing.
    pub(crate) bytes: Option<Bytes>,
    /// How long the client is told that it is, if it is cut off there.
    pub(crate) breaks_off: Option<u64>,
    /// What was done to it, in words.
    pub(crate) how: Vec<String>,
}

/// Bends a download and says how. One that nothing is done to is not copied.
pub(crate) fn bend(blob: &Bytes, bends: &[MediaBend]) -> Download {
    if bends.is_empty() {
        return Download { bytes: Some(blob.clone()), breaks_off: None, how: Vec::new() };
    }
    let (mut bytes, mut breaks_off) = (Some(blob.to_vec()), None);
    let mut how = Vec::new();
    for rule in bends {
        let Some(present) = bytes.as_mut() else { break };
        match *rule {
            MediaBend::Flip(offset) => {
                let at = position(offset, present.len());
                match at.and_then(|at| present.get_mut(at)) {
                    Some(byte) => {
                        *byte ^= 1;
                        how.push(format!("byte {offset} flipped in one bit"));
                    }
                    None => how.push(format!("there is no byte {offset} to flip")),
                }
            }
            MediaBend::BreakOff(after) if after < present.len() => {
                breaks_off = Some(present.len() as u64);
                present.truncate(after);
                how.push(format!("broken off after {after} bytes"));
            }
            MediaBend::BreakOff(after) => how.push(format!("too short to break off after {after} bytes")),
            MediaBend::Truncate(cut) => {
                present.truncate(present.len().saturating_sub(cut));
                how.push(format!("{cut} bytes left out at the end"));
            }
            MediaBend::Extend(more) => {
                present.resize(present.len().saturating_add(more), 0);
                how.push(format!("{more} bytes appended"));
            }
            MediaBend::Missing => {
                bytes = None;
                how.push("answered as missing".to_owned());
            }
        }
    }
    Download { bytes: bytes.map(Bytes::from), breaks_off, how }
}

/// A position from the beginning, or from the end if it is negative.
fn position(offset: i64, length: usize) -> Option<usize> {
    if offset >= 0 { usize::try_from(offset).ok() } else { length.checked_sub(usize::try_from(offset.unsigned_abs()).ok()?) }
}
