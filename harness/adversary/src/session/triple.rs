//! The post-quantum half of the Triple Ratchet. All of it is Signal's own crate; here it is kept from bytes that would end the run.

use super::Session;
use crate::refusal::Refusal;
use crate::secret::SecretBytes;
use countersign_contract::Reason;
use rand::{CryptoRng, Rng};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The version that the format of field 5 has.
const VERSION: u8 = 1;
/// The highest kind of message in it.
const LAST_KIND: u8 = 6;
/// The kinds without a chunk.
const WITHOUT_CHUNK: [u8; 2] = [0, 4];
/// Length of a chunk's data in bytes.
const CHUNK_BYTES: usize = 32;

impl Session {
    /// What goes into field 5, and the key that salts the message's keys.
    pub(super) fn send_spqr<R: Rng + CryptoRng>(&mut self, rng: &mut R) -> Result<(Vec<u8>, Option<Vec<u8>>), Refusal> {
        if !self.profile.has_spqr() {
            return Ok((Vec::new(), None));
        }
        let sent = spqr::send(self.spqr.as_vec(), rng).map_err(|error| Refusal::new(Reason::Internal, error))?;
        self.spqr = SecretBytes::new(sent.state);
        Ok((sent.msg, sent.key))
    }

    /// The key that salts the message's keys.
    pub(super) fn receive_spqr(&mut self, message: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        // A party of the profile without it ignores what stands in field 5, as code from before that field does.
        if !self.profile.has_spqr() {
            return Ok(None);
        }
        let refused = |detail: &dyn std::fmt::Display| Refusal::new(Reason::BadMac, format!("post-quantum ratchet: {detail}"));
        if !is_safe(message) {
            return Err(refused(&"the message has no proper form"));
        }
        // What is refused above is all that is known to make the crate panic. It is given a copy, so nothing is left half done.
        let received = catch_unwind(AssertUnwindSafe(|| spqr::recv(self.spqr.as_vec(), &message.to_vec())));
        let received = received.map_err(|_| refused(&"the library panicked"))?.map_err(|error| refused(&error))?;
        self.spqr = SecretBytes::new(received.state);
        Ok(received.key)
    }
}

/// Whether the crate's reader (v0.85.3) can be called with a message: version, epoch from 1, index, kind, and for most kinds the
/// number of a chunk and the chunk. Other versions it does not look into.
fn is_safe(message: &[u8]) -> bool {
    let Some((&VERSION, mut rest)) = message.split_first() else { return true };
    let safe = |rest: &mut &[u8]| {
        let epoch = number(rest)?;
        u32::try_from(number(rest)?).ok()?;
        let (kind, data) = rest.split_first()?;
        *rest = data;
        if !WITHOUT_CHUNK.contains(kind) {
            u16::try_from(number(rest)?).ok()?;
            rest.get(..CHUNK_BYTES)?;
        }
        Some(epoch > 0 && *kind <= LAST_KIND)
    };
    safe(&mut rest).unwrap_or(false)
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let chunk = [&[1, 0x80, 1, 3, 5, 7][..], &[9; 32]].concat();
        for safe in [&[][..], &[0, 1, 2], &[2], &[1, 1, 0, 0], &[1, 1, 0, 4], &chunk] {
            assert!(is_safe(safe), "{safe:?}");
        }
        for bad in [&[1][..], &[1, 1], &[1, 1, 0], &[1, 0, 0, 0], &[1, 1, 0, 7], &[1, 1, 0, 1, 0], &chunk[..chunk.len() - 1]] {
            assert!(!is_safe(bad), "{bad:?}");
        }
        assert!(!is_safe(&[&[1][..], &[0x80; 30], &[0; 40]].concat()));
    }
}
