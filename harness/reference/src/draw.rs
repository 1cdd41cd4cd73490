//! Randomness: one generator for each operation of each user, never a stream that two operations share.
//!
//! The key of a generator is SHA-256 over four parts: the seed of the instance, the name of the scenario, the name of the user, and
//! the number of the operation (8 bytes, big-endian). Each part is preceded by its length as 8 big-endian bytes, so that no two
//! different lists of parts are the same string. The generator is ChaCha20 with that key, from the start of its stream.

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest as _, Sha256};

/// The generators of one user: what their keys have in common is hashed once.
#[derive(Clone, Debug)]
pub struct Draws(Sha256);

impl Draws {
    /// The draws of a user of one instance.
    #[must_use]
    pub fn new(seed: &[u8; 32], scenario: &str, name: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [seed.as_slice(), scenario.as_bytes(), name.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash)
    }

    /// The generator for one operation.
    #[must_use]
    pub fn generator(&self, operation: u64) -> ChaCha20Rng {
        let number = operation.to_be_bytes();
        let mut hash = self.0.clone();
        hash.update((number.len() as u64).to_be_bytes());
        hash.update(number);
        ChaCha20Rng::from_seed(hash.finalize().into())
    }
}

/// The generator for one operation.
#[must_use]
pub fn generator(seed: &[u8; 32], scenario: &str, name: &str, operation: u64) -> ChaCha20Rng {
    Draws::new(seed, scenario, name).generator(operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore as _;
    use std::collections::BTreeSet;

    #[test]
    fn every_part_matters_and_no_boundary_can_be_moved() {
        let mut first_draws = BTreeSet::new();
        for (seed, scenario, name, operation) in [
            ([0; 32], "ab", "c", 1),
            ([1; 32], "ab", "c", 1),
            ([0; 32], "a", "bc", 1),
            ([0; 32], "ab", "c", 2),
            ([0; 32], "abc", "", 1),
        ] {
            assert!(first_draws.insert(generator(&seed, scenario, name, operation).next_u64()));
            assert!(first_draws.contains(&generator(&seed, scenario, name, operation).next_u64()));
        }
    }
}
