//! No part of a file that the candidate sends is in anything that it uploads.
//!
//! Looked for are pieces of 32 bytes, spread evenly over the file, so that a file in clear, or a long stretch of one, is found
//! wherever it stands. Pieces of a few byte values only would be found by chance, and are left out.

use super::Monitor;
use crate::context::Context;
use crate::finding::Finding;
use crate::said::Said;
use crate::search::Search;
use std::collections::BTreeSet;

pub(super) const MONITOR: Monitor = Monitor { id: "file-plaintext", requirements: &["MED-10", "META-04"], watch };

/// Length of a piece in bytes.
const PIECE: usize = 32;
/// Most pieces of all files of an instance.
const MOST_PIECES: usize = 4096;
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
    let pieces = pieces(&sources);
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

/// Pieces of files, spread evenly.
fn pieces<'a>(sources: &[&'a [u8]]) -> Search<&'a [u8]> {
    let total: usize = sources.iter().map(|s| s.len() / PIECE).sum();
    let stride = total.div_ceil(MOST_PIECES).max(1);
    let pieces = sources.iter().flat_map(|source| source.chunks_exact(PIECE).step_by(stride));
    Search::of(pieces.filter(|piece| piece.iter().copied().collect::<BTreeSet<u8>>().len() >= LEAST_VARIETY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_found_at_any_offset() {
        let file: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let searched = pieces(&[&file]);
        let mut upload = vec![0; 5000];
        assert_eq!(searched.find(&upload), None);
        upload.splice(1001..1001, file[70_000..71_000].iter().copied());
        assert!(searched.find(&upload).is_some());
        assert_eq!(pieces(&[]).find(&file), None);
        assert_eq!(pieces(&[&[0; 4096]]).find(&[0; 4096]), None);
    }
}
