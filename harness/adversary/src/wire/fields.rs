//! The part of protobuf that the messages need (<https://protobuf.dev/programming-guides/encoding/>).

use crate::refusal::Refusal;
use countersign_contract::Reason;

/// The largest number of fields that a message of ours is read with. It has eight at most; a hostile one could have millions.
const MOST_FIELDS: usize = 64;

/// A value to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

/// Fields to be written, in order; a number may stand there twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<(u32, Value)>);

impl Fields {
    pub(crate) fn number(&mut self, tag: u32, number: u32) {
        self.0.push((tag, Value::Number(number.into())));
    }

    pub(crate) fn bytes(&mut self, tag: u32, bytes: &[u8]) {
        self.0.push((tag, Value::Bytes(bytes.to_vec())));
    }

    /// The last value of a field, to be changed.
    pub(crate) fn last_mut(&mut self, tag: u32) -> Option<&mut Value> {
        self.0.iter_mut().rev().find(|(found, _)| *found == tag).map(|(_, value)| value)
    }

    /// Changes the last value of a field, or adds the field in its place.
    pub(crate) fn set(&mut self, tag: u32, value: Value) {
        if let Some(last) = self.last_mut(tag) {
            *last = value;
            return;
        }
        let place = self.0.iter().position(|(found, _)| *found > tag).unwrap_or(self.0.len());
        self.0.insert(place, (tag, value));
    }

    pub(crate) fn remove(&mut self, tag: u32) {
        self.0.retain(|(found, _)| *found != tag);
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for (tag, value) in &self.0 {
            match value {
                Value::Number(number) => {
                    varint(u64::from(*tag) << 3, out);
                    varint(*number, out);
                }
                Value::Bytes(bytes) => {
                    varint(u64::from(*tag) << 3 | 2, out);
                    varint(bytes.len() as u64, out);
                    out.extend_from_slice(bytes);
                }
            }
        }
    }
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A value that was read.
#[derive(Clone, Copy)]
enum Found<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// Fields that were read. Of a field that stands there twice, the last value counts, as protobuf has it.
pub(crate) struct Read<'a>(Vec<(u32, Found<'a>)>);

impl<'a> Read<'a> {
    /// # Errors
    /// `malformed` for what is no protobuf, for groups, and for more fields than any message has.
    pub(crate) fn new(mut bytes: &'a [u8], what: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::new(Reason::Malformed, format!("{what}: the protobuf cannot be read"));
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = take_varint(&mut bytes).ok_or_else(malformed)?;
            let tag = u32::try_from(key >> 3).ok().filter(|tag| *tag != 0).ok_or_else(malformed)?;
            let value = match key & 7 {
                0 => take_varint(&mut bytes).map(Found::Number),
                1 => take(&mut bytes, 8).map(|_| Found::Fixed),
                2 => take_varint(&mut bytes).and_then(|length| take(&mut bytes, usize::try_from(length).ok()?)).map(Found::Bytes),
                5 => take(&mut bytes, 4).map(|_| Found::Fixed),
                _ => None,
            };
            fields.push((tag, value.ok_or_else(malformed)?));
            if fields.len() > MOST_FIELDS {
                return Err(Refusal::new(Reason::Malformed, format!("{what}: over {MOST_FIELDS} fields")));
            }
        }
        Ok(Self(fields))
    }

    fn last(&self, tag: u32) -> Option<Found<'a>> {
        self.0.iter().rev().find(|(found, _)| *found == tag).map(|(_, value)| *value)
    }

    /// # Errors
    /// `malformed` for anything but a number of 32 bits.
    pub(crate) fn number(&self, tag: u32, what: &str) -> Result<Option<u32>, Refusal> {
        match self.last(tag) {
            None => Ok(None),
            Some(Found::Number(number)) => u32::try_from(number).map(Some).map_err(|_| wrong_kind(what)),
            Some(_) => Err(wrong_kind(what)),
        }
    }

    /// # Errors
    /// `malformed` for anything but bytes.
    pub(crate) fn bytes(&self, tag: u32, what: &str) -> Result<Option<&'a [u8]>, Refusal> {
        match self.last(tag) {
            None => Ok(None),
            Some(Found::Bytes(bytes)) => Ok(Some(bytes)),
            Some(_) => Err(wrong_kind(what)),
        }
    }
}

fn wrong_kind(what: &str) -> Refusal {
    Refusal::new(Reason::Malformed, format!("{what}: a value of the wrong kind"))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (first, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(first)
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(bytes, 1)?.first()?;
        // The tenth byte has room for one bit.
        if shift == 63 && byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(fields in proptest::collection::vec((1..40_u32, any::<Option<u32>>(), any::<Vec<u8>>()), 0..20)) {
            let mut written = Fields::default();
            for (tag, number, bytes) in &fields {
                match number {
                    Some(number) => written.number(*tag, *number),
                    None => written.bytes(*tag, bytes),
                }
            }
            let mut out = Vec::new();
            written.write(&mut out);
            let read = Read::new(&out, "it").unwrap();
            for (tag, _, _) in &fields {
                let (_, number, bytes) = fields.iter().rev().find(|(t, ..)| t == tag).unwrap();
                match number {
                    Some(number) => prop_assert_eq!(read.number(*tag, "it").unwrap(), Some(*number)),
                    None => prop_assert_eq!(read.bytes(*tag, "it").unwrap(), Some(&bytes[..])),
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            drop(Read::new(&bytes, "it"));
        }
    }

    #[test]
    fn numbers_keep_to_32_bits_and_lists_to_a_length() {
        let mut out = Vec::new();
        Fields(vec![(1, Value::Number(1 << 32))]).write(&mut out);
        assert!(Read::new(&out, "it").unwrap().number(1, "it").is_err());
        let mut out = Vec::new();
        Fields(vec![(1, Value::Number(1)); MOST_FIELDS + 1]).write(&mut out);
        assert!(Read::new(&out, "it").is_err());
    }
}
