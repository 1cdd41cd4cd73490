//! What is to be done wrongly, as data: a list of alterations, each of which names a step, a field and a value.
//!
//! Alterations compose: each is applied at its own step, and of several at one step the later one is applied to what the earlier
//! one left. One that cannot be made, such as a former ratchet key where there is none, is refused as `unsupported`: a test must
//! never pass because nothing was altered.
//!
//! What each of them changes on the wire, and what Signal's crate answers to it, stands in `ALTERATIONS.md` beside this crate, which a
//! test writes.

mod describe;
mod edit;
mod field;
mod moment;
mod part;
mod plan;

pub use edit::{Edit, Fill, How, edited, edits};
pub use field::{Field, Layer, UnknownField};
pub use part::Part;
pub(crate) use plan::{Agreement, Chains, MOST_SPENT, Surface, impossible};

use crate::curve::{KeyPair, low_order_point};
use crate::profile::WireProfile;
use crate::refusal::Refusal;
use countersign_contract::{Bytes, Reason};
use rand::CryptoRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing done wrongly.
///
/// The first group concerns the set-up of a session and is looked at by [`Party::process_bundle`](crate::Party::process_bundle);
/// the second concerns one message and is looked at by [`Party::encrypt`](crate::Party::encrypt), and as far as it names their fields
/// or their chain by [`Party::group_encrypt`](crate::Party::group_encrypt) and
/// [`Party::distribution`](crate::Party::distribution), and [`Party::seal`](crate::Party::seal). Each ignores the others', so one list may be given to all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Alteration {
    /// Set-up: speak another wire profile in this session, such as `v3` to a peer that published a Kyber prekey (a downgrade), or
    /// `v4` to one that speaks the post-quantum ratchet.
    Profile(WireProfile),
    /// Set-up: derive the session's keys under this info string.
    KdfInfo(String),
    /// Set-up: derive the session's keys with this salt.
    KdfSalt(Bytes),
    /// Set-up: derive the session's keys from these agreements in this order. The right one is `[1, 2, 3, 4]`, as the X3DH
    /// specification numbers them; leave one out, repeat it or move it.
    DhTerms(Vec<u8>),
    /// Set-up: leave out the 32 bytes 0xff that stand before the agreements.
    WithoutDiscontinuity,
    /// Set-up: leave the Kyber secret out of the derivation.
    WithoutKyberSecret,
    /// Set-up: which base key to use.
    BaseKey(KeyChoice),
    /// Set-up: under which identity key to speak, in the agreement, in the messages and under their MAC.
    IdentityKey(KeyChoice),
    /// Set-up: name this prekey, whatever the agreement was made with; without an id, name none. For an invented id, or for one
    /// that another user has.
    NamePrekey(NamedPrekey),

    /// Message: make the step of the Diffie-Hellman ratchet that began the present sender chain once more, under this ratchet key.
    /// Coherent as long as the peer has received nothing in the present chain.
    Ratchet(KeyChoice),
    /// Message: skip this many messages of the sender chain, 1,000,000 at most. The keys are skipped too, so that a receiver that
    /// goes along can read the message.
    ChainJump(u32),
    /// Message: encrypt in the sender chain this many before the present one, 1 to 8. A receiver keeps five.
    ChainBack(u8),
    /// Message: do not salt the message's keys with the post-quantum ratchet's key.
    WithoutPqKey,
    /// Message: end the plaintext with these bytes in place of the padding of AES-CBC. Plaintext and bytes together must fill whole
    /// blocks of 16 bytes.
    CipherPadding(Bytes),
    /// Message: end the plaintext with this kind of wrong padding of AES-CBC.
    WrongCipherPadding(WrongPadding),
    /// Message: compute the MAC over the identity keys in the wrong order, receiver first.
    SwapMacIdentities,
    /// Message: compute the MAC over another identity key, 33 bytes as a rule, in place of the sender's own.
    MacSender(Bytes),
    /// Group message: encrypt once more under the number and the key of the message this many before, 1 to 8. The chain then goes on
    /// from where it stands.
    ChainRewind(u8),
    /// Group message: sign with this key in place of the sender key's own. `former` is that of the sender key before.
    SignWith(KeyChoice),
    /// Message: put a number into a field.
    SetNumber(FieldNumber),
    /// Message: put bytes into a field.
    SetBytes(FieldBytes),
    /// Message: leave a field out.
    Remove(Field),
    /// Message: flip one bit of a field of bytes, or of a number.
    Flip(FieldBit),
    /// Message: add bytes to the end of a field.
    Extend(FieldBytes),
    /// Message: keep only this many bytes of a field.
    Truncate(FieldLength),
    /// Message: add a field at the end: one that the format does not know, or a known one for the second time.
    Add(AddedField),
    /// Message: change the bytes of a protobuf as it is written, or of what is inside the message or its file.
    Edit(Edit),
}

