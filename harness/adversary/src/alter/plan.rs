//! A list of alterations, sorted by the step that looks at it.

use super::{AddedValue, Alteration, Field, KeyChoice, Layer, NamedPrekey, WrongPadding, field::Place};
use crate::kdf::BLOCK;
use crate::profile::WireProfile;
use crate::refusal::Refusal;
use crate::wire::{Fields, Value};
use countersign_contract::{Bytes, Reason};

/// The most messages of a chain that one alteration skips: each costs an HMAC.
const FURTHEST_JUMP: u32 = 1_000_000;
/// A receiver keeps five chains; this many before the present one can be sent in.
const FURTHEST_BACK: u8 = 8;
/// This many keys of messages that were sent are kept by the sender of a sender key, for [`Alteration::ChainRewind`].
pub(crate) const MOST_SPENT: usize = 8;
/// The most agreements that go into one derivation.
const MOST_TERMS: usize = 16;

pub(crate) fn impossible(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Unsupported, format!("the alteration cannot be made: {detail}"))
}

/// What is bent when a session is set up.
#[derive(Clone, Default)]
pub(crate) struct Agreement<'a> {
    pub(crate) profile: Option<WireProfile>,
    pub(crate) info: Option<&'a str>,
    pub(crate) salt: Option<&'a Bytes>,
    pub(crate) terms: Option<&'a [u8]>,
    pub(crate) without_discontinuity: bool,
    pub(crate) without_kyber: bool,
    pub(crate) base_key: Option<&'a KeyChoice>,
    pub(crate) identity: Option<&'a KeyChoice>,
    pub(crate) named: Vec<&'a NamedPrekey>,
}

impl<'a> Agreement<'a> {
    pub(crate) fn of(alterations: &'a [Alteration]) -> Result<Self, Refusal> {
        let mut plan = Self::default();
        for alteration in alterations {
            match alteration {
                Alteration::Profile(profile) => plan.profile = Some(*profile),
                Alteration::KdfInfo(info) => plan.info = Some(info),
                Alteration::KdfSalt(salt) => plan.salt = Some(salt),
                Alteration::DhTerms(terms) => {
                    if terms.len() > MOST_TERMS || terms.iter().any(|term| !(1..=4).contains(term)) {
                        return Err(impossible(format_args!("agreements are 1 to 4, and at most {MOST_TERMS}")));
                    }
                    plan.terms = Some(terms);
                }
                Alteration::WithoutDiscontinuity => plan.without_discontinuity = true,
                Alteration::WithoutKyberSecret => plan.without_kyber = true,
                Alteration::BaseKey(KeyChoice::Fresh) => return Err(impossible("a base key is fresh anyway")),
                Alteration::BaseKey(choice) => plan.base_key = Some(choice),
                Alteration::IdentityKey(choice) => plan.identity = Some(choice),
                Alteration::NamePrekey(named) => plan.named.push(named),
                _ => {}
            }
        }
        Ok(plan)
    }
}

/// What is bent about the chain that a message is sent in.
#[derive(Default)]
pub(crate) struct Chains<'a> {
    pub(crate) ratchet: Option<&'a KeyChoice>,
    pub(crate) jump: u32,
    /// How many chains before the present one: 1 and more.
    pub(crate) back: Option<usize>,
    /// How many messages before the present one: 1 and more.
    pub(crate) rewind: Option<usize>,
    pub(crate) without_pq_key: bool,
    pub(crate) sign_with: Option<&'a KeyChoice>,
}

impl<'a> Chains<'a> {
    pub(crate) fn of(alterations: &'a [Alteration]) -> Result<Self, Refusal> {
        let mut plan = Self::default();
        for alteration in alterations {
            match alteration {
                Alteration::Ratchet(choice) => plan.ratchet = Some(choice),
                Alteration::ChainJump(jump) => plan.jump = plan.jump.saturating_add(*jump),
                Alteration::ChainBack(back) if (1..=FURTHEST_BACK).contains(back) => plan.back = Some(usize::from(*back)),
                Alteration::ChainBack(back) => return Err(impossible(format_args!("{back} chains back: 1 to {FURTHEST_BACK}"))),
                Alteration::ChainRewind(back) if (1..=MOST_SPENT).contains(&usize::from(*back)) => {
                    plan.rewind = Some(usize::from(*back));
                }
                Alteration::ChainRewind(back) => return Err(impossible(format_args!("{back} messages back: 1 to {MOST_SPENT}"))),
                Alteration::WithoutPqKey => plan.without_pq_key = true,
                Alteration::SignWith(choice) => plan.sign_with = Some(choice),
                _ => {}
            }
        }
        if plan.jump > FURTHEST_JUMP {
            return Err(impossible(format_args!("a jump over {} messages: {FURTHEST_JUMP} at most", plan.jump)));
        }
        Ok(plan)
    }
}

/// What is bent about the bytes of a message.
pub(crate) struct Surface<'a>(&'a [Alteration]);

impl<'a> Surface<'a> {
    pub(crate) const fn of(alterations: &'a [Alteration]) -> Self {
        Self(alterations)
    }

    /// The plaintext with a padding that is not PKCS#7, as whole blocks; `None` to pad as usual.
    pub(crate) fn padding(&self, plaintext: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        let mut padded = None;
        for alteration in self.0 {
            let ending = match alteration {
                Alteration::CipherPadding(bytes) => bytes.0.clone(),
                Alteration::WrongCipherPadding(kind) => wrong_padding(*kind, plaintext.len()),
                _ => continue,
            };
            padded = Some([plaintext, &ending].concat());
        }
        match padded {
            Some(blocks) if !blocks.len().is_multiple_of(BLOCK) => {
                Err(impossible(format_args!("{} bytes do not fill blocks of {BLOCK}", blocks.len())))
            }
            padded => Ok(padded),
        }
    }

