//! Edits of bytes that no field of a name stands for: a protobuf as it is written, and what is inside a message before it is
//! encrypted.
//!
//! An edit looks at a protobuf as a list of raw fields, so that it can make what no encoder makes: numbers in more bytes than they
//! need, lengths that do not fit, fields of the wrong kind or many times over. What stands around an edited field is written anew, so
//! that exactly one thing is wrong. All of it is made before the message is encrypted and authenticated.

use super::{Alteration, Part};
use crate::refusal::Refusal;
use countersign_contract::{Bytes, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most bytes that one edit makes of a few, and most copies of a field.
const MOST_MADE: u32 = 256 * 1024;
/// Most bytes of a number of 64 bits, as protobuf has it.
const LONGEST_NUMBER: usize = 10;
/// How deep fields are looked for.
const DEEPEST: usize = 8;

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Edit {
    /// Of which part.
    pub part: Part,
    /// Which field of it, by the numbers from the outside in: `[10, 1]` is field 1 of what field 10 holds. Of several with one number
    /// it is the last. None for the part as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<u32>,
    /// What is done to it.
    pub how: How,
}

/// What is done to a field, or to a part as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum How {
    /// These bytes stand in it.
    Bytes(Bytes),
    /// So many times this byte stands in it.
    Fill(Fill),
    /// Bytes are added to what stands in it.
    Append(Bytes),
    /// So many times this byte is added to what stands in it.
    AppendFill(Fill),
    /// Only so many bytes of what stands in it are kept.
    Truncate(u32),
    /// One bit of what stands in it is flipped: 0 is the lowest of the first byte.
    Flip(u32),
    /// A field alone: this number stands in it.
    Number(u64),
    /// A field alone: it is left out.
    Remove,
    /// A field alone: it stands there so many times more.
    Repeat(u32),
    /// A field alone: these bytes stand in place of all of it, key and length included.
    Raw(Bytes),
    /// A field alone: these bytes stand before it.
    Before(Bytes),
    /// A field alone: its key says that it is of this kind, 0 to 7, and nothing else of it changes.
    WireType(u8),
    /// A field of bytes alone: it says that it has this length.
    Length(u64),
    /// A field alone: the number in it, or the length of the bytes in it, is written in so many bytes more than it needs.
    Redundant(u8),
    /// A field alone: the same for its key.
    RedundantKey(u8),
}

/// A byte, many times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// Which byte.
    pub byte: u8,
    /// How many times, 262,144 at most.
    pub times: u32,
}

/// The bytes of a part after all edits of it in a list, each applied to what the one before it left.
///
/// # Errors
/// `unsupported` for an edit that cannot be made.
pub fn edited(part: Part, alterations: &[Alteration], bytes: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    let edits = alterations.iter().filter_map(|alteration| match alteration {
        Alteration::Edit(edit) if edit.part == part => Some(edit),
        _ => None,
    });
    edits.into_iter().try_fold(bytes, |bytes, edit| edit.apply(&bytes))
}

/// Whether a list edits a part.
#[must_use]
pub fn edits(part: Part, alterations: &[Alteration]) -> bool {
    alterations.iter().any(|alteration| matches!(alteration, Alteration::Edit(edit) if edit.part == part))
}

impl Edit {
    fn apply(&self, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        if !self.field.is_empty() && !self.part.has_fields() {
            return Err(impossible(format_args!("{} has no fields", self.part.words())));
        }
        if self.field.len() > DEEPEST {
            return Err(impossible(format_args!("fields are looked for {DEEPEST} deep")));
        }
        within(bytes, &self.field, &self.how)
    }

