//! Everything random that is not a reference user's own: ids, keys of files, bytes of files, canaries. Each from a digest over
//! the seed and what it is for, never from a shared stream.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A digest over the seed and labels, each preceded by its length.
pub(crate) fn digest(seed: &[u8; 32], labels: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"countersign derive");
    hash.update(seed);
    for label in labels {
        hash.update((label.len() as u64).to_be_bytes());
        hash.update(label.as_bytes());
    }
    hash.finalize().into()
}

/// A stream of its own for these labels.
pub(crate) fn rng(seed: &[u8; 32], labels: &[&str]) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(digest(seed, labels))
}

/// A UUID of version 4 for these labels.
pub(crate) fn uuid(seed: &[u8; 32], labels: &[&str]) -> Uuid {
    let mut bytes = [0; 16];
    rng(seed, labels).fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The name of a user for these labels. A byte of it is zero if that is asked for, and none otherwise: code that takes a name for a
/// text that ends at its first zero byte then fails where it is looked for, and not in one execution out of nineteen.
pub(crate) fn user(seed: &[u8; 32], name: &str, zero_byte: bool) -> Uuid {
    let mut bytes = [0; 16];
    let mut stream = rng(seed, &["user", name]);
    stream.fill_bytes(&mut bytes);
    for byte in &mut bytes {
        while *byte == 0 {
            *byte = stream.next_u32().to_le_bytes()[0];
        }
    }
    if zero_byte {
        // Neither at the beginning, nor where version and variant stand.
        bytes[4] = 0;
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// A marker that does not occur by chance.
pub(crate) fn canary(seed: &[u8; 32], label: &str) -> String {
    let hex: String = digest(seed, &["canary", label]).iter().take(12).map(|b| format!("{b:02x}")).collect();
    format!("canary-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_zero_byte_exactly_if_it_is_to_have_one() {
        for number in 0..2000_u16 {
            let seed = digest(&[7; 32], &[&number.to_string()]);
            assert!(!user(&seed, "alice", false).as_bytes().contains(&0));
            let name = user(&seed, "alice", true);
            assert_eq!(name.as_bytes().iter().position(|byte| *byte == 0), Some(4));
            assert_eq!(name.get_version_num(), 4);
        }
    }
}