    /// Over which identity keys, in which order, the MAC is made.
    pub(crate) fn identities<'k>(&self, sender: &'k [u8], receiver: &'k [u8]) -> (&'k [u8], &'k [u8])
    where
        'a: 'k,
    {
        let (mut sender, mut swapped) = (sender, false);
        for alteration in self.0 {
            match alteration {
                Alteration::SwapMacIdentities => swapped = true,
                Alteration::MacSender(bytes) => sender = &bytes.0,
                _ => {}
            }
        }
        if swapped { (receiver, sender) } else { (sender, receiver) }
    }

    /// Bends version and fields of one message.
    pub(crate) fn bend(&self, layer: Layer, version: &mut u8, fields: &mut Fields) -> Result<(), Refusal> {
        for alteration in self.0 {
            if let Alteration::Add(added) = alteration {
                if added.layer == layer {
                    if added.tag == 0 {
                        return Err(impossible("a protobuf field has a number from 1"));
                    }
                    let value = match &added.value {
                        AddedValue::Number(number) => Value::Number(*number),
                        AddedValue::Bytes(bytes) => Value::Bytes(bytes.0.clone()),
                    };
                    fields.0.push((added.tag, value));
                }
                continue;
            }
            let Some(field) = alteration.field().filter(|field| field.layer() == layer) else { continue };
            match field.place() {
                Place::Version => bend_version(alteration, version)?,
                Place::Tag(tag) => bend_field(alteration, field, tag, fields)?,
                Place::End => {}
            }
        }
        Ok(())
    }

    /// Bends bytes that are no protobuf field.
    pub(crate) fn bend_bytes(&self, field: Field, bytes: &mut Vec<u8>) -> Result<(), Refusal> {
        for alteration in self.0.iter().filter(|alteration| alteration.field() == Some(field)) {
            bend_value(alteration, field, bytes)?;
        }
        Ok(())
    }
}

impl Alteration {
    /// The field that it changes, if it changes one.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::SetNumber(set) => Some(set.field),
            Self::SetBytes(set) | Self::Extend(set) => Some(set.field),
            Self::Remove(field) => Some(*field),
            Self::Flip(flip) => Some(flip.field),
            Self::Truncate(cut) => Some(cut.field),
            _ => None,
        }
    }
}

fn wrong_padding(kind: WrongPadding, length: usize) -> Vec<u8> {
    let missing = BLOCK - length % BLOCK;
    let last = match kind {
        WrongPadding::Zero => 0,
        WrongPadding::TooLong => BLOCK as u8 + 1,
        // A whole block, none of whose other bytes says so.
        WrongPadding::Uneven => {
            let mut ending = vec![0xa5; if missing == 1 { BLOCK + 1 } else { missing }];
            if let Some(last) = ending.last_mut() {
                *last = BLOCK as u8;
            }
            return ending;
        }
    };
    vec![last; missing]
}

fn bend_version(alteration: &Alteration, version: &mut u8) -> Result<(), Refusal> {
    match alteration {
        Alteration::SetNumber(set) => {
            *version = u8::try_from(set.number).map_err(|_| impossible("a version is one byte"))?;
        }
        Alteration::Flip(flip) if flip.bit < 8 => *version ^= 1 << flip.bit,
        _ => return Err(impossible("of a version, only a number can be set and a bit flipped")),
    }
    Ok(())
}

fn bend_field(alteration: &Alteration, field: Field, tag: u32, fields: &mut Fields) -> Result<(), Refusal> {
    match alteration {
        Alteration::SetNumber(set) => fields.set(tag, Value::Number(set.number)),
        Alteration::SetBytes(set) => fields.set(tag, Value::Bytes(set.bytes.0.clone())),
        Alteration::Remove(_) => {
            fields.last_mut(tag).ok_or_else(|| absent(field))?;
            fields.remove(tag);
        }
        other => match (fields.last_mut(tag).ok_or_else(|| absent(field))?, other) {
            (Value::Bytes(bytes), _) => bend_value(other, field, bytes)?,
            (Value::Number(number), Alteration::Flip(flip)) if flip.bit < 32 => *number ^= 1 << flip.bit,
            (Value::Number(_), _) => return Err(impossible(format_args!("{field} is a number of 32 bits"))),
        },
    }
    Ok(())
}

fn bend_value(alteration: &Alteration, field: Field, bytes: &mut Vec<u8>) -> Result<(), Refusal> {
    match alteration {
        Alteration::SetBytes(set) => *bytes = set.bytes.0.clone(),
        Alteration::Extend(set) => bytes.extend_from_slice(&set.bytes.0),
        Alteration::Remove(_) => bytes.clear(),
        Alteration::Flip(flip) => {
            let byte = usize::try_from(flip.bit / 8).ok().and_then(|place| bytes.get_mut(place));
            *byte.ok_or_else(|| impossible(format_args!("{field} has no bit {}", flip.bit)))? ^= 1 << (flip.bit % 8);
        }
        Alteration::Truncate(cut) => {
            let length = usize::try_from(cut.length).unwrap_or(usize::MAX);
            if length >= bytes.len() {
                return Err(impossible(format_args!("{field} has {} bytes", bytes.len())));
            }
            bytes.truncate(length);
        }
        _ => return Err(impossible(format_args!("{field} holds bytes"))),
    }
    Ok(())
}

fn absent(field: Field) -> Refusal {
    impossible(format_args!("the message has no {field}"))
}
