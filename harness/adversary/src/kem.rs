//! The key encapsulation of PQXDH: Kyber-1024 as of round 3 of the NIST process, which is not ML-KEM.

use crate::refusal::Refusal;
use crate::secret::SecretBytes;
use countersign_contract::{Bytes, Reason};
use libcrux_ml_kem::kyber1024;
use libcrux_ml_kem::mlkem1024::{MlKem1024Ciphertext, MlKem1024PrivateKey, MlKem1024PublicKey};
use rand::{CryptoRng, Rng as _};
use serde::{Deserialize, Serialize};

/// The first byte of a serialised key or ciphertext.
const TYPE: u8 = 0x08;
/// Length of a serialised public key in bytes, the type included.
pub const KYBER_PUBLIC_BYTES: usize = 1569;
/// Length of a serialised private key in bytes, the type included.
pub const KYBER_PRIVATE_BYTES: usize = 3169;
/// Length of the seed at the end of a public key in bytes; what precedes it is the vector.
const SEED_BYTES: usize = 32;

fn bad(what: &str, detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::BadKey, format!("{what}: {detail}"))
}

/// Drops the type byte.
fn untyped<'a>(bytes: &'a [u8], what: &str) -> Result<&'a [u8], Refusal> {
    match bytes.split_first() {
        Some((&TYPE, rest)) => Ok(rest),
        Some((kind, _)) => Err(bad(what, format_args!("type {kind:#04x} in place of {TYPE:#04x}"))),
        None => Err(bad(what, "empty")),
    }
}

fn typed(bytes: &[u8]) -> Vec<u8> {
    let mut typed = Vec::with_capacity(1 + bytes.len());
    typed.push(TYPE);
    typed.extend_from_slice(bytes);
    typed
}

/// A Kyber key pair, both halves serialised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KyberPair {
    private: SecretBytes,
    pub(crate) public: Bytes,
}

impl KyberPair {
    pub(crate) fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let (private, public) = kyber1024::generate_key_pair(rng.random()).into_parts();
        Self { private: SecretBytes::new(typed(private.as_ref())), public: Bytes(typed(public.as_ref())) }
    }

    /// The private half, with its type.
    pub(crate) fn private_bytes(&self) -> Bytes {
        self.private.0.clone()
    }

    /// A pair made elsewhere. That the halves belong together is checked by using them.
    pub(crate) fn import<R: CryptoRng + ?Sized>(private: &[u8], public: &[u8], rng: &mut R) -> Result<Self, Refusal> {
        if private.len() != KYBER_PRIVATE_BYTES {
            return Err(bad("Kyber private key", format_args!("{} bytes in place of {KYBER_PRIVATE_BYTES}", private.len())));
        }
        let pair = Self { private: SecretBytes::new(private.to_vec()), public: Bytes(public.to_vec()) };
        let (ciphertext, secret) = encapsulate(public, "Kyber public key", rng)?;
        if pair.decapsulate(&ciphertext)? != secret {
            return Err(bad("Kyber private key", "not that of the public key"));
        }
        Ok(pair)
    }

    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Result<[u8; 32], Refusal> {
        let private = untyped(self.private.as_vec(), "Kyber private key")?;
        let private = MlKem1024PrivateKey::try_from(private).map_err(|e| bad("Kyber private key", e))?;
        let ciphertext = untyped(ciphertext, "Kyber ciphertext")?;
        let ciphertext = MlKem1024Ciphertext::try_from(ciphertext).map_err(|e| bad("Kyber ciphertext", e))?;
        Ok(kyber1024::decapsulate(&private, &ciphertext))
    }
}

/// Looks at a public key before anything is encapsulated under it.
///
/// # Errors
/// `bad-key` for another length or type, and for a key whose vector is zero: what is encapsulated under it can be read by anyone.
pub(crate) fn check_public(public: &[u8], what: &str) -> Result<(), Refusal> {
    if public.len() != KYBER_PUBLIC_BYTES {
        return Err(bad(what, format_args!("{} bytes in place of {KYBER_PUBLIC_BYTES}", public.len())));
    }
    if untyped(public, what)?.iter().rev().skip(SEED_BYTES).all(|byte| *byte == 0) {
        return Err(bad(what, "all zero"));
    }
    Ok(())
}

/// Encapsulates a fresh secret: the serialised ciphertext and the secret.
///
/// # Errors
/// Those of [`check_public`].
pub(crate) fn encapsulate<R: CryptoRng + ?Sized>(public: &[u8], what: &str, rng: &mut R) -> Result<(Vec<u8>, [u8; 32]), Refusal> {
    check_public(public, what)?;
    let key = MlKem1024PublicKey::try_from(untyped(public, what)?).map_err(|e| bad(what, e))?;
    let (ciphertext, secret) = kyber1024::encapsulate(&key, rng.random());
    Ok((typed(ciphertext.as_ref()), secret))
}