    /// What is done, as the end of the sentence "the reference …".
    #[must_use]
    pub fn describe(&self) -> String {
        let place = match self.field.as_slice() {
            [] => self.part.words().to_owned(),
            path => {
                let path: Vec<String> = path.iter().map(ToString::to_string).collect();
                format!("field {} of {}", path.join("."), self.part.words())
            }
        };
        match &self.how {
            How::Bytes(bytes) => format!("put {} into {place}", length(bytes)),
            How::Fill(fill) => format!("put {} times the byte {:#04x} into {place}", fill.times, fill.byte),
            How::Append(bytes) => format!("added {} to {place}", length(bytes)),
            How::AppendFill(fill) => format!("added {} times the byte {:#04x} to {place}", fill.times, fill.byte),
            How::Truncate(length) => format!("cut {place} to {length} B"),
            How::Flip(bit) => format!("flipped bit {bit} of {place}"),
            How::Number(number) => format!("put the number {number} into {place}"),
            How::Remove => format!("left out {place}"),
            How::Repeat(times) => format!("wrote {place} {times} times more"),
            How::Raw(bytes) => format!("wrote {} in place of {place}", length(bytes)),
            How::Before(bytes) => format!("wrote {} before {place}", length(bytes)),
            How::WireType(kind) => format!("wrote that {place} is of kind {kind}"),
            How::Length(length) => format!("wrote that {place} has {length} B"),
            How::Redundant(more) => format!("wrote the number or length in {place} in {more} B more than it needs"),
            How::RedundantKey(more) => format!("wrote the key of {place} in {more} B more than it needs"),
        }
    }
}

fn length(bytes: &Bytes) -> String {
    format!("{} B", bytes.0.len())
}

fn impossible(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Unsupported, format!("the edit cannot be made: {detail}"))
}

/// The bytes with one thing done to what a path leads to.
fn within(bytes: &[u8], path: &[u32], how: &How) -> Result<Vec<u8>, Refusal> {
    let Some((tag, deeper)) = path.split_first() else { return value(bytes, how) };
    let mut fields = read(bytes).ok_or_else(|| impossible("what it looks into is no protobuf"))?;
    let at = fields.iter().rposition(|field| field.tag == *tag);
    let at = at.ok_or_else(|| impossible(format_args!("there is no field {tag}")))?;
    let made = match fields.get(at) {
        Some(field) if deeper.is_empty() => field.edited(how)?,
        Some(field) => match &field.value {
            Value::Bytes(inside) => Raw { tag: field.tag, value: Value::Bytes(within(inside, deeper, how)?) }.written(),
            _ => return Err(impossible(format_args!("field {tag} holds no fields"))),
        },
        None => Vec::new(),
    };
    let mut out = Vec::with_capacity(bytes.len() + made.len());
    for (index, field) in fields.drain(..).enumerate() {
        if index == at {
            out.extend_from_slice(&made);
        } else {
            out.append(&mut field.written());
        }
    }
    Ok(out)
}

/// One thing done to bytes.
fn value(bytes: &[u8], how: &How) -> Result<Vec<u8>, Refusal> {
    Ok(match how {
        How::Bytes(new) => new.0.clone(),
        How::Fill(fill) => fill.made()?,
        How::Append(more) => [bytes, &more.0].concat(),
        How::AppendFill(fill) => [bytes, &fill.made()?].concat(),
        How::Truncate(length) => {
            let length = usize::try_from(*length).unwrap_or(usize::MAX);
            bytes.get(..length).filter(|_| length < bytes.len()).ok_or_else(|| impossible("it is no longer than that"))?.to_vec()
        }
        How::Flip(bit) => {
            let mut bytes = bytes.to_vec();
            let byte = usize::try_from(bit / 8).ok().and_then(|at| bytes.get_mut(at));
            *byte.ok_or_else(|| impossible(format_args!("there is no bit {bit}")))? ^= 1 << (bit % 8);
            bytes
        }
        _ => return Err(impossible("it can be done to a single field alone")),
    })
}

impl Fill {
    fn made(&self) -> Result<Vec<u8>, Refusal> {
        if self.times > MOST_MADE {
            return Err(impossible(format_args!("{} bytes: {MOST_MADE} at most", self.times)));
        }
        Ok(vec![self.byte; usize::try_from(self.times).unwrap_or_default()])
    }
}

/// A field as it was read.
struct Raw {
    tag: u32,
    value: Value,
}

enum Value {
    Number(u64),
    Bytes(Vec<u8>),
    Fixed(u8, Vec<u8>),
}

impl Raw {
    fn kind(&self) -> u8 {
        match self.value {
            Value::Number(_) => 0,
            Value::Bytes(_) => 2,
            Value::Fixed(kind, _) => kind,
        }
    }

    fn written(&self) -> Vec<u8> {
        self.with(self.kind(), 0, 0, None)
    }

