//! Files that are made from the seed: large ones are not kept, since anybody can make them again.

use crate::Digest;
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Bytes that are made at once while a file is made.
const CHUNK: usize = 64 * 1024;

/// A file as it is made: the key stream of ChaCha20, with a marker in place of its first bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MadeFile {
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Its length in bytes.
    pub length: u64,
    /// Key of the ChaCha20 stream; its nonce and first block number are zero.
    pub stream: Digest,
    /// What stands in place of the first bytes; empty if the file is shorter than the marker.
    pub head: String,
}

impl MadeFile {
    /// Describes a file, and computes its digest piece by piece.
    #[must_use]
    pub fn new(stream: [u8; 32], marker: &str, length: u64) -> Self {
        let head = if length >= marker.len() as u64 { marker.to_owned() } else { String::new() };
        let mut made = Self { sha256: Digest([0; 32]), length, stream: Digest(stream), head };
        let mut hash = Sha256::new();
        made.pieces(|piece| hash.update(piece));
        made.sha256 = Digest(hash.finalize().into());
        made
    }

    /// The whole file. The vector has room for `spare` bytes more, so that it can be encrypted where it lies.
    ///
    /// `None` if the length is none that a machine could hold.
    #[must_use]
    pub fn whole(&self, spare: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(self.length).ok()?.checked_add(spare)?).ok()?;
        self.pieces(|piece| bytes.extend_from_slice(piece));
        Some(bytes)
    }

    /// `N` bytes from a position on that is a multiple of 4; zeros past the end of what the stream has.
    #[must_use]
    pub fn at<const N: usize>(&self, position: u64) -> [u8; N] {
        let mut rng = self.rng();
        rng.set_word_pos(u128::from(position / 4));
        let mut bytes = [0; N];
        rng.fill_bytes(&mut bytes);
        let head = self.head.as_bytes().get(usize::try_from(position).unwrap_or(usize::MAX)..).unwrap_or_default();
        bytes.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// The file in order, in pieces.
    fn pieces(&self, mut take: impl FnMut(&[u8])) {
        let mut rng = self.rng();
        let mut buffer = vec![0; CHUNK];
        let mut done = 0;
        while done < self.length {
            let count = usize::try_from(self.length - done).map_or(CHUNK, |left| left.min(CHUNK));
            let Some(piece) = buffer.get_mut(..count) else { return };
            rng.fill_bytes(piece);
            if done == 0 {
                piece.iter_mut().zip(self.head.bytes()).for_each(|(to, from)| *to = from);
            }
            take(piece);
            done += count as u64;
        }
    }

    fn rng(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.stream.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_whole_and_in_pieces() {
        for length in [0, 1, 15, 16, 31, 32, 65_535, 65_536, 65_537, 200_000] {
            let made = MadeFile::new([3; 32], "canary-0123456789", length);
            let whole = made.whole(48).unwrap();
            assert_eq!((whole.len() as u64, made.sha256), (length, Digest::of(&whole)));
            assert_eq!(whole.starts_with(b"canary-0123456789"), length >= 17);
            for position in (0..whole.len().saturating_sub(32)).step_by(4096) {
                assert_eq!(made.at::<32>(position as u64)[..], whole[position..position + 32], "{length}, {position}");
            }
        }
    }

    #[test]
    fn a_length_that_nobody_could_hold_is_no_file() {
        let made = MadeFile { length: u64::MAX, ..MadeFile::new([3; 32], "", 0) };
        assert_eq!(made.whole(48), None);
        assert_ne!(made.at::<32>(u64::MAX - 3), [0; 32]);
    }
}
