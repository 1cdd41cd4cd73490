//! Messages under a sender key, and its distribution, read.

use crate::curve::{PUBLIC_KEY_BYTES, PublicKey, SIGNATURE_BYTES};
use crate::refusal::Refusal;
use crate::wire::{Read, distribution, group};
use countersign_contract::Reason;
use uuid::Uuid;

/// The one version that there is.
const VERSION: u8 = 3;

fn malformed(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Malformed, detail)
}

/// Looks at the version byte and reads the rest.
fn fields<'a>(bytes: &'a [u8], what: &str) -> Result<Read<'a>, Refusal> {
    let (version, rest) = bytes.split_first().ok_or_else(|| malformed(format_args!("{what}: empty")))?;
    if version >> 4 != VERSION {
        return Err(Refusal::new(Reason::BadVersion, format!("{what}: version byte {version:#04x}")));
    }
    Read::new(rest, what)
}

fn uuid(bytes: Option<&[u8]>) -> Result<Uuid, Refusal> {
    bytes.and_then(|bytes| Uuid::from_slice(bytes).ok()).ok_or_else(|| malformed("the distribution is no UUID"))
}

/// A message under a sender key.
pub(super) struct GroupMessage<'a> {
    pub(super) distribution: Uuid,
    pub(super) chain_id: u32,
    pub(super) iteration: u32,
    pub(super) ciphertext: &'a [u8],
    pub(super) signed: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl<'a> GroupMessage<'a> {
    /// # Errors
    /// `malformed`, `bad-version`.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let split = bytes.len().checked_sub(SIGNATURE_BYTES).filter(|length| *length > 0);
        let (signed, signature) = bytes.split_at(split.ok_or_else(|| malformed("too short for a signed message"))?);
        let fields = fields(signed, "sender-key message")?;
        let missing = |what: &str| malformed(format_args!("{what} is missing"));
        Ok(Self {
            distribution: uuid(fields.bytes(group::DISTRIBUTION, "distribution")?)?,
            chain_id: fields.number(group::CHAIN_ID, "chain id")?.ok_or_else(|| missing("chain id"))?,
            iteration: fields.number(group::ITERATION, "iteration")?.ok_or_else(|| missing("iteration"))?,
            ciphertext: fields.bytes(group::CIPHERTEXT, "ciphertext")?.ok_or_else(|| missing("ciphertext"))?,
            signed,
            signature,
        })
    }
}

/// The distribution of a sender key.
pub(super) struct Distribution {
    pub(super) id: Uuid,
    pub(super) chain_id: u32,
    pub(super) iteration: u32,
    pub(super) chain_key: [u8; 32],
    pub(super) signing: PublicKey,
}

impl Distribution {
    /// # Errors
    /// `malformed`, `bad-version`, and `bad-key` for the signing key.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let fields = fields(bytes, "sender-key distribution")?;
        let missing = |what: &str| malformed(format_args!("{what} is missing or of the wrong length"));
        let chain_key = fields.bytes(distribution::CHAIN_KEY, "chain key")?.and_then(|bytes| bytes.try_into().ok());
        let signing = fields.bytes(distribution::SIGNING_KEY, "signing key")?.filter(|bytes| bytes.len() == PUBLIC_KEY_BYTES);
        Ok(Self {
            id: uuid(fields.bytes(distribution::ID, "distribution")?)?,
            chain_id: fields.number(distribution::CHAIN_ID, "chain id")?.ok_or_else(|| missing("chain id"))?,
            iteration: fields.number(distribution::ITERATION, "iteration")?.ok_or_else(|| missing("iteration"))?,
            chain_key: chain_key.ok_or_else(|| missing("chain key"))?,
            signing: PublicKey::read(signing.ok_or_else(|| missing("signing key"))?, "signing key")?,
        })
    }
}
