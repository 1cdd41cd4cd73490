//! Points on the curve that no key may be.

use libsignal_protocol::PublicKey;

/// Whether every agreement with this key gives zero (RFC 7748, section 6.1). libsignal accepts such keys: it asks neither here nor
/// in `process_prekey_bundle`, and a session made with one holds less secret than it should.
pub(crate) fn is_low_order(key: &PublicKey) -> bool {
    let Some(mut u) = key.public_key_bytes().first_chunk::<32>().copied() else { return true };
    // X25519 masks the top bit.
    u[31] &= 0x7f;
    // The points of order 1, 2, 4 and 8, with the second spellings of 0 and 1 (the list of small-order points at
    // <https://cr.yp.to/ecdh.html>). Comparing costs nothing beside an agreement, and each message brings a key.
    let small = |first: u8, filling: u8, last: u8| u[0] == first && u[31] == last && u[1..31].iter().all(|byte| *byte == filling);
    small(0, 0, 0)
        || small(1, 0, 0)
        || (0xec..=0xee).any(|first| small(first, 0xff, 0x7f))
        || u == *b"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00"
        || u == *b"\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57"
}

#[cfg(test)]
mod tests {
    use super::*;
    use libsignal_protocol::PrivateKey;
    use proptest::prelude::*;

    /// Any scalar will do: clamping makes each a multiple of the cofactor.
    fn agrees_on_nothing(key: &PublicKey) -> bool {
        let any = PrivateKey::deserialize(&[0x42; 32]).unwrap();
        any.calculate_agreement(key).unwrap().iter().all(|byte| *byte == 0)
    }

    fn as_the_agreement_says(u: [u8; 32]) {
        let key = PublicKey::from_djb_public_key_bytes(&u).unwrap();
        assert_eq!(is_low_order(&key), agrees_on_nothing(&key), "{u:02x?}");
    }

    #[test]
    fn small_order_points_are_those_that_agree_on_nothing() {
        for (filling, last) in [(0, 0), (0, 0x80), (0xff, 0x7f), (0xff, 0xff)] {
            for first in 0..=255 {
                let mut u = [filling; 32];
                (u[0], u[31]) = (first, last);
                as_the_agreement_says(u);
            }
        }
        let order_8 = [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ];
        for digits in order_8 {
            let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
            let u: [u8; 32] = std::array::from_fn(byte);
            assert!(is_low_order(&PublicKey::from_djb_public_key_bytes(&u).unwrap()));
            as_the_agreement_says(u);
        }
    }

    proptest! {
        #[test]
        fn any_point_is_judged_as_the_agreement_judges_it(u in any::<[u8; 32]>()) {
            as_the_agreement_says(u);
        }
    }
}
