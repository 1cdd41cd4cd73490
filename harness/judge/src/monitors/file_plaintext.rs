//! No part of a file that the candidate sends is in anything that it uploads.
//!
//! Looked for are pieces of 32 bytes, spread evenly over the file, so that a file in clear, or a long stretch of one, is found
//! wherever it stands. Pieces of a few byte values only would be found by chance, and are left out.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::search::Search;
use countersign_trace::{MadeFile, Observation};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const MONITOR: Monitor = Monitor { id: "file-plaintext", requirements: &["MED-10", "META-04"], watch };

/// Length of a piece in bytes.
const PIECE: usize = 32;
/// Most pieces of all files of an instance.
const MOST_PIECES: u64 = 4096;
/// Least number of different bytes in a piece.
const LEAST_VARIETY: usize = 8;

fn watch(cx: &Context<'_>) -> Said {
    let expected = "no part of a file is uploaded in clear";
    let made: BTreeMap<&str, &MadeFile> = cx
        .seen
        .observed
        .iter()
        .filter_map(|(_, _, o)| match o {
            Observation::Made { path, file } => Some((path.as_str(), file)),
            _ => None,
        })
        .collect();
    let fetched = cx.seen.requests.iter().filter(|r| r.method == "GET" && r.path.starts_with("/files/") && r.accepted());
    let sources: Vec<Source<'_>> = fetched
        .filter_map(|r| match made.get(r.path) {
            Some(file) => Some(Source::Made(file)),
            None => r.reply.and_then(|(_, _, body, _)| body.bytes(cx.seen.blobs)).map(Source::Bytes),
        })
        .collect();
    if sources.is_empty() {
        return Said::pass(expected, "no file was sent");
    }
    let pieces = Search::of(pieces(&sources));
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

/// A file that the candidate fetched to send it.
enum Source<'a> {
    Bytes(&'a [u8]),
    /// A large one, of which pieces are made as they are needed.
    Made(&'a MadeFile),
}

impl Source<'_> {
    /// How many whole pieces it has.
    fn pieces(&self) -> u64 {
        let length = match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Made(file) => file.length,
        };
        length / PIECE as u64
    }

    fn piece(&self, index: u64) -> Option<[u8; PIECE]> {
        let at = index.checked_mul(PIECE as u64)?;
        match self {
            Self::Bytes(bytes) => bytes.get(usize::try_from(at).ok()?..)?.first_chunk().copied(),
            Self::Made(file) => Some(file.at(at)),
        }
    }
}

/// Pieces of files, spread evenly.
fn pieces(sources: &[Source<'_>]) -> BTreeSet<[u8; PIECE]> {
    let mut pieces = BTreeSet::new();
    let total = sources.iter().fold(0_u64, |sum, s| sum.saturating_add(s.pieces()));
    let stride = total.div_ceil(MOST_PIECES).max(1);
    for source in sources {
        let mut index = 0;
        while index < source.pieces() {
            let piece = source.piece(index);
            index = index.saturating_add(stride);
            let Some(piece) = piece else { break };
            let variety: BTreeSet<u8> = piece.iter().copied().collect();
            if variety.len() >= LEAST_VARIETY {
                pieces.insert(piece);
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_found_at_any_offset() {
        let file: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let searched = Search::of(pieces(&[Source::Bytes(&file)]));
        let mut upload = vec![0; 5000];
        assert_eq!(searched.find(&upload), None);
        upload.splice(1001..1001, file[70_000..71_000].iter().copied());
        assert!(searched.find(&upload).is_some());
        assert!(pieces(&[Source::Bytes(&[0; 4096])]).is_empty());
    }

    #[test]
    fn a_file_that_is_not_kept_is_looked_for_all_the_same() {
        let made = MadeFile::new([5; 32], "", 200_000);
        let (whole, by_bytes, by_recipe) = (made.whole(0).unwrap(), 70_000, pieces(&[Source::Made(&made)]));
        assert_eq!(by_recipe, pieces(&[Source::Bytes(&whole)]));
        assert!(Search::of(by_recipe).find(&whole[by_bytes..by_bytes + 1000]).is_some());
        // A record may say anything about lengths: the number of pieces stays bounded.
        let endless = MadeFile { length: u64::MAX, ..made };
        assert!(pieces(&[Source::Made(&endless)]).len() <= 4097);
    }
}
