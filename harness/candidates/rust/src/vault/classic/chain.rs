//! The key derivations of the Double Ratchet, with the constants that Signal's messages of version 3 use.

use countersign_contract::Reason;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// A symmetric key.
pub(super) type Key = [u8; 32];

/// Where a chain stands: the key from which that of message number `index` follows.
#[derive(Clone)]
pub(super) struct ChainKey {
    pub(super) key: Key,
    pub(super) index: u32,
}

impl ChainKey {
    /// The start of a chain.
    pub(super) fn first(key: Key) -> Self {
        Self { key, index: 0 }
    }

    /// What the keys of the present message follow from.
    pub(super) fn seed(&self) -> Result<Key, Reason> {
        hmac(&self.key, &[&[1]])
    }

    /// The chain, one message on.
    pub(super) fn next(&self) -> Result<Self, Reason> {
        let index = self.index.checked_add(1).ok_or(Reason::TooOld)?;
        Ok(Self { key: hmac(&self.key, &[&[2]])?, index })
    }
}

/// The keys of one message.
pub(super) struct MessageKeys {
    pub(super) cipher: Key,
    pub(super) mac: Key,
    pub(super) iv: [u8; 16],
}

impl MessageKeys {
    /// The keys that follow from a seed.
    pub(super) fn of(seed: &Key) -> Result<Self, Reason> {
        let bytes: [u8; 80] = expand(None, seed, b"WhisperMessageKeys")?;
        let split = || {
            let (cipher, rest) = bytes.split_first_chunk()?;
            let (mac, rest) = rest.split_first_chunk()?;
            Some(Self { cipher: *cipher, mac: *mac, iv: *rest.first_chunk()? })
        };
        split().ok_or(Reason::Internal)
    }
}

/// The root key and the chain key that the secrets of X3DH give, both halves of what its key derivation puts out.
pub(super) fn from_agreement(secrets: &[u8]) -> Result<(Key, Key), Reason> {
    halves(expand(None, secrets, b"WhisperText")?)
}

/// A step of the root chain: the next root key, and the key of a new chain.
pub(super) fn step(root: &Key, shared: &[u8]) -> Result<(Key, Key), Reason> {
    halves(expand(Some(root), shared, b"WhisperRatchet")?)
}

/// HMAC-SHA256 over the parts, one after another.
pub(in super::super) fn hmac(key: &Key, parts: &[&[u8]]) -> Result<Key, Reason> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).map_err(|_| Reason::Internal)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().into())
}

fn expand<const N: usize>(salt: Option<&Key>, secret: &[u8], info: &[u8]) -> Result<[u8; N], Reason> {
    let mut bytes = [0; N];
    let derived = Hkdf::<Sha256>::new(salt.map(<[u8; 32]>::as_slice), secret).expand(info, &mut bytes);
    derived.map(|()| bytes).map_err(|_| Reason::Internal)
}

fn halves(bytes: [u8; 64]) -> Result<(Key, Key), Reason> {
    let split = || {
        let (first, rest) = bytes.split_first_chunk()?;
        Some((*first, *rest.first_chunk()?))
    };
    split().ok_or(Reason::Internal)
}