/// Which key to use in place of a fresh one, or in place of the party's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeyChoice {
    /// A new one.
    Fresh,
    /// The one before, once more.
    Former,
    /// A public key of low order, 0 to 6; what is agreed with it is all zero, so that a receiver that does not look can go along.
    LowOrder(u8),
    /// The pair of this private key of 32 bytes.
    Private(Bytes),
}

impl KeyChoice {
    /// `former`: the keys before, newest first.
    pub(crate) fn pair<R: CryptoRng + ?Sized>(&self, former: &[KeyPair], rng: &mut R) -> Result<KeyPair, Refusal> {
        let unsupported = |detail: String| Refusal::new(Reason::Unsupported, detail);
        match self {
            Self::Fresh => Ok(KeyPair::generate(rng)),
            Self::Former => former.first().copied().ok_or_else(|| unsupported("there is no former key to use once more".into())),
            Self::LowOrder(index) => {
                let point =
                    low_order_point(*index).ok_or_else(|| unsupported(format!("no point of low order {index}: 0 to 6")))?;
                Ok(KeyPair::with_public(point))
            }
            Self::Private(bytes) => {
                let private = bytes.0[..].try_into().map_err(|_| unsupported("a private key has 32 bytes".into()))?;
                Ok(KeyPair::from_private(private))
            }
        }
    }
}

/// A prekey of the peer, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrekeyKind {
    /// A one-time EC prekey.
    OneTime,
    /// A signed EC prekey.
    Signed,
    /// A Kyber prekey.
    Kyber,
}

/// The id under which a prekey is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedPrekey {
    /// Of which kind.
    pub kind: PrekeyKind,
    /// Its id; none to name no prekey of that kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
}

/// A padding that PKCS#7 does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WrongPadding {
    /// The last byte states a length of 0.
    Zero,
    /// The last byte states a length of 17, one over a block.
    TooLong,
    /// The last byte states a whole block, and the bytes before it differ.
    Uneven,
}

/// A field and a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldNumber {
    /// Which field.
    pub field: Field,
    /// What to put there. A version takes 0 to 255.
    pub number: u64,
}

/// A field and bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldBytes {
    /// Which field.
    pub field: Field,
    /// The bytes.
    pub bytes: Bytes,
}

/// A field and a bit of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldBit {
    /// Which field.
    pub field: Field,
    /// Which bit: 0 is the lowest of the first byte, 8 the lowest of the second. Of a number, 0 is its lowest.
    pub bit: u32,
}

/// A field and a length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldLength {
    /// Which field.
    pub field: Field,
    /// How many bytes to keep.
    pub length: u32,
}

/// A field to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedField {
    /// In which message.
    pub layer: Layer,
    /// Its number in the protobuf, from 1.
    pub tag: u32,
    /// Its value.
    pub value: AddedValue,
}

/// The value of an added field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AddedValue {
    /// A number.
    Number(u64),
    /// Bytes.
    Bytes(Bytes),
}
