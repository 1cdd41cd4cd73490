//! Blobs that were uploaded, and plaintext files that the upper tester asks to send.

use super::disturbance::MediaBend;
use super::limits::{MOST_BLOB_BYTES, MOST_BLOBS};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Default)]
pub(crate) struct Media {
    blobs: BTreeMap<String, Arc<[u8]>>,
    bytes: usize,
    pub(crate) files: BTreeMap<String, Arc<[u8]>>,
}

impl Media {
    pub(crate) fn has_room_for(&self, length: usize) -> bool {
        self.blobs.len() < MOST_BLOBS && self.bytes.saturating_add(length) <= MOST_BLOB_BYTES
    }

    pub(crate) fn put(&mut self, url: String, blob: Vec<u8>) {
        self.bytes += blob.len();
        self.blobs.insert(url, blob.into());
    }

    pub(crate) fn get(&self, url: &str) -> Option<&Arc<[u8]>> {
        self.blobs.get(url)
    }
}

/// Bends a download and says how; `None` in place of the bytes if it is to be missing.
pub(crate) fn bend(blob: &[u8], bends: &[MediaBend]) -> (Option<Vec<u8>>, Vec<String>) {
    let mut bytes = Some(blob.to_vec());
    let mut how = Vec::new();
    for rule in bends {
        let Some(present) = bytes.as_mut() else { break };
        match *rule {
            MediaBend::Flip(offset) => match present.get_mut(offset) {
                Some(byte) => {
                    *byte ^= 1;
                    how.push(format!("byte {offset} flipped in one bit"));
                }
                None => how.push(format!("there is no byte {offset} to flip")),
            },
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
    (bytes, how)
}
