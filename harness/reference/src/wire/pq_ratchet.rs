//! The message of the post-quantum ratchet inside field 5: version, epoch, index, kind, and for most kinds a chunk.
//!
//! libsignal reads this before the MAC can be checked, since the message key depends on it, and its reader (v0.85.3) is not safe
//! to call with any bytes: it panics on a message that ends before its kind, on an epoch of 0 and on an overlong number where
//! arithmetic is checked. So a receiver that is to survive a hostile peer reads it first.

use super::protobuf::read_number;

/// The version that this format has.
const VERSION: u8 = 1;
/// The highest kind.
const LAST_KIND: u8 = 6;
/// Length of a chunk's data in bytes.
const CHUNK_BYTES: usize = 32;
/// A number of 64 bits takes no more than this many bytes.
const LONGEST_NUMBER: usize = 10;

/// A message of the post-quantum ratchet, as far as it is in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PqRatchet {
    /// Epoch of the key exchange that the message belongs to, from 1.
    pub epoch: u64,
    /// Number of the message in its epoch's chain.
    pub index: u32,
    /// What it carries: 0 nothing, 1 header, 2 encapsulation key, 3 the same with an acknowledgement, 4 acknowledgement,
    /// 5 first and 6 second part of the ciphertext.
    pub kind: u8,
    /// Number of the chunk, for the kinds that carry one.
    pub chunk: Option<u16>,
}

/// Bytes that are no message of the post-quantum ratchet, although they state its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the post-quantum ratchet's message has no proper form")]
pub struct BadPqRatchet;

impl PqRatchet {
    /// Reads the message; `None` if it is empty or states another version: a receiver does not look at it then.
    ///
    /// # Errors
    /// [`BadPqRatchet`] for anything that the format does not allow. More bytes at its end are allowed.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, BadPqRatchet> {
        if bytes.first() != Some(&VERSION) {
            return Ok(None);
        }
        let mut at = 1;
        let epoch = number(bytes, &mut at)?;
        let index = u32::try_from(number(bytes, &mut at)?).map_err(|_| BadPqRatchet)?;
        let kind = *bytes.get(at).filter(|kind| **kind <= LAST_KIND).ok_or(BadPqRatchet)?;
        at += 1;
        let chunk = match kind {
            0 | 4 => None,
            _ => {
                let chunk = u16::try_from(number(bytes, &mut at)?).map_err(|_| BadPqRatchet)?;
                bytes.get(at..).filter(|rest| rest.len() >= CHUNK_BYTES).ok_or(BadPqRatchet)?;
                Some(chunk)
            }
        };
        if epoch == 0 {
            return Err(BadPqRatchet);
        }
        Ok(Some(Self { epoch, index, kind, chunk }))
    }
}

fn number(bytes: &[u8], at: &mut usize) -> Result<u64, BadPqRatchet> {
    let start = *at;
    let value = read_number(bytes, at, start).map_err(|_| BadPqRatchet)?;
    if *at - start > LONGEST_NUMBER { Err(BadPqRatchet) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(PqRatchet::read(&[]), Ok(None));
        assert_eq!(PqRatchet::read(&[0, 1, 2]), Ok(None));
        assert_eq!(PqRatchet::read(&[1, 1, 0, 0]), Ok(Some(PqRatchet { epoch: 1, index: 0, kind: 0, chunk: None })));
        let chunk = [&[1, 0x80, 1, 3, 5, 7][..], &[9; 32]].concat();
        assert_eq!(PqRatchet::read(&chunk), Ok(Some(PqRatchet { epoch: 128, index: 3, kind: 5, chunk: Some(7) })));
        for bad in [&[1][..], &[1, 1], &[1, 1, 0], &[1, 0, 0, 0], &[1, 1, 0, 7], &[1, 1, 0, 1, 0], &chunk[..chunk.len() - 1]] {
            assert_eq!(PqRatchet::read(bad), Err(BadPqRatchet), "{bad:?}");
        }
        assert_eq!(PqRatchet::read(&[&[1][..], &[0x80; 30], &[0; 40]].concat()), Err(BadPqRatchet));
    }
}
