//! The outer fields of libsignal messages, read without libsignal: field numbers and lengths only, no cryptography.
//!
//! Formats (Signal's `wire.proto` and the serialisation of its post-quantum ratchet): a `SignalMessage` is a version byte, a
//! protobuf and an 8-byte MAC; a `PreKeySignalMessage` a version byte and a protobuf whose field 4 is a whole `SignalMessage`.
//! The high nibble of the version byte is the message version. Field 5 of a `SignalMessage` begins with a version byte, the
//! epoch and the index, both as varints.

/// Bytes of the MAC at the end of a `SignalMessage`.
const MAC_BYTES: usize = 8;

/// The fields of a `SignalMessage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signal<'a> {
    /// High nibble of the version byte.
    pub(crate) version: u8,
    /// Low nibble: the newest version that the sender knows.
    pub(crate) newest: u8,
    pub(crate) ratchet_key: &'a [u8],
    pub(crate) counter: u32,
    pub(crate) ciphertext: &'a [u8],
    /// The post-quantum ratchet's part; empty if it is missing.
    pub(crate) pq_ratchet: &'a [u8],
    /// Numbers of fields that the suite does not know.
    pub(crate) unknown: Vec<u32>,
}

/// The fields of a `PreKeySignalMessage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prekey<'a> {
    /// High nibble of the version byte.
    pub(crate) version: u8,
    /// Low nibble: the newest version that the sender knows.
    pub(crate) newest: u8,
    pub(crate) prekey_id: Option<u32>,
    pub(crate) base_key: &'a [u8],
    pub(crate) identity_key: &'a [u8],
    /// Whether it names a Kyber prekey.
    pub(crate) names_kyber: bool,
    /// Which, if the id is one.
    pub(crate) kyber_prekey_id: Option<u32>,
    pub(crate) kyber_ciphertext: &'a [u8],
    pub(crate) message: Signal<'a>,
    /// Numbers of fields that the suite does not know.
    pub(crate) unknown: Vec<u32>,
}

/// The value of one field of a protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// Reads a varint; `None` if it is cut off or longer than ten bytes.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut out = 0_u64;
    for shift in (0..70).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        out |= u64::from(first & 0x7f).checked_shl(shift).unwrap_or(0);
        if first & 0x80 == 0 {
            return Some(out);
        }
    }
    None
}

/// Takes that many bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// Reads the next field; `None` at a malformed one.
fn field<'a>(bytes: &mut &'a [u8]) -> Option<(u32, Value<'a>)> {
    let key = varint(bytes)?;
    let number = u32::try_from(key >> 3).ok().filter(|n| *n > 0)?;
    let value = match key & 7 {
        0 => Value::Number(varint(bytes)?),
        1 => take(bytes, 8).map(|_| Value::Fixed)?,
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Value::Bytes(take(bytes, length)?)
        }
        5 => take(bytes, 4).map(|_| Value::Fixed)?,
        _ => return None,
    };
    Some((number, value))
}

/// All fields, in order; `None` if any is malformed.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u32, Value<'_>)>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        out.push(field(&mut bytes)?);
    }
    Some(out)
}

/// The value of a field that stands more than once is its last one, as protobuf has it.
fn bytes_of<'a>(fields: &[(u32, Value<'a>)], number: u32) -> Option<&'a [u8]> {
    fields.iter().rev().find_map(|(n, v)| match v {
        Value::Bytes(bytes) if *n == number => Some(*bytes),
        _ => None,
    })
}

