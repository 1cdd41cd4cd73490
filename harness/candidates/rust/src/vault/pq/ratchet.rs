//! Whether the message of the post-quantum ratchet inside a libsignal message can be read at all.
//!
//! libsignal reads it before it can check the MAC, since the message key depends on it; v0.85.3 panics on one that ends before its
//! kind, on an epoch of 0 and on a number of too many bytes. A peer must not be able to do that to us.

/// The version that this format has. libsignal does not look at a message that states another.
const VERSION: u8 = 1;
/// The kinds without a chunk: nothing, and an acknowledgement.
const WITHOUT_CHUNK: [u8; 2] = [0, 4];
/// The highest kind.
const LAST_KIND: u8 = 6;
/// Length of a chunk's data in bytes.
const CHUNK_BYTES: usize = 32;
/// Most bytes of a number of 64 bits, 7 in each.
const LONGEST_NUMBER: u32 = 10;

/// Whether libsignal may be given this field 5: it is empty, states another version, or has the form that its version says. More
/// bytes at its end are allowed, as libsignal allows them.
pub(super) fn is_safe_to_read(field: &[u8]) -> bool {
    match field.split_first() {
        Some((&VERSION, rest)) => has_form(rest).is_some(),
        _ => true,
    }
}

/// Whether this field 5 is of the version that there is: to any other libsignal speaks without the post-quantum ratchet from then on.
pub(super) fn is_of_version(field: &[u8]) -> bool {
    field.first() == Some(&VERSION)
}

/// Epoch, index, kind and for most kinds a numbered chunk.
fn has_form(bytes: &[u8]) -> Option<()> {
    let (epoch, rest) = number(bytes)?;
    let (index, rest) = number(rest)?;
    let (kind, rest) = rest.split_first()?;
    if epoch == 0 || u32::try_from(index).is_err() || *kind > LAST_KIND {
        return None;
    }
    if !WITHOUT_CHUNK.contains(kind) {
        let (chunk, data) = number(rest)?;
        u16::try_from(chunk).ok()?;
        data.get(..CHUNK_BYTES)?;
    }
    Some(())
}

/// A number, seven bits a byte from the lowest, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut rest = bytes;
    for place in 0..LONGEST_NUMBER {
        let (byte, after) = rest.split_first()?;
        rest = after;
        let bits = u64::from(byte & 0x7f);
        let shifted = bits.checked_shl(7 * place).filter(|shifted| shifted >> (7 * place) == bits)?;
        value |= shifted;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_form_goes_to_libsignal() {
        let chunk = [&[1, 0x80, 1, 3, 5, 7][..], &[9; 32]].concat();
        let longest = [&[1][..], &[0xff; 9], &[1, 0, 0]].concat();
        for good in [&[][..], &[0, 1, 2], &[2], &[1, 1, 0, 0], &[1, 1, 0, 4], &[1, 1, 0, 0, 99], &chunk, &longest] {
            assert!(is_safe_to_read(good), "{good:?}");
        }
        let endless = [&[1][..], &[0x80; 30], &[0; 40]].concat();
        let too_large = [&[1][..], &[0xff; 9], &[2, 0, 0]].concat();
        let far_index = [1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0];
        let short = &chunk[..chunk.len() - 1];
        for bad in [
            &[1][..],
            &[1, 1],
            &[1, 1, 0],
            &[1, 0, 0, 0],
            &[1, 1, 0, 7],
            &[1, 1, 0, 1, 0],
            short,
            &endless,
            &too_large,
            &far_index,
        ] {
            assert!(!is_safe_to_read(bad), "{bad:?}");
        }
    }

    #[test]
    fn no_session_begins_with_another_version() {
        assert!(is_of_version(&[1, 1, 0, 0]));
        for other in [&[][..], &[0, 1, 0, 0], &[2, 1, 0, 0]] {
            assert!(!is_of_version(other), "{other:?}");
        }
    }
}