    /// Written with another kind, with redundant bytes, or with another length.
    fn with(&self, kind: u8, in_key: usize, in_value: usize, length: Option<u64>) -> Vec<u8> {
        let mut out = Vec::new();
        number(u64::from(self.tag) << 3 | u64::from(kind & 7), in_key, &mut out);
        match &self.value {
            Value::Number(value) => number(*value, in_value, &mut out),
            Value::Bytes(bytes) => {
                number(length.unwrap_or(bytes.len() as u64), in_value, &mut out);
                out.extend_from_slice(bytes);
            }
            Value::Fixed(_, bytes) => out.extend_from_slice(bytes),
        }
        out
    }

    fn edited(&self, how: &How) -> Result<Vec<u8>, Refusal> {
        let plain = self.kind();
        Ok(match how {
            How::Number(value) => Self { tag: self.tag, value: Value::Number(*value) }.written(),
            How::Remove => Vec::new(),
            How::Repeat(times) => {
                let one = self.written();
                let made = usize::try_from(*times).unwrap_or(usize::MAX).saturating_add(1).saturating_mul(one.len());
                if made > usize::try_from(MOST_MADE).unwrap_or_default() {
                    return Err(impossible(format_args!("{made} bytes: {MOST_MADE} at most")));
                }
                one.repeat(usize::try_from(*times).unwrap_or_default() + 1)
            }
            How::Raw(bytes) => bytes.0.clone(),
            How::Before(bytes) => [&bytes.0, self.written().as_slice()].concat(),
            How::WireType(kind) => self.with(*kind, 0, 0, None),
            How::Length(length) if matches!(self.value, Value::Bytes(_)) => self.with(plain, 0, 0, Some(*length)),
            How::Redundant(more) if !matches!(self.value, Value::Fixed(..)) => self.with(plain, 0, usize::from(*more), None),
            How::RedundantKey(more) => self.with(plain, usize::from(*more), 0, None),
            How::Length(_) | How::Redundant(_) => return Err(impossible(format_args!("field {} has no length", self.tag))),
            How::Bytes(_) | How::Fill(_) | How::Append(_) | How::AppendFill(_) | How::Truncate(_) | How::Flip(_) => {
                let before = match &self.value {
                    Value::Bytes(bytes) | Value::Fixed(_, bytes) => bytes.clone(),
                    Value::Number(value) => value.to_le_bytes().to_vec(),
                };
                let after = value(&before, how)?;
                let value = match (&self.value, <[u8; 8]>::try_from(after.as_slice())) {
                    // A bit of a number, which stays one.
                    (Value::Number(_), Ok(bytes)) if matches!(how, How::Flip(_)) => Value::Number(u64::from_le_bytes(bytes)),
                    (Value::Fixed(kind, _), _) => Value::Fixed(*kind, after),
                    _ => Value::Bytes(after),
                };
                Self { tag: self.tag, value }.written()
            }
        })
    }
}

/// A number of protobuf, in so many bytes more than it needs; ten in all are read by anybody, further ones are not.
fn number(mut value: u64, redundant: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    if redundant > 0 {
        if let Some(last) = out.last_mut() {
            *last |= 0x80;
        }
        let length = out.len() - begin + redundant;
        out.resize(begin + length - 1, 0x80);
        out.push(0);
    }
}