fn number_of(fields: &[(u32, Value<'_>)], number: u32) -> Option<u32> {
    fields.iter().rev().find_map(|(n, v)| match v {
        Value::Number(value) if *n == number => u32::try_from(*value).ok(),
        _ => None,
    })
}

/// Fields that are not among the first `known`, that stand twice, or that have the wrong type.
fn unknown(fields: &[(u32, Value<'_>)], known: u32, numbers: &[u32]) -> Vec<u32> {
    let mut seen = Vec::new();
    let mut out = Vec::new();
    for (number, value) in fields {
        let fits = match value {
            Value::Number(_) => numbers.contains(number),
            Value::Bytes(_) => !numbers.contains(number),
            Value::Fixed => false,
        };
        if *number > known || !fits || seen.contains(number) {
            // Bounded, since the candidate chooses how many there are.
            if out.len() < 16 && !out.contains(number) {
                out.push(*number);
            }
        } else {
            seen.push(*number);
        }
    }
    out
}

/// Bytes of the signature at the end of a `SenderKeyMessage`.
const SIGNATURE_BYTES: usize = 64;

/// The fields of a `SenderKeyMessage`: a version byte, a protobuf and a signature of 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SenderKey<'a> {
    /// High nibble of the version byte.
    pub(crate) version: u8,
    pub(crate) distribution: &'a [u8],
    pub(crate) chain: u32,
    pub(crate) iteration: u32,
    pub(crate) ciphertext: &'a [u8],
}

/// Reads a `SenderKeyMessage`.
pub(crate) fn sender_key(bytes: &[u8]) -> Option<SenderKey<'_>> {
    let (version, rest) = bytes.split_first()?;
    let (protobuf, _signature) = rest.split_at_checked(rest.len().checked_sub(SIGNATURE_BYTES)?)?;
    let fields = fields(protobuf)?;
    Some(SenderKey {
        version: version >> 4,
        distribution: bytes_of(&fields, 1).filter(|id| id.len() == 16)?,
        chain: number_of(&fields, 2)?,
        iteration: number_of(&fields, 3)?,
        ciphertext: bytes_of(&fields, 4)?,
    })
}

/// Reads a `SignalMessage`.
pub(crate) fn signal(bytes: &[u8]) -> Option<Signal<'_>> {
    let (version, rest) = bytes.split_first()?;
    let (protobuf, _mac) = rest.split_at_checked(rest.len().checked_sub(MAC_BYTES)?)?;
    let fields = fields(protobuf)?;
    Some(Signal {
        version: version >> 4,
        newest: version & 0x0f,
        ratchet_key: bytes_of(&fields, 1)?,
        counter: number_of(&fields, 2)?,
        ciphertext: bytes_of(&fields, 4)?,
        pq_ratchet: bytes_of(&fields, 5).unwrap_or_default(),
        unknown: unknown(&fields, 6, &[2, 3]),
    })
}

/// Reads a `PreKeySignalMessage`.
pub(crate) fn prekey(bytes: &[u8]) -> Option<Prekey<'_>> {
    let (version, protobuf) = bytes.split_first()?;
    let fields = fields(protobuf)?;
    Some(Prekey {
        version: version >> 4,
        newest: version & 0x0f,
        prekey_id: number_of(&fields, 1),
        base_key: bytes_of(&fields, 2)?,
        identity_key: bytes_of(&fields, 3)?,
        names_kyber: number_of(&fields, 7).is_some(),
        kyber_prekey_id: number_of(&fields, 7),
        kyber_ciphertext: bytes_of(&fields, 8).unwrap_or_default(),
        message: signal(bytes_of(&fields, 4)?)?,
        unknown: unknown(&fields, 8, &[1, 5, 6, 7]),
    })
}

/// The epoch of the post-quantum ratchet that a message belongs to.
pub(crate) fn epoch(pq_ratchet: &[u8]) -> Option<u64> {
    let (version, mut rest) = pq_ratchet.split_first()?;
    let epoch = varint(&mut rest)?;
    varint(&mut rest)?;
    (*version > 0 && !rest.is_empty()).then_some(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
        out.push(number << 3 | 2);
        let mut length = bytes.len();
        while length >= 0x80 {
            out.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(bytes);
    }

    fn message(ciphertext: &[u8], pq: &[u8]) -> Vec<u8> {
        let mut out = vec![0x44];
        put(&mut out, 1, &[5; 33]);
        out.extend([0x10, 7, 0x18, 0]);
        put(&mut out, 4, ciphertext);
        if !pq.is_empty() {
            put(&mut out, 5, pq);
        }
        out.extend([0; 8]);
        out
    }

    #[test]
    fn fields_are_found() {
        let bytes = message(&[9; 176], &[1, 0x80, 0x01, 3, 0]);
        let read = signal(&bytes).unwrap();
        assert_eq!((read.version, read.counter, read.ciphertext.len(), read.ratchet_key.len()), (4, 7, 176, 33));
        assert_eq!(epoch(read.pq_ratchet), Some(128));
        assert!(read.unknown.is_empty());
        let mut outer = vec![0x44, 0x08, 3];
        put(&mut outer, 2, &[5; 33]);
        put(&mut outer, 3, &[6; 33]);
        put(&mut outer, 4, &bytes);
        put(&mut outer, 9, b"hello");
        let read = prekey(&outer).unwrap();
        assert_eq!((read.prekey_id, read.identity_key, read.unknown.as_slice()), (Some(3), &[6; 33][..], &[9][..]));
        assert_eq!(read.message.counter, 7);
    }

    #[test]
    fn a_missing_post_quantum_part_has_no_epoch() {
        let bytes = message(&[9; 16], &[]);
        assert_eq!(epoch(signal(&bytes).unwrap().pq_ratchet), None);
        assert_eq!(epoch(&[1, 0x80]), None);
        assert_eq!(epoch(&[0, 1, 1, 0]), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (signal(&bytes), prekey(&bytes), epoch(&bytes), sender_key(&bytes));
        }

        #[test]
        fn every_cut_is_read_or_refused(cut in 0usize..300) {
            let bytes = message(&[9; 176], &[1, 1, 1, 0]);
            let cut = cut.min(bytes.len());
            // The MAC is what the end of the bytes is, so that a cut makes the protobuf shorter: it must then be refused.
            prop_assert_eq!(signal(&bytes[..cut]).is_some_and(|m| m.pq_ratchet.len() == 4), cut == bytes.len());
        }
    }
}
