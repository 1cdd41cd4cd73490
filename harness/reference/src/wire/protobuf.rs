//! The little of protobuf that is needed to find fields and to write one anew while all other bytes stay as they are.

use std::ops::Range;

/// More fields than any message of ours has; a message with more is refused.
const MOST_FIELDS: usize = 64;
/// As many as a whole message has, so that room for them is made once.
const USUAL_FIELDS: usize = 8;

/// What is wrong with a protobuf, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// It ends inside a field.
    #[error("ends inside a field that begins at byte {0}")]
    Truncated(usize),
    /// A number of more than 64 bits.
    #[error("a number of more than 64 bits at byte {0}")]
    LongNumber(usize),
    /// A field number or wire type that protobuf does not have, or a group.
    #[error("no field can begin as the one at byte {0} does")]
    BadTag(usize),
    /// Too many fields.
    #[error("more than {MOST_FIELDS} fields")]
    TooMany,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    /// Where the bytes stand, without their length.
    Bytes(Range<usize>),
    /// Four or eight bytes of fixed width, which no field of ours has.
    Fixed,
}

/// One field as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    /// From the tag to the end of the value.
    pub(crate) whole: Range<usize>,
    /// The tag alone.
    pub(super) tag: Range<usize>,
    pub(crate) value: Value,
}

/// Finds all fields, in their order.
pub(crate) fn walk(bytes: &[u8]) -> Result<Vec<Entry>, ProtobufError> {
    let mut entries = Vec::with_capacity(USUAL_FIELDS);
    let mut at = 0;
    while at < bytes.len() {
        if entries.len() == MOST_FIELDS {
            return Err(ProtobufError::TooMany);
        }
        let start = at;
        let tag = read_number(bytes, &mut at, start)?;
        let number = u32::try_from(tag >> 3).ok().filter(|n| (1..1 << 29).contains(n)).ok_or(ProtobufError::BadTag(start))?;
        let tag_end = at;
        let value = match tag & 7 {
            0 => Value::Number(read_number(bytes, &mut at, start)?),
            1 => skip(bytes, &mut at, 8, start).map(|_| Value::Fixed)?,
            2 => {
                let length = read_number(bytes, &mut at, start)?;
                Value::Bytes(skip(bytes, &mut at, length, start)?)
            }
            5 => skip(bytes, &mut at, 4, start).map(|_| Value::Fixed)?,
            _ => return Err(ProtobufError::BadTag(start)),
        };
        entries.push(Entry { number, whole: start..at, tag: start..tag_end, value });
    }
    Ok(entries)
}

fn skip(bytes: &[u8], at: &mut usize, length: u64, start: usize) -> Result<Range<usize>, ProtobufError> {
    let end = usize::try_from(length).ok().and_then(|length| at.checked_add(length)).filter(|end| *end <= bytes.len());
    let end = end.ok_or(ProtobufError::Truncated(start))?;
    let range = *at..end;
    *at = end;
    Ok(range)
}

pub(super) fn read_number(bytes: &[u8], at: &mut usize, start: usize) -> Result<u64, ProtobufError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or(ProtobufError::Truncated(start))?;
        *at += 1;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(ProtobufError::LongNumber(start));
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ProtobufError::LongNumber(start))
}

/// Writes a field of bytes.
pub(crate) fn write_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    write_number(out, u64::from(number) << 3 | 2);
    write_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes a number in its shortest form.
pub(super) fn write_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_survives(value in any::<u64>()) {
            let mut bytes = Vec::new();
            write_number(&mut bytes, value);
            let mut at = 0;
            prop_assert_eq!(read_number(&bytes, &mut at, 0), Ok(value));
            prop_assert_eq!(at, bytes.len());
        }

        #[test]
        fn fields_cover_any_bytes_without_gap_or_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(entries) = walk(&bytes) {
                let mut at = 0;
                for entry in entries {
                    prop_assert_eq!(entry.whole.start, at);
                    at = entry.whole.end;
                }
                prop_assert_eq!(at, bytes.len());
            }
        }
    }

    #[test]
    fn broken_ones_are_refused() {
        assert_eq!(walk(&[0x0a, 5, 1]), Err(ProtobufError::Truncated(0)));
        assert_eq!(walk(&[0x08]), Err(ProtobufError::Truncated(0)));
        assert_eq!(walk(&[0x00, 0]), Err(ProtobufError::BadTag(0)));
        assert_eq!(walk(&[0x0b]), Err(ProtobufError::BadTag(0)));
        assert_eq!(
            walk(&[0x08, 1, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            Err(ProtobufError::Truncated(2))
        );
        assert_eq!(walk(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), Err(ProtobufError::LongNumber(0)));
        assert_eq!(walk(&[0x08, 1].repeat(65)), Err(ProtobufError::TooMany));
        assert_eq!(walk(&[0x08, 1].repeat(64)).unwrap().len(), 64);
    }
}