/// The fields of a message of ours. Groups are not among what we write.
fn read(mut bytes: &[u8]) -> Option<Vec<Raw>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = take_number(&mut bytes)?;
        let tag = u32::try_from(key >> 3).ok()?;
        let kind = (key & 7) as u8;
        let value = match kind {
            0 => Value::Number(take_number(&mut bytes)?),
            1 => Value::Fixed(kind, take(&mut bytes, 8)?.to_vec()),
            2 => {
                let length = take_number(&mut bytes)?;
                Value::Bytes(take(&mut bytes, usize::try_from(length).ok()?)?.to_vec())
            }
            5 => Value::Fixed(kind, take(&mut bytes, 4)?.to_vec()),
            _ => return None,
        };
        fields.push(Raw { tag, value });
    }
    Some(fields)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (first, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(first)
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for at in 0..LONGEST_NUMBER {
        let byte = *take(bytes, 1)?.first()?;
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(at * 7).ok()?)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Field 1 with the number 150, field 2 with the bytes "ab", field 10 with field 1 with "hi" in it.
    const SAMPLE: &[u8] = &[0x08, 0x96, 0x01, 0x12, 2, b'a', b'b', 0x52, 4, 0x0a, 2, b'h', b'i'];

    fn made(field: &[u32], how: How) -> Result<Vec<u8>, Refusal> {
        Edit { part: Part::Content, field: field.to_vec(), how }.apply(SAMPLE)
    }

    fn with(from: usize, to: usize, by: &[u8]) -> Vec<u8> {
        [&SAMPLE[..from], by, &SAMPLE[to..]].concat()
    }

    #[test]
    fn each_edit_changes_one_thing_and_what_follows_from_it() {
        let bytes = |text: &str| Bytes(text.as_bytes().to_vec());
        let cases = [
            (vec![2], How::Bytes(bytes("xyz")), with(3, 7, &[0x12, 3, b'x', b'y', b'z'])),
            (vec![2], How::Fill(Fill { byte: 7, times: 3 }), with(3, 7, &[0x12, 3, 7, 7, 7])),
            (vec![10, 1], How::Append(bytes("!")), with(7, 13, &[0x52, 5, 0x0a, 3, b'h', b'i', b'!'])),
            (vec![10, 1], How::Truncate(1), with(7, 13, &[0x52, 3, 0x0a, 1, b'h'])),
            (vec![2], How::Flip(0), with(5, 6, b"`")),
            (vec![1], How::Flip(0), with(0, 3, &[0x08, 0x97, 0x01])),
            (vec![1], How::Number(1), with(0, 3, &[0x08, 1])),
            (vec![2], How::Remove, with(3, 7, &[])),
            (vec![2], How::Repeat(1), with(3, 3, &[0x12, 2, b'a', b'b'])),
            (vec![2], How::Raw(bytes("?")), with(3, 7, b"?")),
            (vec![2], How::Before(bytes("?")), with(3, 3, b"?")),
            (vec![1], How::WireType(7), with(0, 1, &[0x0f])),
            (vec![2], How::Length(200), with(4, 5, &[0xc8, 0x01])),
            (vec![2], How::Redundant(1), with(4, 5, &[0x82, 0x00])),
            (vec![1], How::Redundant(2), with(1, 3, &[0x96, 0x81, 0x80, 0x00])),
            (vec![2], How::RedundantKey(1), with(3, 4, &[0x92, 0x00])),
            (vec![], How::AppendFill(Fill { byte: 1, times: 2 }), with(13, 13, &[1, 1])),
            (vec![], How::Truncate(3), SAMPLE[..3].to_vec()),
        ];
        for (field, how, expected) in cases {
            assert_eq!(made(&field, how.clone()).unwrap(), expected, "{field:?} {how:?}");
            let edit = Edit { part: Part::Content, field, how };
            let text = serde_json::to_string(&Alteration::Edit(edit.clone())).unwrap();
            assert_eq!(serde_json::from_str::<Alteration>(&text).unwrap(), Alteration::Edit(edit.clone()), "{text}");
            assert!(edit.describe().contains("the content"), "{}", edit.describe());
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let cases = [
            (vec![3], How::Remove),
            (vec![1, 1], How::Remove),
            (vec![], How::Remove),
            (vec![1], How::Length(1)),
            (vec![2], How::Truncate(2)),
            (vec![2], How::Flip(16)),
            (vec![2], How::Repeat(u32::MAX)),
            (vec![2], How::Fill(Fill { byte: 0, times: u32::MAX })),
            (vec![10; 9], How::Remove),
        ];
        for (field, how) in cases {
            assert_eq!(made(&field, how.clone()).unwrap_err().reason, Reason::Unsupported, "{field:?} {how:?}");
        }
        let edit = Edit { part: Part::Blob, field: vec![1], how: How::Remove };
        assert!(edit.apply(SAMPLE).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_into(bytes in any::<Vec<u8>>(), field in proptest::collection::vec(0..12_u32, 0..3)) {
            let edit = Edit { part: Part::Content, field, how: How::Bytes(Bytes(vec![1])) };
            drop(edit.apply(&bytes));
        }
    }
}
