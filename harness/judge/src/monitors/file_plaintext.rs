//! No part of a file that the candidate sends is in anything that it uploads.
//!
//! Looked for are pieces of 32 bytes, spread evenly over the file, so that a file in clear, or a long stretch of one, is found
//! wherever it stands. Pieces of a few byte values only would be found by chance, and are left out.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const MONITOR: Monitor = Monitor { id: "file-plaintext", requirements: &["MED-10", "META-04"], watch };

/// Length of a piece in bytes.
const PIECE: usize = 32;
/// Most pieces of all files of an instance.
const MOST_PIECES: usize = 4096;
/// Bytes by which pieces are first told apart.
const PREFIX: usize = 4;
/// Least number of different bytes in a piece.
const LEAST_VARIETY: usize = 8;

fn watch(cx: &Context<'_>) -> Said {
    let expected = "no part of a file is uploaded in clear";
    let sources: Vec<&[u8]> = cx
        .seen
        .requests
        .iter()
        .filter(|r| r.method == "GET" && r.path.starts_with("/files/") && r.accepted())
        .filter_map(|r| r.reply.and_then(|(_, _, body, _)| body.bytes(cx.seen.blobs)))
        .collect();
    if sources.is_empty() {
        return Said::pass(expected, "no file was sent");
    }
    let pieces = Pieces::of(&sources);
    for request in cx.seen.requests.iter().filter(|r| !r.body.is_empty()) {
        let Some(bytes) = request.body.bytes(cx.seen.blobs) else { continue };
        if let Some(at) = pieces.find(bytes) {
            let observed = format!(
                "{} {} carries a part of a file at byte {at}",
                request.method,
                request.path.split('/').nth(1).unwrap_or("")
            );
            return Said::fail(Finding::FileVisible, expected, observed).evidence([cx.seen.n(request.at)]);
        }
    }
    Said::pass(expected, format!("{} files were looked for", sources.len()))
}

/// Pieces of files, by their first bytes.
struct Pieces<'a> {
    by_prefix: BTreeMap<[u8; PREFIX], Vec<&'a [u8]>>,
    /// Which hashes of a prefix occur at all: most positions are decided by one look.
    filter: Vec<u64>,
}

const FILTER_BITS: u32 = 18;

fn slot(prefix: [u8; PREFIX]) -> usize {
    (u32::from_le_bytes(prefix).wrapping_mul(0x9e37_79b1) >> (32 - FILTER_BITS)) as usize
}

impl<'a> Pieces<'a> {
    fn of(sources: &[&'a [u8]]) -> Self {
        let mut pieces = Self { by_prefix: BTreeMap::new(), filter: vec![0; 1 << (FILTER_BITS - 6)] };
        let total: usize = sources.iter().map(|s| s.len() / PIECE).sum();
        let stride = total.div_ceil(MOST_PIECES).max(1);
        for source in sources {
            for piece in source.chunks_exact(PIECE).step_by(stride) {
                let variety: BTreeSet<u8> = piece.iter().copied().collect();
                let Some(prefix) = piece.first_chunk::<PREFIX>().filter(|_| variety.len() >= LEAST_VARIETY) else { continue };
                pieces.by_prefix.entry(*prefix).or_default().push(piece);
                if let Some(word) = pieces.filter.get_mut(slot(*prefix) / 64) {
                    *word |= 1 << (slot(*prefix) % 64);
                }
            }
        }
        pieces
    }

    /// Where one of the pieces stands.
    fn find(&self, bytes: &[u8]) -> Option<usize> {
        if self.by_prefix.is_empty() {
            return None;
        }
        bytes.windows(PIECE).position(|window| {
            let Some(prefix) = window.first_chunk::<PREFIX>() else { return false };
            let slot = slot(*prefix);
            self.filter.get(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
                && self.by_prefix.get(prefix).is_some_and(|known| known.contains(&window))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_found_at_any_offset() {
        let file: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let pieces = Pieces::of(&[&file]);
        let mut upload = vec![0; 5000];
        assert_eq!(pieces.find(&upload), None);
        upload.splice(1001..1001, file[70_000..71_000].iter().copied());
        assert!(pieces.find(&upload).is_some());
        assert_eq!(Pieces::of(&[]).find(&file), None);
        assert_eq!(Pieces::of(&[&[0; 4096]]).find(&[0; 4096]), None);
    }
}
